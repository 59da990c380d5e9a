"""Which blocks are protected, since when not and why: live for those on duty, and for everybody else a week late."""

from datetime import time as clock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from controller.entries import CoverageChanged, NodeAskedRecorded
from controller.gsm7 import septets, to_gsm7
from controller.messages import Ask
from controller.registry import Role
from controller.rules.inputs import NodeAsked, PartFailed, PartRecovered
from controller.rules.proof.coverage import MUTE
from controller.rules.proof.covered import KEPT_MS, LATE_MS, Change, Covered, public_coverage
from controller.rules.remembered import DAY_MS
from controller.texts import LANGUAGES, TextFacts, compose
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


def asks(night: Night, name: str, text: str = "ESTADO") -> list[tuple[str, dict[str, str]]]:
    night.replies(name, text)
    night.sends()
    return [(one.notice.template, one.notice.about) for one in night.unread.pop(name, [])]


@pytest.mark.parametrize("text", ["ESTADO", "estado", " Cobertura. ", "¿Estado?", "STATUS", "coverage"])
def test_who_is_on_duty_asks_and_reads_what_is_not_protected_in_their_blocks_alone(night: Night, text: str) -> None:
    assert asks(night, "juan", text) == [("coverage_well_you", {"count": "2"})]
    del night.beating["b13n1"]
    night.passes(300)
    night.unread.clear()
    since = str(night.zone.state.covered.blocks["b13"].since_ms)
    assert asks(night, "juan", text) == [("coverage_one_you", {"block": "b13", "at_ms": since, "why": "node-late"})], "on duty for the zone"
    assert asks(night, "rosa", text) == [("coverage_well_you", {"count": "1"})], "of b12 alone"
    assert asks(night, "tito", text)[0][0] == "coverage_one_you", "who mends, too"


def test_one_who_lives_there_is_answered_off_duty_and_one_without_a_block_of_their_own_is_not() -> None:
    shifts = [one for one in SHIFTS if one.member not in {"rosa", "vilma"}]
    at_noon = structs.replace(next(one for one in SHIFTS if one.member == "rosa"), starts=clock(12), ends=clock(13))
    night = Night(registry(shifts=[*shifts, at_noon]))
    night.passes(120)
    night.unread.clear()
    assert asks(night, "rosa") == [("coverage_one_you", {"block": "b12", "at_ms": asks(night, "elva")[0][1]["at_ms"], "why": "no-node"})]
    assert asks(night, "vilma") == [("not_understood", {})]
    [(template, about)] = asks(night, "juan")
    assert (template, about["count"], about["blocks"]) == ("coverage_you", "2/2", "b12 b13")


def test_the_answer_shows_nothing_of_a_silent_press_or_button(night: Night) -> None:
    other = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        other.births(node)
    other.passes(120)
    other.press("violence")
    other.passes(60)
    night.passes(60)
    other.unread.clear()
    assert asks(other, "juan") == asks(night, "juan")
    assert asks(other, "vera") == asks(night, "vera"), "not even to its circle"
    assert other.open_side() == night.open_side()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_is_one_text_that_says_since_when_and_why(language: str) -> None:
    at_ms = 1_790_043_240_000
    one = compose("coverage_one_you", TextFacts(block_name="Mz C", pressed_from_at_ms=at_ms, pressed_to_at_ms=at_ms, why="node-late"), language)
    said = {"en": "Mz C: not protected since 21:14: its node gives no sign of life."}
    assert one.text.startswith(to_gsm7(said.get(language, "Mz C: sin protección desde 21:14: su nodo no da señales.")))
    assert "larm" not in one.title.lower()
    for why in (*MUTE, "no-node", "nobody-on-duty", "modem/sim1:hung", "receiver/cad:no-answer", "roster/x:nobody-on-duty"):
        told = compose("coverage_one_you", TextFacts(block_name="Mz C " * 40, made_at_ms=at_ms, why=why), language).text
        assert (septets(told) or 999) <= 160
    many = TextFacts(count="19/40", made_at_ms=at_ms, unprotected=tuple((f"Mz {n} AA.HH. Virgen de Lourdes", at_ms - 90_000_000) for n in range(4)))
    told = compose("coverage_you", many, language, spare=4).text
    assert (septets(told) or 999) <= 156
    assert told.count("20/09 20:14 Mz ") == 4, told
