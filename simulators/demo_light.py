"""What somebody who looks at a button's light sees: the rhythm, read from the pin's edges and from nothing else."""

from typing import Final

from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from simulators.pin_board import Change

WORDS: Final = {Light.FAULT: "fault", Light.SAVED: "saved", Light.RECEIVED: "received", Light.TAKEN: "taken", Light.THERE: "on scene"}
LIT_MS: Final = {word: BLINKS[light][0].on_ms for light, word in WORDS.items()}
"""How long a blink is that says the word; each word has a length of its own."""
SHORTEST, LONGEST = 0.8, 2.2
"""A blink is read as a word when it is so many times as long as the word's own: an edge may come late, and a blink that
follows another word's without a gap is longer by that. No word is read as a shorter one."""
DARK_MS: Final = max(pulse.off_ms for light in WORDS for pulse in BLINKS[light]) + 800


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
        word = _read(lit_ms)
        if word is None:
            return None
        self._word = word
        return word, change.at_ms - min(LIT_MS[word], lit_ms)

    def word(self, now_ms: int) -> str:
        """What it says at `now_ms` (CLOCK_BOOTTIME); dark for longer than any pattern is: at rest."""
        if self._lit_at_ms is None and now_ms - self._dark_since_ms > DARK_MS:
            self._word = ""
        return self._word


def _read(lit_ms: int) -> str | None:
    """The word of a blink of this length."""
    full_ms, word = max(((full_ms, word) for word, full_ms in LIT_MS.items() if lit_ms >= SHORTEST * full_ms), default=(0, ""))
    return word if lit_ms <= LONGEST * full_ms else None
