"""`cuadra simulate world`: so many hours of a district's bad nights, in seconds; and the shortest story of what broke."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from msgspec import ValidationError

from controller.errors import BadConfig
from simulators.world import plan as plans
from simulators.world.plan import Plan
from simulators.world.run import Outcome, run
from simulators.world.shrinking import shrink
from simulators.world.town import NODES, town

app = typer.Typer()
SHOWN = 60


@app.command("world")
def world(
    *,
    seed: Annotated[str, typer.Option(help="Everything follows from it. Without one: drawn, and printed.")] = "",
    hours: Annotated[float, typer.Option(min=0.1, help="For how long anything may fail; then all is well, and everything must come right.")] = 24,
    zones: Annotated[int, typer.Option(min=1, max=99, help="How many zones.")] = 7,
    nodes: Annotated[int, typer.Option(min=1, help="How many nodes each zone has.")] = NODES,
    trouble: Annotated[float, typer.Option(min=0, help="How many times as much happens.")] = 1,
    replay: Annotated[Path | None, typer.Option(help="Run the plan in this file, as a broken promise left it.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Where the shortest plan that breaks the promise is written.")] = None,
    leaps: Annotated[bool, typer.Option(help="Leap over beats that change nothing.")] = True,
    shorten: Annotated[bool, typer.Option(help="Look for the shortest story of a broken promise.")] = True,
) -> None:
    """Let a virtual district live: real nodes, rules and records, and everything around them may fail. Exits 1 when a promise was broken."""
    if replay is not None:
        plan = _read(replay)
    else:
        seed = seed or os.urandom(4).hex()
        plan = plans.draw(seed, [town(f"z{number}", nodes) for number in range(1, zones + 1)], hours, trouble)
    typer.echo(f"seed {plan.seed}: {len(plan.zones)} zones of {plan.nodes} nodes, {plan.hours:g} hours and {plan.rest_ms / plans.HOUR_MS:g} of rest, "
               f"{len(plan.events)} things that happen")
    outcome = run(plan, leaps=leaps, step=_progress)
    _say("")
    _figures(outcome)
    if outcome.broken is None:
        return
    typer.echo(f"\nzone {outcome.zone}, {_clock(outcome.broken.at_ms)}: {outcome.broken}")
    if shorten:
        outcome = shrink(outcome, lambda one: run(one, leaps=leaps), lambda runs, left: _say(f"shortening: {runs} runs, {left} things left"))
        _say("")
    _tell(outcome)
    if keep is not None:
        keep.write_bytes(plans.encode(outcome.plan))
        typer.echo(f"again: cuadra simulate world --replay {keep}")
    else:
        typer.echo(f"again: cuadra simulate world --seed {plan.seed} --hours {plan.hours:g} --zones {len(plan.zones)} --nodes {plan.nodes} "
                   f"--trouble {plan.trouble:g}")
    raise typer.Exit(1)


def _read(path: Path) -> Plan:
    try:
        return plans.decode(path.read_bytes())
    except (OSError, ValidationError) as fault:
        raise BadConfig([f"{path}: cannot be read as a plan ({fault}); expected what --keep has written; correct the path"]) from fault


def _progress(hours: float, counts: Counter[str]) -> None:
    _say(f"{hours:.0f} h: {counts['presses']} presses, {counts['incidents']} incidents, {counts['delivered']} texts and signals delivered")


def _say(words: str) -> None:
    """A line that the next one replaces, where somebody looks."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{words}", nl=False, err=True)


def _figures(outcome: Outcome) -> None:
    counts = outcome.counts
    typer.echo(f"{counts['presses']} presses made, {counts['recorded']} entries of presses, {counts['incidents']} incidents, "
               f"{counts['notices']} notices, {counts['delivered']} delivered, {counts['entries']} journal entries")
    typer.echo(f"{outcome.zone_hours:.0f} zone-hours in {outcome.cpu_s:.1f} s of one core: {outcome.zone_hours / outcome.cpu_s * 60:.0f} a minute; "
               f"{outcome.inputs / outcome.cpu_s:.0f} inputs to the cores a second, {outcome.leapt} beats leapt over")


def _tell(outcome: Outcome) -> None:
    if outcome.broken is None:
        return
    typer.echo(f"the shortest story found ({len(outcome.plan.events)} things happen):")
    lines = outcome.story
    if len(lines) > SHOWN:
        typer.echo(f"  ({len(lines) - SHOWN} lines before)")
    for at_ms, words in lines[-SHOWN:]:
        typer.echo(f"  {_clock(at_ms)}  {words}")
    typer.echo(f"  {_clock(outcome.broken.at_ms)}  BROKEN: {outcome.broken}")


def _clock(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
