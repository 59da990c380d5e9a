"""What is remembered of sirens that were to sound: the orders that no node has answered yet."""

from collections.abc import Mapping
from typing import NamedTuple

from controller.entries import Body, Chain, OrderAnswered, OrderSent
from controller.rules.remembered import Fold, Room


class SirenCalled(NamedTuple):
    """An order to sound a siren, and when it was given."""

    order: OrderSent
    at_ms: int


class Sirens(Room):
    """By node, the newest order to sound of which nothing was heard: a gateway that was killed may never have sent it."""

    def __init__(self) -> None:
        self.unanswered: dict[str, SirenCalled] = {}

    def folds(self) -> Mapping[type[Body], Fold]:
        """Ordered, taken back, answered."""
        return {OrderSent: self._sent, OrderAnswered: self._answered}

    def _sent(self, _chain: Chain, at_ms: int, body: OrderSent) -> None:
        if body.order == "siren-on":
            self.unanswered[body.node] = SirenCalled(body, at_ms)
        elif body.order == "siren-off":
            self.unanswered.pop(body.node, None)

    def _answered(self, _chain: Chain, _at_ms: int, body: OrderAnswered) -> None:
        called = self.unanswered.get(body.node)
        if called is not None and called.order.id == body.id:
            del self.unanswered[body.node]
