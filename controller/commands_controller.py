"""`cuadra controller`: the district's view of its zones."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from controller.district import see

controller = typer.Typer(no_args_is_help=True, help="The district: all zones, from their journals.")


@controller.callback()
def _root() -> None:
    """Stands for the district, so that what it can do is a subcommand."""


@controller.command()
def zones(files: Annotated[list[Path], typer.Argument(help="A file a zone, as `cuadra journal export` writes it.")]) -> None:
    """Verify each zone's journal and show what is open and what needs mending; exit code 2 when one does not verify."""
    header = ("zone", "entries", "last entry", "nobody going", "somebody going", "faults", "link")
    lines = [
        (seen.zone, str(seen.entries), _moment(seen.last_at_ms), str(seen.nobody_going), str(seen.somebody_going), "; ".join(seen.faults) or "none",
         seen.link[:16])
        for seen in see(files)
    ]
    if not sys.stdout.isatty():
        for line in (header, *lines):
            typer.echo("\t".join(line))
        return
    table = Table(*header)
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if at_ms else "never"
