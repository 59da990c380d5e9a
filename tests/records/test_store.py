"""One writer, one transaction a batch, on both databases."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select, text

from controller.entries import Chain, GatewayStarted, IncidentMoved, StepSet
from controller.errors import BadConfig, BrokenPromise, Unavailable
from controller.records import database, journal, projections, tables
from controller.records.journal import Head
from controller.records.store import Store, rows
from tests.records.conftest import Open
from tests.records.facts import BOOT, night, opened, press, told


def test_what_was_committed_is_read_back_in_order_and_verified(store: Store) -> None:
    facts = night()
    heads = store.commit(told(*facts[:5]))
    heads = store.commit(told(*facts[5:]))
    entries = list(store.entries())
    assert [entry.body for entry in entries] == facts
    assert [entry.seq for entry in entries] == list(range(1, len(facts) + 1))
    assert heads == store.heads()
    assert heads[Chain.OPEN] == Head(len(facts), entries[-1].link)
    assert heads[Chain.SEALED] == journal.genesis("z1", Chain.SEALED)


def test_the_two_chains_stand_apart_and_the_open_one_is_told_first(store: Store) -> None:
    store.commit([*told(press(1), chain=Chain.SEALED), *told(press(2)), *told(opened("i1", silent=1), chain=Chain.SEALED)])
    assert [(entry.chain, entry.seq) for entry in store.entries()] == [(Chain.OPEN, 1), (Chain.SEALED, 1), (Chain.SEALED, 2)]
    assert [entry.seq for entry in store.entries(Chain.SEALED, after=1)] == [2]


def test_a_store_goes_on_where_the_last_one_ended(open_store: Open) -> None:
    first = open_store()
    first.commit(told(press(1)))
    first.close()
    second = open_store()
    second.commit(told(press(2)))
    assert [entry.seq for entry in second.entries()] == [1, 2]


def test_pages_of_a_long_chain_join_up(store: Store) -> None:
    for start in range(0, 4500, 1500):
        store.commit(told(*(press(start + n + 1) for n in range(1500))))
    assert sum(1 for _ in store.entries()) == 4500
    assert [entry.seq for entry in store.entries(Chain.OPEN, after=4498)] == [4499, 4500]


def test_the_inbox_learns_in_one_question_what_is_on_record(store: Store) -> None:
    store.commit(told(press(1, "a" * 32), press(2, "b" * 32), press(2, "c" * 32, conflicts_with="b" * 32)))
    store.commit(told(press(7, "d" * 32), chain=Chain.SEALED))
    answer = store.known([("b12n1", BOOT, seq) for seq in (1, 2, 3, 7)] + [("b13n1", BOOT, 1)])
    assert {triple[2]: set(digests) for triple, digests in answer.items()} == {1: {"a" * 32}, 2: {"b" * 32, "c" * 32}, 7: {"d" * 32}}
    assert store.known([]) == {}
    assert len(store.known([("b12n1", BOOT, seq) for seq in range(1, 6001)])) == 3


def test_a_press_is_recorded_once_and_a_second_time_is_our_own_fault(store: Store) -> None:
    store.commit(told(press(1)))
    before = store.heads()
    with pytest.raises(BrokenPromise):
        store.commit(told(press(5), press(1)))
    assert store.heads() == before
    assert list(store.known([("b12n1", BOOT, 5)])) == []
    store.commit(told(press(5)))
    assert [entry.seq for entry in store.entries()] == [1, 2]


def test_projections_say_what_the_entries_say_and_a_fold_of_the_journal_says_the_same(store: Store) -> None:
    facts = told(*night())
    for n in range(0, len(facts), 3):
        store.commit(facts[n:n + 3])
    with store.engine.connect() as connection:
        incident = connection.execute(select(tables.INCIDENT)).mappings().one()
        expected = {"state": "closed", "kind": "fire", "taken_by": "m1", "outcome": "real", "step_due_at_ms": 0}
        assert {name: incident[name] for name in expected} == expected
        notices = {row["notice"]: row["state"] for row in connection.execute(select(tables.NOTICE)).mappings()}
        assert notices == {"i1-1": "heard", "i1-2": "waiting"}
        assert {row["fault"]: row["ended_at_ms"] > 0 for row in connection.execute(select(tables.FAULT)).mappings()} == {"f1": True, "f2": False}
        assert connection.execute(select(tables.NODE_STATE.c.online)).scalar_one() == 0
        again: projections.Changes = {}
        for entry in store.entries():
            projections.fold(again, entry.chain, entry.at_ms, entry.body)
        for (table, row_id), columns in again.items():
            found = next(row for row in connection.execute(select(projections.KEYS[table])).mappings() if row_id in row.values())
            assert {name: found[name] for name in columns} == columns


def test_a_closed_incident_has_no_step_that_is_due_and_one_that_is_opened_again_has(store: Store) -> None:
    def due() -> int:
        with store.engine.connect() as connection:
            return int(connection.execute(select(tables.INCIDENT.c.step_due_at_ms)).scalar_one())

    store.commit(told(press(1), opened("i1"), StepSet("i1", 1, 1_790_000_060_000)))
    assert due() == 1_790_000_060_000
    store.commit(told(IncidentMoved("i1", "closed", "rules", outcome="unknown")))
    assert due() == 0
    store.commit(told(IncidentMoved("i1", "opened", "block"), StepSet("i1", 1, 1_790_000_120_000)))
    assert due() == 1_790_000_120_000


def test_a_silent_press_leaves_no_trace_in_what_is_known_of_its_node(store: Store) -> None:
    store.commit(told(press(1), chain=Chain.SEALED))
    with store.engine.connect() as connection:
        assert connection.execute(select(tables.NODE_STATE)).all() == []


def test_an_entry_that_is_malformed_is_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(BrokenPromise, match="press"):
        store.commit(told(GatewayStarted("1"), press(True)))
    assert list(store.entries()) == []
    store.commit(told(GatewayStarted("1")))


def test_who_finds_the_chain_longer_than_it_left_it_stops(store: Store, open_store: Open) -> None:
    store.commit(told(press(1)))
    row, _ = journal.append("z1", store.heads(), told(press(2)), bytes(16))
    with store.engine.begin() as connection:
        connection.execute(tables.JOURNAL.insert(), [{"zone": "z1", "chain": "open", "seq": 2, "bytes": row[0][1].data, "link": row[0][1].link}])
    with pytest.raises(BrokenPromise, match="open chain: ends at entry 2 in the database; this process left it at entry 1"):
        store.commit(told(press(3)))
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM journal"))
    with pytest.raises(BrokenPromise, match="ends at entry 0"):
        store.commit(told(press(3)))
    assert open_store("z2").heads()[Chain.OPEN].seq == 0


def test_only_one_gateway_writes_a_zone_and_the_second_is_told_who(store: Store, database_url: str, open_store: Open) -> None:
    with pytest.raises(Unavailable, match=r"zone z1 is being written by (process|server process) \d+") as refused:
        Store.open(database_url, "z1")
    assert "stop that one first" in str(refused.value)
    open_store("z2").commit(told(press(1)))
    store.commit(told(press(1)))
    store.close()
    open_store("z1").commit(told(press(2)))


def test_another_process_reads_while_the_gateway_writes(store: Store, database_url: str) -> None:
    store.commit(told(press(1)))
    stop = threading.Event()

    def write() -> None:
        seq = 1
        while not stop.is_set():
            store.commit(told(*(press(seq := seq + 1) for _ in range(20))))

    writing = threading.Thread(target=write)
    writing.start()
    try:
        program = (
            "import sys; from controller.records import database, journal; from controller.records.store import rows\n"
            "from controller.entries import Chain\n"
            "engine = database.connect(sys.argv[1]); database.check_tables(engine)\n"
            "verdict = journal.verify('z1', Chain.OPEN, rows(engine, 'z1', Chain.OPEN))\n"
            "print(verdict.entries); sys.exit(len(verdict.findings))\n"
        )
        done = subprocess.run([sys.executable, "-c", program, database_url], capture_output=True, text=True, timeout=60, check=False)
    finally:
        stop.set()
        writing.join()
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1


def test_a_folder_that_cannot_be_made_and_a_wrong_url_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadConfig, match="cannot be made"):
        Store.open(str(tmp_path / "file" / "deep" / "zone.db"), "z1")
    for url in ("mysql://x/y", "sqlite://", "sqlite:///:memory:", "://"):
        with pytest.raises(BadConfig, match="expected sqlite:///path"):
            database.connect(url)


def test_rows_of_another_zone_are_not_seen(store: Store, open_store: Open) -> None:
    open_store("z2").commit(told(press(1), press(2)))
    store.commit(told(press(1)))
    assert len(list(rows(store.engine, "z1", Chain.OPEN))) == 1


def test_a_store_that_is_closed_while_it_commits_lets_that_end_and_takes_no_other(store: Store) -> None:
    under_way, go_on = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def hold(_connection: Connection) -> None:
        under_way.set()
        go_on.wait(10)

    def work() -> None:
        for seq in (1, 2):
            try:
                outcomes.append(store.commit(told(press(seq)))[Chain.OPEN].seq)
            except Unavailable:
                outcomes.append("unavailable")

    event.listen(store.engine, "commit", hold)
    writer = threading.Thread(target=work)
    writer.start()
    under_way.wait(10)
    closer = threading.Thread(target=store.close)
    closer.start()
    go_on.set()
    closer.join()
    writer.join()
    assert outcomes in ([1, "unavailable"], [1, 2]), "each commit is whole, whichever came first"
    with pytest.raises(Unavailable, match="closed"):
        store.commit(told(press(3)))
