"""A time budget against real pace: 1,600 members, one SIM, one messenger channel; who is told when, and what cannot be in time."""

import heapq
from itertools import count

import pytest

from controller.entries import FaultEnded, FaultRaised
from controller.errors import BadConfig
from controller.registry import Member, Role
from controller.rules.beforehand.budget import late_rings
from controller.rules.desk import Network
from controller.rules.effects import QueueNotice
from controller.rules.inputs import ChannelPaced, NoticeTried, PolicyChanged, RegistryChanged, Tried, Woken
from controller.rules.policy import Policy
from tests.rules.night import BEGAN_MS, MEMBERS, POLICY, SHIFTS, Night, always, member, registry

SIM, MESSENGER = 12, 900
"""A minute: a SIM in a weak cell, and a messenger's own limit."""
CALLS_ALL = POLICY.replace('''[[kinds.fire.steps]]
after_s = 0
''', '''[[kinds.fire.steps]]
after_s = 0
within_s = 15
everybody = true
''')
assert CALLS_ALL != POLICY


def zone_of(people: int, *, texts_alone: int = 0) -> list[Member]:
    """The usual members, and so many more: representatives with both ways, the last of them with texts alone."""
    ways = [("sms",) if n >= people - texts_alone else ("sms", "apprise") for n in range(people)]
    return [*MEMBERS, *(member(f"n{n:04}", Role.CIVIL_DEFENCE, channels=channels) for n, channels in enumerate(ways))]


def told_after_s(night: Night, for_s: int) -> dict[tuple[str, str], float]:
    """Let the channels take what is queued at their pace; by (member, reason), after how many seconds it was through."""
    takes_s = {"sms": 60 / SIM, "apprise": 60 / MESSENGER, "dc09": 0.5, "webhook": 0.1}
    free_s = dict.fromkeys(takes_s, 0.0)
    heaps: dict[str, list[tuple[int, int, float, QueueNotice]]] = {channel: [] for channel in takes_s}
    order, through, seen = count(), dict[tuple[str, str], float](), set[str]()
    for second in range(for_s):
        for one in [one for ident, one in night.queued.items() if ident not in seen]:
            heapq.heappush(heaps[one.notice.channel], (one.notice.priority, next(order), float(second), one))
            seen.add(one.notice.id)
        for channel, heap in heaps.items():
            while heap and (done_s := max(free_s[channel], heap[0][2]) + takes_s[channel]) <= second + 1:
                one = heapq.heappop(heap)[-1]
                if night.queued.pop(one.notice.id, None) is not None:  # else it was taken back
                    free_s[channel] = done_s
                    through.setdefault((one.notice.member, one.notice.reason), done_s)
                    night.does(NoticeTried(one.notice.id, one.attempt, Tried.SENT))
        night.passed_ms += 1000
        night.does(Woken())
    return through


def reasons(night: Night, name: str) -> list[str]:
    return [one.reason for one in night.notices() if one.member == name]


def test_sixteen_hundred_neighbours_hear_of_a_fire_in_two_minutes_and_hold_up_nobody() -> None:
    night = Night(registry(members=zone_of(1600, texts_alone=15)), Policy.parse(CALLS_ALL))
    night.press("fire")
    through = told_after_s(night, 150)
    first = [at for (_, reason), at in through.items() if reason == "FIRST"]
    everybody = [at for (_, reason), at in through.items() if reason == "ZONE"]
    assert len(first) == 4
    assert max(first) <= 15
    assert len(everybody) == 1600 + len(MEMBERS) - len({who for who, reason in through if reason in {"FIRST", "POLICE"}})
    assert max(everybody) <= 120


def test_a_second_alarm_overtakes_the_hundreds_of_texts_of_the_first() -> None:
    night = Night(registry(members=zone_of(300, texts_alone=300)), Policy.parse(CALLS_ALL))
    night.press("fire")
    told_after_s(night, 60)
    night.press("panic", "b13n1")
    through = told_after_s(night, 30)
    assert max(at for (who, reason), at in through.items() if reason == "FIRST" and who == "juan") <= 15


def test_who_heard_it_with_the_whole_zone_is_still_called_when_it_is_their_turn() -> None:
    night = Night(registry(shifts=[one for one in SHIFTS if one.member != "caro"] + [always("caro", Role.SERENAZGO)]), Policy.parse(CALLS_ALL))
    night.press("fire")
    night.sends()
    assert reasons(night, "caro") == ["FAULT", "ZONE"], "a coordinator off duty hears it with the zone"
    night.passes(121)
    assert "ESCALATED" in reasons(night, "caro"), "and is called as serenazgo"


def test_the_whole_zone_hears_the_end_and_nothing_between() -> None:
    night = Night(registry(members=zone_of(5)), Policy.parse(CALLS_ALL))
    night.press("fire")
    night.sends()
    night.replies("rosa", "1")
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    night.sends()
    assert reasons(night, "n0001") == ["ZONE", "ENDED"]
    assert {"FIRST", "TAKEN"} <= set(reasons(night, "juan"))


def test_a_silent_kind_never_calls_the_whole_zone() -> None:
    with pytest.raises(BadConfig, match=r"violence\] steps, #1 everybody: true; expected false"):
        Policy.parse(POLICY.replace("[[kinds.violence.steps]]\nafter_s = 0\n", "[[kinds.violence.steps]]\nafter_s = 0\neverybody = true\n"))


def test_a_ring_that_cannot_be_told_in_time_is_named_with_its_arithmetic() -> None:
    policy = Policy.parse(POLICY.replace("within_s = 30 ", "within_s = 9 "))
    late = list(late_rings(Network(registry(), policy), policy.paces, BEGAN_MS))
    assert [str(one) for one in late] == [
        "panic, step #1: block b12, 3 members within 9 s: apprise: 1 at 900 a minute = 0 s; sms: 2 at 12 a minute = 10 s"]
    assert not list(late_rings(Network(registry(), policy), {**policy.paces, "sms": 20}, BEGAN_MS)), "a faster modem is in time"


def test_a_policy_that_cannot_be_in_time_is_refused_and_one_in_force_that_no_longer_can_is_a_fault() -> None:
    hasty = Policy.parse(POLICY.replace("within_s = 30 ", "within_s = 9 "), zone="z3")
    night = Night()
    night.does(PolicyChanged(hasty))
    assert night.zone.network.policy == night.policy
    [fault] = night.bodies(FaultRaised)
    assert (fault.subject, fault.code) == ("gateway/policy", "policy-refused")
    assert fault.detail.endswith("panic, step #1: block b12, 3 members within 9 s: apprise: 1 at 900 a minute = 0 s; sms: 2 at 12 a minute = 10 s")
    more = [member(f"pat{n}", Role.PATROL) for n in range(8)]
    night.does(RegistryChanged(registry(8, members=[*MEMBERS, *more], shifts=[*SHIFTS, *(always(one.id, Role.PATROL) for one in more)])))
    assert [(one.subject, one.code) for one in night.bodies(FaultRaised)][1:] == [("policy/panic", "too-slow")]
    night.press("panic")
    assert len([one for one in night.notices() if one.reason == "FIRST"]) == 11, "and it goes on"
    night.does(RegistryChanged(registry(9)))
    assert len(night.bodies(FaultEnded)) == 1


def test_at_a_pace_that_has_slowed_it_goes_on_is_a_fault_and_plans_with_what_was_measured() -> None:
    night = Night(policy=Policy.parse(POLICY.replace("within_s = 30 ", "within_s = 15 "), zone="z3"))
    night.press("panic")
    assert {one.channel for one in night.notices() if one.member == "juan"} == {"sms"}
    night.does(ChannelPaced("sms", 2))
    assert ("policy/panic", "too-slow") in [(one.subject, one.code) for one in night.bodies(FaultRaised)]
    both = [member("juan", Role.PATROL, channels=("sms", "apprise")) if one.id == "juan" else one for one in MEMBERS]
    night.does(RegistryChanged(registry(8, members=both)))
    night.press("panic", "b13n1")
    assert [one.channel for one in night.notices() if one.member == "juan" and one.reason == "FIRST"] == ["sms", "apprise"]
    night.does(ChannelPaced("sms", 30))
    assert "too-slow" not in {code for _, code in night.zone.state.fault_of}
