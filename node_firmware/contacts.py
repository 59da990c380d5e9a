"""From raw levels to a contact that is closed or open: bounce and noise end here.

A contact counts as closed once it has been closed without a break for `STEADY_MS`, so no row of shorter pulses, however
long or dense, ever closes it. Once closed, it stays closed through a break that starts healing within `BRIDGE_MS`: a
finger that trembles does not begin its hold again. A break heals only by another steady stretch, so that crackle after
a real touch cannot add up to a hold: without a steady stretch, `BRIDGE_MS + STEADY_MS` is the longest it carries.

A changeover contact has two lines. At rest `released` is closed, pressed `pressed` is; on its way for some
milliseconds neither (or, with some makes, both). What lasts longer is a cut wire or a shorted one. A plain contact
cannot tell a cut wire from a button at rest.
"""

from typing import Final, NamedTuple

from controller.messages import Gesture

STEADY_MS: Final = 40
"""Closed without a break for so long: a touch and no noise. A jab of 60 ms may lose 20 ms to bounce."""
BRIDGE_MS: Final = 40
"""A break that lasts so long is a release. Hands that jab as fast as they can leave gaps of 50 ms and more."""
BOUNCE_MS: Final = 20
"""So much bounce before and after the steady stretch belongs to the press, when its length is measured."""
WRONG_MS: Final = 1500
"""A changeover contact that rests between its sides, or on both, for so long is cut or shorted. A thumb is faster."""
OPENED_MS: Final = 200
"""The case's contact, open for so long: opened, and no crackle of a lid that the wind moves."""
MENDED_MS: Final = 1000
"""Right again for so long: mended, and the next wrong is told anew."""


class Release(NamedTuple):
    """A press that ended: from its first touch to its last one, bounce included; known at `at_ms`."""

    first_ms: int
    last_ms: int
    at_ms: int


class Contact:
    """One contact's life, told by its raw levels in order of time."""

    def __init__(self) -> None:
        self.raw = False
        self.closed = False
        self.since_ms = 0
        """Since when it is closed."""
        self._raw_since_ms = 0
        self._first_ms = 0
        self._last_raw_open_ms: int | None = None
        self._break_ms: int | None = None
        self._last_ms = 0

    @property
    def broken(self) -> bool:
        """It counts as closed, but is in a break that has not healed yet: nothing is decided now."""
        return self._break_ms is not None

    def level(self, raw: bool, at_ms: int) -> None:
        """The raw level is `raw` from `at_ms`. Whatever was due before must have been stepped."""
        if raw == self.raw:
            return
        self.raw = raw
        self._raw_since_ms = at_ms
        if raw:
            if not self.closed and (self._last_raw_open_ms is None or at_ms - self._last_raw_open_ms > BOUNCE_MS):
                self._first_ms = at_ms
            return
        self._last_raw_open_ms = at_ms
        if self.closed:
            if self._break_ms is None:
                self._break_ms = at_ms
                self._last_ms = at_ms
            elif at_ms <= self._break_ms + BOUNCE_MS:
                self._last_ms = at_ms

    def next_at_ms(self) -> int | None:
        """When something is decided although nothing moves; None: not before the next level."""
        if self.raw:
            return self._raw_since_ms + STEADY_MS if not self.closed or self.broken else None
        if self._break_ms is not None:
            return max(self._break_ms + BRIDGE_MS, self._raw_since_ms)
        return None

    def step(self, at_ms: int) -> Release | None:
        """Decide what is due at `at_ms` (what `next_at_ms` said): closed, healed, or released."""
        if self.raw:
            if not self.closed:
                self.since_ms = self._raw_since_ms
                self._first_ms = max(self._first_ms, self.since_ms - BOUNCE_MS)
            self.closed = True
            self._break_ms = None
            return None
        self.closed = False
        self._break_ms = None
        return Release(self._first_ms, self._last_ms, at_ms)


class Watch:
    """Something that is right or wrong; each sort of wrong is told once until it is mended."""

    def __init__(self) -> None:
        self.stands: Gesture | None = None
        """What was told and is not mended."""
        self._wrong: Gesture | None = None
        self._since_ms = 0
        self._told: set[Gesture] = set()

    def see(self, wrong: Gesture | None, at_ms: int) -> None:
        """From `at_ms` on it is `wrong`, or right (None)."""
        if wrong != self._wrong:
            self._wrong, self._since_ms = wrong, at_ms
            if wrong in self._told:
                self.stands = wrong

    def next_at_ms(self) -> int | None:
        """When `step` has something to decide, if nothing changes before."""
        if self._wrong is None:
            return self._since_ms + MENDED_MS if self._told else None
        if self._wrong in self._told:
            return None
        return self._since_ms + (OPENED_MS if self._wrong is Gesture.OPENED else WRONG_MS)

    def step(self) -> Gesture | None:
        """Decide what is due: what to tell, or None when it is mended."""
        if self._wrong is None:
            self._told.clear()
        else:
            self._told.add(self._wrong)
        self.stands = self._wrong
        return self._wrong
