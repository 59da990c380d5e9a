"""The registry in the database: read whole, changed whole, each row with its revision, its author and where it came from.

A row that is gone is retired, never deleted, and its id is never used again; only what is personal in it is forgotten.
"""

from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, Final, NamedTuple

from msgspec import structs
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from controller.errors import BadConfig
from controller.records import database, tables
from controller.records.private import Private, Session
from controller.records.registry_draft import ContactText, Draft, version_of
from controller.registry import (
    INPUT_NUMBER_MAX,
    Block,
    Contact,
    District,
    Holiday,
    Input,
    Member,
    Node,
    OnHolidays,
    Registry,
    Role,
    Shift,
    Swap,
    Zone,
)

Key = tuple[str | int, ...]
"""A row's key without the zone."""
Columns = dict[str, Any]


class Change(NamedTuple):
    """Who changes the registry, from where (`csv`, `console`), and when (UTC)."""

    author: str
    origin: str
    at_ms: int


class Revision(NamedTuple):
    """A zone's registry at one time. changed: how many rows the last import changed; 0: none, and the revision is the old one."""

    rev: int
    version: str
    changed: int = 0


def zones(engine: Engine) -> list[str]:
    """The zones that the database has a registry of, sorted. Raises Unavailable."""
    with database.trouble(engine), engine.connect() as connection:
        return sorted(connection.execute(select(tables.ZONE.c.zone)).scalars())


def newest_rev(engine: Engine, zone: str) -> int:
    """The zone's newest revision, 0 when it has none: cheap enough to ask each second. Raises Unavailable."""
    with database.trouble(engine), engine.connect() as connection:
        return _newest(connection, zone).rev


def load(engine: Engine, zone: str) -> Registry:
    """The zone's registry as it is now.

    Raises BadConfig when the database has none of it; Unavailable.
    """
    with database.snapshot(engine) as connection:
        newest = _newest(connection, zone)
        if not newest.rev:
            raise BadConfig([f"database {database.name_of(engine)}: no registry of zone {zone}; expected one; "
                             "bring it in with `cuadra registry import`"])
        found = {table.name: list(_stored(connection, table, zone, also_retired=False).values()) for table in _TABLES}
    contacts: dict[str, list[Contact]] = {}
    for row in sorted(found["contact"], key=lambda row: (row["member"], row["position"])):
        contacts.setdefault(row["member"], []).append(Contact(row["channel"], row["address_ref"]))
    district, own = found["district"][0], found["zone"][0]
    return Registry(
        rev=newest.rev,
        version=newest.version,
        district=District(district["id"], district["name"], district["timezone"], district["language"]),
        zone=Zone(zone, own["name"], own["district"]),
        blocks={row["id"]: _block(zone, row) for row in found["block"]},
        nodes={row["id"]: Node(row["id"], zone, row["block"], row["public_key"]) for row in found["node"]},
        inputs={(row["node"], row["id"]): _input(row) for row in found["input"]},
        members={row["id"]: _member(zone, row, contacts.get(row["id"], ())) for row in found["member"]},
        shifts=tuple(_shift(zone, row) for row in sorted(found["shift"], key=lambda row: str(row["id"]))),
        swaps=tuple(_swap(zone, row) for row in sorted(found["swap"], key=lambda row: str(row["id"]))),
        holidays=tuple(Holiday(date.fromisoformat(row["day"]), row["name"]) for row in sorted(found["holiday"], key=lambda row: str(row["day"]))),
    )


def draft_of(registry: Registry, private: Private) -> Draft:
    """The registry as people write it, with the personal values in it. Raises BadConfig, Unavailable."""
    values = private.get_many(_refs(registry))
    draft = Draft(registry.district, registry.zone, blocks=dict(registry.blocks), nodes=dict(registry.nodes))
    draft.shifts = {shift.id: shift for shift in registry.shifts}
    draft.swaps = {swap.id: swap for swap in registry.swaps}
    draft.holidays = registry.holidays
    for key, one in registry.inputs.items():
        draft.inputs[key] = Input(one.node, one.input, one.kind, excludes=one.excludes, number=one.number)
        if one.address_ref:
            draft.addresses[key] = values.get(one.address_ref, "")
    for key_, member in registry.members.items():
        draft.members[key_] = structs.replace(member, name_ref=None, contacts=())
        if member.name_ref:
            draft.names[key_] = values.get(member.name_ref, "")
        draft.contacts[key_] = tuple((contact.channel, values.get(contact.address_ref, "")) for contact in member.contacts)
    return draft


def retired(connection: Connection, zone: str) -> set[tuple[str, Key]]:
    """The ids that are used up: (table, key) of every retired row; contacts and holidays, which have a place and no id, apart."""
    return {
        (table.name, key)
        for table in _TABLES if table is not tables.CONTACT and table is not tables.HOLIDAY
        for key, row in _stored(connection, table, zone, also_retired=True).items() if row["retired_rev"]
    }


def input_numbers(connection: Connection, zone: str) -> dict[Key, int]:
    """The number at receivers of each input, by (node, input); those that are retired are left out."""
    return {key: row["number"] for key, row in _stored(connection, tables.INPUT, zone, also_retired=False).items()}


def replace(connection: Connection, private: Private, draft: Draft, change: Change) -> Revision:
    """Make the zone's registry what `draft` says, in the caller's transaction.

    The same draft again changes nothing and makes no revision. Faults pass as SQLAlchemy raises them.
    """
    zone = draft.zone.id
    newest = _newest(connection, zone)
    session = private.within(connection)
    merge = _Merge(connection, session, zone, newest.rev + 1, change)
    wanted = _wanted(draft, merge)
    changed = sum(merge.table(table, wanted[table.name]) for table in _TABLES)
    session.remove(merge.people.dropped)
    if not changed:
        return newest
    version = version_of(draft)
    connection.execute(insert(tables.REGISTRY_REVISION).values(
        zone=zone, rev=newest.rev + 1, version=version, at_ms=change.at_ms, author=change.author,
    ))
    return Revision(newest.rev + 1, version, changed)


_TABLES: Final = (
    tables.DISTRICT, tables.ZONE, tables.BLOCK, tables.NODE, tables.INPUT, tables.MEMBER, tables.CONTACT, tables.SHIFT,
    tables.SWAP, tables.HOLIDAY,
)
"""In the order in which they refer to one another."""

_REFS: Final = {"input": "address_ref", "member": "name_ref", "contact": "address_ref"}


class _People:
    """Which personal values stay, change, come and go."""

    def __init__(self, session: Session, refs: Iterable[str]) -> None:
        self._session = session
        self._values = session.get_many([ref for ref in refs if ref])
        self.changed: set[str] = set()
        self.dropped: list[str] = []

    def value(self, ref: str) -> str | None:
        return self._values.get(ref)

    def keep(self, ref: str, person: str, kind: str, value: str) -> str:
        """The reference of `value`: the old one whenever there is one, so that whoever holds it reads the new value."""
        if not value:
            if ref:
                self.dropped.append(ref)
            return ""
        if ref not in self._values:
            return self._session.put(person, kind, value)
        if self._values[ref] != value:
            self._session.replace(ref, person, kind, value)
            self.changed.add(ref)
        return ref


class _Merge:
    """One zone's rows as they are, being made what they should be."""

    def __init__(self, connection: Connection, session: Session, zone: str, rev: int, change: Change) -> None:
        self._connection = connection
        self._zone = zone
        self._stamp = {"rev": rev, "author": change.author, "origin": change.origin}
        self.stored = {table.name: _stored(connection, table, zone, also_retired=True) for table in _TABLES}
        refs = (row[column] for name, column in _REFS.items() for row in self.stored[name].values())
        self.people = _People(session, refs)

    def table(self, table: Table, wanted: Mapping[Key, Columns]) -> int:
        """Insert, change and retire rows; how many."""
        stored = self.stored[table.name]
        names = _key_names(table)
        new: list[Columns] = []
        count = 0
        for key, columns in wanted.items():
            row = stored.get(key)
            if row is None:
                new.append({"zone": self._zone, **dict(zip(names, key, strict=True)), **columns, **self._stamp})
            elif row["retired_rev"] or self._differs(table, row, columns):
                self._update(table, names, key, {**columns, **self._stamp, "retired_rev": 0})
                count += 1
        if new:
            self._connection.execute(insert(table), new)
        for key, row in stored.items():
            if key not in wanted and not row["retired_rev"]:
                gone: Columns = {**self._stamp, "retired_rev": self._stamp["rev"]}
                ref = _REFS.get(table.name)
                if ref:
                    self.people.dropped += [row[ref]] if row[ref] else []
                    gone[ref] = ""
                self._update(table, names, key, gone)
                count += 1
        return count + len(new)

    def _differs(self, table: Table, row: Columns, columns: Columns) -> bool:
        ref = _REFS.get(table.name)
        return any(row[name] != value for name, value in columns.items()) or bool(ref and row[ref] in self.people.changed)

    def _update(self, table: Table, names: list[str], key: Key, columns: Columns) -> None:
        query = update(table).where(table.c.zone == self._zone)
        for name, value in zip(names, key, strict=True):
            query = query.where(table.c[name] == value)
        self._connection.execute(query.values(columns))


def _wanted(draft: Draft, merge: _Merge) -> dict[str, dict[Key, Columns]]:
    district = draft.district
    numbers = _numbers(draft, merge.stored["input"])
    return {
        "district": {(): {"id": district.id, "name": district.name, "timezone": district.timezone, "language": district.language}},
        "zone": {(): {"name": draft.zone.name, "district": draft.zone.district}},
        "block": {(block.id,): _columns(block, _BLOCK) | {"neighbours": " ".join(block.neighbours)} for block in draft.blocks.values()},
        "node": {(node.id,): {"block": node.block, "public_key": node.public_key} for node in draft.nodes.values()},
        "input": {key: _input_columns(draft, merge, key, one) | {"number": numbers[key]} for key, one in draft.inputs.items()},
        "member": {(member.id,): _member_columns(draft, merge, member) for member in draft.members.values()},
        "contact": _contact_rows(draft, merge),
        "shift": {(shift.id,): _shift_columns(shift) for shift in draft.shifts.values()},
        "swap": {(swap.id,): {"shift": swap.shift, "day": swap.day.isoformat(), "member": swap.member} for swap in draft.swaps.values()},
        "holiday": {(holiday.day.isoformat(),): {"name": holiday.name} for holiday in draft.holidays},
    }


_BLOCK: Final = ("name", "meeting_point", "landmark", "vehicle_point", "latitude", "longitude")


def _columns(value: object, names: Iterable[str]) -> Columns:
    return {name: getattr(value, name) for name in names}


def _input_columns(draft: Draft, merge: _Merge, key: tuple[str, str], one: Input) -> Columns:
    row = merge.stored["input"].get(key)
    ref = merge.people.keep(row["address_ref"] if row else "", f"{one.node}/{one.input}", "address", draft.addresses.get(key, ""))
    return {"kind": one.kind, "address_ref": ref, "excludes": " ".join(one.excludes)}


def _numbers(draft: Draft, stored: Mapping[Key, Columns]) -> dict[tuple[str, str], int]:
    """Each input's number: the one the draft gives, the one it has, or the lowest that none has ever had; 0 when none is left."""
    numbers = {key: one.number or (stored[key]["number"] if key in stored else 0) for key, one in draft.inputs.items()}
    used = {*numbers.values(), *(row["number"] for row in stored.values())}
    free = (number for number in range(1, INPUT_NUMBER_MAX + 1) if number not in used)
    return {key: number or next(free, 0) for key, number in sorted(numbers.items())}


def _member_columns(draft: Draft, merge: _Merge, member: Member) -> Columns:
    row = merge.stored["member"].get((member.id,))
    ref = merge.people.keep(row["name_ref"] if row else "", member.id, "name", draft.names.get(member.id, ""))
    return {
        "call_sign": member.call_sign, "roles": " ".join(member.roles), "language": member.language, "name_ref": ref,
        "household": member.household, "station": member.station,
    }


def _contact_rows(draft: Draft, merge: _Merge) -> dict[Key, Columns]:
    before: dict[str, list[Columns]] = {}
    for row in merge.stored["contact"].values():
        if not row["retired_rev"]:
            before.setdefault(row["member"], []).append(row)
    rows: dict[Key, Columns] = {}
    for member, contacts in draft.contacts.items():
        for position, (channel, ref) in enumerate(_contact_refs(merge.people, member, contacts, before.get(member, [])), 1):
            rows[member, position] = {"channel": channel, "address_ref": ref}
    # The merge drops a value when its row goes; a value that only moved to another row stays.
    staying = {row["address_ref"] for row in rows.values()}
    for row in merge.stored["contact"].values():
        if row["address_ref"] in staying and (row["member"], row["position"]) not in rows:
            row["address_ref"] = ""
    return rows


def _contact_refs(people: _People, member: str, contacts: Iterable[ContactText], before: list[Columns]) -> list[tuple[str, str]]:
    """Each contact with its reference: the one that has its address already, else one of its channel whose address it takes over."""
    free = list(before)
    wanted = list(contacts)
    refs: list[str] = [""] * len(wanted)
    for n, (channel, address) in enumerate(wanted):
        same = next((row for row in free if row["channel"] == channel and people.value(row["address_ref"]) == address), None)
        if same is not None:
            free.remove(same)
            refs[n] = same["address_ref"]
    for n, (channel, address) in enumerate(wanted):
        if not refs[n]:
            other = next((row for row in free if row["channel"] == channel), None)
            if other is not None:
                free.remove(other)
            refs[n] = people.keep(other["address_ref"] if other else "", member, channel, address)
    people.dropped += [row["address_ref"] for row in free if row["address_ref"]]
    return [(channel, ref) for (channel, _), ref in zip(wanted, refs, strict=True)]


def _shift_columns(shift: Shift) -> Columns:
    return {
        "member": shift.member, "role": shift.role.value, "starts": shift.starts.isoformat("minutes"), "ends": shift.ends.isoformat("minutes"),
        "weekdays": " ".join(map(str, shift.weekdays)), "blocks": " ".join(shift.blocks),
        "since": shift.since.isoformat() if shift.since else "", "until": shift.until.isoformat() if shift.until else "",
        "dates": _days(shift.dates), "except_on": _days(shift.except_on),
        "holidays": "" if shift.holidays is OnHolidays.ALSO else shift.holidays.value, "hand_over": shift.hand_over,
    }


def _block(zone: str, row: Columns) -> Block:
    return Block(row["id"], zone, **{name: row[name] for name in _BLOCK}, neighbours=tuple(row["neighbours"].split()))


def _input(row: Columns) -> Input:
    return Input(row["node"], row["id"], row["kind"], row["address_ref"] or None, tuple(row["excludes"].split()), row["number"])


def _member(zone: str, row: Columns, contacts: Iterable[Contact]) -> Member:
    roles = tuple(Role(role) for role in row["roles"].split())
    return Member(row["id"], zone, row["call_sign"], roles, row["language"], row["name_ref"] or None, tuple(contacts),
                  row["household"], row["station"])


def _shift(zone: str, row: Columns) -> Shift:
    return Shift(
        row["id"], zone, row["member"], Role(row["role"]), time.fromisoformat(row["starts"]), time.fromisoformat(row["ends"]),
        tuple(map(int, row["weekdays"].split())), tuple(row["blocks"].split()), _date(row["since"]), _date(row["until"]),
        _read_days(row["dates"]), _read_days(row["except_on"]), OnHolidays(row["holidays"] or OnHolidays.ALSO), row["hand_over"],
    )


def _swap(zone: str, row: Columns) -> Swap:
    return Swap(row["id"], zone, row["shift"], date.fromisoformat(row["day"]), row["member"])


def _days(days: Iterable[date]) -> str:
    return " ".join(day.isoformat() for day in days)


def _read_days(text: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, text.split()))


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _refs(registry: Registry) -> list[str]:
    inputs = [one.address_ref for one in registry.inputs.values() if one.address_ref]
    names = [member.name_ref for member in registry.members.values() if member.name_ref]
    return inputs + names + [contact.address_ref for member in registry.members.values() for contact in member.contacts]


def _newest(connection: Connection, zone: str) -> Revision:
    revision = tables.REGISTRY_REVISION
    newest = select(func.max(revision.c.rev)).where(revision.c.zone == zone).scalar_subquery()
    row = connection.execute(select(revision.c.rev, revision.c.version).where(revision.c.zone == zone, revision.c.rev == newest)).first()
    return Revision(row.rev, row.version) if row else Revision(0, "")


def _stored(connection: Connection, table: Table, zone: str, *, also_retired: bool) -> dict[Key, Columns]:
    query = select(table).where(table.c.zone == zone)
    if not also_retired:
        query = query.where(table.c.retired_rev == 0)
    names = _key_names(table)
    return {tuple(row[name] for name in names): dict(row) for row in connection.execute(query).mappings()}


def _key_names(table: Table) -> list[str]:
    return [column.name for column in table.primary_key if column.name != "zone"]
