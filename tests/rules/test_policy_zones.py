"""A zone's own part of the policy: merged key by key, checked whole, faults named with their path."""

import pytest

from controller.errors import BadConfig
from controller.messages import Gesture
from controller.rules.inputs import PolicyChanged
from controller.rules.policy import Policy, earlier
from controller.rules.policy_kinds import Visible
from tests.rules.night import POLICY, Night, registry

OWN = POLICY + """
[zones.z3.kinds.panic]
enough = 3
codes = { severity = "Extreme" }
[zones.z4.kinds.panic]
enough = 4
[zones.z4.times]
taken_s = 600
"""


def test_a_zone_has_its_own_where_it_says_so_and_the_districts_else() -> None:
    district = Policy.parse(OWN)
    own, other = district.for_zone("z3"), district.for_zone("z5")
    assert (district.kinds["panic"].enough, own.kinds["panic"].enough, other.kinds["panic"].enough) == (2, 3, 2)
    assert (own.kinds["panic"].codes.severity, own.kinds["panic"].codes.cid) == ("Extreme", "120")
    assert own.kinds["fire"] == district.kinds["fire"]
    assert own.for_zone("z4").times.taken_s == 600
    assert {one.version for one in (district, own, other)} == {district.version}
    assert own == Policy.parse(OWN, zone="z3") != other
    assert district.zones == ("z3", "z4")


def test_what_could_not_be_put_today_still_says_what_was_a_secret() -> None:
    refused = POLICY.replace('forced = "extortion"', 'forced = "panic"')
    with pytest.raises(BadConfig):
        Policy.parse(refused)
    was = earlier(refused, "z3")
    assert was is not None
    assert was.is_silent("violence")
    assert earlier(refused.replace("rank = 1", "rank = 1000"), "z3") is None


def test_a_list_of_steps_takes_the_place_of_the_districts() -> None:
    text = POLICY + "[zones.z3.kinds.panic]\nsteps = [{ after_s = 0, roles = ['coordinator'] }]\n"
    night = Night(policy=Policy.parse(text, zone="z3"))
    night.press("panic")
    night.expects(caro="alarm", desk="police")


def test_who_may_see_a_kind_is_its_circle_or_the_zones_members_unless_it_is_said() -> None:
    policy = Policy.parse(POLICY + "[zones.z3.kinds.fire]\nvisible = 'public'\n", zone="z3")
    seen = {name: policy.kinds[name].seen_by for name in ("violence", "panic", "fire")}
    assert seen == {"violence": Visible.CIRCLE, "panic": Visible.MEMBERS, "fire": Visible.PUBLIC}


def test_a_zones_own_silent_kind_stays_silent_when_another_policy_does_not_have_it() -> None:
    own = POLICY + """
[zones.z3.kinds.stalking]
audible = false
rank = 0
group = "stalking"
circle = ["trained-violence"]
codes = { cid = "122", sia = "HA", restore_sia = "HR" }
steps = [{ after_s = 0, roles = ["trained-violence"] }]
"""
    night = Night(registry(), Policy.parse(own, zone="z3"))
    night.does(PolicyChanged(Policy.parse(POLICY, zone="z3")))
    night.births("b12n1")
    assert night.zone.network.policy.is_silent("stalking")
    night.press("stalking", gesture=Gesture.HOLD)
    night.expects(vera="alarm", vilma="alarm")


@pytest.mark.parametrize(("more", "place", "what"), [
    ("[zones.z3.kinds.panic]\nrank = 100\n", "[zones.z3.kinds.panic] rank", "100"),
    ("[zones.z3]\nforced = 'panic'\n", "[zones.z3] forced", "silent kind"),
    ("[zones.z3.kinds.fire]\nhold = 3\n", "[zones.z3.kinds.fire] hold", "unknown"),
    ("[zones.z3.kinds.violence]\nvisible = 'members'\n", "[zones.z3.kinds.violence] visible", "circle"),
    ("[zones.z3.kinds.flood]\naudible = true\n", "[zones.z3.kinds.flood] rank", "missing"),
    ("[zones.z3.kinds.medical]\nsteps = [{ after_s = 9, roles = ['patrol'] }]\n", "[zones.z3.kinds.medical] steps, #1 after_s", "expected 0"),
])
def test_a_mistake_in_a_zones_own_part_is_named_with_its_whole_path(more: str, place: str, what: str) -> None:
    with pytest.raises(BadConfig) as caught:
        Policy.parse(POLICY + more, "policy.toml")
    assert all(fault.startswith("policy.toml, [zones.z3") for fault in caught.value.faults)
    assert any(fault.startswith(f"policy.toml, {place}") and what in fault for fault in caught.value.faults), caught.value.faults
