"""Shifts, swaps, holidays, neighbours, households and stations as files: what is written is what the rules get, every fault named."""

from datetime import date
from pathlib import Path

import pytest

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import database, registry_csv, registry_store
from controller.records.private import Private
from controller.records.registry_draft import version_of
from controller.registry import Holiday, OnHolidays, Swap, excluded_members
from tests.records.test_registry import CHANGE, EXAMPLE, SMALL, edit

POLICY = read_policy(EXAMPLE / "policy.toml")
WIDER = SMALL | {
    "blocks": (
        "id,zone,name,meeting_point,landmark,vehicle_point,latitude,longitude,neighbours\n"
        "b1,z1,Mz A,losa,,,,,b2 z2/b9\nb2,z1,Mz B,losa,,,,,\nb9,z2,Mz A,losa,,,,,z1/b1\n"
    ),
    "members": (
        "id,zone,call_sign,roles,language,name,contacts,household,station\n"
        "m1,z1,Cuadra 1,representative,es,Rosa Quispe,sms:987654321,h1,\n"
        "m2,z1,Amiga 1,trained-violence patrol,qu,Elena Tello,sms:+51987654322,,\n"
        "m3,z1,Ronda 3,patrol,es,,sms:+51987654323,h1,\n"
        "m4,z1,Mesa,police-desk,es,,dc09:dc09://1234@h:1,,pnp1\n"
        "m9,z2,Ronda 9,patrol,,,webhook:https://host/path#secret,,\n"
    ),
    "inputs": "node,input,kind,address,excludes\nb1n1,b1,panic,Lote 3,\nb1n1,b4,violence,Lote 14,household:h1 m3 station:pnp1\nb9n1,b1,panic,,\n",
    "shifts": (
        "id,member,role,starts,ends,weekdays,blocks,since,until,dates,except_on,holidays,hand_over\n"
        "s1,m1,representative,00:00,00:00,,b1 b2,,,,,,\n"
        "s2,m2,patrol,22:00,06:00,1-5 7,,2026-01-01,2026-12-31,,2026-07-29 2026-07-01,not,15\n"
        "s3,m3,patrol,08:00,12:00,,,,,2026-07-28 2026-12-24,,,\n"
    ),
    "swaps": "id,shift,day,member\nw1,s2,2026-07-26,m3\n",
    "holidays": "day,name\n2026-07-28,Fiestas Patrias\n2026-01-01,Año Nuevo\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    for name, text in WIDER.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def test_what_the_files_say_of_duty_is_what_the_rules_get_and_what_comes_out_again(database_url: str, folder: Path, tmp_path: Path) -> None:
    engine = database.connect(database_url)
    database.migrate(engine)
    key = tmp_path / "people.key"
    first = registry_csv.bring_in(engine, key, registry_csv.read(folder, policy=POLICY), CHANGE)
    found = registry_store.load(engine, "z1")
    assert found.blocks["b1"].neighbours == ("b2", "z2/b9")
    assert excluded_members(found.inputs["b1n1", "b4"].excludes, found.members.values()) == {"m1", "m3", "m4"}
    _, night, single = found.shifts
    assert (night.except_on, night.holidays, night.hand_over) == ((date(2026, 7, 1), date(2026, 7, 29)), OnHolidays.NOT, 15)
    assert single.dates == (date(2026, 7, 28), date(2026, 12, 24))
    assert found.swaps == (Swap("w1", "z1", "s2", date(2026, 7, 26), "m3"),)
    assert found.holidays == (Holiday(date(2026, 1, 1), "Año Nuevo"), Holiday(date(2026, 7, 28), "Fiestas Patrias"))
    assert version_of(found) == found.version == first["z1"].version
    out = tmp_path / "out"
    registry_csv.write(out, [registry_store.draft_of(registry_store.load(engine, zone), Private.open(engine, zone, key)) for zone in ("z1", "z2")])
    again = registry_csv.bring_in(engine, key, registry_csv.read(out, policy=POLICY), CHANGE)
    assert [one.changed for one in again.values()] == [0, 0]
    edit(folder, "holidays", "2026-01-01,Año Nuevo\n", "")
    edit(folder, "swaps", "w1,s2,2026-07-26,m3\n", "")
    assert [one.changed for one in registry_csv.bring_in(engine, key, registry_csv.read(folder, policy=POLICY), CHANGE).values()] == [2, 1]
    assert (len(registry_store.load(engine, "z1").holidays), registry_store.load(engine, "z1").swaps) == (1, ())
    edit(folder, "holidays", "day,name\n", "day,name\n2026-01-01,Año Nuevo\n")
    registry_csv.bring_in(engine, key, registry_csv.read(folder, policy=POLICY), CHANGE)
    assert registry_store.load(engine, "z1").holidays == found.holidays, "a day may rest again, unlike an id"
    edit(folder, "swaps", "member\n", "member\nw1,s2,2026-07-27,m3\n")
    with pytest.raises(BadConfig, match=r"swaps.csv, line 2, column id: found w1, which was retired"):
        registry_csv.bring_in(engine, key, registry_csv.read(folder, policy=POLICY), CHANGE)
    engine.dispose()


def test_who_lives_where_and_whom_a_button_excludes_changes_no_version_that_everybody_sees(folder: Path) -> None:
    before = version_of(registry_csv.read(folder).drafts["z1"])
    edit(folder, "members", ",h1,", ",h2,")
    edit(folder, "members", ",pnp1", ",pnp2")
    edit(folder, "inputs", "household:h1 m3 station:pnp1", "household:h2")
    assert version_of(registry_csv.read(folder).drafts["z1"]) == before
    edit(folder, "holidays", "2026-01-01", "2026-01-02")
    assert version_of(registry_csv.read(folder).drafts["z1"]) != before


def test_a_folder_may_do_without_swaps_and_holidays(folder: Path) -> None:
    for name in ("swaps", "holidays"):
        (folder / f"{name}.csv").unlink()
    assert registry_csv.read(folder).drafts["z1"].swaps == {}


FAULTY = [
    ("blocks", "b2 z2/b9", "b2 z2/b8", "blocks.csv, line 2, column neighbours: found 'z2/b8'; expected other blocks of the zone"),
    ("blocks", "b2 z2/b9", "b1", "blocks.csv, line 2, column neighbours: found 'b1'; expected other blocks of the zone"),
    ("blocks", "b2 z2/b9", "z1/b2", "blocks.csv, line 2, column neighbours: found 'z1/b2'; expected other blocks of the zone"),
    ("blocks", "b2 z2/b9", "b2,z2", "blocks.csv, line 2: 10 cells; expected 9"),
    ("blocks", "b2 z2/b9", "B2", "blocks.csv, line 2, column neighbours: found 'B2'; expected ids of blocks"),
    ("members", ",h1,\nm2", ",Calle 3,\nm2", "members.csv, line 2, column household: found 'Calle 3'; expected an id"),
    ("inputs", "station:pnp1", "station:pnp2", "inputs.csv, line 3, column excludes: found a station that no member has"),
    ("inputs", "station:pnp1", "m2 station:pnp1", "inputs.csv, line 3, column excludes: found exclusions that leave nobody"),
    ("members", "sms:+51987654322", "sms:+51987654323", "inputs.csv, line 3, column excludes: found one with an address of m2, who is told"),
    ("members", "qu,Elena Tello,sms:+51987654322,,", "qu,Elena Tello,sms:+51987654322,h1,",
     "inputs.csv, line 3, column excludes: found exclusions that leave nobody"),
    ("shifts", "2026-07-28 2026-12-24", "28/7/2026", "shifts.csv, line 4, column dates: found '28/7/2026'; expected dates with blanks between"),
    ("shifts", "12:00,,,,,2026", "12:00,1-5,,,,2026", "shifts.csv, line 4, column weekdays: found '1-5'; expected nothing, since the shift"),
    ("shifts", "not,15", "never,15", "shifts.csv, line 3, column holidays: found 'never'; expected one of also, not, only"),
    ("shifts", "not,15", "not,241", "shifts.csv, line 3, column hand_over: found '241'; expected a whole number from 1 to 240"),
    ("swaps", "m3", "m1", "swaps.csv, line 2, column member: found 'm1'; expected a member with the shift's role, patrol"),
    ("swaps", "m3", "m9", "swaps.csv, line 2, column member: found 'm9'; expected a member of zone z1"),
    ("swaps", "m3", "m2", "swaps.csv, line 2, column member: found 'm2'; expected another member than the shift's own"),
    ("swaps", "2026-07-26", "2026-07-28", "swaps.csv, line 2, column day: found '2026-07-28'; expected a day on which the shift s2 starts"),
    ("swaps", "2026-07-26", "2026-07-29", "swaps.csv, line 2, column day: found '2026-07-29'; expected a day on which the shift s2 starts"),
    ("swaps", "2026-07-26", "2026-07-25", "swaps.csv, line 2, column day: found '2026-07-25'; expected a day on which the shift s2 starts"),
    ("swaps", "2026-07-26", "", "swaps.csv, line 2, column day: found nothing; expected a date, e.g. 2026-07-28; fill it in"),
    ("swaps", "w1,s2", "w1,s9", "swaps.csv, line 2, column shift: found 's9'; expected an id of shifts.csv"),
    ("swaps", "m3\n", "m3\nw2,s2,2026-07-26,m3\n", "swaps.csv, line 3, column day: found the shift and the day of line 2 again"),
    ("holidays", "Año Nuevo", "", "holidays.csv, line 3, column name: found nothing; expected a text; fill it in"),
    ("holidays", "2026-01-01", "2026-07-28", "holidays.csv, line 3, column day: found the id of line 2 again"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), FAULTY)
def test_a_faulty_cell_is_named_with_its_place(folder: Path, file: str, old: str, new: str, said: str) -> None:
    edit(folder, file, old, new)
    with pytest.raises(BadConfig) as refused:
        registry_csv.read(folder, policy=POLICY)
    assert any(said in fault for fault in refused.value.faults), refused.value.faults
