"""A storm, in which many blocks call at once, stays readable: few texts for each member, nothing lost, the police once per block."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from controller.entries import Chain, IncidentMoved, IncidentOpened, NoticeMoved, NoticesQueued, PressRecorded, StormCame, StormWent
from controller.registry import Block, Input, Node, Registry, Role
from controller.rules.inputs import NoticeReported, NoticeTried, Started, Tried
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import BEGAN_MS, POLICY, Night, always, member, registry
from tests.rules.test_lives import folded, picture

BLOCKS = tuple(f"b{n:02}" for n in range(20))
SUMMARY_S = 30


def many_blocks() -> Registry:
    """Twenty blocks, each with a representative on duty; a patrol and a coordinator of the whole zone; the police by DC-09."""
    reps = [member(f"rep{block}", Role.REPRESENTATIVE) for block in BLOCKS]
    whole = registry(members=[
        *reps, member("juan", Role.PATROL), member("pia", Role.PATROL, channels=("sms", "apprise")), member("caro", Role.COORDINATOR),
        member("desk", Role.POLICE_DESK, channels=("dc09",)), member("vera", Role.TRAINED_VIOLENCE)],
        shifts=[*(always(f"rep{block}", Role.REPRESENTATIVE, block) for block in BLOCKS), always("juan", Role.PATROL), always("pia", Role.PATROL),
                always("caro", Role.COORDINATOR), always("vera", Role.TRAINED_VIOLENCE)])
    inputs = {(f"{block}n1", name): Input(f"{block}n1", name, kind) for block in BLOCKS for name, kind in (
        ("b1", "panic"), ("f1", "fire"), ("m1", "medical"), ("h1", "violence"))}
    return structs.replace(whole, blocks={block: Block(block, "z3", f"Mz {block}", "cancha") for block in BLOCKS},
                           nodes={f"{block}n1": Node(f"{block}n1", "z3", block, "0" * 64) for block in BLOCKS}, inputs=inputs)


@pytest.fixture
def storm() -> Night:
    night = Night(many_blocks())
    for block in BLOCKS:
        night.births(f"{block}n1")
    night.expects()
    return night


def told(night: Night, name: str) -> list[str]:
    """The codes in each text to a member since the last look, joined."""
    night.sends()
    state, found = night.zone.state, []
    for one in night.unread.pop(name, []):
        idents = one.notice.about.get("notices", one.notice.id).split()
        found.append(" ".join(dict.fromkeys(state.incidents[ident.rpartition("-")[0]].code for ident in idents)))
    return found


def test_when_twenty_blocks_call_each_has_few_texts_and_every_code_is_in_one(storm: Night) -> None:
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
        storm.passes(1)
    assert len(storm.bodies(StormCame)) == 1
    first = told(storm, "juan")
    assert first == storm.codes[:5], "the first ones by themselves, until it is a storm"
    assert [told(storm, f"rep{block}") for block in BLOCKS] == [[code] for code in storm.codes], "each block's own ring at once"
    assert told(storm, "desk") == storm.codes, "the police once per block"
    storm.passes(SUMMARY_S)
    summed = told(storm, "juan")
    assert len(summed) == 3
    assert " ".join(summed).split() == storm.codes[5:]
    assert Counter(one.member for one in storm.notices() if one.template == "summary") == {"juan": 3, "pia": 3}


def test_each_one_is_still_taken_by_its_code_and_its_notice_was_heard(storm: Night) -> None:
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
    storm.passes(SUMMARY_S + 1)
    last = storm.bodies(IncidentOpened)[-1]
    storm.replies("juan", f"1 {last.code}")
    assert [(moved.incident, moved.by) for moved in storm.bodies(IncidentMoved)] == [(last.incident, "juan")]
    heard = [body.notice for body in storm.bodies(NoticeMoved) if body.to == "heard"]
    assert [ident.rpartition("-")[0] for ident in heard] == [last.incident]


def test_the_most_serious_comes_first(storm: Night) -> None:
    for n, block in enumerate(BLOCKS[:12]):
        storm.press("medical" if n < 10 else "panic", node=f"{block}n1", name="m1" if n < 10 else "b1")
        storm.passes(1)
    storm.passes(SUMMARY_S + 1)
    # The patrol's first five by themselves; then the two panics before the five medical ones.
    assert " ".join(told(storm, "juan")[5:]).split()[:2] == storm.codes[10:]


def test_escalated_and_repeated_calls_are_collected_too(storm: Night) -> None:
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
    storm.passes(119)
    storm.unread.clear()
    storm.passes(40)
    texts = told(storm, "caro")
    assert len(texts) <= 5
    assert sorted(" ".join(texts).split()) == sorted(storm.codes)
    storm.passes(600)
    assert len(told(storm, "rep" + BLOCKS[3])) < 12


def test_what_is_taken_back_before_the_summary_goes_out_is_not_in_it(storm: Night) -> None:
    for block in BLOCKS[:10]:
        storm.press("panic", node=f"{block}n1")
    storm.passes(1)
    for name in (f"rep{BLOCKS[9]}", "pia"):
        storm.replies(name, f"2 {storm.codes[9]}")
    storm.replies("pia", f"5 {storm.codes[9]}")
    told(storm, "juan")
    storm.passes(SUMMARY_S)
    assert storm.codes[9] not in " ".join(told(storm, "juan")).split()


def test_a_summary_that_does_not_go_one_way_goes_another(storm: Night) -> None:
    storm.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="gone") if (
        one.notice.member, one.notice.channel) == ("pia", "sms") else None
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
    storm.passes(2 * SUMMARY_S + 2)
    assert {one.notice.channel for one in storm.unread["pia"]} == {"apprise"}
    assert sorted(" ".join(told(storm, "pia")).split()) == sorted(storm.codes)


def test_a_summary_that_the_network_did_not_deliver_goes_another_way_and_what_it_delivered_does_not(storm: Night) -> None:
    for block in BLOCKS[:10]:
        storm.press("panic", node=f"{block}n1")
    storm.passes(SUMMARY_S + 2)
    sent = [one.notice for name in ("pia", "juan") for one in storm.unread[name] if one.notice.template == "summary"]
    storm.all_read()
    for one in sent:
        storm.does(NoticeReported(one.id, one.member == "juan"))
    storm.passes(SUMMARY_S + 2)
    lost = {ident.rpartition("-")[0] for one in sent if one.member == "pia" for ident in one.about["notices"].split()}
    again = [one.notice for one in storm.unread["pia"]]
    assert {one.channel for one in again} == {"apprise", "sms"} - {one.channel for one in sent if one.member == "pia"}
    assert {ident.rpartition("-")[0] for one in again for ident in one.about["notices"].split()} == lost
    arrived = [ident for one in sent if one.member == "juan" for ident in one.about["notices"].split()]
    assert {storm.zone.state.notices[ident].state for ident in arrived} == {"delivered"}
    assert picture(folded(storm.entries)) == picture(storm.zone.state)


def test_a_restart_loses_nothing_that_was_collected(storm: Night) -> None:
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
    storm.passes(1)
    told(storm, "juan")
    assert picture(folded(storm.entries)) == picture(storm.zone.state)
    storm.queued.clear()
    storm.zone = ZoneController("z3", storm.registry, storm.policy, folded(storm.entries))
    storm.does(Started("1.0"))
    assert told(storm, "juan") == []
    storm.passes(SUMMARY_S)
    assert sorted(" ".join(told(storm, "juan")).split()) == sorted(storm.codes[5:])


def test_when_it_is_quiet_each_call_comes_by_itself_again(storm: Night) -> None:
    for block in BLOCKS[:8]:
        storm.press("panic", node=f"{block}n1")
        storm.replies("juan", f"2 {storm.codes[-1]}")
    storm.passes(120)
    assert len(storm.bodies(StormWent)) == 1
    for code in storm.codes:
        storm.replies("juan", f"5 {code}")
    storm.all_read()
    storm.press("panic", node=f"{BLOCKS[9]}n1")
    assert told(storm, "juan") == [storm.codes[-1]]


def test_nothing_silent_makes_a_storm_or_waits_in_one(storm: Night) -> None:
    for block in BLOCKS:
        storm.press("violence", node=f"{block}n1")
    assert storm.bodies(StormCame) == []
    storm.sends()
    assert len(storm.unread.pop("vera")) == 20
    for block in BLOCKS:
        storm.press("panic", node=f"{block}n1")
    storm.press("violence", node=f"{BLOCKS[0]}n1", life="2")
    storm.sends()
    assert all(one.notice.template != "summary" for one in storm.unread.get("vera", []))
    assert not any(notice.held for body in storm.bodies(NoticesQueued, Chain.SEALED) for notice in body.notices)


def test_of_many_fires_the_zone_gets_one_warning_at_once_and_then_few() -> None:
    steps = "[[kinds.fire.steps]]\nafter_s = 0\n"
    night = Night(many_blocks(), Policy.parse(POLICY.replace(steps, steps + "everybody = true\n")))
    for block in BLOCKS:
        night.press("fire", node=f"{block}n1")
    night.passes(SUMMARY_S + 1)
    assert [one.notice.template for one in night.unread["vera"]] == ["everybody"] * 5 + ["summary_zone"] * 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(BLOCKS), st.sampled_from(["panic", "fire", "medical"]), st.sampled_from([0, 0.5, 2, 5, 20])), min_size=8,
                max_size=60), st.sets(st.sampled_from(["juan", "pia", *(f"rep{block}" for block in BLOCKS)]), max_size=10))
def test_every_press_is_on_record_and_every_incident_told_to_somebody_in_time(calls: list[tuple[str, str, float]], dead: set[str]) -> None:
    night = Night(many_blocks())
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="gone") if one.notice.member in dead else None
    for block, kind, pause_s in calls:
        night.press(kind, node=f"{block}n1")
        night.passes(pause_s)
    night.passes(200)
    assert len(night.bodies(PressRecorded)) == len(calls)
    opened = {body.incident: (at_ms, body) for _, at_ms, body in night.entries if isinstance(body, IncidentOpened)}
    reached: dict[str, int] = {}
    for _, at_ms, body in night.entries:
        if isinstance(body, NoticeMoved) and body.to == "notified":
            reached.setdefault(body.notice.rpartition("-")[0], at_ms)
    alive = {"juan", "pia"} - dead
    for ident, (at_ms, body) in opened.items():
        first_s = 0 if alive or f"rep{body.block}" not in dead else 120
        assert reached[ident] - at_ms <= (first_s + SUMMARY_S + 1) * 1000
    texts = Counter(one.member for one in night.notices() if one.channel == "sms" and not one.held and one.template in {"alarm", "summary"})
    assert texts["juan"] <= 5 + (200 + sum(pause for _, _, pause in calls)) // SUMMARY_S * 4
    police = [one.id.rpartition("-")[0] for one in night.notices() if one.reason == "POLICE" and "instead" not in one.about]
    assert len(police) == len(set(police)), "the police once for each block's emergency"
    assert picture(folded(night.entries)) == picture(night.zone.state)
    assert night.now.utc_ms > BEGAN_MS
