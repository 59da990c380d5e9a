"""From the button to a police receiver that nobody here wrote: encrypted SIA-DCS to pysiaalarm, the whole way on real processes."""

from pathlib import Path

import pytest

from controller.entries import Chain, NoticeMoved
from tests.channels.foreign_receiver import their_receiver
from tests.zone import POLICE_ACCOUNT, Zone, until

pytestmark = pytest.mark.whole

NODE, AUDIBLE, SILENT = "z3b05n1", "b1", "b4"
KEY = b"0123456789ABCDEF"


def accepted(zone: Zone, chain: Chain) -> set[str | None]:
    return {moved.ref for moved in zone.bodies(NoticeMoved, chain) if moved.to == "notified"}


async def test_a_press_reaches_a_foreign_police_receiver(tmp_path: Path) -> None:
    async with (
        their_receiver(KEY, POLICE_ACCOUNT) as (port, events, receiver),
        Zone.standing(tmp_path, f"127.0.0.1:{port}?format=sia-dcs&key={KEY.hex()}") as zone,
    ):
        node = await zone.node(NODE)

        def alarms() -> list[str | None]:
            return [event.code for event in events if event.code != "RP"]  # a link test

        await node.hold(AUDIBLE)
        await until(lambda: alarms() == ["PA"], what="the panic signal")
        await node.hold(SILENT)
        await until(lambda: alarms() == ["PA", "HA"], what="the silent panic signal")
        alarm, silent = (event.sequence for event in events if event.code in {"PA", "HA"})
        await until(lambda: alarm in accepted(zone, Chain.OPEN), what="its acknowledgement in the open chain")
        await until(lambda: silent in accepted(zone, Chain.SEALED), what="the silent one's in the sealed chain")
        assert silent not in accepted(zone, Chain.OPEN)
    assert {event.account for event in events} == {POLICE_ACCOUNT}
    assert all(event.encrypted for event in events)
    assert receiver.counts.error_crc == receiver.counts.error_format == receiver.counts.error_timestamp == 0
