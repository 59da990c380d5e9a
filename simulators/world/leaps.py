"""How beats that change nothing are leapt over.

A node that has just beaten, has nothing else to do, and stands in calm air, goes on beating in the same words. The gateway that took
such a beat and decided nothing decides nothing about the next one either, as long as nothing is decided about that node. So neither the
node's core nor the broker is troubled: where the beats would be is known (`Beating`), and the last one that has arrived is given to
the gateway's core (a) before it takes anything but a beat or a waking, so that whatever is decided stands on the same last signs of
life, and (b) before a waking at which the gateway's last word of the node would be older than `FRESH` beats, so that a look never takes
it for late. A beat that does lead to a decision all the same is carried out as every other, and counted in `missed`: there must be none,
and a test compares the journals of the same seed with and without.
"""

from collections.abc import Callable, Iterable
from typing import Final

from controller.instants import Now
from controller.messages import Beat
from controller.rules.effects import GiveReceipt, Record, SendDown, SendOrder, ZoneEffect
from controller.rules.inputs import NodeBeat, Woken, ZoneInput
from controller.rules.zone import ZoneController
from simulators.world.leaping import Leaping
from simulators.world.node import Beating, NodeHere

FRESH: Final = 2


class Leaps:
    """Of one zone. nodes: all of them; on: False has every beat sent as in the street."""

    def __init__(self, loop: Leaping, up_ms: int, nodes: dict[str, NodeHere], utc_ms: Callable[[], int], *, on: bool) -> None:
        self._loop, self._up_ms, self._nodes, self._utc_ms, self._on = loop, up_ms, nodes, utc_ms, on
        self._core: ZoneController | None = None
        self._calm: dict[str, Beat] = {}
        """Node -> the beat of which the gateway has made nothing, and after which it has decided nothing about that node."""
        self.linked = False
        self.missed = 0
        self.leapt = 0
        self._ended: list[tuple[str, Beat, int]] = []

    def begin(self, core: ZoneController) -> None:
        """A life of the gateway begins."""
        self._core = core
        self._calm.clear()
        self._ended.clear()

    def end(self) -> None:
        """It ends: every node is heard by itself again."""
        self._core = None
        self.linked = False
        self._calm.clear()
        for node in self._nodes.values():
            node.stir()

    def may(self, node: NodeHere) -> bool:
        """Whether this node's beats are known."""
        return self._on and self.linked and self._core is not None and node.node in self._calm

    def said_nothing(self, event: NodeBeat) -> None:
        """The gateway took this beat and decided nothing."""
        if self._on:
            self._calm[event.node] = event.beat

    def decided(self, effects: list[ZoneEffect]) -> None:
        """Something was decided: nodes that it is about are heard by themselves again."""
        for node in {name for effect in effects for name in self._about(effect)}:
            if self._calm.pop(node, None) is not None:
                self._loop.call_soon(self._nodes[node].stir)

    def _about(self, effect: ZoneEffect) -> Iterable[str]:
        """The nodes of which something is decided: that one, or all of the block whose incident has moved."""
        if isinstance(effect, GiveReceipt | SendOrder | SendDown):
            yield effect.node
        elif isinstance(effect, Record) and self._core is not None:
            yield getattr(effect.body, "node", "")
            incident = self._core.state.incidents.get(getattr(effect.body, "incident", ""))
            if incident is not None:
                yield from self._core.network.nodes_of(incident.block)

    def stopped(self, node: NodeHere, beating: Beating) -> None:
        """A node is no longer leapt over: its last beat that has arrived is kept for the gateway."""
        number = beating.arrived_by(self._loop.now_ms)
        if number > beating.handed and self._core is not None:
            self._ended.append((node.node, *beating.nth(number)))
            self.leapt += number - beating.handed
            beating.handed = number

    def catch_up(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:
        """Give the gateway what it has heard by now."""
        if not self._on or isinstance(event, NodeBeat):
            return []
        beats, self._ended = self._ended, []
        looks = isinstance(event, Woken)
        for node in self._nodes.values():
            beating = node.beating
            if beating is None:
                continue
            number = beating.arrived_by(self._loop.now_ms)
            if number > beating.handed and (not looks or number - beating.handed >= FRESH):
                self.leapt += number - beating.handed
                beating.handed = number
                beats.append((node.node, *beating.nth(number)))
        effects: list[ZoneEffect] = []
        core = self._core
        if core is not None:
            beats.sort(key=lambda one: one[2])
            for name, beat, at_ms in beats:
                ago_ms = self._loop.now_ms - at_ms
                found = core.handle(NodeBeat(name, beat), Now(now.monotonic_ms - ago_ms, now.utc_ms - ago_ms))
                self.missed += bool(found)
                effects += found
        return effects
