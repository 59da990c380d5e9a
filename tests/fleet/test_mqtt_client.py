"""The fleet's MQTT 5 against bytes: whole, torn at every place, with rubbish in them (`test_fleet`: against a broker)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import mqtt_client
from simulators.mqtt_client import Connection, GarbledError, packet, properties, publish, read_properties, read_varint, string, varint

CONNACK = packet(mqtt_client.CONNACK, 0, b"\0\0" + varint(3) + b"\x21\0\x14")
SUBACK = packet(mqtt_client.SUBACK, 0, b"\0\x01\0\x01")
PUBACK = packet(mqtt_client.PUBACK, 0, b"\x01\x02")
MESSAGE = publish(string("a/b"), b"payload", properties((("mac", "12"), ("age", "5")), 604_800), 7)
TALK = CONNACK + SUBACK + PUBACK + MESSAGE


class Heard:
    """Writes down what its connection tells it."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def accepted(self, receive_max: int) -> None:
        self.heard.append(("accepted", receive_max))

    def subscribed(self) -> None:
        self.heard.append("subscribed")

    def acknowledged(self, number: int) -> None:
        self.heard.append(("acknowledged", number))

    def arrived(self, topic: str, payload: bytes, pairs: dict[str, str]) -> None:
        self.heard.append((topic, payload, pairs))

    def lost(self, why: str) -> None:
        self.heard.append(("lost", why))


class Wire(asyncio.Transport):
    """A socket that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


EXPECTED = [("accepted", 20), "subscribed", ("acknowledged", 258), ("a/b", b"payload", {"mac": "12", "age": "5"})]


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, len(TALK)])
async def test_a_stream_is_read_the_same_however_it_is_torn(step: int) -> None:
    owner, wire = Heard(), Wire()
    connection = Connection(owner, b"hello", "a/#")
    connection.connection_made(wire)
    for at in range(0, len(TALK), step):
        connection.data_received(TALK[at:at + step])
    await asyncio.sleep(0)
    assert owner.heard == EXPECTED
    sent = b"".join(wire.written)
    assert sent == b"hello" + mqtt_client.subscribe(1, "a/#") + bytes((mqtt_client.PUBACK << 4, 2, 0, 7))


@pytest.mark.parametrize("rubbish", [
    b"\x30\xff\xff\xff\xff\xff", b"\x20\x03\0\x87\0", b"\x30\x03\0\x01\xff", b"\x90\x04\0\x01\0\x87", b"\x30\xff\xff\xff\x7f",
    b"\x32\x0c\0\x01a\0\x01\x02\x7f\x01",
])
async def test_rubbish_ends_the_connection(rubbish: bytes) -> None:
    owner, wire = Heard(), Wire()
    connection = Connection(owner, b"hello", "a/#")
    connection.connection_made(wire)
    connection.data_received(rubbish + b"\0" * 12)
    assert wire.aborted
    connection.connection_lost(None)
    assert owner.heard[-1] is not None
    assert "no MQTT 5" in str(owner.heard[-1])


@given(st.integers(0, 268_435_455))
def test_a_length_is_read_as_it_was_written(number: int) -> None:
    assert read_varint(varint(number) + b"rest", 0) == (number, len(varint(number)))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4, unique_by=lambda pair: pair[0]),
       st.none() | st.integers(0, 2**32 - 1))
def test_properties_are_read_as_they_were_written(pairs: list[tuple[str, str]], expiry_s: int | None) -> None:
    written = properties(tuple(pairs), expiry_s)
    numbers, found, end = read_properties(written + b"payload", 0)
    assert found == dict(pairs)
    assert numbers == ({} if expiry_s is None else {mqtt_client.EXPIRY: expiry_s})
    assert end == len(written)


@given(st.binary(max_size=40))
def test_no_bytes_do_more_than_garble(data: bytes) -> None:
    try:
        read_properties(data, 0)
    except (GarbledError, IndexError, UnicodeDecodeError):
        return
