"""A zone's records: the one writer of its two chains, and what may be read beside it.

A commit is one transaction: the entries, the presses the inbox asks for, and the projections. When it fails because the
disk is full or the server is gone, nothing is changed in memory either, and the same additions can be committed again.
One case is hard: the server is lost while it commits, and nobody knows whether it did. The additions that may have been
written are remembered; if the stored chains show, at the next commit, that they are there, they are not written twice.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor

from controller.entries import Body, Chain, PressRecorded
from controller.errors import BadConfig, BrokenPromise, CuadraError, Unavailable
from controller.records import database, journal, projections
from controller.records.journal import Addition, Entry, Head, Row
from controller.records.zone_lock import FileLock, lock_zone

logger = logging.getLogger(__name__)

Triple = tuple[str, str, int]
"""(node, boot, seq)."""
Life = tuple[str, str]
"""(node, boot)."""
Fact = tuple[Chain, int, Body]
"""(chain, at_ms UTC, body): an `Addition`, or a plain tuple like it."""

CLOSE_S: Final = 5.0
_PAGE: Final = 2000
_ASK_AT_ONCE: Final = 5000


class Store:
    """The records of one zone, opened for writing. `commit` is called from one thread at a time, the rest from any."""

    def __init__(self, engine: Engine, zone: str, draw: Callable[[int], bytes]) -> None:
        self.zone = zone
        self._engine = engine
        self._draw = draw
        self._statements = _Statements(database.mark(engine))
        self._file_lock = FileLock(Path(database.name_of(engine)), zone) if database.is_sqlite(engine) else None
        self._writer: Connection | None = None
        self._heads = {chain: journal.genesis(zone, chain) for chain in Chain}
        self._writing = threading.Lock()
        self._closed = False
        self._uncertain: tuple[list[Addition], dict[Chain, Head]] | None = None
        self._landed: list[Addition] = []

    @classmethod
    def open(cls, url: str, zone: str, *, draw: Callable[[int], bytes] = os.urandom) -> "Store":
        """Open the zone's records for writing, with the tables brought up to date; made if they are not there.

        url: see `database.connect`. draw: where salts come from.
        Raises BadConfig for a wrong URL or a newer version's tables; Unavailable, naming the holder, when another process
        writes this zone, or when the database cannot be used now.
        """
        engine = database.connect(url)
        if database.is_sqlite(engine):
            _make_folder(Path(database.name_of(engine)))
        store = cls(engine, zone, draw)
        try:
            database.migrate(engine)
            with database.trouble(engine):
                connection = store._connected()
                with connection.begin(), closing(connection.connection.cursor()) as cursor:
                    store._heads = store._stored_heads(cursor)
        except CuadraError:
            store.close()
            raise
        return store

    @property
    def engine(self) -> Engine:
        """The database itself, for what is read beside: private values, registry, reports."""
        return self._engine

    def heads(self) -> dict[Chain, Head]:
        """Where both chains end, as last committed."""
        return dict(self._heads)

    def lives(self) -> set[Life]:
        """The lives of nodes that have a press on record. Raises Unavailable."""
        with database.trouble(self._engine), self._engine.connect() as connection:
            return {(node, boot) for node, boot in connection.exec_driver_sql(self._statements.lives, (self.zone,))}

    def known(self, triples: Iterable[Triple]) -> dict[Triple, frozenset[str]]:
        """Which of these presses are on record, and with which digests; those that are not are left out.

        A digest of yours among them: a repeat. Another digest: the same triple with another body. One query a batch.
        Raises Unavailable.
        """
        found: dict[Triple, frozenset[str]] = {}
        wanted = list(triples)
        with database.trouble(self._engine), self._engine.connect() as connection:
            for start in range(0, len(wanted), _ASK_AT_ONCE):
                part = wanted[start:start + _ASK_AT_ONCE]
                values = tuple(value for triple in part for value in triple)
                for node, boot, seq, digest in connection.exec_driver_sql(self._statements.known(len(part)), (self.zone, *values)):
                    found[node, boot, seq] = found.get((node, boot, seq), frozenset()) | {digest}
        return found

    def commit(self, batch: Sequence[Fact]) -> dict[Chain, Head]:
        """Add `batch`, in its order, durably: on return it is on disk. Returns the new heads.

        Presses and projections change in the same transaction. After Unavailable, the same additions (equal, and in the
        same order) are committed again before any others; then nothing is lost and nothing stands there twice.
        Raises Unavailable (full, locked, read-only or absent disk, lost server, somebody else's lock): nothing is known to
        be written. BrokenPromise: the stored chains do not end where this process left them, an addition is malformed, or a
        press is on record already; nothing is written.
        """
        if not batch:
            return self.heads()
        with self._writing:
            try:
                with database.trouble(self._engine):
                    return self._commit([Addition(*fact) for fact in batch])
            except BaseException:
                self._disconnect()
                raise

    def _commit(self, batch: list[Addition]) -> dict[Chain, Head]:
        connection = self._connected()
        with connection.begin() as transaction, closing(connection.connection.cursor()) as cursor:
            self._settle(self._stored_heads(cursor))
            there = self._landed[:len(batch)]
            if batch[:len(there)] != there:
                raise BrokenPromise(
                    f"zone {self.zone}: other additions came than those that may already be written; "
                    "expected the same ones, in the same order, after Unavailable"
                )
            rest = batch[len(there):]
            rows, heads = journal.append(self.zone, self._heads, rest, self._draw(journal.SALT_BYTES * len(rest)))
            self._write(cursor, rest, rows)
            self._uncertain = (rest, heads)
            transaction.commit()
        self._uncertain = None
        self._landed = self._landed[len(there):]
        self._heads = heads
        return dict(heads)

    def _settle(self, stored: Mapping[Chain, Head]) -> None:
        """Find out whether the additions whose commit was never answered are there."""
        uncertain, self._uncertain = self._uncertain, None
        if stored == self._heads:
            return
        if uncertain is not None and stored == uncertain[1]:
            self._heads = dict(stored)
            self._landed = uncertain[0] + self._landed
            return
        differing = next(chain for chain in Chain if stored[chain] != self._heads[chain])
        raise BrokenPromise(
            f"zone {self.zone}, {differing} chain: ends at entry {stored[differing].seq} in the database; this process left it at entry "
            f"{self._heads[differing].seq}; another has written it, or it was changed; run `cuadra journal verify`, then start the gateway anew"
        )

    def _write(self, cursor: DBAPICursor, batch: Sequence[Addition], rows: Sequence[tuple[Chain, Row]]) -> None:
        zone = self.zone
        self._many(cursor, self._statements.journal, [(zone, chain.value, row.seq, row.data, row.link) for chain, row in rows])
        presses: list[tuple[Any, ...]] = []
        unchecked: list[tuple[Any, ...]] = []
        changes: projections.Changes = {}
        for (chain, at_ms, body), (_, row) in zip(batch, rows, strict=True):
            projections.fold(changes, chain, at_ms, body)
            if isinstance(body, PressRecorded):
                (unchecked if body.unchecked else presses).append((zone, body.node, body.boot, body.seq, body.digest, chain.value, row.seq))
        self._many(cursor, self._statements.press, presses)
        self._many(cursor, self._statements.unchecked, unchecked)
        grouped: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
        for (table, row_id), columns in changes.items():
            grouped.setdefault((table, tuple(columns)), []).append((zone, row_id, *columns.values()))
        for (table, names), values in grouped.items():
            self._many(cursor, self._statements.change(table, names), values)

    @staticmethod
    def _many(cursor: DBAPICursor, statement: str, values: list[tuple[Any, ...]]) -> None:
        if len(values) == 1:
            cursor.execute(statement, values[0])
        elif values:
            cursor.executemany(statement, values)

    def keep_checkpoint(self, chain: Chain, seq: int, at_ms: int, note: str) -> None:
        """Keep a signed note. Called by the thread that commits. Raises Unavailable."""
        with self._writing:
            try:
                with database.trouble(self._engine):
                    connection = self._connected()
                    with connection.begin():
                        connection.exec_driver_sql(self._statements.checkpoint, (self.zone, chain.value, seq, at_ms, note))
            except BaseException:
                self._disconnect()
                raise

    def entries(self, chain: Chain | None = None, after: int = 0) -> Iterator[Entry]:
        """The entries after number `after`, verified while they are read; with no chain the open one, then the sealed one.

        Raises BrokenPromise at the first that does not verify; Unavailable.
        """
        for one in Chain if chain is None else (chain,):
            before = head_at(self._engine, self.zone, one, after)
            yield from journal.read_chain(self.zone, one, rows(self._engine, self.zone, one, after), before)

    def close(self) -> None:
        """Let go of the database and of the zone. Once more does nothing; a store that is closed is not used again.

        A commit that is under way in another thread is waited for. One that hangs keeps its connection and the zone: only
        the process's end takes them from it.
        """
        if not self._writing.acquire(timeout=CLOSE_S):
            logger.warning("zone %s: a commit has hung for over %.0f s; its connection is left to the process's end", self.zone, CLOSE_S)
            return
        try:
            self._closed = True
            self._disconnect()
        finally:
            self._writing.release()
        self._engine.dispose()
        if self._file_lock is not None:
            self._file_lock.release()
            self._file_lock = None

    def _connected(self) -> Connection:
        if self._closed:
            raise Unavailable(f"zone {self.zone}: its records are closed; start the gateway anew")
        if self._writer is None:
            connection = self._engine.connect().execution_options(**database.WRITES)
            try:
                if self._file_lock is None:
                    with connection.begin():
                        lock_zone(connection, self.zone)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._writer = connection
        return self._writer

    def _disconnect(self) -> None:
        """After any trouble the connection is given up: a new one has no half-done transaction, and no lock it lost."""
        connection, self._writer = self._writer, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _stored_heads(self, cursor: DBAPICursor) -> dict[Chain, Head]:
        return _stored_heads(cursor, self._statements, self.zone)


class _Statements:
    """The writer's SQL, once for both databases, and for the driver itself: through SQLAlchemy each costs three times as much."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self.journal = self._insert("journal", ("zone", "chain", "seq", "bytes", "link"))
        self.press = self._insert("press", ("zone", "node", "boot", "seq", "digest", "chain", "journal_seq"))
        self.unchecked = self.press + " ON CONFLICT DO NOTHING"
        self.checkpoint = self._insert("checkpoint", ("zone", "chain", "seq", "at_ms", "note")) + " ON CONFLICT DO NOTHING"
        last = f"SELECT * FROM (SELECT chain, seq, link FROM journal WHERE zone = {mark} AND chain = '{{}}' ORDER BY seq DESC LIMIT 1) AS {{}}"  # noqa: S608 (marks only)
        self.heads = " UNION ALL ".join(last.format(chain.value, f"last_{chain.value}") for chain in Chain)
        self.lives = f"SELECT DISTINCT node, boot FROM press WHERE zone = {mark}"  # noqa: S608 (marks only)
        self._changes: dict[tuple[str, tuple[str, ...]], str] = {}

    def known(self, count: int) -> str:
        mark = self._mark
        rows = ", ".join([f"({mark}, {mark}, {mark})"] * count)
        return f"SELECT node, boot, seq, digest FROM press WHERE zone = {mark} AND (node, boot, seq) IN (VALUES {rows})"  # noqa: S608 (marks only)

    def change(self, table: str, columns: tuple[str, ...]) -> str:
        statement = self._changes.get((table, columns))
        if statement is None:
            key = [column.name for column in projections.KEYS[table].primary_key]
            changed = ", ".join(f'"{column}" = excluded."{column}"' for column in columns)
            statement = f"{self._insert(table, (*key, *columns))} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"
            self._changes[table, columns] = statement
        return statement

    def _insert(self, table: str, columns: tuple[str, ...]) -> str:
        names = ", ".join(f'"{column}"' for column in columns)
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join([self._mark] * len(columns))})"  # noqa: S608 (our own names)


def _stored_heads(cursor: DBAPICursor, statements: _Statements, zone: str) -> dict[Chain, Head]:
    heads = {chain: journal.genesis(zone, chain) for chain in Chain}
    cursor.execute(statements.heads, (zone, zone))
    for chain, seq, link in cursor.fetchall():
        heads[Chain(chain)] = Head(seq, bytes(link))
    return heads


def rows(engine: Engine, zone: str, chain: Chain, after: int = 0) -> Iterator[Row]:
    """The stored rows after number `after`, page by page, while others write. Raises Unavailable."""
    mark = database.mark(engine)
    query = f"SELECT seq, bytes, link FROM journal WHERE zone = {mark} AND chain = {mark} AND seq > {mark} ORDER BY seq LIMIT {_PAGE}"  # noqa: S608 (marks only)
    while True:
        with database.trouble(engine), engine.connect() as connection:
            page = connection.exec_driver_sql(query, (zone, chain.value, after)).all()
        for seq, stored, link in page:
            yield Row(seq, bytes(stored), bytes(link))
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def last_head(engine: Engine, zone: str, chain: Chain) -> Head:
    """Where the stored chain ends now. Raises Unavailable."""
    with database.trouble(engine), engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
        return _stored_heads(cursor, _Statements(database.mark(engine)), zone)[chain]


def head_at(engine: Engine, zone: str, chain: Chain, seq: int) -> Head:
    """Entry `seq` as the head it once was; 0: before the first.

    Raises BrokenPromise when there is no such entry; Unavailable.
    """
    if seq == 0:
        return journal.genesis(zone, chain)
    mark = database.mark(engine)
    with database.trouble(engine), engine.connect() as connection:
        link = connection.exec_driver_sql(
            f"SELECT link FROM journal WHERE zone = {mark} AND chain = {mark} AND seq = {mark}", (zone, chain.value, seq),  # noqa: S608 (marks only)
        ).scalar()
    if link is None:
        raise BrokenPromise(
            f"journal of zone {zone}, {chain} chain: no entry {seq}; "
            "expected it, since it was read before; run `cuadra journal verify`"
        )
    return Head(seq, bytes(link))


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise BadConfig([
            f"{path.parent}: cannot be made ({fault.strerror}); "
            "expected a folder this user may write; correct the database's path"
        ]) from fault
