"""What is personal is in one place, and that place cannot be read without its key."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.engine import make_url

from controller.errors import BadConfig
from controller.records import phones
from controller.records.private import Private, key_at
from controller.records.store import Store
from controller.records.tables import PRIVATE


@pytest.fixture
def private(store: Store, tmp_path: Path) -> Private:
    return Private.open(store.engine, "z1", tmp_path / "people.key")


def test_a_value_is_given_back_to_who_has_its_reference(private: Private) -> None:
    name, phone = private.put("m1", "name", "Rosa Quispe Ñaupari"), private.put("m1", "sms", "+51987654321")
    assert private.get(name) == "Rosa Quispe Ñaupari"
    assert private.get_many([name, phone, "p-00000000"]) == {name: "Rosa Quispe Ñaupari", phone: "+51987654321"}
    assert private.get("p-00000000") is None


@pytest.mark.parametrize("written", [
    "+51987654321", "987654321", "51987654321", "0051987654321", "051-987-654-321", "+51 987 654 321", "(051) 987.654.321", "0987654321",
])
def test_who_texts_is_found_however_the_number_is_written(private: Private, written: str) -> None:
    ref = private.put("m1", "sms", "987 654 321")
    assert private.find("sms", written) == ((ref, "m1"),)
    assert phones.normalise(written) == "+51987654321"


def test_a_phone_shared_by_two_members_finds_both_and_a_stranger_finds_nobody(private: Private) -> None:
    refs = [private.put("m2", "sms", "+51987654321"), private.put("m1", "call", "987654321")]
    assert [found.person for found in private.find("sms", "987654321")] == ["m1", "m2"]
    assert {found.ref for found in private.find("call", "987654321")} == set(refs)
    assert private.find("sms", "987654322") == ()
    private.put("", "sms", "MOVISTAR")
    assert [found.person for found in private.find("sms", "MOVISTAR")] == [""]


def test_a_mark_is_the_same_for_the_same_and_tells_nothing_without_the_key(store: Store, private: Private, tmp_path: Path) -> None:
    parts = ("sms", "+51987654321", "1@20260922021407", "1")
    assert private.mark(*parts) == Private.open(store.engine, "z1", tmp_path / "people.key").mark(*parts)
    others = [Private(store.engine, "z1", b"k" * 32), Private.open(store.engine, "z2", tmp_path / "people.key")]
    marks = {private.mark(*parts), *(one.mark(*parts) for one in others), private.mark(*parts[:3], "0"), private.mark("sms", "", "", "1")}
    assert len(marks) == 5
    assert {len(mark) for mark in marks} == {32}


@pytest.mark.parametrize(("written", "one_form"), [
    ("(01) 765-4321", "+5117654321"), ("051 363636", "+5151363636"), ("+1 (202) 555-0142", "+12025550142"), ("00 44 20 7946 0958", "+442079460958"),
    ("105", None), ("", None), ("MOVISTAR", None), ("+", None), ("+51 900 000 000 000 000", None), ("٩٨٧٦٥٤٣٢١", None),
])
def test_numbers_of_other_sorts(written: str, one_form: str | None) -> None:
    assert phones.normalise(written) == one_form


def test_a_number_without_a_country_is_one_of_the_district_s_own(store: Store, tmp_path: Path) -> None:
    bolivian = Private.open(store.engine, "z1", tmp_path / "people.key", country="591")
    ref = bolivian.put("m1", "sms", "+591 71234567")
    assert bolivian.find("sms", "71234567") == ((ref, "m1"),)


def test_the_database_s_bytes_show_nothing_of_it(store: Store, private: Private, database_url: str) -> None:
    secrets = ["Rosa Quispe", "+51987654321", "987654321", "Lote 14", "no puedo, estoy lejos"]
    private.put("m1", "name", secrets[0])
    private.put("m1", "sms", secrets[1])
    private.put("b12n1/b4", "address", secrets[3])
    private.put_text("m1", secrets[4])
    parsed = make_url(database_url)
    if parsed.get_backend_name() == "sqlite":
        files = list(Path(str(parsed.database)).parent.glob("zone.db*"))
        content = b"".join(file.read_bytes() for file in files)
        assert b"m1" in content
    else:
        with store.engine.connect() as connection:
            content = repr(connection.execute(select(PRIVATE)).all()).encode()
    for secret in secrets:
        assert secret.encode() not in content
    assert all(secret not in repr(private) + str(private.__dict__) for secret in secrets)


def test_the_same_value_twice_looks_different_each_time(store: Store, private: Private) -> None:
    private.put("m1", "name", "Rosa")
    private.put("m1", "name", "Rosa")
    with store.engine.connect() as connection:
        assert len(set(connection.execute(select(PRIVATE.c.ciphertext)).scalars())) == 2


def test_a_value_put_in_another_s_place_does_not_open(store: Store, private: Private) -> None:
    ref = private.put("m1", "sms", "+51987654321")
    with store.engine.begin() as connection:
        connection.execute(update(PRIVATE).values(person="m2"))
    with pytest.raises(BadConfig, match=ref) as refused:
        private.get(ref)
    assert "987654321" not in str(refused.value)


def test_a_text_is_held_by_a_digest_that_cannot_be_guessed_and_opens_with_the_text_alone(store: Store, private: Private) -> None:
    ref, digest = private.put_text("m1", "voy")
    other, other_digest = private.put_text("m1", "voy")
    assert digest != other_digest
    assert private.text_is(ref, digest)
    assert not private.text_is(other, digest)
    assert private.get(ref) == "voy"
    with store.engine.begin() as connection:
        connection.execute(delete(PRIVATE))
    assert not private.text_is(ref, digest)


def test_zones_do_not_read_one_another(store: Store, private: Private, tmp_path: Path) -> None:
    ref = private.put("m1", "sms", "+51987654321")
    other = Private.open(store.engine, "z2", tmp_path / "people.key")
    assert other.get(ref) is None
    assert other.find("sms", "+51987654321") == ()


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = key_at(tmp_path / "people.key")
    assert (tmp_path / "people.key").stat().st_mode & 0o777 == 0o600
    assert key_at(tmp_path / "people.key") == key
    (tmp_path / "people.key").chmod(0o644)
    with pytest.raises(BadConfig, match="chmod 600"):
        key_at(tmp_path / "people.key")
    (tmp_path / "people.key").chmod(0o600)
    (tmp_path / "people.key").write_text("no key")
    with pytest.raises(BadConfig, match="64 hex digits"):
        key_at(tmp_path / "people.key")
    with pytest.raises(BadConfig, match="cannot make the key file"):
        key_at(tmp_path / "nowhere" / "people.key")


def test_a_lost_key_is_said_and_not_replaced_and_another_one_opens_nothing(store: Store, private: Private, tmp_path: Path) -> None:
    ref = private.put("m1", "name", "Rosa")
    with pytest.raises(BadConfig, match="restore it from a copy"):
        Private.open(store.engine, "z1", tmp_path / "other.key")
    assert not (tmp_path / "other.key").exists()
    key_at(tmp_path / "other.key")
    with pytest.raises(BadConfig, match="does not open it"):
        Private.open(store.engine, "z1", tmp_path / "other.key").get(ref)


def test_a_fault_of_the_database_repeats_no_value(store: Store, private: Private) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE private")
    with pytest.raises(Exception, match="private") as refused:
        private.put("m1", "sms", "+51987654321")
    assert "m1" not in str(refused.value)
