"""The strobe by itself, without a sound: a neighbour needs help. Beside a sounding siren it flashes anyway."""

from node_firmware.effects import FlashStrobe, StopSiren
from node_firmware.in_order import InOrder


class Strobe:
    """Until when it flashes for a neighbour."""

    def __init__(self) -> None:
        self._until_ms = 0

    def flash(self, for_s: int, now_ms: int, out: InOrder, *, sounding: bool) -> None:
        """Flash for so long from now; 0: no more. While the siren sounds, the strobe is the siren's."""
        self._until_ms = now_ms + for_s * 1000
        if not sounding:
            out.rest.append(FlashStrobe(for_s * 1000))

    def after(self, now_ms: int, out: InOrder) -> None:
        """The siren's end puts it out, too: a neighbour's goes on."""
        if self._until_ms > now_ms and any(isinstance(effect, StopSiren) for effect in out.siren):
            out.rest.append(FlashStrobe(self._until_ms - now_ms))
