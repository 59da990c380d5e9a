"""What the gateway orders is done at the node, also by a gateway that has just started and has heard no beat yet."""

import pytest

from simulators.site import SIREN_PIN
from tests.zone import Zone, until

pytestmark = pytest.mark.whole

NODE, TECHNICIAN = "z3b01n1", "+51900000310"
BEAT_S = 20


async def test_a_technicians_order_reaches_the_siren_of_the_node_also_right_after_the_gateways_start(zone: Zone) -> None:
    node = await zone.node(NODE)
    for restart in (False, True):
        if restart:
            zone.kill_gateway()
            await zone.start_gateway()
        since = node.changes()
        zone.phones.phone(TECHNICIAN).writes(f"SIRENA {NODE}")
        await until(lambda since=since: node.outputs(SIREN_PIN, since), BEAT_S / 2,  # type: ignore[misc]  # called before the next round
                    "the siren, sooner than the next beat is due")
        await zone.phones.phone(TECHNICIAN).expects(NODE, within_s=20)
