"""A fleet over a real broker: what it says, what it keeps, what it writes down."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.authentication import PrivateKey
from controller.messages import Done, IncidentState, LightState, Order, SirenOff
from simulators import fleet_record
from simulators.fleet import Fleet, Identity
from tests.fleet.conftest import PLAN
from tests.fleet.receipt_gateway import ReceiptGateway
from tests.mosquitto import Mosquitto


async def until(holds: Callable[[], object], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (what is waited for is in somebody else's hands)
            await asyncio.sleep(0.01)


async def test_a_burst_is_receipted_press_by_press(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    async with Fleet(identities, tmp_path / "disks", port=broker.port, record=record) as fleet:
        await fleet.all_connected(10)
        await fleet.burst(500)
        await fleet.all_receipted(20)
        await fleet.all_saved(20)
        assert fleet.tally.made == fleet.tally.receipted == fleet.tally.sent == 500
        assert len(fleet.receipt_ms) == len(fleet.wire_ms) == 500
        assert min(fleet.receipt_ms) >= min(fleet.wire_ms) > 0
    assert len(gateway.presses) == 500
    assert gateway.unauthentic == 0
    assert all(age is not None and int(age) < 20_000 for age in gateway.ages)
    seen = list(fleet_record.read(record))
    assert {(one.node, one.boot, one.seq) for one in seen if one.what == "receipted"} == set(gateway.presses)
    for what in ("made", "sent", "receipted"):
        assert sum(one.what == what for one in seen) == 500
    assert all(one.at_us > 1_600_000_000_000_000 for one in seen)


async def test_each_node_keeps_its_presses_in_an_outbox_of_its_own(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        fleet.hold_back()
        await fleet.burst(40)
        await fleet.all_saved(20)
    for node in PLAN.node_ids():
        with contextlib.closing(sqlite3.connect(tmp_path / "disks" / node / "outbox.sqlite")) as disk:
            boots = [boot for (boot,) in disk.execute("SELECT boot FROM press")]
        own = next(one for one in fleet.nodes if one.id == node)
        assert sorted(boots) == sorted([own.boot, own.silent_boot]), node

    async with Fleet(identities[:5], tmp_path / "disks", port=broker.port) as fewer:
        await fewer.all_receipted(20)
        assert fewer.tally.receipted == 10
    assert {node for node, _, _ in gateway.presses} == {identity.node for identity in identities[:5]}
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as again:
        assert again.waiting == 30, "what was receipted is forgotten, the others' is untouched"
        await again.all_receipted(20)


async def test_a_calm_flow_keeps_its_pace(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        start = asyncio.get_running_loop().time()
        await fleet.press_calmly(100, per_s=200)
        took_s = asyncio.get_running_loop().time() - start
        await fleet.all_receipted(10)
    assert 0.49 < took_s < 2
    assert len(gateway.presses) == 100
    # Spread over all nodes, and over their inputs in turn; silent presses count in a stream of their own.
    assert {node for node, _, _ in gateway.presses} == set(PLAN.node_ids())
    assert len({boot for _, boot, _ in gateway.presses}) == 40


async def test_a_fleet_goes_on_with_the_button_whose_turn_it_is(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    async with Fleet(identities, tmp_path / "disks", port=broker.port, record=record) as fleet:
        await fleet.all_connected(10)
        fleet.go_on_after(19)
        await fleet.burst(2)
        await fleet.all_receipted(10)
    assert len(gateway.presses) == 2
    made = [(one.node, one.kind) for one in fleet_record.read(record) if one.what == "made"]
    assert made == [(PLAN.node_ids()[19], "panic"), (PLAN.node_ids()[0], "extortion")]


async def test_presses_without_a_receipt_are_sent_again(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    gateway.deaf = True
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        await fleet.burst(40)
        await until(lambda: len(gateway.presses) == 40)
        assert fleet.waiting == 40
        gateway.deaf = False
        await fleet.all_receipted(20)
        assert fleet.tally.repeats >= 40
    assert set(gateway.presses.values()) >= {2}


async def test_a_dead_broker_loses_nothing(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        pressing = asyncio.create_task(fleet.burst(2000))
        await until(lambda: fleet.tally.receipted > 20)
        await asyncio.to_thread(broker.kill)
        await pressing
        await until(lambda: fleet.connected == 0)
        assert fleet.waiting > 0
        await asyncio.to_thread(broker.start)
        await fleet.all_receipted(40)
        assert fleet.tally.lost_links >= 20
    assert len(gateway.presses) == 2000


async def test_what_is_held_back_is_saved_and_sent_at_once_later(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        fleet.hold_back()
        await fleet.burst(200)
        await fleet.all_saved(20)
        assert fleet.tally.saved == 200
        assert not gateway.presses
        await fleet.let_go()
        await fleet.all_receipted(10)
    assert len(gateway.presses) == 200


async def test_beats_come_at_the_rate_and_say_what_the_node_knows(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        await until(lambda: len([1 for _, online in gateway.births if online.online]) == 20)
        fleet.beat_steadily(400)
        await until(lambda: len(gateway.beats) >= 400)
        node = fleet.nodes[3]
        gateway.say(node.id, IncidentState(node.boot, 7, LightState.TAKEN))
        await until(lambda: any(name == node.id and beat.incident_rev == 7 for name, beat in gateway.beats[-100:]))
        gateway.say(node.id, Order("o1", node.boot, SirenOff(), uptime_s_max=60))
        await until(lambda: gateway.done == [(node.id, Done(node.boot, "o1", done=True))])
    assert {name for name, _ in gateway.beats} == set(PLAN.node_ids())


async def test_what_is_not_the_gateways_own_is_refused(
    broker: Mosquitto, gateway: ReceiptGateway, identities: list[Identity], tmp_path: Path
) -> None:
    async with Fleet(identities, tmp_path / "disks", port=broker.port) as fleet:
        await fleet.all_connected(10)
        first, second = fleet.nodes[0].id, fleet.nodes[1].id
        gateway.keys[first], gateway.keys[second] = gateway.keys[second], gateway.keys[first]
        gateway.say(first, Order("o1", fleet.nodes[0].boot, SirenOff(), uptime_s_max=60))
        await until(lambda: fleet.tally.refused == 1)


@pytest.mark.whole
async def test_a_fleet_that_is_killed_goes_on_with_what_it_had_saved(
    broker: Mosquitto, gateway: ReceiptGateway, gateway_key: PrivateKey, tmp_path: Path
) -> None:
    record, folder = tmp_path / "record.jsonl", tmp_path / "disks"
    gateway.deaf = True
    command = [sys.executable, "-c", "from simulators.fleet import app; app()", "run", "--nodes", "20", "--blocks", "20",
               "--gateway-key", gateway_key.public, "--port", str(broker.port), "--folder", str(folder), "--record", str(record)]
    process = await asyncio.create_subprocess_exec(*command, "--presses", "300")
    try:
        await until(lambda: record.exists() and sum(one.what == "saved" for one in fleet_record.read(record)) > 100, 30)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    saved = {(one.node, one.boot, one.seq) for one in fleet_record.read(record) if one.what == "saved"}
    gateway.deaf = False
    process = await asyncio.create_subprocess_exec(*command, "--presses", "0", stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output
    assert saved <= set(gateway.presses)
    assert json.loads(output)["waiting"] == 0


def test_a_fleet_that_may_not_open_so_many_files_says_so(gateway_key: PrivateKey, tmp_path: Path) -> None:
    cuadra = f"{sys.executable} -c 'from controller.command_line import main; main()'"
    done = subprocess.run(
        ["sh", "-c", f"ulimit -n 200; {cuadra} simulate fleet run --nodes 100 --gateway-key {gateway_key.public} --folder {tmp_path}"],
        capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert done.stderr == "fleet: 400 open files are needed, 200 are allowed; raise the limit (ulimit -Hn) or take fewer nodes\n"
