"""The bench's outside world, in one process: nodes' packets encoded beforehand, and a bare sink that stamps what comes.

The same street presses before the floors and before the gateway, so that what it costs is the same on both sides. All
times are seconds of the monotonic clock.
"""

import asyncio
import itertools
import socket
import time
from typing import Final, NamedTuple

from controller import messages
from controller.authentication import Direction
from controller.messages import CHANNELS, Beat, Gesture, Message, Online, Press
from simulators import mqtt_client
from simulators.fleet_node import Identity
from simulators.mqtt_client import Connection

CONNECTIONS_MAX: Final = 500
ANSWER: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
TURN: Final = 64
"""So many packets are written before the street looks at what comes in."""


class Packet(NamedTuple):
    """A publication, ready to be written. line: which connection's."""

    line: int
    data: bytes


def encoded(identity: Identity, message: Message, number: int) -> bytes:
    """The PUBLISH of a node's message, authenticated. number: the packet's, on its connection."""
    name = "up/press" if isinstance(message, Press) else messages.topic_of(message, "", "").name
    topic, payload, channel = str(messages.Topic(identity.zone, identity.node, name)), messages.encode(message), CHANNELS[name]
    age = "0" if isinstance(message, Press) else ""
    mac = ("mac", identity.key.mac(Direction.UP, topic, age, payload))
    return mqtt_client.publish(
        mqtt_client.string(topic), payload, mqtt_client.properties((mac, ("age", age)) if age else (mac,), channel.expiry_s),
        number if channel.qos else 0, retained=channel.retained)


class Sink(asyncio.Protocol):
    """One connection of a web server that answers 204 to everything."""

    def __init__(self, street: "Street") -> None:
        self._street = street
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer at once."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"a stream is needed, not {transport!r}")
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A request is whole when its body is."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            length = int(_header(head, b"content-length:"))
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length:]
            self._street.notified(_header(head, b"idempotency-key:"))
            self._transport.write(ANSWER)


def _header(head: bytes, name: bytes) -> bytes:
    start = head.index(b"\r\n" + name) + 2 + len(name)
    end = head.find(b"\r\n", start)
    return head[start:end if end >= 0 else len(head)].strip()


class _Line:
    """One connection to the broker, that nodes share."""

    def __init__(self, street: "Street") -> None:
        self._street = street
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def accepted(self, receive_max: int) -> None:
        """No connection has more than the broker takes: see `Street.presses`."""

    def subscribed(self) -> None:
        """It stands."""
        if not self.ready.done():
            self.ready.set_result(None)

    def acknowledged(self, number: int) -> None:
        """The receipt is what counts."""

    def arrived(self, topic: str, payload: bytes, pairs: dict[str, str]) -> None:  # noqa: ARG002 (the owner's signature)
        """A receipt, perhaps."""
        if topic.endswith("/receipt"):
            self._street.receipted(payload)

    def lost(self, why: str) -> None:
        """Nothing that is measured afterwards would be true."""
        self._street.fault = why


class Street:
    """Nodes, and whoever is notified."""

    def __init__(self, identities: list[Identity], presses_each: int) -> None:
        """Encode what will be pressed: each node's presses on its inputs in turn, node after node."""
        self.fault = ""
        self.sink_port = 0
        self.keys: set[bytes] = set()
        self.repeats = 0
        self.receipts: set[bytes] = set()
        self.notified_at = self.receipted_at = 0.0
        self.news = asyncio.Event()
        self._identities = identities
        self._lines: list[Connection] = []
        self._count = min(len(identities), CONNECTIONS_MAX)
        numbers = [itertools.count(1) for _ in range(self._count)]
        boots = [f"{place:032x}" for place in range(1, len(identities) + 1)]
        self._births = [Packet(place % self._count, encoded(each, Online(
            boot, online=True, firmware="bench", inputs=tuple(name for name, _ in each.inputs)), next(numbers[place % self._count])))
            for place, (each, boot) in enumerate(zip(identities, boots, strict=True))]
        self._beats = itertools.cycle([Packet(place % self._count, encoded(each, Beat(boot, 60, 0), 0))
                                       for place, (each, boot) in enumerate(zip(identities, boots, strict=True))])
        self.presses: list[Packet] = []
        for seq in range(1, presses_each + 1):
            for place, (each, boot) in enumerate(zip(identities, boots, strict=True)):
                name, kind = each.inputs[seq - 1]
                line = place % self._count
                self.presses.append(Packet(line, encoded(each, Press(boot, seq, name, kind, Gesture.HOLD), next(numbers[line]))))

    async def open(self) -> None:
        """Listen as the sink."""
        server = await asyncio.get_running_loop().create_server(lambda: Sink(self), "127.0.0.1", 0)
        self.sink_port = server.sockets[0].getsockname()[1]

    async def connect(self, port: int, *, births: bool) -> None:
        """Connect the nodes to the broker and subscribe to what is said to them. births: say that they are there."""
        loop = asyncio.get_running_loop()
        lines = [_Line(self) for _ in range(self._count)]
        for number, line in enumerate(lines):
            node = self._identities[number]
            hello = mqtt_client.connect(f"bench-{number}", 0, "bench/gone", b"", mqtt_client.properties(()))
            down = f"{messages.ROOT}/{node.zone}/{{}}/down/#"
            _, connection = await loop.create_connection(
                lambda line=line, hello=hello, node=node, down=down:  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
                Connection(line, hello, down.format(node.node)), "127.0.0.1", port)
            connection_made: Connection = connection
            await line.ready
            for place in range(number + self._count, len(self._identities), self._count):
                connection_made.send(mqtt_client.subscribe(60_000, down.format(self._identities[place].node)))
            self._lines.append(connection_made)
        if births:
            await self.say(self._births)

    async def say(self, packets: list[Packet]) -> None:
        """Write them as fast as it goes."""
        for place, (line, data) in enumerate(packets, 1):
            self._lines[line].send(data)
            if place % TURN == 0:
                await asyncio.sleep(0)

    async def beat(self, per_s: int) -> None:
        """Beat steadily until cancelled."""
        start, said = time.monotonic(), 0
        while True:
            await asyncio.sleep(0.005)
            for _ in range(int((time.monotonic() - start) * per_s) - said):
                line, data = next(self._beats)
                self._lines[line].send(data)
                said += 1

    def close(self) -> None:
        """Hang up, politely."""
        for line in self._lines:
            line.close(politely=True)
        self._lines.clear()

    def notified(self, key: bytes) -> None:
        """A notice came."""
        if key in self.keys:
            self.repeats += 1
        self.keys.add(key)
        self.notified_at = time.monotonic()
        self.news.set()

    def receipted(self, payload: bytes) -> None:
        """A receipt came."""
        self.receipts.add(payload)
        self.receipted_at = time.monotonic()
        self.news.set()
