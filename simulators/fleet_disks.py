"""The disks of a fleet: each node's own outbox, with a database and a thread of its own, as in the street."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from controller.errors import Unavailable
from controller.messages import PressRef
from node_firmware.effects import ForgetPress, KeepPress
from node_firmware.inputs import NodeInput, WaitingPress
from node_firmware.outbox import Found, Outbox

STOP_S: Final = 10.0
OPENING_MAX: Final = 32
"""So many are opened side by side: each syncs its new file, and what is to be shown is not how a disk takes that."""


class Disks:
    """A database a node, in a folder of its own below `folder`.

    answer: called on the event loop with the node and each answer of its outbox, those that came together in one turn.
    """

    def __init__(self, folder: Path, nodes: Sequence[str], answer: Callable[[str, NodeInput], None]) -> None:
        self._answer = answer
        self._answers: deque[tuple[str, NodeInput]] = deque()
        self._told = False
        self._loop = asyncio.get_running_loop()
        self._disks = {node: Outbox(folder / node, self._taker(node)) for node in nodes}

    async def open(self) -> list[tuple[str, WaitingPress]]:
        """Open them; what each node's holds of presses of earlier lives.

        Raises Unavailable when one cannot be written.
        """
        places = asyncio.Semaphore(OPENING_MAX)
        waiting: list[tuple[str, WaitingPress]] = []

        async def open_one(node: str, disk: Outbox) -> None:
            async with places:
                found = await self._open(disk)
            if found.disk_fault:
                raise Unavailable(f"{disk.path}: {found.disk_fault}; expected a database that can be written; mend the disk")
            waiting.extend((node, one) for one in found.waiting)

        await asyncio.gather(*(open_one(node, disk) for node, disk in self._disks.items()))
        return waiting

    def keep(self, node: str, keep: KeepPress) -> None:
        """Have a press written; it is answered."""
        self._disks[node].put(keep)

    def forget(self, node: str, ref: PressRef) -> None:
        """Have a press taken out."""
        self._disks[node].put(ForgetPress(ref))

    async def close(self) -> None:
        """Write what waits, and close."""
        await asyncio.gather(*(asyncio.to_thread(disk.stop, STOP_S) for disk in self._disks.values()))
        self._drain()

    async def _open(self, disk: Outbox) -> Found:
        found: asyncio.Future[Found] = self._loop.create_future()
        disk.start(lambda what: self._on_loop(lambda: found.set_result(what)))
        return await found

    def _taker(self, node: str) -> Callable[[NodeInput], None]:
        def take(answer: NodeInput) -> None:
            """An answer, on the outbox's thread; the loop is woken once for many."""
            self._answers.append((node, answer))
            if not self._told:
                self._told = True
                self._on_loop(self._drain)

        return take

    def _on_loop(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _drain(self) -> None:
        self._told = False
        while self._answers:
            self._answer(*self._answers.popleft())
