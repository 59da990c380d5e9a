"""The policies that were put, in the database: the running gateway takes the newest, checks it against its registry and puts it in force."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select

from controller.records import database
from controller.records.registry_store import Change
from controller.records.tables import POLICY
from controller.rules.policy import Policy


class Put(NamedTuple):
    """A policy that was put. rev: from 1 in each zone. at_ms: UTC."""

    rev: int
    version: str
    text: str
    at_ms: int
    author: str


def newest_rev(engine: Engine, zone: str) -> int:
    """The newest one's revision, 0 when none was put: cheap enough to ask each second. Raises Unavailable."""
    with database.trouble(engine), engine.connect() as connection:
        return _newest_rev(connection, zone)


def newest(engine: Engine, zone: str) -> Put | None:
    """The policy that was put last; None when none was. Raises Unavailable."""
    found = history(engine, zone)
    return found[-1] if found else None


def history(engine: Engine, zone: str) -> list[Put]:
    """Every policy that was put, the newest last. Raises Unavailable."""
    with database.trouble(engine), engine.connect() as connection:
        columns = POLICY.c.rev, POLICY.c.version, POLICY.c.text, POLICY.c.at_ms, POLICY.c.author
        return [Put(*row) for row in connection.execute(select(*columns).where(POLICY.c.zone == zone).order_by(POLICY.c.rev))]


def put(engine: Engine, zones: Iterable[str], policy: Policy, change: Change) -> Mapping[str, int]:
    """Have the zones' gateways put it in force, in one transaction; by zone, its revision. What is the newest already stays that one."""
    revs: dict[str, int] = {}
    with database.writing(engine) as connection:
        for zone in zones:
            rev = _newest_rev(connection, zone)
            last = connection.execute(select(POLICY.c.text).where(POLICY.c.zone == zone, POLICY.c.rev == rev)).scalar()
            if last != policy.text:
                rev += 1
                connection.execute(insert(POLICY).values(
                    zone=zone, rev=rev, version=policy.version, text=policy.text, at_ms=change.at_ms, author=change.author))
            revs[zone] = rev
    return revs


def _newest_rev(connection: Connection, zone: str) -> int:
    return int(connection.execute(select(func.coalesce(func.max(POLICY.c.rev), 0)).where(POLICY.c.zone == zone)).scalar_one())
