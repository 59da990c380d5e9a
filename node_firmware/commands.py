"""`cuadra node`: run a block's node, check its file, plan its battery, switch its siren off by hand."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from controller import logs, settings_file
from controller.errors import BadConfig, CuadraError
from node_firmware import guard as siren_guard
from node_firmware import memory, power
from node_firmware.config import NodeConfig, PinsSettings

node = typer.Typer(no_args_is_help=False, help="A block's node: pins in, MQTT out, siren at once.")

DEFAULT_FILE = Path("/etc/cuadra/node.toml")
File = Annotated[Path, typer.Option("--config", help="The node's file.")]
PinsOption = Annotated[
    str | None, typer.Option("--pins", help="Another driver than the file's: lgpio, mock, or pigpio:HOST:PORT.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log more.")]


@node.callback(invoke_without_command=True)
def _alone(ctx: typer.Context, config: File = DEFAULT_FILE, pins: PinsOption = None, verbose: Verbose = False) -> None:
    """A block's node: pins in, MQTT out, siren at once. Without a subcommand: run it."""
    if ctx.invoked_subcommand is None:
        run(config, pins, verbose)


@node.command()
def run(config: File = DEFAULT_FILE, pins: PinsOption = None, verbose: Verbose = False) -> None:
    """Be the node until SIGTERM or Ctrl-C."""
    from node_firmware import service  # noqa: PLC0415 (the other subcommands need no broker's library)

    settings = read(config, pins)
    listener = logs.start(verbose=verbose)
    memory.lock()
    try:
        asyncio.run(service.run(settings))
    except CuadraError:
        raise
    except Exception as fault:  # told in the log, whole
        raise typer.Exit(1) from fault
    finally:
        listener.stop()


@node.command()
def check(config: File = DEFAULT_FILE, pins: PinsOption = None) -> None:
    """Read the node's file and name every fault in it."""
    settings = read(config, pins)
    sense = settings.siren.sense
    current = "without a current sensor: not measured" if sense is None else f"its current on pin {sense}"
    typer.echo(
        f"{config}: good. Node {settings.identity.zone}/{settings.identity.node}, broker {settings.broker.host}:{settings.broker.port}, "
        f"siren on pin {settings.siren.pin} ({current}), inputs {', '.join(sorted(settings.inputs))}, pins by {settings.pins.driver}."
    )


@node.command()
def guard(config: File = DEFAULT_FILE, pins: PinsOption = None) -> None:
    """Switch the siren off now, when the node does not run; a running node has its own guard."""
    settings = read(config, pins)
    siren_guard.drop(settings.pins, settings.siren)
    typer.echo(f"siren on pin {settings.siren.pin}: off")


@node.command(name="power")
def plan_power(
    idle_ma: Annotated[float, typer.Option(help="Measured at the battery, everything connected, nothing sounding.")],
    siren_ma: Annotated[float, typer.Option(help="What siren and strobe draw on top, at the battery.")],
    battery_v: Annotated[float, typer.Option(help="The battery's voltage.")],
    battery_ah: Annotated[float, typer.Option(help="The battery's rated charge.")],
    idle_h: Annotated[float, typer.Option(help="Hours without mains before the alarm.")] = power.IDLE_H,
    siren_min: Annotated[float, typer.Option(help="Minutes of siren after that.")] = power.SIREN_MIN,
    ageing: Annotated[float, typer.Option(help="What is left of it when it is due to be replaced.")] = power.AGEING,
    cold: Annotated[float, typer.Option(help="What is left of it on a cold night.")] = power.COLD,
    usable: Annotated[float, typer.Option(help="What may be drawn; 0.5 for lead-acid.")] = power.USABLE,
) -> None:
    """Plan the battery: 24 hours idle and then a quarter of an hour of siren, with the arithmetic shown."""
    plan = power.Plan(idle_ma, siren_ma, battery_v, battery_ah, idle_h, siren_min, ageing, cold, usable)
    try:
        supply = power.supply(plan)
    except ValueError as fault:
        raise BadConfig(str(fault).splitlines()) from fault
    derating = ageing * cold * usable
    typer.echo(
        f"idle    {idle_ma:g} mA x {idle_h:g} h = {supply.idle_ah:.2f} Ah\n"
        f"siren   ({idle_ma:g} + {siren_ma:g}) mA x {siren_min:g} min = {supply.siren_ah:.2f} Ah\n"
        f"drawn   {supply.idle_ah + supply.siren_ah:.2f} Ah, {supply.drawn_wh:.1f} Wh at {battery_v:g} V\n"
        f"gives   {battery_ah:g} Ah x {ageing:g} (old) x {cold:g} (cold) x {usable:g} (usable) = {supply.available_ah:.2f} Ah\n"
        f"needed  {supply.needed_ah:.2f} Ah rated (drawn / {derating:.3f})\n"
        f"idles   {supply.idle_h_possible:.1f} h and still has the siren's part"
    )
    if not supply.enough:
        typer.echo(f"TOO SMALL by {-supply.margin_ah:.2f} Ah: take a battery of {supply.needed_ah:.1f} Ah or more")
        raise typer.Exit(1)
    typer.echo(f"ENOUGH: {supply.margin_ah:.2f} Ah to spare")


def read(config: Path, pins: str | None) -> NodeConfig:
    """The node's file, with its pins by another driver where `pins` says so. Raises BadConfig."""
    settings = settings_file.read(config, NodeConfig)
    if pins is None:
        return settings
    driver, _, place = pins.partition(":")
    host, _, port = place.rpartition(":")
    wanted = {"driver": driver, **({"host": host, "port": int(port) if port.isdecimal() else port} if place else {})}
    return msgspec.structs.replace(settings, pins=settings_file.convert(wanted, PinsSettings, f"--pins {pins}"))
