"""Clocks that jump: nobody's help waits for one, and none ends an emergency."""

import pytest

from controller.entries import IncidentMoved, PressRecorded
from controller.instants import Now
from controller.messages import Gesture
from controller.registry import Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, Started, Tried, Woken
from controller.rules.policy import Policy
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import DISTRICTS_POLICY, MEMBERS, Night, member, of, registry

HOUR_MS = 3_600_000


class Jumping(Night):
    """A night in which the wall clock can be set."""

    wall_ms = 0

    @property
    def now(self) -> Now:
        steady = super().now
        return Now(steady.monotonic_ms, steady.utc_ms + self.wall_ms)

    def restarts(self, wall_ms: int) -> list[QueueNotice]:
        """The gateway starts again, and its clock shows so much more or less than before."""
        self.wall_ms += wall_ms
        state = ZoneState()
        for chain, at_ms, body in self.entries:
            state.apply(chain, at_ms, body)
        self.queued.clear()
        self.zone = ZoneController("z3", self.registry, self.policy, state)
        self.does(Started("1.0"))
        return list(self.queued.values())

    def due_in_s(self) -> float:
        wake_at_ms = self.zone.wake_at_ms()
        assert wake_at_ms is not None
        return max(0.0, (wake_at_ms - self.now.monotonic_ms) / 1000)

    def next_step_in_s(self) -> float:
        due = self.zone.state.next_due_ms()
        assert due is not None
        return (due - self.now.utc_ms) / 1000


@pytest.mark.parametrize("back_ms", [HOUR_MS, 365 * 24 * HOUR_MS])
@pytest.mark.parametrize(("replies", "at_most_s"), [
    ([], 120), (["1"], 900), (["2"], 600),
])
def test_a_clock_set_back_over_a_restart_delays_no_step(back_ms: int, replies: list[str], at_most_s: int) -> None:
    night = Jumping()
    night.births("b12n1")
    night.press("panic")
    night.sends()
    for word in replies:
        night.replies("rosa", word)
    night.sends()
    night.restarts(-back_ms)
    assert 0 < night.next_step_in_s() <= at_most_s
    assert night.due_in_s() <= at_most_s
    waits_s = night.next_step_in_s()
    night.restarts(0)
    assert night.next_step_in_s() == waits_s, "a gateway that starts again and again comes to its steps all the same"


def test_a_clock_set_back_over_a_restart_delays_no_retry() -> None:
    night = Jumping()
    night.births("b12n1")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy")
    night.press("panic")
    night.sends()
    waiting = night.restarts(-HOUR_MS)
    assert {one.notice.member for one in waiting} >= {"rosa", "juan", "elva", "desk"}
    assert all(one.due_at_ms <= night.now.utc_ms + 300_000 for one in waiting)


@pytest.mark.parametrize("jump_ms", [7 * HOUR_MS, -7 * HOUR_MS])
def test_whoever_is_there_is_not_given_up_for_a_clock_that_jumped(jump_ms: int) -> None:
    night = Jumping()
    night.births("b12n1")
    night.press("panic")
    night.sends()
    night.replies("rosa", "2")
    night.wall_ms = jump_ms
    for minute in range(400):
        # Asked every ten minutes for six hours, without a word.
        assert (night.bodies(IncidentMoved)[-1].to == "closed") == (minute >= 360), minute
        night.passed_ms += 60_000
        night.does(Woken())
        night.sends()
    assert night.bodies(IncidentMoved)[-1].outcome == "unknown"


def test_a_word_from_whoever_is_there_begins_the_six_hours_anew() -> None:
    night = Night()
    night.births("b12n1")
    night.press("panic")
    night.sends()
    night.replies("rosa", "2")
    for _ in range(4):
        night.passes(5 * HOUR_MS / 1000)
        night.replies("rosa", "2")
    assert night.bodies(IncidentMoved)[-1].to == "on-scene"
    night.passes(6 * HOUR_MS / 1000 + 601)
    assert night.bodies(IncidentMoved)[-1].outcome == "unknown"


@pytest.mark.parametrize("then_s", [60, 3 * 3600])
def test_after_the_clock_was_set_back_a_fresh_press_is_fresh_whatever_life_of_the_node_makes_it(then_s: int) -> None:
    night = Jumping()
    night.births("b12n1", "1")
    night.passes(s=600)
    night.wall_ms -= 7_200_000
    night.births("b12n1", "2")
    night.passes(s=then_s)
    night.press("panic", life="2")
    [press] = night.bodies(PressRecorded)
    assert (press.late, press.age_refused, press.pressed_to_at_ms) == (0, "", night.now.utc_ms)


def with_ways(name: str, role: Role, *channels: str) -> Jumping:
    people = [*(one for one in MEMBERS if one.id != name), member(name, role, channels=channels)]
    night = Jumping(registry(members=people), Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    return night


def test_a_clock_set_back_keeps_no_line_of_the_police_waiting() -> None:
    night = with_ways("desk", Role.POLICE_DESK, "dc09", "cap", "sms")
    night.press("panic")
    night.passes(5)
    night.wall_ms = -5 * HOUR_MS
    night.passes(300)
    assert [one.channel for one in night.notices() if one.reason == "POLICE"] == ["dc09", "cap", "sms"]
    assert any(one.reason == "POLICE_NOT_REACHED" for one in night.notices())


def test_a_clock_set_back_keeps_no_unreported_text_from_its_other_way() -> None:
    night = with_ways("rosa", Role.PATROL, "sms", "apprise")
    night.press("panic")
    night.passes(5)
    night.wall_ms = -5 * HOUR_MS
    night.passes(91)
    assert [one.channel for one in night.notices() if one.member == "rosa" and "instead" in one.about] == ["apprise"]


def test_a_clock_set_back_makes_no_later_emergency_a_part_of_the_first() -> None:
    night = Jumping()
    night.births("b12n1")
    night.press("panic")
    night.passes(5)
    night.replies("rosa", "2")
    night.wall_ms = -5 * HOUR_MS
    night.passes(2 * 3600)
    night.all_read()
    night.press("panic")
    night.passes(1)
    assert len(night.codes) == 2
    assert night.reads("juan") == ["alarm"]


def test_a_clock_set_back_leaves_no_window_open_in_which_it_is_taken_back() -> None:
    night = Jumping()
    night.births("b12n1")
    press = night.press("panic")
    night.passes(5)
    night.wall_ms = -5 * HOUR_MS
    night.passes(3600)
    night.all_read()
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.passes(1)
    assert "says_mistake" in night.reads("rosa")
    assert not next(iter(night.zone.state.incidents.values())).cancelled


def test_a_ring_that_is_called_until_somebody_is_there_is_not_late_by_a_clock_that_was_set_back() -> None:
    step = "[[kinds.panic.steps]]\nafter_s = 120\n"
    assert step in DISTRICTS_POLICY
    night = Jumping(policy=Policy.parse(DISTRICTS_POLICY.replace(step, step + 'until = "on-scene"\n')))
    night.births("b12n1")
    night.press("panic")
    night.passes(5)
    night.wall_ms = -5 * HOUR_MS
    night.replies("rosa", "1")
    night.passes(121)
    assert "alarm" in night.reads("caro")


@pytest.mark.parametrize("word", ["9", "4"])
def test_danger_is_not_asked_back_because_the_gateways_clock_is_ahead(word: str) -> None:
    night = Jumping()
    night.births("b12n1")
    night.press("panic")
    night.passes(5)
    night.replies("rosa", "2")
    night.passes(30)
    night.all_read()
    night.replies("rosa", word, ago_s=3 * 3600)
    night.passes(1)
    assert ("help" if word == "9" else "armed") in night.reads("juan")
    night.replies("rosa", "5", ago_s=3 * 3600)
    night.passes(1)
    assert "which_late" in night.reads("rosa"), "what ends something is"
