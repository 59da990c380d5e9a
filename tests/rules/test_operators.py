"""What is done at a console: each act in each state, who may, what the others hear, and what is refused with its reason."""

import pytest
from msgspec import structs

from controller.entries import (
    Chain,
    IncidentJudged,
    IncidentLooked,
    IncidentMeasured,
    IncidentMerged,
    IncidentMoved,
    IncidentNoted,
    IncidentOpened,
    IncidentSplit,
)
from controller.messages import Gesture, SirenOff
from controller.registry import Role
from controller.rules.console import acts, operators
from controller.rules.console.acts import Arrive, Close, HandOver, Judge, Merge, Note, Reopen, Split, Take, Verify
from controller.rules.effects import Refused
from controller.rules.incident import State
from controller.rules.inputs import NoticeTried, OperatorDid, RegistryChanged, Started, Tried
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import FIRST_RING, MEMBERS, POLICY, UNHURRIED, Night, always, member, of, registry
from tests.rules.test_lives import folded, picture

AT_ONCE = 'police = "immediately"\nenough = 2\nrepeat_s'
AFTER_VERIFICATION = Policy.parse(POLICY.replace(AT_ONCE, AT_ONCE.replace("immediately", "after-verification")))


def refusal(night: Night, name: str, act: acts.Act, incident: int = -1) -> Refused:
    [answer] = [effect for effect in night.does(OperatorDid("c1", name, act, night.bodies(IncidentOpened)[incident].incident))
                if isinstance(effect, Refused)]
    return answer


def in_state(night: Night, state: State) -> None:
    """One incident that caro is not part of, in this state."""
    night.press("panic")
    night.all_read()
    for word in {State.OPENED: [], State.TAKEN: ["1"], State.ON_SCENE: ["2"], State.CLOSED: ["2", "5"]}[state]:
        night.replies("rosa", word)
    night.all_read()


ACTS: dict[type[acts.IncidentAct], acts.Act] = {
    Verify: Verify(), Take: Take(), Arrive: Arrive(), HandOver: HandOver("juan", "rosa"), Merge: Merge("x"),
    Split: Split("b12n1", of(Night().press("panic"))), Close: Close("real"), Judge: Judge("prank"), Reopen: Reopen(), Note: Note("p-aaaaaaaaaa", "d"),
    acts.SirenOff: acts.SirenOff(),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("act", operators.RULES)
def test_every_act_in_every_state_is_possible_or_refused_with_who_made_it_so(night: Night, act: type[acts.IncidentAct], state: State) -> None:
    in_state(night, state)
    before = len(night.entries)
    [answer] = night.does(OperatorDid("c1", "caro", ACTS[act], night.bodies(IncidentOpened)[0].incident))[-1:]
    if state not in operators.RULES[act].states:
        assert isinstance(answer, Refused)
        assert (answer.code, answer.by) == ("state", "block" if state is State.OPENED else "rosa")
        assert state.value in answer.why
        assert len(night.entries) == before, "nothing is decided"
    else:
        assert not isinstance(answer, Refused) or answer.code not in {"state", "not-yours"}


@pytest.mark.parametrize("act", operators.RULES)
def test_a_technician_and_a_stranger_may_do_nothing_but_write_a_note(night: Night, act: type[acts.IncidentAct]) -> None:
    in_state(night, State.ON_SCENE if State.ON_SCENE in operators.RULES[act].states else State.CLOSED)
    assert night.acts("tito", ACTS[act]) == ("not-yours" if act is not Note else "")
    assert night.acts("nobody", ACTS[act]) == "unknown"


def test_who_takes_it_at_the_console_has_it_and_is_asked_where_the_page_is_not(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    assert night.acts("caro", Take()) == ""
    night.expects(rosa="taken", juan="taken", elva="taken", caro="taken_you")
    [moved] = night.bodies(IncidentMoved)
    assert (moved.to, moved.by, moved.channel) == ("taken", "caro", "console")
    assert refusal(night, "caro", Take()).by == "caro"
    night.passes(900)
    night.expects(caro="asked")


def test_what_waits_for_a_word_goes_to_the_police_when_an_operator_verifies_it() -> None:
    night = Night(policy=AFTER_VERIFICATION)
    night.births("b12n1")
    night.press("panic")
    night.expects(rosa="alarm", juan="alarm", elva="alarm")
    assert night.acts("caro", Verify()) == ""
    night.expects(desk="police")
    [noted] = night.bodies(IncidentNoted)
    assert (noted.by, noted.meaning, noted.channel) == ("caro", "verified", "console")
    answer = refusal(night, "desk", Verify())
    assert (answer.code, answer.by) == ("done", "caro")


@pytest.mark.parametrize("how", ["another button", "on scene"])
def test_another_button_and_whoever_is_there_verify_it_too(how: str) -> None:
    night = Night(policy=AFTER_VERIFICATION)
    night.births("b12n1")
    night.press("panic")
    night.all_read()
    if how == "on scene":
        night.replies("rosa", "2")
    else:
        night.press("panic", node="b12n2")
    night.passes(1)
    assert night.reads("desk") == ["police"]
    [verified] = [body for body in night.bodies(IncidentNoted) if body.meaning == "verified"]
    assert verified.by == ("rosa" if how == "on scene" else "block")


def test_one_operators_word_ends_nothing_and_a_second_one_does(night: Night) -> None:
    night.press("panic")
    night.all_read()
    assert night.acts("caro", Close("mistake", "p-bbbbbbbbbb", "digest")) == "second-word"
    assert night.bodies(IncidentMoved) == []
    night.replies("rosa", "3")
    [moved] = night.bodies(IncidentMoved)
    assert (moved.to, moved.outcome) == ("closed", "mistake")
    assert [body.note_ref for body in night.bodies(IncidentNoted)] == ["p-bbbbbbbbbb", ""]


def test_an_operator_closes_what_somebody_is_at_with_outcome_and_note(night: Night) -> None:
    in_state(night, State.ON_SCENE)
    assert night.acts("caro", Close("weather")) == "outcome"
    assert night.acts("caro", Close("good-faith", "p-bbbbbbbbbb", "digest")) == ""
    assert (night.bodies(IncidentMoved)[-1].outcome, night.bodies(IncidentNoted)[-1].digest) == ("good-faith", "digest")
    assert isinstance(night.orders()[-1].order, SirenOff)
    night.passes(1)
    assert night.reads("rosa") == night.reads("juan") == ["closed"]


def test_of_two_who_close_it_at_once_the_second_hears_who_was_first(night: Night) -> None:
    night = Night(registry(members=[*MEMBERS, member("cata", Role.COORDINATOR)]))
    night.births("b12n1")
    in_state(night, State.ON_SCENE)
    assert night.acts("caro", Close("real")) == ""
    answer = refusal(night, "cata", Close("prank"))
    assert (answer.code, answer.by) == ("state", "caro")
    assert "closed" in answer.why
    assert "by console" in answer.why
    assert night.bodies(IncidentMoved)[-1].outcome == "real"


def test_what_it_was_after_all_is_said_later(night: Night) -> None:
    in_state(night, State.CLOSED)
    assert night.acts("caro", Judge("faulty-hardware", "p-bbbbbbbbbb", "d")) == ""
    assert night.bodies(IncidentJudged)[0].by == "caro"
    night.ends_quietly(600)


def test_an_operator_reopens_and_it_goes_on_one_ring_wider(night: Night) -> None:
    in_state(night, State.CLOSED)
    assert night.acts("caro", Reopen()) == ""
    night.expects(rosa="reopened", juan="reopened", elva="reopened", desk="reopened", caro="alarm")
    assert night.shown()["b12n1"] == "open"
    night.passes(370)
    assert "repeat" in night.reads("rosa")


def test_handed_over_it_stays_with_the_giver_until_the_other_goes(night: Night) -> None:
    in_state(night, State.TAKEN)
    assert night.acts("caro", HandOver("juan", "elva")) == "not-taken"
    assert night.acts("rosa", HandOver("tito")) == ""  # a technician may be asked, too: whoever is near
    night.expects(tito="hand_over")
    assert night.acts("rosa", HandOver("juan")) == ""
    night.expects(juan="hand_over")
    incident = next(iter(night.zone.state.incidents.values()))
    assert incident.takers == ["rosa"]
    night.replies("juan", "1")
    night.expects(rosa="handed_over", elva="taken", tito="taken", juan="taken_you")
    assert incident.takers == ["juan"]
    assert night.shown()["b12n1"] == "taken"
    night.passes(900)
    night.expects(juan="asked")


@pytest.mark.parametrize("how", ["silence", "no puedo"])
def test_an_offer_that_is_not_taken_ends_and_the_giver_hears_that_it_is_still_theirs(night: Night, how: str) -> None:
    in_state(night, State.TAKEN)
    night.acts("rosa", HandOver("juan"))
    night.expects(juan="hand_over")
    if how == "silence":
        night.passes(170)
        night.expects()
        night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
        night.does(Started("1.0"))
        night.passes(11)
        night.expects(rosa="not_handed_over")
    else:
        night.replies("juan", how)
        night.expects(rosa="not_handed_over", juan="cannot_you")
        night.passes(300)
        assert "not_handed_over" not in night.reads("rosa"), "it is said once"
    incident = next(iter(night.zone.state.incidents.values()))
    assert (incident.takers, night.zone.state.courses.of[incident.id].offers) == (["rosa"], {})
    night.replies("juan", "1")
    assert incident.takers == ["rosa", "juan"], "an offer that is over takes nothing from the giver"


def test_whoever_is_there_hands_over_to_one_who_is_still_on_the_way(night: Night) -> None:
    in_state(night, State.ON_SCENE)
    night.acts("rosa", HandOver("juan"))
    night.replies("juan", "1")
    incident = next(iter(night.zone.state.incidents.values()))
    assert (incident.state, incident.takers, incident.present) == (State.TAKEN, ["juan"], [])
    assert night.shown()["b12n1"] == "taken", "the light claims no more than is so"


def two_blocks(**more: str) -> Night:
    night = Night(registry(shifts=[*registry().shifts, always("elva", Role.REPRESENTATIVE, "b13")]))
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.press(more.get("first", "panic"))
    night.press(more.get("second", "panic"), node="b13n1", name="b1")
    night.all_read()
    return night


def test_merged_it_goes_on_as_the_other_with_the_presses_and_takers_of_both() -> None:
    night = two_blocks(second="medical")
    first, second = night.zone.state.incidents.values()
    night.replies("elva", f"1 {night.codes[0]}")
    night.all_read()
    assert night.acts("caro", Merge(second.id), 0) == ""
    assert (first.state, first.outcome, second.state, second.takers) == (State.CLOSED, "merged", State.TAKEN, ["elva"])
    assert len(second.presses) == 2
    assert second.kind == "panic", "the more serious kind"
    assert night.shown() == {"b12n1": "taken", "b12n2": "taken", "b13n1": "taken"}
    night.passes(1)
    assert night.reads("desk") == ["police", "closed"], "the second alarm, and then the end of the first"
    assert night.reads("rosa") == ["merged", "taken"]
    assert [body.into for body in night.bodies(IncidentMerged)] == [second.id]
    night.replies("rosa", f"2 {night.codes[1]}")
    night.press("panic", node="b12n2")
    assert len(night.bodies(IncidentOpened)) == 2, "a press of either block joins it"
    night.replies("rosa", f"5 {night.codes[1]}")
    assert night.shown() == {"b12n1": "closed", "b12n2": "closed", "b13n1": "closed"}
    assert picture(folded(night.entries)) == picture(night.zone.state)
    assert night.acts("caro", Reopen(), 0) == "merged"


def test_what_the_first_ones_button_says_is_about_the_one_it_goes_on_as() -> None:
    night = Night()
    for node in ("b12n1", "b13n1"):
        night.births(node)
    first = night.press("panic")
    night.press("panic", node="b13n1")
    night.all_read()
    second = list(night.zone.state.incidents)[1]
    assert night.acts("caro", Merge(second), 0) == ""
    night.replies("juan", f"1 {night.codes[1]}")
    night.all_read()
    night.press("panic", gesture=Gesture.CAME, refers_to=of(first))
    night.expects(juan="came")
    assert night.bodies(IncidentNoted)[-1].incident == second


def test_who_had_not_read_either_is_called_to_one_of_the_two() -> None:
    night = Night()
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy") if one.notice.member == "juan" else None
    night.press("medical")
    night.press("fire", node="b13n1")
    night.all_read()
    into, one = night.zone.state.incidents.values()
    night.failing = lambda _: None
    assert night.acts("caro", Merge(into.id)) == ""
    assert (into.kind, one.outcome) == ("fire", "merged")
    night.passes(60)
    assert night.reads("juan") == ["alarm"]


@pytest.mark.parametrize(("one", "other"), [("violence", "panic"), ("panic", "tamper"), ("panic", "drill")])
def test_never_merged(one: str, other: str) -> None:
    night = Night(registry(members=[*(each for each in MEMBERS if each.id != "caro"), member("caro", Role.COORDINATOR, Role.TRAINED_VIOLENCE)]))
    night.press(one)
    night.press("panic" if other == "drill" else other, node="b13n1", drill=other == "drill",
                gesture=Gesture.CUT if other == "tamper" else Gesture.HOLD)
    second = list(night.zone.state.incidents.values())[1]
    assert night.acts("caro", Merge(second.id), 0) == "incompatible"


def test_silent_ones_whose_buttons_exclude_others_are_never_one() -> None:
    network = registry()
    inputs = dict(network.inputs)
    inputs["b12n2", "h1"] = structs.replace(inputs["b12n2", "h1"], excludes=("vera",))
    night = Night(structs.replace(network, inputs=inputs))
    night.press("violence")
    night.press("violence", node="b12n2")
    first, second = night.zone.state.incidents.values()
    assert night.acts("vilma", Merge(second.id), 0) == "incompatible"
    assert night.acts("vera", Merge(second.id), 0) == "unknown", "to who is excluded it does not exist"
    assert night.acts("vera", Merge(first.id), 1) == "unknown"


def test_a_press_that_was_another_emergency_becomes_an_incident_of_its_own(night: Night) -> None:
    first = night.press("panic")
    press = night.press("fire", node="b12n1", name="f1")
    night.all_read()
    assert night.acts("caro", Split("b12n1", of(first))) == "press"
    assert night.acts("caro", Split("b12n1", of(press))) == ""
    [_, made] = night.bodies(IncidentOpened)
    assert (made.kind, made.input, made.seq) == ("fire", "f1", press.seq)
    assert night.bodies(IncidentSplit)[0].into == made.incident
    night.passes(1)
    assert night.reads("rosa") == ["alarm"]
    assert night.reads("desk") == ["police"]
    assert night.acts("caro", Split("b12n1", of(press)), 0) == "press"
    again = night.zone.state.incidents[made.incident]
    assert night.acts("caro", Merge(night.bodies(IncidentOpened)[0].incident)) == ""
    assert night.acts("caro", Split("b12n1", of(press)), 0) == "", "and once more, under another id"
    assert len({body.incident for body in night.bodies(IncidentOpened)}) == 3
    assert not again.is_open
    assert picture(folded(night.entries)) == picture(night.zone.state)


def test_who_looks_at_a_silent_incident_is_on_record_and_to_others_there_is_none(night: Night) -> None:
    night.press("violence")
    night.press("panic")
    silent, panic = (body.incident for body in night.bodies(IncidentOpened))
    before = night.open_side()
    assert night.looks("vera", silent) == ""
    assert night.looks("caro", silent) == night.looks("caro", "neverwas00") == "unknown"
    assert [(body.by, body.channel) for body in night.bodies(IncidentLooked, Chain.SEALED)] == [("vera", "console")]
    assert night.looks("caro", panic) == ""
    assert len(night.bodies(IncidentLooked)) == 1
    assert [one for one in night.open_side() if one not in before and type(one).__name__ not in {"Accepted", "Refused"}] == []


def test_a_silent_incident_of_last_year_is_still_hidden_from_whom_it_excluded() -> None:
    night = Night(registry(excludes=["vilma"]), UNHURRIED)
    night.press("violence")
    [silent] = (body.incident for body in night.bodies(IncidentOpened))
    night.replies("vera", "2")
    night.replies("vera", "5")
    night.passes(3 * 86_400)
    assert silent not in night.zone.state.incidents
    night.does(RegistryChanged(registry(8)))
    assert [night.looks(name, silent) for name in ("vilma", "ema", "caro")] == ["unknown"] * 3
    assert night.looks("vera", "neverwas00") == "unknown", "what never was is on no record"
    assert night.looks("vera", silent) == ""
    assert [body.by for body in night.bodies(IncidentLooked)] == ["vera"]
    assert picture(folded(night.entries))["secrets"] == picture(night.zone.state)["secrets"]


def test_the_answer_times_of_an_incident_are_on_record_at_its_end_and_count_anew_when_it_is_reopened(night: Night) -> None:
    night.press("panic")
    night.passes(20)
    night.replies("rosa", "1")
    night.passes(40)
    night.does(Started("1.0"))
    night.replies("rosa", "2")
    night.passes(60)
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    night.replies("rosa", "5")
    [measured] = night.bodies(IncidentMeasured)
    assert (measured.heard_ms, measured.taken_ms, measured.on_scene_ms) == (20_000, 20_000, 60_000)
    night.passes(100)
    night.acts("caro", Reopen())
    night.passes(30)
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    assert night.bodies(IncidentMeasured)[-1].on_scene_ms == 30_000


def test_what_nobody_answered_was_never_heard(night: Night) -> None:
    press = night.press("panic")
    night.passes(5)
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.passes(24 * 3600)
    [measured] = night.bodies(IncidentMeasured)
    assert (measured.heard_ms, measured.taken_ms, measured.on_scene_ms, measured.police_ms) == (-1, -1, -1, -1)
