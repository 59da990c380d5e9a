"""The gateway's records through power cuts: a commit that returned is there, whole, when the power is back."""

import shutil
from pathlib import Path
from random import Random

import pytest

from controller.entries import Body, Chain
from controller.errors import Unavailable
from controller.records import database
from controller.records.store import Fact, Store
from tests.power.conftest import MakeDisk
from tests.power.dbapi import url_on
from tests.power.vfs import Disk, Left
from tests.records.facts import BOOT, opened, press

BATCHES = 10
CHECKPOINT_PAGES = 25
"""A batch is some ten pages: a checkpoint at each commit would sync what the commit has not."""


def batch(number: int) -> list[Fact]:
    """A press that opens an incident, and a silent one on the other chain."""
    at_ms = 1_790_000_000_000 + number
    return [
        (Chain.OPEN, at_ms, press(2 * number)),
        (Chain.OPEN, at_ms, opened(f"i{2 * number}")),
        (Chain.SEALED, at_ms, press(2 * number + 1)),
    ]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, and nothing in them."""
    folder = tmp_path_factory.mktemp("migrated")
    Store.open(str(folder / "records.sqlite"), "z1").close()
    return folder / "records.sqlite"


@pytest.fixture(autouse=True)
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead disk is not waited for when the tables are made."""
    monkeypatch.setattr(database, "MIGRATION_S", 0.0)
    monkeypatch.setattr(database, "BUSY_MS", 0)


def life(disk: Disk, first: int, count: int) -> int:
    """Commit batches until the power goes; how many returned. It is gone afterwards."""
    returned = 0
    try:
        store = Store.open(url_on(disk), "z1")
    except Unavailable:
        assert disk.off
        return 0
    try:
        for number in range(first, first + count):
            store.commit(batch(number))
            returned += 1
    except Unavailable:
        assert disk.off
    finally:
        disk.cut()
        store.close()
    return returned


def stored(disk: Disk, left: Left) -> int:
    """How many batches are there when the power is back; fails when one is half there, or the journal does not verify."""
    disk.back(left)
    store = Store.open(url_on(disk), "z1")
    try:
        found: dict[Chain, list[Body]] = {chain: [entry.body for entry in store.entries(chain)] for chain in Chain}
        count = len(found[Chain.SEALED])
        for chain, bodies in found.items():
            assert bodies == [body for number in range(count) for of, _, body in batch(number) if of is chain]
        assert len(store.known([("b12n1", BOOT, seq) for seq in range(2 * count + 2)])) == 2 * count
        return count
    finally:
        store.close()


@pytest.mark.whole
@pytest.mark.parametrize("left", Left)
def test_what_was_committed_is_there_wherever_the_power_goes(make_disk: MakeDisk, migrated: Path, left: Left, seed: int) -> None:
    def fresh(number: int) -> Disk:
        disk = make_disk(seed + number)
        disk.checkpoint_pages = CHECKPOINT_PAGES
        shutil.copy(migrated, disk.folder)
        return disk

    whole = fresh(0)
    assert life(whole, 0, BATCHES) == BATCHES
    assert len(whole.syncs) > BATCHES
    cuts = [(at, False) for at in range(1, whole.operations + 1)] + [(at, True) for at in whole.syncs]
    for at, done in cuts:
        disk = fresh(at)
        disk.cut_at(at, done=done)
        returned = life(disk, 0, BATCHES)
        assert returned <= stored(disk, left) <= returned + 1, f"cut at {at} of {whole.operations}, done: {done}"


def test_the_power_may_go_while_the_tables_are_made(make_disk: MakeDisk, seed: int) -> None:
    whole = make_disk()
    life(whole, 0, 0)
    random = Random(seed)
    for at in random.sample(range(1, whole.operations + 1), 12):
        disk = make_disk(seed + at)
        disk.cut_at(at)
        life(disk, 0, 0)
        assert stored(disk, random.choice(list(Left))) == 0, f"cut at {at} of {whole.operations}"


def test_a_life_of_power_cuts_loses_no_commit(make_disk: MakeDisk, seed: int) -> None:
    disk, random = make_disk(seed), Random(seed)
    disk.checkpoint_pages = CHECKPOINT_PAGES
    there = 0
    for turn in range(40):
        disk.cut_at(disk.operations + random.randint(1, 90))
        returned = life(disk, there, BATCHES)
        now = stored(disk, random.choice(list(Left)))
        assert there + returned <= now <= there + returned + 1, f"turn {turn}"
        there = now
    assert there > 20, "too few commits to prove anything"


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
def test_records_that_do_not_sync_each_commit_are_found_out(make_disk: MakeDisk, migrated: Path, mode: str) -> None:
    disk = make_disk()
    disk.checkpoint_pages = 1000  # a checkpoint would sync what the commits have not
    shutil.copy(migrated, disk.folder)
    disk.rewrite = lambda statement: statement.replace("synchronous=FULL", f"synchronous={mode}")
    assert life(disk, 0, BATCHES) == BATCHES
    assert stored(disk, Left.NOTHING) < BATCHES, "this disk must be able to show a loss"
