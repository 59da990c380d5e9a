"""The `cuadra` command: what each installed package brings, found through entry points and loaded only when it is asked for."""

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from controller.errors import CuadraError

GROUP = "cuadra.commands"


class _Installed(TyperGroup):
    """Lists every part's name without importing it; imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 (click's own signature)
        return sorted(_parts())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 (click's own signature)
        part = _parts().get(cmd_name)
        if part is None:
            return None
        try:
            loaded = part.load()
        except ModuleNotFoundError as fault:
            return _absent(cmd_name, fault.name or "?")
        command = typer.main.get_command(loaded)
        command.name = cmd_name
        return command


def _parts() -> dict[str, EntryPoint]:
    return {part.name: part for part in entry_points(group=GROUP)}


def _absent(part: str, module: str) -> Any:  # noqa: ANN401 (click's own type)
    """A command that says what is missing, in place of the part that cannot be loaded."""
    lock = {"node": "node", "simulate": "demo", "demo": "demo"}.get(part, "gateway")
    absent = typer.Typer()

    @absent.command(name=part, help=f"Not installed here: {module} is missing.",
                    context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def say() -> None:
        raise CuadraError(f"cuadra {part}: the package {module} is not installed here; expected what this part needs; in the folder with "
                          f"Cuadra's README: {sys.executable} -m pip install --require-hashes -r requirements/{lock}.txt")

    return typer.main.get_command(absent)


app = typer.Typer(cls=_Installed, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Cuadra: an alarm network for city blocks.")


@app.callback()
def _root() -> None:
    """Stands for the whole command, so that every part is a subcommand."""


def main() -> None:
    """Run the command; a fault that we name ourselves is one clear line, without a traceback, and exit code 2."""
    try:
        app()
    except CuadraError as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(2)
