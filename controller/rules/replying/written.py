"""What is remembered of the texts that people wrote: which are on record, and who was answered what."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from controller.entries import Body, Chain, NoticesQueued, ReplyReceived
from controller.rules.remembered import DAY_MS, Fold, Room

TEXTS_KEPT: Final = 2000
"""A modem stores a few dozen texts: what it can give twice is among the newest."""
HELPING: Final = "not_understood"
"""The template that answers what nobody can read."""


class Written(Room):
    """Each chain keeps its own: what is written about a secret shows in no count of the open one."""

    def __init__(self) -> None:
        self.answers: defaultdict[Chain, int] = defaultdict(int)
        self.helped_at_ms: dict[tuple[Chain, str], int] = {}
        """(chain, member) -> when what they wrote was last answered with what can be written."""
        self.strangers_at_ms: defaultdict[Chain, dict[str, int]] = defaultdict(dict)
        """Private reference of an address of no one member -> when it was last answered; of the last day."""
        self._read: defaultdict[Chain, dict[str, None]] = defaultdict(dict)
        """The marks of the newest texts that are on record, the oldest first."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Texts, and what was said in answer to them."""
        return {ReplyReceived: self._reply, NoticesQueued: self._notices_queued}

    def has_read(self, mark: str) -> bool:
        """Whether the text with this mark is on record already."""
        return any(mark in read for read in self._read.values())

    def _reply(self, chain: Chain, _at_ms: int, body: ReplyReceived) -> None:
        if body.mark:
            read = self._read[chain]
            read[body.mark] = None
            while len(read) > TEXTS_KEPT:
                del read[next(iter(read))]

    def _notices_queued(self, chain: Chain, at_ms: int, body: NoticesQueued) -> None:
        for queued in body.notices:
            if queued.to:
                self._stranger_answered(chain, queued.to, at_ms)
        if not body.incident and not body.fault:
            self.answers[chain] += len(body.notices)
            for queued in body.notices:
                if queued.template == HELPING:
                    self.helped_at_ms[chain, queued.member] = at_ms

    def _stranger_answered(self, chain: Chain, ref: str, at_ms: int) -> None:
        known = self.strangers_at_ms[chain]
        self.strangers_at_ms[chain] = {one: at for one, at in known.items() if one != ref and abs(at_ms - at) < DAY_MS} | {ref: at_ms}
