"""CAP 1.2 by HTTP POST: an incident as the document that warning centres exchange."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from controller.errors import BadMessage
from gateway.channels.cap_document import CapProfile, compose, faults
from gateway.channels.channel import Never, Outcome, Report, Telling
from gateway.channels.http_post import ANSWER_S_MAX, Poster, PostSettings, parse_target

logger = logging.getLogger(__name__)


class CapSettings(PostSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[cap]` of gateway.toml.

    sender: who speaks, unique in the world, e.g. `zone-3@alarms.example.org`. addresses: whom silent incidents are for,
    in the receiver's words. radius_km: of the circle around a block. timezone: of times that people read.
    """

    sender: Annotated[str, Meta(pattern=r"^[^\s,&<]+$")]
    addresses: Annotated[tuple[str, ...], Meta(min_length=1)] = ("police-desk",)
    expires_s: Annotated[int, Meta(ge=60, le=86_400)] = 3600
    radius_km: Annotated[float, Meta(gt=0, le=10)] = 0.1
    timezone: str = "America/Lima"
    concurrency: Annotated[int, Meta(ge=1, le=100)] = 8
    attempts_max: Annotated[int, Meta(ge=1, le=100)] = 8

    def faults(self) -> Iterable[str]:
        """What the types cannot say."""
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            yield f"[cap] timezone: {self.timezone!r} is none; expected one like America/Lima; correct it"
        if not all(address and '"' not in address for address in self.addresses):
            yield "[cap] addresses: one is empty or holds a quote; expected the receiver's names; correct it"


class CapChannel:
    """The channel `cap`; its addresses are `https://host/path#secret`."""

    name = "cap"

    def __init__(self, settings: CapSettings, clock: Callable[[], float] = time.time) -> None:
        self.concurrency = settings.concurrency
        self.attempts_max = settings.attempts_max
        self.timeout_s = 2 * settings.total_s + ANSWER_S_MAX + 1
        self._profile = CapProfile(settings.sender, settings.addresses, settings.expires_s, settings.radius_km,
                                   ZoneInfo(settings.timezone))
        self._poster = Poster(self.name, settings, clock)

    async def send(self, telling: Telling) -> Outcome:
        """Post the notice's document, the same bytes at every try; only what is valid leaves the house."""
        event = telling.event
        if event is None:
            return Never("CAP carries incidents and tests only; tell this by another channel")
        if event.step == "cancelled" and not event.earlier:
            return Never("there is no earlier CAP document of this incident that could be cancelled")
        try:
            target = parse_target(telling.address)
        except BadMessage as fault:
            return Never(str(fault))
        document = compose(telling.key, event, self._profile)
        wrong = faults(document)
        if wrong:
            logger.error("notice %s: its CAP document is not valid and not sent: %s", telling.key, "; ".join(wrong))
            return Never(f"its CAP document would not be valid: {'; '.join(wrong)}")
        return await self._poster.post(telling, target, document, "application/cap+xml")

    async def run(self, report: Report) -> None:
        """Keep the connections until cancelled; say when a server's certificate has expired, and is renewed."""
        try:
            self._poster.report_to(report)
            await asyncio.Event().wait()
        finally:
            await self._poster.close()
