"""Bad nights out of seeds: fixed ones, and some that nobody has seen before."""

import os
import sys

import pytest
from msgspec.structs import replace

from controller.entries import CommitmentOpened, ReplyReceived, SealedCommitted
from simulators.world import plan as plans
from simulators.world.plan import GatewayKilled, Hand, Plan
from simulators.world.promises import Witness
from simulators.world.records import Entry
from simulators.world.run import Outcome, run
from simulators.world.town import town

pytestmark = pytest.mark.whole

HOURS = 6
NODES = 12
TROUBLE = 3


def drawn(seed: str, hours: float = HOURS, nodes: int = NODES) -> Plan:
    return plans.draw(seed, [town("z1", nodes)], hours, TROUBLE)


def must_hold(outcome: Outcome) -> Outcome:
    plan = outcome.plan
    story = "\n".join(f"{at_ms / 1000:10.3f} {words}" for at_ms, words in outcome.story[-30:])
    assert outcome.broken is None, (
        f"{outcome.broken}\n{story}\nagain: cuadra simulate world --seed {plan.seed} --hours {plan.hours:g} --zones {len(plan.zones)} "
        f"--nodes {plan.nodes} --trouble {plan.trouble:g}")
    return outcome


@pytest.mark.parametrize("seed", [f"night-{number}" for number in range(1, 7)])
def test_a_night_that_is_known_breaks_no_promise(seed: str) -> None:
    outcome = must_hold(run(drawn(seed)))
    assert outcome.counts["presses"]


def test_nights_that_nobody_has_seen_break_no_promise(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        seed = os.urandom(4).hex()
        with capsys.disabled():
            sys.stderr.write(f"\na new night: cuadra simulate world --seed {seed} --hours {HOURS} --zones 1 --nodes {NODES} --trouble {TROUBLE}\n")
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


@pytest.mark.parametrize("seed", ["leap-1", "leap-2"])
def test_leaping_over_beats_changes_no_entry_of_the_journal(seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leapt, sent = journal(drawn(seed, 4), monkeypatch, leaps=True), journal(drawn(seed, 4), monkeypatch, leaps=False)
    assert leapt[0].leapt > 4 * leapt[0].counts["entries"] > 0 == sent[0].leapt
    assert leapt[0].missed == 0
    assert leapt[1] == sent[1]


def journal(plan: Plan, patch: pytest.MonkeyPatch, *, leaps: bool) -> tuple[Outcome, list[tuple[str, int, str]]]:
    """What came to the disk, in order; without what is drawn by lot, by its nature."""
    entries: list[tuple[str, int, str]] = []
    committed = Witness.committed

    def listens(self: Witness, batch: list[Entry]) -> None:
        for chain, at_ms, body in batch:
            seen = replace(body, text_ref="", digest="") if isinstance(body, ReplyReceived) else body
            entries.append((chain.value, at_ms, type(body).__name__ if isinstance(body, SealedCommitted | CommitmentOpened) else str(seen)))
        committed(self, batch)

    with patch.context() as context:
        context.setattr(Witness, "committed", listens)
        return must_hold(run(plan, leaps=leaps)), entries
