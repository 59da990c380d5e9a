"""`cuadra registry`: the configured network, in and out."""

import getpass
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.records import database, registry_csv, registry_store
from controller.records.private import Private
from controller.records.registry_cells import COLUMNS
from controller.records.registry_store import Change
from controller.registry import INPUT_NUMBER_MAX
from controller.texts import LANGUAGES, sent_in

registry = typer.Typer(no_args_is_help=True, help="The registry: zones, blocks, nodes, inputs, members, shifts.")

FolderArgument = Annotated[Path, typer.Argument(help=f"A folder with {', '.join(f'{name}.csv' for name in COLUMNS)}.")]
DatabaseOption = Annotated[str, typer.Option("--database", help="sqlite:///path, postgresql://user@host/name, or a SQLite file's path.")]
KeyOption = Annotated[Path | None, typer.Option(
    "--key-file", help="The key of the private values; made (mode 600) if there is none. Beside a SQLite file, people.key is taken.")]
PolicyOption = Annotated[Path | None, typer.Option(
    "--policy", help="The policy that must have each input's kind, and tell somebody of each silent one; policy.toml in the folder is taken.")]
ZonesOption = Annotated[list[str] | None, typer.Option("--zone", help="This zone alone; may be given several times.")]


@registry.command(name="import")
def import_(
    folder: FolderArgument,
    database_url: DatabaseOption,
    key_file: KeyOption = None,
    zone: ZonesOption = None,
    policy: PolicyOption = None,
    author: Annotated[str, typer.Option("--author", help="Who changes the registry; kept with each row.")] = "",
) -> None:
    """Make the database's registry what the files say, whole or not at all; what is no longer in them is retired."""
    read = _read(folder, zone, policy)
    engine = database.connect(database_url)
    key = _key(engine, key_file)
    if database.is_sqlite(engine):
        Path(database.name_of(engine)).absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    database.migrate(engine)
    change = Change(author or getpass.getuser(), "csv", time.time_ns() // 1_000_000)
    for name, revision in registry_csv.bring_in(engine, key, read, change).items():
        what = f"{revision.changed} rows changed" if revision.changed else "nothing changed"
        typer.echo(f"zone {name}: {what}, revision {revision.rev}, version {revision.version[:12]}")


@registry.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write the files; made if it is not there.")],
    database_url: DatabaseOption,
    key_file: KeyOption = None,
    zone: ZonesOption = None,
) -> None:
    """Write the registry as CSV files. They hold personal values: only their owner may read them."""
    engine = database.connect(database_url)
    database.check_tables(engine)
    key = _key(engine, key_file)
    if not key.is_file():
        raise BadConfig([f"{key}: no such file; expected the key of the private values; correct --key-file"])
    drafts = [registry_store.draft_of(registry_store.load(engine, name), Private.open(engine, name, key)) for name in _zones(engine, zone)]
    registry_csv.write(folder, drafts)
    typer.echo(f"{len(drafts)} zones written to {folder}")


@registry.command()
def check(folder: FolderArgument, zone: ZonesOption = None, policy: PolicyOption = None) -> None:
    """Check the files without a database: every fault with its place."""
    for name, draft in _read(folder, zone, policy).drafts.items():
        typer.echo(f"zone {name}: {len(draft.blocks)} blocks, {len(draft.nodes)} nodes, {len(draft.inputs)} inputs, "
                   f"{len(draft.members)} members, {len(draft.shifts)} shifts: no fault")


@registry.command()
def show(database_url: DatabaseOption, zone: ZonesOption = None) -> None:
    """What the database's registry holds, zone by zone."""
    engine = database.connect(database_url)
    database.check_tables(engine)
    header = ("zone", "name", "revision", "version", "blocks", "nodes", "inputs", "members", "shifts")
    lines = []
    for name in _zones(engine, zone):
        found = registry_store.load(engine, name)
        counts = (len(part) for part in (found.blocks, found.nodes, found.inputs, found.members, found.shifts))
        lines.append((name, found.zone.name, str(found.rev), found.version[:12], *map(str, counts)))
    if not sys.stdout.isatty():
        for line in (header, *lines):
            typer.echo("\t".join(line))
        return
    table = Table(*header)
    for line in lines:
        table.add_row(*line)
    Console().print(table)


@registry.command()
def numbers(database_url: DatabaseOption, zone: ZonesOption = None) -> None:
    """Which input each number means at a receiver of the police or a monitoring centre: the table to hand to its owner."""
    engine = database.connect(database_url)
    database.check_tables(engine)
    typer.echo("\t".join(("zone", "number", "kind", "node", "input", "block", "name", "meeting point")))
    for name in _zones(engine, zone):
        found = registry_store.load(engine, name)
        for one in sorted(found.inputs.values(), key=lambda one: (one.number or INPUT_NUMBER_MAX + 1, one.node, one.input)):
            block = found.blocks[found.nodes[one.node].block]
            number = f"{one.number:03d}" if one.number else "none"
            typer.echo("\t".join((name, number, one.kind, one.node, one.input, block.id, block.name, block.meeting_point)))


def _read(folder: Path, zones: list[str] | None, policy: Path | None) -> registry_csv.Folder:
    read = _read_files(folder, zones, policy)
    for language in sorted({member.language for draft in read.drafts.values() for member in draft.members.values()}):
        if sent_in(language) != language:
            why = "its catalogue names no speaker who reviewed it" if language in LANGUAGES else "there is no catalogue of it"
            typer.echo(f"members with language {language} are written to in Spanish: {why} (docs/texts.md)", err=True)
    return read


def _read_files(folder: Path, zones: list[str] | None, policy: Path | None) -> registry_csv.Folder:
    path = policy or folder / "policy.toml"
    if policy is None and not path.is_file():
        typer.echo(f"no {path}: the inputs' kinds, and whether anybody is told of the silent ones, are not checked; give --policy", err=True)
        return registry_csv.read(folder, zones or ())
    return registry_csv.read(folder, zones or (), read_policy(path))


def _key(engine: Engine, given: Path | None) -> Path:
    if given is not None:
        return given
    if database.is_sqlite(engine):
        return Path(database.name_of(engine)).with_name("people.key")
    raise BadConfig(["cuadra registry: no --key-file; expected the file with the key of the private values, outside the database; give its path"])


def _zones(engine: Engine, only: list[str] | None) -> list[str]:
    found = registry_store.zones(engine)
    missing = [name for name in only or () if name not in found]
    if missing:
        where, known = database.name_of(engine), ", ".join(found)
        raise BadConfig([f"database {where}: no zone {name}; expected one of {known}; correct --zone" for name in missing])
    return sorted(only) if only else found
