"""`cuadra demo`: the example district on this machine, live to look at, or unattended with a verdict."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from controller.errors import BadConfig
from simulators import demo_district
from simulators.demo_broker import BrokerKind
from simulators.demo_district import Outcome, Plan
from simulators.demo_zone import Press, Told

demo = typer.Typer(help="The example district on this machine: watch it live, or let it run unattended.")

MORE_S: Final = 60.0
STOPPED: Final = 130
console = Console(highlight=False, soft_wrap=True)


@demo.callback(invoke_without_command=True)
def run(
    *,
    for_: Annotated[str | None, typer.Option("--for", help="Run unattended, pressing within this time, e.g. 20s.")] = None,
    presses: Annotated[int, typer.Option(min=1, help="How many buttons are pressed within that time.")] = 5,
    zones: Annotated[int, typer.Option(min=1, max=7, help="How many of the seven zones.")] = 7,
    blocks: Annotated[int | None, typer.Option(min=1, max=20, help="Blocks a zone, each with a real node. [default: 1; live: 2]")] = None,
    broker: Annotated[BrokerKind | None, typer.Option(help="The machine's Mosquitto or the embedded one. [default: what is there]")] = None,
    pace: Annotated[float, typer.Option(min=0.01, max=10, help="Of the modems: 1 is a real one's, 0.25 four times as fast.")] = 0.25,
    seed: Annotated[int, typer.Option(help="Which blocks, buttons and answers.")] = 1,
    unplugged: Annotated[bool, typer.Option("--unplugged", help="The modems' plugs stay pulled.")] = False,
    more: Annotated[float, typer.Option(min=0, max=MORE_S, help="How many seconds more to wait until all are taken.")] = MORE_S,
) -> None:
    """Seven zones on one machine: broker, real gateways and nodes, simulated modems, phones, police and buttons.

    Unattended, exit code 0 only when every press was received, somebody told and the incident taken; else 1.
    """
    live = for_ is None
    plan = Plan(zones, blocks or (2 if live else 1), broker, pace, seed, not unplugged, None if live else (2.0, 5.0))
    if for_ is not None:
        raise typer.Exit(_until_ended(_unattended(plan, _seconds(for_), presses, more)))
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise BadConfig(["cuadra demo: no terminal to show the district on; expected one; run it unattended with --for 20s --presses 5"])
    raise typer.Exit(_until_ended(_live(plan)))


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min)?", text.strip())
    if found is None:
        raise BadConfig([f"cuadra demo, --for: {text!r} is no time; expected e.g. 20s or 2m; correct it"])
    return float(found[1]) * (60 if (found[2] or "s").startswith("m") else 1)


def _until_ended(work: Coroutine[None, None, int]) -> int:
    """Run it; a signal that ends us ends first all that we started."""
    ended: list[bool] = []

    def end(task: asyncio.Future[int]) -> None:
        if not ended:  # a second signal must not interrupt the ending
            ended.append(True)
            task.cancel()

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(sign, end, task)
        try:
            return await task
        except asyncio.CancelledError:
            console.print("stopped: all that was started has ended")
            return STOPPED

    return asyncio.run(guarded())


async def _live(plan: Plan) -> int:
    from simulators.demo_view import DemoView  # noqa: PLC0415 (textual takes its time; an unattended run does without it)

    async with demo_district.running(plan, lambda _told: None, console.print) as district:
        await DemoView(district).run_async()
        console.print("ending all that was started")
    return 0


async def _unattended(plan: Plan, seconds: float, presses: int, more_s: float) -> int:
    started, judged = time.monotonic(), False

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - started:6.1f} s  {text}", markup=False)

    def told(text: Told) -> None:
        if not judged:  # what still comes while all is ended would stand below the verdict
            say(f"{text.zone}: text to {text.member}: {text.text}")

    def pressed(press: Press) -> None:
        say(f"{press.block.zone.zone}: {press.kind} pressed in {press.block.block}")

    async with demo_district.running(plan, told, say) as district:
        say("every node is connected, and seen by its gateway")
        await district.press_within(seconds, presses, pressed)
        await district.until_well(more_s)
        judged = True
        return _verdict([district.outcome(press) for press in district.presses])


def _verdict(outcomes: list[Outcome]) -> int:
    table = Table(title="What happened (ms after the button's contact closed; the first 1,000 are the hold that each kind asks for)")
    for name in ("zone", "block", "kind"):
        table.add_column(name)
    for name in ("siren", "light: received", "first text", "police ACK", "taken"):
        table.add_column(name, justify="right")
    table.add_column("by")
    for one in outcomes:
        police = "not called" if one.kind not in demo_district.POLICE_CALLED else _ms(one.police)
        table.add_row(one.zone, one.block, one.kind, _ms(one.siren), _ms(one.received), _ms(one.text), police, _ms(one.taken), one.by)
    Console(width=max(110, console.width)).print(table)
    faults = [f"{one.zone} {one.block} {one.kind}: {', '.join(one.missing)}" for one in outcomes if one.missing]
    for fault in faults:
        console.print(f"MISSING  {fault}", markup=False)
    if faults:
        return 1
    console.print(f"{len(outcomes)} of {len(outcomes)} presses received, told and taken")
    return 0


def _ms(value: int | None) -> str:
    return "-" if value is None else f"{value:,}" if value else "before"
