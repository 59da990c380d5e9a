"""A ring's time budget: nobody waits for a slow channel who can be told by another, and the arithmetic is shown."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from controller.registry import Member, Role
from controller.rules.calling.plan import Plan, plan
from tests.rules.night import member

PACES = {"sms": 12, "apprise": 240, "webhook": 1200}


def people(*ways: Sequence[str]) -> list[Member]:
    return [member(f"m{n}", Role.PATROL, channels=channels) for n, channels in enumerate(ways)]


def chosen(made: Plan) -> list[str]:
    return [way.channel for way in made.ways]


def test_a_small_ring_is_told_as_each_prefers() -> None:
    made = plan(people(["sms", "apprise"], ["apprise"], ["sms"]), ["sms", "apprise"], PACES, 15, {})
    assert chosen(made) == ["sms", "apprise", "sms"]


def test_who_has_another_way_leaves_the_slow_one_to_those_who_have_none() -> None:
    made = plan(people(["sms", "apprise"], ["sms", "apprise"], ["sms"], ["sms"], ["sms"]), ["sms", "apprise"], PACES, 15, {})
    assert chosen(made) == ["apprise", "apprise", "sms", "sms", "sms"]
    assert made.done_s == 15


def test_what_waits_already_counts() -> None:
    made = plan(people(["sms", "apprise"]), ["sms", "apprise"], PACES, 15, {"sms": 3})
    assert chosen(made) == ["apprise"]


def test_who_has_none_of_the_channels_is_named_and_the_arithmetic_is_shown() -> None:
    made = plan(people(["sms"], ["dc09"]), ["sms"], PACES, 15, {"sms": 2})
    assert made.out_of_reach == ("m1",)
    assert str(made) == "sms: 2 waiting + 1 at 12 a minute = 15 s"


ways = st.lists(st.lists(st.sampled_from(["sms", "apprise", "webhook", "dc09"]), max_size=3, unique=True), max_size=60)


@given(ways, st.integers(1, 120), st.integers(0, 20))
def test_no_plan_in_time_is_missed_by_moving_one_member(channels: list[list[str]], within_s: int, waiting: int) -> None:
    ring = people(*channels)
    before = {"sms": waiting}
    made = plan(ring, PACES, PACES, within_s, before)
    assert len(made.ways) + len(made.out_of_reach) == len(ring)
    assert all(way.channel in {contact.channel for contact in member.contacts} for way, member in
               zip(made.ways, (one for one in ring if one.id not in made.out_of_reach), strict=True))
    if made.done_s > within_s:
        late = max(made.loads, key=lambda load: load.done_s)
        spare = [load.channel for load in made.loads if load.done_s + 60 / load.per_minute <= within_s]
        spare += [channel for channel in PACES if channel not in {load.channel for load in made.loads} and channel != "sms"]
        for way, one in zip(made.ways, (one for one in ring if one.id not in made.out_of_reach), strict=True):
            assert way.channel != late.channel or not {contact.channel for contact in one.contacts} & set(spare), (way, late)
