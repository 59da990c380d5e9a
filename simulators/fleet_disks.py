"""The disks of a fleet: the node's own `Outbox`, one database for several nodes, and whose boots are whose."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from controller.errors import Unavailable
from controller.messages import PressRef
from node_firmware.effects import ForgetPress, KeepPress
from node_firmware.inputs import NodeInput, WaitingPress
from node_firmware.outbox import Found, Outbox

logger = logging.getLogger(__name__)

STOP_S: Final = 10.0


class Life(Struct, frozen=True):
    """Which boots were a node's: a line of the folder's `lives.jsonl`, there before the first press of that life."""

    node: str
    boot: str
    silent_boot: str


class Disks:
    """So many databases in `folder`, shared by the nodes in turn.

    answer: called on the event loop with each answer of an outbox, those that came together in one turn.
    """

    def __init__(self, folder: Path, lives: Sequence[Life], count: int, answer: Callable[[NodeInput], None]) -> None:
        self._folder = folder
        self._lives = lives
        self._answer = answer
        self._answers: deque[NodeInput] = deque()
        self._told = False
        self._loop = asyncio.get_running_loop()
        self._disks = [Outbox(folder / f"disk-{number:03}", self._take) for number in range(min(count, max(1, len(lives))))]
        self._of_node = {life.node: self._disks[number % len(self._disks)] for number, life in enumerate(lives)}
        self._boots_now = {boot for life in lives for boot in (life.boot, life.silent_boot)}
        self.owners: dict[str, str] = {}
        """The node of each boot, of this life and earlier ones."""

    async def open(self) -> list[WaitingPress]:
        """Open them; what they hold of presses of these nodes' earlier lives.

        Raises Unavailable when one cannot be written.
        """
        self._begin_lives()
        waiting: list[WaitingPress] = []
        for disk, found in zip(self._disks, await asyncio.gather(*map(self._open, self._disks)), strict=True):
            if found.disk_fault:
                raise Unavailable(f"{disk.path}: {found.disk_fault}; expected a database that can be written; mend the disk")
            waiting += found.waiting
        strangers = sum(one.press.boot not in self.owners for one in waiting)
        if strangers:
            logger.warning("%s holds %d presses of nodes that are not in this fleet; they stay there", self._folder, strangers)
        return [one for one in waiting if one.press.boot in self.owners]

    def keep(self, node: str, keep: KeepPress) -> None:
        """Have a press written; it is answered."""
        self._of_node[node].put(keep)

    def forget(self, node: str, ref: PressRef) -> None:
        """Have a press taken out, from wherever it is: a fleet of another size had its nodes on other disks."""
        if ref.boot in self._boots_now:
            self._of_node[node].put(ForgetPress(ref))
        else:
            for disk in self._disks:
                disk.put(ForgetPress(ref))

    async def close(self) -> None:
        """Write what waits, and close."""
        await asyncio.gather(*(asyncio.to_thread(disk.stop, STOP_S) for disk in self._disks))
        self._drain()

    def _begin_lives(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "lives.jsonl"
        lives = list(self._lives)
        if path.exists():
            lives += [msgspec.json.decode(line, type=Life) for line in path.read_bytes().splitlines()]
        self.owners = {boot: life.node for life in lives if life.node in self._of_node for boot in (life.boot, life.silent_boot)}
        with path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(life) + b"\n" for life in self._lives))
            file.flush()
            os.fsync(file.fileno())

    async def _open(self, disk: Outbox) -> Found:
        found: asyncio.Future[Found] = self._loop.create_future()
        disk.start(lambda what: self._on_loop(lambda: found.set_result(what)))
        return await found

    def _take(self, answer: NodeInput) -> None:
        """An answer, on an outbox's thread; the loop is woken once for many."""
        self._answers.append(answer)
        if not self._told:
            self._told = True
            self._on_loop(self._drain)

    def _on_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _drain(self) -> None:
        self._told = False
        while self._answers:
            self._answer(self._answers.popleft())
