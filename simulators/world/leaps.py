"""How beats that change nothing are leapt over.

A node that has just beaten, has nothing else to do, and stands in calm air, goes on beating in the same words. The gateway that took
such a beat and decided nothing decides nothing about the next one either, as long as nothing is decided about that node. So neither the
node's core nor the broker is troubled: where the beats would be is known (`Beating`), and the last one that has arrived is given to
the gateway's core (a) before it takes anything but a beat or a waking, so that whatever is decided stands on the same last signs of
life, and (b) before a waking at which the gateway's last word of the node is `FRESH` beats old, with which a look would take it for
late. A beat that does lead to a decision all the same is carried out as every other, and counted in `missed`: there must be none, and a
test compares the journals of the same seed with and without.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from controller.instants import Now
from controller.messages import Beat
from controller.rules.effects import GiveReceipt, Record, SendDown, SendOrder, ZoneEffect
from controller.rules.inputs import NodeBeat, Woken, ZoneInput
from controller.rules.zone import ZoneController
from simulators.world.leaping import Leaping
from simulators.world.node import Beating, NodeHere

FRESH: Final = 3
FAR_MS: Final = 3_600_000


class Leaps:
    """Of one zone. nodes: all of them; on: False has every beat sent as in the street."""

    def __init__(self, loop: Leaping, nodes: dict[str, NodeHere], *, on: bool) -> None:
        self._loop, self._nodes, self._on = loop, nodes, on
        self._core: ZoneController | None = None
        self._calm: dict[str, Beat] = {}
        """Node -> the words of its beat of which the gateway has made nothing, if it has decided nothing about the node since."""
        self._shown: dict[str, int] = {}
        """Block -> how often its light had moved when that was last looked at."""
        self._running: dict[str, Beating] = {}
        self._ended: list[tuple[str, Beat, int]] = []
        self._next_ms = 0
        """Before then nothing more arrives of those that run."""
        self._old_ms = 0
        """Before then none of those that run is old at a look."""
        self.linked = False
        self.missed = 0
        self.leapt = 0

    def begin(self, core: ZoneController) -> None:
        """A life of the gateway begins."""
        self._core = core
        self._calm.clear()
        self._shown.clear()
        self._ended.clear()

    def end(self) -> None:
        """It ends: every node is heard by itself again."""
        self._core = None
        self.linked = False
        self._calm.clear()
        for node in self._nodes.values():
            node.stir()

    def may(self, node: NodeHere, beat: Beat) -> bool:
        """Whether the gateway makes nothing of beats in the words of this one."""
        return self._on and self.linked and self._core is not None and self._calm.get(node.node) == _words(beat)

    def begun(self, node: NodeHere, beating: Beating) -> None:
        """A node is leapt over from now on."""
        self._running[node.node] = beating
        self._next_ms = min(self._next_ms, beating.arrives_ms(1))
        self._old_ms = min(self._old_ms, beating.arrives_ms(FRESH))

    def stopped(self, node: NodeHere, beating: Beating) -> None:
        """It no longer is: its last beat that has arrived is kept for the gateway."""
        self._running.pop(node.node, None)
        number = beating.arrived_by(self._loop.now_ms)
        if number > beating.handed and self._core is not None:
            self._ended.append((node.node, *self._nth(beating, number)))

    def said_nothing(self, event: NodeBeat) -> None:
        """The gateway took this beat and decided nothing."""
        self._calm[event.node] = _words(event.beat)

    def decided(self, event: ZoneInput, effects: list[ZoneEffect]) -> None:
        """Something was decided: nodes that it is about are heard by themselves again."""
        named = (name for effect in effects for name in self._about(effect))
        for node in dict.fromkeys((getattr(event, "node", ""), *named)):
            if self._calm.pop(node, None) is not None:
                self._loop.call_soon(self._nodes[node].stir)

    def _about(self, effect: ZoneEffect) -> Iterable[str]:
        """The nodes of which something is decided: that one, or all of a block whose light has moved."""
        if isinstance(effect, GiveReceipt | SendOrder | SendDown):
            yield effect.node
        elif isinstance(effect, Record) and self._core is not None:
            yield getattr(effect.body, "node", "")
            yield getattr(effect.body, "subject", "").removeprefix("node/")
            incident = self._core.state.incidents.get(getattr(effect.body, "incident", ""))
            if incident is not None:
                moved = self._core.state.light_revs.get(incident.block, 0)
                if self._shown.get(incident.block) != moved:
                    self._shown[incident.block] = moved
                    yield from self._core.network.nodes_of(incident.block)

    def catch_up(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:
        """Give the gateway what it has heard by now."""
        core, now_ms = self._core, self._loop.now_ms
        if not self._on or core is None:
            return []
        if isinstance(event, NodeBeat):
            before = [one for one in self._ended if one[0] == event.node]
            if before:
                self._ended = [one for one in self._ended if one[0] != event.node]
            return self._give(core, before, now)
        due_ms = core.state.next_due_ms()
        looks = isinstance(event, Woken) and (due_ms is None or due_ms > core.signs.look_at_ms)
        if not self._ended and now_ms < (self._old_ms if looks else self._next_ms):
            return []
        beats, self._ended = self._ended, []
        next_ms = old_ms = now_ms + FAR_MS
        for name, beating in self._running.items():
            number = beating.arrived_by(now_ms)
            if number > beating.handed and (not looks or number - beating.handed >= FRESH):
                beats.append((name, *self._nth(beating, number)))
            next_ms = min(next_ms, beating.arrives_ms(beating.handed + 1))
            old_ms = min(old_ms, beating.arrives_ms(beating.handed + FRESH))
        self._next_ms, self._old_ms = next_ms, old_ms
        beats.sort(key=lambda one: one[2])
        return self._give(core, beats, now)

    def _give(self, core: ZoneController, beats: list[tuple[str, Beat, int]], now: Now) -> list[ZoneEffect]:
        effects: list[ZoneEffect] = []
        for name, beat, at_ms in beats:
            ago_ms = self._loop.now_ms - at_ms
            found = core.handle(NodeBeat(name, beat), Now(now.monotonic_ms - ago_ms, now.utc_ms - ago_ms))
            self.missed += bool(found)
            effects += found
        return effects

    def _nth(self, beating: Beating, number: int) -> tuple[Beat, int]:
        self.leapt += number - beating.handed
        beating.handed = number
        return beating.nth(number)


def _words(beat: Beat) -> Beat:
    """What it says beside the time."""
    return replace(beat, uptime_s=0)
