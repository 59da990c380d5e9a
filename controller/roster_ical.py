"""A member's shifts as a calendar (iCalendar, RFC 5545): what a phone subscribes to, and what comes back from one.

Out: each shift is an event with its rule; who serves it on a swapped day stands in that day's event. In: events become shifts, single
dates, days off and swaps; what the roster cannot say is refused, with its place. Properties that begin with X-CUADRA carry what a
calendar has no word for; a calendar without them is read all the same.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from icalendar import Calendar, Event
from msgspec import structs

from controller import texts
from controller.registry import HAND_OVER_MAX, Member, OnHolidays, Registry, Role, Shift, Swap
from controller.roster_ical_read import Faulty, Occasion, Wanted, only, rule, shift_id
from controller.rules.roster import starts_on

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PRODUCT: Final = "-//Cuadra//roster//ES"


class Read(NamedTuple):
    """What a calendar says: shifts and swaps, each to be added, or to take the place of the one with its id."""

    shifts: tuple[Shift, ...]
    swaps: tuple[Swap, ...]


def export(registry: Registry, member: str, at: datetime) -> bytes:
    """The calendar of a member's shifts, and of those that they serve for others. at: the time at which it is written."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Cuadra {registry.members[member].call_sign}")
    for shift in registry.shifts:
        swaps = [swap for swap in registry.swaps if swap.shift == shift.id]
        if shift.member == member:
            for event in _events(registry, shift, swaps, at):
                calendar.add_component(event)
        for swap in swaps:
            if swap.member == member:
                calendar.add_component(_turn(registry, shift, swap, at))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _events(registry: Registry, shift: Shift, swaps: Iterable[Swap], at: datetime) -> Iterator[Event]:
    """The shift's event, and one for each day on which another serves it."""
    tz = registry.district.tz
    holidays = {holiday.day for holiday in registry.holidays}
    dated = bool(shift.dates) or shift.holidays is OnHolidays.ONLY
    days = [day for day in sorted(shift.dates or holidays) if starts_on(shift, day, day in holidays)] if dated else []
    first = next(iter(days), None) if dated else _first_day(shift, at.astimezone(tz).date())
    if first is None:
        return
    event = _event(registry, shift, first, at)
    event.add("uid", _uid(registry, shift.id))
    if days:
        if days[1:]:
            event.add("rdate", [datetime.combine(day, shift.starts, tz) for day in days[1:]])
    else:
        pattern: dict[str, Any] = {"freq": "weekly", "byday": [WEEKDAYS[day - 1] for day in shift.weekdays]} if shift.weekdays else {"freq": "daily"}
        if shift.until:
            pattern["until"] = datetime.combine(shift.until, shift.starts, tz).astimezone(UTC)
        event.add("rrule", pattern)
        off = [day for day in sorted({*shift.except_on, *(holidays if shift.holidays is OnHolidays.NOT else ())}) if _in_pattern(shift, first, day)]
        if off:
            event.add("exdate", [datetime.combine(day, shift.starts, tz) for day in off])
    yield event
    for swap in swaps:
        away = _event(registry, shift, swap.day, at)
        away.add("uid", _uid(registry, shift.id))
        away.add("recurrence-id", datetime.combine(swap.day, shift.starts, tz))
        away.add("status", "CANCELLED")
        away.add("x-cuadra-member", swap.member)
        away.add("x-cuadra-swap", swap.id)
        yield away


def _turn(registry: Registry, shift: Shift, swap: Swap, at: datetime) -> Event:
    event = _event(registry, shift, swap.day, at)
    event.add("uid", _uid(registry, swap.id))
    event.add("x-cuadra-swap", swap.id)
    event.add("x-cuadra-member", swap.member)
    return event


def _event(registry: Registry, shift: Shift, day: date, at: datetime) -> Event:
    tz = registry.district.tz
    words = texts.catalogue(_language(registry, shift.member))
    event = Event()
    event.add("summary", f"{words['subject.roster'].capitalize()} {words[f'role.{shift.role}']}")
    if shift.blocks:
        event.add("location", ", ".join(registry.blocks[block].name for block in shift.blocks if block in registry.blocks))
    event.add("dtstamp", at.astimezone(UTC))
    event.add("dtstart", datetime.combine(day, shift.starts, tz))
    event.add("dtend", datetime.combine(day + timedelta(days=shift.ends <= shift.starts), shift.ends, tz))
    event.add("x-cuadra-shift", shift.id)
    event.add("x-cuadra-role", shift.role.value)
    for name, value in (("blocks", " ".join(shift.blocks)), ("hand-over", str(shift.hand_over or "")),
                        ("holidays", shift.holidays.value if shift.holidays is OnHolidays.NOT else ""),
                        ("since", "" if shift.since or shift.dates else "open")):
        if value:
            event.add(f"x-cuadra-{name}", value)
    return event


def _language(registry: Registry, member: str) -> str:
    language = registry.members[member].language if member in registry.members else texts.FALLBACK
    return language if language in texts.LANGUAGES else texts.FALLBACK


def _uid(registry: Registry, ident: str) -> str:
    return f"{ident}@{registry.zone.id}.{registry.district.id}"


def _first_day(shift: Shift, today: date) -> date | None:
    """The first day on which it starts, of a pattern without a beginning from today or its first exception; None: never."""
    first = shift.since or min([today, *shift.except_on])
    days = (first + timedelta(days=n) for n in range(7))
    return next((day for day in days if (not shift.weekdays or day.isoweekday() in shift.weekdays) and not (shift.until and day > shift.until)), None)


def _in_pattern(shift: Shift, first: date, day: date) -> bool:
    return first <= day <= (shift.until or day) and (not shift.weekdays or day.isoweekday() in shift.weekdays)


def read(text: bytes, registry: Registry, member: Member, wanted: Wanted, where: str) -> Read:
    """What the calendar says of `member`'s shifts. wanted: what events without a word of Cuadra's mean. where: begins each fault.

    Raises BadConfig with every fault: the event, the property, what was found, what was expected, what to do.
    """
    faults = Faulty(where)
    occasions = faults.events(text, registry.district.tz)
    shifts: dict[str, Shift] = {}
    swaps: dict[str, Swap] = {}
    theirs = {swap.id for swap in registry.swaps if swap.member == member.id}
    for event in occasions:
        if event.text("x-cuadra-swap") in theirs and event.instead_of is None:
            # A turn that they serve for another: the shift is not theirs.
            continue
        if event.instead_of is None:
            for shift in _shifts(event, registry, member, wanted):
                shifts[shift.id] = shift
    for event in occasions:
        if event.instead_of is not None:
            _instead(event, registry, member, shifts, swaps)
    faults.raise_all()
    return Read(tuple(shifts.values()), tuple(swaps.values()))


def _shifts(event: Occasion, registry: Registry, member: Member, wanted: Wanted) -> Iterator[Shift]:
    """The shift of an event; a second one for dates beside its rule."""
    base = _base(event, registry, member, wanted)
    holidays = {holiday.day for holiday in registry.holidays}
    found = rule(event, holidays if base.holidays is OnHolidays.NOT else set())
    if found.dates:
        yield structs.replace(base, dates=found.dates, holidays=OnHolidays.ALSO)
        return
    since = None if event.text("x-cuadra-since") == "open" else found.since
    yield structs.replace(base, weekdays=found.weekdays, since=since, until=found.until, except_on=found.except_on)
    if found.besides:
        yield structs.replace(base, id=f"{base.id[:30]}-r", dates=found.besides, holidays=OnHolidays.ALSO)


def _base(event: Occasion, registry: Registry, member: Member, wanted: Wanted) -> Shift:
    """The shift without its days."""
    roles = {role.value: role for role in Role}
    named = event.text("x-cuadra-role")
    role = roles.get(named) if named else wanted.role
    if role is None or role not in member.roles:
        event.fault("X-CUADRA-ROLE" if named else "role", f"found {named or 'none'}", f"one of {', '.join(member.roles)}",
                    "correct it, or give --role")
        role = member.roles[0]
    blocks = tuple(sorted(event.text("x-cuadra-blocks").split())) or wanted.blocks
    for block in blocks:
        if block not in registry.blocks:
            event.fault("X-CUADRA-BLOCKS", f"found {block!r}", f"blocks of zone {registry.zone.id}", "correct it")
    minutes = event.text("x-cuadra-hand-over") or "0"
    if not (minutes.isdigit() and int(minutes) <= HAND_OVER_MAX):
        event.fault("X-CUADRA-HAND-OVER", f"found {minutes!r}", f"minutes from 0 to {HAND_OVER_MAX}", "correct it")
        minutes = "0"
    holidays = only(event, "x-cuadra-holidays", [OnHolidays.ALSO, OnHolidays.NOT], OnHolidays.ALSO)
    return Shift(shift_id(event, registry, member), registry.zone.id, member.id, role, event.starts.time(), event.ends.time(), blocks=blocks,
                 holidays=OnHolidays(holidays), hand_over=int(minutes))


def _instead(event: Occasion, registry: Registry, member: Member, shifts: dict[str, Shift], swaps: dict[str, Swap]) -> None:
    """An event for one day of a rule: another serves it, it is at another time, or it is not at all."""
    of = shift_id(event, registry, member)
    day = event.instead_of.date() if event.instead_of is not None else date.min
    main = shifts.get(of)
    holidays = {holiday.day for holiday in registry.holidays}
    if main is None or not starts_on(main, day, day in holidays) or (event.instead_of is not None and event.instead_of.time() != main.starts):
        event.fault("RECURRENCE-ID", f"found {event.instead_of}", "the beginning of one of its rule's days",
                    "correct it, or add the event with the rule")
        return
    by = event.text("x-cuadra-member") or event.attendee(registry)
    if by and by != member.id:
        if by not in registry.members or main.role not in registry.members[by].roles:
            event.fault("ATTENDEE" if not event.text("x-cuadra-member") else "X-CUADRA-MEMBER", f"found {by!r}",
                        f"a member of zone {registry.zone.id} who is {main.role}", "correct it")
            return
        ident = event.text("x-cuadra-swap") or f"{of[:20]}-{day:%Y%m%d}"
        swaps[ident] = Swap(ident, registry.zone.id, of, day, by)
        return
    if main.dates:
        shifts[of] = structs.replace(main, dates=tuple(one for one in main.dates if one != day))
        if not shifts[of].dates:
            del shifts[of]
    else:
        shifts[of] = structs.replace(main, except_on=tuple(sorted({*main.except_on, day})))
    if not event.cancelled:
        moved = structs.replace(main, id=f"{of[:23]}-{day:%Y%m%d}", weekdays=(), since=None, until=None, except_on=(), holidays=OnHolidays.ALSO,
                                starts=event.starts.time(), ends=event.ends.time(), dates=(event.starts.date(),))
        shifts[moved.id] = moved
