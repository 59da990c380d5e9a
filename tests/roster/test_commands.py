"""`cuadra roster`, as it is typed."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from controller.commands_roster import roster
from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import database, policy_store, registry_csv, registry_store
from controller.records.registry_store import Change

EXAMPLE = Path(__file__).parents[2] / "config" / "villa-maria"


def typed(*words: object) -> Result:
    result = CliRunner().invoke(roster, [str(word) for word in words])
    if isinstance(result.exception, BadConfig):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "villa-maria")
    return tmp_path / "villa-maria"


@pytest.fixture
def stored(tmp_path: Path) -> str:
    """The example's first zone in a database."""
    path = tmp_path / "cuadra.db"
    engine = database.connect(str(path))
    database.migrate(engine)
    registry_csv.bring_in(engine, tmp_path / "people.key", registry_csv.read(EXAMPLE, ["z1"]), Change("ana", "csv", 0))
    engine.dispose()
    return str(path)


def test_gaps_of_the_week_are_lines_and_an_exit_code(folder: Path) -> None:
    whole = typed("gaps", "--folder", folder, "--zone", "z1", "--at", "2026-11-24 11:34")
    assert whole.exit_code == 0
    assert "zone z1, Tue 24 Nov 11:34 to Tue 01 Dec 11:34: no ring is ever without anybody on duty" in whole.stdout
    assert "no shift at all, and others in their rings: fire-brigade, ambulance" in whole.stdout
    shifts = folder / "shifts.csv"
    shifts.write_text(shifts.read_text().replace("z1svio2,z1vio2,trained-violence,18:00,06:00,,", "z1svio2,z1vio2,trained-violence,18:00,06:00,1-6,"))
    lacking = typed("gaps", "--folder", folder, "--zone", "z1", "--at", "2026-11-24 11:34")
    assert lacking.exit_code == 1
    assert "  nobody  trained-violence  Sun 29 Nov 18:00-06:00  blocks: all  needed by violence ring 1" in lacking.stdout
    assert lacking.stdout.count("nobody  ") == 1


def test_gaps_come_from_the_database_all_the_same(stored: str) -> None:
    found = typed("gaps", "--database", stored, "--policy", EXAMPLE / "policy.toml", "--at", "2026-11-24 11:34", "--days", 30)
    assert (found.exit_code, "zone z1, Tue 24 Nov 11:34 to Thu 24 Dec 11:34" in found.stdout) == (0, True)


def test_gaps_of_a_database_go_by_the_policy_that_was_put_there(stored: str) -> None:
    with pytest.raises(BadConfig, match="no policy was put for zone z1; expected the file that says who is needed"):
        typed("gaps", "--database", stored)
    engine = database.connect(stored)
    policy_store.put(engine, ["z1"], read_policy(EXAMPLE / "policy.toml"), Change("rosa", "command", 0))
    engine.dispose()
    assert "no ring is ever without anybody on duty" in typed("gaps", "--database", stored).stdout


def test_a_moment_and_a_folder_are_named_as_in_every_other_command(folder: Path) -> None:
    found = typed("show", "--registry", folder, "--zone", "z1", "--at", "sat 02:10").stdout
    assert found.startswith("zone z1, Sat ")
    assert " 02:10\n" in found.partition("representative")[0]


def test_who_is_on_duty_is_shown_with_swaps_and_hand_over(folder: Path) -> None:
    found = typed("show", "--folder", folder, "--zone", "z1", "--at", "2026-12-24 22:05").stdout
    assert "  patrol             z1pat1 (Ronda 1-1, for z1pat5)  until Fri 25 Dec 06:10  whole zone\n" in found
    assert "z1pat3 (Ronda 1-3)  until Thu 24 Dec 22:10" in found, "at the hand-over both are there"
    assert "z1pat5" not in found.replace("for z1pat5", "")


def test_a_calendar_goes_out_and_comes_back_into_a_folder_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before = (folder / "shifts.csv").read_bytes()
    feed = tmp_path / "z1pat5.ics"
    assert typed("export-ical", "--folder", folder, "--member", "z1pat5", "--to", feed).exit_code == 0
    assert feed.read_bytes().startswith(b"BEGIN:VCALENDAR")
    said = typed("import-ical", feed, "--folder", folder, "--member", "z1pat5").stdout
    assert said == f"member z1pat5: 1 shifts and 1 swaps taken from {feed}\n"
    assert (folder / "shifts.csv").read_bytes() == before


def test_a_calendar_comes_into_the_database_whole_or_not_at_all(stored: str, tmp_path: Path) -> None:
    feed = tmp_path / "new.ics"
    event = "BEGIN:VEVENT\r\nUID:n1\r\nDTSTART:20270105T100000\r\nDTEND:20270105T120000\r\n{}END:VEVENT\r\n"
    frame = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
    feed.write_text(frame.format(event.format("") + event.replace("n1", "n2").format("RRULE:FREQ=YEARLY\r\n")))
    with pytest.raises(BadConfig, match=r"event 2 \(n2\), RRULE: found FREQ=YEARLY"):
        typed("import-ical", feed, "--database", stored, "--member", "z1pat1", "--role", "patrol")
    engine = database.connect(stored)
    assert registry_store.newest_rev(engine, "z1") == 1
    feed.write_text(frame.format(event.format("")))
    assert typed("import-ical", feed, "--database", stored, "--member", "z1pat1", "--role", "patrol", "--block", "z1b03").exit_code == 0
    found = registry_store.load(engine, "z1")
    assert found.rev == 2
    [new] = [shift for shift in found.shifts if shift.dates]
    assert (new.member, new.blocks, str(new.dates[0])) == ("z1pat1", ("z1b03",), "2027-01-05")
    engine.dispose()


@pytest.mark.parametrize(("words", "said"), [
    (("gaps", "--folder", EXAMPLE, "--zone", "z9"), "no zone z9; expected one of z1"),
    (("gaps", "--folder", EXAMPLE, "--at", "tomorrow"), "--at 'tomorrow': no moment; expected e.g. \"sat 02:10\""),
    (("gaps", "--folder", EXAMPLE, "--database", "x.db"), "expected the registry by one of --registry FOLDER and --database"),
    (("show",), "expected the registry by one of --registry FOLDER and --database"),
    (("export-ical", "--folder", EXAMPLE, "--member", "nobody"), "no member nobody"),
    (("import-ical", "none.ics", "--folder", EXAMPLE, "--member", "z1pat1"), "none.ics: cannot be read"),
])
def test_what_is_wrong_is_said_in_one_sentence(words: tuple[object, ...], said: str) -> None:
    with pytest.raises(BadConfig, match=said.replace("(", r"\(").replace(")", r"\)")):
        typed(*words)
