"""What the migrations make is what tables.py says."""

import threading
from importlib import resources
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, DefaultClause, inspect

from controller.errors import BadConfig, CuadraError
from controller.records import database
from controller.records.tables import METADATA


def test_the_migrated_database_has_exactly_the_tables(database_url: str) -> None:
    engine = database.connect(database_url)
    database.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        found = inspect(connection)
        for name, table in METADATA.tables.items():
            assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]
            assert found.get_pk_constraint(name)["constrained_columns"][0] == "zone"
            # Alembic's own comparison of defaults takes an empty text in SQLite for another one.
            assert {column["name"]: default_of(column["default"]) for column in found.get_columns(name)} == {
                column.name: default_of(column.server_default.arg if isinstance(column.server_default, DefaultClause) else None)
                for column in table.columns
            }
            referred = {key["referred_table"] for key in found.get_foreign_keys(name)}
            assert referred == {key.referred_table.name for key in table.foreign_key_constraints}
    database.check_tables(engine)
    engine.dispose()


def default_of(default: object) -> str | None:
    """A column's default as a value: `''::text`, `'0'` and 0 are written in many ways."""
    return None if default is None else str(default).split("::")[0].strip("'")


def test_migrating_twice_and_by_two_at_once_is_migrating_once(database_url: str) -> None:
    faults: list[CuadraError] = []

    def migrate() -> None:
        engine = database.connect(database_url)
        try:
            database.migrate(engine)
        except CuadraError as fault:
            faults.append(fault)
        engine.dispose()

    together = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert faults == []
    migrate()
    engine = database.connect(database_url)
    database.check_tables(engine)
    engine.dispose()


def as_of_the_second_version(connection: Connection) -> None:
    """Take away what the third and later versions brought."""
    for table in ("swap", "holiday", "policy"):
        connection.exec_driver_sql(f"DROP TABLE {table}")
    for column in ("block.neighbours", "member.household", "member.station", "shift.dates", "shift.except_on", "shift.holidays", "shift.hand_over"):
        connection.exec_driver_sql("ALTER TABLE {} DROP COLUMN {}".format(*column.split(".")))


def test_the_inputs_of_a_database_of_the_first_version_keep_the_numbers_that_receivers_know(database_url: str) -> None:
    engine = database.connect(database_url)
    database.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE input DROP COLUMN number")
        as_of_the_second_version(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        connection.exec_driver_sql("INSERT INTO block (zone, id) VALUES ('z1', 'b1'), ('z2', 'b1')")
        connection.exec_driver_sql("INSERT INTO node (zone, id, block) VALUES ('z1', 'n1', 'b1'), ('z1', 'n2', 'b1'), ('z2', 'n1', 'b1')")
        connection.exec_driver_sql(
            "INSERT INTO input (zone, node, id, retired_rev) VALUES"
            " ('z1', 'n2', 'b1', 0), ('z1', 'n1', 'b2', 0), ('z1', 'n1', 'b1', 5), ('z2', 'n1', 'b1', 0)")
    database.migrate(engine)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT zone, node, id, number FROM input ORDER BY zone, node, id").all()
    assert [tuple(row) for row in rows] == [("z1", "n1", "b1", 0), ("z1", "n1", "b2", 1), ("z1", "n2", "b1", 2), ("z2", "n1", "b1", 1)]
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    engine = database.connect(database_url)
    database.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for touch in (database.migrate, database.check_tables):
        with pytest.raises(BadConfig, match="newer version of Cuadra"):
            touch(engine)
    engine.dispose()


def test_the_migrations_are_part_of_the_package() -> None:
    folder = Path(str(resources.files("controller.records"))) / "migrations"
    assert (folder / "env.py").is_file()
    assert list((folder / "versions").glob("0001_*.py"))
