"""Each siren is proven: a pulse a day that nobody hears, a minute a month that everybody hears and knows of the day before."""

import itertools

import pytest

from controller.entries import Chain, FaultEnded, FaultRaised, NodeAskedRecorded, OrderAnswered, OrderSent, TimerSet
from controller.errors import BadConfig
from controller.messages import Ask, Done, SirenFound, SirenTest
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeAsked, NodeDone, Started
from controller.rules.policy import Policy
from controller.rules.proof.siren_minutes import ANNOUNCED, AWAY, MINUTE
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import POLICY, Night, boot_of

DAY_S, HOUR_S = 86_400, 3600
SLOW = POLICY.replace("beat_s = 20", "beat_s = 600")
MONTHLY = Policy.parse(SLOW.replace("walk_hour = 10", "walk_hour = 10\nsiren_hour = 11"))
DREW, NOTHING, STUCK = SirenFound.DREW, SirenFound.NO_CURRENT, SirenFound.SENSOR_STUCK


@pytest.fixture
def night() -> Night:
    """Of one node with a sensor."""
    night = Night(policy=Policy.parse(SLOW))
    night.siren_answer = DREW
    night.births("b12n1")
    night.expects()
    return night


@pytest.fixture
def month() -> Night:
    """The day before block b12's minute: its representative has just been told."""
    night = Night(policy=MONTHLY)
    night.siren_answer = DREW
    for node in ("b12n1", "b12n2"):
        night.births(node)
    night.passes(600)
    leaps_to(night, due(night, ANNOUNCED, "b12"))
    night.passes(1)
    return night


def due(night: Night, timer: str, subject: str) -> int:
    """When it rings (UTC ms); 0: it does not run."""
    found = night.zone.state.timers.running.get((timer, subject))
    return found.due_at_ms if found is not None else 0


def leaps_to(night: Night, utc_ms: int) -> None:
    """Days go by, without all their beats, up to then."""
    while (left_ms := utc_ms - night.now.utc_ms) > 0:
        night.passed_ms += max(0, min(left_ms - 60_000, DAY_S * 1000))
        for node in night.beating:
            night.beats(node)
        night.passes(60)


def to_minute(night: Night, node: str = "b12n1") -> None:
    """Up to a moment after a node's minute was due."""
    leaps_to(night, due(night, MINUTE, node))
    night.passes(1)


def minutes(night: Night) -> list[SendOrder]:
    return [order for order in night.orders() if isinstance(order.order, SirenTest)]


def answers(night: Night, order: SendOrder, found: SirenFound = DREW, why: str = "") -> None:
    night.passes(60)
    night.does(NodeDone(order.node, Done(order.boot, order.id, not why, why, siren=found)))


def days(night: Night, n: float) -> None:
    """Days go by, and nodes answer."""
    end_ms = night.passed_ms + int(n * DAY_S * 1000)
    while night.passed_ms < end_ms:
        rings = [due(night, MINUTE, node) - night.now.utc_ms for node in night.beating]
        night.passes(min([600_000, *(in_ms + 1000 for in_ms in rings if in_ms > 0)]) / 1000)
        done = {body.id for body in night.bodies(OrderAnswered)}
        for order in minutes(night):
            if order.id not in done and night.beating.get(order.node) is not None:
                night.does(NodeDone(order.node, Done(order.boot, order.id, True, siren=DREW)))


def told(night: Night, name: str = "elva") -> list[str]:
    return [template for template in night.reads(name) if template == "siren_due"]


def faults(night: Night) -> list[tuple[str, str, str]]:
    return [(body.subject, body.code, body.detail) for body in night.bodies(FaultRaised) if "siren" in body.code]


# The daily pulse.


@pytest.mark.parametrize("found", [NOTHING, STUCK])
def test_a_siren_whose_pulse_fails_is_a_fault_for_the_technician_until_one_passes(night: Night, found: SirenFound) -> None:
    night.siren_answer = found
    night.passes(DAY_S + 700)
    night.expects(tito="fault")
    assert faults(night) == [("node/b12n1", "siren-pulse", found.value)]
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q1", "b1")))
    assert night.bodies(NodeAskedRecorded)[-1].why == "siren-pulse", "a tap at rest is not told that all is well"
    night.passes(600)
    assert "siren-pulse" in night.zone.state.covered.blocks["b12"].why
    night.passes(DAY_S)
    assert night.reads("tito") == ["fault_reminder"]
    night.siren_answer = DREW
    night.passes(DAY_S)
    assert len(night.bodies(FaultEnded)) == 1
    night.passes(700)
    night.expects(tito="fault_ended")


def test_what_the_sensor_saw_is_on_record_and_that_there_is_none_too(night: Night) -> None:
    night.siren_answer = SirenFound.NOT_MEASURED
    night.passes(DAY_S + 700)
    assert [body.siren for body in night.bodies(OrderAnswered) if body.id.startswith("test-")] == ["drew", "not-measured"]
    night.expects()


def test_a_sensor_that_is_taken_out_of_the_file_leaves_no_fault_behind(night: Night) -> None:
    night.siren_answer = NOTHING
    night.passes(DAY_S + 700)
    night.siren_answer = SirenFound.NOT_MEASURED
    night.passes(DAY_S)
    assert len(night.bodies(FaultEnded)) == 1


def test_a_pulse_that_a_call_kept_from_being_tried_says_nothing(night: Night) -> None:
    night.siren_answer = NOTHING
    night.passes(DAY_S + 700)
    night.siren_answer = SirenFound.NOT_TRIED
    night.passes(DAY_S)
    assert not night.bodies(FaultEnded)
    assert len(faults(night)) == 1


# The monthly minute.


def test_the_representative_is_told_the_day_before_and_each_siren_sounds_by_itself_at_the_hour(month: Night) -> None:
    assert told(month) == ["siren_due"]
    assert due(month, MINUTE, "b12n1") % (DAY_S * 1000) == 16 * HOUR_S * 1000, "11:00 in Lima"
    assert due(month, MINUTE, "b12n2") - due(month, MINUTE, "b12n1") == 120_000
    assert DAY_S - 70 < (due(month, MINUTE, "b12n1") - month.now.utc_ms) / 1000 <= DAY_S
    to_minute(month)
    [order] = minutes(month)
    assert (order.node, order.order) == ("b12n1", SirenTest(60))
    answers(month, order)
    to_minute(month, "b12n2")
    assert [order.node for order in minutes(month)] == ["b12n1", "b12n2"]
    answers(month, minutes(month)[1])
    assert [body.siren for body in month.bodies(OrderAnswered) if body.id.startswith("siren")] == ["drew", "drew"]
    assert not faults(month)
    assert not told(month)
    days(month, 20)
    assert len(minutes(month)) == 2
    days(month, 11)
    assert len(minutes(month)) == 4
    assert told(month) == ["siren_due"]


def test_a_siren_that_stays_silent_is_a_fault_that_no_pulse_ends(month: Night) -> None:
    to_minute(month)
    answers(month, minutes(month)[0], NOTHING)
    assert faults(month) == [("node/b12n1", "siren-silent", "no-current")]
    assert month.reads("tito") == ["fault"]
    month.passes(2 * DAY_S)
    assert ("node/b12n1", "siren-silent") in month.zone.state.fault_of
    month.replies("tito", "SIRENA b12n1")
    answers(month, minutes(month)[-1])
    assert ("node/b12n1", "siren-silent") not in month.zone.state.fault_of


def test_no_minute_into_an_emergency_of_the_block_but_another_one_that_is_announced(month: Night) -> None:
    told(month)
    leaps_to(month, due(month, MINUTE, "b12n1") - 60_000)
    month.press()
    month.passes(300)
    assert not minutes(month)
    assert told(month) == ["siren_due"] * 2, "one for each of its nodes"
    assert (due(month, MINUTE, "b12n1") - month.now.utc_ms) / 1000 > DAY_S - 600


def test_a_silent_incident_of_the_block_changes_nothing_of_it(month: Night) -> None:
    leaps_to(month, due(month, MINUTE, "b12n1") - 60_000)
    month.press("violence")
    month.passes(61)
    assert [order.node for order in minutes(month)] == ["b12n1"]


def test_a_minute_that_a_press_cut_short_is_held_another_day(month: Night) -> None:
    told(month)
    to_minute(month)
    answers(month, minutes(month)[0], SirenFound.NOT_TRIED, "a call came")
    assert told(month) == ["siren_due"]
    assert due(month, MINUTE, "b12n1") > month.now.utc_ms + DAY_S * 1000 - 600_000
    assert not faults(month)


def test_a_node_that_never_answers_is_asked_another_day(month: Night) -> None:
    to_minute(month)
    month.passes(600)
    assert due(month, AWAY, "b12n1")
    month.passes(10 * DAY_S)
    assert [order.node for order in minutes(month)].count("b12n1") in {2, 3}, "not for ever"


def test_a_node_that_is_away_has_its_minute_when_it_is_back_and_nobody_is_told_in_vain(month: Night) -> None:
    told(month)
    month.dies("b12n1")
    month.beating.pop("b12n1")
    days(month, 5)
    assert "b12n1" not in [order.node for order in minutes(month)]
    assert not told(month)
    month.births("b12n1", "2")
    days(month, 2.5)
    assert told(month) == ["siren_due"]
    assert [order.node for order in minutes(month)].count("b12n1") == 1


def test_after_a_night_without_the_gateway_no_siren_sounds_before_its_hour(month: Night) -> None:
    told(month)
    asleep_s = (due(month, MINUTE, "b12n1") - month.now.utc_ms) // 1000 + 15 * HOUR_S
    month.passed_ms += asleep_s * 1000
    state = ZoneState()
    for chain, at_ms, body in month.entries:
        state.apply(chain, at_ms, body)
    month.zone = ZoneController("z3", month.registry, month.policy, state)
    month.does(Started("1.0"))
    for node in ("b12n1", "b12n2"):
        month.beats(node)
    month.passes(600)
    assert not minutes(month), "it is two in the morning"
    assert not told(month)
    month.passes(12 * HOUR_S)
    assert told(month)
    assert not minutes(month)
    month.passes(DAY_S)
    assert len(minutes(month)) == 2


def test_the_blocks_of_a_zone_have_days_of_their_own_and_without_an_hour_none_has_any(month: Night, night: Night) -> None:
    first, second, *_ = [body for body in month.bodies(TimerSet) if body.timer == ANNOUNCED]
    assert (first.subject, second.subject) == ("b12", "b13")
    assert abs(first.due_at_ms - second.due_at_ms) >= DAY_S * 1000
    assert not [body for body in night.bodies(TimerSet) if body.timer.startswith("siren")]


@pytest.mark.parametrize("hour", [7, 20, 2])
def test_a_policy_in_which_sirens_sound_at_night_is_refused(hour: int) -> None:
    with pytest.raises(BadConfig, match="siren_hour"):
        Policy.parse(SLOW.replace("walk_hour = 10", f"walk_hour = 10\nsiren_hour = {hour}"))


def test_an_answer_of_an_earlier_life_proves_nothing(night: Night) -> None:
    night.does(NodeDone("b12n1", Done(boot_of("b12n10"), "siren-minute-b12n1-1", True, siren=NOTHING)))
    assert not faults(night)


def test_all_of_it_is_on_the_open_chain_and_folds_to_the_same_state(month: Night) -> None:
    to_minute(month)
    answers(month, minutes(month)[0], NOTHING)
    state = ZoneState()
    for chain, at_ms, body in month.entries:
        state.apply(chain, at_ms, body)
    assert state.timers == month.zone.state.timers
    assert state.fault_of == month.zone.state.fault_of
    assert {chain for chain, _, body in month.entries if isinstance(body, OrderSent | TimerSet)} == {Chain.OPEN}
    assert list(itertools.islice(month.zone.state.timers.running, 1))
