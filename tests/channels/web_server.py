"""A real HTTP server with bad days: what came, and how it answers."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from aiohttp import web


class Request(NamedTuple):
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Its body."""
        return dict(json.loads(self.body))


class WebServer:
    """Listens on a free port of this machine. resets: so many of the next requests end in a broken connection."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.status, self.delay_s, self.resets = 200, 0.0, 0
        self.answer: bytes = b"ok"
        self.headers: dict[str, str] = {}
        self.url = ""
        self.connections: set[object] = set()
        self._tls = tls
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}/hook?token=t0ken"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self.requests.append(Request(request.path_qs, dict(request.headers), await request.read()))
        self.connections.add(request.transport)
        if self.resets:
            self.resets -= 1
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError
        await asyncio.sleep(self.delay_s)
        return web.Response(status=self.status, body=self.answer, headers=self.headers)
