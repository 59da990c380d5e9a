"""A SIM whose texts are accepted and reach nobody: neither a report nor a reply comes any more. Pure.

Only a SIM that has brought delivery reports can be missed: on one whose network sends none, silence means nothing. Phones that are off
send none either, so that one or two texts without a report say nothing.
"""

from typing import Final

TEXTS: Final = 3
"""So many texts, to two numbers at least, must be without a sign."""
OLD: Final = 4
"""Times as long as the patience, and a text does not count any more."""


class Vanishing:
    """One modem's texts that nothing was heard of since the last sign that any arrived. Times are the loop's, in seconds."""

    def __init__(self) -> None:
        self.brings_reports = False
        self._unheard: dict[str, tuple[float, str]] = {}
        """Key -> (when it was accepted, to which number)."""

    def accepted(self, key: str, address: str, now_s: float) -> None:
        """The network has taken a text over."""
        self._unheard.pop(key, None)
        self._unheard[key] = now_s, address[-9:]

    def reported(self) -> None:
        """A delivery report came: texts arrive."""
        self.brings_reports = True
        self._unheard.clear()

    def wrote(self, address: str) -> bool:
        """A text came in; whether it is a reply of somebody who was told something and is not known to have it."""
        replied = any(address[-9:] == told for _, told in self._unheard.values())
        if replied:
            self._unheard.clear()
        return replied

    def has_vanished(self, now_s: float, patience_s: float) -> bool:
        """Whether so many texts have waited so long for any sign."""
        for key in [key for key, (at_s, _) in self._unheard.items() if now_s - at_s > OLD * patience_s]:
            del self._unheard[key]  # a few phones that are off for hours say nothing of the SIM
        waiting = list(self._unheard.values())
        return (self.brings_reports and len(waiting) >= TEXTS and len({told for _, told in waiting}) > 1
                and now_s - waiting[0][0] >= patience_s)

    def take(self) -> tuple[str, ...]:
        """The keys of the texts of which nothing was heard, the oldest first, each once."""
        keys = tuple(self._unheard)
        self._unheard.clear()
        return keys
