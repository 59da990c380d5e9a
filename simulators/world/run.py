"""A plan, run: all its zones on one loop, until the faults have stopped for long, or a promise is broken."""

import asyncio
import contextlib
import gc
import logging
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from controller.policy_file import read_policy
from controller.rules.policy import Policy
from simulators.site import EXAMPLE
from simulators.world.leaping import Leaping
from simulators.world.plan import HOUR_MS, Plan
from simulators.world.promises import Broken
from simulators.world.town import town
from simulators.world.zone import ZoneHere

MEMORY: Final = Path("/dev/shm")  # noqa: S108 (memory-backed; the folder within is ours alone)
LOGGERS: Final = ("gateway", "controller", "asyncio")


class Outcome(Struct):
    """What came of a run. story: of the zone in which a promise was broken, else of all, by time."""

    plan: Plan
    broken: Broken | None
    zone: str
    story: list[tuple[int, str]]
    counts: Counter[str]
    zone_hours: float
    cpu_s: float
    inputs: int
    leapt: int
    missed: int


Step = Callable[[float, Counter[str]], None]


def run(plan: Plan, policy: Policy | None = None, *, leaps: bool = True, step: Step | None = None) -> Outcome:
    """Run it. policy: the example district's, if none is given. leaps: False has every beat sent. step: told each virtual hour."""
    policy = policy or read_policy(EXAMPLE / "policy.toml")
    used = time.process_time()
    with _quietly(), _folder() as folder:
        loop = Leaping()
        try:
            world = _World(loop, plan, policy, folder, step, leaps=leaps)
            loop.run_until_complete(world.lives())
            return world.outcome(time.process_time() - used)
        finally:
            with contextlib.suppress(Exception):
                _sweep(loop)
            loop.close()


class _World:
    def __init__(self, loop: Leaping, plan: Plan, policy: Policy, folder: Path, step: Step | None, *, leaps: bool) -> None:
        self._loop, self._plan, self._step = loop, plan, step
        self._policy, self._folder, self._leaps = policy, folder, leaps
        self.zones: dict[str, ZoneHere] = {}
        self.broken: Broken | None = None
        self.zone = ""
        self._ended: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(self._fault)

    async def lives(self) -> None:
        """From the beginning to the end."""
        plan, loop = self._plan, self._loop
        try:
            for name in plan.zones:
                here = town(name, plan.nodes)
                self.zones[name] = ZoneHere(loop, here, self._policy, plan.seed, self._folder, self._found(name), leaps=self._leaps)
            for event in plan.events:
                loop.at_ms(event.at_ms, self.zones[event.zone].happens, event)
            for zone in self.zones.values():
                loop.at_ms(plan.ends_ms, zone.faults_end)
            if self._step is not None:
                loop.in_ms(HOUR_MS, self._hour)
            loop.at_ms(plan.ends_ms + plan.rest_ms, self._end)
            await self._ended
            if self.broken is None:
                for zone in self.zones.values():
                    zone.ends()
        except Broken:
            pass
        finally:
            for zone in self.zones.values():
                zone.closes()

    def _hour(self) -> None:
        if self._step is not None:
            self._step(self._loop.now_ms / HOUR_MS, self._counts())
            self._loop.in_ms(HOUR_MS, self._hour)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _found(self, zone: str) -> Callable[[Broken], None]:
        def found(broken: Broken) -> None:
            if self.broken is None:
                self.broken, self.zone = broken, zone
                self._end()
        return found

    def _fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if self.broken is None and fault is not None and not isinstance(fault, asyncio.CancelledError):
            self.broken = Broken("the code runs", f"{type(fault).__name__}: {fault}", self._loop.now_ms)
            self.broken.__cause__ = fault
            self._end()

    def _counts(self) -> Counter[str]:
        return sum((zone.witness.counts for zone in self.zones.values()), Counter[str]())

    def outcome(self, cpu_s: float) -> Outcome:
        """All that can be said."""
        told = [self.zones[self.zone]] if self.zone else list(self.zones.values())
        story = sorted((line for zone in told for line in zone.witness.story), key=lambda line: line[0])
        inputs = sum(zone.inputs_taken + sum(node.inputs_taken for node in zone.nodes.values()) for zone in self.zones.values())
        return Outcome(self._plan, self.broken, self.zone, story, self._counts(), len(self.zones) * self._loop.now_ms / HOUR_MS, cpu_s, inputs,
                       sum(zone.leaps.leapt for zone in self.zones.values()), sum(zone.leaps.missed for zone in self.zones.values()))


def _sweep(loop: Leaping) -> None:
    """Let what was killed at the end find that out."""
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    gc.collect(0)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Where nothing needs to last; in memory, since every commit is synced."""
    folder = Path(tempfile.mkdtemp(prefix="cuadra-world-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """What goes wrong in there is meant to, and is told by the world itself."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
