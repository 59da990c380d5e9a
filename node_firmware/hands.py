"""What hands do to one button: hold, jabs, taps and their patterns, told from the contact's closings and openings.

Time runs in order: `level` and `advance` are given instants that never go back, and everything that was due in between
happens at its own instant, so a late call changes nothing about what is seen.
"""

from typing import Final, NamedTuple

from controller.messages import Gesture
from node_firmware.contacts import Contact, Release, Watch
from node_firmware.gestures import Hands

JAB_MS_MIN: Final = 60
JAB_MS_MAX: Final = 800
JABS: Final = 3
JABS_WITHIN_MS: Final = 3000
GROUP_GAP_MS: Final = 700
"""Taps that follow each other within this belong together; after it a single tap is answered."""
PAUSE_MS_MAX: Final = 8000
"""The longest pause inside a pattern. The shortest needs no figure: three taps within 3 s are jabs."""
FORCED_TAP_MS: Final = 400
STUCK_MS: Final = 60_000
AT_START_MS: Final = 100
"""Found pressed at start: how long it was held before cannot be known, and a hand that has held through a restart is
believed; the tenth of a second only makes sure that the first look at the pin did not catch a spark."""

CANCEL_PATTERN: Final = (2, 2, 2)
CHECK_IN_PATTERN: Final = (2, 1, 2)


class Seen(NamedTuple):
    """A gesture, finished at `at_ms`; began_ms: its first touch; ended_ms: its last one."""

    hands: Hands
    at_ms: int
    began_ms: int
    ended_ms: int


class Tampered(NamedTuple):
    """Somebody is at the wires: CUT, SHORTED or OPENED."""

    gesture: Gesture
    at_ms: int


class Button:
    """One input: a button with a changeover or a plain contact, or (`tamper`) a contact of the case."""

    def __init__(self, *, changeover: bool, tamper: bool) -> None:
        self.stuck = False
        """Pressed for a minute and not yet released: a fault, and no further press."""
        self._changeover = changeover
        self._tamper = tamper
        self._pressed = False
        self._released = False
        self._contact = Contact()
        self._watch = Watch()
        self._hold_ms = 1000
        self._told = False
        self._from_start = False
        self._jabs: list[int] = []
        self._group: list[Release] = []
        self._groups: tuple[int, ...] = ()
        self._groups_began_ms = 0
        self._last_tap: Release | None = None
        self._lone: Release | None = None
        self._at_ms = 0

    @property
    def wrong(self) -> Gesture | None:
        """How its wires stand, when they are not as they should be: CUT or SHORTED; OPENED at a contact of the case."""
        return self._watch.stands

    @property
    def touched(self) -> bool:
        """A hand is at it, or has just let go."""
        return self._touched()

    def start(self, *, pressed: bool, released: bool, at_ms: int) -> None:
        """The levels found at start."""
        self._at_ms = at_ms
        self._from_start = True
        self._pressed, self._released = pressed, released
        self._look(at_ms)

    def level(self, side: str, active: bool, at_ms: int, hold_ms: int) -> list[Seen | Tampered]:
        """One line changed: side is `pressed` or `released`. Returns what was decided up to then."""
        at_ms = max(at_ms, self._at_ms)
        seen = self.advance(at_ms, hold_ms)
        if side == "pressed":
            self._pressed = active
        else:
            self._released = active
        self._look(at_ms)
        return seen + self.advance(at_ms, hold_ms)

    def advance(self, at_ms: int, hold_ms: int) -> list[Seen | Tampered]:
        """Let time pass until `at_ms`; returns what was decided on the way, in order."""
        self._hold_ms = hold_ms
        seen: list[Seen | Tampered] = []
        while (due := self.next_at_ms()) is not None and due <= at_ms:
            self._at_ms = max(self._at_ms, due)
            self._happen(due, seen)
        self._at_ms = max(self._at_ms, at_ms)
        return seen

    def next_at_ms(self) -> int | None:
        """When something is decided although nobody touches anything."""
        return min((due for due in self._dues() if due is not None), default=None)

    def _look(self, at_ms: int) -> None:
        if self._changeover:
            closed = self._pressed and not self._released
            wrong = None
            if self._pressed == self._released:
                wrong = Gesture.SHORTED if self._pressed else Gesture.CUT
        else:
            closed, wrong = self._pressed, None
        if self._tamper:
            self._watch.see(wrong or (None if closed else Gesture.OPENED), at_ms)
        else:
            self._watch.see(wrong, at_ms)
            self._contact.level(closed, at_ms)
            if not self._touched():
                self._from_start = False

    def _dues(self) -> tuple[int | None, ...]:
        return (
            self._contact.next_at_ms(), self._watch.next_at_ms(), self._hold_due(), self._stuck_due(),
            self._group_due(), self._lone_due(),
        )

    def _hold_due(self) -> int | None:
        contact = self._contact
        if not contact.closed or contact.broken or self._told:
            return None
        return max(contact.since_ms + (AT_START_MS if self._from_start else self._hold_ms), self._at_ms)

    def _stuck_due(self) -> int | None:
        contact = self._contact
        if not contact.closed or contact.broken or self.stuck:
            return None
        return max(contact.since_ms + STUCK_MS, self._at_ms)

    def _touched(self) -> bool:
        return self._contact.raw or self._contact.closed

    def _group_due(self) -> int | None:
        if not self._group or self._touched():
            return None
        return max(self._group[-1].last_ms + GROUP_GAP_MS, self._at_ms)

    def _lone_due(self) -> int | None:
        if self._lone is None or self._touched():
            return None
        # After a pair it may be the middle of a check-in, until the pause is longer than any inside a pattern.
        quiet_ms = PAUSE_MS_MAX + 1 if self._groups else JABS_WITHIN_MS
        return max(self._lone.last_ms + quiet_ms, self._at_ms)

    def _happen(self, due: int, seen: list[Seen | Tampered]) -> None:
        contact, watch, hold, stuck, group, lone = self._dues()
        if contact == due:
            release = self._contact.step(due)
            if release is not None:
                self._released_after(release, seen)
        elif watch == due:
            wrong = self._watch.step()
            if wrong is not None:
                seen.append(Tampered(wrong, due))
        elif hold == due:
            self._told = True
            self._forget_taps()
            self._jabs.clear()
            since = self._contact.since_ms
            seen.append(Seen(Hands.AT_START if self._from_start else Hands.HOLD, due, since, due))
        elif stuck == due:
            self.stuck = True
        elif group == due:
            self._close_group(due, seen)
        elif lone == due and self._lone is not None:
            seen.append(Seen(Hands.LONE_TAP, due, self._lone.first_ms, self._lone.last_ms))
            self._lone = None

    def _released_after(self, release: Release, seen: list[Seen | Tampered]) -> None:
        told, self._told, self._from_start, self.stuck = self._told, False, False, False
        length = release.last_ms - release.first_ms
        if told:
            self._last_tap = release
            return
        if length < JAB_MS_MIN:
            return
        if length > JAB_MS_MAX:
            self._forget_taps()
            self._last_tap = release
            seen.append(Seen(Hands.UNCLEAR, release.at_ms, release.first_ms, release.last_ms))
            return
        self._jabs = [first for first in self._jabs if release.first_ms - first <= JABS_WITHIN_MS] + [release.first_ms]
        if len(self._jabs) >= JABS:
            began = self._jabs[0]
            self._jabs.clear()
            self._forget_taps()
            self._last_tap = release
            seen.append(Seen(Hands.JABS, release.at_ms, began, release.last_ms))
            return
        self._tapped(release, length, seen)

    def _tapped(self, tap: Release, length: int, seen: list[Seen | Tampered]) -> None:
        last, self._last_tap = self._last_tap, tap
        if self._groups and not self._group and last is not None and tap.first_ms - last.last_ms > PAUSE_MS_MAX:
            self._groups = ()
        if self._lone is not None or (last is not None and tap.first_ms - last.last_ms <= JABS_WITHIN_MS):
            self._lone = None
        elif not self._group:
            self._lone = tap
        if not self._groups and not self._group:
            self._groups_began_ms = tap.first_ms
        self._group.append(tap)
        pattern = (*self._groups, len(self._group))
        if pattern == CANCEL_PATTERN:
            # With a hold time near the minimum, "long for a tap" must stay below it.
            forced = length >= min(FORCED_TAP_MS, self._hold_ms * 2 // 5)
            self._finish(Hands.FORCED_CANCEL if forced else Hands.CANCEL, tap, seen)
        elif pattern == CHECK_IN_PATTERN:
            self._finish(Hands.CHECK_IN, tap, seen)

    def _finish(self, hands: Hands, tap: Release, seen: list[Seen | Tampered]) -> None:
        seen.append(Seen(hands, tap.at_ms, self._groups_began_ms, tap.last_ms))
        self._forget_taps()

    def _close_group(self, due: int, seen: list[Seen | Tampered]) -> None:
        first, last, taps = self._group[0], self._group[-1], len(self._group)
        self._group = []
        alone = not self._groups and taps == 1
        self._groups = (*self._groups, taps)
        if not any(pattern[: len(self._groups)] == self._groups for pattern in (CANCEL_PATTERN, CHECK_IN_PATTERN)):
            self._groups = ()
        seen.append(Seen(Hands.TAP if alone else Hands.UNCLEAR, due, first.first_ms, last.last_ms))

    def _forget_taps(self) -> None:
        self._group = []
        self._groups = ()
        self._lone = None
