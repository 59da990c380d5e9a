"""From a plan under which a promise was broken to the shortest one that still breaks the same promise.

Delta debugging: halves of the events are left out, then quarters, at last each alone; then what lasts is halved. A shorter plan is a
story of its own and may break another promise on its way: only the same one counts.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from simulators.world.plan import HOUR_MS, Hand, Plan
from simulators.world.run import Outcome

RUNS_MAX: Final = 400
SHORTEST_MS: Final = 2000

Try = Callable[[Plan], Outcome]
"""Runs a plan."""


def shrink(outcome: Outcome, run: Try, tried: Callable[[int, int], None] = lambda _runs, _left: None) -> Outcome:
    """The shortest story found. tried: told after each run how many there were, and how many events are left.

    Raises ValueError when no promise was broken.
    """
    if outcome.broken is None:
        raise ValueError("no promise was broken")
    return _Shrinking(outcome, outcome.broken.promise, run, tried).shortest()


class _Shrinking:
    def __init__(self, outcome: Outcome, promise: str, run: Try, tried: Callable[[int, int], None]) -> None:
        self._promise = promise
        self._best = outcome
        self._run, self._tried = run, tried
        self._runs = 0

    def shortest(self) -> Outcome:
        """Look for it, at most so many runs long."""
        self._one_zone()
        self._end_early()
        self._fewer_events()
        self._shorter_spells()
        self._fewer_events()
        self._end_early()
        return self._best

    def _accept(self, plan: Plan) -> bool:
        if self._runs >= RUNS_MAX:
            return False
        self._runs += 1
        found = self._run(plan)
        self._tried(self._runs, len(self._best.plan.events))
        if found.broken is None or found.broken.promise != self._promise:
            return False
        self._best = found
        return True

    def _one_zone(self) -> None:
        plan, zone = self._best.plan, self._best.zone
        if len(plan.zones) > 1:
            self._accept(replace(plan, zones=(zone,), events=tuple(event for event in plan.events if event.zone == zone)))

    def _end_early(self) -> None:
        """What comes after the break is no part of it; a break that only the end shows needs less rest, perhaps."""
        plan, broken = self._best.plan, self._best.broken
        if broken is None:
            return
        if broken.at_ms < plan.ends_ms:
            self._accept(replace(plan, hours=(broken.at_ms + 1000) / HOUR_MS, events=tuple(e for e in plan.events if e.at_ms <= broken.at_ms)))
        plan = self._best.plan
        last_ms = max((event.at_ms + event.for_ms for event in plan.events), default=0)
        if last_ms < plan.ends_ms:
            self._accept(replace(plan, hours=(last_ms + 1000) / HOUR_MS))
        plan, rest_ms = self._best.plan, broken.at_ms - self._best.plan.ends_ms + 1000
        if rest_ms < plan.rest_ms:
            self._accept(replace(plan, rest_ms=max(1000, rest_ms)))

    def _fewer_events(self) -> None:
        size = max(1, len(self._best.plan.events) // 2)
        while True:
            events = self._best.plan.events
            start = 0
            while start < len(events) and self._runs < RUNS_MAX:
                if self._accept(replace(self._best.plan, events=events[:start] + events[start + size:])):
                    events = self._best.plan.events
                else:
                    start += size
            if size == 1:
                return
            size //= 2

    def _shorter_spells(self) -> None:
        for place in range(len(self._best.plan.events)):
            event = self._best.plan.events[place]
            while not isinstance(event, Hand) and event.for_ms > SHORTEST_MS:
                event = replace(event, for_ms=event.for_ms // 2)
                events = self._best.plan.events
                if not self._accept(replace(self._best.plan, events=(*events[:place], event, *events[place + 1:]))):
                    break
