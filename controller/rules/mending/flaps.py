"""What is remembered of faults that come and go: when each last did."""

from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, FaultEnded, FaultRaised
from controller.rules.mending.fault_kinds import FLAPPING
from controller.rules.remembered import Fold, Room

RAISED_KEPT: Final = 20
"""So many newest risings of a fault are remembered: no policy asks for more."""

Key = tuple[str, str]


class Flaps(Room):
    """By (subject, code), of the open chain; how often one rose at one moment, of both."""

    def __init__(self) -> None:
        self.raised_at_ms: dict[Key, tuple[int, ...]] = {}
        self.moved_at_ms: dict[Key, int] = {}
        """When it last came or went."""
        self._risen: dict[tuple[Chain, Key], tuple[int, int]] = {}
        """When it last rose, and how often at that very moment."""
        self._keys: dict[str, Key] = {}
        """Fault -> its key, while it stands."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Faults that begin and end."""
        return {FaultRaised: self._raised, FaultEnded: self._ended}

    def times(self, key: Key, since_ms: int) -> int:
        """How often it rose since then."""
        return sum(at_ms > since_ms for at_ms in self.raised_at_ms.get(key, ()))

    def risings(self, chain: Chain, key: Key, at_ms: int) -> int:
        """How often it rose at this very moment."""
        newest_ms, times = self._risen.get((chain, key), (at_ms, 0))
        return times if newest_ms == at_ms else 0

    def _raised(self, chain: Chain, at_ms: int, body: FaultRaised) -> None:
        its = body.subject, body.code
        self._risen[chain, its] = at_ms, self.risings(chain, its, at_ms) + 1
        if chain is Chain.OPEN and not body.code.startswith(f"{FLAPPING}:"):
            key = self._keys[body.fault] = body.subject, body.code
            self.raised_at_ms[key] = (*self.raised_at_ms.get(key, ()), at_ms)[-RAISED_KEPT:]
            self.moved_at_ms[key] = at_ms

    def _ended(self, chain: Chain, at_ms: int, body: FaultEnded) -> None:
        if chain is Chain.OPEN and (key := self._keys.pop(body.fault, None)) is not None:
            self.moved_at_ms[key] = at_ms
