"""What somebody who looks at a button's light sees: the rhythm, read from the pin's edges and from nothing else."""

from typing import Final

from simulators.pin_board import Change

SLOWEST_MS: Final = 2700
READ_AS: Final = ((40, 70, "fault"), (80, 220, "saved"), (420, 1150, "received"), (1350, 2600, "taken"), (SLOWEST_MS, 10**9, "on scene"))
"""A light's phase of so many ms says so. One that follows another pattern's phase without a gap is longer by that."""
FULL_MS: Final = {"saved": 100, "received": 500, "taken": 1500, "on scene": 2900}


class LightWatch:
    """Watches one light. word: what it says now, in the legend's words; `` at rest."""

    def __init__(self, pin: int) -> None:
        self._pin = pin
        self._lit_at_ms: int | None = None
        self._dark_since_ms = 0
        self._word = ""

    def sees(self, change: Change) -> tuple[str, int] | None:
        """A pin has changed. Returns the word that a blink has just said, and when that blink began (CLOCK_BOOTTIME, ms)."""
        if change.pin != self._pin:
            return None
        if change.level:
            self._lit_at_ms = change.at_ms
            return None
        self._dark_since_ms = change.at_ms
        if self._lit_at_ms is None:
            return None
        lit_ms = change.at_ms - self._lit_at_ms
        self._lit_at_ms = None
        for least, most, word in READ_AS:
            if least <= lit_ms <= most:
                self._word = word
                return word, change.at_ms - min(FULL_MS.get(word, lit_ms), lit_ms)
        return None

    def word(self, now_ms: int) -> str:
        """What it says at `now_ms` (CLOCK_BOOTTIME); dark for longer than any pattern is: at rest."""
        if self._lit_at_ms is None and now_ms - self._dark_since_ms > SLOWEST_MS:
            self._word = ""
        return self._word
