"""How often each node was put into test mode lately: while it is, who holds its buttons is heard by nobody."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, OrderSent
from controller.rules.remembered import DAY_MS, Fold, Room

SEEN_FROM: Final = 3
"""From the so-manieth time within a day, others hear of it, too."""
A_DAY: Final = 6
"""So often within a day and no oftener: an hour and a half in which a button calls nobody."""


class TestModes(Room):
    """When each node was sent into test mode, whoever said so."""

    __test__ = False  # no test, in spite of its name

    def __init__(self) -> None:
        self._at_ms: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=A_DAY))

    def folds(self) -> Mapping[type[Body], Fold]:
        """Orders."""
        return {OrderSent: self._sent}

    def lately(self, node: str, now_ms: int) -> int:
        """How often within a day; also after the clock was set back."""
        return sum(abs(now_ms - at_ms) < DAY_MS for at_ms in self._at_ms.get(node, ()))

    def _sent(self, _chain: Chain, at_ms: int, body: OrderSent) -> None:
        if body.order == "test-mode":
            self._at_ms[body.node].append(at_ms)
