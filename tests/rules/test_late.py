"""Presses that come late, without an age, twice, or from two devices; what they are dated."""


import pytest

from controller.entries import (
    FaultEnded,
    FaultRaised,
    IncidentOpened,
    NodeCame,
    NodeWent,
    PressRecorded,
)
from controller.messages import NodeFault
from tests.rules.night import Night


def test_a_late_press_is_told_with_its_time_and_without_sirens(night: Night) -> None:
    night.press("panic", age_s=1200, waited_s=60)
    night.expects(rosa="late", juan="late", elva="late", desk="late")
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_to_at_ms, press.pressed_from_at_ms) == (night.now.utc_ms - 1_260_000, night.now.utc_ms - 1_261_000)
    assert press.late == 1
    assert night.orders() == []


def test_a_fresh_press_during_a_late_one_sounds_all_the_same(night: Night) -> None:
    night.press("panic", age_s=1200)
    night.press("panic")
    assert [body.late for body in night.bodies(IncidentOpened)] == [1, 0]
    assert night.orders()


def test_without_an_age_it_lies_between_the_last_beat_and_the_next_birth(night: Night) -> None:
    night.passes(s=100)
    night.beats("b12n1")
    night.beating.clear()
    heard = night.now.utc_ms
    night.passes(s=50)
    night.births("b12n1", "2")
    born = night.now.utc_ms
    night.passes(s=50)
    night.press("panic", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_from_at_ms, press.pressed_to_at_ms) == (heard, born)


def test_a_silent_one_without_an_age_too(night: Night) -> None:
    night.passes(s=100)
    night.beats("b12n1")
    night.beating.clear()
    heard = night.now.utc_ms
    night.passes(s=50)
    night.births("b12n1", "2")
    born = night.now.utc_ms
    night.passes(s=50)
    night.press("violence", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_from_at_ms, press.pressed_to_at_ms) == (heard, born)


def test_of_a_life_nobody_heard_of_the_interval_is_wide_enough(night: Night) -> None:
    night.passes(s=100)
    night.births("b12n1", "3")
    born = night.now.utc_ms
    night.passes(s=700)
    night.press("panic", life="2", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert press.pressed_from_at_ms <= born - 100_000
    assert press.pressed_to_at_ms == born
    assert press.late == 1


def test_a_press_that_overtakes_the_birth_of_its_life_is_as_old_as_it_says(night: Night) -> None:
    night.births("b12n1", "1")
    night.passes(s=2000)
    night.press("panic", life="2", age_s=1)
    [press] = night.bodies(PressRecorded)
    assert (press.late, press.age_refused, press.pressed_to_at_ms) == (0, "", night.now.utc_ms - 1000)


def test_what_the_broker_remembers_of_a_life_is_no_sign_of_it(night: Night) -> None:
    night.births("b12n1", "1")
    night.beating.clear()
    night.passes(s=600)
    night.births("b12n1", "1", retained=True)
    night.beating.clear()
    ended = night.bodies(FaultEnded)
    night.passes(s=600)
    night.births("b12n1", "2")
    night.press("panic", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert ended == [], "it is late all the same"
    assert press.pressed_from_at_ms <= night.now.utc_ms - 1_200_000


def test_a_press_that_waited_already_when_its_node_was_last_heard_may_be_older_than_that(night: Night) -> None:
    night.births("b12n1", "1")
    came = night.now.utc_ms
    night.beating.clear()
    night.passes(s=1000)
    night.beats("b12n1", "1", unsent=1)
    night.passes(s=100)
    night.births("b12n1", "2")
    night.press("panic", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_from_at_ms, press.pressed_to_at_ms) == (came, night.now.utc_ms)


@pytest.mark.parametrize("age_s", [4000, 300 * 86_400])
def test_an_age_that_cannot_be_is_refused_and_the_press_is_not(night: Night, age_s: float) -> None:
    night.passes(s=1000)
    night.births("b12n1", "2", uptime_s=60)
    night.press("panic", age_s=age_s, life="2")
    [press] = night.bodies(PressRecorded)
    assert press.age_refused
    assert press.pressed_from_at_ms >= night.now.utc_ms - 1_200_000
    assert press.pressed_to_at_ms == night.now.utc_ms
    assert night.bodies(IncidentOpened)


def test_the_same_number_with_another_body_is_the_nodes_fault_and_told_all_the_same(night: Night) -> None:
    night.press("panic", seq=1)
    night.passes(s=1)
    night.press("panic", node="b12n1", seq=1, name="m1", conflicts_with="d" * 32)
    assert [body.conflicts_with for body in night.bodies(PressRecorded)] == ["", "d" * 32]
    assert [fault.subject for fault in night.bodies(FaultRaised)] == ["node/b12n1"]


def test_two_devices_with_one_name_are_a_fault_and_every_press_of_both_counts(night: Night) -> None:
    for life in ("2", "1", "2", "1", "2"):
        night.passes(s=5)
        night.births("b12n1", life)
    assert [fault.code for fault in night.bodies(FaultRaised)] == ["two-devices-one-name"]
    night.press("panic", life="1")
    night.press("panic", life="2")
    assert len(night.bodies(PressRecorded)) == len(night.receipts()) == 2


def test_an_old_lifes_will_or_memory_does_not_hide_a_newer_birth(night: Night) -> None:
    night.births("b12n1", "2")
    night.dies("b12n1", "1")
    night.births("b12n1", "1", retained=True)
    night.press("panic", node="b12n2")
    assert [(order.node, order.boot) for order in night.orders()] == [("b12n1", night.lights["b12n1"].boot)]
    assert not night.bodies(FaultRaised)


def test_two_that_throw_each_other_out_do_not_fill_the_journal(night: Night) -> None:
    before = len(night.entries)
    for n in range(200):
        night.passes(s=1)
        night.dies("b12n1", "21"[n % 2])  # the broker says so of the one that was thrown out
        night.births("b12n1", "12"[n % 2])
    assert len(night.entries) - before < 30


def test_two_that_throw_each_other_out_as_fast_as_they_can_are_recorded_once_a_minute(night: Night) -> None:
    before = len(night.entries)
    for n in range(600):
        night.passes(s=0.3)
        thrown_out, other = "12"[n % 2], "21"[n % 2]
        night.dies("b12n1", thrown_out)
        night.births("b12n1", other)
        del night.beating["b12n1"]
        night.beats("b12n1", other, uptime_s=100 + n // 3, faults=(NodeFault("disk-full"),) if other == "2" else ())
    minutes = 600 * 0.3 / 60
    of_it = [body for _, _, body in night.entries[before:] if isinstance(body, NodeCame | NodeWent)]
    assert len(of_it) <= 2 * (1 + minutes)
    raised = [body.code for _, _, body in night.entries[before:] if isinstance(body, FaultRaised)]
    assert raised.count("disk-full") <= minutes
