"""`kill -9` of gateway, broker and senders (nodes with real outboxes), while presses come calmly and inside a burst."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto
from tests.street.killing import Patrol, Zone

pytestmark = pytest.mark.whole

Plan = Sequence[tuple[str, str, int]]
"""Who is killed, and when: as soon as so many presses were made, saved or receipted."""

CALM: Plan = [("broker", "made", 100), ("senders", "receipted", 200), ("gateway", "made", 400)]
BURST: Plan = [("senders", "saved", 300), ("gateway", "receipted", 800), ("gateway", "receipted", 1100), ("broker", "receipted", 1400),
               ("senders", "receipted", 1600)]


@asynccontextmanager
async def zone(folder: Path, url: str, presses: int, per_s: float | None) -> AsyncIterator[Zone]:
    folder.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
    with Mosquitto(folder) as broker:
        async with Patrol() as patrol:
            made = Zone(folder, url, broker, patrol, presses, per_s)
            try:
                made.senders.start()
                yield made
            finally:
                made.end()
                sys.stdout.write("\n".join(["", *made.lines, ""]))


@pytest.mark.parametrize(("presses", "per_s", "plan"), [(500, 200, CALM), (2000, None, BURST)], ids=["calm", "burst"])
async def test_whoever_is_killed_no_press_is_lost_none_is_told_to_nobody_and_few_are_told_twice(
    tmp_path: Path, database_url: str, presses: int, per_s: float | None, plan: Plan
) -> None:
    async with zone(tmp_path, database_url, presses, per_s) as street:
        for who, what, count in plan:
            await street.kill(who, what, count)
        await street.comes_to_rest(60)
        street.judged().must_be_clean()
        assert street.verified()
