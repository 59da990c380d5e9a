"""APSW as SQLAlchemy wants a driver, so that the records can lie on a `Disk`: `sqlite+disk:////path?disk=NAME`.

Python's sqlite3 is another copy of the SQLite library and knows nothing of a VFS that APSW has registered. Errors come as
sqlite3's, with their result code, since that is what the records name them by.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import apsw
from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from tests.power.vfs import Connection as OnDisk
from tests.power.vfs import Disk

_disks: WeakValueDictionary[str, Disk] = WeakValueDictionary()


def url_on(disk: Disk, file: str = "records.sqlite") -> str:
    """The URL of a database on `disk`."""
    _disks[disk.name] = disk
    return f"sqlite+disk:///{disk.folder / file}?disk={disk.name}"


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as fault:
        code = getattr(fault, "extendedresult", 0) or getattr(fault, "result", apsw.SQLITE_ERROR)
        kind = sqlite3.IntegrityError if code & 0xFF == apsw.SQLITE_CONSTRAINT else sqlite3.OperationalError
        named = kind(str(fault))
        named.sqlite_errorcode = code
        raise named from fault


class Cursor:
    """A statement's rows, read at once."""

    arraysize = 1

    def __init__(self, of: "Connection") -> None:
        self._of = of
        self._rows: list[Any] = []
        self.description: tuple[Any, ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        self._run(statement, [parameters])
        return self

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> "Cursor":
        self._run(statement, many)
        return self

    def _run(self, statement: str, many: Sequence[Sequence[Any]]) -> None:
        real = self._of.real.apsw
        cursor = real.cursor()
        described: list[tuple[Any, ...]] = []

        def describe(traced: apsw.Cursor, _statement: str, _parameters: object) -> bool:
            described[:] = [(name, None, None, None, None, None, None) for name, _ in traced.get_description()]
            return True

        cursor.exec_trace = describe  # the only moment at which a statement without rows tells its columns
        before = real.total_changes()
        with _as_sqlite3():
            self._rows = [row for one in many for row in cursor.execute(self._of.disk.rewrite(statement), tuple(one))]
        self.description = tuple(described) or None
        self.rowcount = -1 if described else real.total_changes() - before
        self.lastrowid = real.last_insert_rowid()

    def fetchone(self) -> Any:  # noqa: ANN401 (a row is whatever was asked for)
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._rows = []


class Connection:
    """What SQLAlchemy and the records ask of a sqlite3 connection in autocommit."""

    isolation_level: str | None = None

    def __init__(self, disk: Disk, path: str) -> None:
        self.disk = disk
        with _as_sqlite3():
            self.real = OnDisk(disk, path)

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.cursor().execute(statement, parameters)

    def commit(self) -> None:
        if self.real.apsw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.real.apsw.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, arity: int, function: Callable[..., Any], *, deterministic: bool = False) -> None:
        self.real.apsw.create_scalar_function(name, function, arity, deterministic=deterministic)

    def close(self) -> None:
        with _as_sqlite3():
            self.real.close()


def _connect(path: str, *, disk: str, **_: object) -> Connection:
    return Connection(_disks[disk], path)


class DiskDialect(SQLiteDialect_pysqlite):
    """`sqlite+disk`."""

    driver = "disk"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:  # noqa: ANN401 (SQLAlchemy's signature)
        """What SQLAlchemy looks for in a driver's module."""
        errors = {name: getattr(sqlite3, name) for name in (
            "Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError",
            "ProgrammingError", "NotSupportedError",
        )}
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        return SimpleNamespace(connect=_connect, paramstyle="qmark", sqlite_version_info=version, Binary=bytes, **errors)

    def create_connect_args(self, url: URL) -> Any:  # noqa: ANN401 (SQLAlchemy's signature)
        """The file, and the disk it lies on."""
        return [url.database], {"disk": url.query["disk"]}


registry.register("sqlite.disk", __name__, "DiskDialect")
