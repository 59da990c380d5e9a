"""A gateway that cannot commit tells from memory, gives no receipt, raises a fault and records it all when it can."""

import asyncio
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web

from controller.authentication import PrivateKey
from simulators import fleet_registry
from simulators.fleet import Fleet
from simulators.fleet_registry import Plan
from tests.bench import subjects
from tests.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.whole

PRESSES = 10


async def test_while_the_database_is_locked_somebody_is_told_and_no_press_is_receipted(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
    port, told = free_port(), Counter[str]()

    async def take(request: web.Request) -> web.Response:
        told[request.headers["Idempotency-Key"]] += 1
        return web.Response()

    app = web.Application()
    app.router.add_post("/{member}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    with Mosquitto(tmp_path) as broker:
        plan = Plan("z1", PRESSES, PRESSES, 1, ("k0",), f"http://127.0.0.1:{port}/{{member}}")
        whole = subjects.site(tmp_path / "z1", plan, broker.port)
        public = PrivateKey.at(tmp_path / "z1" / "gateway.key").public
        settings = subjects.policy(("k0",), "never")
        running = await asyncio.to_thread(subjects.gateway, whole, settings, ["[webhook]"])
        database = sqlite3.connect(running.database, isolation_level=None, timeout=10)
        try:
            nodes = fleet_registry.identities(plan, public)
            async with Fleet(nodes, tmp_path / "disks", port=broker.port, record=tmp_path / "record.jsonl") as fleet:
                await fleet.all_connected(20)
                database.execute("BEGIN EXCLUSIVE")
                await fleet.burst(PRESSES)
                async with asyncio.timeout(20):
                    while len(told) < PRESSES:  # noqa: ASYNC110 (the gateway tells nobody here)
                        await asyncio.sleep(0.05)
                assert fleet.tally.receipted == 0, "nothing is receipted that is not on record"
                database.execute("ROLLBACK")
                await fleet.all_receipted(30)
            kept = Counter(database.execute("SELECT node, boot, seq FROM press").fetchall())
        finally:
            database.close()
            await asyncio.to_thread(running.end)
            await runner.cleanup()
    assert len(kept) == PRESSES
    assert set(kept.values()) == {1}
    words = ["-c", "from controller.command_line import main; main()", "journal", "show", "--database", whole.database]
    show = await asyncio.create_subprocess_exec(sys.executable, *words, "--zone", "z1", stdout=asyncio.subprocess.PIPE)
    shown, _ = await show.communicate()
    assert b"cannot-commit" in shown, "that it could not write is on record"
