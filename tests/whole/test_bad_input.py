"""Whatever comes over the broker, sent by a program that nobody here wrote, is recorded as what it is and stops nothing."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, Final, Self

import pytest

from controller.authentication import Direction, PrivateKey
from controller.entries import BadMessageKept, FaultRaised, IncidentOpened, PressRecorded
from controller.messages import PRESS_EXPIRY_S, digest_of
from simulators import demo_keys
from simulators.police import PoliceReceiver
from tests.zone import NAME, Zone, until

pytestmark = pytest.mark.whole

BOOT, OTHER_BOOT = "a" * 32, "b" * 32
AT_ONCE_S: Final = 5.0
YEAR_MS: Final = 365 * 86_400_000
STORM: Final = 40


def press(seq: int = 1, boot: str = BOOT, **changed: Any) -> bytes:  # noqa: ANN401 (as wrong as it gets)
    """A press's payload."""
    return json.dumps({"type": "press", "boot": boot, "seq": seq, "input": "b1", "kind": "panic", "gesture": "hold"} | changed).encode()


def birth(boot: str, **changed: Any) -> bytes:  # noqa: ANN401 (as wrong as it gets)
    """A birth's payload."""
    return json.dumps({"type": "online", "boot": boot, "online": True, "inputs": ["b1"]} | changed).encode()


class Air:
    """The broker as strangers use it: `mosquitto_pub` speaks, `mosquitto_sub` hears what the gateway says to nodes."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._port = str(zone.broker.port)
        self._gateway = PrivateKey.at(zone.site.folder / "gateway.key").public
        self._ear: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self.receipts: list[tuple[str, str, str]] = []
        """(node, digest, kept), as they came."""

    async def say(self, node: str, payload: bytes, name: str = "up/press", *, by: str | None = None, age: str | None = None,
                  mac: str | None = None, signed: bool = True, also: Sequence[str] = ()) -> str:
        """Publish as `node`, with the code of the key of `by` (default: its own); returns the payload's digest. also: further words."""
        topic = f"cuadra/v1/{NAME}/{node}/{name}"
        words = ["mosquitto_pub", "-p", self._port, "-V", "mqttv5", "-q", "1", "-t", topic, "-s"]
        code = mac or demo_keys.private_key(by or node).shared_with(self._gateway).mac(Direction.UP, topic, age or "", payload)
        properties = ["message-expiry-interval", str(PRESS_EXPIRY_S)], *([["user-property", "mac", code]] if signed else [])
        if age is not None:
            properties = *properties, ["user-property", "age", age]
        for one in properties:
            words += ["-D", "publish", *one]
        words += also
        speaking = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE)
        await speaking.communicate(payload)
        assert speaking.returncode == 0
        return digest_of(payload)

    async def receipted(self, node: str, digest: str, kept: str, times: int = 1) -> None:
        """The node got so many receipts of this payload, kept as that."""
        wanted = (node, digest, kept)
        await until(lambda: self.receipts.count(wanted) >= times, 10, f"receipt {wanted}")

    async def __aenter__(self) -> Self:
        words = ["-p", self._port, "-V", "mqttv5", "-t", f"cuadra/v1/{NAME}/+/down/receipt", "-F", "%t %p"]
        ear = self._ear = await asyncio.create_subprocess_exec("mosquitto_sub", *words, stdout=asyncio.subprocess.PIPE)
        assert ear.stdout is not None
        await until(lambda: "+/down/receipt (QoS" in self._zone.broker.log.read_text(encoding="utf-8"), what="its subscription")
        self._listening = asyncio.create_task(self._listen(ear.stdout))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._ear is not None
        assert self._listening is not None
        self._ear.terminate()
        await self._ear.wait()
        await self._listening

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            if line.startswith(b"cuadra/"):
                topic, _, payload = line.decode().partition(" ")
                said = json.loads(payload)
                self.receipts.append((topic.split("/")[3], said["digest"], said["kept"]))


def bad(zone: Zone, sort: str, node: str = "") -> list[BadMessageKept]:
    return [kept for kept in zone.bodies(BadMessageKept) if kept.sort == sort and kept.node == node]


def presses(zone: Zone, node: str) -> list[PressRecorded]:
    return [one for one in zone.bodies(PressRecorded) if one.node == node]


async def what_cannot_be_read_is_kept_and_taken_out_of_its_node_s_queue(zone: Zone, strangers: Air) -> None:
    unreadable = {
        "z3b01n1": b"help! {not JSON",
        "z3b02n1": press(boot=5, seq="one", gesture=["hold"]),  # type: ignore[arg-type]  # the wrong types
        "z3b03n1": press() + b"\xff\xfe",
    }
    for node, payload in unreadable.items():
        await strangers.receipted(node, await strangers.say(node, payload), "unreadable")
        await zone.recorded("bad message (unreadable)", node)
    huge = await strangers.say("z3b04n1", press(note="x" * 1_000_000))
    await strangers.receipted("z3b04n1", huge, "unreadable")
    assert [kept.size > 1_000_000 for kept in bad(zone, "too-big", "z3b04n1")] == [True]


async def what_the_broker_keeps_does_not_deafen_the_zone(zone: Zone, strangers: Air) -> None:
    """Retained, it would come again at each connection, in each life of the gateway."""
    await strangers.say("z3b13n1", birth(BOOT, settings_rev=2**70), "up/online", also=["-r"])
    await zone.recorded("bad message (unreadable)", "z3b13n1")
    await strangers.say("z3b14n1", birth(BOOT), "up/online", also=["-r", "-D", "publish", "user-property", "\ufeffmark", "\ufeff"])
    await zone.recorded("z3b14n1 came")


async def what_no_node_of_ours_said_is_kept_and_not_answered(zone: Zone, strangers: Air) -> None:
    unanswered = [
        ("unknown-node", "z3b99n9", await strangers.say("z3b99n9", press())),
        ("unauthentic", "z3b05n1", await strangers.say("z3b05n1", press(), mac="0" * 32)),
        ("unauthentic", "z3b06n1", await strangers.say("z3b06n1", press(), signed=False)),
        ("unauthentic", "z3b07n1", await strangers.say("z3b07n1", press(), by="z3b08n1")),
        ("foreign-topic", "", await strangers.say("z3b08n1", press(), "up/rumour")),
    ]
    for sort, node, digest in unanswered:
        await until(lambda sort=sort, node=node: bad(zone, sort, node), what=f"{sort} of {node}")  # type: ignore[misc]  # bound at once
        assert [kept.digest for kept in bad(zone, sort, node)] == [digest]
        assert digest not in {answered for answering, answered, _ in strangers.receipts if answering == node}


async def a_storm_of_rubbish_fills_no_book(zone: Zone, strangers: Air) -> None:
    before = len(zone.bodies(BadMessageKept))
    rubbish = [f"rubbish {number}".encode() for number in range(STORM)]
    digests = await asyncio.gather(*(strangers.say("z3b01n1", one) for one in rubbish))
    for digest in digests:
        await strangers.receipted("z3b01n1", digest, "unreadable")
    assert len(zone.bodies(BadMessageKept)) == before, "counted, and written once a minute"


async def a_number_counts_once_and_another_body_under_it_counts_too(zone: Zone, strangers: Air) -> None:
    node = "z3b09n1"
    tried = press(gesture="test")
    first = await strangers.say(node, tried, age="0")
    await strangers.receipted(node, first, "recorded")
    assert await strangers.say(node, tried, age="700") == first
    await strangers.receipted(node, first, "recorded", times=2)
    second = await strangers.say(node, press(), age="0")
    await strangers.receipted(node, second, "recorded")
    assert [(one.seq, one.digest, one.conflicts_with) for one in presses(zone, node)] == [(1, first, ""), (1, second, first)]
    await zone.phones.phone("+51900000322").expects("PANICO", within_s=20)  # it may be the one that is no test
    await zone.recorded(f"node/{node} same-number-two-presses")


async def an_age_of_minus_a_year_hides_no_press(zone: Zone, strangers: Air) -> None:
    node, now_ms = "z3b10n1", time.time_ns() // 1_000_000
    digest = await strangers.say(node, press(), age=str(-YEAR_MS))
    await strangers.receipted(node, digest, "recorded")
    (kept,) = presses(zone, node)
    assert str(-YEAR_MS) in kept.age_refused
    assert now_ms - 60_000 < kept.pressed_from_at_ms <= kept.pressed_to_at_ms < now_ms + 60_000
    await zone.phones.phone("+51900000323").expects("PANICO", within_s=20)


async def of_two_nodes_from_one_card_every_press_counts(zone: Zone, strangers: Air) -> None:
    node = "z3b11n1"
    for boot in (BOOT, OTHER_BOOT, BOOT):
        await strangers.say(node, birth(boot), "up/online")
    for boot in (BOOT, OTHER_BOOT):
        await strangers.receipted(node, await strangers.say(node, press(boot=boot), age="0"), "recorded")
    assert [(one.boot, one.seq, one.conflicts_with) for one in presses(zone, node)] == [(BOOT, 1, ""), (OTHER_BOOT, 1, "")]
    assert [fault.subject for fault in zone.bodies(FaultRaised) if fault.code == "two-devices-one-name"] == [f"node/{node}"]


async def test_whatever_comes_is_recorded_as_what_it_is_and_a_good_press_after_it_is_told_at_once(zone: Zone, police: PoliceReceiver) -> None:
    gateway = zone.gateway
    async with Air(zone) as strangers:
        await what_cannot_be_read_is_kept_and_taken_out_of_its_node_s_queue(zone, strangers)
        await what_the_broker_keeps_does_not_deafen_the_zone(zone, strangers)
        await what_no_node_of_ours_said_is_kept_and_not_answered(zone, strangers)
        await a_storm_of_rubbish_fills_no_book(zone, strangers)
        assert presses(zone, "z3b05n1") == [], "nobody is alarmed by it"
        assert zone.bodies(IncidentOpened) == []
        await a_number_counts_once_and_another_body_under_it_counts_too(zone, strangers)
        await an_age_of_minus_a_year_hides_no_press(zone, strangers)
        await of_two_nodes_from_one_card_every_press_counts(zone, strangers)

        node, representative = "z3b12n1", zone.phones.phone("+51900000325")
        earlier = len(zone.bodies(IncidentOpened))
        await until(lambda: len(police.received) == earlier, what="the police's word of the earlier ones")
        good = await strangers.say(node, press(), age="0")
        await strangers.receipted(node, good, "recorded")
        await representative.expects("PANICO", "1=voy", within_s=AT_ONCE_S)
        await until(lambda: len(police.received) == earlier + 1, AT_ONCE_S, "the police's word of the good one")
    assert [one.digest for one in presses(zone, node)] == [good]
    assert gateway is not None
    assert gateway.poll() is None, "the same life of the gateway"
    log = zone.gateway_log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "lost" not in log, "nobody's message threw it off the broker"
    await zone.verify()
