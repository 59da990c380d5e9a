"""`cuadra simulate fleet`: a made-up zone's registry, and the traffic of its nodes."""

import asyncio
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import structs

from controller.errors import Unavailable
from simulators import fleet_registry
from simulators.fleet_node import Identity
from simulators.fleet_registry import Plan
from simulators.fleet_traffic import Fleet

__all__ = ["Fleet", "Identity", "Plan", "app"]

app = typer.Typer(name="fleet", no_args_is_help=True, help="Thousands of nodes' traffic from one process, for load.")

FILES_A_NODE: Final = 3
"""A connection, and the outbox's database with its log."""
FILES_BESIDE: Final = 100

Zone = Annotated[str, typer.Option(help="The zone's id.")]
Nodes = Annotated[int, typer.Option(min=1, help="How many nodes.")]
Blocks = Annotated[int, typer.Option(min=1, help="How many blocks they stand in, in turn.")]
Kinds = Annotated[str, typer.Option(help="The kinds of each node's inputs, one input a kind, with commas between.")]


@app.command()
def registry(
    folder: Annotated[Path, typer.Argument(help="Where the CSV files go.")],
    *,
    zone: Zone = "z1",
    nodes: Nodes = 100,
    blocks: Blocks = 100,
    kinds: Kinds = "panic",
    members: Annotated[int, typer.Option(min=1, help="How many members; each block has one of them on duty.")] = 1,
    webhook: Annotated[str, typer.Option(help="Where they are told; {member} stands for whom.")] = Plan().webhook,
) -> None:
    """Write the registry that `cuadra registry import` brings in, with the public keys of the fleet's nodes."""
    plan = Plan(zone, nodes, blocks, members, tuple(kinds.split(",")), webhook)
    fleet_registry.write(folder, [plan])
    typer.echo(f"{folder}: zone {zone}, {nodes} nodes in {blocks} blocks, {members} members")


@app.command()
def run(
    *,
    gateway_key: Annotated[str, typer.Option(help="The gateway's public key, as `cuadra key show` prints it.")],
    folder: Annotated[Path, typer.Option(help="Where the outboxes are; what they still hold is sent as well.")],
    host: Annotated[str, typer.Option(help="The broker.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 1883,
    zone: Zone = "z1",
    nodes: Nodes = 100,
    blocks: Blocks = 100,
    kinds: Kinds = "panic",
    presses: Annotated[int, typer.Option(min=0, help="How many presses in all.")] = 0,
    first: Annotated[int, typer.Option(min=0, help="Go on after so many presses of an earlier run, with the button whose turn it is.")] = 0,
    per_s: Annotated[float | None, typer.Option(min=0.1, help="So many a second; else as fast as the broker takes them.")] = None,
    beats: Annotated[float, typer.Option(min=0, help="So many beats a second, all nodes together.")] = 0,
    stay: Annotated[float, typer.Option(min=0, help="Seconds to go on beating after the last press.")] = 0,
    within: Annotated[float, typer.Option(min=0, help="Seconds to wait for the last receipt.")] = 60,
    repeats: Annotated[bool, typer.Option(help="Send again what waits for its receipt too long, as a node does.")] = True,
    record: Annotated[Path | None, typer.Option(help="Write what is seen of each press here, as lines of JSON.")] = None,
) -> None:
    """Press and beat; prints what came of it as JSON, and exits 1 when a press has no receipt in time."""
    plan = Plan(zone, nodes, blocks, kinds=tuple(kinds.split(",")))
    _may_open(nodes * FILES_A_NODE + FILES_BESIDE)

    async def go() -> dict[str, float]:
        async with Fleet(fleet_registry.identities(plan, gateway_key), folder, host=host, port=port, record=record) as fleet:
            fleet.repeating = repeats
            fleet.go_on_after(first)
            await fleet.all_connected(within)
            start, used = time.monotonic(), time.process_time()
            if beats:
                fleet.beat_steadily(beats)
            await (fleet.burst(presses) if per_s is None else fleet.press_calmly(presses, per_s))
            try:
                await fleet.all_receipted(within)
                await fleet.all_saved(within)
            except TimeoutError:
                typer.echo(f"{fleet.waiting} presses have no receipt after {within:g} s", err=True)
            took_s, used_s = time.monotonic() - start, time.process_time() - used
            await asyncio.sleep(stay)
            return summary(fleet, took_s, used_s)

    found = asyncio.run(go())
    typer.echo(json.dumps(found))
    raise typer.Exit(1 if found["waiting"] else 0)


def _may_open(files: int) -> None:
    """Have the system let this process open so many. Raises Unavailable when it may not."""
    may, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files > most != resource.RLIM_INFINITY:
        raise Unavailable(f"fleet: {files} open files are needed, {most} are allowed; raise the limit (ulimit -Hn) or take fewer nodes")
    if files > may != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


def summary(fleet: Fleet, took_s: float, used_s: float) -> dict[str, float]:
    """What a run came to. Times are milliseconds; cpu_us: the fleet's own processor time a receipted press."""
    figures: dict[str, float] = {**structs.asdict(fleet.tally), "waiting": fleet.waiting, "took_s": round(took_s, 3)}
    if len(fleet.receipt_ms) > 1:
        cuts = statistics.quantiles(fleet.receipt_ms, n=100)
        figures |= {"receipt_p50_ms": round(cuts[49], 2), "receipt_p99_ms": round(cuts[98], 2),
                    "cpu_us": round(used_s / len(fleet.receipt_ms) * 1e6, 1)}
    return figures
