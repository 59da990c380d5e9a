"""Silent presses: their circle is told, and nobody else can see or count them."""


import pytest

from controller.entries import (
    Chain,
    ExclusionsInForce,
    FaultRaised,
    IncidentMoved,
    IncidentOpened,
    NodeAskedRecorded,
    PressRecorded,
    RegistryInForce,
)
from controller.messages import Ask, Gesture, LightState
from controller.registry import Role
from controller.rules.inputs import (
    NodeAsked,
    RegistryChanged,
    Started,
)
from tests.rules.night import MEMBERS, Night, boot_of, member, of, registry


def test_a_silent_press_tells_its_circle_and_nobody_else(night: Night) -> None:
    before = night.open_side()
    night.press("violence")
    night.expects(vera="alarm", vilma="alarm", desk="police")
    assert all(chain is Chain.SEALED for chain, _, body in night.entries[-8:] if isinstance(body, PressRecorded | IncidentOpened))
    night.replies("vera", "1")
    night.passes(s=1)
    assert night.reads("vera") == ["taken_you"]
    assert night.reads("vilma") == ["taken"]
    assert night.reads("rosa") == night.reads("caro") == []
    assert night.open_side() == before
    assert all(light.state is LightState.NONE for light in night.lights.values())


def test_a_silent_press_is_no_part_of_an_audible_one_nor_the_reverse(night: Night) -> None:
    night.press("violence")
    night.press("panic")
    night.press("extortion")
    assert [body.kind for body in night.bodies(IncidentOpened)] == ["violence", "panic", "extortion"]


@pytest.mark.parametrize("kinds", [["violence"], ["extortion", "violence"]])
def test_the_open_side_of_a_night_is_the_same_with_silent_presses_and_without(kinds: list[str]) -> None:
    def lives(silent: list[str]) -> list[object]:
        night = Night()
        for node in ("b12n1", "b12n2", "b13n1"):
            night.births(node)
        night.press("panic", node="b13n1")
        for kind in silent:
            night.press(kind)
            night.press(kind, seq=1, conflicts_with="d" * 32)
        night.passes(s=30)
        night.press("panic")
        if silent:
            night.replies("vera", "1")
        if "extortion" in silent:
            night.replies("ema", "jajaja")
        night.passes(s=200)
        night.does(Started("1.0"))
        night.beats("b12n1")
        night.replies("juan", f"1 {night.codes[0]}")
        night.passes(s=4000)
        return night.open_side()

    assert lives(kinds) == lives([])


def test_whom_a_silent_input_excludes_is_told_nothing_by_any_way() -> None:
    people = [*(one for one in MEMBERS if one.id not in {"vera", "desk"}), member("vera", Role.TRAINED_VIOLENCE, Role.COORDINATOR),
              member("desk", Role.POLICE_DESK)]
    night = Night(registry(members=people, excludes=["vera", "desk"]))
    night.press("violence")
    night.expects(vilma="alarm")
    night.replies("vera", f"1 {night.codes[0]}")
    night.replies("desk", "1")
    night.passes(s=1)
    assert night.bodies(IncidentMoved) == []
    assert night.reads("vera") == night.reads("desk") == ["nothing_open"]
    night.replies("vilma", "1")
    night.passes(s=7200)
    assert night.reads("vera") == night.reads("desk") == []


def test_forced_looks_like_a_cancel_and_raises_the_silent_circle() -> None:
    def lives(gesture: Gesture) -> Night:
        night = Night()
        for node in ("b12n1", "b12n2", "b13n1"):
            night.births(node)
        press = night.press("panic")
        night.passes(s=10)
        night.press("panic", gesture=gesture, refers_to=of(press))
        night.passes(s=1)
        return night

    forced, plain = lives(Gesture.FORCED_CANCEL), lives(Gesture.CANCEL)
    assert forced.open_side() == plain.open_side()
    assert forced.reads("ema") == ["alarm"]
    assert plain.reads("ema") == []
    [sealed] = forced.bodies(PressRecorded, Chain.SEALED)
    assert sealed.gesture == "forced"


def test_forced_at_rest_is_a_call_too(night: Night) -> None:
    night.press("panic", gesture=Gesture.FORCED_CANCEL)
    night.passes(s=1)
    assert night.reads("ema") == ["alarm"]
    assert night.reads("rosa") == []


def test_a_wire_cut_at_a_silent_button_is_its_circles_alone(night: Night) -> None:
    night.press("tamper", gesture=Gesture.CUT, name="h1")
    night.passes(s=1)
    assert night.reads("vera") == ["alarm"]
    assert night.reads("tito") == night.reads("rosa") == []
    night.press("tamper", gesture=Gesture.OPENED, name="case")
    night.passes(s=1)
    assert night.reads("rosa") == ["alarm"]
    assert night.shown()["b12n1"] == "none"


def test_who_is_excluded_is_on_record_in_the_sealed_chain_alone_and_once() -> None:
    night = Night(registry(excludes=["vera"]))
    night.does(RegistryChanged(registry(7, excludes=["vera"])))
    night.does(RegistryChanged(registry(7)))
    night.does(RegistryChanged(registry(7)))
    assert not night.bodies(ExclusionsInForce, Chain.OPEN)
    assert [{one.members for one in body.exclusions} for body in night.bodies(ExclusionsInForce, Chain.SEALED)] == [{("vera",)}, set()]
    assert len(night.bodies(RegistryInForce)) == 1, "the open chain shows no such change"


def test_who_is_excluded_later_hears_no_more(night: Night) -> None:
    night.press("violence")
    night.all_read()
    night.does(RegistryChanged(registry(8, excludes=["vera"])))
    night.replies("vilma", "1")
    night.replies("vera", "3")
    night.passes(s=3600)
    assert night.reads("vera") == ["nothing_open"]


def test_a_fault_about_a_silent_press_neither_hides_nor_shows(night: Night) -> None:
    night.press("violence", conflicts_with="d" * 32)
    night.press("violence", conflicts_with="e" * 32)
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q1", "b1")))
    assert [(body.ok, body.why) for body in night.bodies(NodeAskedRecorded)] == [(1, "")]
    night.press("panic", conflicts_with="d" * 32)
    assert len(night.bodies(FaultRaised, Chain.OPEN)) == len(night.bodies(FaultRaised, Chain.SEALED)) == 1
