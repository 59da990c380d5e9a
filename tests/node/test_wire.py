"""A node and its gateway over a real broker: no press is lost, none is believed kept too soon, only the gateway's own can speak."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.authentication import Direction, PrivateKey
from controller.messages import (
    PRESS_EXPIRY_S,
    Beat,
    IncidentState,
    InputSettings,
    Kept,
    KindSettings,
    LightState,
    Online,
    Order,
    Press,
    Receipt,
    Settings,
    SirenOn,
    digest_of,
)
from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from tests.mosquitto import Mosquitto
from tests.node.block import LIGHT, SIREN, Block, shows, wait_until
from tests.node.gateway import Gateway

pytestmark = pytest.mark.whole


@pytest.fixture
async def gateway(linked: Block, broker: Mosquitto) -> AsyncIterator[Gateway]:
    async with Gateway(broker.port, linked.key) as made:
        yield made


async def hold(block: Block, name: str = "b1", ms: int = 1200) -> None:
    await asyncio.to_thread(block.hold, name, ms)


async def started(block: Block, gateway: Gateway, faults: str = "") -> Online:
    """Start the node; its birth, which is another one than all before."""
    boots = {heard.message.boot for heard in gateway.heard if isinstance(heard.message, Online)}
    await asyncio.to_thread(block.start, faults)
    return await gateway.hears(Online, lambda online: online.online and online.boot not in boots)


async def light(block: Block, wanted: Light, since_ms: int = 0) -> None:
    await asyncio.to_thread(wait_until, lambda: shows(block.history(LIGHT, since_ms), BLINKS[wanted]), 15, f"the light {wanted}")


def now_ms(block: Block) -> int:
    return block.pins.history()[-1].at_ms + 1


async def test_the_light_climbs_its_ladder_and_never_claims_more_than_is_so(linked: Block, gateway: Gateway) -> None:
    gateway.receipting = False
    birth = await started(linked, gateway)
    await hold(linked)
    press = await gateway.hears(Press)
    await light(linked, Light.SAVED)
    at_ms = now_ms(linked)
    await gateway.receipt(gateway.presses()[0])
    await light(linked, Light.RECEIVED, at_ms)
    for rev, (state, shown) in enumerate([(LightState.TAKEN, Light.TAKEN), (LightState.ON_SCENE, Light.THERE)], 1):
        at_ms = now_ms(linked)
        await gateway.say(IncidentState(birth.boot, rev, state, "panic", None))
        await light(linked, shown, at_ms)
    assert (press.input, press.kind) == ("b1", "panic")


async def test_birth_press_and_will_are_as_the_wire_says(linked: Block, gateway: Gateway) -> None:
    birth = await started(linked, gateway)
    assert birth.silent_boot not in (None, birth.boot)
    assert birth.inputs == ("b1", "b2", "quiet")
    await hold(linked)
    press = await gateway.hears(Press)
    heard = gateway.presses()[0]
    assert (press.boot, press.seq) == (birth.boot, 1)
    assert heard.age_ms is not None
    assert heard.age_ms < 1000
    assert heard.expiry_s is not None
    assert PRESS_EXPIRY_S - 2 <= heard.expiry_s <= PRESS_EXPIRY_S
    linked.kill()
    will = await gateway.hears(Online, lambda online: not online.online, within_s=20)
    assert will.boot == birth.boot


async def test_a_clean_end_says_so(linked: Block, gateway: Gateway) -> None:
    birth = await started(linked, gateway)
    await asyncio.to_thread(linked.stop)
    assert (await gateway.hears(Online, lambda online: not online.online)).boot == birth.boot


async def test_presses_of_a_day_without_a_broker_arrive_with_their_age_after_a_kill(linked: Block, broker: Mosquitto) -> None:
    broker.stop()
    await asyncio.to_thread(linked.start)
    await hold(linked)
    await light(linked, Light.SAVED)
    pressed_at_ms = next(change.at_ms for change in linked.history(SIREN) if change.level)
    linked.kill()
    broker.start()
    async with Gateway(broker.port, linked.key) as back:
        await asyncio.to_thread(linked.start)
        await back.hears(Press, within_s=20)
        heard = back.presses()[0]
        assert heard.age_ms is not None
        expected_ms = now_ms(linked) - pressed_at_ms
        assert 0 < heard.age_ms < expected_ms + 20_000
        online = await back.hears(Online, lambda online: online.online)
        assert online.machine_restarted is False
        assert isinstance(heard.message, Press)
        assert heard.message.boot != online.boot


async def test_a_press_that_is_not_receipted_is_sent_again_with_the_same_bytes(linked: Block, gateway: Gateway) -> None:
    gateway.receipting = False
    await started(linked, gateway)
    await hold(linked)
    first, second = (await gateway.hears_presses(2))[:2]
    assert first.payload == second.payload
    assert first.age_ms is not None
    assert second.age_ms is not None
    assert second.age_ms > first.age_ms


async def test_every_press_of_a_read_only_card_restarted_three_times_arrives(linked: Block, gateway: Gateway) -> None:
    linked.disk.write_text("read-only")
    boots = set()
    for _ in range(3):
        birth = await started(linked, gateway)
        await hold(linked)
        await gateway.hears(Press, lambda press, boot=birth.boot: press.boot == boot)  # type: ignore[misc]  # bound at once
        boots.add(birth.boot)
        linked.kill()
    assert {heard.message.boot for heard in gateway.presses() if isinstance(heard.message, Press)} == boots


async def test_what_a_sick_disk_refused_is_kept_when_it_is_well_again(linked: Block, gateway: Gateway) -> None:
    gateway.receipting = False
    linked.disk.write_text("full")
    await started(linked, gateway)
    await hold(linked)
    await light(linked, Light.FAULT)
    at_ms = now_ms(linked)
    linked.disk.write_text("well")
    await light(linked, Light.SAVED, at_ms)
    linked.kill()
    gateway.heard.clear()
    await asyncio.to_thread(linked.start)
    await gateway.hears(Press)


async def test_a_disk_that_hangs_at_the_start_gives_back_what_it_holds_when_it_answers(linked: Block, gateway: Gateway) -> None:
    gateway.receipting = False
    first = await started(linked, gateway)
    await hold(linked)
    await light(linked, Light.SAVED)
    linked.kill()
    gateway.heard.clear()
    linked.disk.write_text("hung")
    await started(linked, gateway)
    assert gateway.presses() == []
    linked.disk.write_text("well")
    press = await gateway.hears(Press)
    assert press.boot == first.boot
    await gateway.hears(Online, lambda online: not online.machine_restarted)


async def test_a_stranger_s_word_moves_nothing(linked: Block, gateway: Gateway, tmp_path: Path) -> None:
    gateway.receipting = False
    birth = await started(linked, gateway)
    stranger = PrivateKey.at(tmp_path / "stranger.key").shared_with(PrivateKey.at(tmp_path / "node.key").public)
    order = Order("1", birth.boot, SirenOn("panic", 30), 60)
    await gateway.say(order, key=stranger)
    await gateway.say(order, direction=Direction.UP)
    await gateway.say(Order("2", "0" * 32, SirenOn("panic", 30), 60))
    await hold(linked, ms=300)
    await hold(linked, "quiet")
    await gateway.hears(Press)
    heard = gateway.presses()[0]
    assert isinstance(heard.message, Press)
    await gateway.say(Receipt(digest_of(heard.payload), Kept.RECORDED, heard.message.boot, heard.message.seq), key=stranger)
    await gateway.hears_presses(2)
    assert not any(change.level for change in linked.history(SIREN))
    await gateway.say(Order("3", birth.boot, SirenOn("panic", 30), 60))
    await asyncio.to_thread(wait_until, linked.siren_on, 5, "the siren that the gateway itself orders")


async def test_settings_are_kept_over_a_restart_and_beats_tell_of_a_lost_guard(linked: Block, gateway: Gateway) -> None:
    birth = await started(linked, gateway)
    kinds = {name: KindSettings(kind.audible, kind.rank, 400, kind.pattern) for name, kind in linked.config.kinds.items()}
    inputs = {name: InputSettings(pins.kind) for name, pins in linked.config.inputs.items()}
    await gateway.say(Settings(birth.boot, 7, kinds, inputs, beat_s=1))
    await gateway.hears(Beat, lambda beat: beat.settings_rev == 7)
    os.kill(linked.guard_pid(), signal.SIGKILL)
    await gateway.hears(Beat, lambda beat: any(fault.code == "guard-down" for fault in beat.faults))
    linked.kill()
    again = await started(linked, gateway)
    assert again.settings_rev == 7
    await hold(linked, ms=700)
    await asyncio.to_thread(wait_until, lambda: any(change.level for change in linked.history(SIREN)), 3, "the shorter hold's siren")


async def test_a_broker_that_hangs_or_dies_is_found_again(linked: Block, gateway: Gateway, broker: Mosquitto) -> None:
    await started(linked, gateway)
    broker.kill()
    await hold(linked)
    broker.start()
    async with Gateway(broker.port, linked.key) as back:
        await back.hears(Press, within_s=20)


async def test_systemd_is_told_and_its_watchdog_answered_only_while_the_loop_turns(linked: Block, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        await asyncio.to_thread(linked.start, "", {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"})
        assert [systemd.recv(100), systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        linked.send(signal.SIGSTOP)
        systemd.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while systemd.recv(100):
                """What was said before it hung."""
        systemd.settimeout(1)
        with pytest.raises(TimeoutError):
            systemd.recv(100)
