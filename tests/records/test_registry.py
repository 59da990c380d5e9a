"""The registry as files: every fault named, nothing half-imported, nothing changed by saying the same again."""

import csv
import os
import shutil
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.engine import make_url

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import database, registry_csv, registry_store, tables
from controller.records.private import Private
from controller.records.registry_cells import COLUMNS
from controller.records.registry_draft import version_of
from controller.records.registry_store import Change, Revision
from controller.registry import TABLES, Role
from controller.rules.policy import Policy
from simulators.demo_keys import private_key

EXAMPLE = Path(__file__).parents[2] / "config" / "villa-maria"
POLICY = read_policy(EXAMPLE / "policy.toml")
CHANGE = Change("ana", "csv", 1_790_000_000_000)
SMALL = {
    "district": "id,name,timezone,language\nvmt,Villa María,America/Lima,es\n",
    "zones": "id,name\nz1,Cercado\nz2,Tablada\n",
    "blocks": (
        "id,zone,name,meeting_point,landmark,vehicle_point,latitude,longitude\n"
        'b1,z1,"Mz A, AA.HH. Los Jardines",losa,tanque,fin de pista,-12.16,-76.93\n'
        "b2,z1,Mz B,losa,,,,\n"
        "b9,z2,Mz A,losa,,,,\n"
    ),
    "nodes": f"id,block,public_key\nb1n1,b1,{private_key('b1n1').public}\nb9n1,b9,{private_key('b9n1').public}\n",
    "inputs": "node,input,kind,address,excludes\nb1n1,b1,panic,Lote 3,\nb1n1,b4,violence,Lote 14 segundo piso,m1\nb9n1,b1,panic,,\n",
    "members": (
        "id,zone,call_sign,roles,language,name,contacts\n"
        "m1,z1,Cuadra 1,representative,es,Rosa Quispe,sms:987654321 | apprise:ntfy://host/topic\n"
        "m2,z1,Amiga 1,trained-violence patrol,qu,Elena Tello,sms:+51987654322\n"
        "m9,z2,Ronda 9,patrol,,,webhook:https://host/path#secret\n"
    ),
    "shifts": (
        "id,member,role,starts,ends,weekdays,blocks,since,until\n"
        "s1,m1,representative,00:00,00:00,,b1 b2,,\n"
        "s2,m2,patrol,22:00,06:00,1-5 7,,2026-01-01,2026-12-31\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    for name, text in SMALL.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def engine(database_url: str) -> Engine:
    made = database.connect(database_url)
    database.migrate(made)
    return made


@pytest.fixture
def bring_in(engine: Engine, tmp_path: Path) -> Callable[..., dict[str, Revision]]:
    def bring(path: Path, *only: str, change: Change = CHANGE) -> dict[str, Revision]:
        return registry_csv.bring_in(engine, tmp_path / "people.key", registry_csv.read(path, only), change)

    return bring


BringIn = Callable[..., dict[str, Revision]]


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_the_files_say_is_what_the_rules_get(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path) -> None:
    bring_in(folder)
    found = registry_store.load(engine, "z1")
    assert (found.rev, found.district.timezone, found.zone.name) == (1, "America/Lima", "Cercado")
    assert found.blocks["b1"].name == "Mz A, AA.HH. Los Jardines"
    assert (found.blocks["b1"].latitude, found.blocks["b2"].latitude) == (-12.16, None)
    assert found.nodes["b1n1"].public_key == private_key("b1n1").public
    assert found.inputs["b1n1", "b4"].excludes == ("m1",)
    assert found.members["m2"].roles == (Role.PATROL, Role.TRAINED_VIOLENCE)
    assert [contact.channel for contact in found.members["m1"].contacts] == ["sms", "apprise"]
    night = next(shift for shift in found.shifts if shift.id == "s2")
    assert (night.starts, night.ends, night.weekdays, night.blocks) == (time(22), time(6), (1, 2, 3, 4, 5, 7), ())
    private = Private.open(engine, "z1", tmp_path / "people.key")
    assert private.get(found.members["m1"].name_ref or "") == "Rosa Quispe"
    assert [one.person for one in private.find("sms", "+51 987 654 321")] == ["m1"]
    assert private.get(found.inputs["b1n1", "b4"].address_ref or "") == "Lote 14 segundo piso"
    assert list(registry_store.load(engine, "z2").members) == ["m9"]
    assert registry_store.zones(engine) == ["z1", "z2"]


def test_the_same_files_again_change_nothing(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    first = bring_in(folder)
    before = registry_store.load(engine, "z1")
    again = bring_in(folder, change=Change("other", "csv", 5))
    assert [(one.rev, one.version, one.changed) for one in again.values()] == [(1, first[zone].version, 0) for zone in again]
    assert registry_store.load(engine, "z1") == before
    assert registry_store.newest_rev(engine, "z1") == 1


def test_a_change_makes_a_revision_of_its_zone_alone_and_marks_its_row_alone(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    first = bring_in(folder)
    edit(folder, "blocks", "b2,z1,Mz B,losa", "b2,z1,Mz B,capilla")
    second = bring_in(folder, change=Change("juan", "csv", 7))
    assert (second["z1"].rev, second["z1"].changed, second["z2"].rev) == (2, 1, 1)
    assert second["z1"].version != first["z1"].version
    with engine.connect() as connection:
        found = connection.execute(select(tables.BLOCK).where(tables.BLOCK.c.zone == "z1")).mappings()
        rows = {row["id"]: (row["rev"], row["author"]) for row in found}
    assert rows == {"b1": (1, "ana"), "b2": (2, "juan")}


def test_a_new_number_is_read_by_whoever_holds_the_old_reference_and_the_old_number_finds_nobody(
    engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path,
) -> None:
    version = bring_in(folder)["z1"].version
    before = registry_store.load(engine, "z1").members["m1"].contacts
    edit(folder, "members", "987654321", "911222333")
    assert bring_in(folder)["z1"] == Revision(2, version, 1)
    private = Private.open(engine, "z1", tmp_path / "people.key")
    assert private.get(before[0].address_ref) == "+51911222333"
    assert private.find("sms", "987654321") == ()


def test_contacts_may_change_places_without_changing_their_values(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path) -> None:
    bring_in(folder)
    before = registry_store.load(engine, "z1").members["m1"].contacts
    edit(folder, "members", "sms:987654321 | apprise:ntfy://host/topic", "apprise:ntfy://host/topic | sms:987654321 | sms:911222333")
    bring_in(folder)
    after = registry_store.load(engine, "z1").members["m1"].contacts
    assert after[:2] == (before[1], before[0])
    edit(folder, "members", "apprise:ntfy://host/topic | sms:987654321 | sms:911222333", "sms:911222333")
    bring_in(folder)
    private = Private.open(engine, "z1", tmp_path / "people.key")
    assert [private.get(contact.address_ref) for contact in registry_store.load(engine, "z1").members["m1"].contacts] == ["+51911222333"]
    assert private.find("sms", "987654321") == ()
    assert private.get(before[1].address_ref) is None


def test_who_is_taken_out_is_retired_forgotten_and_never_used_again(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path) -> None:
    bring_in(folder)
    gone = registry_store.load(engine, "z1").members["m2"]
    whole = {name: (folder / f"{name}.csv").read_text() for name in SMALL}
    elena = "m2,z1,Amiga 1,trained-violence patrol,qu,Elena Tello,sms:+51987654322\n"
    edit(folder, "members", elena, "m3,z1,Amiga 1,trained-violence,es,,sms:987000111\n")
    edit(folder, "shifts", "s2,m2,patrol,22:00,06:00,1-5 7,,2026-01-01,2026-12-31\n", "")
    bring_in(folder)
    found = registry_store.load(engine, "z1")
    assert (sorted(found.members), [shift.id for shift in found.shifts]) == (["m1", "m3"], ["s1"])
    private = Private.open(engine, "z1", tmp_path / "people.key")
    assert private.get_many([gone.name_ref or "", gone.contacts[0].address_ref]) == {}
    for name, text in whole.items():
        (folder / f"{name}.csv").write_text(text)
    with pytest.raises(BadConfig) as refused:
        bring_in(folder)
    assert [fault.split(": ", 1)[1] for fault in refused.value.faults] == [
        "found m2, which was retired; expected an id that was never used before; choose a new one",
        "found s2, which was retired; expected an id that was never used before; choose a new one",
    ]
    assert "members.csv, line 3, column id" in refused.value.faults[0]
    assert registry_store.newest_rev(engine, "z1") == 2


def test_one_zone_alone_can_be_brought_in(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    assert list(bring_in(folder, "z2")) == ["z2"]
    assert registry_store.zones(engine) == ["z2"]
    with pytest.raises(BadConfig, match="no registry of zone z1"):
        registry_store.load(engine, "z1")
    with pytest.raises(BadConfig, match="no zone z7; expected one of z1, z2"):
        bring_in(folder, "z7")


def test_export_and_import_into_another_database_is_the_same_network(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path) -> None:
    first = bring_in(folder)
    key = tmp_path / "people.key"
    drafts = [registry_store.draft_of(registry_store.load(engine, zone), Private.open(engine, zone, key)) for zone in ("z1", "z2")]
    registry_csv.write(tmp_path / "out", drafts)
    other = database.connect(str(tmp_path / "other.db"))
    database.migrate(other)
    second = registry_csv.bring_in(other, tmp_path / "other.key", registry_csv.read(tmp_path / "out"), CHANGE)
    assert {zone: one.version for zone, one in second.items()} == {zone: one.version for zone, one in first.items()}
    assert all(one.changed == 0 for one in bring_in(tmp_path / "out").values())
    assert (tmp_path / "out" / "members.csv").stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "out").glob("*.new"))
    other.dispose()


def test_the_version_names_what_everybody_may_see_and_nothing_else(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    version = bring_in(folder)["z1"].version
    assert version_of(registry_store.load(engine, "z1")) == version
    edit(folder, "inputs", "b1n1,b4,violence,Lote 14 segundo piso,m1", "b1n1,b4,violence,Lote 15,")
    assert bring_in(folder)["z1"] == Revision(2, version, 1)
    assert registry_store.load(engine, "z1").inputs["b1n1", "b4"].excludes == ()


def test_an_input_keeps_its_number_at_receivers_whatever_comes_and_goes(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path) -> None:
    def numbers() -> dict[str, int]:
        return {f"{node} {name}": one.number for (node, name), one in registry_store.load(engine, "z1").inputs.items()}

    bring_in(folder)
    assert numbers() == {"b1n1 b1": 1, "b1n1 b4": 2}
    edit(folder, "inputs", "b1n1,b1,panic,Lote 3,\n", "b1n1,b0,fire,,\nb1n1,b1,panic,Lote 3,\n")
    bring_in(folder)
    assert numbers() == {"b1n1 b0": 3, "b1n1 b1": 1, "b1n1 b4": 2}
    edit(folder, "inputs", "b1n1,b1,panic,Lote 3,\n", "b1n1,b5,panic,Lote 3,\n")
    bring_in(folder)
    assert numbers() == {"b1n1 b0": 3, "b1n1 b4": 2, "b1n1 b5": 4}

    draft = registry_store.draft_of(registry_store.load(engine, "z1"), Private.open(engine, "z1", tmp_path / "people.key"))
    registry_csv.write(tmp_path / "out", [draft])
    assert (tmp_path / "out" / "inputs.csv").read_text().splitlines()[1:] == [
        "b1n1,b0,fire,,,3", "b1n1,b4,violence,Lote 14 segundo piso,m1,2", "b1n1,b5,panic,Lote 3,,4"]
    bring_in(folder)
    assert numbers() == {"b1n1 b0": 3, "b1n1 b4": 2, "b1n1 b5": 4}


def test_a_number_goes_to_another_input_only_when_both_lines_say_so(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    bring_in(folder)
    edit(folder, "inputs", "excludes\n", "excludes,number\n")
    edit(folder, "inputs", "panic,Lote 3,\n", "panic,Lote 3,,2\n")
    edit(folder, "inputs", "piso,m1\n", "piso,m1,\n")
    edit(folder, "inputs", "panic,,\n", "panic,,,7\n")
    with pytest.raises(BadConfig, match="line 2, column number: found 2, which is that of b1n1 b4; expected one that no other input has"):
        bring_in(folder)
    edit(folder, "inputs", "piso,m1,\n", "piso,m1,1\n")
    bring_in(folder)
    assert [one.number for one in registry_store.load(engine, "z1").inputs.values()] == [2, 1]
    assert [one.number for one in registry_store.load(engine, "z2").inputs.values()] == [7]


def test_a_zone_with_more_inputs_than_numbers_is_brought_in_all_the_same(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    edit(folder, "inputs", "b9n1,b1,panic,,\n", "".join(f"b9n1,i{n:04},panic,,\n" for n in range(1, 1002)))
    bring_in(folder)
    numbers = [one.number for _, one in sorted(registry_store.load(engine, "z2").inputs.items())]
    assert numbers == [*range(1, 1000), 0, 0]
    assert bring_in(folder)["z2"].changed == 0


FAULTY = [
    ("district", "America/Lima", "America/Limo", "district.csv, line 2, column timezone: found 'America/Limo'; expected a time zone's name"),
    ("zones", "z2,Tablada", "z2,", "zones.csv, line 3, column name: found nothing; expected a text; fill it in"),
    ("zones", "z2,Tablada", "Z 2,Tablada", "zones.csv, line 3, column id: found 'Z 2'; expected an id"),
    ("zones", "z2,Tablada", "z1,Tablada", "zones.csv, line 3, column id: found the id of line 2 again; expected each id once"),
    ("blocks", "b9,z2", "b9,z3", "blocks.csv, line 4, column zone: found 'z3'; expected a zone of zones.csv"),
    ("blocks", "-12.16", "12°", "blocks.csv, line 2, column latitude: found '12°'; expected degrees"),
    ("blocks", "-76.93", "", "blocks.csv, line 2, column longitude: found nothing; expected both coordinates or neither"),
    ("blocks", '"Mz A, AA.HH. Los Jardines"', "Mz A, AA.HH. Los Jardines", "blocks.csv, line 2: 9 cells; expected 8"),
    ("blocks", "b2,z1,Mz B", "b1,z1,Mz B", "blocks.csv, line 3, column id: found the id of line 2 again"),
    ("nodes", private_key("b9n1").public, "xyz", "nodes.csv, line 3, column public_key: found 3 characters; expected 64 hex digits"),
    ("nodes", private_key("b9n1").public, private_key("b1n1").public, "nodes.csv, line 3, column public_key: found the key of the node in line 2"),
    ("nodes", "b9n1,b9", "b9n1,b8", "nodes.csv, line 3, column block: found 'b8'; expected an id of blocks.csv"),
    ("inputs", "b9n1,b1", "b8n1,b1", "inputs.csv, line 4, column node: found 'b8n1'; expected an id of nodes.csv"),
    ("inputs", "segundo piso,m1", "segundo piso,household:h9", "inputs.csv, line 3, column excludes: found a household that no member has"),
    ("inputs", "segundo piso,m1", "segundo piso,flat:3", "inputs.csv, line 3, column excludes: found what is no list of these"),
    ("inputs", "segundo piso,m1", "segundo piso,m9", "inputs.csv, line 3, column excludes: found an id that no member has"),
    ("inputs", "segundo piso,m1", "segundo piso,m1 m2", "inputs.csv, line 3, column excludes: found exclusions that leave nobody"),
    ("inputs", "violence,Lote 14 segundo piso,m1", "extortion,,", "inputs.csv, line 3, column kind: found 'extortion', of which the policy tells"),
    ("inputs", "violence,Lote 14", "violencia,Lote 14", "inputs.csv, line 3, column kind: found 'violencia'; expected one of the policy's kinds"),
    ("members", "sms:+51987654322", "", "inputs.csv, line 3, column excludes: found exclusions that leave nobody"),
    ("members", "sms:+51987654322", "dc09:dc09://1234@h:1", "inputs.csv, line 3, column excludes: found exclusions that leave nobody"),
    ("members", "sms:+51987654322", "sms:0051987654321", "inputs.csv, line 3, column excludes: found one with an address of m2, who is told;"),
    ("inputs", "b1n1,b4", "b1n1,b1", "inputs.csv, line 3, column input: found the id of line 2 again"),
    ("inputs", "excludes\n", "excludes,nummer\n", "inputs.csv, line 1: an unknown column 'nummer'; expected the columns"),
    ("inputs", SMALL["inputs"], "node,input,kind,address,excludes,number\nb1n1,b1,panic,,,1000\n",
     "inputs.csv, line 2, column number: found '1000'; expected a whole number from 1 to 999, or nothing"),
    ("inputs", SMALL["inputs"], "node,input,kind,address,excludes,number\nb1n1,b1,panic,,,4\nb1n1,b2,panic,,,4\n",
     "inputs.csv, line 3, column number: found the number of the input in line 2"),
    ("members", "patrol,qu", "patroll,qu", "members.csv, line 3, column roles: found 'trained-violence patroll'; expected one or more of"),
    ("members", "Amiga 1", "cuadra 1", "members.csv, line 3, column call_sign: found the call sign of the member in line 2"),
    ("members", "sms:987654321 |", "sms:98765 |", "line 2, column contacts: found 5 characters that are no sms address; expected a phone"),
    ("members", "sms:987654321 |", "fax:987654321 |", "line 2, column contacts: found a contact of no channel; expected channel:address"),
    ("members", "webhook:https://host/path", "dc09:dc09://12@host:x", "members.csv, line 4, column contacts: found"),
    *[("members", "webhook:https://host/path", f"dc09:dc09://1234@10.0.0.5:9000?{options}", "members.csv, line 4, column contacts: found")
      for options in ("format=adm-cid&transport=udp", "format=adm-cid&reciever=2", "format=contact-id", "format=adm-cid&format=sia-dcs")],
    ("members", "webhook:https://host/path", "webhook:https://host:x/path", "members.csv, line 4, column contacts: found"),
    ("members", ",qu,", ",quechua,", "members.csv, line 3, column language: found 'quechua'"),
    ("shifts", "22:00", "25:00", "shifts.csv, line 3, column starts: found '25:00'; expected a time of day"),
    ("shifts", "1-5 7", "1-9", "shifts.csv, line 3, column weekdays: found '1-9'; expected weekdays"),
    ("shifts", "b1 b2", "b1 b9", "shifts.csv, line 2, column blocks: found 'b9'; expected ids of blocks of zone z1"),
    ("shifts", "s2,m2,patrol", "s2,m2,coordinator", "shifts.csv, line 3, column role: found 'coordinator'; expected one of the member's own"),
    ("shifts", "s2,m2", "s2,m8", "shifts.csv, line 3, column member: found 'm8'; expected an id of members.csv"),
    ("shifts", "2026-12-31", "2025-12-31", "shifts.csv, line 3, column until: found '2025-12-31'; expected a day not before since"),
    ("shifts", "2026-12-31", "31/12/2026", "shifts.csv, line 3, column until: found '31/12/2026'; expected a date"),
    ("shifts", "since,until", "since,until,note", "shifts.csv, line 1: an unknown column 'note'; expected the columns"),
    ("shifts", "weekdays,", "", "shifts.csv, line 1: no column weekdays; expected the columns"),
    ("members", "Rosa Quispe", '"Rosa Quispe', "members.csv, line 4: unexpected end of data; expected a CSV file"),
]


@pytest.mark.parametrize("address", ["dc09://1234@10.0.0.5:9000", f"dc09://abc@[::1]:9000?key={'0' * 32}&transport=tcp&receiver=2&line=a"])
def test_a_receiver_s_address_needs_no_more_than_the_page_on_channels_says(folder: Path, address: str) -> None:
    edit(folder, "members", "webhook:https://host/path#secret", f"dc09:{address}")
    assert registry_csv.read(folder).drafts["z2"].contacts["m9"] == (("dc09", address),)


@pytest.mark.parametrize(("file", "old", "new", "said"), FAULTY)
def test_a_faulty_cell_is_named_with_its_place(folder: Path, file: str, old: str, new: str, said: str) -> None:
    edit(folder, file, old, new)
    with pytest.raises(BadConfig) as refused:
        registry_csv.read(folder, policy=POLICY)
    assert any(said in fault for fault in refused.value.faults), refused.value.faults
    assert all(str(folder) in fault for fault in refused.value.faults)


def test_a_silent_kind_of_the_district_s_own_has_its_circle_checked_too(folder: Path) -> None:
    text = (EXAMPLE / "policy.toml").read_text(encoding="utf-8")
    own = text[text.index("[kinds.violence]"):text.index("[kinds.extortion]")]
    stalking = read_policy_text(folder, text + own.replace("violence", "stalking").replace('"trained-stalking"', '"serenazgo"'))
    edit(folder, "inputs", "violence,Lote 14", "stalking,Lote 14")
    with pytest.raises(BadConfig, match="exclusions that leave nobody; expected somebody to be left who is told of stalking"):
        registry_csv.read(folder, policy=stalking)
    edit(folder, "members", "trained-violence patrol", "serenazgo patrol")
    assert list(registry_csv.read(folder, policy=stalking).drafts) == ["z1", "z2"]


def read_policy_text(folder: Path, text: str) -> Policy:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return read_policy(folder / "own.toml")


def test_all_faults_are_named_together_and_none_of_it_is_imported(engine: Engine, folder: Path, bring_in: BringIn) -> None:
    edit(folder, "blocks", "b2,z1", "B2,z1")
    edit(folder, "members", "sms:+51987654322", "sms:12")
    edit(folder, "shifts", "22:00", "late")
    with pytest.raises(BadConfig) as refused:
        bring_in(folder)
    assert [Path(fault.split(",")[0]).name for fault in refused.value.faults] == ["blocks.csv", "members.csv", "shifts.csv", "shifts.csv"]
    assert registry_store.zones(engine) == []


def test_a_fault_repeats_nothing_that_is_personal(folder: Path) -> None:
    edit(folder, "members", "Rosa Quispe,sms:987654321", f"{'Rosa ' * 60},sms:98765x")
    edit(folder, "inputs", "Lote 3", "Lote 3" * 60)
    with pytest.raises(BadConfig) as refused:
        registry_csv.read(folder)
    assert len(refused.value.faults) == 3
    for personal in ("Rosa", "98765", "Lote"):
        assert personal not in str(refused.value)


def test_files_that_are_missing_empty_or_in_another_encoding_are_named(folder: Path) -> None:
    (folder / "nodes.csv").unlink()
    (folder / "inputs.csv").write_text("")
    (folder / "blocks.csv").write_bytes((folder / "blocks.csv").read_bytes().replace(b"capilla", b"") + "b3,z1,Ñ,losa,,,,\n".encode("latin-1"))
    with pytest.raises(BadConfig) as refused:
        registry_csv.read(folder)
    said = "\n".join(refused.value.faults)
    assert "nodes.csv: no such file; expected a CSV file with the columns id,block,public_key" in said
    assert "inputs.csv, line 1: no column node, input, kind" in said
    assert "blocks.csv, line 5: not UTF-8" in said


def test_a_byte_order_mark_another_order_of_columns_and_blank_lines_do_no_harm(folder: Path) -> None:
    (folder / "zones.csv").write_text("\ufeffname,id\n\nCercado,z1\nTablada,z2\n,\n", encoding="utf-8")
    assert list(registry_csv.read(folder).drafts) == ["z1", "z2"]


def test_the_columns_are_those_of_every_file() -> None:
    assert tuple(COLUMNS) == TABLES


def test_the_example_district_is_whole(tmp_path: Path) -> None:
    read = registry_csv.read(EXAMPLE, policy=POLICY)
    assert len(read.drafts) == 7
    for zone, draft in read.drafts.items():
        assert len(draft.blocks) >= 24, zone
        assert {node.block for node in draft.nodes.values()} == set(draft.blocks), zone
        assert all(block.meeting_point and block.landmark and block.vehicle_point and block.latitude for block in draft.blocks.values())
        assert {one.kind for one in draft.inputs.values()} == {"panic", "fire", "medical", "violence", "extortion"}, zone
        assert all(private_key(node.id).public == node.public_key for node in draft.nodes.values())
        assert all(draft.contacts[member] for member in draft.members)
        on_duty = {(shift.role, shift.starts.hour, shift.ends.hour) for shift in draft.shifts.values()}
        assert {(Role.PATROL, 6, 14), (Role.PATROL, 14, 22), (Role.PATROL, 22, 6), (Role.POLICE_DESK, 0, 0)} <= on_duty
        numbers = [address for contacts in draft.contacts.values() for channel, address in contacts if channel == "sms"]
        assert len(numbers) == len(set(numbers))
        assert all(number.startswith("+51900000") for number in numbers)
    copy = tmp_path / "copy"
    shutil.copytree(EXAMPLE, copy)
    registry_csv.write(copy, list(read.drafts.values()))
    for name in TABLES:
        assert (copy / f"{name}.csv").read_bytes() == (EXAMPLE / f"{name}.csv").read_bytes()
    with (EXAMPLE / "nodes.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS["nodes"])


def test_importing_needs_the_key_and_leaves_no_second_one(engine: Engine, folder: Path, bring_in: BringIn, tmp_path: Path, database_url: str) -> None:
    bring_in(folder)
    os.rename(tmp_path / "people.key", tmp_path / "kept.key")  # noqa: PTH104 (the point is the moved file)
    with pytest.raises(BadConfig, match="restore it from a copy"):
        bring_in(folder)
    assert not (tmp_path / "people.key").exists()
    assert make_url(database_url).get_backend_name() == engine.dialect.name
