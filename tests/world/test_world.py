"""Bad nights out of seeds: fixed ones, and some that nobody has seen before."""

import os
import sys

import pytest

from simulators.world import plan as plans
from simulators.world.plan import GatewayKilled, Hand, Plan
from simulators.world.run import Outcome, run
from simulators.world.town import town

HOURS = 6
NODES = 12


def drawn(seed: str, hours: float = HOURS, nodes: int = NODES) -> Plan:
    return plans.draw(seed, [town("z1", nodes)], hours)


def must_hold(outcome: Outcome) -> Outcome:
    plan = outcome.plan
    story = "\n".join(f"{at_ms / 1000:10.3f} {words}" for at_ms, words in outcome.story[-30:])
    assert outcome.broken is None, (
        f"{outcome.broken}\n{story}\nagain: cuadra simulate world --seed {plan.seed} --hours {plan.hours:g} --zones {len(plan.zones)} "
        f"--nodes {plan.nodes}")
    return outcome


@pytest.mark.parametrize("seed", [f"night-{number}" for number in range(1, 7)])
def test_a_night_that_is_known_breaks_no_promise(seed: str) -> None:
    outcome = must_hold(run(drawn(seed)))
    assert outcome.counts["presses"]


def test_nights_that_nobody_has_seen_break_no_promise(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        seed = os.urandom(4).hex()
        with capsys.disabled():
            sys.stderr.write(f"\na new night: cuadra simulate world --seed {seed} --hours {HOURS} --zones 1 --nodes {NODES}\n")
        must_hold(run(drawn(seed)))


def test_seven_zones_live_in_one_district() -> None:
    outcome = must_hold(run(plans.draw("district", [town(f"z{number}", 6) for number in range(1, 8)], 2)))
    assert outcome.zone_hours == 7 * 6


def test_the_same_seed_is_the_same_night() -> None:
    assert run(drawn("again", 2)).story == run(drawn("again", 2)).story


def test_an_event_that_is_left_out_changes_nothing_before_it() -> None:
    plan = drawn("less")
    kill = next(event for event in reversed(plan.events) if isinstance(event, Hand | GatewayKilled))
    less = Plan(plan.seed, plan.zones, plan.hours, plan.nodes, tuple(event for event in plan.events if event is not kill))
    whole, short = run(plan).story, run(less).story
    assert [line for line in whole if line[0] < kill.at_ms] == [line for line in short if line[0] < kill.at_ms]


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = drawn("file")
    assert plans.decode(plans.encode(plan)) == plan
