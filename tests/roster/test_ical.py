"""Shifts as calendars: what goes out comes back the same; what calendars of other programs say is understood, or refused with its place."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from msgspec import structs

from controller.errors import BadConfig
from controller.registry import Holiday, OnHolidays, Registry, Role, Shift, Swap
from controller.roster_ical import Read, export, read
from controller.roster_ical_read import Wanted
from controller.rules.roster import Roster
from tests.rules.night import member, registry

NOW = datetime(2026, 7, 20, 15, tzinfo=UTC)
HOLIDAYS = (Holiday(date(2026, 7, 28), "Fiestas Patrias"), Holiday(date(2026, 7, 29), "Fiestas Patrias"))
PEOPLE = [member("rosa", Role.PATROL, Role.REPRESENTATIVE), member("juan", Role.PATROL), member("caro", Role.COORDINATOR)]
NIGHT = Shift("s1", "z3", "rosa", Role.PATROL, time(22), time(6), weekdays=(1, 2, 3), blocks=("b12",), hand_over=15)


def network(*shifts: Shift, swaps: tuple[Swap, ...] = (), timezone: str = "America/Lima") -> Registry:
    return structs.replace(registry(members=PEOPLE, shifts=shifts, timezone=timezone), swaps=swaps, holidays=HOLIDAYS)


def taken(feed: bytes, found: Registry) -> Read:
    return read(feed, found, found.members["rosa"], Wanted(Role.PATROL), "rosa.ics")


def again(found: Registry) -> Registry:
    """The registry after rosa's feed came back in."""
    came = taken(export(found, "rosa", NOW), found)
    others = tuple(shift for shift in found.shifts if shift.member != "rosa")
    return structs.replace(found, shifts=(*others, *came.shifts), swaps=came.swaps)


def calendar(*events: str) -> bytes:
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//ES"]
    for event in events:
        parts += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*parts, "END:VCALENDAR", ""]).encode()


WEEKLY = "UID:a1\nDTSTART;TZID=America/Lima:20260720T220000\nDTEND;TZID=America/Lima:20260721T060000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"


# --- out and in again

@pytest.mark.parametrize("shift", [
    NIGHT, structs.replace(NIGHT, weekdays=()), structs.replace(NIGHT, weekdays=(), starts=time(8), ends=time(8)),
    structs.replace(NIGHT, since=date(2026, 1, 5), until=date(2026, 12, 30), except_on=(date(2026, 7, 27), date(2026, 8, 3))),
    structs.replace(NIGHT, holidays=OnHolidays.NOT), structs.replace(NIGHT, weekdays=(), dates=(date(2026, 7, 28), date(2026, 12, 24))),
])
def test_a_shift_that_went_out_comes_back_as_it_was(shift: Shift) -> None:
    assert taken(export(network(shift), "rosa", NOW), network(shift)) == Read((shift,), ())


def test_one_for_holidays_alone_comes_back_as_their_dates() -> None:
    [shift] = taken(export(network(structs.replace(NIGHT, weekdays=(), holidays=OnHolidays.ONLY)), "rosa", NOW), network(NIGHT)).shifts
    assert (shift.dates, shift.holidays) == ((date(2026, 7, 28), date(2026, 7, 29)), OnHolidays.ALSO)


def test_a_swap_shows_in_both_members_calendars_and_comes_back() -> None:
    swap = Swap("w1", "z3", "s1", date(2026, 7, 27), "juan")
    found = network(NIGHT, swaps=(swap,))
    own = Calendar.from_ical(export(found, "rosa", NOW))
    assert [str(event.get("status", "")) for event in own.events] == ["", "CANCELLED"]
    [turn] = Calendar.from_ical(export(found, "juan", NOW)).events
    assert turn.start == datetime(2026, 7, 27, 22, tzinfo=found.district.tz)
    assert taken(export(found, "rosa", NOW), found) == Read((NIGHT,), (swap,))
    assert read(export(found, "juan", NOW), found, found.members["juan"], Wanted(), "juan.ics") == Read((), ()), "the shift is rosa's"


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
days = st.dates(date(2026, 7, 20), date(2026, 8, 20))


@given(
    st.builds(
        Shift, st.just("s1"), st.just("z3"), st.just("rosa"), st.just(Role.PATROL), clocks, clocks,
        st.sets(st.integers(1, 7), max_size=6).map(lambda some: tuple(sorted(some))), st.sampled_from([(), ("b12",)]), st.none() | days,
        st.none() | st.dates(date(2026, 8, 1), date(2026, 9, 30)), st.just(()), st.sets(days, max_size=3).map(lambda some: tuple(sorted(some))),
        st.sampled_from(list(OnHolidays)), st.sampled_from([0, 30]),
    ),
    st.sampled_from(["America/Lima", "Europe/Madrid", "America/Santiago", "Australia/Lord_Howe"]),
)
@settings(max_examples=60, deadline=None)
def test_whoever_was_on_duty_is_on_duty_after_the_way_through_a_calendar(shift: Shift, timezone: str) -> None:
    found = network(shift, timezone=timezone)
    from_ms, to_ms = (int(datetime(2026, month, 21, tzinfo=UTC).timestamp() * 1000) for month in (7, 10))
    before = [(turn.starts, turn.ends, turn.member, turn.shift.blocks) for turn in Roster(found).turns(from_ms, to_ms)]
    after = [(turn.starts, turn.ends, turn.member, turn.shift.blocks) for turn in Roster(again(found)).turns(from_ms, to_ms)]
    assert after == before


def test_the_calendar_holds_nobody_s_name_or_number() -> None:
    feed = export(network(NIGHT), "rosa", NOW).decode()
    assert "SUMMARY:Turno de ronda" in feed
    assert "BEGIN:VTIMEZONE" in feed
    assert "p-" not in feed


# --- from other programs

def test_a_weekly_rule_with_exceptions_and_a_moved_day() -> None:
    read_in = taken(calendar(
        WEEKLY + ";UNTIL=20260901T030000Z\nEXDATE;TZID=America/Lima:20260722T220000,20260729T210000",
        "UID:a1\nRECURRENCE-ID;TZID=America/Lima:20260727T220000\nDTSTART;TZID=America/Lima:20260727T200000\nDURATION:PT4H",
        "UID:a1\nRECURRENCE-ID;TZID=America/Lima:20260803T220000\nDTSTART;TZID=America/Lima:20260803T220000\n"
        "DTEND;TZID=America/Lima:20260804T060000\nATTENDEE;CN=Juan:mailto:juan@example.org",
    ), network(NIGHT))
    main, moved = read_in.shifts
    assert (main.weekdays, main.since, main.until) == ((1, 3), date(2026, 7, 20), date(2026, 8, 31))
    assert main.except_on == (date(2026, 7, 22), date(2026, 7, 27)), "the exception at another hour excepts nothing"
    assert (moved.dates, moved.starts, moved.ends) == ((date(2026, 7, 27),), time(20), time(0))
    assert [(swap.shift, swap.day, swap.member) for swap in read_in.swaps] == [(main.id, date(2026, 8, 3), "juan")]


@pytest.mark.parametrize(("event", "dates"), [
    ("UID:b\nDTSTART:20260728T220000\nDTEND:20260729T060000", ["2026-07-28"]),
    ("UID:b\nDTSTART:20260729T030000Z\nDURATION:PT8H", ["2026-07-28"]),
    ("UID:b\nDTSTART;VALUE=DATE:20260728\nDTEND;VALUE=DATE:20260730", ["2026-07-28", "2026-07-29"]),
    ("UID:b\nDTSTART:20260728T220000\nDTEND:20260729T060000\nRRULE:FREQ=MONTHLY;COUNT=3", ["2026-07-28", "2026-08-28", "2026-09-28"]),
    ("UID:b\nDTSTART:20260728T220000\nDTEND:20260729T060000\nRRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260802T000000",
     ["2026-07-28", "2026-07-30", "2026-08-01"]),
    ("UID:b\nDTSTART:20260728T220000\nDTEND:20260729T060000\nRDATE:20260731T220000", ["2026-07-28", "2026-07-31"]),
])
def test_what_is_no_weekly_pattern_becomes_its_dates(event: str, dates: list[str]) -> None:
    [shift] = taken(calendar(event), network(NIGHT)).shifts
    assert [str(day) for day in shift.dates] == dates


def test_a_count_ends_the_pattern_on_its_last_day() -> None:
    [shift] = taken(calendar(WEEKLY + ";COUNT=4"), network(NIGHT)).shifts
    assert (shift.since, shift.until) == (date(2026, 7, 20), date(2026, 7, 29))


def test_the_same_calendar_again_is_the_same_shift() -> None:
    first, second = (taken(calendar(WEEKLY), network(NIGHT)).shifts for _ in range(2))
    assert first == second
    assert first[0].id != "s1"


def test_an_event_that_names_somebody_else_s_shift_is_not_that_shift() -> None:
    theirs = structs.replace(NIGHT, member="juan")
    [shift] = taken(calendar(WEEKLY + "\nX-CUADRA-SHIFT:s1"), network(theirs)).shifts
    assert shift.id != "s1"


REFUSED = [
    (WEEKLY.replace("WEEKLY;BYDAY=MO,WE", "MONTHLY"), "event 1 (a1), RRULE: found FREQ=MONTHLY; expected every day, days of the week, or a rule"),
    (WEEKLY.replace("America/Lima", "Europe/Madrid"), "event 1 (a1), DTSTART: found a rule in the time of Europe/Madrid; expected one in"),
    (WEEKLY.replace("BYDAY=MO,WE", "BYDAY=TU"), "event 1 (a1), DTSTART: found a day that is none of TU"),
    (WEEKLY.replace("20260721T060000", "20260722T060000"), "event 1 (a1), DTEND: found 1 day, 8:00:00 after the beginning; expected more"),
    (WEEKLY.replace("20260721T060000", "20260720T220000"), "event 1 (a1), DTEND: found 0:00:00 after the beginning"),
    (WEEKLY.replace("T220000", "T220030"), "event 1 (a1), DTSTART: found 22:00:30 to 06:00:00; expected whole minutes"),
    (WEEKLY.replace("UID:a1", "SUMMARY:x"), "event 1 (no UID), UID: found none"),
    (WEEKLY + "\nX-CUADRA-ROLE:coordinator", "event 1 (a1), X-CUADRA-ROLE: found coordinator; expected one of"),
    (WEEKLY + "\nX-CUADRA-BLOCKS:b99", "event 1 (a1), X-CUADRA-BLOCKS: found 'b99'; expected blocks of zone z3"),
    (WEEKLY + "\nX-CUADRA-HAND-OVER:900", "event 1 (a1), X-CUADRA-HAND-OVER: found '900'; expected minutes from 0 to 240"),
    ("UID:a1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260727T220000\nDTSTART:20260727T220000\nDURATION:PT1H", "RECURRENCE-ID: found RANGE; expected one"),
    ("UID:a1\nRECURRENCE-ID:20260728T220000\nDTSTART:20260728T220000\nDURATION:PT1H", "RECURRENCE-ID: found 2026-07-28 22:00:00; expected the"),
]


@pytest.mark.parametrize(("event", "said"), REFUSED)
def test_what_the_roster_cannot_say_is_refused_with_its_place(event: str, said: str) -> None:
    with pytest.raises(BadConfig) as refused:
        taken(calendar(event), network(NIGHT))
    assert any(fault.startswith("rosa.ics, ") and said in fault for fault in refused.value.faults), refused.value.faults


def test_a_swap_with_somebody_who_is_none_of_that_role_is_refused() -> None:
    by = ("UID:a1\nRECURRENCE-ID;TZID=America/Lima:20260803T220000\nDTSTART;TZID=America/Lima:20260803T220000\n"
          "DTEND;TZID=America/Lima:20260804T060000\nATTENDEE;CN=Caro:mailto:caro@example.org")
    with pytest.raises(BadConfig, match="ATTENDEE: found 'caro'; expected a member of zone z3 who is patrol"):
        taken(calendar(WEEKLY, by), network(NIGHT))


def test_what_is_no_event_and_what_is_no_calendar_is_refused() -> None:
    todo = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    with pytest.raises(BadConfig, match="part 1: found VTODO; expected events"):
        taken(todo, network(NIGHT))
    with pytest.raises(BadConfig, match="no iCalendar file"):
        taken(b"id,member\n", network(NIGHT))
