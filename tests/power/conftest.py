"""Disks, closed after the test; the seed of whatever is random."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.power.vfs import Disk

MakeDisk = Callable[..., Disk]


@pytest.fixture
def seed() -> int:
    """The seed, printed first. CUADRA_POWER_SEED=N tries another."""
    chosen = int(os.environ.get("CUADRA_POWER_SEED", "1"))
    print(f"seed {chosen}")  # noqa: T201 (pytest shows it when the test fails)
    return chosen


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """Make a disk; each has a folder of its own."""
    made: list[Disk] = []

    def make(seed: int = 0) -> Disk:
        made.append(Disk(tmp_path / f"disk{len(made)}", seed))
        return made[-1]

    yield make
    for disk in made:
        disk.release()
        disk.close()
