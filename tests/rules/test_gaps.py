"""Nobody on duty: listed for the week, told to the coordinator before it matters, and at press time the next step is at once."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from controller.entries import FaultEnded, FaultRaised
from controller.registry import Registry, Role, Shift, Swap
from controller.rules.beforehand.gaps import gaps, lacking_roles, rings, without_shifts
from controller.rules.desk import Network
from controller.rules.inputs import PolicyChanged, RegistryChanged, Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import BEGAN_MS, POLICY, Night, always, member, registry
from tests.rules.test_lives import folded

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PEOPLE = [
    member("rosa", Role.PATROL), member("juan", Role.PATROL), member("elva", Role.REPRESENTATIVE), member("caro", Role.COORDINATOR),
    member("tito", Role.TECHNICIAN), member("vera", Role.TRAINED_VIOLENCE), member("ema", Role.TRAINED_EXTORTION),
    member("desk", Role.POLICE_DESK, channels=("dc09",)),
]
REST = (always("elva", Role.REPRESENTATIVE, "b12"), always("caro", Role.COORDINATOR), always("vera", Role.TRAINED_VIOLENCE),
        always("ema", Role.TRAINED_EXTORTION))
DAY = Shift("s1", "z3", "rosa", Role.PATROL, time(6), time(22))


def network(*patrols: Shift, rev: int = 7, swaps: tuple[Swap, ...] = ()) -> Registry:
    return structs.replace(registry(rev, members=PEOPLE, shifts=[*patrols, *REST]), swaps=swaps)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}-05:00").timestamp() * 1000)


def listed(found: Registry, from_ms: int, to_ms: int) -> list[tuple[tuple[str, ...], tuple[str, ...], int, int]]:
    return [(gap.roles, gap.blocks, gap.from_ms, gap.to_ms) for gap in gaps(Network(found, Policy.parse(POLICY)), from_ms, to_ms)]


# --- the list

def test_a_ring_of_which_nobody_is_on_duty_is_a_gap_in_those_blocks_alone() -> None:
    found = gaps(Network(network(DAY), Policy.parse(POLICY)), at("2026-09-21T12:00"), at("2026-09-22T12:00"))
    nights = [gap for gap in found if gap.roles == (Role.PATROL, Role.REPRESENTATIVE)]
    assert [(gap.blocks, gap.from_ms, gap.to_ms) for gap in nights] == [(("b13",), at("2026-09-21T22:00"), at("2026-09-22T06:00"))]
    assert nights[0].rings == ("panic #1",), "elva is there for b12"


def test_a_swap_with_somebody_who_is_gone_and_a_day_off_are_gaps() -> None:
    always_there = structs.replace(DAY, starts=time(0), ends=time(0))
    assert (Role.PATROL, Role.REPRESENTATIVE) not in [gap[0] for gap in listed(network(always_there), BEGAN_MS, BEGAN_MS + 7 * DAY_MS)]
    off = structs.replace(always_there, except_on=(datetime(2026, 9, 23).date(),))  # noqa: DTZ001 (a day of the calendar)
    found = listed(network(off), BEGAN_MS, BEGAN_MS + 7 * DAY_MS)
    assert [gap[1:] for gap in found if gap[0] == (Role.PATROL, Role.REPRESENTATIVE)] == [(("b13",), at("2026-09-23T00:00"), at("2026-09-24T00:00"))]


def test_role_by_role_the_police_desk_too_and_what_has_no_shift_at_all_is_named_once() -> None:
    desk = Shift("sd", "z3", "desk", Role.POLICE_DESK, time(8), time(20))
    found = Network(network(DAY, desk), Policy.parse(POLICY))
    lacking = {(gap.roles[0], gap.blocks, gap.from_ms, gap.to_ms) for gap in lacking_roles(found, at("2026-09-21T12:00"), at("2026-09-22T12:00"))}
    assert (Role.POLICE_DESK, ("b12", "b13"), at("2026-09-21T20:00"), at("2026-09-22T08:00")) in lacking
    assert (Role.PATROL, ("b12", "b13"), at("2026-09-21T22:00"), at("2026-09-22T06:00")) in lacking
    assert (Role.REPRESENTATIVE, ("b13",), at("2026-09-21T12:00"), at("2026-09-22T12:00")) in lacking
    assert set(without_shifts(found)) == {Role.SERENAZGO, Role.FIRE_BRIGADE, Role.AMBULANCE, Role.TECHNICIAN}


hours = st.integers(0, 23).map(time)


@given(st.lists(st.tuples(hours, hours, st.sampled_from([(), ("b12",), ("b13",)]), st.sampled_from([(), (1, 2), (6, 7)])), max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_gap_is_exactly_when_the_ring_at_night_would_find_nobody(drawn: list[tuple[time, time, tuple[str, ...], tuple[int, ...]]]) -> None:
    patrols = [Shift(f"s{n}", "z3", "rosa", Role.PATROL, starts, ends, blocks=blocks, weekdays=days)
               for n, (starts, ends, blocks, days) in enumerate(drawn)]
    found = structs.replace(network(*patrols), shifts=tuple(patrols))
    net = Network(found, Policy.parse(POLICY))
    until_ms = BEGAN_MS + 3 * DAY_MS
    listed_gaps = gaps(net, BEGAN_MS, until_ms)
    for roles in rings(net.policy):
        for block in found.blocks:
            for at_ms in range(BEGAN_MS, until_ms, 29 * 60_000):
                covered = any(gap.roles == roles and block in gap.blocks and gap.from_ms <= at_ms < gap.to_ms for gap in listed_gaps)
                assert covered == (not net.roster.on_duty(block, roles, at_ms)), (roles, block, at_ms)


# --- told before it matters: the night begins at 21:14

def told(night: Night) -> list[tuple[str, str, str]]:
    about = [notice for notice in night.notices() if "nobody-on-duty" in notice.about.get("fault", "")]
    return [(notice.member, notice.template, notice.about["subject"]) for notice in about]


def began(*patrols: Shift) -> Night:
    night = Night(network(*patrols))
    night.births("b12n1")
    return night


def test_the_coordinator_hears_of_a_gap_hours_before_and_of_its_end_and_once() -> None:
    night = began(structs.replace(DAY, starts=time(0), ends=time(5)), structs.replace(DAY, id="s2", starts=time(6), ends=time(0)))
    night.passes(s=60 * 60)
    assert night.bodies(FaultRaised) == [], "at 05:00 nobody will be on duty for an hour: six hours before, that is near"
    night.passes(s=2 * 3600)
    assert told(night) == [("caro", "roster_gap", "roster/patrol")]
    [about] = [notice.about for notice in night.notices() if notice.template == "roster_gap"]
    spans = [datetime.fromtimestamp(int(about[name]) / 1000, ZoneInfo("America/Lima")).strftime("%H:%M") for name in ("from_ms", "at_ms")]
    assert spans == ["05:00", "06:00"], "the text says when"
    night.passes(s=7 * 3600)
    assert len(night.bodies(FaultRaised)) == len(night.bodies(FaultEnded)) == 1
    assert told(night) == [("caro", "roster_gap", "roster/patrol"), ("caro", "fault_ended", "roster/patrol")]


def test_a_gap_that_is_filled_ends_at_once() -> None:
    night = began(DAY)
    night.passes(s=60)
    assert told(night) == [("caro", "roster_gap", "roster/patrol")]
    night.does(RegistryChanged(network(DAY, structs.replace(DAY, id="s2", member="juan", starts=time(22), ends=time(6)), rev=8)))
    night.passes(s=60)
    assert [one for one in night.zone.state.fault_of if one[0].startswith("roster/")] == []


def test_many_gaps_of_a_role_are_one_fault_and_another_role_s_is_another() -> None:
    night = Night(structs.replace(network(), shifts=(always("caro", Role.COORDINATOR),)))
    night.passes(s=3600)
    subjects = sorted(one.subject for one in night.bodies(FaultRaised))
    assert subjects == ["roster/patrol", "roster/trained-extortion", "roster/trained-violence"]
    assert len(told(night)) == 3


def test_after_a_restart_what_was_told_is_not_told_again_and_what_was_filled_meanwhile_ends() -> None:
    night = began(DAY)
    night.passes(s=60)
    night.zone = ZoneController("z3", network(DAY), night.policy, folded(night.entries))
    night.does(Started("1.0"))
    night.passes(s=60)
    assert told(night) == [("caro", "roster_gap", "roster/patrol")]
    filled = network(structs.replace(DAY, starts=time(0), ends=time(0)), rev=8)
    night.zone = ZoneController("z3", filled, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    night.passes(s=60)
    assert len(night.bodies(FaultEnded)) == 1


def test_a_policy_that_does_not_ask_ahead_is_not_told() -> None:
    night = Night(network(DAY), Policy.parse(POLICY.replace("nobody_ahead_s = 21600", "nobody_ahead_s = 0")))
    night.passes(s=3600)
    assert night.bodies(FaultRaised) == []
    night.does(PolicyChanged(Policy.parse(POLICY)))
    night.passes(s=60)
    assert told(night) == [("caro", "roster_gap", "roster/patrol")]


@pytest.mark.parametrize(("kind", "first"), [("panic", {"caro": "alarm", "desk": "police"}), ("tamper", {"caro": "alarm"})])
def test_at_press_time_a_ring_of_nobody_holds_up_nobody(kind: str, first: dict[str, str]) -> None:
    night = Night(structs.replace(network(), shifts=(always("caro", Role.COORDINATOR),)))
    night.births("b13n1")
    night.passes(s=60)
    night.all_read()
    night.press(kind, node="b13n1")
    assert {name: night.reads(name) for name in first} == {name: [one] for name, one in first.items()}
