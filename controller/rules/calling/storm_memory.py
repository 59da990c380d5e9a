"""What is remembered of a storm, when many blocks call within a minute: who was called to where, and what waits for a summary."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, IncidentOpened, NoticeMoved, NoticesQueued, StormCame, StormWent
from controller.rules.remembered import FINAL, Fold, Room

MINUTE_MS: Final = 60_000
SUMMARIES_KEPT: Final = 500
CALLS: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE", "ZONE"})
"""Reasons that a summary can stand for."""


class Storm(Room):
    """Of the open chain alone: nothing silent makes a storm, and no storm holds up anything silent."""

    def __init__(self) -> None:
        self.on = False
        self.called: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """Member -> blocks to which they were called, and when: of this storm, or of the last minute."""
        self.held: dict[str, str] = {}
        """Notice that waits for a summary -> its member, the oldest first."""
        self.summaries: dict[str, tuple[str, ...]] = {}
        """Summary of which the network may still report whether it arrived -> the notices of its calls; the oldest first."""
        self._opened: deque[tuple[int, str]] = deque()
        """When incidents were opened, and where: of the minute before the last one."""
        self._blocks: dict[str, str] = {}
        """Of every incident that is remembered: its block."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """What is opened, and who is called to it."""
        return {
            IncidentOpened: self._incident_opened, NoticesQueued: self._queued, NoticeMoved: self._moved, StormCame: self._came,
            StormWent: self._went,
        }

    def forget(self, incident: str) -> None:
        """It is forgotten."""
        self._blocks.pop(incident, None)

    def blocks_lately(self, now_ms: int) -> int:
        """How many blocks called in the last minute."""
        return len({block for at_ms, block in self._opened if abs(now_ms - at_ms) < MINUTE_MS})

    def _incident_opened(self, chain: Chain, at_ms: int, body: IncidentOpened) -> None:
        if chain is Chain.OPEN:
            self._blocks[body.incident] = body.block
            self._opened.append((at_ms, body.block))
            while abs(at_ms - self._opened[0][0]) >= MINUTE_MS:
                self._opened.popleft()

    def _queued(self, chain: Chain, at_ms: int, body: NoticesQueued) -> None:
        block = self._blocks.get(body.incident)
        for queued in body.notices if chain is Chain.OPEN else ():
            for ident in queued.about.get("notices", "").split():
                self.held.pop(ident, None)
            if queued.reason == "SUMMARY":
                self.summaries[queued.id] = tuple(queued.about["notices"].split())
                while len(self.summaries) > SUMMARIES_KEPT:
                    del self.summaries[next(iter(self.summaries))]
            if queued.held:
                self.held[queued.id] = queued.member
            if block is not None and queued.reason in CALLS:
                called = self.called[queued.member]
                for one in [] if self.on else [one for one, at in called.items() if abs(at_ms - at) >= MINUTE_MS]:
                    del called[one]
                called[block] = at_ms

    def _moved(self, _chain: Chain, _at_ms: int, body: NoticeMoved) -> None:
        if body.to in FINAL:
            self.held.pop(body.notice, None)
        if body.to in {"failed", "delivered"}:
            self.summaries.pop(body.notice, None)

    def _came(self, _chain: Chain, _at_ms: int, _body: StormCame) -> None:
        self.on = True

    def _went(self, _chain: Chain, _at_ms: int, _body: StormWent) -> None:
        self.on = False
        self.called.clear()
