"""The gateway's disk: the real `Store` on a file, which may be full, hang, or have written what nobody was told of."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Final

from controller.entries import Body, Chain
from controller.errors import Unavailable
from controller.records.private import Private
from controller.records.store import Store
from simulators.world.leaping import Leaping

COMMIT_MS: Final = 8
Entry = tuple[Chain, int, Body]
Triple = tuple[str, str, int]


class Disk:
    """What is the same for all lives of the gateway."""

    def __init__(self, loop: Leaping, folder: Path, zone: str, seed: str) -> None:
        self.loop, self.zone = loop, zone
        self.url = f"sqlite:///{folder / zone}.db"
        self.quarantine = folder / f"{zone}.quarantine"
        self.full_until_ms = self.hangs_until_ms = 0
        self._salts = Random(f"{seed}/{zone}/salts")

    def open(self, committed: Callable[[list[Entry]], None]) -> "Records":
        """Open it for one life. committed: is told what is on the disk now."""
        return Records(self, Store.open(self.url, self.zone, draw=self._salts.randbytes), committed)

    def private(self, store: Store) -> Private:
        """The private values in the same file."""
        return Private(store.engine, self.zone, b"world" * 8)


class Records:
    """One life's writer; the loop does what it is given when `takes_ms` is over."""

    def __init__(self, disk: Disk, store: Store, committed: Callable[[list[Entry]], None]) -> None:
        self._disk, self.store, self._committed = disk, store, committed
        self.under_way: list[Entry] = []
        self.alive = True

    @property
    def takes_ms(self) -> int:
        """How long the disk needs for what it is given now."""
        return COMMIT_MS + max(0, self._disk.hangs_until_ms - self._disk.loop.now_ms)

    def starts(self, what: Callable[..., object], *entries: list[Entry]) -> None:
        """The disk has been given something to do."""
        if what == self.commit:
            self.under_way = entries[0]

    def commit(self, entries: list[Entry]) -> object:
        """Make them durable. Raises Unavailable."""
        self.under_way = []
        self._check()
        heads = self.store.commit(entries)
        self._committed(entries)
        return heads

    def lives(self) -> set[tuple[str, str]]:
        """The lives that are on record. Raises Unavailable."""
        return self.store.lives()

    def known(self, keys: Iterable[Triple]) -> Mapping[Triple, frozenset[str]]:
        """Those that are on record. Raises Unavailable."""
        self._check()
        return self.store.known(keys)

    def _check(self) -> None:
        if not self.alive:
            raise Unavailable("this life is over")
        if self._disk.full_until_ms > self._disk.loop.now_ms:
            raise Unavailable("the disk is full")

    def killed(self, *, lands: bool) -> None:
        """`kill -9`: what was under way is there whole, or not at all."""
        if lands and self.under_way and self._disk.full_until_ms <= self._disk.loop.now_ms:
            self.store.commit(self.under_way)
            self._committed(self.under_way)
        self.alive = False
        self.store.close()
