"""What is remembered of a zone's power cut: which blocks it has reached, and how many of them people were told of."""

from collections.abc import Mapping

from controller.entries import Body, Chain, FaultEnded, NoticesQueued, OutageSpread
from controller.rules.remembered import Fold, Room


class Outages(Room):
    """By fault, while it stands."""

    def __init__(self) -> None:
        self.blocks: dict[str, dict[str, None]] = {}
        """Fault -> the blocks that were without mains at some time of it, in the order in which they were found so."""
        self.told: dict[str, int] = {}
        """Fault -> how many blocks the newest telling named."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Where it spreads, what is told of it, its end."""
        return {OutageSpread: self._spread, NoticesQueued: self._queued, FaultEnded: self._ended}

    def has(self, block: str) -> bool:
        """Whether a power cut that stands has reached this block."""
        return any(block in blocks for blocks in self.blocks.values())

    def _spread(self, _chain: Chain, _at_ms: int, body: OutageSpread) -> None:
        self.blocks.setdefault(body.fault, {}).update(dict.fromkeys(body.blocks))

    def _queued(self, _chain: Chain, _at_ms: int, body: NoticesQueued) -> None:
        if body.fault in self.blocks:
            self.told[body.fault] = len(self.blocks[body.fault])

    def _ended(self, _chain: Chain, _at_ms: int, body: FaultEnded) -> None:
        self.blocks.pop(body.fault, None)
        self.told.pop(body.fault, None)
