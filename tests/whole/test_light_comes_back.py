"""The light at the button says again what is so, whoever was restarted: gateway, broker or node."""

import pytest

from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from tests.zone import Zone

pytestmark = pytest.mark.whole

NODE, BUTTON, REPRESENTATIVE = "z3b01n1", "b1", "+51900000314"


async def test_the_light_s_rung_comes_back_by_itself_after_a_restart_of_each(zone: Zone) -> None:
    node, phone = await zone.node(NODE), zone.phones.phone(REPRESENTATIVE)
    await node.hold(BUTTON)
    await node.light(BUTTON, BLINKS[Light.RECEIVED])
    await phone.expects("PANICO", within_s=20)
    phone.writes("1")
    await node.light(BUTTON, BLINKS[Light.TAKEN])

    node.kill()
    await node.start()
    await node.light(BUTTON, BLINKS[Light.TAKEN])

    zone.kill_gateway()
    node.kill()
    await node.start()
    await node.rests()
    assert node.lit(BUTTON) is False, "a node that was told nothing claims nothing"
    await zone.start_gateway()
    await node.light(BUTTON, BLINKS[Light.TAKEN])

    zone.broker.kill()
    node.kill()
    await node.start()
    await node.rests()
    zone.broker.start()
    await node.light(BUTTON, BLINKS[Light.TAKEN])

    phone.writes("2")
    await node.light(BUTTON, BLINKS[Light.THERE])
