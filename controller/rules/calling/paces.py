"""How many notices a minute each channel accepts, as its shell measures it: on record where it has changed much, so that plans reckon with it."""

from collections.abc import Mapping

from controller.entries import Body, Chain, PaceMeasured
from controller.rules.remembered import Fold, Room


class Paces(Room):
    """The paces on record."""

    def __init__(self) -> None:
        self.per_minute: dict[str, int] = {}
        """By channel; 0: nothing goes that way. A channel that has never said is not here."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """What channels said."""
        return {PaceMeasured: self._measured}

    def _measured(self, _chain: Chain, _at_ms: int, body: PaceMeasured) -> None:
        self.per_minute[body.channel] = body.per_minute

