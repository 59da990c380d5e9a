"""What is pending stands in the picture, and the picture that a journal folds to is the living one."""

import pytest

from controller.entries import Chain
from controller.rules.console.acts import VerifyFirst
from controller.rules.inputs import DrillOrdered
from controller.rules.picture import Picture, picture
from controller.rules.policy import Policy
from tests.rules.night import DISTRICTS_POLICY, Night, member, registry
from tests.rules.test_lives import folded
from tests.rules.test_storms import BLOCKS, many_blocks


def seen(night: Night, chain: Chain = Chain.OPEN) -> Picture:
    """The living picture, which is the journal's."""
    lived = picture(night.zone.state, chain)
    assert picture(folded(night.entries), chain) == lived
    return lived


def rings(night: Night, chain: Chain = Chain.OPEN) -> dict[tuple[str, str], float]:
    """By timer and subject: in how many seconds it rings."""
    return {(one.timer, one.subject): (one.due_at_ms - night.now.utc_ms) / 1000 for one in seen(night, chain).timers}


def pending(night: Night) -> list[tuple[str, str, str]]:
    return [(one.what, one.subject, one.detail) for one in seen(night).pending]


def test_what_waits_for_the_police_and_for_a_ring_to_be_heard_rings_at_its_time() -> None:
    night = Night(policy=Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    night.press("panic")
    night.sends()
    [incident] = seen(night).incidents
    assert {timer for timer, _ in rings(night)} >= {"police", "heard"}
    assert {subject for _, subject in rings(night)} == {incident.id}
    assert all(in_s > 0 for in_s in rings(night).values())


@pytest.mark.parametrize("chain", Chain)
def test_a_silent_incidents_timers_stand_in_its_own_chain_alone(chain: Chain) -> None:
    night = Night(policy=Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    before = seen(night)
    night.press("violence")
    night.sends()
    if chain is Chain.OPEN:
        assert seen(night) == before
    else:
        assert {subject for _, subject in rings(night, chain)} <= {one.id for one in seen(night, chain).incidents}
        assert not seen(night, chain).pending


def test_a_canary_under_way_and_what_it_lacks() -> None:
    day = Night(policy=Policy.parse(DISTRICTS_POLICY))
    day.births("b12n1")
    while not (found := pending(day)):
        day.passes(60)
        assert day.passed_ms < 86_400_000, "a canary sets out each day"
    [(what, node, lacks)] = found
    assert (what, node) == ("canary", "node/b12n1")
    assert lacks.startswith("lacks ")
    assert seen(day).pending[0].until_at_ms > day.now.utc_ms


def test_a_walk_an_exercise_an_order_and_what_is_verified_first(night: Night) -> None:
    night.replies("elva", "PRUEBA b12")
    night.replies("tito", "PRUEBA b13n1")
    night.does(DrillOrdered("caro", "block", "b13", "panic", night.now.utc_ms + 3_600_000, 1800))
    night.replies("caro", "SIMULACRO ZONA")
    assert night.acts("caro", VerifyFirst("b12n1", "b1", night.now.utc_ms + 86_400_000, "p-aaaaaaaaaa", "d")) == ""
    found = pending(night)
    assert ("walk", "block/b12", "by elva") in found
    assert [what for what, _, _ in found].count("order") == 3, "no node has answered yet"
    assert ("exercise", "drill-1", "planned, b13, by caro") in found
    assert ("exercise", "drill-2", "not confirmed, zone, by caro") in found
    assert ("verify-first", "input/b12n1.b1", "decision, by caro") in found
    assert rings(night)["walk-ends", "b12"] == 900
    assert rings(night)["drill-begins", "drill-1"] == 3600
    night.passes(3601)
    assert ("exercise", "drill-1", "going on, b13, by caro") in pending(night)
    assert ("drill-ends", "drill-1") in rings(night)
    assert ("walk-ends", "b12") not in rings(night)


def test_calls_that_wait_for_a_storms_summary() -> None:
    night = Night(many_blocks())
    for block in BLOCKS:
        night.births(f"{block}n1")
    for block in BLOCKS:
        night.press("panic", node=f"{block}n1")
    night.sends()
    [(what, _, detail)] = pending(night)
    held = [one for one in seen(night).notices if one.held]
    assert held
    assert (what, detail) == ("summaries", f"{len(held)} calls wait")
    assert "summary" in {timer for timer, _ in rings(night)}


def test_a_roster_without_anybody_is_a_fault_in_it() -> None:
    night = Night(registry(members=[member("tito")], shifts=[]))
    night.passes(60)
    assert {one.subject for one in seen(night).faults} >= {"roster/patrol"}
