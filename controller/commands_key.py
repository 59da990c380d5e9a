"""`cuadra key`: the public halves of a machine's key, for the registry and for whoever checks checkpoints."""

from pathlib import Path
from typing import Annotated

import typer

from controller.authentication import PrivateKey

key = typer.Typer(no_args_is_help=True, help="A machine's key pair.")


@key.callback()
def _root() -> None:
    """Stands for the group, so that `show` stays a subcommand while it is the only one."""


@key.command()
def show(
    file: Annotated[Path, typer.Argument(help="The key file; made (mode 600) if there is none.")],
    checkpoint: Annotated[bool, typer.Option("--checkpoint", help="The key that signs this gateway's checkpoints instead.")] = False,
) -> None:
    """Print the public key: 64 hex digits for nodes.csv or a node's file."""
    own = PrivateKey.at(file)
    if checkpoint:
        # A node's installation has no records, and needs none for its own key.
        from controller.records.checkpoint import Signer  # noqa: PLC0415

        typer.echo(Signer(own, "").public)
    else:
        typer.echo(own.public)
