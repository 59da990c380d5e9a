"""Who is on duty for a block at a moment."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controller.registry import Registry, Role, Shift

WHOLE_ZONE: Final = ""
"""Stands where a block's id would."""


class Roster:
    """The shifts of one registry, by block: a press asks in the time its own block's shifts take, however large the zone is."""

    def __init__(self, registry: Registry) -> None:
        self._tz = registry.district.tz
        self._zone: list[Shift] = []
        self._blocks: dict[str, list[Shift]] = {}
        for shift in registry.shifts:
            if shift.member not in registry.members:
                continue
            for shifts in [self._blocks.setdefault(block, []) for block in shift.blocks] or [self._zone]:
                shifts.append(shift)
        self._minute = -1
        self._now: dict[str, list[Shift]] = {}

    def on_duty(self, block: str, roles: Collection[Role], at_ms: int) -> list[str]:
        """The members on a shift for `block` at `at_ms` (UTC) in one of `roles`, each once.

        Those whose shift names the block come before those of the whole zone; then by the order of `roles`, then by id.
        """
        if self._minute != at_ms // 60_000:
            # Shifts begin and end on the minute.
            self._minute = at_ms // 60_000
            self._now = {WHOLE_ZONE: self._going_on(self._zone, at_ms)}
        own = self._now.get(block)
        if own is None:
            own = self._now[block] = self._going_on(self._blocks.get(block, ()), at_ms)
        order = {role: place for place, role in enumerate(roles)}
        found: dict[str, tuple[int, int]] = {}
        for width, shifts in enumerate((own, self._now[WHOLE_ZONE])):
            for shift in shifts:
                if shift.role in order:
                    key = (width, order[shift.role])
                    if shift.member not in found or key < found[shift.member]:
                        found[shift.member] = key
        return sorted(found, key=lambda member: (found[member], member))

    def _going_on(self, shifts: Iterable[Shift], at_ms: int) -> list[Shift]:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        return [shift for shift in shifts if covers(shift, at, self._tz)]


def covers(shift: Shift, at: datetime, tz: ZoneInfo) -> bool:
    """Whether the shift is going on at `at`.

    Its start and end are times on the wall: on the day the clocks change, it is as much longer or shorter.
    """
    local = at.astimezone(tz)
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        if (shift.weekdays and day.isoweekday() not in shift.weekdays) or (shift.since and day < shift.since) or (shift.until and day > shift.until):
            continue
        overnight = shift.ends <= shift.starts
        starts = _moment(datetime.combine(day, shift.starts), tz)
        ends = _moment(datetime.combine(day + timedelta(days=overnight), shift.ends), tz)
        if starts <= at < ends:
            return True
    return False


def _moment(wall: datetime, tz: ZoneInfo) -> datetime:
    """The instant of a wall time: of two the first; of one that a clock change skips, as long after the change as it says.

    Whatever the clocks do, a shift that ends when another starts leaves no minute between them.
    """
    return wall.replace(tzinfo=tz).astimezone(UTC)
