"""Time that leaps: an event loop whose clock jumps to the next timer, so that a night passes as fast as it can be decided.

The gateway's own shells (`Decisions`, `Inbox`, `Dispatcher`, `Replies`) run on it as they are: what they wait for comes at its
virtual moment, in the same order each time. What they give to a thread is done at the end of the time that it is said to take.
"""

import asyncio
import heapq
import itertools
import math
import selectors
from collections.abc import Callable
from typing import Any, Final

THREAD_MS: Final = 1
"""What is given to a thread and says nothing else takes so long."""


class _Timer(asyncio.TimerHandle):
    """Of those that are due at one moment, the first to be set comes first: a heap alone would let others decide their order."""

    place: tuple[float, int]

    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        return self.place < other.place  # type: ignore[attr-defined,no-any-return]  # the loop makes no others


class Leaping(asyncio.SelectorEventLoop):
    """`time()` is virtual. Nothing real is waited for; with no timer left, and nothing to do, the world has stopped for good."""

    def __init__(self) -> None:
        self.now_us = 0
        self._orders = itertools.count()
        super().__init__(_Nothing(self._leap))

    @property
    def now_ms(self) -> int:
        """Milliseconds since the beginning of the world."""
        return self.now_us // 1000

    def time(self) -> float:
        """The same in seconds, as timers are set."""
        return self.now_us / 1_000_000

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.TimerHandle:  # type: ignore[override]  # noqa: ANN401 (asyncio's own)
        """As asyncio's, in the order of setting where times are the same."""
        timer = _Timer(when, callback, args, self, context)
        timer.place = when, next(self._orders)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]  # the base's heap
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 (the base counts those that are cancelled)
        return timer

    def at_ms(self, at_ms: float, call: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        """Call it then."""
        return self.call_at(at_ms / 1000, call, *args)

    def in_ms(self, ms: float, call: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        """Call it so much later."""
        return self.call_at((self.now_ms + ms) / 1000, call, *args)

    def run_in_executor(self, _executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 (asyncio's own)
        """Do it when its time is over. A disk says how long that takes by `takes_ms`; what was given up by then is never done."""
        future = self.create_future()
        owner = getattr(func, "__self__", None)
        takes_ms = getattr(owner, "takes_ms", THREAD_MS)
        starts = getattr(owner, "starts", None)
        if starts is not None:
            starts(func, *args)

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except BaseException as fault:
                future.set_exception(fault)
            else:
                future.set_result(result)

        self.in_ms(takes_ms, work)
        return future

    def _leap(self, timeout: float | None) -> None:
        if timeout is None:
            raise RuntimeError("the world has stopped: nothing is waited for any more")
        if timeout > 0:
            self.now_us += max(1, math.ceil(timeout * 1_000_000 - 0.001))


class _Nothing(selectors.BaseSelector):
    """A selector for whom waiting is leaping."""

    def __init__(self, leap: Callable[[float | None], None]) -> None:
        self._leap = leap
        self._map: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 (the base's own)
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._map[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 (the base's own)
        return self._map.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._leap(timeout)
        return []

    def close(self) -> None:
        self._map.clear()

    def get_map(self) -> Any:  # noqa: ANN401 (the base's own)
        return self._map
