"""Silent means silent: who stands at the node and who reads the open book learn nothing; the circle and the police do."""

import pytest

from controller.entries import Chain, IncidentOpened, PressRecorded
from simulators.police import PoliceReceiver
from tests.zone import Zone, until

pytestmark = pytest.mark.whole

NODE, SILENT, AUDIBLE = "z3b05n1", "b4", "b1"
CIRCLE = {"+51900000311", "+51900000312", "+51900000308"}
"""The two who are trained for violence at home, and the police's desk."""


async def read(zone: Zone) -> list[str]:
    """The open book, without what is written at each full hour, used or not."""
    return [line for line in await zone.shown() if "sealed.committed" not in line]


async def test_a_silent_press_is_known_to_its_circle_and_to_nobody_else(zone: Zone, police: PoliceReceiver) -> None:
    node = await zone.node(NODE)
    await node.rests()
    changes, book = node.changes(), await read(zone)

    await node.hold(SILENT)
    await police.expects("1122", within_s=10)
    await until(lambda: list(zone.phones.texts()), what="the circle's text")
    await zone.recorded("notice", "delivered", chain=Chain.SEALED)
    await node.rests()
    assert node.outputs(since=changes) == [], "no siren, strobe, buzzer or light has moved"
    assert await read(zone) == book
    assert {phone.number for phone, _ in zone.phones.texts()} <= CIRCLE
    assert [one.kind for one in zone.bodies(IncidentOpened, Chain.SEALED)] == ["violence"]

    await node.hold(AUDIBLE)
    await zone.recorded("z3b05n1 b1: panic pressed")
    assert [press.seq for press in zone.bodies(PressRecorded)] == [1], "nor does a gap show it"
    await zone.verify()
