"""`cuadra key`: what others must know of a machine's secrets: its public keys, and its password as the broker knows it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from controller import broker_password
from controller.authentication import PrivateKey
from controller.messages import NAME_PATTERN

key = typer.Typer(no_args_is_help=True, help="A machine's key pair and its password for the broker.")


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


@key.command()
def password(
    user: Annotated[str, typer.Argument(help="At the broker: a node's id, or `gateway`.")],
    file: Annotated[Path, typer.Argument(help="The password file; made (mode 600) if there is none.")],
) -> None:
    """Print the line for the broker's password file, which tells nobody the password."""
    if not NAME_PATTERN.match(user):
        raise typer.BadParameter(f"{user[:80]!r}; expected a node's id as the registry has it, or `gateway`")
    typer.echo(broker_password.mosquitto_line(user, broker_password.password_at(file), os.urandom(broker_password.SALT_BYTES)))
