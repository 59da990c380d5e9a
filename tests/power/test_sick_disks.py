"""A disk that stalls, is full or read-only, under the real outbox and the real records; and that it is well again."""

import asyncio
import time
from collections.abc import Iterator
from queue import Empty

import pytest

from controller.entries import Chain
from controller.errors import Unavailable
from controller.messages import PressRef
from controller.records import database
from controller.records.store import Store
from controller.rules.effects import GiveReceipt, QueueNotice, SendOrder, ZoneEffect
from gateway.decisions import Decisions
from node_firmware import outbox
from node_firmware.effects import TryDisk
from node_firmware.inputs import DiskTried, DiskWell, PressKept, PressNotKept
from tests.gateway.facts import OneEntryAPress, clock, until
from tests.gateway.facts import press as arrived
from tests.node.test_outbox import BOOT, Desk, keep, press
from tests.power.conftest import MakeDisk
from tests.power.dbapi import url_on
from tests.power.test_records import batch
from tests.power.vfs import Disk

STALL_S = 5.0
AILMENTS = {"full": "disk-full", "read_only": "disk-read-only"}


@pytest.fixture
def disk(make_disk: MakeDisk) -> Disk:
    return make_disk()


@pytest.fixture
def store(disk: Disk) -> Iterator[Store]:
    opened = Store.open(url_on(disk), "z1")
    yield opened
    disk.release()
    opened.close()


def kept(seq: int) -> PressKept:
    return PressKept(PressRef(BOOT, seq))


@pytest.mark.whole
def test_a_stalled_outbox_takes_presses_at_once_and_says_saved_only_when_they_are(disk: Disk) -> None:
    desk = Desk(disk.folder, disk.connect)
    disk.stall("sync", STALL_S)
    began = time.monotonic()
    desk.outbox.put(keep(1))
    assert disk.stalling.wait(5)
    for seq in range(2, 20):
        desk.outbox.put(keep(seq))
    assert disk.stalling.is_set(), "they were taken while the disk stalled"
    with pytest.raises(Empty):
        desk.answer(within_s=0.2)
    assert [desk.answer() for _ in range(1, 20)] == [kept(seq) for seq in range(1, 20)]
    assert time.monotonic() - began >= STALL_S
    desk.close()


@pytest.mark.parametrize("ailment", AILMENTS)
def test_an_outbox_on_a_sick_disk_says_so_and_writes_when_it_is_well(disk: Disk, ailment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    desk = Desk(disk.folder, disk.connect)
    desk.outbox.put(keep(1))
    assert desk.answer() == kept(1)
    setattr(disk, ailment, True)
    desk.outbox.put(keep(2))
    assert desk.answer() == PressNotKept(PressRef(BOOT, 2), AILMENTS[ailment])
    desk.outbox.put(TryDisk("test-1"))
    tried = desk.answer()
    assert isinstance(tried, DiskTried)
    assert tried.fault
    setattr(disk, ailment, False)
    answers = [desk.answer()]
    while answers[-1] != DiskWell():
        answers.append(desk.answer())
    assert kept(2) in answers
    desk.outbox.put(TryDisk("test-2"))
    assert desk.answer() == DiskTried("test-2", "")
    desk.close()
    again = Desk(disk.folder, disk.connect)
    again.close()
    assert [waiting.press for waiting in again.found.waiting] == [press(1), press(2)]


def test_an_outbox_on_a_read_only_card_finds_its_presses_at_each_start(disk: Disk) -> None:
    desk = Desk(disk.folder, disk.connect)
    desk.outbox.put(keep(1))
    assert desk.answer() == kept(1)
    desk.close()
    disk.read_only = True
    for _ in range(3):
        again = Desk(disk.folder, disk.connect)
        again.close()
        assert again.found.disk_fault
        assert [waiting.press for waiting in again.found.waiting] == [press(1)]


@pytest.mark.parametrize("ailment", AILMENTS)
def test_records_on_a_sick_disk_are_unavailable_and_go_on_when_it_is_well(disk: Disk, store: Store, ailment: str) -> None:
    store.commit(batch(0))
    before = store.heads()
    setattr(disk, ailment, True)
    for _ in range(2):
        with pytest.raises(Unavailable):
            store.commit(batch(1))
        assert store.heads() == before
    setattr(disk, ailment, False)
    store.commit(batch(1))
    store.commit(batch(2))
    for chain in Chain:
        bodies = [body for number in range(3) for of, _, body in batch(number) if of is chain]
        assert [entry.body for entry in store.entries(chain)] == bodies


@pytest.mark.parametrize("ailment", AILMENTS)
def test_records_cannot_be_begun_on_a_sick_disk_and_can_later(disk: Disk, ailment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MIGRATION_S", 0.0)
    setattr(disk, ailment, True)
    with pytest.raises(Unavailable):
        Store.open(url_on(disk), "z1")
    setattr(disk, ailment, False)
    store = Store.open(url_on(disk), "z1")
    store.commit(batch(0))
    store.close()


@pytest.mark.whole
@pytest.mark.parametrize("operation", ["write", "sync"])
async def test_a_gateway_whose_disk_stalls_tells_after_two_seconds_and_receipts_after_the_commit(disk: Disk, store: Store, operation: str) -> None:
    done: list[tuple[float, ZoneEffect]] = []
    decisions = Decisions(
        OneEntryAPress(), store, clock, lambda effect: done.append((time.monotonic() - began, effect)), lambda _: None, lambda _: None,
    )

    def times(kind: type[ZoneEffect]) -> list[float]:
        return [at_s for at_s, effect in done if isinstance(effect, kind)]

    running = asyncio.create_task(decisions.run())
    disk.stall(operation, STALL_S)
    began = time.monotonic()
    decisions.put(arrived(1))
    try:
        await until(lambda: times(QueueNotice))
        assert disk.stalling.is_set()
        assert times(GiveReceipt) == []
        await until(lambda: times(GiveReceipt))
        assert not disk.stalling.is_set()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(times(QueueNotice)) == len(times(SendOrder)) == len(times(GiveReceipt)) == 1
    assert 2.0 <= times(QueueNotice)[0] < STALL_S
    assert times(GiveReceipt)[0] >= STALL_S
    assert len(list(store.entries(Chain.OPEN))) == 1
