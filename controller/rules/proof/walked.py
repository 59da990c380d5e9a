"""When a hand last tried each input, who goes from button to button now, and who was reminded to."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from controller.entries import Body, Chain, PressRecorded, WalkBegan, WalkEnded, WalkReminded
from controller.messages import Gesture
from controller.rules.remembered import Fold, Room

NO_HANDS: Final = frozenset({Gesture.CANARY, Gesture.DRILL, Gesture.CUT, Gesture.SHORTED, Gesture.OPENED})
"""What proves no button: a node's own, and a screwdriver's."""


class Walk(NamedTuple):
    """One that goes on."""

    body: WalkBegan
    began_at_ms: int


class Walked(Room):
    """Each chain keeps its own: when a silent button was tried shows in no open entry."""

    def __init__(self) -> None:
        self._tried: dict[Chain, dict[tuple[str, str], int]] = {chain: {} for chain in Chain}
        self._reminded: dict[Chain, dict[str, int]] = {chain: {} for chain in Chain}
        self.reminders = dict.fromkeys(Chain, 0)
        self.running: dict[str, Walk] = {}
        """By block."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Presses by hand, walks, reminders."""
        return {PressRecorded: self._press, WalkBegan: self._began, WalkEnded: self._ended, WalkReminded: self._was_reminded}

    def tried_at_ms(self, node: str, name: str) -> int:
        """When a hand last worked an input; 0: never. A button that changed its kind was tried as either."""
        return max(tried.get((node, name), 0) for tried in (self._tried[Chain.OPEN], self._tried[Chain.SEALED]))

    def tried_openly_at_ms(self, node: str, name: str) -> int:
        """The same, of what is on the open side's record."""
        return self._tried[Chain.OPEN].get((node, name), 0)

    def reminded_at_ms(self, chain: Chain, block: str) -> int:
        """When somebody was last reminded of a block's inputs; 0: never, or nothing was due since."""
        return self._reminded[chain].get(block, 0)

    def _press(self, chain: Chain, at_ms: int, body: PressRecorded) -> None:
        if body.gesture not in NO_HANDS and not body.drill:
            self._tried[chain][body.node, body.input] = at_ms

    def _began(self, _chain: Chain, at_ms: int, body: WalkBegan) -> None:
        self.running[body.block] = Walk(body, at_ms)

    def _ended(self, _chain: Chain, _at_ms: int, body: WalkEnded) -> None:
        self.running.pop(body.block, None)

    def _was_reminded(self, chain: Chain, at_ms: int, body: WalkReminded) -> None:
        if body.inputs:
            self._reminded[chain][body.block] = at_ms
            self.reminders[chain] += 1
        else:
            self._reminded[chain].pop(body.block, None)
