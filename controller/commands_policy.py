"""`cuadra policy`: whether a policy reaches everybody who might press, whom it tells, and putting it in force."""

import getpass
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from sqlalchemy import Engine

from controller.errors import BadConfig
from controller.journal_options import opened
from controller.policy_file import read_policy
from controller.policy_words import reserved, timeline
from controller.public_numbers import DIALLED
from controller.public_numbers import faults as number_faults
from controller.records import database, policy_store, registry_csv, registry_store
from controller.records.private import Private
from controller.records.registry_draft import registry_of
from controller.records.registry_store import Change
from controller.records.words import moment
from controller.registry import Registry
from controller.rules import policy_zones
from controller.rules.beforehand import reach
from controller.rules.beforehand.budget import late_rings
from controller.rules.beforehand.explain import explain as explained
from controller.rules.desk import Network
from controller.rules.policy import Policy
from controller.when import instant

policy = typer.Typer(no_args_is_help=True, help="The policy: whom each kind of press tells, checked, explained, put in force.")

RegistryOption = Annotated[Path | None, typer.Option("--registry", help="The registry as a folder of CSV files.")]
DatabaseOption = Annotated[str | None, typer.Option("--database", help="The registry in sqlite:///path, postgresql://user@host/name or a file.")]
PolicyOption = Annotated[Path | None, typer.Option("--policy", help="The policy's file; left out: policy.toml in the registry's folder.")]
ZonesOption = Annotated[list[str] | None, typer.Option("--zone", help="This zone alone; may be given several times.")]


class _Zones(NamedTuple):
    """The registries meant, and what is dialled in them: (member, channel, address) by zone, where the key is at hand."""

    registries: list[Registry]
    contacts: dict[str, list[tuple[str, str, str]]]


@policy.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="The policy's file; left out: policy.toml in the registry's folder.")] = None,
    registry: RegistryOption = None,
    database_url: DatabaseOption = None,
    zone: ZonesOption = None,
) -> None:
    """Name every fault: of the file in itself and, with a registry, every press of the coming week that would reach nobody."""
    district, where = _policy(file, registry, database_url)
    if registry is None and database_url is None:
        typer.echo(f"{where}: no fault in itself, version {district.version}; with --registry or --database it is checked who is reached, too")
        return
    zones = _zones(registry, database_url, zone, district)
    faults = faults_of(district, zones)
    if registry is not None and not zone:
        faults += policy_zones.unknown(district.zones, [one.zone.id for one in zones.registries])
    if faults:
        raise BadConfig(f"{where}: {fault}" for fault in faults)
    for one in zones.registries:
        typer.echo(f"zone {one.zone.id}: every press of the coming week reaches somebody, under version {district.version}")


@policy.command()
def explain(
    block: Annotated[str, typer.Option("--block", help="The block's id.")],
    kind: Annotated[str, typer.Option("--kind", help="The kind of press, e.g. panic.")],
    at: Annotated[str, typer.Option("--at", help='When: "sat 02:10", "02:10", "2026-09-26T02:10" or "now", on the district\'s clocks.')] = "now",
    file: PolicyOption = None,
    registry: RegistryOption = None,
    database_url: DatabaseOption = None,
    silent: Annotated[bool, typer.Option("--silent", help="Needed for a silent kind: what is shown is its circle's alone.")] = False,
    language: Annotated[str, typer.Option("--language", help="es or en.")] = "en",
) -> None:
    """Print who would be told of a press by what, when and why, by the rules that decide at night; nobody is told."""
    district, _ = _policy(file, registry, database_url)
    zones = _zones(registry, database_url, None, district)
    found = next((one for one in zones.registries if block in one.blocks), None)
    if found is None:
        raise BadConfig([f"--block {block}: no zone of the registry has it; expected a block's id; correct it"])
    own = district.for_zone(found.zone.id)
    if kind in own.kinds and own.is_silent(kind) and not silent:
        raise BadConfig([f"--kind {kind}: silent, so whom it reaches is its circle's alone; expected --silent, by somebody of the circle; add it"])
    at_ms = instant(at, time.time_ns() // 1_000_000, found.district.tz)
    if silent:
        typer.echo(reserved(language), err=True)
    for line in timeline(explained(found, own, block, kind, at_ms), found, own, block, language):
        typer.echo(line)


@policy.command()
def put(
    file: Annotated[Path, typer.Argument(help="The policy's file.")],
    database_url: Annotated[str, typer.Option("--database", help="The zones' database: sqlite:///path, postgresql://user@host/name or a file.")],
    key_file: Annotated[Path | None, typer.Option("--key-file", help="The private values' key; beside a SQLite file, people.key is taken.")] = None,
    zone: ZonesOption = None,
    author: Annotated[str, typer.Option("--author", help="Who puts it in force; kept with it.")] = "",
) -> None:
    """Have the zones' gateways put it in force, within seconds; one under which somebody's press would reach no one is refused, with the case."""
    district = read_policy(file)
    zones = _of_database(database_url, zone, key_file)
    if not zones.contacts:
        typer.echo("no key of the private values: whether a contact is a public emergency number is not checked; give --key-file", err=True)
    faults = faults_of(district, zones)
    if faults:
        raise BadConfig(f"{file}: {fault}; nothing was changed" for fault in faults)
    engine = database.connect(database_url)
    database.migrate(engine)
    change = Change(author or getpass.getuser(), "command", time.time_ns() // 1_000_000)
    for name, rev in policy_store.put(engine, [one.zone.id for one in zones.registries], district, change).items():
        typer.echo(f"zone {name}: policy {district.version} is put, revision {rev}")


@policy.command()
def show(
    database_url: Annotated[str, typer.Option("--database", help="The zones' database: sqlite:///path, postgresql://user@host/name or a file.")],
    zone: Annotated[str | None, typer.Option("--zone", help="The zone; not needed where the database holds one alone.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the newest whole, as it came in.")] = False,
) -> None:
    """List the policies that were put, the newest last: revision, version, when (UTC), by whom."""
    engine, name = opened(database_url, zone)
    found = policy_store.history(engine, name)
    if text and found:
        typer.echo(found[-1].text, nl=False)
        return
    for one in found:
        typer.echo("\t".join((str(one.rev), one.version, moment(one.at_ms), one.author)))
    if not found:
        typer.echo(f"zone {name}: none was put; its gateway goes by the file that gateway.toml names", err=True)


def faults_of(district: Policy, zones: _Zones) -> list[str]:
    """What keeps the policy from being put in force in these zones."""
    now_ms = time.time_ns() // 1_000_000
    faults: list[str] = []
    for one in zones.registries:
        own = district.for_zone(one.zone.id)
        network = Network(one, own)
        faults += [reach.in_words(case, network) for case in reach.unreached(network, now_ms)]
        faults += [f"zone {one.zone.id}, {late}" for late in late_rings(network, own.paces, now_ms)]
        faults += number_faults(one.zone.id, own.police, zones.contacts.get(one.zone.id, ()))
    return faults


def _zones(folder: Path | None, url: str | None, only: list[str] | None, district: Policy) -> _Zones:
    if (folder is None) == (url is None):
        raise BadConfig(["cuadra policy: expected the registry by one of --registry FOLDER and --database; give one of the two"])
    if folder is not None:
        drafts = registry_csv.read(folder, only or (), district).drafts
        return _Zones([registry_of(draft) for draft in drafts.values()], {})
    return _of_database(str(url), only, None)


def _of_database(url: str, only: list[str] | None, key_file: Path | None) -> _Zones:
    """The registries of a database, with what is dialled in them where there is a key."""
    engine = database.connect(url)
    database.check_tables(engine)
    known = registry_store.zones(engine)
    missing = [name for name in only or () if name not in known]
    if missing or not known:
        raise BadConfig([f"database {database.name_of(engine)}: no zone {' '.join(missing)}; expected one of {', '.join(known) or 'a registry'}; "
                         "correct --zone, or bring it in with `cuadra registry import`"])
    key = key_file or (Path(database.name_of(engine)).with_name("people.key") if database.is_sqlite(engine) else None)
    if key_file is not None and not key_file.is_file():
        raise BadConfig([f"{key_file}: no such file; expected the key of the private values; correct --key-file"])
    registries = [registry_store.load(engine, name) for name in only or known]
    contacts = {one.zone.id: _contacts(engine, one, key) for one in registries} if key is not None and key.is_file() else {}
    return _Zones(registries, contacts)


def _contacts(engine: Engine, registry: Registry, key: Path) -> list[tuple[str, str, str]]:
    found = [(member.id, contact.channel, contact.address_ref) for member in registry.members.values() for contact in member.contacts
             if contact.channel in DIALLED]
    values = Private.open(engine, registry.zone.id, key).get_many([ref for _, _, ref in found])
    return [(member, channel, values.get(ref, "")) for member, channel, ref in found]


def _policy(file: Path | None, folder: Path | None, url: str | None) -> tuple[Policy, str]:
    """The policy meant, and what to call it: the file, the one in the registry's folder, or the one that was put last."""
    if file is not None or folder is not None:
        where = file or (folder or Path()) / "policy.toml"
        return read_policy(where), str(where)
    if url is not None:
        engine = database.connect(url)
        database.check_tables(engine)
        for zone in registry_store.zones(engine):
            newest = policy_store.newest(engine, zone)
            if newest is not None:
                return Policy.parse(newest.text, f"policy {newest.version}"), f"policy {newest.version}"
    raise BadConfig(["cuadra policy: no policy; expected its file, as none was put with `cuadra policy put`; give it"])
