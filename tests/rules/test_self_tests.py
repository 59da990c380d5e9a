"""The daily self-test, and what a tap at rest is answered on its word."""

import pytest

from controller.entries import FaultEnded, FaultRaised, NodeAskedRecorded
from controller.messages import Answer, Ask
from controller.rules.effects import SendDown
from controller.rules.inputs import NodeAsked
from tests.rules.night import Night, boot_of

DAY_S = 86_400


@pytest.fixture
def night() -> Night:
    night = Night()
    night.births("b12n1")
    return night


def asked(night: Night) -> tuple[bool, str]:
    effects = night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q1", "b1")))
    [answer] = [effect.message for effect in effects if isinstance(effect, SendDown) and isinstance(effect.message, Answer)]
    recorded = night.bodies(NodeAskedRecorded)[-1]
    assert (bool(recorded.ok), recorded.why) == (answer.ok, answer.why)
    return answer.ok, answer.why


def test_a_node_is_tested_when_it_comes_and_once_a_day(night: Night) -> None:
    assert night.tests() == ["b12n1"]
    night.passes(3 * DAY_S + 600)
    assert night.tests() == ["b12n1"] * 4
    assert asked(night) == (True, "")


def test_without_a_passed_test_of_today_a_tap_is_not_told_that_all_is_well(night: Night) -> None:
    night.test_answer = None
    night.births("b12n1", "2")
    assert night.does(NodeAsked("b12n1", Ask(boot_of("b12n12"), "q1", "b1")))
    assert night.bodies(NodeAskedRecorded)[-1].why == "not-tested"


def test_a_test_of_the_day_before_yesterday_is_believed_no_more(night: Night) -> None:
    night.passed_ms += 27 * 3_600_000
    assert asked(night) == (False, "not-tested")


def test_a_failed_test_is_a_fault_until_one_passes(night: Night) -> None:
    night.test_answer = "disk-read-only"
    night.passes(DAY_S + 60)
    night.expects(tito="fault")
    assert [(body.subject, body.code, body.detail) for body in night.bodies(FaultRaised)] == [("node/b12n1", "test-failed", "disk-read-only")]
    assert asked(night) == (False, "test-failed")
    night.test_answer = ""
    night.passes(660)
    assert len(night.bodies(FaultEnded)) == 1
    assert asked(night) == (True, "")
    night.passes(600)
    night.expects(tito="fault_ended")


def test_three_tests_without_an_answer_are_a_fault(night: Night) -> None:
    night.test_answer = None
    night.births("b12n1", "2")
    night.passes(3 * 600 - 60)
    night.expects()
    night.passes(120)
    night.expects(tito="fault")


def test_a_node_that_is_gone_is_not_tested(night: Night) -> None:
    night.dies("b12n1")
    night.beating.clear()
    night.passes(2 * DAY_S)
    assert night.tests() == ["b12n1"]


def test_a_beat_that_names_no_fault_does_not_end_a_failed_test(night: Night) -> None:
    night.test_answer = "disk-full"
    night.births("b12n1", "2")
    night.passes(120)
    assert night.bodies(FaultEnded) == []
