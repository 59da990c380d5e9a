"""`cuadra policy`: whether a policy reaches everybody who might press, whom it tells, and putting it in force."""

import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from controller.errors import BadConfig
from controller.policy_file import read_policy
from controller.policy_words import reserved, timeline
from controller.public_numbers import faults as number_faults
from controller.records import database, registry_csv, registry_store
from controller.records.registry_draft import registry_of
from controller.registry import Registry
from controller.rules import policy_zones, reach
from controller.rules.desk import Network
from controller.rules.explain import explain as explained
from controller.rules.policy import Policy
from controller.when import instant

policy = typer.Typer(no_args_is_help=True, help="The policy: whom each kind of press tells, checked, explained, put in force.")

RegistryOption = Annotated[Path | None, typer.Option("--registry", help="The registry as a folder of CSV files.")]
DatabaseOption = Annotated[str | None, typer.Option("--database", help="The registry in sqlite:///path, postgresql://user@host/name or a file.")]
PolicyOption = Annotated[Path | None, typer.Option("--policy", help="The policy's file; left out: policy.toml in the registry's folder.")]
ZonesOption = Annotated[list[str] | None, typer.Option("--zone", help="This zone alone; may be given several times.")]


class _Zones(NamedTuple):
    """The registries meant, and what is dialled in them: (member, channel, address) by zone, where that can be read."""

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
    where = _file(file, registry)
    district = read_policy(where)
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
    where = _file(file, registry)
    zones = _zones(registry, database_url, None, read_policy(where))
    found = next((one for one in zones.registries if block in one.blocks), None)
    if found is None:
        raise BadConfig([f"--block {block}: no zone of the registry has it; expected a block's id; correct it"])
    own = read_policy(where, found.zone.id)
    if kind in own.kinds and own.is_silent(kind) and not silent:
        raise BadConfig([f"--kind {kind}: silent, so whom it reaches is its circle's alone; expected --silent, by somebody of the circle; add it"])
    at_ms = instant(at, time.time_ns() // 1_000_000, found.district.tz)
    if silent:
        typer.echo(reserved(language), err=True)
    for line in timeline(explained(found, own, block, kind, at_ms), found, own, block, language):
        typer.echo(line)


def faults_of(district: Policy, zones: _Zones) -> list[str]:
    """What keeps the policy from being put in force in these zones."""
    now_ms = time.time_ns() // 1_000_000
    faults: list[str] = []
    for one in zones.registries:
        own = district.for_zone(one.zone.id)
        network = Network(one, own)
        faults += [reach.in_words(case, network) for case in reach.unreached(network, now_ms)]
        faults += number_faults(one.zone.id, own.police, zones.contacts.get(one.zone.id, ()))
    return faults


def _zones(folder: Path | None, url: str | None, only: list[str] | None, district: Policy) -> _Zones:
    if (folder is None) == (url is None):
        raise BadConfig(["cuadra policy: expected the registry by one of --registry FOLDER and --database; give one of the two"])
    if folder is not None:
        drafts = registry_csv.read(folder, only or (), district).drafts
        return _Zones([registry_of(draft) for draft in drafts.values()], {})
    engine = database.connect(str(url))
    database.check_tables(engine)
    return _Zones([registry_store.load(engine, name) for name in registry_store.zones(engine) if not only or name in only], {})


def _file(file: Path | None, folder: Path | None) -> Path:
    if file is None and folder is None:
        raise BadConfig(["cuadra policy: no policy; expected its file; give --policy"])
    return file or (folder or Path()) / "policy.toml"
