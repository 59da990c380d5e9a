"""What the world does to a database: killed writers, locks, full and read-only disks, lost servers, lost answers."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url

from controller.entries import Chain
from controller.errors import BadConfig, BrokenPromise, Unavailable
from controller.records import database, journal
from controller.records.store import Store, rows
from tests.records.conftest import Open
from tests.records.facts import BOOT, press, told

KILLS = 3


def seqs(store: Store) -> list[int]:
    return [entry.body.seq for entry in store.entries() if hasattr(entry.body, "seq")]


@pytest.mark.whole
def test_a_writer_killed_again_and_again_leaves_a_whole_chain_with_all_it_said_was_on_disk(database_url: str) -> None:
    said = 0
    for kill in range(KILLS):
        writer = subprocess.Popen([sys.executable, "-m", "tests.records.writer", database_url, str(40 + kill)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(3 + kill):
            said = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].splitlines()
        said = int(rest[-1]) if rest else said
        engine = database.connect(database_url)
        verdict = journal.verify("z1", Chain.OPEN, rows(engine, "z1", Chain.OPEN))
        engine.dispose()
        assert verdict.findings == ()
        assert verdict.entries >= said
        wait_for_lock(database_url)
    store = Store.open(database_url, "z1")
    try:
        numbers = seqs(store)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(store.known([("b12n1", BOOT, seq) for seq in numbers])) == len(numbers)
    finally:
        store.close()


def wait_for_lock(url: str) -> None:
    """PostgreSQL lets go of a killed client's lock a moment later."""
    for _ in range(100):
        try:
            Store.open(url, "z1").close()
        except Unavailable:
            continue
        return
    pytest.fail("the killed writer's lock is still held")


def test_a_locked_database_is_unavailable_within_a_second_and_the_same_batch_goes_in_later(store: Store, database_url: str) -> None:
    store.commit(told(press(1)))
    batch = told(press(2), press(3))
    with locked(database_url):
        with pytest.raises(Unavailable):
            store.commit(batch)
        assert store.heads()[Chain.OPEN].seq == 1
    store.commit([*batch, *told(press(4))])
    assert seqs(store) == [1, 2, 3, 4]


class locked:  # noqa: N801 (reads as a word)
    """Somebody else holds the table."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            self._other: sqlite3.Connection | psycopg.Connection = sqlite3.connect(str(parsed.database), isolation_level=None)
            self._other.execute("BEGIN IMMEDIATE")
        else:
            self._other = psycopg.connect(host=parsed.query["host"], user="postgres", dbname=parsed.database)  # type: ignore[arg-type]  # one host
            self._other.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._other.rollback()
        self._other.close()


def test_a_full_disk_is_unavailable_and_what_did_not_fit_goes_in_when_there_is_room(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "zone.db"), "z1")
    pages = {"max": 0}

    @event.listens_for(store.engine, "begin")
    def _limit(connection: Connection) -> None:
        if pages["max"]:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages['max']}")

    store.commit(told(press(1)))
    with store.engine.connect() as connection:
        pages["max"] = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    batch = told(*(press(seq) for seq in range(2, 800)))
    for _ in range(2):
        with pytest.raises(Unavailable, match="full"):
            store.commit(batch)
    assert store.heads()[Chain.OPEN].seq == 1
    pages["max"] = 1_000_000
    store.commit(batch)
    assert seqs(store) == list(range(1, 800))
    store.close()


def test_a_database_that_became_read_only_is_unavailable_and_comes_back(store: Store, read_only: Callable[[bool], None]) -> None:
    store.commit(told(press(1)))
    read_only(True)
    for _ in range(2):  # the first finds the connection gone, where there is a server
        with pytest.raises(Unavailable) as refused:
            store.commit(told(press(2)))
    assert "read" in str(refused.value)
    read_only(False)
    store.commit(told(press(2)))
    assert seqs(store) == [1, 2]


@pytest.fixture
def read_only(store: Store, database_url: str) -> Callable[[bool], None]:
    """Turn the database read-only and back: SQLite is told to refuse, since file modes mean nothing to root."""
    parsed = make_url(database_url)
    state = {"on": False}
    if parsed.get_backend_name() == "sqlite":

        @event.listens_for(store.engine, "begin")
        def _refuse(connection: Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA query_only={'ON' if state['on'] else 'OFF'}")

    def turn(on: bool) -> None:
        state["on"] = on
        if parsed.get_backend_name() == "postgresql":
            with psycopg.connect(host=parsed.query["host"], user="postgres", dbname="postgres", autocommit=True) as other:  # type: ignore[arg-type]  # one host
                other.execute(f"ALTER DATABASE {parsed.database} SET default_transaction_read_only = {on}".encode())
                other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (parsed.database,))

    return turn


def test_a_lost_server_is_unavailable_and_the_store_finds_it_again(postgres_url: str, open_at: Open) -> None:
    store = open_at(postgres_url)
    store.commit(told(press(1)))
    sever(postgres_url)
    with pytest.raises(Unavailable):
        store.commit(told(press(2)))
    store.commit(told(press(2)))
    assert seqs(store) == [1, 2]
    with pytest.raises(Unavailable, match="zone z1 is being written by server process"):
        Store.open(postgres_url, "z1")


def test_a_writer_that_lost_its_lock_to_another_stops(postgres_url: str, open_at: Open) -> None:
    first = open_at(postgres_url)
    first.commit(told(press(1)))
    sever(postgres_url)
    second = open_at(postgres_url)
    second.commit(told(press(7)))
    with pytest.raises(Unavailable):
        first.commit(told(press(2)))  # the lost connection
    with pytest.raises(Unavailable, match="is being written by"):
        first.commit(told(press(2)))
    second.close()
    with pytest.raises(BrokenPromise, match="another has written it"):
        first.commit(told(press(2)))


def sever(url: str) -> None:
    parsed = make_url(url)
    with psycopg.connect(host=parsed.query["host"], user="postgres", dbname="postgres", autocommit=True) as other:  # type: ignore[arg-type]  # one host
        other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (parsed.database,))


def answer_lost(raw: object) -> Exception:
    if not isinstance(raw, sqlite3.Connection):
        return psycopg.OperationalError("the answer is lost")
    fault = sqlite3.OperationalError("the answer is lost")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return fault


@pytest.mark.parametrize("landed", [True, False])
def test_a_commit_whose_answer_was_lost_is_neither_lost_nor_made_twice(store: Store, landed: bool) -> None:
    store.commit(told(press(1)))
    lose = {"next": True}

    def commit(connection: Connection) -> None:
        if lose.pop("next", False):
            raw = connection.connection.dbapi_connection
            assert raw is not None
            if landed:
                raw.execute("COMMIT") if isinstance(raw, sqlite3.Connection) else raw.commit()
            raise answer_lost(raw)

    event.listen(store.engine, "commit", commit)
    batch = told(press(2), press(3))
    with pytest.raises(Unavailable, match="the answer is lost"):
        store.commit(batch)
    store.commit([*batch, *told(press(4))])
    store.commit(told(press(5)))
    assert seqs(store) == [1, 2, 3, 4, 5]


def test_after_a_lost_answer_the_same_batch_may_come_in_parts_but_no_other(store: Store) -> None:
    lose = {"next": True}

    def commit(connection: Connection) -> None:
        if lose.pop("next", False):
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("COMMIT") if isinstance(raw, sqlite3.Connection) else raw.commit()
            raise answer_lost(raw)

    event.listen(store.engine, "commit", commit)
    batch = told(press(1), press(2), press(3))
    with pytest.raises(Unavailable):
        store.commit(batch)
    store.commit(batch[:1])
    with pytest.raises(BrokenPromise, match="expected the same ones"):
        store.commit(told(press(9)))
    store.commit(batch[1:])
    store.commit(told(press(4)))
    assert seqs(store) == [1, 2, 3, 4]


def test_a_damaged_file_is_no_passing_trouble(tmp_path: Path) -> None:
    (tmp_path / "zone.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(BrokenPromise, match="restore it from a copy"):
        Store.open(str(tmp_path / "zone.db"), "z1")


def test_readers_are_told_what_they_lack(tmp_path: Path) -> None:
    engine = database.connect(str(tmp_path / "none.db"))
    with pytest.raises(BadConfig, match="no such file"):
        database.check_tables(engine)
    sqlite3.connect(tmp_path / "none.db").close()
    (tmp_path / "none.db").touch()
    with pytest.raises(BadConfig, match="has no tables of Cuadra"):
        database.check_tables(engine)
