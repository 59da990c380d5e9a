"""A broker, the least of a gateway, and the keys that they share with a fleet."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from controller.authentication import PrivateKey
from simulators import fleet_registry
from simulators.fleet import Identity
from simulators.fleet_registry import Plan
from tests.fleet.receipt_gateway import ReceiptGateway
from tests.mosquitto import Mosquitto

PLAN = Plan(nodes=20, blocks=20, kinds=("panic", "extortion"))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def gateway_key() -> PrivateKey:
    return PrivateKey(X25519PrivateKey.generate())


@pytest.fixture
def identities(gateway_key: PrivateKey) -> list[Identity]:
    return fleet_registry.identities(PLAN, gateway_key.public)


@pytest.fixture
async def gateway(broker: Mosquitto, gateway_key: PrivateKey) -> AsyncIterator[ReceiptGateway]:
    # The gateway's half of each shared key: the other private key, the other public one.
    keys = {node: gateway_key.shared_with(fleet_registry.private_key(node).public) for node in PLAN.node_ids()}
    async with ReceiptGateway(broker.port, keys) as gateway:
        yield gateway
