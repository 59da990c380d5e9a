"""Who is on duty: against a slow reference that knows nothing but a wall clock, minute by minute, in any time zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from controller.registry import Holiday, OnHolidays, Registry, Role, Shift, Swap
from controller.rules.roster import Roster
from tests.rules.night import Night, always, member, registry

PATROLS = ("rosa", "juan", "ines")
MINUTE = timedelta(minutes=1)


def network(shifts: list[Shift], tz: str = "America/Lima", swaps: tuple[Swap, ...] = (), holidays: tuple[Holiday, ...] = ()) -> Registry:
    people = [member(name, Role.PATROL) for name in PATROLS]
    return structs.replace(registry(members=people, shifts=shifts, timezone=tz), swaps=swaps, holidays=holidays)


def on_duty(found: Registry, when: str) -> list[str]:
    at = datetime.fromisoformat(when).replace(tzinfo=found.district.tz)
    return Roster(found).on_duty("b12", [Role.PATROL], int(at.timestamp() * 1000))


# --- any shift, any zone, around any change of its clocks

@lru_cache(maxsize=600)
def changes(tz: str, year: int) -> tuple[date, ...]:
    """The days of a year on which a zone's clocks change; the first of January for one whose never do."""
    zone = ZoneInfo(tz)
    days = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    found = [later.date() for day, later in pairwise(days) if day.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()]
    return tuple(found) or (date(year, 1, 1),)


class WallClock:
    """A wall clock that was written down each minute for ten days."""

    def __init__(self, tz: str, around: date) -> None:
        zone = ZoneInfo(tz)
        self.first = datetime.combine(around - timedelta(days=6), time(), UTC)
        self.shows: dict[datetime, datetime] = {}
        """What the clock showed -> when it first did."""
        for n in range(10 * 24 * 60):
            at = self.first + n * MINUTE
            self.shows.setdefault(at.astimezone(zone).replace(tzinfo=None), at)

    def first_shows(self, wall: datetime) -> datetime:
        """When it first shows `wall`; what it skips comes as long after what it showed last as it says."""
        back = wall
        while back not in self.shows:
            back -= MINUTE
        return self.shows[back] + (wall - back)


def reference(found: Registry, clock: WallClock, around: date) -> list[tuple[datetime, datetime, str]]:
    """Every turn around a day, by trying every shift on every day."""
    turns = []
    for shift in found.shifts:
        for n in range(-4, 3):
            day = around + timedelta(days=n)
            holiday = day in [one.day for one in found.holidays]
            served = not shift.weekdays or day.weekday() + 1 in shift.weekdays
            served = served and (shift.since is None or shift.since <= day) and (shift.until is None or day <= shift.until)
            served = served and day not in shift.except_on
            served = served and {OnHolidays.ALSO: True, OnHolidays.NOT: not holiday, OnHolidays.ONLY: holiday}[shift.holidays]
            if shift.dates:
                served = day in shift.dates
            if not served:
                continue
            starts = clock.first_shows(datetime.combine(day, shift.starts))
            ends = clock.first_shows(datetime.combine(day + timedelta(days=shift.ends <= shift.starts), shift.ends))
            if starts < ends:
                member = next((one.member for one in found.swaps if (one.shift, one.day) == (shift.id, day)), shift.member)
                turns.append((starts, ends + shift.hand_over * MINUTE, member))
    return turns


clock_times = st.builds(time, st.sampled_from([*range(24), 0, 1, 1, 1, 2, 2, 2, 3, 23]), st.sampled_from([0, 1, 15, 30, 59]))


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Registry, str, date]:
    tz = draw(st.sampled_from(sorted(available_timezones())))
    around = draw(st.sampled_from(changes(tz, draw(st.integers(1975, 2036)))))
    near = st.integers(-2, 2).map(lambda n: around + timedelta(days=n))
    shifts = []
    for n, name in enumerate(draw(st.lists(st.sampled_from(PATROLS[:2]), min_size=1, max_size=3))):
        shift = Shift(
            f"s{n}", "z3", name, Role.PATROL, draw(clock_times), draw(clock_times), hand_over=draw(st.sampled_from([0, 0, 15, 240])),
            blocks=draw(st.sampled_from([(), ("b12",), ("b13",)])),
        )
        if draw(st.booleans()):
            shift = structs.replace(shift, dates=tuple(draw(st.sets(near, min_size=1, max_size=2))))
        else:
            shift = structs.replace(
                shift, weekdays=tuple(sorted(draw(st.sets(st.integers(1, 7), max_size=5)))),
                since=draw(st.none() | near), until=draw(st.none() | near),
                except_on=tuple(draw(st.sets(near, max_size=1))), holidays=draw(st.sampled_from(list(OnHolidays))),
            )
        shifts.append(shift)
    turns = draw(st.sets(st.tuples(st.sampled_from([shift.id for shift in shifts]), near), max_size=2))
    swaps = tuple(Swap(f"w{n}", "z3", shift, day, "ines") for n, (shift, day) in enumerate(sorted(turns)))
    holidays = tuple(Holiday(day, "Feriado") for day in draw(st.sets(near, max_size=2)))
    return network(shifts, tz, swaps, holidays), tz, around


@given(rosters(), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_in_every_time_zone_those_are_on_duty_whom_the_wall_clock_names(drawn: tuple[Registry, str, date], odd: int) -> None:
    found, tz, around = drawn
    roster = Roster(found)
    own = structs.replace(found, shifts=tuple(shift for shift in found.shifts if shift.blocks != ("b13",)))
    wanted = reference(own, WallClock(tz, around), around)
    begins = datetime.combine(around - timedelta(days=2), time(), UTC)
    regular = {begins + minute * MINUTE for minute in range(odd, 4 * 24 * 60, 10)}
    edges = {edge + n * MINUTE for starts, ends, _ in wanted for edge in (starts, ends) for n in (-1, 0)}
    for at in sorted(regular | {edge for edge in edges if begins <= edge < begins + timedelta(days=4)}):
        at_ms = int(at.timestamp() * 1000)
        here = roster.on_duty("b12", [Role.PATROL], at_ms)
        assert len(here) == len(set(here))
        assert set(here) == {member for starts, ends, member in wanted if starts <= at < ends}, at
    turns = roster.turns(int(begins.timestamp() * 1000), int((begins + timedelta(days=4)).timestamp() * 1000))
    assert sorted((turn.starts, turn.ends, turn.member) for turn in turns if turn.shift.blocks != ("b13",)) == sorted(
        turn for turn in wanted if turn[0] < begins + timedelta(days=4) and turn[1] > begins)


# --- what a committee writes down

NIGHT = Shift("s1", "z3", "rosa", Role.PATROL, time(22), time(6))


def test_a_single_date_is_no_pattern() -> None:
    found = network([structs.replace(NIGHT, dates=(date(2026, 7, 28), date(2026, 8, 30)))])
    assert [bool(on_duty(found, f"2026-{day} 23:00")) for day in ("07-27", "07-28", "07-29", "08-30")] == [False, True, False, True]
    assert on_duty(found, "2026-07-29 05:59") == ["rosa"]


def test_a_day_off_is_nobodys() -> None:
    found = network([structs.replace(NIGHT, except_on=(date(2026, 7, 28),))])
    assert [bool(on_duty(found, f"2026-07-{day} 23:00")) for day in (27, 28, 29)] == [True, False, True]


def test_who_swaps_serves_that_turn_whole_and_no_other() -> None:
    found = network([NIGHT], swaps=(Swap("w1", "z3", "s1", date(2026, 7, 28), "juan"),))
    assert on_duty(found, "2026-07-28 05:00") == ["rosa"]
    assert on_duty(found, "2026-07-28 22:00") == on_duty(found, "2026-07-29 05:59") == ["juan"]
    assert on_duty(found, "2026-07-29 22:00") == ["rosa"]


def test_a_shift_knows_the_districts_holidays() -> None:
    holidays = (Holiday(date(2026, 7, 28), "Fiestas Patrias"),)
    rule = {OnHolidays.ALSO: [True, True], OnHolidays.NOT: [True, False], OnHolidays.ONLY: [False, True]}
    for kind, wanted in rule.items():
        found = network([structs.replace(NIGHT, holidays=kind)], holidays=holidays)
        assert [bool(on_duty(found, f"2026-07-{day} 23:00")) for day in (27, 28)] == wanted


def test_at_the_hand_over_both_are_there() -> None:
    day = Shift("s2", "z3", "juan", Role.PATROL, time(6), time(14))
    found = network([structs.replace(NIGHT, hand_over=15), day])
    assert on_duty(found, "2026-07-28 05:59") == ["rosa"]
    assert on_duty(found, "2026-07-28 06:00") == on_duty(found, "2026-07-28 06:14") == ["juan", "rosa"]
    assert on_duty(found, "2026-07-28 06:15") == ["juan"]


def test_a_whole_day_and_its_hand_over_may_end_two_days_on() -> None:
    found = network([Shift("s1", "z3", "rosa", Role.PATROL, time(22), time(22), hand_over=240, dates=(date(2026, 7, 27),))])
    assert on_duty(found, "2026-07-29 01:59") == ["rosa"]
    assert on_duty(found, "2026-07-29 02:00") == []


# --- the change of shifts at night: the night begins at 21:14

def relieved(roles: Role = Role.PATROL) -> Night:
    """Rosa until 21:30, Juan from then on; the coordinator all the time."""
    people = [member("rosa", roles), member("juan", roles), member("caro", Role.COORDINATOR), member("desk", Role.POLICE_DESK, channels=("dc09",))]
    shifts = [Shift("s1", "z3", "rosa", roles, time(13), time(21, 30), hand_over=5), Shift("s2", "z3", "juan", roles, time(21, 30), time(6))]
    night = Night(registry(members=people, shifts=[*shifts, always("caro", Role.COORDINATOR)]))
    night.births("b12n1")
    night.all_read()
    return night


def test_who_comes_on_duty_is_told_once_of_what_nobody_has_taken() -> None:
    night = relieved()
    night.press("panic")
    night.passes(s=15 * 60)
    assert "alarm" in night.reads("rosa")
    assert night.reads("juan") == []
    night.passes(s=100)
    assert night.reads("juan") == ["alarm"]
    night.passes(s=60)
    assert "alarm" not in night.reads("juan")
    night.replies("juan", "1")
    night.passes(s=1)
    assert "taken" in night.reads("rosa"), "it is the same incident"


def test_who_comes_on_duty_hears_who_is_there_already() -> None:
    night = relieved()
    night.press("panic")
    night.passes(s=60)
    night.replies("rosa", "2")
    night.passes(s=20 * 60)
    assert night.reads("juan") == ["on_scene"]


def test_who_comes_on_duty_hears_nothing_of_what_is_over() -> None:
    night = relieved()
    night.press("panic")
    night.passes(s=60)
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    night.passes(s=20 * 60)
    assert night.reads("juan") == []


def test_after_a_restart_nobody_who_was_relieved_or_came_is_told_again() -> None:
    night = relieved()
    night.press("panic")
    night.passes(s=20 * 60)
    before = [notice.template for notice in night.notices() if notice.member == "juan"]
    night.zone = type(night.zone)("z3", night.registry, night.policy, night.zone.state)
    night.passes(s=60)
    assert [notice.template for notice in night.notices() if notice.member == "juan"] == before == ["alarm", *before[1:]]


def test_a_secret_is_handed_over_to_nobody_whom_its_button_excludes() -> None:
    people = [member("vera", Role.TRAINED_VIOLENCE), member("vilma", Role.TRAINED_VIOLENCE), member("max", Role.TRAINED_VIOLENCE, household="h1")]
    late = [Shift(f"s-{name}", "z3", name, Role.TRAINED_VIOLENCE, time(21, 16), time(6)) for name in ("vilma", "max")]
    night = Night(registry(members=people, shifts=[always("vera", Role.TRAINED_VIOLENCE), *late], excludes=["household:h1"]))
    night.births("b12n1")
    night.press("violence")
    night.passes(s=1)
    night.replies("vera", "2")
    night.passes(s=170)
    assert night.reads("vilma") == ["on_scene"]
    assert night.reads("max") == []
