"""Whoever mends: told by a way that works, each time it breaks, until it is mended, and then no more."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.entries import Chain, FaultEnded, FaultRaised
from controller.messages import Gesture, NodeFault, Press
from controller.registry import Role
from controller.rules.inputs import NoticeTried, PartFailed, PartRecovered, PressSetAside, Started, Tried
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, Night, boot_of, member, registry

UNPLUGGED = ("modem/sim1", "unplugged")


def night_of_a_technician_with(*channels: str) -> Night:
    return Night(registry(members=[*(one for one in MEMBERS if one.id != "tito"), member("tito", Role.TECHNICIAN, channels=channels)]))


def test_that_the_only_modem_is_unplugged_goes_another_way() -> None:
    night = night_of_a_technician_with("sms", "call", "apprise", "webhook")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no modem") if one.notice.channel != "webhook" else None
    night.does(PartFailed(*UNPLUGGED))
    night.passes(60)
    assert [(one.notice.channel, one.notice.template, one.notice.reason) for one in night.unread.pop("tito")] == [("webhook", "fault", "FAULT")]
    night.does(PartRecovered(*UNPLUGGED))
    night.passes(601)
    assert [(one.notice.channel, one.notice.template) for one in night.unread.pop("tito")] == [("webhook", "fault_ended")]


def test_while_no_modem_works_it_goes_the_other_way_at_once() -> None:
    night = night_of_a_technician_with("sms", "apprise")
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="unplugged", stuck=True) if one.notice.channel == "sms" else None)
    night.does(PartFailed(*UNPLUGGED))
    night.sends()
    assert [one.notice.channel for one in night.unread.pop("tito")] == ["apprise"]
    night.failing = lambda _: None
    night.passes(3600)
    assert night.reads("tito") == []
    assert night.reads("caro") == ["fault"], "who has no other way is told when it works again"


@pytest.mark.parametrize("another_way", [True, False])
def test_that_it_was_mended_is_taken_back_also_when_it_was_to_go_another_way(another_way: bool) -> None:
    night = night_of_a_technician_with("sms", "apprise")
    night.does(PartFailed("receiver/r1", "no-answer"))
    night.expects(tito="fault", caro="fault")
    night.does(PartRecovered("receiver/r1", "no-answer"))
    night.failing = lambda one: None if one.notice.member != "tito" else (
        NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="x") if another_way and one.notice.channel == "sms"
        else NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="x", retry_in_ms=30_000))
    night.passes(605)
    night.does(PartFailed("receiver/r1", "no-answer"))
    night.passes(1)
    night.failing = lambda _: None
    night.passes(3600)
    assert "fault_ended" not in night.reads("tito")
    night.does(PartRecovered("receiver/r1", "no-answer"))
    night.passes(601)
    assert night.reads("tito") == ["fault_ended"]


def test_when_no_way_is_left_it_rests_until_the_reminder() -> None:
    night = night_of_a_technician_with("sms", "apprise")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no network")
    night.does(PartFailed(*UNPLUGGED))
    night.passes(3600)
    assert [notice.channel for notice in night.notices() if notice.member == "tito"] == ["sms", "apprise"]
    night.failing = lambda _: None
    night.passes(86_400)
    assert night.reads("tito") == ["fault_reminder"]


def restart(night: Night) -> None:
    """The gateway is killed and starts from its journal."""
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    night.queued.clear()
    night.zone = ZoneController("z3", night.registry, night.policy, state)
    night.does(Started("1.0"))


@pytest.mark.parametrize("again", [True, False])
def test_that_it_is_mended_is_told_when_it_stays_so(again: bool) -> None:
    night = Night()
    night.does(PartFailed("receiver/10.0.0.5:9000", "refused"))
    night.expects(tito="fault")
    for _ in range(2):
        night.passes(300)
        night.does(PartRecovered("receiver/10.0.0.5:9000", "refused"))
        night.passes(300)
        night.does(PartFailed("receiver/10.0.0.5:9000", "refused"))
    night.expects()
    if again:
        night.passes(86_400)
        night.expects(tito="fault_reminder")
    else:
        night.does(PartRecovered("receiver/10.0.0.5:9000", "refused"))
        night.passes(601)
        night.expects(tito="fault_ended")


def test_a_restart_with_the_modem_still_unplugged_says_nothing_of_mended() -> None:
    night = Night()
    night.does(PartFailed(*UNPLUGGED))
    night.passes(300)
    restart(night)
    night.does(PartFailed(*UNPLUGGED))
    night.passes(3600)
    night.expects(tito="fault", caro="fault")
    restart(night)
    night.passes(601)
    night.expects(tito="fault_ended", caro="fault_ended")


@pytest.mark.parametrize(("passed_s", "attempt"), [(60, 1), (600, 2)])
def test_what_was_not_due_yet_when_the_gateway_was_killed_is_no_repetition(passed_s: int, attempt: int) -> None:
    night = Night()
    night.does(PartFailed(*UNPLUGGED))
    night.all_read()
    night.does(PartRecovered(*UNPLUGGED))
    night.passed_ms += passed_s * 1000
    restart(night)
    assert [(one.notice.template, one.attempt) for one in night.queued.values()] == [("fault_ended", attempt)] * 2


def test_who_was_not_told_yet_when_it_was_mended_is_told_when_it_comes_back() -> None:
    night = Night()
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy") if one.notice.member == "caro" else None
    night.does(PartFailed(*UNPLUGGED))
    night.passes(10)
    night.does(PartRecovered(*UNPLUGGED))
    night.failing = lambda _: None
    night.passes(10)
    night.does(PartFailed(*UNPLUGGED))
    night.passes(10)
    night.expects(tito="fault", caro="fault")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(["fails", "recovers", "restart", 30, 500, 700, 5000]), max_size=30))
def test_the_last_word_on_a_fault_is_true(story: list[str | int]) -> None:
    night = Night()
    for happening in story:
        match happening:
            case "fails":
                night.does(PartFailed(*UNPLUGGED))
            case "recovers":
                night.does(PartRecovered(*UNPLUGGED))
            case "restart":
                restart(night)
            case int():
                night.passes(happening)
        night.sends()
        words = [one.notice.template for one in night.unread.get("tito", [])]
        if {UNPLUGGED, (UNPLUGGED[0], f"flapping:{UNPLUGGED[1]}")} & night.zone.state.fault_of.keys():
            assert words[-1] in {"fault", "fault_reminder"}
        elif happening in {700, 5000} and words:
            assert words[-1] == "fault_ended"
        said = [(one.notice.template, one.notice.about["fault"]) for one in night.unread.get("tito", [])]
        assert all(one != other for one, other in itertools.pairwise(said) if one[0] != "fault_reminder"), "nothing is said twice"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_silent_button_that_is_stuck_a_second_time_is_a_second_fault(restarted: bool) -> None:
    night = Night()
    night.births("b12n1")
    opened = [entry for entry in night.entries if entry[0] is Chain.OPEN]
    for stuck in ((NodeFault("stuck", "h1"),), (), (NodeFault("stuck", "h1"),), ()):
        night.passes(1)
        night.beats("b12n1", faults=stuck)
        if restarted:
            restart(night)
    sealed = [type(body) for chain, _, body in night.entries if chain is Chain.SEALED and isinstance(body, FaultRaised | FaultEnded)]
    assert sealed == [FaultRaised, FaultEnded] * 2
    if not restarted:
        assert [entry for entry in night.entries if entry[0] is Chain.OPEN] == opened


def test_a_silent_press_does_not_prolong_an_open_fault() -> None:
    def ended_at_s(silent: bool) -> int:
        night = Night()
        night.births("b12n1")
        night.press("panic", conflicts_with="d" * 32)
        night.passes(1800)
        if silent:
            night.press("violence", conflicts_with="d" * 32)
        night.passes(7200)
        assert len(night.bodies(FaultEnded, Chain.SEALED)) == silent
        return next(at_ms for chain, at_ms, body in night.entries if chain is Chain.OPEN and isinstance(body, FaultEnded))

    assert ended_at_s(silent=True) == ended_at_s(silent=False)


def test_what_fails_on_its_way_to_a_silent_circle_goes_another_way_in_the_sealed_chain() -> None:
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "ema"),
                                    member("ema", Role.TRAINED_EXTORTION, channels=("sms", "apprise"))]))
    night.births("b12n1")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no modem") if one.notice.channel == "sms" else None
    before = [entry for entry in night.entries if entry[0] is Chain.OPEN]
    night.does(PressSetAside("b12n1", Press(boot_of("b12n1s"), 1, "h2", "extortion", Gesture.HOLD), "d" * 32, "the rules failed"))
    night.passes(1)
    assert [(one.notice.channel, one.notice.template) for one in night.unread["ema"]] == [("apprise", "fault")]
    assert [entry for entry in night.entries if entry[0] is Chain.OPEN] == before
