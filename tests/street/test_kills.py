"""`kill -9` of the gateway inside a burst; the checker reads only the outside: the nodes' record, the journal, who was posted to."""

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from controller.authentication import PrivateKey
from simulators import fleet_record, fleet_registry
from simulators.fleet import Fleet
from simulators.fleet_registry import Plan
from simulators.site import Site
from tests.bench import subjects
from tests.bench.subjects import Subject
from tests.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.whole

NODES, PRESSES = 200, 2000
HANDS = 64
"""Webhook's concurrency: the most notices in flight at a kill."""


class Posts:
    """Whoever is told by webhook: keeps the key of each post."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.keys: Counter[str] = Counter()

    async def __aenter__(self) -> "Posts":
        app = web.Application()
        app.router.add_post("/{member}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.keys[request.headers["Idempotency-Key"]] += 1
        return web.Response()


def gateway(whole: Site, kinds: tuple[str, ...]) -> Subject:
    return subjects.gateway(whole, subjects.policy(kinds, "never"), ["[webhook]"])


async def test_a_gateway_killed_twice_inside_a_burst_loses_nothing_and_repeats_no_more_than_was_in_flight(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
    kinds = tuple(f"k{number}" for number in range(PRESSES // NODES))
    record = tmp_path / "record.jsonl"
    with Mosquitto(tmp_path) as broker:
        async with Posts(free_port()) as posts:
            plan = Plan("z1", NODES, NODES, 10, kinds, f"http://127.0.0.1:{posts.port}/{{member}}")
            whole = subjects.site(tmp_path / "z1", plan, broker.port)
            public = PrivateKey.at(tmp_path / "z1" / "gateway.key").public
            running = await asyncio.to_thread(gateway, whole, kinds)
            async with Fleet(fleet_registry.identities(plan, public), tmp_path / "disks", port=broker.port, record=record) as fleet:
                await fleet.all_connected(20)
                await fleet.burst(PRESSES)
                for part in (0.2, 0.6):
                    async with asyncio.timeout(60):
                        while fleet.tally.receipted < part * PRESSES:  # noqa: ASYNC110 (the gateway tells nobody here)
                            await asyncio.sleep(0.001)
                    running.kill()
                    running = await asyncio.to_thread(gateway, whole, kinds)
                await fleet.all_receipted(120)
            async with asyncio.timeout(60):
                while len(posts.keys) < PRESSES:  # noqa: ASYNC110 (the gateway tells nobody here)
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(running.end)

    saved = {(one.node, one.boot, one.seq) for one in fleet_record.read(record) if one.what == "saved"}
    with sqlite3.connect(running.database) as database:
        kept = Counter(database.execute("SELECT node, boot, seq FROM press").fetchall())
    database.close()
    repeated = {key: count for key, count in posts.keys.items() if count > 1}
    sys.stdout.write(f"{len(saved)} saved, {len(kept)} in the journal, {len(posts.keys)} notices, {len(repeated)} of them repeated\n")
    assert len(saved) == PRESSES
    assert saved <= set(kept), "every press whose light said saved is on record"
    assert set(kept.values()) == {1}, "and none twice"
    assert len(posts.keys) == PRESSES, "nobody was left untold"
    assert len(repeated) <= 2 * HANDS
    assert max(posts.keys.values()) <= 1 + 2, "once for each kill at the most"
    words = ["-c", "from controller.command_line import main; main()", "journal", "verify", "--database", whole.database, "--zone", "z1"]
    verify = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.DEVNULL)
    assert await verify.wait() == 0
