"""The daily pulse through the siren, on pins with a sensor: seen by it, heard by nobody, and in no press's way."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from controller.messages import Done, Online, Order, SelfTest, SirenFound, SirenTest
from node_firmware.clock import boottime_ms
from simulators.siren_current import Health
from tests.mosquitto import Mosquitto
from tests.node.block import SIREN, SIREN_DELAY_MS_MAX, STROBE, Block, wait_until
from tests.node.gateway import Gateway

pytestmark = pytest.mark.whole
AUDIBLE_MS = 50
"""A loaded machine may be late in ending a pulse of 5 ms; so much is still a tick at the most."""


@pytest.fixture
async def gateway(linked: Block, broker: Mosquitto) -> AsyncIterator[Gateway]:
    async with Gateway(broker.port, linked.key) as made:
        yield made


async def started(block: Block, gateway: Gateway) -> Online:
    await asyncio.to_thread(block.start)
    return await gateway.hears(Online, lambda online: online.online)


async def answered(gateway: Gateway, boot: str, ident: str, order: SelfTest | SirenTest) -> Done:
    await gateway.say(Order(ident, boot, order, 10_000))
    return await gateway.hears(Done, lambda done: done.id == ident)


async def test_a_daily_pulse_tells_a_siren_that_draws_from_one_that_does_not(linked: Block, gateway: Gateway) -> None:
    online = await started(linked, gateway)
    said: dict[Health, SirenFound] = {Health.WELL: SirenFound.DREW, Health.DEAD: SirenFound.NO_CURRENT, Health.STUCK: SirenFound.SENSOR_STUCK}
    for n, (health, found) in enumerate(said.items()):
        linked.pins.siren(health)
        since_ms = boottime_ms()
        assert (await answered(gateway, online.boot, f"t{n}", SelfTest())).siren is found
        on, off = linked.history(SIREN, since_ms)
        assert (on.level, off.level) == (1, 0)
        assert off.at_ms - on.at_ms < AUDIBLE_MS
        assert not linked.history(STROBE, since_ms)


async def test_a_siren_test_is_measured_too_and_a_press_in_the_midst_of_it_sounds_at_once(linked: Block, gateway: Gateway) -> None:
    online = await started(linked, gateway)
    assert (await answered(gateway, online.boot, "t1", SirenTest())).siren is SirenFound.DREW
    await gateway.say(Order("t2", online.boot, SirenTest(60), 10_000))
    await asyncio.to_thread(wait_until, linked.siren_on, 10, "the test")
    since_ms = boottime_ms()
    await asyncio.to_thread(linked.hold)
    done = await gateway.hears(Done, lambda done: done.id == "t2")
    assert (done.done, done.siren) == (False, SirenFound.NOT_TRIED)
    pressed = next(change for change in linked.history(17, since_ms) if change.level == 0)
    # The alarm's pattern sounds 700 ms at a time, the test's 150.
    await asyncio.to_thread(wait_until, lambda: alarm_began_ms(linked, pressed.at_ms) is not None, 10, "the alarm's pattern")
    began_ms = alarm_began_ms(linked, pressed.at_ms)
    assert began_ms is not None
    assert began_ms - pressed.at_ms - 1000 <= SIREN_DELAY_MS_MAX


def alarm_began_ms(block: Block, since_ms: int) -> int | None:
    """When the siren came on that stayed on for longer than the test's pattern does."""
    changes = block.history(SIREN, since_ms)
    for on, off in pairwise(changes):
        if on.level == 1 and off.at_ms - on.at_ms > 500:
            return on.at_ms
    return None
