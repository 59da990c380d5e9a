"""The eye on the siren's current: looked at each time the siren is about to be switched off, while somebody wants to know.

A sensor's contact needs no edge of ours for that: at the end of a pulse of a few milliseconds it has had all the time there is.
"""

import logging
from collections.abc import Callable
from typing import Final

from controller.messages import SirenFound

logger = logging.getLogger(__name__)

SETTLES_MS: Final = 50
"""So long after the siren is off no sensor shows current any more."""


class SirenSense:
    """The siren's switch and its sensor. write: switches it. flows: whether current flows now; None: no sensor is fitted."""

    def __init__(self, write: Callable[[bool], None], flows: Callable[[], bool] | None) -> None:
        self._write = write
        self._flows = flows
        self._on = False
        self._watching = False
        self._drew = False

    def write(self, on: bool) -> None:
        """Switch the siren."""
        if self._watching and self._on and not on:
            self._drew = self._drew or self._look()
        self._on = on
        self._write(on)

    def begin(self) -> None:
        """From now on its current is looked for."""
        self._watching, self._drew = True, False

    def end(self) -> SirenFound:
        """What was seen since `begin`."""
        self._watching = False
        if self._flows is None:
            return SirenFound.NOT_MEASURED
        if not self._on and self._look():
            return SirenFound.SENSOR_STUCK
        return SirenFound.DREW if self._drew else SirenFound.NO_CURRENT

    def _look(self) -> bool:
        """Nothing may be raised into what switches a siren off."""
        try:
            return self._flows is not None and self._flows()
        except Exception:  # each driver raises its own kinds
            logger.exception("siren: its current cannot be read; it counts as none")
            return False
