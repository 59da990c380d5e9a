"""Plays a rhythm on one output: the siren, a light, the buzzer.

It runs on the event loop's timers and owns no thread, so nothing goes on switching a siren when the node has died. What
it leaves on when the loop itself hangs, the guard switches off.
"""

import asyncio
from collections.abc import Callable, Sequence

from controller.messages import Pulse


class Player:
    """One output. write: switches it; called on the loop's thread only. What it plays last replaces what it played."""

    def __init__(self, write: Callable[[bool], None]) -> None:
        self._write = write
        self._timer: asyncio.TimerHandle | None = None
        self._pattern: tuple[Pulse, ...] = ()
        self._at = 0
        self._until_s: float | None = None
        self._repeat = False

    @property
    def playing(self) -> bool:
        """Something plays, if only a pause of it."""
        return self._timer is not None

    def play(self, pattern: Sequence[Pulse], *, repeat: bool, for_ms: int | None = None) -> None:
        """Begin `pattern` at once; off at its end, or after `for_ms` when it is repeated. An empty pattern is off."""
        self._cancel()
        if not pattern:
            self._write(False)
            return
        loop = asyncio.get_running_loop()
        self._pattern = tuple(pattern)
        self._repeat = repeat
        self._until_s = None if for_ms is None else loop.time() + for_ms / 1000
        self._at = 0
        self._step()

    def stop(self) -> None:
        """Off, at once."""
        self._cancel()
        self._write(False)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self) -> None:
        """Each odd step is a pause. A pause of 0 ms is passed over, so that such a pattern does not flicker."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._until_s is not None and now >= self._until_s:
            self.stop()
            return
        index, pausing = divmod(self._at, 2)
        if index == len(self._pattern):
            if not self._repeat:
                self.stop()
                return
            self._at, index = 0, 0
        pulse = self._pattern[index]
        length_ms = pulse.off_ms if pausing else pulse.on_ms
        self._at += 1
        if length_ms:
            self._write(not pausing)
        ends = now + max(length_ms, 1) / 1000
        # Set before anything else can go wrong: what is on has its end.
        self._timer = loop.call_at(ends if self._until_s is None else min(ends, self._until_s), self._step)
