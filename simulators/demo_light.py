"""What somebody who looks at a button's light sees: the rhythm, read from the pin's edges and from nothing else."""

from typing import Final

from simulators.pin_board import Change

SLOWEST_MS: Final = 2700
READ_AS: Final = ((40, 70, "fault"), (80, 220, "saved"), (420, 1150, "received"), (1350, 2600, "taken"), (SLOWEST_MS, 10**9, "on scene"))
"""A light's phase of so many ms says so. One that follows another pattern's phase without a gap is longer by that."""
FULL_MS: Final = {"saved": 100, "received": 500, "taken": 1500, "on scene": 2900}


class LightWatch:
    """Watches one light. word: what it says now, in the legend's words; `` at rest.

    first: the pattern's word -> CLOCK_BOOTTIME ms at which its first blink since `forget` began.
    """

    def __init__(self, pin: int) -> None:
        self._pin = pin
        self._lit_at_ms: int | None = None
        self._dark_since_ms = 0
        self._word = ""
        self.first: dict[str, int] = {}

    def forget(self) -> None:
        """Somebody presses now: what was seen before is of no interest."""
        self.first = {}

    def sees(self, change: Change) -> None:
        """A pin has changed."""
        if change.pin != self._pin:
            return
        if change.level:
            self._lit_at_ms = change.at_ms
            return
        self._dark_since_ms = change.at_ms
        if self._lit_at_ms is None:
            return
        lit_ms = change.at_ms - self._lit_at_ms
        self._lit_at_ms = None
        for least, most, word in READ_AS:
            if least <= lit_ms <= most:
                self._word = word
                began_at_ms = change.at_ms - min(FULL_MS.get(word, lit_ms), lit_ms)
                self.first.setdefault(word, began_at_ms)

    def word(self, now_ms: int) -> str:
        """What it says at `now_ms` (CLOCK_BOOTTIME); dark for longer than any pattern is: at rest."""
        if self._lit_at_ms is None and now_ms - self._dark_since_ms > SLOWEST_MS:
            self._word = ""
        return self._word
