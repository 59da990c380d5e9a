"""What is remembered of calls that came in from numbers of nobody: how many there were lately, and no more."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, ReplyReceived
from controller.rules.remembered import Fold, Room

HOUR_MS: Final = 3_600_000


class Callers(Room):
    """The strangers' calls of the last hour that are on record."""

    def __init__(self) -> None:
        self._at_ms: deque[int] = deque(maxlen=100)

    def folds(self) -> Mapping[type[Body], Fold]:
        """Calls are replies by the channel `call`."""
        return {ReplyReceived: self._reply}

    def strangers_lately(self, now_ms: int) -> int:
        """How many of the last hour; also after the clock was set back."""
        return sum(abs(now_ms - at_ms) < HOUR_MS for at_ms in self._at_ms)

    def _reply(self, _chain: Chain, at_ms: int, body: ReplyReceived) -> None:
        if body.channel == "call" and not body.member:
            self._at_ms.append(at_ms)
