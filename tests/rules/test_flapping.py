"""What comes and goes is told once, until it has kept still."""

from controller.entries import FaultRaised, NoticesQueued
from controller.messages import NodeFault
from controller.rules.inputs import PartFailed, PartRecovered, Started
from controller.rules.zone import ZoneController
from tests.rules.night import Night
from tests.rules.test_lives import folded

WEAK = ("modem/sim1", "weak-signal")


def flaps(night: Night, times: int) -> None:
    for _ in range(times):
        night.does(PartFailed(*WEAK))
        night.passes(300)
        night.does(PartRecovered(*WEAK))
        night.passes(300)


def said(night: Night) -> list[tuple[str, str]]:
    return [(one.notice.template, one.notice.about["fault"]) for one in night.unread.pop("tito", [])]


def test_it_is_told_once_that_it_comes_and_goes() -> None:
    night = Night()
    flaps(night, 60)
    assert said(night) == [("fault", "weak-signal"), ("fault", "flapping:weak-signal")]
    night.passes(1800)
    assert said(night) == [("fault_ended", "flapping:weak-signal")]
    night.ends_quietly(3 * 86_400)
    assert night.zone.state.fault_of == {}


def test_what_comes_and_goes_for_days_is_reminded_of_as_such() -> None:
    night = Night()
    flaps(night, 3 * 144)
    assert said(night)[2:] == [("fault_reminder", "flapping:weak-signal")] * 2


def test_a_fault_that_stays_after_it_has_come_and_gone_is_told_as_one_that_stands() -> None:
    night = Night()
    flaps(night, 10)
    night.does(PartFailed(*WEAK))
    night.passes(1830)
    assert said(night) == [("fault", "weak-signal"), ("fault", "flapping:weak-signal"), ("fault", "weak-signal")]
    assert set(night.zone.state.fault_of) == {WEAK}
    night.passes(86_430)
    assert said(night) == [("fault_reminder", "weak-signal")]
    night.does(PartRecovered(*WEAK))
    night.passes(630)
    assert said(night) == [("fault_ended", "weak-signal")]


def test_what_comes_and_goes_a_second_time_is_told_a_second_time() -> None:
    night = Night()
    for _ in range(2):
        flaps(night, 10)
        night.passes(7200)
        assert said(night) == [("fault", "weak-signal"), ("fault", "flapping:weak-signal"), ("fault_ended", "flapping:weak-signal")]


def test_what_comes_seldom_is_told_each_time() -> None:
    night = Night()
    for _ in range(4):
        night.does(PartFailed(*WEAK))
        night.passes(600)
        night.does(PartRecovered(*WEAK))
        night.passes(3000)
        assert said(night) == [("fault", "weak-signal"), ("fault_ended", "weak-signal")]


def test_a_node_whose_fault_comes_and_goes_and_a_restart_in_the_middle() -> None:
    night = Night()
    night.births("b12n1")
    for n in range(12):
        night.beats("b12n1", faults=(NodeFault("disk-slow"),) if n % 2 else ())
        night.beating.clear()
        night.passes(50)
        if n == 9:
            night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
            night.does(Started("1.0"))
    night.beats("b12n1")
    night.births("b12n1")
    assert said(night) == [("fault", "disk-slow"), ("fault", "flapping:disk-slow")]
    night.passes(1860)
    assert said(night) == [("fault_ended", "flapping:disk-slow")]


def test_a_thousand_times_are_few_notices() -> None:
    night = Night()
    for _ in range(1000):
        night.does(PartFailed(*WEAK))
        night.passes(10)
        night.does(PartRecovered(*WEAK))
        night.passes(10)
    assert len([body for body in night.bodies(FaultRaised) if body.code.startswith("flapping")]) == 1
    assert sum(len(body.notices) for body in night.bodies(NoticesQueued)) < 10


def test_one_that_comes_goes_and_comes_again_within_a_millisecond_is_two_faults_with_notices_of_their_own() -> None:
    night = Night()
    for _ in range(2):
        night.does(PartFailed("modem/sim1", "hung"))
        night.sends()
        night.does(PartRecovered("modem/sim1", "hung"))
    night.does(PartFailed("modem/sim1", "hung"))
    raised = [body.fault for body in night.bodies(FaultRaised) if body.code == "hung"]
    assert len(set(raised)) == 3
    told = [one.id for one in night.notices()]
    assert len(set(told)) == len(told) > 0
    assert folded(night.entries).fault_of == night.zone.state.fault_of
