"""What nodes say, from the wire to the core: authentic, readable, once."""

import asyncio
import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from controller.authentication import Direction
from controller.errors import Unavailable
from controller.messages import PRESS_EXPIRY_S, Beat, Kept, Online, digest_of, encode
from controller.registry import Block, District, Node, Registry, Zone
from controller.rules.effects import GiveReceipt
from controller.rules.inputs import BadMessageCame, BadMessageSort, NodeBeat, NodeOnline, PressArrived, PressSetAside, ZoneInput
from gateway.broker import Arrival
from gateway.inbox import Inbox, PressKey
from gateway.keyring import Keyring
from gateway.quarantine import Quarantine
from simulators import demo_keys
from tests.gateway.facts import BOOT, press


class Desk:
    """An inbox of zone z3 with one node, and what came out of it."""

    def __init__(self, quarantine: Quarantine, on_record: Mapping[PressKey, bytes] | None = None) -> None:
        gateway = demo_keys.private_key("gateway")
        self.key = demo_keys.private_key("b12n1").shared_with(gateway.public)
        self.other = demo_keys.private_key("b13n1").shared_with(gateway.public)
        nodes = {name: Node(name, "z3", "b12", demo_keys.private_key(name).public) for name in ("b12n1", "b13n1")}
        registry = Registry(1, "v", District("vmt", "Villa"), Zone("z3", "Inca", "vmt"), {"b12": Block("b12", "z3", "Mz C", "bodega")}, nodes)
        self.on_record = {key: frozenset({digest_of(payload)}) for key, payload in (on_record or {}).items()}
        self.away = False
        self.hangs: threading.Event | None = None
        self.asked = 0
        self.inputs: list[ZoneInput] = []
        self.given = asyncio.Event()
        self.receipts: list[GiveReceipt] = []
        self.inbox = Inbox(Keyring(gateway, registry), self, quarantine, self._put, self._receipt)

    async def takes(self, *arrivals: Arrival, until: int = 0) -> None:
        """It has taken them when so many inputs and receipts came out of it."""
        self.inbox.take(list(arrivals))
        if len(self.inputs) + len(self.receipts) < until:
            running = asyncio.ensure_future(self.inbox.run())
            async with asyncio.timeout(5):
                while len(self.inputs) + len(self.receipts) < until:
                    await self.given.wait()
                    self.given.clear()
            running.cancel()

    def _put(self, event: ZoneInput) -> None:
        self.inputs.append(event)
        self.given.set()

    def _receipt(self, effect: GiveReceipt) -> None:
        self.receipts.append(effect)
        self.given.set()

    def lives(self) -> set[tuple[str, str]]:
        return {(node, boot) for node, boot, _ in self.on_record}

    def known(self, keys: Iterable[PressKey]) -> Mapping[PressKey, frozenset[str]]:
        self.asked += 1
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.away:
            raise Unavailable("the database is away")
        return {key: self.on_record[key] for key in keys if key in self.on_record}

    def says(self, payload: bytes, name: str = "up/press", *, age: str | None = "40", left_s: int | None = PRESS_EXPIRY_S) -> Arrival:
        topic = f"cuadra/v1/z3/b12n1/{name}"
        return Arrival(topic, payload, self.key.mac(Direction.UP, topic, age or "", payload), age, left_s, retained=False)

    def only(self) -> ZoneInput:
        assert len(self.inputs) == 1
        return self.inputs[0]


@pytest.fixture
def earlier(tmp_path: Path) -> Desk:
    """One that starts when press 1 of the node's life is on record."""
    return Desk(Quarantine(tmp_path / "quarantine"), {("b12n1", BOOT, 1): pressed(1)})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Quarantine(tmp_path / "quarantine"))


def pressed(seq: int, kind: str = "panic") -> bytes:
    return encode(press(seq, kind=kind).press)


async def test_a_press_is_handed_on_with_its_age_and_its_wait(desk: Desk) -> None:
    await desk.takes(desk.says(pressed(1), age="1500", left_s=PRESS_EXPIRY_S - 7))
    event = desk.only()
    assert isinstance(event, PressArrived)
    assert (event.node, event.press.seq, event.age_ms, event.waited_ms) == ("b12n1", 1, 1500, 7000)
    assert event.digest == digest_of(pressed(1))


@pytest.mark.parametrize("age", ["-31536000000", "soon", "1e9", "9" * 30, "१२"])
async def test_an_impossible_age_is_said_and_refuses_no_press(desk: Desk, age: str) -> None:
    await desk.takes(desk.says(pressed(1), age=age))
    event = desk.only()
    assert isinstance(event, PressArrived)
    assert event.age_ms is None
    assert age[:20] in event.age_refused


async def test_a_repeat_is_receipted_only_when_the_press_is_on_disk(desk: Desk) -> None:
    await desk.takes(desk.says(pressed(1)), desk.says(pressed(1)))
    event = desk.only()
    assert desk.receipts == []
    desk.inbox.committed(event)
    await desk.takes(desk.says(pressed(1)))
    assert len(desk.inputs) == 1
    assert [(one.node, one.receipt.digest, one.receipt.kept) for one in desk.receipts] == [("b12n1", digest_of(pressed(1)), Kept.RECORDED)]


async def test_a_press_recorded_in_an_earlier_life_is_a_repeat(earlier: Desk) -> None:
    await earlier.takes(earlier.says(pressed(1)), until=1)
    assert earlier.inputs == []
    assert len(earlier.receipts) == 1


async def test_the_same_number_with_another_body_is_told_all_the_same(earlier: Desk) -> None:
    await earlier.takes(earlier.says(pressed(1, "fire")), until=1)
    event = earlier.only()
    assert isinstance(event, PressArrived)
    assert event.conflicts_with == digest_of(pressed(1))


async def test_the_records_are_not_asked_about_a_node_that_woke_after_the_gateway(desk: Desk) -> None:
    await desk.takes(desk.says(pressed(1)))
    await desk.takes(desk.says(pressed(2)), desk.says(pressed(1)))
    assert len(desk.inputs) == 2
    assert desk.asked == 0


async def test_what_is_no_longer_remembered_is_asked_of_the_records(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inbox.REMEMBERED_MAX", 2)
    for seq in (1, 2, 3):
        await desk.takes(desk.says(pressed(seq)))
        desk.on_record["b12n1", BOOT, seq] = frozenset({digest_of(pressed(seq))})
    await desk.takes(desk.says(pressed(1)), until=4)
    assert (len(desk.inputs), len(desk.receipts), desk.asked) == (3, 1, 1)


async def test_without_the_database_a_press_is_taken_and_its_repeats_are_still_known(earlier: Desk) -> None:
    earlier.away = True
    await earlier.takes(earlier.says(pressed(2)), until=1)
    await earlier.takes(earlier.says(pressed(2)))
    event = earlier.only()
    assert isinstance(event, PressArrived)
    assert event.unchecked


async def test_a_database_that_hangs_holds_up_no_press(earlier: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inbox.ASKED_S_MAX", 0.05)
    earlier.hangs = threading.Event()
    await earlier.takes(earlier.says(pressed(2)), until=1)
    await earlier.takes(earlier.says(pressed(3)), until=2)
    assert len(earlier.inputs) == 2
    assert earlier.asked == 1, "the second is not put behind the first"
    earlier.hangs.set()


async def test_a_press_on_which_the_rules_failed_does_not_end_the_next_life(tmp_path: Path) -> None:
    Quarantine(tmp_path / "quarantine").put(press(1))
    desk = Desk(Quarantine(tmp_path / "quarantine"))
    await desk.takes(desk.says(pressed(1)), desk.says(pressed(2)))
    aside, good = desk.inputs
    assert isinstance(aside, PressSetAside)
    assert (aside.node, aside.digest) == ("b12n1", digest_of(pressed(1)))
    assert isinstance(good, PressArrived)
    desk.inbox.committed(aside)
    await desk.takes(desk.says(pressed(1)), desk.says(pressed(1)))
    assert [one.receipt.kept for one in desk.receipts] == [Kept.UNREADABLE] * 2, "each repeat gets its receipt, should the first be lost"


async def test_each_bad_message_is_recorded_as_what_it_is(desk: Desk) -> None:
    stranger = Arrival("cuadra/v1/z3/nobody/up/press", b"{}", "00", None, None, retained=False)
    forged = desk.says(pressed(1))._replace(mac="00" * 16)
    unsigned = desk.says(pressed(1))._replace(mac=None)
    borrowed = desk.says(pressed(1))._replace(topic="cuadra/v1/z3/b13n1/up/press")
    no_json = desk.says(b"\xff\x00 not JSON")
    wrong_type = desk.says(json.dumps({"type": "press", "boot": BOOT, "seq": "one", "input": "b1", "kind": "panic", "gesture": "hold"}).encode())
    huge = desk.says(b"x" * 1_000_000)
    foreign = Arrival("cuadra/v1/z3/b12n1/up/everything", b"{}", None, None, None, retained=False)
    for arrival, sort in (
        (stranger, BadMessageSort.UNKNOWN_NODE), (forged, BadMessageSort.UNAUTHENTIC), (unsigned, BadMessageSort.UNAUTHENTIC),
        (borrowed, BadMessageSort.UNAUTHENTIC), (no_json, BadMessageSort.UNREADABLE), (wrong_type, BadMessageSort.UNREADABLE),
        (huge, BadMessageSort.TOO_BIG), (foreign, BadMessageSort.FOREIGN_TOPIC),
    ):
        event = desk.inbox.read(arrival)
        assert isinstance(event, BadMessageCame), arrival.topic
        assert event.sort is sort
        assert event.why
        assert event.digest == digest_of(arrival.payload)
    seq = desk.inbox.read(wrong_type)
    assert isinstance(seq, BadMessageCame)
    assert "seq" in seq.why


async def test_births_and_beats_are_handed_on(desk: Desk) -> None:
    await desk.takes(
        desk.says(encode(Online(BOOT, online=True)), "up/online", age=None, left_s=None),
        desk.says(encode(Beat(BOOT, 5, 0)), "up/beat", age=None, left_s=None),
    )
    assert [type(event) for event in desk.inputs] == [NodeOnline, NodeBeat]


def test_a_key_that_is_none_is_no_key() -> None:
    gateway = demo_keys.private_key("gateway")
    registry = Registry(1, "v", District("vmt", "Villa"), Zone("z3", "Inca", "vmt"), {}, {"b12n1": Node("b12n1", "z3", "b12", "00" * 32)})
    assert Keyring(gateway, registry).of("b12n1") is None
