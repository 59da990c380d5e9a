"""The link's own promises: the most serious first, no wait for another's acknowledgement, a name server that never answers."""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.authentication import PairKey, PrivateKey
from controller.broker_password import mosquitto_line
from controller.broker_settings import BrokerSettings
from controller.errors import BadConfig
from controller.messages import Gesture, Online, Order, Press, SirenOn
from controller.settings_file import read
from node_firmware import broker_access
from node_firmware.broker_access import BrokerAccess
from node_firmware.config import NodeConfig
from node_firmware.inputs import KeysRead, LinkDown, LinkUp, NodeInput
from node_firmware.link import Link
from node_firmware.resolver import Resolver
from tests.certificates import certificate
from tests.mosquitto import Mosquitto
from tests.node.block import TOML
from tests.node.gateway import Gateway

BOOT = "b" * 32


class Node:
    """A link with nothing behind it but a list."""

    def __init__(self, folder: Path, port: int, broker: str = "") -> None:
        gateway = PrivateKey.at(folder / "gateway.key")
        self.key: PairKey = gateway.shared_with(PrivateKey.at(folder / "node.key").public)
        file = TOML.format(folder=folder, gateway=gateway.public, host="127.0.0.1", port=port)
        (folder / "node.toml").write_text(file.replace("[broker]\n", f"[broker]\n{broker}\n"))
        self.inputs: list[NodeInput] = []
        self.link = Link(read(folder / "node.toml", NodeConfig), self.key, Online(BOOT, False), self.inputs.append)
        self.task = asyncio.create_task(self.link.run())

    async def ends(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, so: Callable[[], bool], within_s: float = 20) -> None:
        async with asyncio.timeout(within_s):
            while not so():  # noqa: ASYNC110 (the list tells nobody)
                await asyncio.sleep(0.01)


@pytest.fixture
async def node(tmp_path: Path, broker: Mosquitto) -> AsyncIterator[Node]:
    made = Node(tmp_path, broker.port)
    await made.until(lambda: LinkUp() in made.inputs)
    yield made
    await made.ends()


def press(seq: int) -> Press:
    return Press(BOOT, seq, "b1", "panic", Gesture.HOLD)


async def test_the_most_serious_overtakes_a_backlog_while_the_broker_is_slow(node: Node, broker: Mosquitto) -> None:
    async with Gateway(broker.port, node.key) as gateway:
        gateway.receipting = False
        broker.pause()
        for seq in range(1, 101):
            node.link.publish(press(seq), age_ms=0, rank=5)
        await asyncio.sleep(0.1)  # the first twenty are on their way
        node.link.publish(press(999), age_ms=0, rank=0)
        await asyncio.sleep(0.3)
        broker.resume()
        heard = await gateway.hears_presses(101)
        order = [each.message.seq for each in heard if isinstance(each.message, Press)]
        assert order.index(999) == 20
        late = next(each for each in heard if isinstance(each.message, Press) and each.message.seq == 999)
        assert late.age_ms is not None
        assert 250 <= late.age_ms < 5000  # the time in our own queue counts


async def test_without_a_link_nothing_is_kept_for_later(node: Node, broker: Mosquitto) -> None:
    broker.stop()
    await node.until(lambda: node.inputs[-1] == LinkDown())
    node.link.publish(press(1), age_ms=0, rank=0)
    broker.start()
    async with Gateway(broker.port, node.key) as gateway:
        await node.until(lambda: node.inputs[-1] == LinkUp())
        node.link.publish(press(2), age_ms=None, rank=0)
        await gateway.hears(Press, lambda seen: seen.seq == 2)
        assert [(each.message.seq, each.age_ms) for each in gateway.heard if isinstance(each.message, Press)] == [(2, None)]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> dict[object, list[float]]:
    """How long each link may pause between two connections; none of them does."""
    longest: dict[object, list[float]] = {}

    def uniform(_least: float, most: float) -> float:
        longest.setdefault(asyncio.current_task(), []).append(most)
        return 0.05

    monkeypatch.setattr("node_firmware.link.random.uniform", uniform)
    return longest


async def test_two_that_throw_each_other_out_leave_each_other_more_and_more_time(
    node: Node, tmp_path: Path, broker: Mosquitto, pauses: dict[object, list[float]]
) -> None:
    clone = Node(tmp_path, broker.port)
    await node.until(lambda: all(len(pauses.get(one.task, ())) > 7 for one in (node, clone)))
    clone.task.cancel()
    await asyncio.gather(clone.task, return_exceptions=True)
    few_s = 5  # whatever a connection took down with it when it broke, a silent press too, is on its way again after so long
    assert [longest[:8] for longest in pauses.values()] == [[0.5, 1, 2, 4, few_s, few_s, few_s, few_s]] * 2


async def test_a_connection_that_was_steady_comes_back_soon(
    node: Node, broker: Mosquitto, pauses: dict[object, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_firmware.link.STEADY_MS", 0)
    for again in (2, 3):
        broker.stop()
        broker.start()
        await node.until(lambda again=again: node.inputs.count(LinkUp()) == again)  # type: ignore[misc]  # bound at once
    longest = pauses[node.task]
    assert longest.count(0.5) == 2, "after each loss it begins anew"


async def test_a_press_does_not_wait_for_a_back_off(node: Node, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node_firmware.link.random.uniform", lambda _least, _most: 3600.0)
    broker.stop()
    await node.until(lambda: LinkDown() in node.inputs)
    broker.start()
    node.link.publish(press(1))
    await node.until(lambda: node.inputs.count(LinkUp()) == 2)


async def test_the_moment_of_a_silent_press_is_not_that_of_an_attempt_to_connect(
    node: Node, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause_s = 2.0
    monkeypatch.setattr("node_firmware.link.random.uniform", lambda _least, _most: pause_s)
    loop = asyncio.get_running_loop()
    lost_at = loop.time()
    broker.stop()
    await node.until(lambda: LinkDown() in node.inputs)
    broker.start()
    node.link.publish(Press("c" * 32, 1, "quiet", "violence", Gesture.HOLD))
    await node.until(lambda: node.inputs.count(LinkUp()) == 2)
    assert loop.time() - lost_at >= pause_s


@pytest.mark.parametrize("named", [True, False])
async def test_a_broker_that_does_not_let_the_node_in_is_not_called_absent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, named: bool
) -> None:
    (tmp_path / "password").write_text("none that the broker knows\n")
    (tmp_path / "password").chmod(0o600)
    line = f'username = "b12n1"\npassword_file = "{tmp_path}/password"' if named else ""
    with Mosquitto(tmp_path, lines=["allow_anonymous false"]) as strict, caplog.at_level(logging.INFO, "node_firmware.link"):
        made = Node(tmp_path, strict.port, line)
        await made.until(lambda: ("does not let 'b12n1' in" if named else "lets nobody in without a name") in caplog.text)
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)
    assert "no broker" not in caplog.text


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that knows this node by a password which the node's file does not hold."""
    expects(tmp_path, "right")
    (tmp_path / "password").write_text("mistyped\n")
    with Mosquitto(tmp_path, lines=["allow_anonymous false", f"password_file {tmp_path}/passwords"]) as mosquitto:
        yield mosquitto


def expects(folder: Path, password: str) -> None:
    (folder / "passwords").write_text(mosquitto_line("b12n1", password, b"s" * 12) + "\n")


async def test_a_password_that_the_broker_refuses_is_a_fault_until_it_is_corrected(tmp_path: Path, strict: Mosquitto) -> None:
    made = Node(tmp_path, strict.port, f'username = "b12n1"\npassword_file = "{tmp_path}/password"')
    await made.until(lambda: KeysRead(False) in made.inputs)
    (tmp_path / "password").write_text("right\n")
    await made.until(lambda: LinkUp() in made.inputs)
    assert made.inputs == [KeysRead(False), KeysRead(True), LinkUp()]
    await made.ends()


async def test_a_disk_that_hangs_does_not_keep_out_whom_the_broker_now_knows(
    tmp_path: Path, strict: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Node(tmp_path, strict.port, f'username = "b12n1"\npassword_file = "{tmp_path}/password"')
    hung, well = threading.Event(), threading.Event()

    def read(_: BrokerSettings) -> BrokerAccess:
        hung.set()
        well.wait(30)
        raise BadConfig(["too late"])

    monkeypatch.setattr(broker_access, "read", read)
    monkeypatch.setattr("node_firmware.link.DISK_PATIENCE_S", 0.05)
    await made.until(hung.is_set)
    expects(tmp_path, "mistyped")
    os.kill(strict.pid, signal.SIGHUP)
    await made.until(lambda: made.inputs == [KeysRead(False), KeysRead(True), LinkUp()])
    well.set()
    await made.ends()


async def test_an_authority_that_does_not_vouch_for_the_broker_is_a_fault_until_it_is_corrected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "node_firmware.link")
    certificate(tmp_path, until_s=3600)
    right = (tmp_path / "ca.pem").read_text()
    (tmp_path / "another").mkdir()
    certificate(tmp_path / "another", until_s=3600)
    (tmp_path / "ca.pem").write_text((tmp_path / "another" / "ca.pem").read_text())
    with Mosquitto(tmp_path, lines=[f"certfile {tmp_path}/server.pem", f"keyfile {tmp_path}/server.pem"]) as mosquitto:
        made = Node(tmp_path, mosquitto.port, f'ca_file = "{tmp_path}/ca.pem"')
        await made.until(lambda: KeysRead(False) in made.inputs)
        assert "not vouched for" in caplog.text
        (tmp_path / "ca.pem").write_text(right)
        await made.until(lambda: LinkUp() in made.inputs)
        assert made.inputs == [KeysRead(False), KeysRead(True), LinkUp()]
        await made.ends()


@pytest.mark.parametrize("understood", [True, False])
async def test_a_first_birth_that_no_gateway_answers_is_told_with_what_to_look_at(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, understood: bool
) -> None:
    looked = asyncio.Event()
    monkeypatch.setattr("node_firmware.link.UNHEARD_S", 1)
    made = Node(tmp_path, broker.port)
    await made.until(lambda: LinkUp() in made.inputs)
    asyncio.get_running_loop().call_later(1.2, looked.set)
    made.link.publish(Online(BOOT, online=True))
    async with Gateway(broker.port, made.key) as gateway:
        if understood:
            await gateway.say(Order("1", BOOT, SirenOn("panic", 30), 60))
        await looked.wait()
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    assert ("gateway_public_key" in caplog.text) is not understood


async def test_rubbish_from_the_broker_is_dropped_and_the_link_goes_on(node: Node, broker: Mosquitto) -> None:
    async with Gateway(broker.port, node.key) as gateway:
        before = list(node.inputs)
        for topic in ("order", "receipt", "nonsense"):
            await gateway.publish_raw(f"cuadra/v1/z3/b12n1/down/{topic}", os.urandom(5000))
        node.link.publish(press(1), age_ms=0, rank=0)
        await gateway.hears(Press)
        await node.until(lambda: len(node.inputs) > len(before))  # the receipt, and nothing else
        assert len(node.inputs) == len(before) + 1


async def test_a_name_server_that_falls_silent_leaves_the_last_address(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()
    never = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:  # noqa: ANN401 (as the real one takes anything)
        if silent.is_set():
            never.wait(30)
            raise OSError("too late")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 1883))]

    monkeypatch.setattr("node_firmware.resolver.socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr("node_firmware.resolver.PATIENCE_S", 0.05)
    resolver = Resolver("broker.example", 1883)
    assert await resolver.address(literal=True) == "192.0.2.7"
    silent.set()
    for _ in range(5):
        assert await asyncio.wait_for(resolver.address(literal=True), 1) == "192.0.2.7"
    assert await resolver.address(literal=False) == "broker.example"
    assert sum(thread.name == "resolver" for thread in threading.enumerate()) <= 1
    never.set()


async def test_a_name_server_that_never_answers_leaves_the_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr("node_firmware.resolver.socket.getaddrinfo", lambda *_, **__: never.wait(30) and [])
    monkeypatch.setattr("node_firmware.resolver.PATIENCE_S", 0.02)
    waiting = asyncio.create_task(Resolver("broker.example", 1883).address(literal=True))
    loop = asyncio.get_running_loop()
    for _ in range(20):
        before = loop.time()
        await asyncio.sleep(0.01)
        assert loop.time() - before < 0.1
    assert not waiting.done()
    waiting.cancel()
    never.set()
