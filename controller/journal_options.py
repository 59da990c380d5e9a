"""Which journal is meant: what the commands that read one have in common."""

from collections.abc import Iterator
from typing import Annotated

import typer
from sqlalchemy import Engine, select, union

from controller.entries import Chain
from controller.errors import BadConfig
from controller.records import database
from controller.records import journal as chains
from controller.records.journal import Entry
from controller.records.store import head_at, rows
from controller.records.tables import JOURNAL, ZONE

DatabaseOption = Annotated[str, typer.Option("--database", help="sqlite:///path, postgresql://user@host/name, or a SQLite file's path.")]
ZoneOption = Annotated[str | None, typer.Option("--zone", help="The zone; not needed where the database holds one alone.")]
ChainOption = Annotated[Chain, typer.Option("--chain", help="Which of the zone's two chains.")]


def opened(url: str, zone: str | None) -> tuple[Engine, str]:
    """The database, and the zone meant. Raises BadConfig."""
    engine = database.connect(url)
    database.check_tables(engine)
    with database.trouble(engine), engine.connect() as connection:
        zones = sorted(connection.execute(union(select(JOURNAL.c.zone), select(ZONE.c.zone))).scalars())
    if zone is not None and zone in zones:
        return engine, zone
    if zone is None and len(zones) == 1:
        return engine, zones[0]
    found = f"no zone {zone}" if zone else f"{len(zones)} zones" if zones else "no zone yet"
    raise BadConfig([
        f"database {database.name_of(engine)}: {found}; "
        f"expected one of {', '.join(zones) or 'those a gateway has written'}; give --zone"
    ])


def entries_of(engine: Engine, zone: str, chain: Chain, after: int = 0) -> Iterator[Entry]:
    """A chain's entries after number `after`, verified while they are read."""
    return chains.read_chain(zone, chain, rows(engine, zone, chain, after), head_at(engine, zone, chain, after))
