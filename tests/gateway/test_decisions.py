"""The rules' shell: nothing is done before it is on disk, thousands share a commit, and a dead disk silences nobody."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.errors import BrokenPromise
from controller.rules.effects import GiveReceipt, QueueNotice, SendOrder, ZoneEffect
from controller.rules.inputs import PartFailed, PartRecovered, ZoneInput
from gateway import decisions
from gateway.decisions import Decisions
from tests.gateway.facts import Disk, OneEntryAPress, clock, press, until


class Bench:
    """The shell with a core, a disk, and what it did."""

    def __init__(self) -> None:
        self.core, self.disk = OneEntryAPress(), Disk()
        self.done: list[ZoneEffect] = []
        self.committed: list[ZoneInput] = []
        self.failed: list[ZoneInput] = []
        self.decisions = Decisions(self.core, self.disk, clock, self.done.append, self.committed.append, self.failed.append)

    def did(self, kind: type[ZoneEffect]) -> list[ZoneEffect]:
        return [effect for effect in self.done if isinstance(effect, kind)]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(decisions, "PATIENCE_S", 0.2)
    monkeypatch.setattr(decisions, "RETRY_S", 0.01)
    bench = Bench()
    running = asyncio.create_task(bench.decisions.run())
    yield bench
    bench.disk.free.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_nothing_is_done_before_the_commit(bench: Bench) -> None:
    bench.disk.free.clear()
    bench.decisions.put(press(1))
    await until(lambda: bench.core.seen)
    assert bench.done == []
    bench.disk.free.set()
    await until(lambda: bench.committed)
    assert bench.disk.faults == ["f1"]
    assert [type(effect) for effect in bench.done] == [GiveReceipt, SendOrder, QueueNotice]


async def test_what_comes_while_a_commit_runs_shares_the_next_one(bench: Bench) -> None:
    bench.disk.free.clear()
    for seq in range(1, 301):
        bench.decisions.put(press(seq))
        if seq == 1:
            await until(lambda: bench.core.seen)
    await until(lambda: len(bench.core.seen) == 300)
    bench.disk.free.set()
    await until(lambda: len(bench.committed) == 300)
    assert bench.disk.faults == [f"f{seq}" for seq in range(1, 301)]
    assert len(bench.disk.batches) == 2
    assert len(bench.did(GiveReceipt)) == 300


async def test_a_hanging_disk_silences_nobody_and_receipts_nothing(bench: Bench) -> None:
    bench.disk.free.clear()
    bench.decisions.put(press(1))
    await until(lambda: bench.did(QueueNotice))
    assert bench.did(SendOrder)
    assert bench.did(GiveReceipt) == []
    assert bench.decisions.from_memory
    bench.decisions.put(press(2))
    await until(lambda: len(bench.did(QueueNotice)) == 2)
    assert any(isinstance(event, PartFailed) for event in bench.core.seen)

    bench.disk.free.set()
    await until(lambda: len(bench.did(GiveReceipt)) == 2)
    assert bench.disk.faults == ["f1", "f2"]
    assert len(bench.did(QueueNotice)) == 2, "told once, from memory, and not again"
    await until(lambda: any(isinstance(event, PartRecovered) for event in bench.core.seen))
    assert not bench.decisions.from_memory


async def test_a_full_disk_is_tried_again_in_order(bench: Bench) -> None:
    bench.disk.full = True
    bench.decisions.put(press(1))
    bench.decisions.put(press(2))
    await until(lambda: len(bench.did(QueueNotice)) == 2)
    bench.decisions.put(press(3))
    bench.disk.full = False
    await until(lambda: len(bench.committed) >= 3)
    assert bench.disk.faults == ["f1", "f2", "f3"]


async def test_an_outcome_is_settled_when_it_is_on_disk_or_when_there_is_no_disk(bench: Bench) -> None:
    await asyncio.wait_for(bench.decisions.settle(press(1)), 5)
    assert bench.disk.faults == ["f1"]
    bench.disk.free.clear()
    await asyncio.wait_for(bench.decisions.settle(press(2)), 5)
    assert bench.disk.faults == ["f1"]


async def test_a_broken_promise_ends_the_process() -> None:
    bench = Bench()

    def fork(_entries: object) -> None:
        raise BrokenPromise("another has written the chain")

    bench.disk.commit = fork  # type: ignore[method-assign, assignment]  # this disk lies
    bench.decisions.put(press(1))
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(bench.decisions.run(), 5)
    assert raised.group_contains(BrokenPromise)
    assert bench.done == []


async def test_a_defect_of_the_rules_is_remembered_before_this_life_ends() -> None:
    bench = Bench()

    def fails(_event: object, _now: object) -> list[ZoneEffect]:
        raise KeyError("a defect")

    bench.core.handle = fails  # type: ignore[method-assign, assignment]  # these rules are broken
    bench.decisions.put(press(1))
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(bench.decisions.run(), 5)
    assert raised.group_contains(BrokenPromise, match="PressArrived")
    assert bench.failed == [press(1)]


async def test_a_disk_that_hangs_again_and_again_has_nobody_told_twice(bench: Bench) -> None:
    """What was told from memory and is still waiting when the disk hangs once more was told."""
    bench.disk.free.clear()
    bench.decisions.put(press(1))
    await until(lambda: bench.decisions.from_memory)
    bench.decisions.put(press(2))
    await until(lambda: len(bench.did(QueueNotice)) == 2)
    # One commit succeeds, the next one hangs with the second press in it, and the patience runs out anew.
    bench.disk.one_more()
    await until(lambda: len(bench.did(GiveReceipt)) == 1)
    bench.decisions.put(press(3))
    await until(lambda: len({effect.notice.id for effect in bench.did(QueueNotice) if isinstance(effect, QueueNotice)}) == 3)
    bench.disk.free.set()
    await until(lambda: len(bench.did(GiveReceipt)) == 3)
    assert sorted(effect.notice.id for effect in bench.did(QueueNotice) if isinstance(effect, QueueNotice)) == ["i-1", "i-2", "i-3"]
    assert len(bench.did(SendOrder)) == 3
