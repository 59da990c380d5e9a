"""Which presses of each life of each node are on record, and when a node last proved that none is missing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from controller.entries import BadMessageKept, Body, Chain, OrderSent, PressRecorded, TallyAgreed, TallyGap
from controller.rules.remembered import Fold, Room

LIVES_MAX: Final = 64
"""Of so many lives of a node with a press it is remembered which presses are on record; a node remembers no more of its own."""
RUNS_MAX: Final = 256
"""Past so many runs of one life the oldest is forgotten: it would be called missing, never the other way round."""
TALLY: Final = "tally"

Run = tuple[int, int]
"""First and last of presses without a gap."""


class Counted(Room):
    """Each chain keeps its own."""

    def __init__(self) -> None:
        self._runs: defaultdict[tuple[Chain, str], dict[str, tuple[Run, ...]]] = defaultdict(dict)
        """(chain, node) -> by boot, the presses on record and those that are known to be lost, as runs."""
        self.asked: dict[str, tuple[str, int]] = {}
        """Node -> its newest tally's order, and when."""
        self.asked_first_at_ms: dict[str, int] = {}
        self.answered: dict[str, tuple[str, int]] = {}
        """Node -> the order of the newest tally whose answer is on record, and when."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Presses, however they were kept; tallies and what came of them."""
        return {PressRecorded: self._press, BadMessageKept: self._bad_message, OrderSent: self._order, TallyAgreed: self._agreed, TallyGap: self._gap}

    def missing(self, node: str, boot: str, last: int, waits: Iterable[Run]) -> tuple[Run, ...]:
        """Which of the presses 1 to `last` are on record in neither chain, and do not wait at the node either."""
        known = joined([*(run for chain in Chain for run in self._runs.get((chain, node), {}).get(boot, ())), *waits])
        gaps: list[Run] = []
        free = 1
        for first, end in known:
            if first > free:
                gaps.append((free, min(first - 1, last)))
            free = max(free, end + 1)
            if free > last:
                break
        if free <= last:
            gaps.append((free, last))
        return tuple(gap for gap in gaps if gap[0] <= gap[1])

    def lives(self, chain: Chain, node: str) -> dict[str, int]:
        """The lives of which presses are on record, with the highest number."""
        return {boot: runs[-1][1] for boot, runs in self._runs.get((chain, node), {}).items()}

    def _press(self, chain: Chain, _at_ms: int, body: PressRecorded) -> None:
        self._add(chain, body.node, body.boot, (body.seq, body.seq))

    def _bad_message(self, chain: Chain, _at_ms: int, body: BadMessageKept) -> None:
        if body.seq:
            self._add(chain, body.node, body.boot, (body.seq, body.seq))

    def _order(self, _chain: Chain, at_ms: int, body: OrderSent) -> None:
        if body.order == TALLY:
            self.asked[body.node] = body.id, at_ms
            self.asked_first_at_ms.setdefault(body.node, at_ms)

    def _agreed(self, chain: Chain, at_ms: int, body: TallyAgreed) -> None:
        self._answered(chain, body.node, at_ms)

    def _gap(self, chain: Chain, at_ms: int, body: TallyGap) -> None:
        self._answered(chain, body.node, at_ms)
        for run in parsed(body.missing):
            self._add(chain, body.node, body.boot, run)

    def _answered(self, chain: Chain, node: str, at_ms: int) -> None:
        if chain is Chain.OPEN and node in self.asked:
            self.answered[node] = self.asked[node][0], at_ms

    def _add(self, chain: Chain, node: str, boot: str, run: Run) -> None:
        lives = self._runs[chain, node]
        runs = lives.get(boot, ())
        if runs and runs[-1][1] == run[0] - 1:
            lives[boot] = (*runs[:-1], (runs[-1][0], run[1]))
            return
        lives[boot] = joined([*runs, run])[-RUNS_MAX:]
        while len(lives) > LIVES_MAX:
            del lives[next(iter(lives))]


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same numbers in as few runs as possible, rising."""
    found: list[Run] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def written(runs: Iterable[Run]) -> str:
    """As an entry bears them: `3 5-7`."""
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def parsed(text: str) -> list[Run]:
    """The runs that `written` wrote."""
    parts = [part.partition("-") for part in text.split()]
    return [(int(first), int(last or first)) for first, _, last in parts]
