"""What somebody who listens to a block hears: that its siren sounds, also in the pauses of its pattern."""

import tomllib
from typing import Final

from simulators.pin_board import Change
from simulators.site import EXAMPLE, SIREN_PIN

_KINDS: Final = tomllib.loads((EXAMPLE / "policy.toml").read_text(encoding="utf-8"))["kinds"]
LATE_MS: Final = 200
PAUSE_MS: Final = max(off_ms for kind in _KINDS.values() for _, off_ms in kind.get("pattern", ())) + LATE_MS
"""Silent for longer than any pattern's pause: it has ended."""


class SirenWatch:
    """Hears one siren, from its pin's edges alone."""

    def __init__(self) -> None:
        self._loud = False
        self._ended_at_ms: int | None = None

    def hears(self, change: Change) -> bool:
        """A pin has changed; whether a tone of the siren begins with it."""
        if change.pin != SIREN_PIN:
            return False
        if self._loud and not change.level:
            self._ended_at_ms = change.at_ms
        self._loud = bool(change.level) and change.output
        return self._loud

    def sounds(self, now_ms: int) -> bool:
        """Whether it sounds at `now_ms` (CLOCK_BOOTTIME)."""
        return self._loud or (self._ended_at_ms is not None and now_ms - self._ended_at_ms <= PAUSE_MS)
