"""The presses that are not receipted yet: what is on disk, what must be sent when, and what a receipt settles."""

from collections.abc import Iterable
from enum import IntEnum
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

from controller.messages import Gesture, Press, PressRef, Receipt, digest_of, encode
from node_firmware.effects import KeepPress, Light, PublishPress

RETRY_MS_FIRST: Final = 1000
RETRY_MS_MAX: Final = 30_000
BACKLOG_MS: Final = 1
"""Each open press that waits gives the receipts so much more time before anything is repeated. Silent ones do not: the
pace at which open presses come must not tell how many silent ones there are."""
SLOW_MS: Final = 1000

WORDS: Final = frozenset({Gesture.CANCEL, Gesture.FORCED_CANCEL, Gesture.CAME, Gesture.CHECK_IN, Gesture.TEST, Gesture.CANARY, Gesture.DRILL})
"""Gestures that call nobody."""
TAMPERS: Final = frozenset({Gesture.CUT, Gesture.SHORTED, Gesture.OPENED})
"""Somebody's screwdriver, not a resident's hand: no light answers it."""


class Keeping(IntEnum):
    """Where a press stands on its way to the disk; the lower, the less may be said of it."""

    FAILED = 0
    WRITING = 1
    KEPT = 2


_LIGHT: Final = {Keeping.FAILED: Light.FAULT, Keeping.WRITING: Light.REST, Keeping.KEPT: Light.SAVED}


class Outgoing:
    """One press that waits for its receipt. secret: of the silent stream; it must show nowhere."""

    __slots__ = ("due_ms", "keeping", "made_at_ms", "order", "press", "rank", "ref", "secret", "tries")

    def __init__(
        self, press: Press, made_at_ms: int | None, rank: int, order: int, *, secret: bool, keeping: Keeping
    ) -> None:
        self.press = press
        self.ref = PressRef(press.boot, press.seq)
        self.made_at_ms = made_at_ms
        self.rank = rank
        self.order = order
        self.secret = secret
        self.keeping = keeping
        self.tries = 0
        self.due_ms = 0

    @property
    def calls(self) -> bool:
        """It calls for help."""
        return self.press.gesture not in WORDS and self.press.gesture not in TAMPERS

    def publish(self, now_ms: int) -> PublishPress:
        """The press with its age at this moment."""
        age_ms = None if self.made_at_ms is None else max(0, now_ms - self.made_at_ms)
        return PublishPress(self.press, age_ms, self.rank)

    def keep(self) -> KeepPress:
        """The wish to have it on disk. Only a press of this life of the process is ever written."""
        return KeepPress(self.press, self.made_at_ms or 0, self.rank, self.secret)


class Outbox:
    """All of them, by reference and by digest. Every step costs the same however many wait."""

    def __init__(self) -> None:
        self._by_ref: dict[PressRef, Outgoing] = {}
        self._by_digest: dict[str, Outgoing] = {}
        self._heap: list[tuple[int, int, int, Outgoing]] = []
        self._writing: dict[PressRef, int] = {}
        self._tally: dict[tuple[str, bool, Keeping], int] = {}
        self._order = count()
        self._linked = False
        self.open_count = 0
        """How many of the open stream wait."""

    def __len__(self) -> int:
        return len(self._by_ref)

    def __contains__(self, ref: object) -> bool:
        return ref in self._by_ref

    def add(
        self, press: Press, made_at_ms: int | None, rank: int, *, secret: bool, kept: bool, now_ms: int
    ) -> Outgoing | None:
        """Take in a new press, or one that the disk still held (`kept`). None when it is here already."""
        keeping = Keeping.KEPT if kept else Keeping.WRITING
        outgoing = Outgoing(press, made_at_ms, rank, next(self._order), secret=secret, keeping=keeping)
        if outgoing.ref in self._by_ref:
            return None
        self._by_ref[outgoing.ref] = outgoing
        self._by_digest[digest_of(encode(press))] = outgoing
        self._count(outgoing, 1)
        self.open_count += not secret
        if not kept:
            self._writing_since(outgoing, now_ms)
        if self._linked:
            self._schedule(outgoing, now_ms)
        return outgoing

    def kept(self, ref: PressRef) -> Outgoing | None:
        """It is on disk. None when it is not waiting (its receipt was faster)."""
        return self._now_is(ref, Keeping.KEPT)

    def not_kept(self, ref: PressRef) -> Outgoing | None:
        """The disk refused it; it waits in memory."""
        return self._now_is(ref, Keeping.FAILED)

    def keep_again(self, now_ms: int) -> list[KeepPress]:
        """The disk works again: all that it had refused, the most serious first."""
        failed = [outgoing for outgoing in self._by_ref.values() if outgoing.keeping is Keeping.FAILED]
        failed.sort(key=lambda outgoing: (outgoing.rank, outgoing.order))
        for outgoing in failed:
            self._now_is(outgoing.ref, Keeping.WRITING)
            self._writing_since(outgoing, now_ms)
        return [outgoing.keep() for outgoing in failed]

    def waiting(self) -> Iterable[tuple[PressRef, bool]]:
        """All that wait for a receipt, and whether each is of the silent stream."""
        return [(ref, outgoing.secret) for ref, outgoing in self._by_ref.items()]

    @property
    def some_refused(self) -> bool:
        """The disk has refused one that still waits."""
        return any(number and keeping is Keeping.FAILED for (_, _, keeping), number in self._tally.items())

    def receipted(self, receipt: Receipt) -> Outgoing | None:
        """Forget the press that this receipt is for; None when it is for none of ours, and then nothing changes."""
        outgoing = self._by_digest.get(receipt.digest)
        if outgoing is None:
            return None
        ref = outgoing.ref
        if receipt.boot not in (None, ref.boot) or receipt.seq not in (None, ref.seq):
            return None
        del self._by_digest[receipt.digest]
        del self._by_ref[ref]
        self._writing.pop(ref, None)
        self._count(outgoing, -1)
        self.open_count -= not outgoing.secret
        outgoing.due_ms = -1
        return outgoing

    def link_up(self, now_ms: int) -> list[PublishPress]:
        """Everything that waits, now, the most serious first; among equals the oldest."""
        self._linked = True
        waiting = sorted(self._by_ref.values(), key=lambda outgoing: (outgoing.rank, outgoing.order))
        for outgoing in waiting:
            outgoing.tries = 1
            outgoing.due_ms = now_ms + RETRY_MS_FIRST + BACKLOG_MS * self.open_count
        self._heap = [(outgoing.due_ms, outgoing.rank, outgoing.order, outgoing) for outgoing in waiting]
        heapify(self._heap)
        return [outgoing.publish(now_ms) for outgoing in waiting]

    def link_down(self) -> None:
        """Nothing is sent until the link is back."""
        self._linked = False
        self._heap = []

    def due(self, now_ms: int) -> list[PublishPress]:
        """What is to be repeated by now, the most serious first."""
        due: list[Outgoing] = []
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, _, _, outgoing = heappop(self._heap)
            if outgoing.due_ms == due_ms:
                due.append(outgoing)
        due.sort(key=lambda outgoing: (outgoing.rank, outgoing.order))
        for outgoing in due:
            self._schedule(outgoing, now_ms)
        return [outgoing.publish(now_ms) for outgoing in due]

    def next_at_ms(self) -> int | None:
        """When something is to be repeated."""
        while self._heap and self._heap[0][3].due_ms != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def slow_at_ms(self) -> int | None:
        """When the oldest open write that is not answered becomes, or became, slow."""
        return next(iter(self._writing.values()), None)

    def shows(self, name: str, *, words: bool) -> Light | None:
        """What may be said of this input's calls (or words) that wait; None when none does."""
        for keeping in Keeping:
            if self._tally.get((name, words, keeping)):
                return _LIGHT[keeping]
        return None

    def calls_waiting(self, names: Iterable[str]) -> bool:
        """A call for help from one of these inputs waits."""
        return any(self.shows(name, words=False) is not None for name in names)

    def _schedule(self, outgoing: Outgoing, now_ms: int) -> None:
        wait = min(RETRY_MS_FIRST << min(outgoing.tries, 5), RETRY_MS_MAX)
        outgoing.tries += 1
        outgoing.due_ms = now_ms + wait + BACKLOG_MS * self.open_count
        heappush(self._heap, (outgoing.due_ms, outgoing.rank, outgoing.order, outgoing))

    def _writing_since(self, outgoing: Outgoing, now_ms: int) -> None:
        if not outgoing.secret:
            self._writing[outgoing.ref] = now_ms + SLOW_MS

    def _now_is(self, ref: PressRef, keeping: Keeping) -> Outgoing | None:
        outgoing = self._by_ref.get(ref)
        if outgoing is None:
            return None
        if keeping is not Keeping.WRITING:
            self._writing.pop(ref, None)
        self._count(outgoing, -1)
        outgoing.keeping = keeping
        self._count(outgoing, 1)
        return outgoing

    def _count(self, outgoing: Outgoing, by: int) -> None:
        if outgoing.secret or outgoing.press.gesture in TAMPERS:
            return
        key = (outgoing.press.input, not outgoing.calls, outgoing.keeping)
        self._tally[key] = self._tally.get(key, 0) + by
