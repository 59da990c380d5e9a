"""`kill -9` of gateway, broker and senders (nodes with real outboxes), while presses come calmly and inside a burst."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto
from tests.street.killing import Patrol, Zone

pytestmark = pytest.mark.whole

Plan = Sequence[tuple[Sequence[str], str, int]]
"""Who is killed, and when: as soon as so many presses were made, saved or receipted."""

GATEWAY, BROKER, SENDERS, ALL = ["gateway"], ["broker"], ["senders"], ["gateway", "broker", "senders"]
CALM: Plan = [
    (BROKER, "made", 100),
    (SENDERS, "made", 200),  # the gateway has not found the broker again: what was pressed since is on the nodes' disks alone
    (GATEWAY, "made", 400),
]
BURST: Plan = [
    (ALL, "saved", 300),  # while the nodes' disks are writing: disks and journal are all that is left
    (GATEWAY, "receipted", 600),
    (ALL, "receipted", 1000),  # while the gateway is committing
    (BROKER, "receipted", 1400),
]


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
