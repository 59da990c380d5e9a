"""Which blocks are protected, since when not and why: live for those on duty, and for everybody else a week late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.entries import CoverageChanged, NodeAskedRecorded
from controller.messages import Ask
from controller.registry import Role
from controller.rules.inputs import NodeAsked, PartFailed, PartRecovered
from controller.rules.proof.covered import KEPT_MS, LATE_MS, Change, Covered, public_coverage
from controller.rules.remembered import DAY_MS
from tests.rules.night import SHIFTS, Night, boot_of, registry


@pytest.fixture
def night() -> Night:
    night = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.passes(120)
    return night


def stands(night: Night) -> dict[str, str]:
    return {block: now.why for block, now in night.zone.state.covered.blocks.items()}


def test_a_block_with_a_node_a_siren_and_somebody_on_duty_is_protected(night: Night) -> None:
    assert stands(night) == {"b12": "", "b13": ""}
    before = len(night.bodies(CoverageChanged))
    night.passes(3600)
    assert len(night.bodies(CoverageChanged)) == before, "only changes are on record"


def test_a_block_whose_only_node_is_late_is_not_and_one_with_another_node_is(night: Night) -> None:
    del night.beating["b13n1"], night.beating["b12n1"]
    night.passes(300)
    assert stands(night) == {"b12": "", "b13": "node-late"}
    night.births("b13n1")
    night.passes(120)
    assert stands(night)["b13"] == ""


def test_a_node_that_never_came_protects_nothing() -> None:
    night = Night()
    night.births("b12n1")
    night.passes(120)
    assert stands(night)["b13"] == "no-node"


def test_nobody_on_duty_is_a_reason_before_anybody_presses() -> None:
    night = Night(registry(shifts=[one for one in SHIFTS if one.role is Role.REPRESENTATIVE]))
    for node in ("b12n1", "b13n1"):
        night.births(node)
    night.passes(120)
    assert stands(night) == {"b12": "", "b13": "nobody-on-duty"}
    for node, why in (("b12n1", ""), ("b13n1", "nobody-on-duty")):
        night.does(NodeAsked(node, Ask(boot_of(f"{node}1"), "q1", "b1")))
        assert night.bodies(NodeAskedRecorded)[-1].why == why, "a tap at rest says so to the block's own people"


def test_what_keeps_all_from_being_told_concerns_every_block(night: Night) -> None:
    night.does(PartFailed("modem/sim1", "hung"))
    night.passes(60)
    assert stands(night) == {"b12": "modem/sim1:hung", "b13": "modem/sim1:hung"}
    night.does(PartRecovered("modem/sim1", "hung"))
    night.passes(60)
    assert stands(night) == {"b12": "", "b13": ""}


def test_a_siren_that_fails_its_test_is_a_reason(night: Night) -> None:
    night.test_answer = "siren-refused node"
    night.births("b13n1", "2")
    night.passes(120)
    assert stands(night)["b13"] == "test-failed"


changes = st.lists(st.tuples(st.integers(0, 40 * DAY_MS), st.sampled_from(["b1", "b2", "b3"]), st.sampled_from(["", "node-late"])), max_size=30)


@given(changes, changes)
def test_nothing_younger_than_a_week_shows_in_what_is_public(old: list[tuple[int, str, str]], young: list[tuple[int, str, str]]) -> None:
    now_ms = 50 * DAY_MS
    cut_ms = now_ms - LATE_MS
    before = [Change(*one) for one in sorted(old) if one[0] <= cut_ms]
    after = [Change(cut_ms + 1 + at_ms % LATE_MS, block, why) for at_ms, block, why in young]
    assert public_coverage([*before, *sorted(after)], now_ms) == public_coverage(before, now_ms)


def test_the_public_figure_is_the_share_of_a_week_and_names_no_block() -> None:
    told = [Change(0, "b1", ""), Change(0, "b2", "node-late"), Change(10 * DAY_MS + DAY_MS // 2, "b2", "")]
    assert public_coverage(told, 21 * DAY_MS) == (7 * DAY_MS, 14 * DAY_MS, 2, 75)
    assert public_coverage(told, 6 * DAY_MS) is None


@given(changes)
def test_what_is_let_go_of_changes_no_figure(told: list[tuple[int, str, str]]) -> None:
    covered = Covered()
    whole = [Change(*one) for one in sorted(told)]
    for change in whole:
        covered.folds()[CoverageChanged](None, change.at_ms, CoverageChanged(change.block, change.why))  # type: ignore[arg-type]  # any chain
    if whole:
        now_ms = whole[-1].at_ms
        assert KEPT_MS > 2 * LATE_MS
        assert public_coverage(covered.changes, now_ms) == public_coverage(whole, now_ms)
