"""Entries about what needs mending."""

from msgspec import Struct


class FaultRaised(Struct, frozen=True, omit_defaults=True):
    """Something needs mending. subject: e.g. `node/b12n1`, `modem/sim1`, `gateway/store`. detail: no personal data."""

    fault: str
    subject: str
    code: str
    detail: str = ""


class FaultEnded(Struct, frozen=True):
    """It is mended."""

    fault: str


class OutageSpread(Struct, frozen=True):
    """A power cut has reached these blocks, too. fault: the zone's `outage` that stands."""

    fault: str
    blocks: tuple[str, ...]
