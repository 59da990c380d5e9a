"""Webhook: JSON by HTTP POST, signed, under an idempotency key that every try of a notice repeats."""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from controller.errors import BadMessage
from gateway.channels.channel import Event, Never, Outcome, Report, Telling
from gateway.channels.http_post import ANSWER_S_MAX, Poster, PostSettings, parse_target

VERSION: Final = 1


class WebhookSettings(PostSettings, frozen=True, forbid_unknown_fields=True):
    """`[webhook]` of gateway.toml."""

    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 64
    attempts_max: Annotated[int, Meta(ge=1, le=100)] = 8


class WebhookBody(Struct, frozen=True):
    """What is posted: the same bytes at every try. event: as in `channel.py`; null for what is no incident."""

    version: int
    key: str
    language: str
    title: str
    text: str
    event: Event | None


_encoder = msgspec.json.Encoder()


class WebhookChannel:
    """The channel `webhook`; its addresses are `https://host/path#secret`."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, clock: Callable[[], float] = time.time) -> None:
        self.concurrency = settings.concurrency
        self.attempts_max = settings.attempts_max
        # A stale connection's try, one more, and the rest of the answer.
        self.timeout_s = 2 * settings.total_s + ANSWER_S_MAX + 1
        self._poster = Poster(self.name, settings, clock)

    async def send(self, telling: Telling) -> Outcome:
        """Post it once. `Sent` is the server's 2xx."""
        try:
            target = parse_target(telling.address)
        except BadMessage as fault:
            return Never(str(fault))
        body = _encoder.encode(
            WebhookBody(VERSION, telling.key, telling.language, telling.title, telling.text, telling.event)
        )
        return await self._poster.post(telling, target, body, "application/json")

    async def run(self, report: Report) -> None:
        """Keep the connections until cancelled; say when a server's certificate has expired, and is renewed."""
        try:
            self._poster.report_to(report)
            await asyncio.Event().wait()
        finally:
            await self._poster.close()
