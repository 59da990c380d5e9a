"""Hands on a node's buttons: what pressing, holding, jabbing, cutting does to the wires of a node's file."""

from typing import Final, NamedTuple

from node_firmware.config import InputPins, NodeConfig

GROUND: Final = 0
OPEN: Final = None
TRAVEL_MS: Final = 4
"""From one side of a changeover contact to the other: neither is connected while it travels."""


class Step(NamedTuple):
    """After `after_ms`, the contact at `pin` is closed to ground (0) or open (None)."""

    after_ms: int
    pin: int
    level: int | None


class Buttons:
    """The buttons of one node, as steps for its pins."""

    def __init__(self, config: NodeConfig) -> None:
        self._inputs = config.inputs
        self.names = tuple(config.inputs)

    def rest(self) -> list[Step]:
        """How the wires lie before anybody has touched anything."""
        steps = []
        for name in self.names:
            steps += self._resting(self._of(name))
        return steps

    def press(self, name: str) -> list[Step]:
        """The contact closes. Of a tamper contact: the case is opened."""
        pins = self._of(name)
        if pins.tamper:
            return [Step(0, pins.pressed, OPEN)]
        if pins.released is None:
            return [Step(0, pins.pressed, GROUND)]
        return [Step(0, pins.released, OPEN), Step(TRAVEL_MS, pins.pressed, GROUND)]

    def release(self, name: str) -> list[Step]:
        """The contact is back at rest."""
        pins = self._of(name)
        if pins.tamper or pins.released is None:
            return self._resting(pins)
        return [Step(0, pins.pressed, OPEN), Step(TRAVEL_MS, pins.released, GROUND)]

    def hold(self, name: str, ms: int) -> list[Step]:
        """Pressed for `ms`, then let go."""
        return [*self.press(name), Step(ms, self._of(name).pressed, GROUND), *self.release(name)]

    def jabs(self, name: str, count: int = 3, on_ms: int = 150, off_ms: int = 200) -> list[Step]:
        """Short frightened presses."""
        steps = []
        for _ in range(count):
            steps += [*self.hold(name, on_ms), Step(off_ms, self._of(name).pressed, OPEN)]
        return steps

    def bounce(self, name: str, count: int = 5) -> list[Step]:
        """Contact noise: some closures of 1 ms, as no hand makes them."""
        pin = self._of(name).pressed
        return [step for _ in range(count) for step in (Step(1, pin, GROUND), Step(1, pin, OPEN))]

    def cut(self, name: str) -> list[Step]:
        """The cable is cut: nothing is connected any more."""
        return [Step(0, pin, OPEN) for pin in self._wires(name)]

    def short(self, name: str) -> list[Step]:
        """The cable is squeezed: everything is connected."""
        return [Step(0, pin, GROUND) for pin in self._wires(name)]

    def _of(self, name: str) -> InputPins:
        return self._inputs[name]

    def _wires(self, name: str) -> list[int]:
        pins = self._of(name)
        return [pins.pressed] if pins.released is None else [pins.pressed, pins.released]

    @staticmethod
    def _resting(pins: InputPins) -> list[Step]:
        if pins.tamper:
            return [Step(0, pins.pressed, GROUND)]
        steps = [Step(0, pins.pressed, OPEN)]
        return steps if pins.released is None else [*steps, Step(0, pins.released, GROUND)]
