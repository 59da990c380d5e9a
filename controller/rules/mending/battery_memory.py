"""What is remembered of batteries: the sparse trend that is on record."""

from collections.abc import Mapping
from typing import Final

from controller.entries import BatterySeen, Body, Chain
from controller.rules.remembered import DAY_MS, Fold, Room

KEPT: Final = 30


class Batteries(Room):
    """By node."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int]] = {}
        """(mV, when)."""
        self.full_mv: dict[str, int] = {}
        self.daily: dict[str, tuple[int, ...]] = {}
        """On mains, a value a day, the newest last."""
        self._daily_at_ms: dict[str, int] = {}

    def folds(self) -> Mapping[type[Body], Fold]:
        """What nodes say of their batteries."""
        return {BatterySeen: self._seen}

    def _seen(self, _chain: Chain, at_ms: int, body: BatterySeen) -> None:
        node, mv = body.node, body.mv
        self.last[node] = mv, at_ms
        self.full_mv[node] = max(mv, self.full_mv.get(node, 0))
        if body.mains and not 0 <= at_ms - self._daily_at_ms.get(node, -DAY_MS) < DAY_MS:
            self._daily_at_ms[node] = at_ms
            self.daily[node] = (*self.daily.get(node, ()), mv)[-KEPT:]
