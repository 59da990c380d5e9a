"""The blocks beside one that calls: their strobes flash, those on duty there are told, and another zone is asked for its own."""

from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from controller.entries import AidAsked, AidGiven, Chain, OrderSent
from controller.errors import BadConfig
from controller.messages import Gesture, StrobeOn
from controller.registry import Block, Registry, Role
from controller.rules.calling.neighbours import Neighbourhood, distance_m
from controller.rules.inputs import AidCalled, Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, POLICY, SHIFTS, Night, always, member, of, registry
from tests.rules.test_lives import folded

AIDING = POLICY.replace("neighbours = { strobe = true, within_m = 120 }", "neighbours = { strobe = true, tell = [\"representative\"] }")


def network() -> Registry:
    found = registry(members=[*MEMBERS, member("nina", Role.REPRESENTATIVE)], shifts=[*SHIFTS, always("nina", Role.REPRESENTATIVE, "b13")])
    blocks = {**found.blocks, "b12": structs.replace(found.blocks["b12"], neighbours=("b13", "z2/z2b01"))}
    return structs.replace(found, blocks=blocks)


@pytest.fixture
def night() -> Night:
    night = Night(network(), Policy.parse(AIDING))
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.all_read()
    return night


def strobes(night: Night) -> list[tuple[str, int]]:
    return [(one.node, one.order.for_s) for one in night.orders() if isinstance(one.order, StrobeOn)]


def test_the_neighbours_strobes_flash_and_their_people_are_told_and_all_ends_with_it(night: Night) -> None:
    press = night.press("panic")
    assert strobes(night) == [("b13n1", 180)]
    night.sends()
    assert night.reads("nina") == ["alarm"]
    assert night.shown()["b13n1"] == "none", "no light at a neighbour's button says that help is coming there"
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    night.passes(s=1)
    assert strobes(night) == [("b13n1", 180), ("b13n1", 0)]
    assert night.reads("nina")[-1] == "closed"
    night.press("panic", gesture=Gesture.REOPEN, refers_to=of(press))
    assert strobes(night)[2:] == [("b13n1", 180)]


def test_the_neighbours_are_not_neighbours_back_unless_the_list_says_so(night: Night) -> None:
    night.press("panic", node="b13n1")
    assert strobes(night) == []


def test_a_cancel_puts_the_strobes_out(night: Night) -> None:
    press = night.press("panic")
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    assert strobes(night) == [("b13n1", 180), ("b13n1", 0)]


@pytest.mark.parametrize("how", [{"kind": "violence"}, {"kind": "extortion"}, {"kind": "panic", "drill": True}, {"kind": "panic", "age_s": 700},
                                 {"kind": "medical"}])
def test_nothing_silent_late_of_an_exercise_or_of_another_kind_is_anybody_s_next_door(night: Night, how: dict[str, object]) -> None:
    night.press(**how)  # type: ignore[arg-type]  # press's own arguments
    night.passes(s=5)
    assert strobes(night) == []
    assert night.bodies(AidAsked) == []
    assert night.reads("nina") == []


def test_a_strobe_that_flashes_for_another_emergency_goes_on() -> None:
    found = network()
    both = {**found.blocks, "b14": structs.replace(found.blocks["b12"], id="b14")}
    nodes = {**found.nodes, "b14n1": structs.replace(found.nodes["b12n1"], id="b14n1", block="b14")}
    night = Night(structs.replace(found, blocks=both, nodes=nodes), Policy.parse(AIDING))
    for node in ("b12n1", "b13n1", "b14n1"):
        night.births(node)
    one, other = night.press("panic"), night.press("panic", node="b14n1")
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(one))
    assert [for_s for node, for_s in strobes(night) if node == "b13n1"] == [180, 180]
    night.press("panic", node="b14n1", gesture=Gesture.CANCEL, refers_to=of(other))
    assert [for_s for node, for_s in strobes(night) if node == "b13n1"] == [180, 180, 0]


def test_another_zone_is_asked_once_and_it_is_on_record(night: Night) -> None:
    night.press("panic")
    night.press("panic")
    [asked] = night.bodies(AidAsked, Chain.OPEN)
    assert (asked.zone, asked.block, asked.kind) == ("z2", "z2b01", "panic")


def test_after_a_restart_the_end_still_puts_the_strobes_out(night: Night) -> None:
    night.press("panic")
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    for node in ("b12n1", "b13n1"):
        night.beats(node)
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    assert [body.order for body in night.bodies(OrderSent) if body.order.startswith("strobe")] == ["strobe-on", "strobe-off"]
    assert folded(night.entries).aid == night.zone.state.aid


def test_what_another_zone_asks_is_done_once_by_this_zone_s_own_policy(night: Night) -> None:
    asked = AidCalled("z2", "abcdefghij", "b13", "panic")
    night.does(asked)
    assert strobes(night) == [("b13n1", 180)]
    night.does(asked)
    night.expects(nina="aid")
    assert len(night.bodies(AidGiven)) == len(strobes(night)) == 1
    for other in (structs.replace(asked, kind="medical"), structs.replace(asked, kind="violence"), structs.replace(asked, block="b99")):
        night.does(other)
    assert len(strobes(night)) == 1
    night.expects()


def test_a_silent_kind_with_neighbours_is_refused() -> None:
    text = POLICY.replace("[kinds.violence]\n", "[kinds.violence]\nneighbours = { strobe = true }\n")
    with pytest.raises(BadConfig, match=r"\[kinds.violence\] neighbours: set; expected none, since the kind is silent"):
        Policy.parse(text)


# --- which they are

def placed(**where: tuple[float, float] | None) -> Registry:
    blocks = {name: Block(name, "z3", name, "", latitude=at[0] if at else None, longitude=at[1] if at else None) for name, at in where.items()}
    return structs.replace(registry(), blocks=blocks)


def test_near_blocks_come_after_those_on_the_list_the_nearest_first() -> None:
    found = placed(a=(-12.15, -76.93), b=(-12.151, -76.93), c=(-12.1505, -76.93), d=(-12.16, -76.93), e=None)
    near = Neighbourhood(found)
    assert near.of("a", 150) == near.of("a", 5000)[:2] == ("c", "b")
    assert near.of("a") == near.of("e", 5000) == near.of("nowhere", 5000) == ()
    listed = structs.replace(found, blocks={**found.blocks, "a": structs.replace(found.blocks["a"], neighbours=("b", "gone", "z2/x1"))})
    assert Neighbourhood(listed).of("a", 150) == ("b", "z2/x1", "c")


@given(st.floats(-60, 60), st.floats(-179, 178), st.floats(-400, 400), st.floats(-400, 400))
def test_a_few_hundred_metres_are_what_a_map_says(latitude: float, longitude: float, north_m: float, east_m: float) -> None:
    degree_m = 111_195.08
    one = Block("a", "z", "a", "", latitude=latitude, longitude=longitude)
    other = structs.replace(one, latitude=latitude + north_m / degree_m, longitude=longitude + east_m / degree_m / cos(radians(latitude)))
    metres = distance_m(one, other)
    assert metres is not None
    assert abs(metres - (north_m**2 + east_m**2) ** 0.5) < 0.5
    assert distance_m(other, one) == pytest.approx(metres)
