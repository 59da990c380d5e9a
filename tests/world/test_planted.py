"""Defects that are planted are found, in so many nights at most."""

import sys

import pytest

from simulators.world import plan as plans
from simulators.world.run import Outcome, run
from simulators.world.shrinking import shrink
from simulators.world.town import town
from tests.world.planted import PLANTS, Plant, a_timer_lost_after_a_restart

pytestmark = pytest.mark.whole

NIGHTS_MAX = 12
TOWN = town("z1", 8)


def found(plant: Plant, hours: float = 4) -> tuple[int, Outcome]:
    """In the how-manieth night, from 1, and what came of it."""
    for night in range(1, NIGHTS_MAX + 1):
        outcome = run(plans.draw(f"planted-{night}", [TOWN], hours, trouble=6))
        if outcome.broken is not None:
            return night, outcome
    raise AssertionError(f"{plant.__doc__} Nobody has noticed in {NIGHTS_MAX} nights.")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_defect_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plant(monkeypatch)
    night, outcome = found(plant)
    with capsys.disabled():
        sys.stderr.write(f"\n{plant.__name__}: found in night {night}: {outcome.broken}\n")
    assert outcome.broken is not None
    assert outcome.broken.promise.partition(",")[0] in PLANTS[plant]


def test_its_story_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    a_timer_lost_after_a_restart(monkeypatch)
    _, outcome = found(a_timer_lost_after_a_restart, hours=1.5)
    short = shrink(outcome, run)
    assert len(short.plan.events) <= 5 < len(outcome.plan.events)
    assert short.broken is not None
    assert short.broken.promise.startswith("5")
    assert any("killed" in words for _, words in short.story)
