"""Putting a policy in force: refused where somebody's press would reach no one; what was in force already goes on, and is a fault."""

from datetime import date, time

from controller.entries import Chain, FaultEnded, FaultRaised, PolicyInForce
from controller.registry import Role, Shift
from controller.rules.inputs import PolicyChanged, RegistryChanged, Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, POLICY, UNHURRIED, Night, member, registry
from tests.rules.test_lives import folded

NOBODY_TESTS = [one for one in MEMBERS if one.id != "tito"]
LONELY = Policy.parse(POLICY + "[zones.z3.kinds.medical]\nsteps = [{ after_s = 0, roles = ['civil-defence'] }]\n", zone="z3")
BETTER = Policy.parse(POLICY + "[zones.z3.kinds.medical]\nenough = 3\n", zone="z3")


def raised(night: Night, chain: Chain = Chain.OPEN) -> list[tuple[str, str]]:
    return [(body.subject, body.code) for body in night.bodies(FaultRaised, chain)]


def test_a_policy_under_which_somebody_reaches_no_one_is_refused_with_the_case(night: Night) -> None:
    before = len(night.bodies(PolicyInForce))
    night.does(PolicyChanged(LONELY))
    assert len(night.bodies(PolicyInForce)) == before
    assert night.zone.network.policy == night.policy
    [fault] = night.bodies(FaultRaised)
    assert (fault.subject, fault.code) == ("gateway/policy", "policy-refused")
    assert fault.detail == f"{LONELY.version}: zone z3, block b12, medical, at any time: nobody: no member is civil-defence"
    night.expects(tito="fault", caro="fault")
    night.press("medical")
    night.expects(rosa="alarm", juan="alarm", elva="alarm")


def test_the_next_one_that_reaches_everybody_is_taken_and_ends_the_fault(night: Night) -> None:
    night.does(PolicyChanged(LONELY))
    night.does(PolicyChanged(BETTER))
    assert night.zone.network.policy.kinds["medical"].enough == 3
    assert night.bodies(PolicyInForce)[-1].version == BETTER.version
    assert len(night.bodies(FaultEnded)) == 1


def test_what_was_in_force_goes_on_over_a_restart_when_the_registry_has_changed_and_is_a_fault_until_it_is_mended(night: Night) -> None:
    night.does(RegistryChanged(registry(8, members=NOBODY_TESTS)))
    assert raised(night) == [("policy/test", "reaches-nobody")]
    night.expects(caro="fault")
    night.zone = ZoneController("z3", registry(8, members=NOBODY_TESTS), night.policy, folded(night.entries))
    night.does(Started("1.1"))
    assert raised(night) == [("policy/test", "reaches-nobody")]
    night.press("panic")
    night.all_read()
    night.does(RegistryChanged(registry(9)))
    assert len(night.bodies(FaultEnded)) == 1


def test_a_fault_of_a_silent_kind_does_not_say_where_its_buttons_are() -> None:
    night = Night(registry(members=[one for one in MEMBERS if one.id not in {"vera", "vilma", "desk"}]))
    [fault] = [one for one in night.bodies(FaultRaised, Chain.OPEN) if one.subject == "policy/violence"]
    assert "b12" not in fault.detail
    assert fault.detail.startswith("zone z3, violence, at any time: nobody: no member is trained-violence")


def test_exclusions_that_leave_nobody_are_a_secret_fault() -> None:
    night = Night(registry(excludes=["vera", "vilma", "desk"]))
    assert raised(night) == []
    assert raised(night, Chain.SEALED) == [("policy/violence", "reaches-nobody")]
    night.expects()
    night.does(RegistryChanged(registry(8, excludes=["vera"])))
    assert len(night.bodies(FaultEnded, Chain.SEALED)) == 1


def test_a_gap_that_comes_nearer_is_found_without_any_change() -> None:
    rosa = member("rosa", Role.PATROL)
    until = Shift("s", "z3", "rosa", Role.PATROL, time(0), time(0), until=date(2026, 10, 5))
    people = [rosa, *(one for one in MEMBERS if one.id in {"desk", "tito", "vera", "ema"})]
    policy = Policy.parse(UNHURRIED.text + "[zones.z3.kinds.medical]\nsteps = [{ after_s = 0, roles = ['patrol'] }, "
                          "{ after_s = 60, roles = ['coordinator'] }]\n", zone="z3")
    night = Night(registry(members=people, shifts=[until]), policy)
    assert raised(night) == []
    night.passes(7 * 86_400)
    assert ("policy/medical", "reaches-nobody") not in raised(night)
    night.passes(86_400)
    assert ("policy/medical", "reaches-nobody") in raised(night)
