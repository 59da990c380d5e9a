"""Until when an order may be obeyed. (Promise 7.)

A node has no clock but its uptime, and whoever carries an order may withhold it and play it later. So each order says until which
uptime of the node it holds, reckoned from what the node's last beat showed. Where no beat of that life has been heard yet, as right
after a start of the gateway, the order waits for one: a node that is told what it knows already beats at once.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import structs

from controller.messages import ORDER_EXPIRY_S, Beat
from controller.rules.effects import SendOrder, ZoneEffect

ORDER_S: Final = ORDER_EXPIRY_S + 10
"""How long an order holds: its time in the broker, and as much again as the beat may have been late that it is reckoned from."""


class _Waiting(NamedTuple):
    at_ms: int
    order: SendOrder


class Uptimes:
    """What the beats of this life of the gateway have shown, and the orders that wait for one. Times are steady."""

    def __init__(self) -> None:
        self._started_at_ms: dict[tuple[str, str], int] = {}
        """(node, boot) -> when its uptime was 0. Only of lives that are not over."""
        self._waiting: dict[str, list[_Waiting]] = {}

    def beat(self, node: str, beat: Beat, at_ms: int) -> list[SendOrder]:
        """A beat came; the orders that waited for it."""
        self._started_at_ms[node, beat.boot] = at_ms - beat.uptime_s * 1000
        waiting = [one for one in self._waiting.pop(node, ()) if _holds(one, at_ms)]
        if others := [one for one in waiting if one.order.boot != beat.boot]:
            # Two devices under one name: each hears its own orders.
            self._waiting[node] = others
        return [self._until(one.order, one.at_ms) for one in waiting if one.order.boot == beat.boot]

    def over(self, node: str, boot: str) -> None:
        """That life is over."""
        self._started_at_ms.pop((node, boot), None)

    def known(self, effects: Iterable[ZoneEffect], at_ms: int) -> Iterable[ZoneEffect]:
        """The effects with each order's time; without the orders that must wait."""
        for effect in effects:
            if not isinstance(effect, SendOrder) or effect.uptime_s_max:
                yield effect
            elif (effect.node, effect.boot) in self._started_at_ms:
                yield self._until(effect, at_ms)
            else:
                waiting = [one for one in self._waiting.get(effect.node, ()) if _holds(one, at_ms)]
                self._waiting[effect.node] = [*waiting, _Waiting(at_ms, effect)]

    def _until(self, order: SendOrder, at_ms: int) -> SendOrder:
        started_at_ms = self._started_at_ms[order.node, order.boot]
        return structs.replace(order, uptime_s_max=max(1, (at_ms - started_at_ms) // 1000 + ORDER_S))


def _holds(one: _Waiting, at_ms: int) -> bool:
    return at_ms - one.at_ms <= ORDER_S * 1000
