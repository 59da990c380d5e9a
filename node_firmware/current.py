"""Whether current flows to the siren: tried each day by a pulse that nobody hears, and whenever a test sounds it.

A pulse is asked for by the self-test, listening by a siren test. One is under way at a time, and an alarm ends it: what it saw then
is worth nothing, and the siren is not tried again before the next test.
"""

from typing import Final, NamedTuple

from controller.messages import SirenFound
from node_firmware.effects import SenseSiren
from node_firmware.in_order import InOrder
from node_firmware.inputs import SirenSensed

PATIENCE_MS: Final = 2000
"""So long after its time the pins have an answer, or there is none."""
DISTURBED: Final = "a call came"


class Said(NamedTuple):
    """What a test's order is answered. why: what else is wrong; found: as `Done.siren`."""

    order: str
    why: str
    found: SirenFound


class Current:
    """The tries of one siren. pulse_ms: how long a pulse lasts; None: no sensor is fitted, and every answer says so."""

    def __init__(self, pulse_ms: int | None) -> None:
        self._pulse_ms = pulse_ms
        self._wanted: SenseSiren | None = None
        self._under_way: SenseSiren | None = None
        self._why = ""
        self._until_ms = 0
        self._disturbed = False
        self._said: list[Said] = []

    def pulse(self, order: str, why: str) -> None:
        """The self-test `order` has found `why` so far, and wants a pulse."""
        self._want(SenseSiren(order, True, self._pulse_ms or 0), why)

    def listen(self, order: str, for_ms: int) -> None:
        """The siren sounds for a test, for so long; 0: it does not."""
        self._want(SenseSiren(order, False, for_ms), "")

    def disturbed(self) -> None:
        """The siren sounds in earnest from now."""
        self._disturbed = True

    def sensed(self, event: SirenSensed) -> None:
        """The pins have looked."""
        if self._under_way is not None and event.order == self._under_way.order:
            self._end(event.found)

    def settle(self, now_ms: int, out: InOrder, *, free: bool) -> list[Said]:
        """Begin what is wanted; what can be answered now. free: a pulse would disturb nothing."""
        if self._under_way is not None and (now_ms >= self._until_ms or (self._disturbed and not self._under_way.pulse)):
            self._end(SirenFound.NOT_TRIED)
        wanted, self._wanted = self._wanted, None
        if wanted is not None and (free or not wanted.pulse):
            self._under_way, self._disturbed, self._until_ms = wanted, False, now_ms + wanted.for_ms + PATIENCE_MS
            out.rest.append(wanted)
        elif wanted is not None:
            self._said.append(Said(wanted.order, self._why, SirenFound.NOT_TRIED))
        said, self._said = self._said, []
        return said

    def next_at_ms(self) -> int | None:
        """When an answer is waited for no longer."""
        return self._until_ms if self._under_way is not None else None

    def _want(self, wanted: SenseSiren, why: str) -> None:
        if self._pulse_ms is None:
            self._said.append(Said(wanted.order, why, SirenFound.NOT_MEASURED))
        elif self._under_way is not None or not wanted.for_ms:
            self._said.append(Said(wanted.order, why, SirenFound.NOT_TRIED))
        else:
            self._wanted, self._why = wanted, why

    def _end(self, found: SirenFound) -> None:
        ended, self._under_way = self._under_way, None
        if ended is not None:
            why = DISTURBED if self._disturbed and not ended.pulse else self._why
            self._said.append(Said(ended.order, why, SirenFound.NOT_TRIED if self._disturbed else found))
