"""The example of a zone's broker, as the README has it installed: it starts, and lets each hear and say its own alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import pytest
from typer.testing import CliRunner

from controller.authentication import Direction, PrivateKey
from controller.broker_settings import BrokerSettings
from controller.commands_key import key
from controller.messages import CHANNELS, Gesture, Kept, Online, Press, Receipt, digest_of, encode, topic_of
from controller.settings_file import read
from gateway.broker import Arrival, Broker
from node_firmware.config import NodeConfig
from node_firmware.inputs import LinkUp, NodeInput, PressReceipted
from node_firmware.link import Link
from tests.node.block import TOML
from tests.project.example_broker import ExampleBroker
from tests.project.repository import ROOT

MINE, OTHER = "z3b12n1", "z3b13n1"
UP, DOWN = "cuadra/v1/z3/{}/up/press", "cuadra/v1/z3/{}/down/receipt"
QUIET_S = 0.3
"""A message is through in a few milliseconds; what has not come after so long is held back."""


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[ExampleBroker]:
    made = ExampleBroker(tmp_path)
    for user in ("gateway", MINE, OTHER):
        made.lets_in(user)
    async with made:
        yield made


async def heard(client: aiomqtt.Client, count: int = 1) -> list[tuple[str, bytes]]:
    """What the client hears, until so many have come and then nothing for a while."""
    found: list[tuple[str, bytes]] = []
    messages = aiter(client.messages)
    while True:
        try:
            async with asyncio.timeout(5 if len(found) < count else QUIET_S):
                message = await anext(messages)
        except TimeoutError:
            return found
        found.append((str(message.topic), message.payload))


async def test_it_starts_beside_debians_file_and_carries_a_message(broker: ExampleBroker) -> None:
    async with broker.client("gateway") as gateway, broker.client(MINE) as node:
        await gateway.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        await node.publish(UP.format(MINE), b"x" * 60_000, qos=1)
        assert await heard(gateway) == [(UP.format(MINE), b"x" * 60_000)]


async def test_what_it_knows_outlives_it(tmp_path: Path) -> None:
    async with ExampleBroker(tmp_path):
        pass
    assert (tmp_path / "mosquitto.db").exists()


@pytest.mark.parametrize(("user", "password"), [(None, None), (MINE, "wrong"), ("nobody", "nobody-password"), ("gateway", f"{MINE}-password")])
async def test_who_is_no_part_of_the_zone_hears_nothing(broker: ExampleBroker, user: str | None, password: str | None) -> None:
    with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
        await broker.client(user, password=password).__aenter__()


async def test_a_node_hears_only_what_is_said_to_it(broker: ExampleBroker) -> None:
    async with broker.client("gateway") as gateway, broker.client(MINE) as mine, broker.client(OTHER) as other:
        for everything in ("#", "cuadra/#", "cuadra/v1/z3/#", UP.format(MINE), DOWN.format(MINE)):
            await other.subscribe(everything, qos=1)
        await gateway.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        await mine.publish(UP.format(MINE), b"violence", qos=1)
        await gateway.publish(DOWN.format(MINE), b"of the silent press", qos=1)
        await gateway.publish(DOWN.format(OTHER), b"to the other", qos=1)
        assert await heard(gateway) == [(UP.format(MINE), b"violence")]
        assert set(await heard(other)) == {(DOWN.format(OTHER), b"to the other")}


async def test_a_birth_that_the_broker_keeps_is_for_the_gateway_alone(broker: ExampleBroker) -> None:
    topic = "cuadra/v1/z3/z3b12n1/up/online"
    async with broker.client("gateway") as gateway, broker.client(MINE) as mine, broker.client(OTHER) as other:
        await mine.publish(topic, b"birth", qos=1, retain=True)
        for client in (gateway, other):
            await client.subscribe("cuadra/#", qos=1)
        assert await heard(gateway) == [(topic, b"birth")]
        assert await heard(other, 0) == []


async def test_a_node_says_only_what_is_its_own_to_say(broker: ExampleBroker) -> None:
    async with broker.client("gateway") as gateway, broker.client(MINE) as mine, broker.client(OTHER) as other:
        await gateway.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        await mine.subscribe(f"cuadra/v1/z3/{MINE}/down/#", qos=1)
        for forged in (UP.format(MINE), DOWN.format(MINE), DOWN.format(OTHER), UP.format("gateway")):
            await other.publish(forged, b"forged", qos=1)
        await other.publish(UP.format(OTHER), b"own", qos=1)
        assert await heard(gateway) == [(UP.format(OTHER), b"own")]
        assert await heard(mine, 0) == []


async def test_nobody_is_thrown_out_by_another_under_its_name(broker: ExampleBroker) -> None:
    async with broker.client("gateway", identifier="gateway-z3") as gateway, broker.client(MINE, identifier=f"cuadra-z3-{MINE}") as mine:
        await gateway.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        for name in (f"cuadra-z3-{MINE}", "gateway-z3", MINE, "gateway"):
            async with broker.client(OTHER, identifier=name):
                await mine.publish(UP.format(MINE), name.encode(), qos=1)
        assert len(await heard(gateway, 4)) == 4


async def test_a_node_that_is_added_is_let_in_without_a_restart(broker: ExampleBroker, tmp_path: Path) -> None:
    file = tmp_path / "broker.password"
    printed = CliRunner().invoke(key, ["password", "z3b14n1", str(file)])
    assert printed.exit_code == 0, printed.output
    password = file.read_text().strip()
    assert password not in printed.output
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
        await broker.client("z3b14n1", password=password).__aenter__()
    broker.lets_in("z3b14n1", printed.output.strip())
    broker.reload()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with broker.client("z3b14n1", password=password):
                    break
    assert CliRunner().invoke(key, ["password", "z3b14n1", str(file)]).exit_code == 0
    assert file.read_text().strip() == password, "the second time it is the same"


async def test_a_node_and_its_gateway_understand_each_other_over_it(broker: ExampleBroker, tmp_path: Path) -> None:
    ours = PrivateKey.at(tmp_path / "gateway.key")
    pair = ours.shared_with(PrivateKey.at(tmp_path / "node.key").public)
    for user in ("gateway", MINE):
        (tmp_path / user).write_text(f"{user}-password\n")
    access = f'port = {broker.port}\nusername = "{MINE}"\npassword_file = "{tmp_path / MINE}"'
    text = TOML.format(folder=tmp_path, gateway=ours.public, host="127.0.0.1", port=broker.port)
    (tmp_path / "node.toml").write_text(text.replace(f"port = {broker.port}", access, 1).replace('"b12n1"', f'"{MINE}"'))
    boot = "b" * 32
    press = Press(boot, 1, "quiet", "violence", Gesture.HOLD)
    receipt = Receipt(digest_of(encode(press)), Kept.RECORDED, boot, 1)
    arrivals: list[Arrival] = []
    inputs: list[NodeInput] = []
    gateway = Broker(BrokerSettings("127.0.0.1", broker.port, "gateway", tmp_path / "gateway"), "z3",
                     lambda: arrivals.extend(gateway.take()), lambda _up: None)
    link = Link(read(tmp_path / "node.toml", NodeConfig), pair, Online(boot, False), inputs.append)

    async def until(so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not so():  # noqa: ASYNC110 (lists tell nobody)
                await asyncio.sleep(0.01)

    gateway.start()
    running = asyncio.create_task(link.run())
    try:
        await until(lambda: LinkUp() in inputs and gateway.up)
        link.publish(press, age_ms=0, rank=0)
        await until(lambda: encode(press) in [arrival.payload for arrival in arrivals])
        payload, topic = encode(receipt), topic_of(receipt, "z3", MINE)
        gateway.publish(str(topic), payload, CHANNELS[topic.name], pair.mac(Direction.DOWN, str(topic), "", payload))
        await until(lambda: PressReceipted(receipt) in inputs)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        gateway.stop()


@pytest.mark.parametrize("line", ["set_tcp_nodelay true", "per_listener_settings true", "allow_anonymous false"])
def test_it_is_set_on_purpose(line: str) -> None:
    assert line in (ROOT / "config" / "mosquitto.conf").read_text().splitlines()
