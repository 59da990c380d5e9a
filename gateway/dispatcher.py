"""The notices that wait, and their tries.

The design's section 4, step 7.

Each channel is a lane of its own: a queue by priority, and as many hands as the channel can use at once. A hand takes the
next notice only when the outcome of its last one is on disk (or people are told from memory): so a crash repeats at most
one notice for each hand, always under the same key.
"""

import asyncio
import heapq
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from controller.errors import CuadraError
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, Tried
from controller.rules.telling import FAULTS, MACHINES
from gateway.channels.channel import Channel, Interruptible, Never, Outcome, Sent, Telling, TryLater

logger = logging.getLogger(__name__)

NO_WISH: Final = 0


class Dispatcher:
    """Sends what is queued.

    compose(effect): the telling, private values joined, at the moment of the try. settle(outcome): gives the core the
    outcome and returns when it is durable. utc_ms: the time.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        compose: Callable[[QueueNotice], Telling],
        settle: Callable[[NoticeTried], Awaitable[None]],
        utc_ms: Callable[[], int],
    ) -> None:
        self._lanes = {name: _Lane(channel, compose, self._settled) for name, channel in channels.items()}
        self._settle = settle
        self._utc_ms = utc_ms
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._refusals: set[asyncio.Future[None]] = set()
        self._order = _Order()
        self._stopped: set[str] = set()
        """Taken back while they were under way: they are tried no more, whatever comes of it."""

    def queue(self, effect: QueueNotice) -> None:
        """Send it when it is due, the most urgent first; what a machine is told of one incident in the order of these calls."""
        if self._order.is_next(effect):
            self._schedule(effect)

    def _schedule(self, effect: QueueNotice) -> None:
        wait_s = (effect.due_at_ms - self._utc_ms()) / 1000
        if wait_s > 0:
            timer = asyncio.get_running_loop().call_later(wait_s, self._due, effect)
            self._timers[effect.notice.id] = timer
        else:
            self._due(effect)

    def stop(self, notice: str) -> None:
        """Do not send it; what is under way is left alone, but for a phone that rings."""
        timer = self._timers.pop(notice, None)
        if timer is not None:
            timer.cancel()
        for lane in self._lanes.values():
            lane.stop(notice)
        if any(notice in lane.under_way for lane in self._lanes.values()):
            self._stopped.add(notice)
            for lane in self._lanes.values():
                if isinstance(lane.channel, Interruptible):
                    lane.channel.give_up(notice)
        else:
            self._over(notice)

    async def _settled(self, outcome: NoticeTried) -> None:
        await self._settle(outcome)
        if outcome.tried is not Tried.TRY_LATER or outcome.notice in self._stopped:
            self._over(outcome.notice)

    def _over(self, notice: str) -> None:
        self._stopped.discard(notice)
        after = self._order.over(notice)
        if after is not None:
            self._schedule(after)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                for _ in range(lane.channel.concurrency):
                    group.create_task(lane.work())

    def _due(self, effect: QueueNotice) -> None:
        self._timers.pop(effect.notice.id, None)
        lane = self._lanes.get(effect.notice.channel)
        if lane is not None:
            lane.add(effect)
            return
        why = f"this gateway has no channel {effect.notice.channel!r}; configure it in gateway.toml"
        refusal = asyncio.ensure_future(self._settled(NoticeTried(effect.notice.id, effect.attempt, Tried.NEVER, why=why)))
        self._refusals.add(refusal)
        refusal.add_done_callback(self._refusals.discard)


class _Order:
    """What a machine is told of one incident leaves one after the other: an end that overtakes its alarm leaves the alarm standing.

    So does what people of the police are told by the way by which their alarm goes.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], deque[QueueNotice]] = {}
        self._line_of: dict[str, tuple[str, str, str]] = {}

    def is_next(self, effect: QueueNotice) -> bool:
        """Whether it may go now, or go on; else it waits until what is before it is over."""
        notice = effect.notice
        key = effect.incident, notice.member, notice.channel
        if not effect.incident or (notice.channel not in MACHINES and notice.reason != "POLICE" and key not in self._lines):
            return True
        self._line_of[notice.id] = key
        line = self._lines.setdefault(key, deque())
        if all(one.notice.id != notice.id for one in line):
            line.append(effect)
        return line[0].notice.id == notice.id

    def over(self, notice: str) -> QueueNotice | None:
        """It will not be tried any more. What may go now, if that was what waited for it."""
        key = self._line_of.pop(notice, None)
        if key is None:
            return None
        line = self._lines[key]
        was_next = line[0].notice.id == notice
        line = self._lines[key] = deque(one for one in line if one.notice.id != notice)
        if not line:
            del self._lines[key]
        return line[0] if line and was_next else None


class _Lane:
    """One channel's queue and its hands."""

    def __init__(
        self, channel: Channel, compose: Callable[[QueueNotice], Telling], settle: Callable[[NoticeTried], Awaitable[None]]
    ) -> None:
        self.channel = channel
        self._compose = compose
        self._settle = settle
        self._heap: list[tuple[int, int, QueueNotice]] = []
        self._order = itertools.count()
        self._waiting: set[str] = set()
        self.under_way: set[str] = set()
        self._news = asyncio.Semaphore(0)
        self._spare = max(1, channel.concurrency - 1)
        """So many hands may be at what can wait at once: the last one is kept for presses, where there are two."""
        self._held: list[tuple[int, int, QueueNotice]] = []

    def add(self, effect: QueueNotice) -> None:
        """Queue it behind those of the same priority."""
        heapq.heappush(self._heap, (effect.notice.priority, next(self._order), effect))
        self._waiting.add(effect.notice.id)
        self._news.release()

    def stop(self, notice: str) -> None:
        """Pass it over when its turn comes."""
        self._waiting.discard(notice)

    async def work(self) -> None:
        """One hand: try, report, next."""
        while True:
            await self._news.acquire()
            entry = heapq.heappop(self._heap)
            effect = entry[2]
            if effect.notice.id not in self._waiting:
                continue
            can_wait = effect.notice.priority >= FAULTS
            if can_wait and not self._spare:
                self._held.append(entry)
                continue
            self._spare -= can_wait
            self._waiting.discard(effect.notice.id)
            self.under_way.add(effect.notice.id)
            outcome = await self._try(effect)
            await self._settle(self._said(effect, outcome))
            self.under_way.discard(effect.notice.id)
            if can_wait:
                self._spare += 1
                if self._held:
                    heapq.heappush(self._heap, self._held.pop(0))
                    self._news.release()

    async def _try(self, effect: QueueNotice) -> Outcome:
        try:
            telling = self._compose(effect)
        except CuadraError as fault:
            return Never(str(fault))
        except Exception as fault:  # a text that cannot be made must not stop the others: this member is told another way
            logger.exception("notice %s cannot be composed", effect.notice.id)
            return Never(f"it cannot be composed ({type(fault).__name__})")
        try:
            async with asyncio.timeout(self.channel.timeout_s):
                return await self.channel.send(telling)
        except TimeoutError:
            return TryLater(f"no answer within {self.channel.timeout_s:g} s")
        except Exception as fault:  # a channel's defect must not stop the others; only its kind is said, since the text may hold an address
            logger.error("channel %s: %s in send() of notice %s", self.channel.name, type(fault).__name__, effect.notice.id)
            return TryLater(f"the channel failed ({type(fault).__name__})")

    def _said(self, effect: QueueNotice, outcome: Outcome) -> NoticeTried:
        notice, attempt = effect.notice.id, effect.attempt
        match outcome:
            case Sent(ref):
                return NoticeTried(notice, attempt, Tried.SENT, ref)
            case TryLater(why, after_ms, stuck) if stuck or attempt < self.channel.attempts_max:
                return NoticeTried(notice, attempt, Tried.TRY_LATER, why=why, retry_in_ms=after_ms or NO_WISH, stuck=stuck)
            case TryLater(why):
                return NoticeTried(notice, attempt, Tried.NEVER, why=f"{why}; {attempt} tries")
            case Never(why):
                return NoticeTried(notice, attempt, Tried.NEVER, why=why)
