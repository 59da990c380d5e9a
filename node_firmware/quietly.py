"""Says the same thing once in a while, not once a second."""

import logging
import time
from typing import Final

EVERY_S: Final = 30.0


class Quietly:
    """A log line that comes at most every 30 s and says how many it stands for."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level
        self._next_s = 0.0
        self._held_back = 0

    def say(self, text: str, *arguments: object) -> None:
        """Log it, or count it."""
        now = time.monotonic()
        if now < self._next_s:
            self._held_back += 1
            return
        more = f" ({self._held_back} more like it were not logged)" if self._held_back else ""
        self._next_s, self._held_back = now + EVERY_S, 0
        self._logger.log(self._level, text + more, *arguments)
