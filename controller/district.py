"""What the district knows of its zones: their journals, each verified and folded by the same code as in the gateway.

A zone's journal comes as the file that `cuadra journal export` writes. The district changes nothing in it and decides nothing
from it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from controller.entries import Chain
from controller.errors import BadMessage, BrokenPromise
from controller.records import export, journal
from controller.rules.incident import State
from controller.rules.state import ZoneState


class ZoneSeen(NamedTuple):
    """One zone, as its open chain tells. last_at_ms: the time of its last entry, UTC; 0 when it has none."""

    zone: str
    entries: int
    link: str
    last_at_ms: int
    nobody_going: int
    somebody_going: int
    faults: tuple[str, ...]


def see(paths: Iterable[Path]) -> list[ZoneSeen]:
    """Each file's zone, in the order of zones. Every entry is verified before it is believed.

    Raises BrokenPromise when a chain does not verify; BadMessage for a file that is none, is a sealed chain's, or whose zone
    another file has brought already.
    """
    found: dict[str, ZoneSeen] = {}
    for path in paths:
        seen = _see(path)
        if seen.zone in found:
            raise BadMessage(f"{path}: zone {seen.zone} again; expected one file a zone; give the newest one alone")
        found[seen.zone] = seen
    return [found[zone] for zone in sorted(found)]


def _see(path: Path) -> ZoneSeen:
    zone, chain, rows = export.read(path)
    if chain is not Chain.OPEN:
        raise BadMessage(f"{path}: the sealed chain of zone {zone}; expected its open one, which is all that the district's table may see")
    state, count, last_at_ms, link = ZoneState(), 0, 0, b""
    try:
        for entry in journal.read_chain(zone, chain, rows, journal.genesis(zone, chain)):
            state.apply(chain, entry.at_ms, entry.body)
            count, last_at_ms, link = entry.seq, entry.at_ms, entry.link
    except BrokenPromise as fault:
        raise BrokenPromise(f"{path}: {fault}") from fault
    incidents = [incident for incident in state.incidents.values() if incident.is_open]
    waiting = sum(incident.state is State.OPENED for incident in incidents)
    faults = tuple(sorted(f"{fault.subject} {fault.code}" for fault in state.faults.values()))
    return ZoneSeen(zone, count, link.hex(), last_at_ms, waiting, len(incidents) - waiting, faults)
