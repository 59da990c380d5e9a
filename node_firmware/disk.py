"""The SD card as it is: how a database on it is opened, what ails it, and what can be read of a broken one."""

import contextlib
import errno
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

logger = logging.getLogger(__name__)

SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS press (boot TEXT, seq INTEGER, payload BLOB NOT NULL, made_at_ms INTEGER NOT NULL,"
    " kernel TEXT NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (boot, seq))",
    "CREATE TABLE IF NOT EXISTS stream (boot TEXT PRIMARY KEY, last INTEGER NOT NULL, secret INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
)
_READ_ONLY, _IO, _CORRUPT, _FULL, _CANNOT_OPEN, _NOT_A_DATABASE = 8, 10, 11, 13, 14, 26


class Cursor(Protocol):
    """What a statement gives back."""

    def __iter__(self) -> Iterator[Any]:
        """Its rows."""
        ...


class Connection(Protocol):
    """The little of a database connection that is used: `sqlite3` and APSW both serve it."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


Connect = Callable[[str], Connection]
"""Opens the file at a path, in autocommit: transactions are begun and committed by statements. Its errors bear SQLite's
result code as `sqlite_errorcode` (sqlite3) or `result` (APSW)."""


def connect_sqlite(path: str) -> Connection:
    """The standard library's connection. Used by one thread only, which is not the one that opened it."""
    connection: Connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    return connection


class Contents(NamedTuple):
    """All rows: presses in the order in which they were written, facts by name, and how far each stream came, the oldest first."""

    presses: list[tuple[str, int, bytes, int, str, int]]
    facts: dict[str, bytes]
    streams: Sequence[tuple[str, int, int]] = ()


def execute(connection: Connection, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Run one statement to its end; its rows."""
    return list(connection.execute(statement, parameters))


_STREAMS: Final = "SELECT boot, last, secret FROM stream ORDER BY rowid"
_PRESSES: Final = "SELECT boot, seq, payload, made_at_ms, kernel, rank FROM press ORDER BY rowid"


def read(connection: Connection) -> Contents:
    """All that it holds."""
    return Contents(
        [tuple(row) for row in execute(connection, _PRESSES)],
        {name: bytes(value) for name, value in execute(connection, "SELECT name, value FROM fact")},
        [tuple(row) for row in execute(connection, _STREAMS)],
    )


def salvage(path: Path, connect: Connect) -> Contents:
    """What can be read of a database that cannot be opened for writing: from both ends, up to the damage.

    Reads a copy in memory-backed storage, since even reading needs a place to write.
    """
    presses: dict[tuple[str, int], tuple[str, int, bytes, int, str, int]] = {}
    facts: dict[str, bytes] = {}
    streams: list[tuple[str, int, int]] = []
    shm = Path("/dev/shm")  # noqa: S108 (memory-backed; the folder within is ours alone)
    with tempfile.TemporaryDirectory(prefix="cuadra-outbox-", dir=shm if shm.is_dir() else None) as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal", "-journal"):
            with contextlib.suppress(OSError):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        if not copy.exists():
            return Contents([], {})
        for order in ("", " DESC"):
            with contextlib.suppress(Exception):  # the damage: what came before it is kept
                connection = connect(str(copy))
                try:
                    for row in connection.execute(_PRESSES + order, ()):
                        presses[row[0], row[1]] = tuple(row)
                finally:
                    connection.close()
        with contextlib.suppress(Exception):  # the damage
            connection = connect(str(copy))
            try:
                for name, value in connection.execute("SELECT name, value FROM fact", ()):
                    facts[name] = bytes(value)
                streams = [tuple(row) for row in connection.execute(_STREAMS, ())]
            finally:
                connection.close()
    logger.warning("outbox: what can be read of %s was read", path)
    return Contents(list(presses.values()), facts, streams)


def _result(fault: Exception) -> int:
    code = getattr(fault, "sqlite_errorcode", None) or getattr(fault, "result", 0)
    return code & 0xFF if isinstance(code, int) else 0


def is_damage(fault: Exception) -> bool:
    """The database itself is damaged: trying again cannot help."""
    return _result(fault) in (_CORRUPT, _NOT_A_DATABASE)


def fault_code(fault: Exception, path: Path) -> str:
    """What ails the disk, as a node's fault names it."""
    result = _result(fault)
    if result == _FULL or getattr(fault, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full"
    if result == _READ_ONLY or getattr(fault, "errno", None) in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "disk-read-only"
    if result in (_CANNOT_OPEN, _IO):
        # SQLite says no more than "cannot open" and "I/O error": the file system is asked which it is.
        with contextlib.suppress(OSError):
            folder = next(folder for folder in path.parents if folder.exists())
            system = os.statvfs(folder)
            if system.f_flag & os.ST_RDONLY or not all(os.access(one, os.W_OK) for one in (folder, path) if one.exists()):
                return "disk-read-only"
            if system.f_bavail == 0:
                return "disk-full"
    return "disk-damaged"


def sync_folder(folder: Path) -> None:
    """So that a power cut does not lose the new file's name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
