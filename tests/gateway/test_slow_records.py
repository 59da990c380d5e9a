"""A disk that is slow to read: what may be a repeat is taken all the same, and the gateway lives through it."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from controller.authentication import Direction
from controller.entries import PressRecorded, ReplyReceived
from controller.messages import Gesture, Press, encode
from controller.records.store import Store
from controller.registry import Node
from controller.rules.effects import GiveReceipt, ZoneEffect
from controller.rules.inputs import MemberWrote, Started, ZoneInput
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from gateway.broker import Arrival
from gateway.decisions import Decisions
from gateway.inbox import Inbox, PressKey
from gateway.keyring import Keyring
from gateway.quarantine import Quarantine
from gateway.service import fold, now
from simulators import demo_keys
from tests.rules import night

GATEWAY = demo_keys.private_key("gateway")


class Disk:
    """Records whose table of presses cannot be read while it is slow; commits go on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.well = threading.Event()

    def lives(self) -> set[tuple[str, str]]:
        return self._store.lives()

    def known(self, keys: Iterable[PressKey]) -> Mapping[PressKey, frozenset[str]]:
        self.well.wait(10)
        return self._store.known(keys)


class Life:
    """A gateway's life, without broker and channels."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(str(folder / "gateway.db"), "z3")
        self.disk = Disk(self.store)
        self.receipts: list[GiveReceipt] = []
        self.changed = asyncio.Event()
        network = night.registry()
        nodes = {name: Node(name, "z3", node.block, demo_keys.private_key(name).public) for name, node in network.nodes.items()}
        network = msgspec.structs.replace(network, nodes=nodes)
        core = ZoneController("z3", network, Policy.parse(night.POLICY), fold(self.store).state)
        quarantine = Quarantine(folder / "quarantine")
        self.decisions = Decisions(core, self.store, now, self._carry_out, self._committed, quarantine.put)
        self.inbox = Inbox(Keyring(GATEWAY, network), self.disk, quarantine, self.decisions.put, self._carry_out)
        self.decisions.put(Started("1"))

    async def __aenter__(self) -> "Life":
        self._running = [asyncio.ensure_future(part) for part in (self.decisions.run(), self.inbox.run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.disk.well.set()
        for part in self._running:
            part.cancel()
        outcomes = await asyncio.gather(*self._running, return_exceptions=True)
        self.store.close()
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2, "it lived until it was stopped"

    def _committed(self, event: ZoneInput) -> None:
        self.inbox.committed(event)

    def _carry_out(self, effect: ZoneEffect) -> None:
        if isinstance(effect, GiveReceipt):
            self.receipts.append(effect)
            self.changed.set()

    def hears(self, node: str, press: Press) -> None:
        topic, payload = f"cuadra/v1/z3/{node}/up/press", encode(press)
        mac = demo_keys.private_key(node).shared_with(GATEWAY.public).mac(Direction.UP, topic, "40", payload)
        self.inbox.take([Arrival(topic, payload, mac, "40", None, retained=False)])

    async def receipted(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.receipts) < count:
                await self.changed.wait()
                self.changed.clear()


def pressed(node: str) -> Press:
    return Press(night.boot_of(node), 1, "b1", "panic", Gesture.HOLD)


async def test_a_repeat_that_a_slow_disk_could_not_tell_takes_nothing_else_with_it(tmp_path: Path) -> None:
    async with Life(tmp_path) as life:
        life.hears("b12n1", pressed("b12n1"))
        await life.receipted(1)
    # The receipt is lost, the gateway is started anew, and its disk answers no question in time.
    async with Life(tmp_path) as life:
        life.hears("b12n1", pressed("b12n1"))
        life.hears("b13n1", pressed("b13n1"))
        life.decisions.put(MemberWrote("sms", "rosa", "1", None, None, ""))
        await life.receipted(2)
    async with Life(tmp_path) as life:
        life.disk.well.set()
        life.hears("b12n1", pressed("b12n1"))
        await life.receipted(1)
        entries = [entry.body for entry in life.store.entries()]
    assert [(body.node, body.meaning, body.unchecked) for body in entries if isinstance(body, PressRecorded)] == [
        ("b12n1", "opens", 0), ("b13n1", "opens", 0), ("b12n1", "notes", 1)]
    assert [body.member for body in entries if isinstance(body, ReplyReceived)] == ["rosa"]
