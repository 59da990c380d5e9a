"""What is remembered of each incident's course beside its state: who moved it last, who verified it, how soon people answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.entries import (
    Body,
    Chain,
    IncidentJoined,
    IncidentMeasured,
    IncidentMerged,
    IncidentMoved,
    IncidentNoted,
    IncidentOffered,
    IncidentOpened,
    IncidentSplit,
    NoticeMoved,
    PressRecorded,
)
from controller.rules.incident import NOBODY
from controller.rules.remembered import Fold, Room

Press = tuple[str, str, int]
"""(node, boot, seq)"""
VERIFIED: Final = "verified"
HANDED_OVER: Final = "handed-over"
NOT_TAKEN: Final = "not-taken"
"""Of an offer that its receiver has refused, or left without an answer."""


class Mark(NamedTuple):
    """By whom, by which channel, when (UTC)."""

    by: str
    channel: str
    at_ms: int


class Pressed(NamedTuple):
    """What one press was, so that it can be an incident of its own."""

    input: str
    kind: str
    from_at_ms: int
    to_at_ms: int


@dataclass(slots=True)
class Course:
    """One incident's. Times are UTC ms; 0: not yet, since it was last opened. moved: its last step."""

    opened_at_ms: int
    moved: Mark
    verified: Mark | None = None
    heard_at_ms: int = 0
    taken_at_ms: int = 0
    on_scene_at_ms: int = 0
    police_at_ms: int = 0
    merged_into: str = ""
    offers: dict[str, str] = field(default_factory=dict)
    """To whom it is offered -> who would hand it over."""
    pressed: dict[Press, Pressed] = field(default_factory=dict)


class Courses(Room):
    """By incident, for as long as it is remembered."""

    def __init__(self) -> None:
        self.of: dict[str, Course] = {}
        self._newest: dict[Chain, PressRecorded] = {}

    def folds(self) -> Mapping[type[Body], Fold]:
        """All that moves an incident."""
        return {
            PressRecorded: self._press, IncidentOpened: self._opened, IncidentJoined: self._joined, IncidentMoved: self._moved,
            IncidentNoted: self._noted, IncidentOffered: self._offered, IncidentMerged: self._merged, IncidentSplit: self._split,
            NoticeMoved: self._notice, IncidentMeasured: self._measured,
        }

    def forget(self, incident: str) -> None:
        """It is forgotten."""
        self.of.pop(incident, None)

    def _press(self, chain: Chain, _at_ms: int, body: PressRecorded) -> None:
        self._newest[chain] = body

    def _opened(self, _chain: Chain, at_ms: int, body: IncidentOpened) -> None:
        course = self.of[body.incident] = Course(at_ms, Mark("block", "", at_ms))
        if not body.in_need:
            course.pressed[body.node, body.boot, body.seq] = Pressed(body.input, body.kind, body.pressed_from_at_ms, body.pressed_to_at_ms)

    def _joined(self, chain: Chain, _at_ms: int, body: IncidentJoined) -> None:
        course, press = self.of.get(body.incident), self._newest.get(chain)
        if course is not None and press is not None and (press.node, press.boot, press.seq) == (body.node, body.boot, body.seq):
            course.pressed[body.node, body.boot, body.seq] = Pressed(press.input, press.kind, press.pressed_from_at_ms, press.pressed_to_at_ms)

    def _moved(self, _chain: Chain, at_ms: int, body: IncidentMoved) -> None:
        course = self.of.get(body.incident)
        if course is None:
            return
        course.moved = Mark(body.by, body.channel, at_ms)
        course.opened_at_ms = course.opened_at_ms or at_ms
        match body.to:
            case "taken" if body.by not in NOBODY:
                course.taken_at_ms = course.taken_at_ms or at_ms
            case "on-scene":
                course.taken_at_ms, course.on_scene_at_ms = course.taken_at_ms or at_ms, course.on_scene_at_ms or at_ms
            case _:
                pass

    def _measured(self, _chain: Chain, _at_ms: int, body: IncidentMeasured) -> None:
        course = self.of.get(body.incident)
        if course is not None:
            # Should it be opened again, its times count from then.
            course.opened_at_ms = course.heard_at_ms = course.taken_at_ms = course.on_scene_at_ms = course.police_at_ms = 0

    def _noted(self, _chain: Chain, at_ms: int, body: IncidentNoted) -> None:
        course = self.of.get(body.incident)
        if course is None:
            return
        if body.meaning == "accepted":
            course.police_at_ms = course.police_at_ms or at_ms
        elif body.meaning == VERIFIED:
            course.verified = course.verified or Mark(body.by, body.channel, at_ms)
        elif body.meaning == NOT_TAKEN:
            course.offers.pop(body.by, None)
        elif body.meaning in {"cannot", HANDED_OVER}:
            course.offers = {to: giver for to, giver in course.offers.items() if body.by not in {to, giver}}

    def _offered(self, _chain: Chain, _at_ms: int, body: IncidentOffered) -> None:
        course = self.of.get(body.incident)
        if course is not None:
            course.offers[body.to] = body.giver

    def _merged(self, _chain: Chain, _at_ms: int, body: IncidentMerged) -> None:
        gone, into = self.of.get(body.incident), self.of.get(body.into)
        if gone is not None and into is not None:
            gone.merged_into = body.into
            into.pressed.update(gone.pressed)
            gone.pressed = {}

    def _split(self, _chain: Chain, _at_ms: int, body: IncidentSplit) -> None:
        course = self.of.get(body.incident)
        if course is not None:
            course.pressed.pop((body.node, body.boot, body.seq), None)

    def _notice(self, _chain: Chain, at_ms: int, body: NoticeMoved) -> None:
        course = self.of.get(body.notice.rpartition("-")[0])
        if course is not None and body.to == "heard":
            course.heard_at_ms = course.heard_at_ms or at_ms
