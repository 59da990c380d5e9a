"""What is changed while an incident is open: policy and registry do not open a secret to anybody."""

from collections.abc import Callable

import pytest
from msgspec import structs

from controller.entries import FaultRaised
from controller.messages import Gesture, Online, Settings, decode, encode
from controller.rules.effects import SendDown
from controller.rules.inputs import PolicyChanged, RegistryChanged, Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import POLICY, Night, boot_of, registry

RENAMED = POLICY.replace("[kinds.violence", "[kinds.home").replace('group = "violence"', 'group = "home"')
"""A policy that calls the silent kind by another name."""
CIRCLE = {"vera", "vilma", "desk"}


def running(night: Night) -> None:
    night.does(PolicyChanged(Policy.parse(RENAMED)))


def restarted(night: Night) -> None:
    night.zone = ZoneController("z3", night.registry, Policy.parse(RENAMED), night.zone.state)
    night.does(Started("1.1"))


def hears(night: Night) -> set[str]:
    """Who was told anything of an incident."""
    return {notice.member for notice in night.notices() if notice.reason != "FAULT"}


@pytest.mark.parametrize("change", [running, restarted])
def test_a_silent_incident_stays_its_circles_when_a_policy_no_longer_knows_its_kind(change: Callable[[Night], None]) -> None:
    night = Night()
    night.press("violence")
    night.passes(s=1)
    change(night)
    night.passes(s=900)
    assert hears(night) == CIRCLE
    assert "repeat" in night.reads("vera"), "it goes on being told"
    night.replies("vera", "1")
    night.sends()
    assert night.reads("vera") == ["taken_you"]
    assert hears(night) == CIRCLE


@pytest.mark.parametrize("change", [running, restarted])
def test_a_hidden_button_stays_silent_when_a_policy_no_longer_knows_its_kind(change: Callable[[Night], None]) -> None:
    night = Night()
    for node in ("b12n1", "b12n2"):
        night.births(node)
    change(night)
    night.passes(s=1)
    seen = night.open_side()
    assert {fault.code for fault in night.bodies(FaultRaised)} == {"unknown-kind:h1"}
    night.press("violence")
    night.sends()
    assert night.open_side() == seen, "no siren, no light, no open entry"
    assert hears(night) == CIRCLE
    night.does(RegistryChanged(registry(8)))
    night.press("violence", node="b12n2")
    night.sends()
    assert night.orders() == []
    assert hears(night) == CIRCLE


def test_a_node_that_is_moved_to_another_block_does_not_go_on_showing_the_first_ones_help() -> None:
    night = Night()
    night.births("b12n1")
    night.press("panic")
    night.sends()
    night.replies("rosa", "1")
    assert night.shown() == {"b12n1": "taken"}
    shown = night.lights["b12n1"]
    moved = registry(8)
    nodes = {**moved.nodes, "b12n1": structs.replace(moved.nodes["b12n1"], block="b13")}
    night.does(RegistryChanged(structs.replace(moved, nodes=nodes)))
    for state in ("none", "open"):
        # The node takes what bears a higher revision than it has, and nothing else.
        night.beats("b12n1", incident_rev=shown.rev, settings_rev=night.zone.state.settings_rev)
        assert (night.lights["b12n1"].state, night.lights["b12n1"].rev > shown.rev) == (state, True)
        shown = night.lights["b12n1"]
        sent = len(night.done)
        night.beats("b12n1", incident_rev=shown.rev, settings_rev=night.zone.state.settings_rev)
        assert night.done[sent:] == [], "it is up to date"
        night.press("panic")
        night.sends()


@pytest.mark.parametrize("gesture", [Gesture.HOLD, Gesture.CUT])
def test_who_was_excluded_stays_so_when_the_button_leaves_the_registry(gesture: Gesture) -> None:
    night = Night(registry(excludes=["vera"]))
    if gesture is Gesture.CUT:
        night.press("tamper", gesture=gesture, name="h1")
    else:
        night.press("violence")
    night.passes(s=1)
    changed = registry(8)
    night.does(RegistryChanged(structs.replace(changed, inputs={key: one for key, one in changed.inputs.items() if one.kind != "violence"})))
    night.passes(s=900)
    night.replies("vera", f"1 {night.codes[0]}")
    night.sends()
    assert night.reads("vera") == ["nothing_open"]
    assert not hears(night) & {"rosa", "juan", "elva", "caro", "tito"}


def test_no_node_makes_the_others_settings_bear_a_revision_that_cannot_be_said() -> None:
    night = Night()
    night.births("b13n1", settings_rev=2**53)
    night.births("b12n1")
    [rev] = {effect.message.rev for effect in night.done if isinstance(effect, SendDown) and isinstance(effect.message, Settings)}
    birth = Online(boot_of("b12n1"), online=True, settings_rev=rev)
    assert decode("up/online", encode(birth)) == birth
