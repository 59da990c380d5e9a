"""`cuadra roster`: who is on duty, when nobody is, and the shifts as calendars."""

import getpass
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Engine

from controller import roster_ical
from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import database, policy_store, registry_csv, registry_store
from controller.records.private import Private
from controller.records.registry_draft import Draft, version_of
from controller.records.registry_store import Change
from controller.registry import Member, Registry, Role
from controller.roster_ical_read import Wanted
from controller.rules.beforehand.gaps import Gap, gaps, lacking_roles, without_shifts
from controller.rules.desk import Network
from controller.rules.policy import Policy
from controller.rules.roster import Roster
from controller.when import instant

roster = typer.Typer(no_args_is_help=True, help="Who is on duty, when nobody is, and the shifts as calendars (iCalendar).")

FolderOption = Annotated[Path | None, typer.Option("--registry", "--folder", help="The registry as a folder of CSV files.")]
DatabaseOption = Annotated[str | None, typer.Option("--database", help="The database with the registry, instead of a folder.")]
KeyOption = Annotated[Path | None, typer.Option("--key-file", help="The key of the private values; beside a SQLite file, people.key is taken.")]
ZoneOption = Annotated[str | None, typer.Option("--zone", help="This zone; not needed where there is one alone.")]
PolicyOption = Annotated[Path | None, typer.Option("--policy", help="The policy's file; left out: the folder's, or what was put last.")]
AtOption = Annotated[str | None, typer.Option("--at", help='When: "sat 02:10", "2026-07-28 22:00", on the district\'s clocks; else now.')]
MemberOption = Annotated[str, typer.Option("--member", help="Whose shifts.")]
NAMED: Final = 6
"""So many blocks stand in a line; of more their number."""


@roster.command()
def show(folder: FolderOption = None, database_url: DatabaseOption = None, zone: ZoneOption = None, at: AtOption = None) -> None:
    """Who is on duty at a moment: role, member, until when, for which blocks."""
    for found in _registries(folder, database_url, zone):
        moment = _moment(at, found)
        at_ms = int(moment.timestamp() * 1000)
        typer.echo(f"zone {found.zone.id}, {_written(at_ms, found.district.tz)}")
        for turn in sorted(Roster(found).turns(at_ms, at_ms + 1), key=lambda turn: (list(Role).index(turn.shift.role), turn.member)):
            blocks = _blocks(turn.shift.blocks, found) if turn.shift.blocks else "whole zone"
            until = _written(int(turn.ends.timestamp() * 1000), found.district.tz)
            swapped = f", for {turn.shift.member}" if turn.member != turn.shift.member else ""
            typer.echo(f"  {turn.shift.role:<17}  {turn.member} ({found.members[turn.member].call_sign}{swapped})  until {until}  {blocks}")


@roster.command(name="gaps")
def gaps_(
    folder: FolderOption = None, database_url: DatabaseOption = None, zone: ZoneOption = None, policy: PolicyOption = None, at: AtOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days from then on.")] = 7,
) -> None:
    """When nobody is on duty in the coming week. Exit code 1: at some time a ring of the policy would find nobody on duty."""
    nobody = False
    for found in _registries(folder, database_url, zone):
        network = Network(found, _policy(policy or (folder / "policy.toml" if folder else None), database_url, found.zone.id))
        from_ms = int(_moment(at, found).timestamp() * 1000)
        to_ms = from_ms + days * 86_400_000
        empty = gaps(network, from_ms, to_ms)
        nobody = nobody or bool(empty)
        tz = found.district.tz
        typer.echo(f"zone {found.zone.id}, {_written(from_ms, tz)} to {_written(to_ms, tz)}: "
                   + (f"{len(empty)} gaps" if empty else "no ring is ever without anybody on duty"))
        for line in _lines(empty, found):
            typer.echo(f"  nobody  {line}")
        for line in _lines((gap for gap in lacking_roles(network, from_ms, to_ms) if gap not in empty), found):
            typer.echo(f"  short   {line}")
        if unserved := without_shifts(network):
            typer.echo(f"  no shift at all, and others in their rings: {', '.join(unserved)}")
    if nobody:
        raise typer.Exit(1)


@roster.command(name="export-ical")
def export_ical(
    member: MemberOption, folder: FolderOption = None, database_url: DatabaseOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="The file to write; printed without.")] = None,
) -> None:
    """A member's shifts as a calendar, for a phone to subscribe to or take in."""
    for found in _registries(folder, database_url, None):
        if member in found.members:
            feed = roster_ical.export(found, member, datetime.now(UTC))
            if to is None:
                typer.echo(feed.decode(), nl=False)
                return
            try:
                to.write_bytes(feed)
            except OSError as fault:
                raise BadConfig([f"{to}: cannot be written ({fault.strerror}); expected a file this user may write"]) from fault
            return
    raise BadConfig([f"cuadra roster export-ical: no member {member}; expected one of the registry; correct --member"])


@roster.command(name="import-ical")
def import_ical(
    file: Annotated[Path, typer.Argument(help="The calendar (.ics).")],
    member: MemberOption, folder: FolderOption = None, database_url: DatabaseOption = None, key_file: KeyOption = None, policy: PolicyOption = None,
    role: Annotated[Role | None, typer.Option("--role", help="In what role, where the event does not say.")] = None,
    block: Annotated[list[str] | None, typer.Option("--block", help="For which blocks, where the event does not say; the whole zone.")] = None,
) -> None:
    """Take a member's shifts from a calendar: each event is the shift it was before, or a new one. Whole or not at all."""
    source = _source(folder, database_url, key_file)
    drafts = source.drafts()
    mine = next((draft for draft in drafts if member in draft.members), None)
    if mine is None:
        raise BadConfig([f"cuadra roster import-ical: no member {member}; expected one of the registry; correct --member"])
    try:
        text = file.read_bytes()
    except OSError as fault:
        raise BadConfig([f"{file}: cannot be read ({fault.strerror}); expected a calendar (.ics); correct the path"]) from fault
    wanted = Wanted(role, tuple(sorted(block or ())))
    found = roster_ical.read(text, _registry(mine), mine.members[member], wanted, str(file))
    mine.shifts.update({shift.id: shift for shift in found.shifts})
    gone = {(swap.shift, swap.day) for swap in found.swaps}
    mine.swaps = {ident: swap for ident, swap in mine.swaps.items() if (swap.shift, swap.day) not in gone}
    mine.swaps.update({swap.id: swap for swap in found.swaps})
    source.keep(drafts, policy)
    typer.echo(f"member {member}: {len(found.shifts)} shifts and {len(found.swaps)} swaps taken from {file}")


class _Source(NamedTuple):
    """Where the registry is."""

    folder: Path | None
    engine: Engine | None
    key: Path | None

    def drafts(self) -> list[Draft]:
        if self.folder is not None:
            return list(registry_csv.read(self.folder).drafts.values())
        engine, key = self._opened()
        return [registry_store.draft_of(registry_store.load(engine, zone), Private.open(engine, zone, key)) for zone in registry_store.zones(engine)]

    def keep(self, drafts: list[Draft], policy: Path | None) -> None:
        """Make the registry what the drafts say, checked as any import is."""
        beside = policy or (self.folder / "policy.toml" if self.folder is not None and (self.folder / "policy.toml").is_file() else None)
        with TemporaryDirectory() as made:
            registry_csv.write(Path(made), drafts)
            whole = registry_csv.read(Path(made), policy=read_policy(beside) if beside else None)
            if self.folder is not None:
                registry_csv.write(self.folder, drafts)
                return
            engine, key = self._opened()
            registry_csv.bring_in(engine, key, whole, Change(getpass.getuser(), "ical", time.time_ns() // 1_000_000))

    def _opened(self) -> tuple[Engine, Path]:
        if self.engine is None or self.key is None or not self.key.is_file():
            raise BadConfig([f"{self.key}: no such file; expected the key of the private values; correct --key-file"])
        return self.engine, self.key


def _source(folder: Path | None, url: str | None, key: Path | None) -> _Source:
    if (folder is None) == (url is None):
        raise BadConfig(["cuadra roster: expected the registry by one of --registry FOLDER and --database; give one of the two"])
    if url is None:
        return _Source(folder, None, None)
    engine = database.connect(url)
    database.check_tables(engine)
    if key is None and database.is_sqlite(engine):
        key = Path(database.name_of(engine)).with_name("people.key")
    return _Source(None, engine, key)


def _registries(folder: Path | None, url: str | None, zone: str | None) -> list[Registry]:
    source = _source(folder, url, None)
    if source.folder is not None:
        found = [_registry(draft) for draft in registry_csv.read(source.folder).drafts.values()]
    else:
        engine = source.engine
        found = [registry_store.load(engine, name) for name in registry_store.zones(engine)] if engine is not None else []
    chosen = [one for one in found if zone in (None, one.zone.id)]
    if not chosen:
        raise BadConfig([f"cuadra roster: no zone {zone}; expected one of {', '.join(one.zone.id for one in found)}; correct --zone"])
    return chosen


def _registry(draft: Draft) -> Registry:
    """What the rules would see of the draft; nobody's address is in it."""
    members: dict[str, Member] = dict(draft.members)
    return Registry(0, version_of(draft), draft.district, draft.zone, draft.blocks, draft.nodes, draft.inputs, members,
                    tuple(shift for _, shift in sorted(draft.shifts.items())), tuple(swap for _, swap in sorted(draft.swaps.items())), draft.holidays)


def _moment(text: str | None, found: Registry) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(second=0, microsecond=0)
    return datetime.fromtimestamp(instant(text, time.time_ns() // 1_000_000, found.district.tz) / 1000, UTC)


def _policy(path: Path | None, url: str | None, zone: str) -> Policy:
    """The zone's policy: of the file, else what was last put in the database."""
    if path is not None:
        return read_policy(path, zone)
    newest = policy_store.newest(database.connect(str(url)), zone)
    if newest is None:
        raise BadConfig([f"cuadra roster gaps: no policy was put for zone {zone}; expected the file that says who is needed, "
                         "as gateway.toml names it; give --policy"])
    return Policy.parse(newest.text, f"policy {newest.version}").for_zone(zone)


def _lines(found: Iterable[Gap], registry: Registry) -> list[str]:
    """A line for each set of roles and blocks, its times one after the other."""
    tz = registry.district.tz
    ordered = sorted(found, key=lambda gap: (gap.roles, gap.blocks, gap.from_ms))
    lines = []
    for (roles, blocks, rings), group in groupby(ordered, key=lambda gap: (gap.roles, gap.blocks, gap.rings)):
        spans = ", ".join(_span(gap.from_ms, gap.to_ms, tz) for gap in group)
        needed = ", ".join(ring.replace("#", "ring ") for ring in rings)
        lines.append(f"{' or '.join(roles)}  {spans}  blocks: {_blocks(blocks, registry)}  needed by {needed}")
    return lines


def _blocks(blocks: tuple[str, ...], registry: Registry) -> str:
    if len(blocks) == len(registry.blocks) > 1:
        return "all"
    more = len(blocks) - NAMED
    return " ".join(blocks[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _span(from_ms: int, to_ms: int, tz: ZoneInfo) -> str:
    first, last = _written(from_ms, tz), _written(to_ms, tz)
    return f"{first}-{last[-5:]}" if to_ms - from_ms <= timedelta(days=1).total_seconds() * 1000 else f"{first} to {last}"


def _written(at_ms: int, tz: ZoneInfo) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, tz)
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[at.weekday()]} {at:%d %b %H:%M}"

