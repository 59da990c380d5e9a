"""What is remembered of mutual aid: whose strobes flash for which incident, and what was asked of other zones and by them."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from controller.entries import AidAsked, AidGiven, Body, Chain, OrderSent
from controller.rules.remembered import Fold, Room

GIVEN_KEPT: Final = 1000
"""So many askings of other zones are known again."""


class Aid(Room):
    """lit: incident -> the nodes whose strobes flash for it. asked: incident -> the zones and blocks that were asked."""

    def __init__(self) -> None:
        self.lit: dict[str, dict[str, None]] = {}
        self.asked: dict[str, dict[tuple[str, str], None]] = {}
        self.given: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        """(zone, incident, block) -> other zones' that were helped here."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Orders to strobes, and what zones ask of each other."""
        return {OrderSent: self._order, AidAsked: self._asked, AidGiven: self._given}

    def forget(self, incident: str) -> None:
        """The incident is forgotten."""
        self.lit.pop(incident, None)
        self.asked.pop(incident, None)

    def _order(self, _chain: Chain, _at_ms: int, body: OrderSent) -> None:
        if body.order == "strobe-on" and body.incident:
            self.lit.setdefault(body.incident, {})[body.node] = None
        elif body.order == "strobe-off":
            self.lit.get(body.incident, {}).pop(body.node, None)

    def _asked(self, _chain: Chain, _at_ms: int, body: AidAsked) -> None:
        self.asked.setdefault(body.incident, {})[body.zone, body.block] = None

    def _given(self, _chain: Chain, _at_ms: int, body: AidGiven) -> None:
        self.given[body.zone, body.incident, body.block] = None
        while len(self.given) > GIVEN_KEPT:
            self.given.popitem(last=False)
