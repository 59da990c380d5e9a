"""Which blocks are protected, since when not, and why; and what of that the public may see.

A live list of unguarded blocks is a burglar's: everybody else gets the zone's share alone, of a week that ended a week ago.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from controller.entries import Body, Chain, CoverageChanged
from controller.rules.remembered import DAY_MS, Fold, Room

LATE_MS: Final = 7 * DAY_MS
"""How long the public waits for a figure."""
PERIOD_MS: Final = 7 * DAY_MS
KEPT_MS: Final = LATE_MS + PERIOD_MS + DAY_MS


class Change(NamedTuple):
    """A block is protected from then on, or (why) is not."""

    at_ms: int
    block: str
    why: str


class Now(NamedTuple):
    """How a block stands, and since when. why: empty: it is protected."""

    why: str
    since_ms: int


class Public(NamedTuple):
    """What everybody may know. protected_percent: of the time of all blocks together that were known then."""

    from_ms: int
    to_ms: int
    blocks: int
    protected_percent: int


class Covered(Room):
    """All of it is open: nothing in it depends on a silent press."""

    def __init__(self) -> None:
        self.blocks: dict[str, Now] = {}
        self.changes: deque[Change] = deque()
        """Of the last weeks, and of each block the one before them."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Each change."""
        return {CoverageChanged: self._changed}

    def _changed(self, _chain: Chain, at_ms: int, body: CoverageChanged) -> None:
        self.blocks[body.block] = Now(body.why, at_ms)
        self.changes.append(Change(at_ms, body.block, body.why))
        if self.changes[0].at_ms < at_ms - KEPT_MS - DAY_MS:
            self._thin_out(at_ms - KEPT_MS)

    def _thin_out(self, before_ms: int) -> None:
        last = {change.block: change for change in self.changes if change.at_ms < before_ms}
        # What is older counts as of the beginning of what is kept.
        begun = [Change(before_ms, change.block, change.why) for change in last.values()]
        self.changes = deque([*begun, *(change for change in self.changes if change.at_ms >= before_ms)])


def public_coverage(changes: Iterable[Change], now_ms: int) -> Public | None:
    """The zone's figure for everybody: of the seven days that ended seven days ago; None where there is none yet.

    changes: in the order of their times. What is younger than a week changes nothing, and no block is named.
    """
    to_ms = now_ms - LATE_MS
    from_ms = to_ms - PERIOD_MS
    since: dict[str, tuple[int, str]] = {}
    well_ms = known_ms = 0

    def ended(block: str, at_ms: int) -> None:
        nonlocal well_ms, known_ms
        began_ms, why = since[block]
        length_ms = max(0, at_ms - max(began_ms, from_ms))
        known_ms += length_ms
        well_ms += 0 if why else length_ms

    for change in changes:
        if change.at_ms > to_ms:
            break
        if change.block in since:
            ended(change.block, change.at_ms)
        since[change.block] = change.at_ms, change.why
    for block in since:
        ended(block, to_ms)
    return Public(from_ms, to_ms, len(since), 100 * well_ms // known_ms) if known_ms else None
