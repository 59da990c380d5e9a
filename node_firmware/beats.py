"""When a node beats: each `beat_s`, and soon after news."""

from collections.abc import Iterable
from typing import Final

import msgspec

from controller.messages import Beat, NodeFault
from node_firmware.inputs import PowerRead

NEWS_GAP_MS: Final = 2000
"""News of a fault does not wait for the next beat, but a fault that flickers does not become a flood."""

News = tuple[tuple[NodeFault, ...], bool | None, int]


class Beats:
    """The pace of the beats while there is a link, and what the sensors said last."""

    def __init__(self) -> None:
        self.next_at_ms = 0
        """When the next beat is due, if there is no news before."""
        self._power = PowerRead()
        self._last_ms: int | None = None
        self._told: News | None = None

    def power_read(self, power: PowerRead) -> None:
        """The sensors say."""
        self._power = power

    def link_up(self, now_ms: int) -> None:
        """The first beat of a link comes at once."""
        self.next_at_ms = now_ms

    def wanted(self) -> None:
        """The next beat is news to the gateway, whatever it says."""
        self._told = None

    def due(self, beat: Beat, now_ms: int, beat_s: int) -> Iterable[Beat]:
        """`beat` with the sensors' values, if one is due: soon when faults, mains or settings changed."""
        news = (beat.faults, self._power.mains, beat.settings_rev)
        if news != self._told:
            soon_ms = now_ms if self._last_ms is None else max(now_ms, self._last_ms + NEWS_GAP_MS)
            self.next_at_ms = min(self.next_at_ms, soon_ms)
        if self.next_at_ms > now_ms:
            return
        self._told, self._last_ms, self.next_at_ms = news, now_ms, now_ms + beat_s * 1000
        power = self._power
        yield msgspec.structs.replace(
            beat, mains=power.mains, battery_mv=power.battery_mv, signal_dbm=power.signal_dbm,
            temperature_c=power.temperature_c,
        )
