"""Whether a press would reach anybody is told before the night: what the check says is what the rules do."""

from collections.abc import Sequence
from datetime import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.entries import NoticesQueued
from controller.registry import Member, Registry, Role, Shift
from controller.rules.beforehand import reach
from controller.rules.desk import Network
from controller.rules.policy import Policy
from tests.rules.night import BEGAN_MS, MEMBERS, POLICY, SHIFTS, Night, always, member, registry

PATROL_ALONE = """
[zones.z3.kinds.medical]
steps = [{ after_s = 0, roles = ["patrol"] }, { after_s = 60, roles = ["coordinator"] }]
"""


def network(members: Sequence[Member] = MEMBERS, shifts: Sequence[Shift] = SHIFTS, more: str = "", excludes: Sequence[str] = ()) -> Network:
    return Network(registry(members=members, shifts=shifts, excludes=excludes), Policy.parse(POLICY + more, zone="z3"))


def said(of: Network) -> list[str]:
    return [reach.in_words(case, of) for case in reach.unreached(of, BEGAN_MS)]


def test_the_districts_policy_reaches_somebody_from_every_button_at_every_moment() -> None:
    assert said(network()) == []


def test_hours_in_which_nobody_is_on_duty_are_named_with_block_kind_and_reason() -> None:
    rosa = member("rosa", Role.PATROL)
    nights = Shift("s", "z3", "rosa", Role.PATROL, time(22), time(6), weekdays=(1, 2, 3, 4, 5, 6, 7))
    weekend = Shift("d", "z3", "rosa", Role.PATROL, time(6), time(22), weekdays=(1, 2, 3, 4, 5))
    people = [rosa, *(one for one in MEMBERS if one.id in {"desk", "tito", "vera", "ema"})]
    found = said(network(people, [nights, weekend], PATROL_ALONE))
    assert found == ["zone z3, block b12, medical, Sat 06:00-22:00, Sun 06:00-22:00: nobody: no patrol is on duty for the block then; "
                     "no member is coordinator"]


def test_a_contact_by_no_allowed_channel_reaches_nobody() -> None:
    tito = member("tito", Role.TECHNICIAN, channels=["cap"])
    found = said(network([one for one in MEMBERS if one.id != "tito"] + [tito]))
    assert found == ["zone z3, block b12, test, at any time: nobody: no member who is technician has a contact by sms or apprise or webhook"]


def test_a_button_that_is_verified_first_does_not_reach_the_police_by_itself() -> None:
    people = [one for one in MEMBERS if one.id in {"desk", "tito", "vera", "vilma", "ema"}]
    of = network(people)
    first = [case for case in reach.unreached(of, BEGAN_MS, first=[("b13n1", "b1"), ("b12n1", "h1")]) if case not in reach.unreached(of, BEGAN_MS)]
    assert [(case.kind, case.blocks) for case in first] == [("panic", ("b13",))], "what is silent is never verified first"
    assert "verified first, so the police wait" in reach.in_words(first[0], of)


def test_exclusions_that_leave_nobody_are_known_for_what_they_are() -> None:
    of = network(excludes=["vera", "vilma", "desk"])
    [case] = reach.unreached(of, BEGAN_MS)
    assert (case.kind, case.by_exclusion) == ("violence", True)


def test_the_last_ring_goes_beyond_those_on_duty_who_cannot_be_reached() -> None:
    mute = member("mute", Role.COORDINATOR, channels=["cap"])
    people = [mute, *(one for one in MEMBERS if one.id in {"caro", "tito", "vera", "ema"})]
    night = Night(registry(members=people, shifts=[always("mute", Role.COORDINATOR)]))
    night.press("medical")
    night.expects(caro="alarm")


roles = st.sampled_from([Role.PATROL, Role.REPRESENTATIVE, Role.COORDINATOR, Role.TRAINED_VIOLENCE, Role.POLICE_DESK, Role.TECHNICIAN])
channel_sets = st.lists(st.sampled_from(["sms", "apprise", "dc09", "cap"]), max_size=2, unique=True)
people = st.lists(st.tuples(st.sets(roles, min_size=1, max_size=2), channel_sets, st.integers(0, 23), st.integers(0, 23), st.booleans()), max_size=5)
steps = st.lists(st.tuples(st.sets(roles, min_size=1, max_size=2), st.lists(st.sampled_from(["sms", "dc09"]), min_size=1, max_size=2, unique=True),
                           st.booleans()), min_size=1, max_size=3)


def described(kind: str, rings: Sequence[tuple[set[Role], list[str], bool]], police: str) -> str:
    lines = [f'[zones.z3.kinds.{kind}]\npolice = "{police}"']
    if kind == "violence":
        lines.append(f"circle = [{', '.join(repr(role.value) for role in Role)}]")
    for n, (its, channels, on_duty) in enumerate(rings):
        lines.append(f"[[zones.z3.kinds.{kind}.steps]]\nafter_s = {n * 60}\nroles = {[role.value for role in sorted(its)]}\n"
                     f"channels = {channels}\non_duty = {str(on_duty).lower()}")
    return "\n".join(lines) + "\n"


def made(found: Sequence[tuple[set[Role], list[str], int, int, bool]], excluded: Sequence[str]) -> Registry:
    members, shifts = [], []
    for n, (its, channels, starts, ends, everywhere) in enumerate(found):
        members.append(member(f"m{n}", *sorted(its), channels=channels))
        shifts += [Shift(f"s{n}{role.value}", "z3", f"m{n}", role, time(starts), time(ends), blocks=() if everywhere else ("b12",)) for role in its]
    return registry(members=members, shifts=shifts, excludes=excluded)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people, steps, st.sampled_from(["panic", "medical", "violence"]), st.sampled_from(["immediately", "never"]),
       st.lists(st.sampled_from(["m0", "m1"]), max_size=2), st.integers(0, 7 * 24 - 1))
def test_whom_the_check_names_the_night_tells(
    found: Sequence[tuple[set[Role], list[str], int, int, bool]], rings: Sequence[tuple[set[Role], list[str], bool]], kind: str, police: str,
    excluded: Sequence[str], hour: int,
) -> None:
    there, policy = made(found, excluded), Policy.parse(POLICY + described(kind, rings, police), zone="z3")
    night = Night(there, policy)
    night.passed_ms = hour * 3_600_000
    night.births("b12n1")
    night.press(kind)
    told = {(one.member, one.channel) for body in night.bodies(NoticesQueued) if body.incident for one in body.notices}
    of = Network(there, policy)
    pressed = reach.Press("b12", kind, frozenset(excluded) if kind == "violence" else frozenset())
    at_ms = night.now.utc_ms
    assert {(way.member, way.channel) for way in reach.reached(of, pressed, at_ms)} == told
    holes = [case for case in reach.unreached(of, BEGAN_MS, 8) if case.kind == kind and "b12" in case.blocks]
    inside = any(not case.spans or any(began <= at_ms < ended for began, ended in case.spans) for case in holes)
    assert inside == (not told)
