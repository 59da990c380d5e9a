"""Without a broker the siren sounds and the press is saved; when the broker is back it arrives, dated when it was pressed."""

import time

import pytest

from controller.entries import PressRecorded
from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from simulators.site import SIREN_PIN
from tests.zone import Zone

pytestmark = pytest.mark.whole

NODE, BUTTON, REPRESENTATIVE = "z3b01n1", "b1", "+51900000314"
HOLD_MS = 1000


async def test_a_press_without_a_broker_sounds_is_saved_and_arrives_with_its_age(zone: Zone) -> None:
    node = await zone.node(NODE)
    zone.broker.stop()
    before_ms = time.time_ns() // 1_000_000 + HOLD_MS
    await node.hold(BUTTON)
    after_ms = time.time_ns() // 1_000_000
    assert [change.level for change in node.outputs(SIREN_PIN)][:1] == [1], "the siren sounds"
    await node.light(BUTTON, BLINKS[Light.SAVED])
    assert zone.bodies(PressRecorded) == []

    gone_ms = time.time_ns() // 1_000_000 - after_ms
    zone.broker.start()
    await zone.phones.phone(REPRESENTATIVE).expects("PANICO", within_s=30)
    (arrived,) = [entry for entry in zone.entries() if isinstance(entry.body, PressRecorded)]
    press = arrived.body
    assert isinstance(press, PressRecorded)
    assert before_ms - 100 <= press.pressed_from_at_ms <= press.pressed_to_at_ms <= after_ms
    assert arrived.at_ms - press.pressed_to_at_ms >= gone_ms
    assert press.age_refused == ""
    await node.light(BUTTON, BLINKS[Light.RECEIVED])
