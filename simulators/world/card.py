"""A node's SD card, without the node's thread: what is pending, what is synced, and what a power cut leaves of it."""

import random
from collections.abc import Callable
from typing import Final, NamedTuple

from controller.messages import PressRef, Settings, Stream
from node_firmware.effects import ForgetPress, ForgetStreams, KeepPress, KeepSettings, MarkSiren, TryDisk
from node_firmware.inputs import DiskTried, DiskWell, NodeInput, PressKept, PressNotKept, WaitingPress
from simulators.world.leaping import Leaping

JOIN_MS: Final = 20
RETRY_MS: Final = 5000
SLOW_MS: Final = 4000
FULL: Final = "disk-full"

Job = KeepPress | ForgetPress | ForgetStreams | KeepSettings | MarkSiren | TryDisk


class Opened(NamedTuple):
    """What a process finds: as `Started` has it."""

    waiting: tuple[WaitingPress, ...]
    machine_restarted: bool
    siren_mark_age_ms: int | None
    streams: tuple[Stream, ...]


class Kept(NamedTuple):
    """A press on the card. kernel: under which boot of the machine it was written."""

    press: KeepPress
    kernel: int


class Card:
    """What is synced outlives the node's process and machine."""

    def __init__(self, loop: Leaping, chance: random.Random) -> None:
        self._loop = loop
        self._chance = chance
        self.presses: dict[PressRef, Kept] = {}
        self.streams: dict[str, Stream] = {}
        self.settings: Settings | None = None
        self.siren_on_at_ms: int | None = None
        self.alive_at_ms = 0
        self.kernel = -1
        self.full = self.slow = False
        self._life: Writing | None = None

    def opened(self, kernel: int, clock_ms: Callable[[], int], answer: Callable[[NodeInput], None]) -> Opened:
        """A process has opened it."""
        restarted = self.kernel != kernel
        age = None
        if restarted and self.siren_on_at_ms is not None:
            age = max(0, self.alive_at_ms - self.siren_on_at_ms)
        waiting = tuple(WaitingPress(kept.press.press, kept.press.made_at_ms if kept.kernel == kernel else None, kept.press.rank)
                        for kept in self.presses.values())
        if not self.full:
            self.kernel, self.siren_on_at_ms, self.alive_at_ms = kernel, None, clock_ms()
        self._life = Writing(self, self._loop, self._chance, clock_ms, answer)
        return Opened(waiting, restarted, age, tuple(self.streams.values()))

    def put(self, job: Job) -> None:
        """Have it written."""
        if self._life is not None:
            self._life.put(job)

    def lose_unsynced(self) -> None:
        """The process is gone, and what it had not written."""
        if self._life is not None:
            self._life.dead = True
            self._life = None


class Writing:
    """One process's writing: what waits together is one commit."""

    def __init__(self, card: Card, loop: Leaping, chance: random.Random, clock_ms: Callable[[], int], answer: Callable[[NodeInput], None]) -> None:
        self._card, self._loop, self._chance, self._clock_ms, self._answer = card, loop, chance, clock_ms, answer
        self.dead = False
        self._pending: dict[object, Job] = {}
        self._refused: set[PressRef] = set()
        self._under_way = False
        self._fault = False

    def put(self, job: Job) -> None:
        """It joins what waits."""
        match job:
            case KeepPress(press=press):
                self._pending[PressRef(press.boot, press.seq)] = job
            case ForgetPress(ref=ref):
                self._pending[ref] = job
            case TryDisk(order=order):
                self._pending[order] = job
            case ForgetStreams(boots=boots):
                self._pending[boots] = job
            case _:
                self._pending[type(job)] = job
        if not self._under_way:
            self._under_way = True
            self._loop.in_ms(1 if isinstance(job, KeepPress) else JOIN_MS, self._begin)

    def _begin(self) -> None:
        jobs, self._pending = dict(self._pending), {}
        self._loop.in_ms(SLOW_MS if self._card.slow else self._chance.randrange(4, 60), self._end, jobs)

    def _end(self, jobs: dict[object, Job]) -> None:
        if self.dead:
            return
        self._under_way = False
        if self._card.full:
            self._failed(jobs)
        else:
            for key, job in jobs.items():
                self._write(key, job)
            self._card.alive_at_ms = self._clock_ms()
            self._refused.clear()
            for job in jobs.values():
                if isinstance(job, KeepPress):
                    self._answer(PressKept(PressRef(job.press.boot, job.press.seq)))
                elif isinstance(job, TryDisk):
                    self._answer(DiskTried(job.order, ""))
            if self._fault:
                self._fault = False
                self._answer(DiskWell())
        if self._pending and not self._under_way and not self.dead:
            self._under_way = True
            self._loop.in_ms(RETRY_MS if self._fault else 1, self._begin)

    def _failed(self, jobs: dict[object, Job]) -> None:
        self._fault = True
        self._pending = {**jobs, **self._pending}
        for job in jobs.values():
            if isinstance(job, KeepPress):
                ref = PressRef(job.press.boot, job.press.seq)
                if ref not in self._refused:
                    self._refused.add(ref)
                    self._answer(PressNotKept(ref, FULL))
            elif isinstance(job, TryDisk):
                self._pending.pop(job.order, None)
                self._answer(DiskTried(job.order, FULL))
        if not self._pending:
            # An empty try finds out when the card is well again.
            self._pending[TryDisk] = MarkSiren(on=False)

    def _write(self, key: object, job: Job) -> None:
        card = self._card
        match job:
            case KeepPress(press=press):
                card.presses[PressRef(press.boot, press.seq)] = Kept(job, card.kernel)
                before = card.streams.pop(press.boot, None)
                card.streams[press.boot] = Stream(press.boot, max(press.seq, before.last if before is not None else 0), job.secret)
            case ForgetStreams(boots=boots):
                for boot in boots:
                    card.streams.pop(boot, None)
            case ForgetPress(ref=ref):
                card.presses.pop(ref, None)
            case KeepSettings(settings=settings):
                card.settings = settings
            case MarkSiren(on=on) if key is not TryDisk:
                card.siren_on_at_ms = self._clock_ms() if on else None
            case _:
                pass
