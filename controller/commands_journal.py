"""`cuadra journal`: read the book, check it, hand it over."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Engine, select

from controller.authentication import PrivateKey
from controller.commands_replay import replay
from controller.entries import KIND_OF, Chain
from controller.errors import BadConfig, CuadraError
from controller.journal_options import ChainOption, DatabaseOption, ZoneOption, entries_of, opened
from controller.records import checkpoint, commitments, database, export, words
from controller.records import journal as chains
from controller.records.checkpoint import Signer
from controller.records.journal import Finding, Verdict
from controller.records.store import last_head, rows
from controller.records.tables import CHECKPOINT

journal = typer.Typer(no_args_is_help=True, help="A zone's journal: show, replay, verify, export, checkpoint.")

journal.command()(replay)


@journal.command()
def show(
    database_url: DatabaseOption,
    zone: ZoneOption = None,
    chain: ChainOption = Chain.OPEN,
    after: Annotated[int, typer.Option("--after", min=0, help="Only entries after this number.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="The entries themselves, a line each.")] = False,
) -> None:
    """Print a chain's entries, one a line, in plain words, verified while they are read."""
    engine, zone = opened(database_url, zone)
    for entry in entries_of(engine, zone, chain, after):
        if json:
            shown = {"at_ms": entry.at_ms, "body": entry.body, "chain": entry.chain, "kind": entry.kind, "seq": entry.seq, "zone": entry.zone}
            typer.echo(msgspec.json.encode(shown, order="sorted").decode())
        else:
            typer.echo(f"{entry.seq:>8}  {words.moment(entry.at_ms)}  {KIND_OF[type(entry.body)]:<18}  {words.tell(entry.body)}")


@journal.command()
def verify(
    *,
    database_url: Annotated[str | None, typer.Option("--database", help="The database to verify.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="An export to verify instead.")] = None,
    zone: ZoneOption = None,
    chain: Annotated[Chain | None, typer.Option("--chain", help="One chain alone.")] = None,
    checkpoints: Annotated[list[Path] | None, typer.Option("--checkpoint", help="A kept checkpoint to hold the chain against.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="The gateway's checkpoint key, as `cuadra key show --checkpoint` prints it.")] = None,
) -> None:
    """Check that no entry was changed, dropped, moved, repeated or cut off; exit code 1 when one was."""
    kept = [_checkpoint(path, key) for path in checkpoints or ()]
    if file is not None:
        found_zone, found_chain, exported = export.read(file)
        heads = [one.head for one in kept if (one.zone, one.chain) == (found_zone, found_chain)]
        verdicts = [chains.verify(found_zone, found_chain, exported, heads)]
        held: list[Finding] = []
        covered = {(found_zone, found_chain)}
    elif database_url is not None:
        engine, zone = opened(database_url, zone)
        wanted = [chain] if chain else list(Chain)
        kept += [one for one in _stored_checkpoints(engine, zone, key) if one.chain in wanted]
        verdicts = [chains.verify(zone, one, rows(engine, zone, one), [c.head for c in kept if (c.zone, c.chain) == (zone, one)]) for one in wanted]
        whole = len(verdicts) == len(Chain) and not any(verdict.findings for verdict in verdicts)
        held = commitments.verify(entries_of(engine, zone, Chain.OPEN), entries_of(engine, zone, Chain.SEALED)) if whole else []
        covered = {(zone, one) for one in wanted}
    else:
        raise BadConfig(["cuadra journal verify: nothing to verify; expected --database or --file; give one of them"])
    strange = [one for one in kept if (one.zone, one.chain) not in covered]
    if strange:
        raise BadConfig([f"checkpoint of zone {strange[0].zone}, {strange[0].chain} chain: not of what is verified here; "
                         "expected one of this zone and chain; give the one that belongs to it"])
    for verdict in verdicts:
        _tell(verdict, numbered=chain is not None or verdict.chain is Chain.OPEN)
    for finding in held:
        typer.echo(f"BROKEN  sealed chain against the open one: {finding.text}")
    if kept and key is None:
        typer.echo(f"UNCHECKED  who signed {len(kept)} checkpoints: anybody could have written them; give the gateway's --key")
    if held or any(verdict.findings for verdict in verdicts):
        raise typer.Exit(1)


@journal.command(name="export")
def export_(
    database_url: DatabaseOption,
    zone: ZoneOption = None,
    chain: ChainOption = Chain.OPEN,
    sealed: Annotated[bool, typer.Option("--sealed", help="Show the sealed chain's entries; without it they are digests.")] = False,
) -> None:
    """Print a chain as JSON Lines that anybody can verify (`cuadra journal verify --file`)."""
    engine, zone = opened(database_url, zone)
    for row in rows(engine, zone, chain):
        typer.echo(export.line_of(zone, chain, row, shown=sealed or chain is Chain.OPEN))


@journal.command(name="checkpoint")
def checkpoint_(
    database_url: DatabaseOption,
    zone: ZoneOption = None,
    chain: ChainOption = Chain.OPEN,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="The gateway's signing key: sign the chain as it is now.")] = None,
) -> None:
    """Print the newest checkpoint that the gateway made; with its key, a new one."""
    engine, zone = opened(database_url, zone)
    if key_file is not None:
        if not key_file.is_file():
            raise BadConfig([f"{key_file}: no such file; expected the gateway's own signing key; correct --key-file"])
        head = last_head(engine, zone, chain)
        typer.echo(Signer(PrivateKey.at(key_file), zone).sign(chain, head, time.time_ns() // 1_000_000), nl=False)
        return
    notes = _stored_notes(engine, zone, chain)
    if not notes:
        raise BadConfig([f"zone {zone}, {chain} chain: no checkpoint yet; the gateway makes one an hour; sign one now with --key-file"])
    typer.echo(notes[-1], nl=False)


def _tell(verdict: Verdict, *, numbered: bool) -> None:
    # How long the sealed chain is, is nobody's business who did not ask for that chain.
    name = f"zone {verdict.zone}, {verdict.chain} chain"
    if verdict.findings:
        for finding in verdict.findings[:20]:
            typer.echo(f"BROKEN  {name}: {finding.text}")
        if len(verdict.findings) > 20:
            typer.echo(f"BROKEN  {name}: and {len(verdict.findings) - 20} more")
    elif numbered:
        typer.echo(f"whole   {name}: {verdict.entries} entries, link {verdict.head.link.hex()}")
    else:
        typer.echo(f"whole   {name}")


def _checkpoint(path: Path, key: str | None) -> checkpoint.Checkpoint:
    try:
        return checkpoint.read(path.read_text(encoding="utf-8"), key)
    except (OSError, UnicodeDecodeError) as fault:
        raise BadConfig([f"{path}: cannot be read as a checkpoint; correct the path"]) from fault
    except CuadraError as fault:
        raise BadConfig([f"{path}: {fault}"]) from fault


def _stored_notes(engine: Engine, zone: str, chain: Chain) -> list[str]:
    query = select(CHECKPOINT.c.note).where(CHECKPOINT.c.zone == zone, CHECKPOINT.c.chain == chain.value)
    query = query.order_by(CHECKPOINT.c.seq, CHECKPOINT.c.at_ms)
    with database.trouble(engine), engine.connect() as connection:
        return list(connection.execute(query).scalars())


def _stored_checkpoints(engine: Engine, zone: str, key: str | None) -> list[checkpoint.Checkpoint]:
    """Whoever rewrites the journal can rewrite these too, unless the key is given; they cost nothing to hold it against."""
    return [checkpoint.read(note, key) for chain in Chain for note in _stored_notes(engine, zone, chain)]
