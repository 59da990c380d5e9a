"""What is remembered of inputs whose own hardware was at fault, and of those that are verified first."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, IncidentJudged, IncidentMoved, IncidentOpened, VerifyFirstEnded, VerifyFirstSet
from controller.rules.remembered import DAY_MS, Fold, Room

FAULTY: Final = "faulty-hardware"
KEPT_MS: Final = 366 * DAY_MS

Key = tuple[str, str]
"""(node, input)"""


class Suspicions(Room):
    """How often each audible input was faulty, and which are verified first."""

    def __init__(self) -> None:
        self.first: dict[Key, VerifyFirstSet] = {}
        self.faulty: defaultdict[Key, dict[str, int]] = defaultdict(dict)
        """Input -> incidents that were its own fault, and when they were judged so."""
        self._inputs: dict[str, Key] = {}
        """Of every incident that is remembered: by which input it was opened."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """What became of incidents, and what was decided on inputs."""
        return {
            IncidentOpened: self._opened, IncidentMoved: self._moved, IncidentJudged: self._judged, VerifyFirstSet: self._set,
            VerifyFirstEnded: self._ended,
        }

    def forget(self, incident: str) -> None:
        """It is forgotten; that it was faulty hardware is not."""
        self._inputs.pop(incident, None)

    def _opened(self, chain: Chain, _at_ms: int, body: IncidentOpened) -> None:
        if chain is Chain.OPEN and not body.drill:
            self._inputs[body.incident] = body.node, body.input

    def _moved(self, _chain: Chain, at_ms: int, body: IncidentMoved) -> None:
        if body.to == "closed":
            self._outcome(body.incident, body.outcome, at_ms)

    def _judged(self, _chain: Chain, at_ms: int, body: IncidentJudged) -> None:
        self._outcome(body.incident, body.outcome, at_ms)

    def _outcome(self, incident: str, outcome: str, at_ms: int) -> None:
        key = self._inputs.get(incident)
        if key is None:
            return
        kept = {one: at for one, at in self.faulty.pop(key, {}).items() if one != incident and at_ms - at < KEPT_MS}
        if outcome == FAULTY:
            kept[incident] = at_ms
        if kept:
            self.faulty[key] = kept

    def _set(self, _chain: Chain, _at_ms: int, body: VerifyFirstSet) -> None:
        self.first[body.node, body.input] = body

    def _ended(self, _chain: Chain, _at_ms: int, body: VerifyFirstEnded) -> None:
        self.first.pop((body.node, body.input), None)
        self.faulty.pop((body.node, body.input), None)
