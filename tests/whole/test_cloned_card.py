"""An installer copied a card: two devices are the same node, throw each other off the broker, and every press of both counts."""

import pytest

from controller.entries import NodeCame, PressRecorded
from simulators.site import SIREN_PIN
from tests.zone import Zone, until

pytestmark = pytest.mark.whole

NODE, BUTTON, ROUNDS = "z3b02n1", "b1", 2


async def test_every_press_of_two_devices_with_one_name_is_on_record_once(zone: Zone) -> None:
    devices = [await zone.node(NODE), await zone.node(NODE, card="clone")]
    for _ in range(ROUNDS):
        for device in devices:
            await device.hold(BUTTON)
    assert all(device.outputs(SIREN_PIN) for device in devices), "both sirens sound"
    await until(lambda: len(zone.bodies(PressRecorded)) == ROUNDS * len(devices), 60, "every press")
    presses = zone.bodies(PressRecorded)
    assert sorted(press.seq for press in presses) == [1, 1, 2, 2]
    assert len({(press.boot, press.seq) for press in presses}) == len(presses)
    assert {press.conflicts_with for press in presses} == {""}
    await zone.recorded(f"node/{NODE} two-devices-one-name")
    thrown_out = zone.broker.log.read_text(encoding="utf-8").count("already connected")
    assert len(zone.bodies(NodeCame)) < thrown_out, "their comings and goings do not fill the book"
    await zone.verify()
