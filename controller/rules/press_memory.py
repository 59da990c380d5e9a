"""What is remembered of buttons: when each was last pressed."""

from collections.abc import Mapping

from controller.entries import Body, Chain, NodeCame, PressRecorded
from controller.rules.remembered import Fold, Room


class LastPressed(Room):
    """Of the open chain alone: a silent button's long silence is nobody's to know."""

    def __init__(self) -> None:
        self.came_at_ms: dict[str, int] = {}
        """Node -> when it was first heard of."""
        self.at_ms: dict[tuple[str, str], int] = {}
        """(node, input) -> its last press."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Nodes that come, buttons that are pressed."""
        return {NodeCame: self._came, PressRecorded: self._pressed}

    def _came(self, _chain: Chain, at_ms: int, body: NodeCame) -> None:
        self.came_at_ms.setdefault(body.node, at_ms)

    def _pressed(self, chain: Chain, at_ms: int, body: PressRecorded) -> None:
        if chain is Chain.OPEN:
            self.at_ms[body.node, body.input] = at_ms
