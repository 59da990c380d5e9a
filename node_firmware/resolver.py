"""Finds the broker's address without ever waiting on the event loop, also when the name server never answers."""

import asyncio
import logging
import socket
import threading
from typing import Final

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 3.0


class Resolver:
    """One host's addresses. The last ones found go on serving while the name server is silent."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: list[str] = []
        self._turn = 0
        self._asking: asyncio.Future[list[str] | None] | None = None

    async def address(self, *, literal: bool) -> str:
        """Where to connect: with each call the next of the host's addresses.

        literal: as an address; else the name itself (TLS checks it), once it is found to resolve.
        Waits as long as the name server does when no address has ever been known.
        """
        while True:
            if self._asking is None:
                self._asking = self._ask()
            done, _ = await asyncio.wait([self._asking], timeout=PATIENCE_S)
            if done:
                asked, self._asking = self._asking, None
                found = asked.result()
                if found is not None:
                    self._known = found or self._known
                elif not self._known:
                    # Said by the connection, which fails on the same name.
                    return self._host
            if self._known:
                self._turn += 1
                return self._known[self._turn % len(self._known)] if literal else self._host

    def _ask(self) -> asyncio.Future[list[str] | None]:
        """The addresses, None when there are none. In a thread of its own, a daemon: one that hangs holds up nothing."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str] | None] = loop.create_future()

        def settle(addresses: list[str] | None) -> None:
            if not future.done():
                future.set_result(addresses)

        def ask() -> None:
            addresses = None
            try:
                found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
            except (OSError, UnicodeError) as fault:
                logger.debug("resolver: %s: %s", self._host, fault)
            try:
                loop.call_soon_threadsafe(settle, addresses)
            except RuntimeError:
                logger.debug("resolver: the answer came after the end")

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        return future
