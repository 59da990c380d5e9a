"""Thousands of nodes' traffic from one process, for load.

Each node has a connection, a key pair, boots and an outbox of its own, and what goes over the wire is what a real node
sends. Its disk is the node's own `Outbox`, with a database and a thread: a node costs about 200 kB, 4 ms of the start, and
three open files. What is left out is what the gateway cannot see: pins, siren, light.

A fleet that is started again on the same folder goes on with what had not been receipted, as a node does.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from msgspec import Struct

from controller.messages import PressRef, Receipt, digest_of, encode
from node_firmware.clock import boottime_ms
from node_firmware.inputs import DiskWell, NodeInput, PressKept, PressNotKept
from node_firmware.outgoing import Outgoing
from simulators.fleet_disks import Disks
from simulators.fleet_node import FleetNode, Identity
from simulators.fleet_record import Record, Seen, What, now_us

logger = logging.getLogger(__name__)

CONNECTING_MAX: Final = 64
"""So many connections are made side by side; a broker's queue of connections that wait has about a hundred places."""
TICK_S: Final = 0.01
PING_EVERY_S: Final = 20
BACK_OFF_S_FIRST, BACK_OFF_S_MAX = 0.5, 10.0
CONNECT_S: Final = 30.0


class Tally(Struct):
    """Counted since the fleet's start. sent: first sendings; repeats: the others. refused: messages that were not the gateway's."""

    made: int = 0
    saved: int = 0
    not_saved: int = 0
    sent: int = 0
    repeats: int = 0
    receipted: int = 0
    refused: int = 0
    lost_links: int = 0


class _Pressed:
    """A press that waits: where it is, and when it was made and first sent (perf_counter, ns)."""

    __slots__ = ("made_ns", "node", "outgoing", "sent_ns")

    def __init__(self, node: FleetNode, outgoing: Outgoing, made_ns: int) -> None:
        self.node, self.outgoing = node, outgoing
        self.made_ns, self.sent_ns = made_ns, 0


class Fleet:
    """So many nodes, connected to one broker; an async context manager.

    folder: where the outboxes are, one a node. record: where what is seen of each press is written, if anywhere.
    """

    def __init__(self, nodes: Sequence[Identity], folder: Path, *, host: str = "127.0.0.1", port: int = 1883,
                 record: Path | None = None) -> None:
        self.tally = Tally()
        self.receipt_ms: list[float] = []
        """From each press's making to its receipt, in the order of the receipts; presses of earlier lives have none."""
        self.wire_ms: list[float] = []
        """From each press's first sending to its receipt."""
        self.repeating = True
        """Whether presses are sent again when their receipt is late."""
        self.nodes = [FleetNode(identity, self) for identity in nodes]
        self._address = (host, port)
        self._waiting: dict[PressRef, _Pressed] = {}
        self._held: list[_Pressed] | None = None
        self._record = Record(record) if record is not None else None
        self._unsaved: set[PressRef] = set()
        self._next_node = self._next_input = 0
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._connecting = asyncio.Semaphore(CONNECTING_MAX)
        self._by_id = {node.id: node for node in self.nodes}
        self._disks = Disks(folder, list(self._by_id), self._answered)

    async def __aenter__(self) -> "Fleet":
        for name, waiting in await self._disks.open():
            node = self._by_id[name]
            outgoing = node.take_back(waiting)
            if outgoing is not None:
                self._waiting[outgoing.ref] = _Pressed(node, outgoing, 0)
        self._tasks = [asyncio.create_task(self._keep_connected(node)) for node in self.nodes]
        self._tasks.append(asyncio.create_task(self._tick()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None,
                        trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for node in self.nodes:
            node.leave(politely=True)
        await self._disks.close()
        if self._record is not None:
            self._record.__exit__(kind, fault, trace)

    # --- what can be done

    def press(self, node: FleetNode | None = None, button: tuple[str, str] | None = None) -> PressRef:
        """Hold a button; without arguments the next node's next one in turn, so that presses spread over all.

        button: (input, kind). It is kept and, unless the fleet holds back, sent.
        """
        if node is None:
            node = self.nodes[self._next_node]
            button = button or node.inputs[self._next_input % len(node.inputs)]
            self._next_node += 1
            if self._next_node == len(self.nodes):
                self._next_node, self._next_input = 0, self._next_input + 1
        name, kind = button or node.inputs[0]
        made_ns = time.perf_counter_ns()
        keep, outgoing = node.press(name, kind)
        pressed = _Pressed(node, outgoing, made_ns)
        self._waiting[outgoing.ref] = pressed
        self.tally.made += 1
        self._unsaved.add(outgoing.ref)
        if self._record is not None:
            digest = digest_of(encode(keep.press))
            self._record.add(Seen("made", node.id, keep.press.boot, keep.press.seq, now_us(), name, kind, digest))
        self._disks.keep(node.id, keep)
        if self._held is None:
            node.send(outgoing)
        else:
            self._held.append(pressed)
        return outgoing.ref

    def go_on_after(self, count: int) -> None:
        """Go on in turn as if `count` buttons had been pressed already."""
        self._next_input, self._next_node = divmod(count, len(self.nodes))

    async def press_calmly(self, count: int, per_s: float) -> None:
        """Press `count` buttons, `per_s` a second, evenly."""
        start = time.monotonic()
        for done in range(count):
            wait = start + done / per_s - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            elif done % 20 == 0:
                await asyncio.sleep(0)
            self.press()

    async def burst(self, count: int) -> None:
        """Press `count` buttons as fast as the broker takes them; the disks write side by side with it."""
        for done in range(count):
            if done % 20 == 0:
                await asyncio.sleep(0)  # so that what comes back is read
            self.press()

    def hold_back(self) -> None:
        """From now on presses are made and saved, and not sent until `let_go`. A link that comes up sends them all the same."""
        if self._held is None:
            self._held = []

    async def let_go(self) -> None:
        """Send at once what was held back."""
        held, self._held = self._held or [], None
        for done, pressed in enumerate(held):
            if done % 20 == 0:
                await asyncio.sleep(0)
            if pressed.outgoing.ref in self._waiting:
                pressed.node.send(pressed.outgoing)

    def beat_steadily(self, per_s: float) -> None:
        """From now on the nodes beat in turn, `per_s` beats a second in all, until the fleet ends."""
        self._tasks.append(asyncio.create_task(self._beats(per_s)))

    @property
    def waiting(self) -> int:
        """Presses that have no receipt yet."""
        return len(self._waiting)

    @property
    def connected(self) -> int:
        """Nodes whose link stands."""
        return sum(node.up for node in self.nodes)

    async def all_connected(self, within_s: float) -> None:
        """Wait until every node's link stands. Raises TimeoutError."""
        await self._until(lambda: self.connected == len(self.nodes), within_s)

    async def all_saved(self, within_s: float) -> None:
        """Wait until the disks have answered for every press. Raises TimeoutError."""
        await self._until(lambda: not self._unsaved, within_s)

    async def all_receipted(self, within_s: float) -> None:
        """Wait until every press has its receipt. Raises TimeoutError."""
        await self._until(lambda: not self._waiting, within_s)

    # --- what the nodes tell (see `Watcher`)

    def sent(self, node: str, ref: PressRef) -> None:
        """A press went out."""
        pressed = self._waiting.get(ref)
        if pressed is None or pressed.sent_ns:
            self.tally.repeats += 1
            return
        pressed.sent_ns = time.perf_counter_ns()
        self.tally.sent += 1
        self._see("sent", node, ref)

    def receipted(self, node: str, outgoing: Outgoing, receipt: Receipt) -> None:
        """A press is on record."""
        pressed = self._waiting.pop(outgoing.ref)
        self.tally.receipted += 1
        self._see("receipted", node, outgoing.ref, receipt.kept)
        self._unsaved.discard(outgoing.ref)
        self._disks.forget(node, outgoing.ref)
        now_ns = time.perf_counter_ns()
        if pressed.made_ns:
            self.receipt_ms.append((now_ns - pressed.made_ns) / 1e6)
            self.wire_ms.append((now_ns - pressed.sent_ns) / 1e6)
        if not self._waiting or not self._unsaved:
            self._changed.set()

    def refused(self, node: str, why: str) -> None:
        """Something was not the gateway's own."""
        if not self.tally.refused:
            logger.warning("node %s: %s; further ones are only counted", node, why)
        self.tally.refused += 1

    def _see(self, what: What, node: str, ref: PressRef, why: str = "") -> None:
        if self._record is not None:
            self._record.add(Seen(what, node, ref.boot, ref.seq, now_us(), why=why))

    def _answered(self, name: str, answer: NodeInput) -> None:
        """Take the answer of a node's disk."""
        node = self._by_id[name]
        match answer:
            case PressKept(ref=ref):
                self.tally.saved += 1
                self._unsaved.discard(ref)
                if ref in self._waiting:
                    node.outbox.kept(ref)
                self._see("saved", name, ref)
            case PressNotKept(ref=ref, code=code):
                self.tally.not_saved += 1
                self._unsaved.discard(ref)
                if ref in self._waiting:
                    node.outbox.not_kept(ref)
                self._see("not-saved", name, ref, code)
            case DiskWell():
                for keep in node.outbox.keep_again(boottime_ms()):
                    self._disks.keep(name, keep)
        if not self._unsaved:
            self._changed.set()

    # --- links and time

    async def _keep_connected(self, node: FleetNode) -> None:
        pause = BACK_OFF_S_FIRST
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with self._connecting:
                    await loop.create_connection(node.connection, *self._address)
                    up = await self._comes_up(node)
                if up:
                    pause = BACK_OFF_S_FIRST
                    self._changed.set()
                why = await node.ended
                self.tally.lost_links += 1
            except OSError as fault:
                why = str(fault)
            logger.debug("node %s: no link (%s)", node.id, why)
            await asyncio.sleep(random.uniform(0.1, pause))
            pause = min(pause * 2, BACK_OFF_S_MAX)

    @staticmethod
    async def _comes_up(node: FleetNode) -> bool:
        """Whether the link stands in time; one that does not is given up."""
        await asyncio.wait((node.came_up, node.ended), return_when=asyncio.FIRST_COMPLETED, timeout=CONNECT_S)
        if not node.came_up.done():
            node.leave(politely=False)
        return node.came_up.done()

    async def _tick(self) -> None:
        """Repeat what is due, and keep the connections alive."""
        pinged = time.monotonic()
        while True:
            await asyncio.sleep(0.1)
            if self._waiting and self.repeating and self._held is None:
                now_ms = boottime_ms()
                for node in {pressed.node for pressed in self._waiting.values()}:
                    node.repeat_due(now_ms)
            if time.monotonic() - pinged > PING_EVERY_S:
                pinged = time.monotonic()
                for node in self.nodes:
                    node.ping()

    async def _beats(self, per_s: float) -> None:
        start, done = time.monotonic(), 0
        while True:
            await asyncio.sleep(TICK_S)
            due = int((time.monotonic() - start) * per_s)
            for number in range(done, due):
                self.nodes[number % len(self.nodes)].beat()
            done = due

    async def _until(self, holds: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

