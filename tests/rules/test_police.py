"""The police's line: offered until it takes it, in order, and never a word to it that is not so."""

import pytest

from controller.entries import Chain, NoticeMoved
from controller.errors import BadConfig
from controller.messages import Gesture
from controller.registry import Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, Started, Tried
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, POLICY, Night, member, of, registry


def night_with(*channels: str) -> Night:
    """A night in which the police desk has these lines."""
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "desk"), member("desk", Role.POLICE_DESK, channels=channels)]))
    night.births("b12n1")
    return night


def dead(night: Night, until_s: float, *channels: str) -> None:
    """These lines fail for good until then."""
    def failing(one: QueueNotice) -> NoticeTried | None:
        if one.notice.channel in channels and night.passed_ms < until_s * 1000:
            return NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no answer; 6 tries")
        return None

    night.failing = failing


@pytest.mark.parametrize("kind", ["panic", "violence"])
@pytest.mark.parametrize("outage_s", [10, 3600])
@pytest.mark.parametrize("channels", [("dc09",), ("dc09", "cap")])
def test_a_line_that_fails_for_good_is_offered_the_press_again_until_it_takes_it(kind: str, outage_s: int, channels: tuple[str, ...]) -> None:
    night = night_with(*channels)
    dead(night, outage_s, *channels)
    night.press(kind)
    night.passes(outage_s + 301)
    assert night.reads("desk") == ["police"], "once, and within five minutes of the line's return"
    offered = len([notice for notice in night.notices() if notice.member == "desk"])
    assert offered <= len(channels) * (outage_s / 300 + 5), "with back-off"
    night.passes(900)
    assert night.reads("desk") == []
    if kind == "violence":
        assert not [body for body in night.bodies(NoticeMoved, Chain.OPEN) if body.to == "failed"]


def test_two_lines_of_two_desks_are_one_police_and_one_that_is_reached_is_enough() -> None:
    night = Night(registry(members=[*MEMBERS, member("other", Role.POLICE_DESK, channels=("cap",))]))
    night.births("b12n1")
    dead(night, 1e9, "cap")
    night.press("panic")
    night.passes(3600)
    assert night.reads("desk") == ["police"]
    assert len([notice for notice in night.notices() if notice.member == "other"]) == 1


def test_the_next_offer_outlives_the_gateway() -> None:
    night = night_with("dc09")
    dead(night, 60, "dc09")
    night.press("panic")
    night.passes(10)
    night.queued.clear()
    night.zone = ZoneController("z3", night.registry, night.policy, night.zone.state)
    night.does(Started("1.0"))
    night.passes(300)
    assert night.reads("desk") == ["police"]


def test_when_it_is_over_the_police_are_offered_nothing_more() -> None:
    night = night_with("dc09")
    dead(night, 600, "dc09")
    night.press("panic")
    night.passes(60)
    night.replies("rosa", "2")
    night.replies("rosa", "3")
    night.passes(1200)
    assert night.reads("desk") == []


@pytest.mark.parametrize("dead_s", [45, 3600])
def test_a_line_that_failed_while_it_was_over_is_offered_the_press_when_the_block_reopens_it(dead_s: float) -> None:
    night = night_with("dc09")
    dead(night, 1e9, "dc09")
    press = night.press("panic")
    night.passes(5)
    night.replies("rosa", "2")
    night.replies("rosa", "3")
    night.passes(40)
    dead(night, dead_s, "dc09")
    night.press("panic", gesture=Gesture.REOPEN, refers_to=of(press))
    night.passes(dead_s + 301)
    assert night.reads("desk") == ["police"]


def test_a_line_that_has_it_is_told_that_it_is_reopened() -> None:
    night = night_with("dc09")
    press = night.press("panic")
    night.passes(5)
    night.replies("rosa", "2")
    night.replies("rosa", "3")
    night.passes(5)
    night.press("panic", gesture=Gesture.REOPEN, refers_to=of(press))
    night.passes(60)
    assert night.reads("desk") == ["police", "closed", "reopened"]


BOTH = POLICY.replace('roles = ["police-desk"]\nchannels = ["dc09"', 'roles = ["police-desk", "serenazgo"]\nchannels = ["dc09"')


@pytest.mark.parametrize(("kind", "told"), [("panic", ["police"]), ("extortion", []), ("violence", [])])
def test_of_the_police_only_those_of_its_circle_hear_of_a_silent_press(kind: str, told: list[str]) -> None:
    night = Night(registry(members=[*MEMBERS, member("sere", Role.SERENAZGO)]), Policy.parse(BOTH))
    night.births("b12n1")
    night.press(kind)
    night.passes(1)
    assert night.reads("sere") == told
    assert night.reads("desk") == ["police"]


def test_a_silent_kind_none_of_whose_circle_are_the_police_cannot_have_them_told() -> None:
    with pytest.raises(BadConfig) as caught:
        Policy.parse(POLICY.replace('roles = ["police-desk"]\nchannels = ["dc09"', 'roles = ["serenazgo"]\nchannels = ["dc09"'))
    assert ["[kinds.violence] police" in fault or "[kinds.extortion] police" in fault for fault in caught.value.faults] == [True, True]
