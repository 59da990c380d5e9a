"""What is remembered of the exercises: those that are planned, that wait for a confirmation, and that are going on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller.entries import Body, Chain, DrillBegan, DrillConfirmed, DrillEnded, DrillPlanned
from controller.rules.remembered import Fold, Room

KEPT_MAX: Final = 200
"""Exercises that are planned at once; who asked for one more than that and never confirmed it is forgotten."""


@dataclass(slots=True)
class Exercise:
    """One of them. asked_at_ms: when it was ordered."""

    body: DrillPlanned
    asked_at_ms: int
    confirmed: bool
    going_on: bool = False
    held: int = 0
    """How often it began."""


class Drills(Room):
    """All of it is open."""

    def __init__(self) -> None:
        self.planned: dict[str, Exercise] = {}
        self.ordered = 0
        """How many ever were: the next one's number."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """An exercise's life."""
        return {DrillPlanned: self._planned, DrillConfirmed: self._confirmed, DrillBegan: self._began, DrillEnded: self._ended}

    def _planned(self, _chain: Chain, at_ms: int, body: DrillPlanned) -> None:
        self.ordered += 1
        self.planned[body.drill] = Exercise(body, at_ms, confirmed=not body.code)
        for ident in [ident for ident, one in self.planned.items() if not one.confirmed][:max(0, len(self.planned) - KEPT_MAX)]:
            del self.planned[ident]

    def _confirmed(self, _chain: Chain, _at_ms: int, body: DrillConfirmed) -> None:
        if body.drill in self.planned:
            self.planned[body.drill].confirmed = True

    def _began(self, _chain: Chain, _at_ms: int, body: DrillBegan) -> None:
        one = self.planned.get(body.drill)
        if one is not None:
            one.going_on = True
            one.held += 1

    def _ended(self, _chain: Chain, _at_ms: int, body: DrillEnded) -> None:
        if not body.next_at_ms:
            self.planned.pop(body.drill, None)
        elif body.drill in self.planned:
            self.planned[body.drill].going_on = False
