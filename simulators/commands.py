"""`cuadra simulate`: the stand-ins for what is not there. Each part brings its own subcommands; here they are put together."""

import typer

from simulators import block, fleet, phone_console, police
from simulators.world import command as world

simulate = typer.Typer(no_args_is_help=True, help="Stand-ins for what is not there: pins, phones, police, fleets, a virtual district.")
simulate.add_typer(block.app)
simulate.add_typer(fleet.app)
simulate.add_typer(phone_console.app)
simulate.add_typer(police.app, name="police")
simulate.add_typer(world.app)
