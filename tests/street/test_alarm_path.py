"""A press becomes a siren, texts, a signal at the police and a light, and an answer comes back to the button: all real processes."""

import pytest

from controller.entries import IncidentOpened
from simulators.police import PoliceReceiver
from simulators.site import SIREN_PIN
from tests.zone import Zone, until

pytestmark = pytest.mark.whole

NODE, REPRESENTATIVE, PLACE = "z3b01n1", "+51900000314", "Lote 24"


async def test_a_press_is_heard_seen_told_and_taken(zone: Zone, police: PoliceReceiver) -> None:
    node = await zone.node(NODE)
    await node.hold("b1")
    assert node.outputs(SIREN_PIN), "the siren sounds before anybody is told"
    alarm = await zone.phones.phone(REPRESENTATIVE).expects("PANICO", "1=voy", within_s=20)
    assert PLACE not in alarm.text, "the house is for who goes"
    await police.expects("1120", within_s=10)

    zone.phones.phone(REPRESENTATIVE).writes("1")
    taken = await zone.phones.phone(REPRESENTATIVE).expects("PANICO", PLACE, within_s=20)
    assert "Vas tu" in taken.text
    patrol = next(phone for phone, text in zone.phones.texts() if phone.number != REPRESENTATIVE and "PANICO" in text.text)
    await patrol.expects("va Cuadra 3-01", within_s=20)
    assert len(zone.bodies(IncidentOpened)) == 1
    await zone.recorded("taken by z3rep01")


async def test_a_gateway_killed_in_the_middle_goes_on_and_tells_nobody_twice(zone: Zone) -> None:
    node = await zone.node(NODE)
    await node.hold("b1")
    await zone.phones.phone(REPRESENTATIVE).expects("PANICO", within_s=20)
    await until(lambda: len(list(zone.phones.texts())) >= 3)
    for notice in range(4):  # three texts and the police
        await zone.recorded(f"-{notice + 1}: notified")
    zone.kill_gateway()
    await zone.start_gateway()
    zone.phones.phone(REPRESENTATIVE).writes("1")
    await zone.phones.phone(REPRESENTATIVE).expects("Vas tu", within_s=30)
    alarms = [phone.number for phone, text in zone.phones.texts() if text.text.startswith("PANICO Mz")]
    assert len(alarms) == len(set(alarms)), "each was told once"
    await zone.recorded("taken by z3rep01")
