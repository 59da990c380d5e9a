"""The rules' smaller parts: what a reply says, who is on duty when clocks change, codes and ids, and the words for all of it."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.registry import Role, Shift
from controller.rules import codes
from controller.rules.replying.replies import Word, read
from controller.rules.roster import Roster
from controller.texts import TEMPLATES
from tests.rules.night import SHIFTS, registry


@pytest.mark.parametrize(("text", "word", "code"), [
    ("1", Word.GO, ""), ("1 K7F3", Word.GO, "K7F3"), (" 1  k7f3 ", Word.GO, "K7F3"), ("voy", Word.GO, ""), ("Ya VOY!!", Word.GO, ""),
    ("k7f3 voy", Word.GO, "K7F3"), ("1 ya salgo para alla", Word.GO, ""), ("2", Word.ON_SCENE, ""), ("llegué", Word.ON_SCENE, ""),
    ("LLEGUE.", Word.ON_SCENE, ""), ("ya llegue\n", Word.ON_SCENE, ""), ("3", Word.FALSE, ""), ("Falsa alarma", Word.FALSE, ""),
    ("falsa K7F3", Word.FALSE, "K7F3"), ("4", Word.ARMED, ""), ("¡ARMAS!", Word.ARMED, ""), ("5", Word.OVER, ""), ("9", Word.HELP, ""),
    ("auxilio", Word.HELP, ""), ("0", Word.CANNOT, ""), ("no puedo", Word.CANNOT, ""), ("no voy", Word.CANNOT, ""),
    ("1 llego en 5 minutos", Word.GO, ""), ("3 falsa alarma k7f3", Word.FALSE, "K7F3"), ("0 no puedo ir", Word.CANNOT, ""),
    ("5 ya paso todo", Word.OVER, ""), ("2 ya llegué", Word.ON_SCENE, ""),
    # A digit that begins a sentence is a count, and danger is rather believed once too often.
    ("3 hombres en la esquina", Word.UNKNOWN, ""), ("3 hombres armados en la esquina", Word.ARMED, ""),
    ("5 ladrones adentro", Word.UNKNOWN, ""), ("2 heridos", Word.UNKNOWN, ""),
    ("1 no puedo ir", Word.UNKNOWN, ""), ("1 herido K7F3", Word.UNKNOWN, ""), ("4 tipos con pistola", Word.ARMED, ""),
    ("9 vengan rapido", Word.HELP, ""), ("1 2", Word.UNKNOWN, ""),
    ("", Word.UNKNOWN, ""), ("12", Word.UNKNOWN, ""), ("¿qué pasa?", Word.UNKNOWN, ""), ("10 soles", Word.UNKNOWN, ""),
])
def test_a_reply_is_read_as_people_write(text: str, word: Word, code: str) -> None:
    assert read(text)[:2] == (word, code)


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assert read(text).word in Word


# --- who is on duty

PAIRS = [("22:00", "06:00"), ("02:30", "14:30"), ("00:00", "12:00"), ("01:45", "02:15")]
CHANGES = [
    ("Europe/Madrid", "2026-03-29"), ("Europe/Madrid", "2026-10-25"), ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"), ("America/Santiago", "2026-09-06"), ("America/Lima", "2026-09-06"),
]


@pytest.mark.parametrize(("tz", "day"), CHANGES)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_who_relieve_each_other_cover_every_minute_once(tz: str, day: str, one: str, other: str) -> None:
    start, end = time.fromisoformat(one), time.fromisoformat(other)
    shifts = [Shift("s1", "z3", "rosa", Role.PATROL, start, end), Shift("s2", "z3", "juan", Role.PATROL, end, start)]
    roster = Roster(registry(shifts=shifts, timezone=tz))
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC) - timedelta(days=1)
    for minute in range(0, 2 * 24 * 60, 5):
        at_ms = int((noon + timedelta(minutes=minute)).timestamp() * 1000)
        assert len(roster.on_duty("b12", [Role.PATROL], at_ms)) == 1, noon + timedelta(minutes=minute)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}-05:00").timestamp() * 1000)


def test_a_night_shift_belongs_to_the_day_on_which_it_starts() -> None:
    friday = Shift("s", "z3", "rosa", Role.PATROL, time(22), time(6), weekdays=(5,), since=date(2026, 9, 25), until=date(2026, 9, 25))
    roster = Roster(registry(shifts=[friday]))
    assert [bool(roster.on_duty("b12", [Role.PATROL], at(when))) for when in (
        "2026-09-25T05:00", "2026-09-25T21:59", "2026-09-25T22:00", "2026-09-26T05:59", "2026-09-26T06:00", "2026-09-26T23:00", "2026-10-02T23:00",
    )] == [False, False, True, True, False, False, False]


def test_equal_times_are_a_whole_day() -> None:
    roster = Roster(registry(shifts=[Shift("s", "z3", "rosa", Role.PATROL, time(8), time(8), weekdays=(1,))]))
    assert [bool(roster.on_duty("b12", [Role.PATROL], at(when))) for when in (
        "2026-09-21T07:59", "2026-09-21T08:00", "2026-09-22T07:59", "2026-09-22T08:00")] == [False, True, True, False]


def test_the_blocks_own_come_first_then_the_order_of_the_roles_and_each_once() -> None:
    both = [*SHIFTS, Shift("twice", "z3", "juan", Role.REPRESENTATIVE, time(0), time(0))]
    roster = Roster(registry(shifts=both))
    assert roster.on_duty("b12", [Role.PATROL, Role.REPRESENTATIVE], at("2026-09-21T21:14")) == ["rosa", "elva", "juan"]
    assert roster.on_duty("b13", [Role.PATROL, Role.REPRESENTATIVE], at("2026-09-21T21:14")) == ["juan"]


# --- ids, codes, words


def test_thirty_days_of_codes_are_all_different_and_the_halves_apart() -> None:
    taken: dict[bool, set[str]] = {False: set(), True: set()}
    for n in range(20_000):
        secret = n % 4 == 0
        code = codes.incident_code(codes.incident_id("z3", "n1", "b", n), taken[secret], secret=secret)
        assert code not in taken[secret]
        assert not code.isdigit()
        assert read(f"1 {code}") == (Word.GO, code, False)
        taken[secret].add(code)
    assert not taken[False] & taken[True]


def test_an_incidents_id_is_its_first_press_and_nothing_else() -> None:
    ids = {codes.incident_id(zone, node, boot, seq) for zone in "ab" for node in "ab" for boot in "ab" for seq in (1, 2, 12)}
    assert len(ids) == 24
    assert {len(ident) for ident in ids} == {10}


def test_every_template_of_the_rules_has_words_and_every_wording_is_used() -> None:
    rules = "\n".join(path.read_text(encoding="utf-8") for path in Path("controller/rules").rglob("*.py"))
    assert [name for name in TEMPLATES if f'"{name}"' not in rules] == []


def test_a_registry_without_the_member_of_a_shift_still_has_the_others() -> None:
    gone = msgspec.structs.replace(SHIFTS[0], member="nobody")
    assert Roster(registry(shifts=[gone, *SHIFTS[1:]])).on_duty("b12", [Role.PATROL], at("2026-09-21T21:14")) == ["juan"]
