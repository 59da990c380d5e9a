"""`cuadra coverage`: which blocks of a zone are protected now, or (for everybody) what share of them was, two weeks ago."""

import time
from typing import Annotated

import typer

from controller.entries import Chain, CoverageChanged
from controller.journal_options import DatabaseOption, ZoneOption, entries_of, opened
from controller.records.words import moment
from controller.rules.proof.covered import Covered, public_coverage

coverage = typer.Typer(help="Which blocks are protected.")


@coverage.callback(invoke_without_command=True)
def show(
    database_url: DatabaseOption,
    zone: ZoneOption = None,
    public: Annotated[bool, typer.Option("--public", help="What everybody may know: the zone's share, of a week that ended a week ago.")] = False,
) -> None:
    """Print each block's state, the unprotected ones first, with since when and why. For those on duty: keep it from the street."""
    engine, zone = opened(database_url, zone)
    covered = Covered()
    fold = covered.folds()[CoverageChanged]
    for entry in entries_of(engine, zone, Chain.OPEN):
        if isinstance(entry.body, CoverageChanged):
            fold(Chain.OPEN, entry.at_ms, entry.body)
    if public:
        figure = public_coverage(covered.changes, time.time_ns() // 1_000_000)
        if figure is None:
            typer.echo(f"zone {zone}: no figure yet; the first comes when the record is a week old")
        else:
            typer.echo(f"zone {zone}: {figure.blocks} blocks, protected {figure.protected_percent} % of the time "
                       f"from {moment(figure.from_ms)} to {moment(figure.to_ms)}")
        return
    if not covered.blocks:
        typer.echo(f"zone {zone}: nothing on record yet; a running gateway puts it there a minute after its start. Start it, then ask again")
    for block, now in sorted(covered.blocks.items(), key=lambda one: (not one[1].why, one[0])):
        typer.echo(f"{block}  {'NOT PROTECTED' if now.why else 'protected'} since {moment(now.since_ms)}{f': {now.why}' if now.why else ''}")
