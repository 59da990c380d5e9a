"""The database under the records: SQLite by default, PostgreSQL by URL, the same code above. What differs is in this file."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from controller.errors import BadConfig, BrokenPromise, Unavailable

MIGRATION_S: Final = 10.0
BUSY_MS: Final = 500
"""How long a statement waits for somebody else's lock: short, since the gateway tells people from memory after 2 s."""

WRITES: Final = {"cuadra_writes": True}
"""Execution option of a connection whose transactions write: SQLite then takes the write lock at their start."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK: Final = 0x63756164
_SQLITE_LATER: Final = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_INTERRUPT,
})
_SQLITE_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_POSTGRES_LATER: Final = ("08", "25006", "40", "53", "55P03", "57", "58")
"""SQLSTATE: connection, read-only, rolled back, no room, lock not available, stopped by an operator, system error."""


def connect(url: str) -> Engine:
    """An engine for `url`: `sqlite:///path`, `postgresql://user@host/name`, or the path of a SQLite file.

    Nothing is opened yet. Raises BadConfig when `url` is none of these.
    """
    try:
        parsed = make_url(url) if "://" in url else URL.create("sqlite", database=url)
    except ArgumentError as fault:
        raise BadConfig(['database: not a URL; expected sqlite:///path/to/file or postgresql://user@host/name; correct it']) from fault
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgres(parsed)
    raise BadConfig([f"database: {parsed.render_as_string()}; expected sqlite:///path/to/file or postgresql://user@host/name; correct it"])


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # Python's own BEGIN comes too late and is never IMMEDIATE
        for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("cuadra_writes") else "BEGIN")

    return engine


def _postgres(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        connect_args={
            "connect_timeout": 2, "tcp_user_timeout": 2000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
            "application_name": "cuadra",
            # What is said to be committed must be on disk, whatever the server's own settings say.
            "options": f"-c synchronous_commit=on -c lock_timeout={BUSY_MS} -c timezone=UTC",
        },
    )


def name_of(engine: Engine) -> str:
    """What to call the database in a message; without a password."""
    return engine.url.database or "" if is_sqlite(engine) else engine.url.set(password=None).render_as_string()


def is_sqlite(engine: Engine) -> bool:
    """Whether it is a file on this machine."""
    return engine.dialect.name == "sqlite"


def mark(engine: Engine) -> str:
    """How the driver writes a parameter in a statement's text."""
    return "?" if is_sqlite(engine) else "%s"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that writes, committed at the end. Raises as `trouble` says."""
    with trouble(engine), engine.connect().execution_options(**WRITES) as connection, connection.begin():
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see one moment. Raises as `trouble` says."""
    options = {} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ"}
    with trouble(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def trouble(engine: Engine) -> Iterator[None]:
    """Give the database's faults their class.

    Raises Unavailable for what may work later (a full, locked, read-only or absent disk, a lost server), BrokenPromise for
    a damaged file or a row that may not be; anything else is our own mistake and passes as it is. The text never bears
    a statement's parameters.
    """
    try:
        yield
    except PoolTimeout as fault:
        raise Unavailable(f"database {name_of(engine)}: every connection is in use; expected one to come free; it is tried again") from fault
    except DBAPIError as fault:
        raise _named(engine, fault.orig, lost=fault.connection_invalidated) from None  # SQLAlchemy's own text holds the statement's parameters
    except engine.dialect.loaded_dbapi.Error as fault:  # from a statement that went to the driver directly
        raise _named(engine, fault) from None


def _named(engine: Engine, cause: BaseException | None, *, lost: bool = False) -> Exception:
    where = f"database {name_of(engine)}"
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in _SQLITE_LATER:
            return Unavailable(f"{where}: {cause}; expected a disk with room that may be written and no long lock; it is tried again")
        if code in _SQLITE_DAMAGED:
            return BrokenPromise(f"{where}: {cause}; expected a whole SQLite file; restore it from a copy")
        return BrokenPromise(f"{where}: {cause}")
    state = getattr(cause, "sqlstate", None)
    if lost or (state is None and "OperationalError" in type(cause).__name__) or (state or "").startswith(_POSTGRES_LATER):
        said = str(cause).strip().splitlines() or ["connection lost"]
        return Unavailable(f"{where}: {said[0]}; expected a server that answers and may be written; it is tried again")
    # The server's detail line can hold a row's values, the first line names the rule alone.
    return BrokenPromise(f"{where}: {str(cause).strip().splitlines()[0]}")


def migrate(engine: Engine) -> None:
    """Bring the database to this version's tables, whatever version's they are or none.

    One that another process is migrating now is waited for: making the tables takes longer than a lock may at night.
    Raises BadConfig when a newer version of Cuadra has been there; Unavailable as `trouble` says.
    """
    until = time.monotonic() + MIGRATION_S
    while True:
        try:
            return _migrate(engine)
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(BUSY_MS / 1000)


def _migrate(engine: Engine) -> None:
    with writing(engine) as connection:
        if not is_sqlite(engine):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        if _revision(connection) == _newest():
            return
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as fault:
            raise _newer(engine) from fault


def check_tables(engine: Engine) -> None:
    """Nothing, when the database has this version's tables. For those who only read.

    Raises BadConfig, saying what to do, when it is not there or its tables are another version's.
    """
    if is_sqlite(engine) and not Path(name_of(engine)).is_file():
        raise BadConfig([
            f"database {name_of(engine)}: no such file; "
            "expected a database that a gateway or `cuadra registry import` has made; correct --database"
        ])
    with trouble(engine), engine.connect() as connection:
        found = _revision(connection)
    if found is None:
        raise BadConfig([
            f"database {name_of(engine)}: has no tables of Cuadra; "
            "expected one that a gateway or `cuadra registry import` has made; correct --database"
        ])
    if found != _newest():
        if found not in {script.revision for script in _scripts().walk_revisions()}:
            raise _newer(engine)
        raise BadConfig([f"database {name_of(engine)}: has the tables of an older version; start the gateway once, which brings them up to date"])


def _newer(engine: Engine) -> BadConfig:
    return BadConfig([
        f"database {name_of(engine)}: has the tables of a newer version of Cuadra; "
        f"expected {_newest()} or older; install that version"
    ])


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _newest() -> str:
    return _scripts().get_current_head() or ""


def _revision(connection: Connection) -> Any:  # noqa: ANN401 (alembic's own type)
    return MigrationContext.configure(connection).get_current_revision()
