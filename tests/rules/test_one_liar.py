"""One member who answers everything, in any order, keeps neither the others on duty nor the police from being told."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.entries import IncidentMoved, NoticeMoved, NoticeQueued
from controller.registry import Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import MemberCalled, NoticeTried, Tried
from controller.rules.policy import Policy
from tests.rules.night import DISTRICTS_POLICY, MEMBERS, Night, member, registry

HEARD, GOING = "calls the number of the texts", "calls the second number"
LIES = ("1", "3", "5", "0", "qué", HEARD, GOING)
"""All that one can say from afar. Who says that they are there may end it, and then everybody is told."""
DANGER = ("4", "9")
UNTIL_WIDER_S = 900 + 180 + 60
"""By when a taking that nobody follows has expired."""


class Slow(Night):
    """A night whose channels carry one notice each so many seconds, the most urgent first."""

    def __init__(self, pace_s: float) -> None:
        self.pace_ms = int(pace_s * 1000)
        self.free_at_ms = 0
        self.lane: dict[str, QueueNotice] = {}
        desk = member("desk", Role.POLICE_DESK, channels=("dc09", "cap", "sms"))
        super().__init__(registry(members=[*(one for one in MEMBERS if one.id != "desk"), desk]), Policy.parse(DISTRICTS_POLICY))

    def sends(self) -> None:
        """Send what waits as fast as the channel can."""
        if not self.pace_ms:
            super().sends()
            return
        for ident in [ident for ident, one in self.queued.items() if one.due_at_ms <= self.now.utc_ms]:
            self.lane[ident] = self.queued.pop(ident)
        stopped = {body.notice for body in self.bodies(NoticeMoved) if body.to == "stopped"}
        self.lane = {ident: one for ident, one in self.lane.items() if ident not in stopped}
        if self.lane and self.passed_ms >= self.free_at_ms:
            self.free_at_ms = self.passed_ms + self.pace_ms
            first = min(self.lane.values(), key=lambda one: one.notice.priority)
            del self.lane[first.notice.id]
            self.unread.setdefault(first.notice.member, []).append(first)
            self.does(NoticeTried(first.notice.id, first.attempt, Tried.SENT, ref="1"))

    def passes(self, s: float) -> None:
        """Second by second, since the channel is."""
        if not self.pace_ms:
            super().passes(s)
            return
        for _ in range(int(s)):
            super().passes(1)


def lies(night: Night, liar: str, said: Iterable[tuple[str, int]]) -> None:
    for word, wait_s in said:
        if word in {HEARD, GOING}:
            night.does(MemberCalled(liar, going=word == GOING))
        else:
            night.replies(liar, f"{word} {night.codes[0]}" if word in DANGER else word)
        night.passes(wait_s)


def told(night: Night, *reasons: str) -> set[str]:
    return {notice.member for notice in gone_out(night) if notice.reason in reasons}


def gone_out(night: Night) -> list[NoticeQueued]:
    """Every notice that a channel has taken."""
    taken = {body.notice for body in night.bodies(NoticeMoved) if body.to == "notified"}
    return [notice for notice in night.notices() if notice.id in taken]


def everybody_else_is_told(night: Night, liar: str) -> None:
    assert not [body for body in night.bodies(IncidentMoved) if body.to == "closed"], "one person's word ends nothing"
    assert told(night, "FIRST") >= {"rosa", "juan", "elva"} - {liar}, "the others on duty"
    assert told(night, "POLICE") == {"desk"}
    lines = {notice.channel for notice in gone_out(night) if notice.reason == "POLICE"}
    assert lines == {"dc09", "cap", "sms"}, "one line after the other, until somebody there accepts"
    assert told(night, "POLICE_NOT_REACHED"), "and people hear that nobody there did"
    assert "caro" in told(night, "ESCALATED", "REPEAT_DUE", "FIRST"), "a wider ring, at the latest when nobody has come"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    said=st.lists(st.tuples(st.sampled_from(LIES), st.sampled_from([0, 0, 1, 10, 70, 130, 400, 1000])), max_size=12),
    liar=st.sampled_from(["rosa", "juan", "elva"]), before_s=st.sampled_from([0, 0, 1, 5, 40]), pace_s=st.sampled_from([0, 0, 2, 10]),
    again=st.sampled_from(["", "1", GOING, "0"]),
)
def test_in_no_order_of_answers(said: list[tuple[str, int]], liar: str, before_s: int, pace_s: int, again: str) -> None:
    night = Slow(pace_s)
    night.births("b12n1")
    night.press("panic")
    night.passes(before_s)
    lies(night, liar, said)
    # To the end, whenever they hear anything: the same again.
    for _ in range(UNTIL_WIDER_S // 30):
        if again and night.unread.get(liar):
            night.unread.pop(liar)
            lies(night, liar, [(again, 0)])
        night.passes(30)
    everybody_else_is_told(night, liar)


@pytest.mark.parametrize("said", list(itertools.permutations(LIES, 3)))
@pytest.mark.parametrize("before_anything_is_sent", [True, False])
def test_not_in_any_order_of_three(said: tuple[str, ...], before_anything_is_sent: bool) -> None:
    night = Slow(0)
    night.births("b12n1")
    night.press("panic")
    if not before_anything_is_sent:
        night.passes(1)
    lies(night, "juan", [(word, 0) for word in said])
    night.passes(UNTIL_WIDER_S)
    everybody_else_is_told(night, "juan")


@pytest.mark.parametrize("said", list(itertools.permutations([*DANGER, "1", "3"], 3)))
def test_cries_of_danger_silence_nobody_either(said: tuple[str, ...]) -> None:
    night = Slow(0)
    night.births("b12n1")
    night.press("panic")
    lies(night, "juan", [(word, 0) for word in said])
    night.passes(UNTIL_WIDER_S)
    everybody_else_is_told(night, "juan")


def test_taking_it_again_and_again_keeps_no_wider_ring_away() -> None:
    night = Slow(0)
    night.births("b12n1")
    night.press("panic")
    lies(night, "juan", [("1", 1)] + [("0", 0), ("1", 0)] * 5)
    night.passes(310)
    assert {"caro"} <= told(night, "ESCALATED", "REPEAT_DUE")
    everybody_else_is_told(night, "juan")
