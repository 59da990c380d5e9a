"""What is due beside the incidents' steps: any part of the rules sets a timer by a name of its own, about a subject of its own.

A timer is an entry with its due time, so that a restart goes on with it. What rings is ended on record unless it was set anew.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from controller.entries import Body, Chain, TimerSet
from controller.rules.remembered import Fold, Room

Key = tuple[str, str]
"""(timer, subject)"""


class Timer(NamedTuple):
    """One that runs. chain: where it is on record. in_s: how long it was set for, which it never outlasts."""

    chain: Chain
    due_at_ms: int
    in_s: int


class Timers(Room):
    """All that run."""

    def __init__(self) -> None:
        self.running: dict[Key, Timer] = {}
        self._heap: list[tuple[int, Key]] = []
        """One that no longer stands is passed over."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timers) and other.running == self.running

    __hash__: Final = None  # type: ignore[misc]  # it changes

    def folds(self) -> Mapping[type[Body], Fold]:
        """Each timer as it is set, and ended."""
        return {TimerSet: self._set}

    def first(self) -> tuple[Key, Timer] | None:
        """The one that rings first; None when none runs."""
        while self._heap:
            at_ms, key = self._heap[0]
            timer = self.running.get(key)
            if timer is not None and timer.due_at_ms == at_ms:
                return key, timer
            heapq.heappop(self._heap)
        return None

    def _set(self, chain: Chain, _at_ms: int, body: TimerSet) -> None:
        key = body.timer, body.subject
        if not body.due_at_ms:
            self.running.pop(key, None)
        else:
            self.running[key] = Timer(chain, body.due_at_ms, body.in_s)
            heapq.heappush(self._heap, (body.due_at_ms, key))


Record = Callable[[Chain, Body], None]


def ring(timers: Timers, record: Record, act: Callable[[str], None] | None, at_ms: int) -> None:
    """The first one has rung: do what it is for (nothing, when no part knows it any more), and end it unless that set it anew."""
    first = timers.first()
    if first is None:
        return
    (name, subject), timer = first
    if act is not None:
        act(subject)
    now = timers.running.get((name, subject))
    if now is not None and now.due_at_ms <= at_ms:
        record(timer.chain, TimerSet(name, subject))


def shorten(timers: Timers, record: Record, at_ms: int) -> None:
    """A clock that shows less than before must not hold up what was due soon."""
    for (name, subject), timer in list(timers.running.items()):
        if timer.due_at_ms - at_ms > timer.in_s * 1000:
            record(timer.chain, TimerSet(name, subject, at_ms + timer.in_s * 1000, timer.in_s))
