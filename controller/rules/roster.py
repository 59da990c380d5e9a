"""Who is on duty for a block at a moment."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from controller.registry import OnHolidays, Registry, Role, Shift

WHOLE_ZONE: Final = ""
"""Stands where a block's id would."""
DAYS_BACK: Final = 2
"""A shift that goes on now began at most so many days before today, as the wall counts them: 24 hours and its hand-over."""


class Turn(NamedTuple):
    """One time that a shift is served: on which day it starts, by whom, from when until when (UTC; its hand-over is part of it)."""

    shift: Shift
    day: date
    member: str
    starts: datetime
    ends: datetime


class Roster:
    """The shifts of one registry, by block: a press asks in the time its own block's shifts take, however large the zone is."""

    def __init__(self, registry: Registry) -> None:
        self._tz = registry.district.tz
        self._shifts = registry.shifts
        self._members = registry.members
        self._holidays = frozenset(holiday.day for holiday in registry.holidays)
        self._swaps = {(swap.shift, swap.day): swap.member for swap in registry.swaps}
        self._zone: list[Shift] = []
        self._blocks: dict[str, list[Shift]] = {}
        for shift in registry.shifts:
            for shifts in [self._blocks.setdefault(block, []) for block in shift.blocks] or [self._zone]:
                shifts.append(shift)
        self._day: date | None = None
        self._of_day: dict[str, list[Turn]] = {}
        """Block -> the turns of its shifts that may go on at some time of that day."""
        self._minute = -1
        self._now: dict[str, list[Turn]] = {}

    def on_duty(self, block: str, roles: Collection[Role], at_ms: int) -> list[str]:
        """The members on a shift for `block` at `at_ms` (UTC) in one of `roles`, each once.

        Those whose shift names the block come before those of the whole zone; then by the order of `roles`, then by id.
        """
        if self._minute != at_ms // 60_000:
            # Shifts begin and end on the minute.
            self._minute = at_ms // 60_000
            self._now = {WHOLE_ZONE: self._going_on(WHOLE_ZONE, self._zone, at_ms)}
        own = self._now.get(block)
        if own is None:
            own = self._now[block] = self._going_on(block, self._blocks.get(block, ()), at_ms)
        order = {role: place for place, role in enumerate(roles)}
        found: dict[str, tuple[int, int]] = {}
        for width, turns in enumerate((own, self._now[WHOLE_ZONE])):
            for turn in turns:
                if turn.shift.role in order:
                    key = (width, order[turn.shift.role])
                    if turn.member not in found or key < found[turn.member]:
                        found[turn.member] = key
        return sorted(found, key=lambda member: (found[member], member))

    def names(self, block: str, member: str, at_ms: int) -> bool:
        """Whether the member is on a shift at `at_ms` (UTC) that names this very block."""
        self.on_duty(block, (), at_ms)
        return any(turn.member == member for turn in self._now[block])

    def turns(self, from_ms: int, to_ms: int) -> list[Turn]:
        """Every turn of the zone that goes on at some time from `from_ms` until before `to_ms` (UTC), in the order of their starts."""
        first, last = (datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (from_ms, to_ms))
        days = [first.astimezone(self._tz).date() + timedelta(days=n) for n in range(-DAYS_BACK, (last - first).days + 3)]
        # One whose whole time the clocks skip is none.
        found = (turn for shift in self._shifts for day in days for turn in self._turns_on(shift, day) if turn.ends > turn.starts)
        return sorted((turn for turn in found if turn.starts < last and turn.ends > first), key=lambda turn: (turn.starts, turn.shift.id))

    def _going_on(self, block: str, shifts: Iterable[Shift], at_ms: int) -> list[Turn]:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        today = at.astimezone(self._tz).date()
        if today != self._day:
            self._day, self._of_day = today, {}
        turns = self._of_day.get(block)
        if turns is None:
            days = [today - timedelta(days=back) for back in range(DAYS_BACK + 1)]
            turns = self._of_day[block] = [turn for shift in shifts for day in days for turn in self._turns_on(shift, day)]
        return [turn for turn in turns if turn.starts <= at < turn.ends]

    def _turns_on(self, shift: Shift, day: date) -> Iterator[Turn]:
        """The turn that starts on `day`, where there is one, and somebody of the registry serves it."""
        if not starts_on(shift, day, day in self._holidays):
            return
        member = self._swaps.get((shift.id, day), shift.member)
        if member in self._members:
            starts, ends = span(shift, day, self._tz)
            yield Turn(shift, day, member, starts, ends)


def starts_on(shift: Shift, day: date, holiday: bool) -> bool:
    """Whether the shift starts on `day`."""
    if shift.dates:
        return day in shift.dates
    if (shift.weekdays and day.isoweekday() not in shift.weekdays) or day in shift.except_on:
        return False
    if (shift.since and day < shift.since) or (shift.until and day > shift.until):
        return False
    return shift.holidays is OnHolidays.ALSO or holiday == (shift.holidays is OnHolidays.ONLY)


@lru_cache(maxsize=4096)
def span(shift: Shift, day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until when (UTC) the shift goes on that starts on `day`, its hand-over with it; the end not after the start: not at all.

    Its start and end are times on the wall: on the day the clocks change, it is as much longer or shorter. The hand-over is so
    many minutes, whatever the clocks do.
    """
    overnight = shift.ends <= shift.starts
    starts = _moment(datetime.combine(day, shift.starts), tz)
    ends = _moment(datetime.combine(day + timedelta(days=overnight), shift.ends), tz)
    return starts, ends + timedelta(minutes=shift.hand_over) if ends > starts else ends


def _moment(wall: datetime, tz: ZoneInfo) -> datetime:
    """The instant of a wall time: of two the first; of one that a clock change skips, as long after the change as it says.

    Whatever the clocks do, a shift that ends when another starts leaves no minute between them.
    """
    return wall.replace(tzinfo=tz).astimezone(UTC)
