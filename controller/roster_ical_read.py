"""The events of a calendar as the roster can say them: times on the district's clock, a rule as weekdays or dates; else a fault with its place."""

import hashlib
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event

from controller.errors import BadConfig
from controller.messages import NAME_PATTERN
from controller.registry import Member, Registry, Role

DATES_MAX: Final = 366
"""So many single dates a rule that is no weekly pattern may come to."""
_DAYS: Final = {"MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6, "SU": 7}
_DAY: Final = timedelta(days=1)
_PATTERN: Final = frozenset({"FREQ", "BYDAY", "UNTIL", "COUNT", "WKST", "INTERVAL"})


class Wanted(NamedTuple):
    """What an event means that says nothing itself."""

    role: Role | None = None
    blocks: tuple[str, ...] = ()


class Rule(NamedTuple):
    """On which days an event starts: single dates alone, or a weekly pattern, what it leaves out, and dates besides."""

    dates: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = ()
    since: date | None = None
    until: date | None = None
    except_on: tuple[date, ...] = ()
    besides: tuple[date, ...] = ()


class Faulty:
    """Every fault of one calendar."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.found: list[str] = []

    def add(self, place: str, found: str, expected: str, do: str) -> None:
        """Name one."""
        self.found.append(f"{self._where}, {place}: {found}; expected {expected}; {do}")

    def raise_all(self) -> None:
        """Raise BadConfig when there are any."""
        if self.found:
            raise BadConfig(self.found)

    def events(self, text: bytes, tz: ZoneInfo) -> "list[Occasion]":
        """The events whose times can be read. Raises BadConfig when it is no calendar."""
        try:
            calendar = Calendar.from_ical(text)
        except (ValueError, IndexError, KeyError) as fault:
            raise BadConfig([f"{self._where}: no iCalendar file ({str(fault)[:100]}); expected BEGIN:VCALENDAR and what follows; "
                             "export it again"]) from fault
        found: list[Occasion] = []
        for number, part in enumerate((one for one in calendar.subcomponents if one.name != "VTIMEZONE"), 1):
            if not isinstance(part, Event):
                self.add(f"part {number}", f"found {part.name}", "events (VEVENT) alone", "remove it")
                continue
            one = occasion(part, number, tz, self)
            if one is not None:
                found.append(one)
        return found


class Occasion:
    """One event. starts, ends: on the district's clock, without a zone; instead_of: which of its rule's beginnings it stands for."""

    def __init__(self, event: Event, number: int, tz: ZoneInfo, faults: Faulty) -> None:
        self._event = event
        self._faults = faults
        self._number = number
        self.tz = tz
        self.uid = str(event.get("uid", ""))
        self.starts = self.ends = datetime.min  # noqa: DTZ901 (filled in below)
        self.instead_of: datetime | None = None
        self.all_day = False

    @property
    def cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.text("status").upper() == "CANCELLED"

    def fault(self, name: str, found: str, expected: str, do: str) -> None:
        """Name what is wrong with one of its properties."""
        self._faults.add(f"event {self._number} ({self.uid[:60] or 'no UID'}), {name}", found, expected, do)

    def get(self, name: str) -> Any:  # noqa: ANN401 (whatever the library makes of it)
        """A property; None: it has none."""
        return self._event.get(name)

    def text(self, name: str) -> str:
        """A property as text."""
        value = self._event.get(name)
        return str(value).strip() if value is not None else ""

    def attendee(self, registry: Registry) -> str:
        """The member whose call sign its one attendee bears; empty: it has none; a call sign of nobody is given back as it is."""
        found = self._event.get("attendee")
        people = [] if found is None else found if isinstance(found, list) else [found]
        names = [str(one.params.get("CN", one)) for one in people]
        if not names:
            return ""
        return next((member.id for member in registry.members.values() if member.call_sign in names), names[0])

    def local(self, value: date | datetime, name: str, *, recurring: bool) -> datetime:
        """A time of the calendar on the district's clock. A rule in another zone's time moves against it twice a year: refused."""
        if not isinstance(value, datetime):
            return datetime.combine(value, time())
        if value.tzinfo is None:
            return value
        if recurring and str(value.tzinfo) != self.tz.key:
            self.fault(name, f"found a rule in the time of {value.tzinfo}", f"one in that of {self.tz.key}", "set the event's time zone")
        return value.astimezone(self.tz).replace(tzinfo=None)

    def days(self, name: str) -> Iterator[datetime | date]:
        """What a property with dates lists."""
        found = self._event.get(name)
        for several in [] if found is None else found if isinstance(found, list) else [found]:
            for one in several.dts:
                yield one.dt


def occasion(event: Event, number: int, tz: ZoneInfo, faults: Faulty) -> Occasion | None:
    """The event with its times; None when they cannot be read, or are none of a shift's."""
    one = Occasion(event, number, tz, faults)
    start, end = event.get("dtstart"), event.get("dtend")
    if not one.uid or start is None:
        one.fault("UID" if not one.uid else "DTSTART", "found none", "one", "add it")
        return None
    recurring = event.get("rrule") is not None
    one.all_day = not isinstance(start.dt, datetime)
    one.starts = one.local(start.dt, "DTSTART", recurring=recurring)
    length = event.get("duration")
    if end is not None:
        one.ends = one.local(end.dt, "DTEND", recurring=False)
    elif length is not None:
        one.ends = one.local(start.dt + length.dt, "DTEND", recurring=False)
    else:
        one.ends = one.starts + _DAY if one.all_day else one.starts
    whole_days = one.all_day and not recurring and one.ends - one.starts > _DAY
    if not timedelta() < one.ends - one.starts <= _DAY and not whole_days:
        one.fault("DTEND", f"found {one.ends - one.starts} after the beginning", "more than nothing, and at most 24 hours", "make it several events")
        return None
    if one.starts.second or one.ends.second:
        one.fault("DTSTART", f"found {one.starts.time()} to {one.ends.time()}", "whole minutes", "correct it")
    instead = event.get("recurrence-id")
    if instead is not None:
        if "RANGE" in instead.params:
            one.fault("RECURRENCE-ID", "found RANGE", "one day", "end the rule with UNTIL, and begin another event")
        one.instead_of = one.local(instead.dt, "RECURRENCE-ID", recurring=False)
        if one.all_day or not isinstance(instead.dt, datetime):
            one.instead_of = datetime.combine(one.instead_of, one.starts.time() if not isinstance(instead.dt, datetime) else one.instead_of.time())
    return one


def only(event: Occasion, name: str, allowed: Collection[str], otherwise: str) -> str:
    """A property that is one of these words."""
    found = event.text(name) or otherwise
    if found not in allowed:
        event.fault(name.upper(), f"found {found!r}", f"one of {', '.join(allowed)}", "correct it")
        return otherwise
    return found


def shift_id(event: Occasion, registry: Registry, member: Member) -> str:
    """The shift that an event is: the one that it names, unless that is somebody else's; else one that is always the same for its UID."""
    named = event.text("x-cuadra-shift")
    owner = next((shift.member for shift in registry.shifts if shift.id == named), member.id)
    if named and NAME_PATTERN.match(named) and owner == member.id:
        return named
    return "i" + hashlib.sha256(f"{member.id} {event.uid}".encode()).hexdigest()[:11]


def rule(event: Occasion, holidays: Collection[date]) -> Rule:
    """On which days the event starts. holidays: days that its shift leaves out by itself."""
    besides = tuple(sorted({event.local(one, "RDATE", recurring=False).date() for one in event.days("rdate")}))
    said = event.get("rrule")
    if said is None:
        first = event.starts.date()
        last = (event.ends - timedelta(seconds=1)).date() if event.all_day else first
        return Rule(dates=tuple(sorted({*besides, *(first + n * _DAY for n in range((last - first).days + 1))})))
    if isinstance(said, list):
        event.fault("RRULE", f"found {len(said)} of them", "one", "make it several events")
        return Rule(dates=(event.starts.date(),))
    parts = {str(name).upper(): value for name, value in said.items()}
    off = _off(event)
    weekly = _weekly(event, parts)
    if weekly is not None:
        until = _until(event, parts)
        if "COUNT" in parts:
            until = _listed(event, parts)[-1]
        return Rule(weekdays=weekly, since=event.starts.date(), until=until, except_on=tuple(sorted(off.difference(holidays))), besides=besides)
    if "COUNT" not in parts and "UNTIL" not in parts:
        event.fault("RRULE", f"found {said.to_ical().decode()}", "every day, days of the week, or a rule that ends (UNTIL, COUNT)",
                    "make it one of these")
        return Rule(dates=(event.starts.date(),))
    found = _listed(event, parts)
    if len(found) > DATES_MAX:
        event.fault("RRULE", f"found more than {DATES_MAX} dates", f"a rule of days of the week, or at most {DATES_MAX} dates", "end it sooner")
    return Rule(dates=tuple(sorted({*found, *besides} - off)))


def _weekly(event: Occasion, parts: dict[str, Any]) -> tuple[int, ...] | None:
    """The weekdays of a weekly or daily rule, none for every day; None: it is another rule."""
    days = [str(day).upper() for day in parts.get("BYDAY", ())]
    kind = str(parts["FREQ"][0]).upper()
    if kind not in {"DAILY", "WEEKLY"} or not set(parts) <= _PATTERN or parts.get("INTERVAL", [1])[0] != 1 or not set(days) <= set(_DAYS):
        return None
    weekdays = tuple(sorted(_DAYS[day] for day in days)) or ((event.starts.isoweekday(),) if kind == "WEEKLY" else ())
    if weekdays and event.starts.isoweekday() not in weekdays:
        event.fault("DTSTART", f"found a day that is none of {', '.join(days)}", "the first day of the rule", "begin it on one of them")
    return () if len(weekdays) == 7 else weekdays


def _until(event: Occasion, parts: dict[str, Any]) -> date | None:
    """The last day on which it starts."""
    if "UNTIL" not in parts:
        return None
    last = parts["UNTIL"][0]
    if not isinstance(last, datetime):
        return last if isinstance(last, date) else None
    local = event.local(last, "RRULE", recurring=False)
    return local.date() if local.time() >= event.starts.time() else local.date() - _DAY


def _listed(event: Occasion, parts: dict[str, Any]) -> list[date]:
    """The days of a rule that ends."""
    last = _until(event, parts)
    rest = ";".join(f"{name}={','.join(str(one) for one in value)}" for name, value in parts.items() if name not in {"UNTIL", "COUNT"})
    listed = (moment.date() for moment in rrulestr(f"RRULE:{rest}", dtstart=event.starts))
    count = int(parts["COUNT"][0]) if "COUNT" in parts else DATES_MAX * 20
    found: list[date] = []
    for day in islice(listed, count):
        if (last and day > last) or ("COUNT" not in parts and len(found) > DATES_MAX):
            break
        found.append(day)
    return found or [event.starts.date()]


def _off(event: Occasion) -> set[date]:
    """The days that it leaves out: an exception at another time of day than its beginning excepts nothing."""
    off: set[date] = set()
    for one in event.days("exdate"):
        at = event.local(one, "EXDATE", recurring=False)
        if not isinstance(one, datetime) or at.time() == event.starts.time():
            off.add(at.date())
    return off
