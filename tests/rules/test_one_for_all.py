"""What one member can do at a console, or the registry to a member, keeps nobody from being told."""

import pytest

from controller.entries import Chain, IncidentMoved, IncidentNoted, IncidentOpened, VerifyFirstSet
from controller.messages import Gesture
from controller.registry import Role
from controller.rules.console.acts import Arrive, HandOver, Judge, Merge, Take
from controller.rules.incident import State
from controller.rules.inputs import RegistryChanged
from tests.rules.night import MEMBERS, SHIFTS, Night, always, member, of, registry
from tests.rules.test_lives import folded, picture


def two_blocks() -> Night:
    night = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    return night


def test_a_live_call_is_not_merged_into_one_that_the_block_has_taken_back() -> None:
    night = two_blocks()
    press = night.press("panic", node="b13n1")
    night.press("panic", node="b13n1", gesture=Gesture.CANCEL, refers_to=of(press))
    night.press("panic")
    night.all_read()
    gone, live = night.zone.state.incidents.values()
    assert night.acts("caro", Merge(gone.id), 1) == "incompatible"
    assert live.state is State.OPENED
    assert night.acts("caro", Merge(live.id), 0) == ""


def test_nor_into_a_late_one() -> None:
    night = two_blocks()
    night.press("panic", node="b13n1", age_s=1800)
    night.press("panic")
    night.all_read()
    late = next(iter(night.zone.state.incidents))
    assert night.acts("caro", Merge(late), 1) == "incompatible"


def test_nor_into_one_that_whoever_merges_has_alone() -> None:
    night = two_blocks()
    night.press("panic", node="b13n1")
    night.all_read()
    assert night.acts("caro", Arrive(), 0) == ""
    night.press("panic")
    night.all_read()
    own = next(iter(night.zone.state.incidents))
    assert night.acts("caro", Merge(own), 1) == "incompatible"
    night.passes(121)
    assert "repeat" not in night.reads("elva")
    assert night.acts("caro", Take(), 1) == "", "they may take it; who else is called goes on being called"
    assert night.acts("caro", Merge(own), 1) == ""


def test_that_there_are_weapons_is_not_lost_when_two_become_one() -> None:
    night = two_blocks()
    night.press("panic", node="b13n1")
    night.replies("juan", f"1 {night.codes[0]}")
    night.press("panic")
    night.all_read()
    night.replies("rosa", f"4 {night.codes[1]}")
    into = next(iter(night.zone.state.incidents))
    night.all_read()
    assert night.acts("caro", Merge(into), 1) == ""
    night.all_read()
    night.replies("elva", f"1 {night.codes[0]}")
    night.passes(1)
    assert "armed" in night.reads("elva"), "whoever takes it later hears it"
    assert picture(folded(night.entries)) == picture(night.zone.state)


def test_that_a_button_is_faulty_is_not_said_by_one_who_went() -> None:
    night = two_blocks()
    for _ in range(2):
        night.press("panic")
        night.passes(1)
        for name, word in (("juan", "1"), ("rosa", "2"), ("rosa", "5")):
            night.replies(name, word)
        night.passes(120)
        assert night.acts("juan", Judge("faulty-hardware")) == "not-yours"
        assert night.acts("juan", Judge("mistake")) == ""
    assert night.bodies(VerifyFirstSet) == []
    night.all_read()
    night.press("panic")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_nobody_takes_away_from_those_who_go_what_they_have() -> None:
    night = two_blocks()
    night.press("panic")
    night.all_read()
    night.replies("rosa", "1")
    night.replies("juan", "1")
    assert night.acts("caro", Take()) == ""
    assert night.acts("caro", HandOver("caro", "rosa")) == "to"
    assert next(iter(night.zone.state.incidents.values())).takers == ["rosa", "juan", "caro"]


def without(name: str) -> RegistryChanged:
    people = [one for one in MEMBERS if one.id != name]
    return RegistryChanged(registry(8, members=people, shifts=[one for one in SHIFTS if one.member != name]))


@pytest.mark.parametrize("word", ["1", "2"])
def test_who_had_it_and_is_taken_out_of_the_registry_is_waited_for_no_more(word: str) -> None:
    night = two_blocks()
    night.press("panic")
    night.all_read()
    night.replies("rosa", word)
    night.all_read()
    night.does(without("rosa"))
    night.passes(1)
    incident = next(iter(night.zone.state.incidents.values()))
    assert (incident.state, incident.takers, incident.present) == (State.OPENED, [], [])
    assert night.reads("juan") == ["gave_up"]
    assert "alarm" in night.reads("caro"), "the rings go on at once"
    assert [(body.by, body.channel) for body in night.bodies(IncidentNoted) if body.meaning == "cannot"] == [("rosa", "registry")]
    assert night.bodies(IncidentMoved)[-1].by == "rules"
    assert picture(folded(night.entries)) == picture(night.zone.state)


def test_another_who_goes_too_has_it_still() -> None:
    night = two_blocks()
    night.press("panic")
    night.all_read()
    night.replies("rosa", "1")
    night.replies("juan", "1")
    night.all_read()
    night.does(without("rosa"))
    night.passes(1)
    incident = next(iter(night.zone.state.incidents.values()))
    assert (incident.state, incident.takers) == (State.TAKEN, ["juan"])
    assert night.reads("caro") == []


def test_who_is_shut_out_of_a_silent_incident_that_they_have_taken_muzzles_it_no_more_and_hears_nothing() -> None:
    people = [*MEMBERS, member("mario", Role.TRAINED_VIOLENCE)]
    shifts = [*SHIFTS, always("mario", Role.TRAINED_VIOLENCE)]
    night = Night(registry(members=people, shifts=shifts))
    night.births("b12n1")
    night.press("violence")
    night.all_read()
    night.replies("mario", "1")
    night.all_read()
    [opened] = night.bodies(IncidentOpened, Chain.SEALED)
    assert night.zone.state.incidents[opened.incident].takers == ["mario"]
    night.does(RegistryChanged(registry(8, members=people, shifts=shifts, excludes=["mario"])))
    night.passes(3)
    assert night.zone.state.incidents[opened.incident].takers == []
    assert night.reads("mario") == []
    assert night.reads("vera")[0] == "gave_up"
