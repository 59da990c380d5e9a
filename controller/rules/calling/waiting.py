"""What waits to be sent, by channel: how far behind a channel is before one more notice is given to it."""

from collections import Counter
from collections.abc import Mapping

from controller.entries import Body, Chain, NoticeMoved, NoticesQueued
from controller.rules.remembered import FINAL, Fold, Room

Queue = tuple[Chain, str, int]
"""(chain, channel, priority)"""


class Waiting(Room):
    """The notices that are not over, but for those that a summary brings; each with its channel and its priority."""

    def __init__(self) -> None:
        self._notices: dict[str, Queue] = {}
        self._lengths: Counter[Queue] = Counter()
        """The same, counted: a press must not take longer when thousands wait."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """Queued, and over."""
        return {NoticesQueued: self._queued, NoticeMoved: self._moved}

    def before(self, chain: Chain, priority: int) -> Counter[str]:
        """By channel, how many wait that are sent before, or along with, one of this priority; an open one's way shows none of the sealed."""
        found: Counter[str] = Counter()
        for (its, channel, rank), length in self._lengths.items():
            if rank <= priority and (its is chain or chain is Chain.SEALED):
                found[channel] += length
        return found

    def _queued(self, chain: Chain, _at_ms: int, body: NoticesQueued) -> None:
        for notice in (one for one in body.notices if not one.held):
            self._over(notice.id)
            queue = self._notices[notice.id] = chain, notice.channel, notice.priority
            self._lengths[queue] += 1

    def _moved(self, _chain: Chain, _at_ms: int, body: NoticeMoved) -> None:
        if body.to in FINAL:
            self._over(body.notice)

    def _over(self, notice: str) -> None:
        queue = self._notices.pop(notice, None)
        if queue is not None:
            self._lengths[queue] -= 1
            if not self._lengths[queue]:
                del self._lengths[queue]
