"""As much of MQTT 5 as a node speaks, from the client's side, made for thousands of connections in one process.

The node itself uses aiomqtt. The fleet cannot: it shares two cores with the broker and the gateway that it is there to
load. Publishing a press and reading a receipt costs 300 µs of processor time through aiomqtt and 14 here (both measured
against Mosquitto on one connection), so that a measurement through aiomqtt would show the fleet's speed. Sections named
are those of MQTT 5.0 (OASIS, 2019).
"""

import asyncio
from typing import Final, Protocol

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
PING: Final = bytes((PINGREQ << 4, 0))
GOODBYE: Final = bytes((DISCONNECT << 4, 0))
RECEIVE_MAX: Final = 1000
"""What we allow the broker to have unacknowledged towards us (3.1.2.11.3)."""
PACKET_BYTES_MAX: Final = 1_048_576

EXPIRY, USER_PROPERTY, RECEIVE_MAXIMUM = 0x02, 0x26, 0x21
_BYTE, _TWO, _FOUR, _STRING, _PAIR, _VARINT = range(6)
_SORTS: Final = {
    0x01: _BYTE, 0x02: _FOUR, 0x03: _STRING, 0x08: _STRING, 0x09: _STRING, 0x0B: _VARINT, 0x11: _FOUR, 0x12: _STRING,
    0x13: _TWO, 0x15: _STRING, 0x16: _STRING, 0x17: _BYTE, 0x18: _FOUR, 0x19: _BYTE, 0x1A: _STRING, 0x1C: _STRING,
    0x1F: _STRING, 0x21: _TWO, 0x22: _TWO, 0x23: _TWO, 0x24: _BYTE, 0x25: _BYTE, 0x26: _PAIR, 0x27: _FOUR, 0x28: _BYTE,
    0x29: _BYTE, 0x2A: _BYTE,
}
"""The form of each property (2.2.2.2)."""


class GarbledError(ValueError):
    """The broker sent what is no MQTT 5; the connection is given up."""


def varint(number: int) -> bytes:
    """A variable byte integer (1.5.5)."""
    if number < 128:
        return bytes((number,))
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        if not number:
            digits.append(digit)
            return bytes(digits)
        digits.append(digit | 128)


def string(text: str | bytes) -> bytes:
    """Text or bytes, preceded by the length (1.5.4, 1.5.6)."""
    raw = text.encode() if isinstance(text, str) else text
    return len(raw).to_bytes(2, "big") + raw


def properties(pairs: tuple[tuple[str, str], ...], expiry_s: int | None = None) -> bytes:
    """User properties and an expiry, preceded by the length, for a PUBLISH or a will."""
    parts = bytearray()
    if expiry_s is not None:
        parts.append(EXPIRY)
        parts += expiry_s.to_bytes(4, "big")
    for name, value in pairs:
        parts.append(USER_PROPERTY)
        parts += string(name)
        parts += string(value)
    return varint(len(parts)) + parts


def packet(kind: int, flags: int, body: bytes | bytearray) -> bytes:
    """A whole packet."""
    return bytes((kind << 4 | flags,)) + varint(len(body)) + body


def connect(client_id: str, keepalive_s: int, will_topic: str, will: bytes, will_properties: bytes) -> bytes:
    """CONNECT with a clean start and a retained QoS 1 will (3.1)."""
    flags = 0x02 | 0x04 | 1 << 3 | 0x20
    own = bytes((RECEIVE_MAXIMUM,)) + RECEIVE_MAX.to_bytes(2, "big")
    return packet(CONNECT, 0, b"".join((
        string("MQTT"), bytes((5, flags)), keepalive_s.to_bytes(2, "big"), varint(len(own)), own,
        string(client_id), will_properties, string(will_topic), string(will))))


def subscribe(number: int, topic_filter: str) -> bytes:
    """SUBSCRIBE to one filter at QoS 1 (3.8)."""
    return packet(SUBSCRIBE, 2, number.to_bytes(2, "big") + b"\0" + string(topic_filter) + b"\x01")


def publish(topic: bytes, payload: bytes, its_properties: bytes, number: int, *, retained: bool = False) -> bytes:
    """PUBLISH (3.3). topic: with its length before it. number: of the packet for QoS 1, 0 for QoS 0."""
    flags = (2 if number else 0) | retained
    middle = number.to_bytes(2, "big") if number else b""
    length = len(topic) + len(middle) + len(its_properties) + len(payload)
    return b"".join((bytes((PUBLISH << 4 | flags,)), varint(length), topic, middle, its_properties, payload))


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends."""
    number = shift = 0
    while True:
        digit = data[at]
        at += 1
        number |= (digit & 127) << shift
        if digit < 128:
            return number, at
        shift += 7
        if shift > 21:
            raise GarbledError("a length of more than four bytes")


def read_properties(data: bytes, at: int) -> tuple[dict[int, int], dict[str, str], int]:
    """The numbers by identifier, the user properties by name, and where they end (2.2.2)."""
    length, at = read_varint(data, at)
    end = at + length
    numbers: dict[int, int] = {}
    pairs: dict[str, str] = {}
    while at < end:
        identifier = data[at]
        at += 1
        sort = _SORTS.get(identifier)
        if sort == _PAIR:
            name, at = _read_string(data, at)
            value, at = _read_string(data, at)
            pairs[name.decode()] = value.decode()
        elif sort == _STRING:
            _, at = _read_string(data, at)
        elif sort == _VARINT:
            numbers[identifier], at = read_varint(data, at)
        elif sort is None:
            raise GarbledError(f"a property {identifier:#x}")
        else:
            size = (1, 2, 4)[sort]
            numbers[identifier] = int.from_bytes(data[at:at + size], "big")
            at += size
    return numbers, pairs, end


def _read_string(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at:at + 2], "big")
    return data[at + 2:end], end


class Owner(Protocol):
    """Whoever a connection belongs to."""

    def accepted(self, receive_max: int) -> None:
        """The broker took the CONNECT; so many publications may be unacknowledged."""

    def subscribed(self) -> None:
        """The subscription stands."""

    def acknowledged(self, number: int) -> None:
        """The broker has answered the publication with this number; also when it refused it."""

    def arrived(self, topic: str, payload: bytes, pairs: dict[str, str]) -> None:
        """A message came; it is acknowledged after this returns."""

    def lost(self, why: str) -> None:
        """The connection is no more."""


class Connection(asyncio.Protocol):
    """One connection. `hello` is the CONNECT packet; what is subscribed to is one filter."""

    def __init__(self, owner: Owner, hello: bytes, topic_filter: str) -> None:
        self._owner = owner
        self._hello = hello
        self._filter = topic_filter
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._out: list[bytes] = []
        self._why = "closed by the broker"
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"a stream is needed, not {transport!r}")
        self._transport = transport
        transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        self._owner.lost(str(exc) if exc else self._why)

    def send(self, data: bytes) -> None:
        """Send; what is sent within one turn of the loop goes out in one write. Dropped when the connection is gone."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def close(self, *, politely: bool) -> None:
        """End it; the will is sent by the broker unless it is done politely."""
        if self._transport is None:
            return
        self._why = "closed by us"
        if politely:
            self._flush()
            self._transport.write(GOODBYE)
            self._transport.close()
        else:
            self._transport.abort()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        """Take the packets apart."""
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        try:
            while size - at >= 2:
                try:
                    length, start = read_varint(data, at + 1)
                except IndexError:
                    break
                if length > PACKET_BYTES_MAX:
                    raise GarbledError(f"a packet of {length} bytes")
                if start + length > size:
                    break
                self._packet(data[at], data[start:start + length])
                at = start + length
        except (ValueError, IndexError) as fault:
            self._why = f"no MQTT 5: {fault}"
            if self._transport is not None:
                self._transport.abort()
            return
        self._rest = data[at:]

    def _packet(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == PUBLISH:
            self._message(first, body)
        elif kind == PUBACK:
            self._owner.acknowledged(int.from_bytes(body[:2], "big"))
        elif kind == CONNACK:
            if body[1] >= 0x80:
                raise GarbledError(f"the broker refuses the connection, reason {body[1]:#x}")
            numbers, _, _ = read_properties(body, 2)
            self._owner.accepted(numbers.get(RECEIVE_MAXIMUM, 65_535))
            self.send(subscribe(1, self._filter))
        elif kind == SUBACK:
            if body[-1] >= 0x80:
                raise GarbledError(f"the broker refuses the subscription, reason {body[-1]:#x}; check its access list")
            self._owner.subscribed()
        elif kind == DISCONNECT:
            self._why = f"the broker says goodbye, reason {body[0] if body else 0:#x}"

    def _message(self, first: int, body: bytes) -> None:
        topic, at = _read_string(body, 0)
        number = b""
        if first & 0x06:
            number, at = body[at:at + 2], at + 2
        _, pairs, at = read_properties(body, at)
        self._owner.arrived(topic.decode(), body[at:], pairs)
        if number:
            self.send(bytes((PUBACK << 4, 2)) + number)
