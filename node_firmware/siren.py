"""The siren as the core sees it: what sounds, since when, until when at most."""

from typing import Final

from controller.messages import Pulse
from node_firmware.effects import MarkSiren, SoundSiren, StopSiren
from node_firmware.in_order import InOrder

PROVEN_MS: Final = 10_000
"""A supply that has carried the siren for so long does not collapse under it."""
ONCE_MS_MAX: Final = 5_000


class Siren:
    """One siren. It never sounds longer without a pause than `limit_s`, whoever asks for it."""

    def __init__(self, limit_s: int) -> None:
        self.limit_s = limit_s
        self.sounding = False
        self.since_ms = 0
        self._until_ms = 0
        self._rank = 0
        self._test = False
        self._pattern: tuple[Pulse, ...] = ()

    @property
    def in_earnest(self) -> bool:
        """It sounds, and for no test."""
        return self.sounding and not self._test

    def sound(
        self, pattern: tuple[Pulse, ...], rank: int, for_ms: int, now_ms: int, out: InOrder, *, test: bool
    ) -> None:
        """Sound for an emergency (or a test) of this rank; at most the limit since it began to sound.

        What sounds already goes on: a more serious kind changes the pattern, a longer wish prolongs it up to the limit,
        and a test never disturbs an emergency. The mark for the disk comes when everything urgent is handed on.
        """
        better = not self.sounding or (not test and (self._test or rank < self._rank))
        if not self.sounding:
            self.sounding, self.since_ms, self._until_ms = True, now_ms, 0
            out.rest.append(MarkSiren(on=True))
        elif test:
            return
        until = max(min(self.since_ms + self.limit_s * 1000, now_ms + for_ms), self._until_ms)
        if better:
            self._pattern, self._rank, self._test = pattern, rank, test
        elif until <= self._until_ms:
            return
        self._until_ms = until
        out.siren.append(SoundSiren(self._pattern, until - now_ms))

    def stop(self, out: InOrder) -> None:
        """Silence, if it sounds."""
        if self.sounding:
            self.sounding = False
            out.siren.append(StopSiren())
            out.rest.append(MarkSiren(on=False))

    def left_ms(self, now_ms: int) -> int:
        """How long it still sounds; 0: it does not."""
        return max(0, self._until_ms - now_ms) if self.sounding else 0

    def next_at_ms(self) -> int | None:
        """When its time is over."""
        return self._until_ms if self.sounding else None


def once_ms(pattern: tuple[Pulse, ...]) -> int:
    """How long one round of `pattern` lasts, as a test sounds it."""
    return min(sum(pulse.on_ms + pulse.off_ms for pulse in pattern), ONCE_MS_MAX)
