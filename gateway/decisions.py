"""The rules' shell: inputs in, one durable batch, then the effects.

The design's section 4, steps 4 to 6.

Two loops share a list. One gives each input to the core and appends what was decided; the other takes whatever has been
appended, commits it in the writer's thread, and carries the effects out. So a press at rest waits for one commit and for
nothing else, and under load thousands share one. Nothing of a batch is done before the batch is on disk.

The exception is promise 5: when the oldest decision has waited 2 s for the disk, notices and orders go out from memory, at
once, until a commit succeeds; receipts never do. The entries stay in order in the list and are committed when it works.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from controller.entries import Body, Chain
from controller.errors import BrokenPromise, Unavailable
from controller.instants import Now
from controller.rules.effects import QueueNotice, Record, SendOrder, StopNotice, ZoneEffect
from controller.rules.inputs import PartFailed, PartRecovered, Woken, ZoneInput

logger = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
"""How long a decision may wait for the disk before people are told from memory. (Promise 5.)"""
RETRY_S: Final = 0.25
INPUTS_A_TURN: Final = 256
"""After so many inputs the loop lets others run: a storm must not hold up the channels' answers."""
STORE: Final = "gateway/store"
CANNOT_COMMIT: Final = "cannot-commit"

URGENT: Final = (QueueNotice, StopNotice, SendOrder)
"""What goes out from memory."""

Entry = tuple[Chain, int, Body]


class Core(Protocol):
    """What is needed of `ZoneController`."""

    def handle(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:
        """Decide."""
        ...

    def wake_at_ms(self) -> int | None:
        """When to be woken, on the monotonic clock."""
        ...


class Writer(Protocol):
    """What is needed of `Store`. Called in the writer's thread only."""

    def commit(self, entries: list[Entry]) -> object:
        """Make all of them durable, or none; raises Unavailable when another try may succeed."""
        ...


class _Decided:
    """One input's decisions, on their way to disk."""

    __slots__ = ("effects", "event", "records", "settled", "since", "urgent_done")

    def __init__(self, event: ZoneInput | None, effects: list[ZoneEffect], records: list[Entry], since: float) -> None:
        self.event = event
        self.effects = effects
        self.records = records
        self.since = since
        self.settled: asyncio.Future[None] | None = None
        self.urgent_done = False


class Decisions:
    """Runs the core.

    carry_out(effect): does one effect that is not a record; never blocks, never raises. committed(event): called when what
    was decided about `event` is on disk. failed_on(event): called before a defect of the rules ends this life. clock: gives the time.
    """

    def __init__(
        self,
        core: Core,
        writer: Writer,
        clock: Callable[[], Now],
        carry_out: Callable[[ZoneEffect], None],
        committed: Callable[[ZoneInput], None],
        failed_on: Callable[[ZoneInput], None],
    ) -> None:
        self._core = core
        self._writer = writer
        self._clock = clock
        self._carry_out = carry_out
        self._committed = committed
        self._failed_on = failed_on
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._inputs: deque[tuple[ZoneInput, asyncio.Future[None] | None]] = deque()
        self._arrived = asyncio.Event()
        self._decided: list[_Decided] = []
        self._to_commit = asyncio.Event()
        self._under_way: list[_Decided] = []
        self._impatience: asyncio.TimerHandle | None = None
        self.from_memory = False
        """Whether people are told from memory, because nothing can be committed."""

    def put(self, event: ZoneInput) -> None:
        """Give the core an input. On the event loop's thread."""
        self._inputs.append((event, None))
        self._arrived.set()

    async def settle(self, event: ZoneInput) -> None:
        """Give the core an input, and wait until what it decided is on disk (or people are told from memory)."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inputs.append((event, future))
        self._arrived.set()
        await future

    async def record(self, entries: Iterable[tuple[Chain, Body]]) -> None:
        """Add entries that the service itself makes (a commitment) and wait for them; the rules decide nothing from them."""
        at_ms = self._clock().utc_ms
        decided = _Decided(None, [], [(chain, at_ms, body) for chain, body in entries], self._loop_time())
        decided.settled = asyncio.get_running_loop().create_future()
        self._append(decided)
        await decided.settled

    async def in_writer(self, work: Callable[[], None]) -> None:
        """Do something in the thread that commits, between two commits. Raises what it raises."""
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def run(self) -> None:
        """Until cancelled. Raises BrokenPromise when the record is not what it must be: start again from the journal."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._decide())
                group.create_task(self._commit())
        finally:
            if self._impatience is not None:
                self._impatience.cancel()
            self._thread.shutdown(wait=False)

    async def _decide(self) -> None:
        while True:
            if not self._inputs:
                self._arrived.clear()
                if not await self._arrival():
                    self._inputs.append((Woken(), None))
            for _ in range(min(len(self._inputs), INPUTS_A_TURN)):
                self._handle(*self._inputs.popleft())
            await asyncio.sleep(0)

    async def _arrival(self) -> bool:
        """Wait for an input; False when the core wants to be woken first."""
        wake_at_ms = self._core.wake_at_ms()
        if wake_at_ms is None:
            await self._arrived.wait()
            return True
        try:
            async with asyncio.timeout(max(0.0, (wake_at_ms - self._clock().monotonic_ms) / 1000)):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def _handle(self, event: ZoneInput, settled: asyncio.Future[None] | None) -> None:
        now = self._clock()
        try:
            effects = self._core.handle(event, now)
        except Exception as fault:
            # The state may be half changed: the next life starts from the journal, and does not meet the same press again.
            logger.exception("the rules failed on %s", type(event).__name__)
            self._failed_on(event)
            raise BrokenPromise(f"the rules failed on a {type(event).__name__} ({type(fault).__name__}); the log has the place") from fault
        if effects:
            records: list[Entry] = [(e.chain, now.utc_ms, e.body) for e in effects if isinstance(e, Record)]
            decided = _Decided(event, effects[len(records):], records, self._loop_time())
            decided.settled = settled
            self._append(decided)
        elif settled is not None and not settled.done():
            settled.set_result(None)

    def _append(self, decided: _Decided) -> None:
        self._decided.append(decided)
        self._to_commit.set()
        if self.from_memory:
            self._do_urgent(decided)
        elif self._impatience is None and decided.records:
            self._impatience = asyncio.get_running_loop().call_later(PATIENCE_S, self._go_on_from_memory)

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._to_commit.wait()
            self._under_way += self._decided
            self._decided = []
            self._to_commit.clear()
            entries = [entry for decided in self._under_way for entry in decided.records]
            if entries:
                try:
                    await loop.run_in_executor(self._thread, self._writer.commit, entries)
                except Unavailable as fault:
                    if not self.from_memory:
                        logger.warning("cannot commit, trying again: %s", fault)
                    await asyncio.sleep(RETRY_S)
                    self._to_commit.set()
                    continue
            done, self._under_way = self._under_way, []
            self._be_patient_again()
            for decided in done:
                self._finish(decided)

    def _finish(self, decided: _Decided) -> None:
        """It is on disk: do what it calls for, in its order."""
        for effect in decided.effects:
            if not (decided.urgent_done and isinstance(effect, URGENT)):
                self._carry_out(effect)
        if decided.event is not None:
            self._committed(decided.event)
        self._settle(decided)

    def _be_patient_again(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
        if self.from_memory:
            self.from_memory = False
            logger.warning("committing works again; what was decided meanwhile is on disk")
            self.put(PartRecovered(STORE, CANNOT_COMMIT))
        oldest = next((decided for decided in self._decided if decided.records and not decided.urgent_done), None)
        if oldest is not None:
            waited_s = self._loop_time() - oldest.since
            self._impatience = asyncio.get_running_loop().call_later(max(0.0, PATIENCE_S - waited_s), self._go_on_from_memory)

    def _go_on_from_memory(self) -> None:
        self._impatience = None
        self.from_memory = True
        logger.error("nothing could be committed for %.0f s: people are told from memory, nodes get no receipts", PATIENCE_S)
        for decided in (*self._under_way, *self._decided):
            self._do_urgent(decided)
        self.put(PartFailed(STORE, CANNOT_COMMIT))

    def _do_urgent(self, decided: _Decided) -> None:
        """Once: what waits through several spells without a disk was told in the first."""
        if decided.urgent_done:
            return
        decided.urgent_done = True
        for effect in decided.effects:
            if isinstance(effect, URGENT):
                self._carry_out(effect)
        self._settle(decided)

    @staticmethod
    def _settle(decided: _Decided) -> None:
        if decided.settled is not None and not decided.settled.done():
            decided.settled.set_result(None)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()
