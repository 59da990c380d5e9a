"""The current of a siren that is not there: a sensor's contact that closes while the siren draws."""

from enum import StrEnum

from node_firmware.config import SirenPins
from simulators.pin_board import Change, PinBoard


class Health(StrEnum):
    """Of a siren, or its sensor."""

    WELL = "well"
    DEAD = "dead"      # it draws nothing
    STUCK = "stuck"    # its sensor shows current all the time


class SirenCurrent:
    """A siren at its pin and the sensor in its line, if the node's file has one."""

    def __init__(self, board: PinBoard, siren: SirenPins) -> None:
        self._board, self._siren = board, siren
        self._on = False
        self._health = Health.WELL
        if siren.sense is not None:
            board.watchers.append(self._switched)

    def becomes(self, health: Health) -> None:
        """From now on it is like this."""
        self._health = health
        self._show()

    def _switched(self, change: Change) -> None:
        if change.pin == self._siren.pin:
            self._on = change.output and bool(change.level) == self._siren.active_high
            self._show()

    def _show(self) -> None:
        flows = self._health is Health.STUCK or (self._health is Health.WELL and self._on)
        if self._siren.sense is not None:
            self._board.drive(self._siren.sense, 0 if flows else None)
