"""`make bench`: what a press costs, beside the floors of the same run. docs/benchmark.md says what is measured."""

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, NamedTuple

import typer

from controller.authentication import PrivateKey
from simulators import fleet_registry
from simulators.fleet_registry import Plan
from simulators.modem_simulator import Pace
from simulators.phone_network import PhoneNetwork
from simulators.police import PoliceReceiver
from tests.bench.street import Street
from tests.bench.subjects import Subject, floor, gateway, policy, site
from tests.mosquitto import Mosquitto

ZONE: Final = "z1"
BEATS: Final = 1000
WAIT_S: Final = 10.0
BURST_S_MAX: Final = 300.0
SETTLE_S: Final = 2.0
PEACE_S: Final = 0.01
"""Between two presses at rest."""
COSTS: Final = (10, 1000, 10_000)
COST_PRESSES: Final = 2000

Times = dict[str, list[float]]


class Burst(NamedTuple):
    """What a burst came to: presses a second stored, and stored and notified; processor time a press; the most memory.

    repeats: notices that came again under their key.
    """

    stored: float
    notified: float
    cpu_us: float
    memory_mb: float
    repeats: int


class Ways:
    """The police's receiver and a modem's phones, with the moments at which each was reached."""

    def __init__(self) -> None:
        self.police_at = self.line_at = 0.0
        self.news = asyncio.Event()
        self.police = PoliceReceiver({"1001": None}, told=lambda _event: self._police())
        # The pace of a modem that takes no time: what is measured is the way to its line.
        self.phones = PhoneNetwork(Pace(0, 0, 0, 0), on_text=lambda _phone, _text: self._line())

    def _police(self) -> None:
        self.police_at = time.monotonic()
        self.news.set()

    def _line(self) -> None:
        self.line_at = time.monotonic()
        self.news.set()


def _folder(what: str, base: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{what}-", dir=base))
    folder.chmod(0o755)  # the broker is another user
    return folder


def plan(sink_port: int, nodes: int, each: int) -> Plan:
    """So many nodes in as many blocks, each with so many buttons of as many kinds; one member, told by webhook."""
    return Plan(ZONE, nodes, nodes, 1, tuple(f"k{number:03}" for number in range(each)), f"http://127.0.0.1:{sink_port}/{{member}}#secret")


@contextlib.asynccontextmanager
async def standing(what: str, base: Path, nodes: int, each: int, ways: Ways | None = None) -> AsyncIterator[tuple[Street, Subject]]:
    """A street before a fresh broker and a fresh `what`: `gateway`, or the floor `single` or `group`."""
    folder = _folder(what, base)
    async with Mosquitto(folder, lines=["log_type error"]) as broker:
        key = PrivateKey.at(folder / "gateway.key").public
        street = Street(fleet_registry.identities(plan(0, nodes, each), key), each)
        await street.open()
        its_plan = plan(street.sink_port, nodes, each)
        if what == "gateway":
            further, channels = [], ["[webhook]"]
            if ways is not None:
                await ways.police.start()
                ways.phones.modem("m1", folder / "modem")
                further = [("z1pnp", "police-desk", f"dc09:dc09://1001@127.0.0.1:{ways.police.port}?format=adm-cid"),
                           ("z1sms", "patrol", "sms:+51900000102")]
                channels += ["[dc09]", "[sms]", "[[sms.modems]]", 'name = "m1"', f'port = "{folder / "modem"}"']
            whole = await asyncio.to_thread(site, folder, its_plan, broker.port, further)
            rules = policy(its_plan.kinds, "never" if ways is None else "immediately")
            subject = await asyncio.to_thread(gateway, whole, rules, channels)
        else:
            subject = await asyncio.to_thread(floor, what, folder / "floor", broker.port, street.sink_port, ZONE)
        try:
            await street.connect(broker.port, births=what == "gateway")
            await asyncio.sleep(SETTLE_S + nodes / 2000)
            yield street, subject
        finally:
            street.close()
            subject.end()
            if ways is not None:
                ways.phones.close()
                await ways.police.stop()


async def one_at_a_time(street: Street, presses: int, first: int, reached: dict[str, Callable[[], float]], news: list[asyncio.Event]) -> Times:
    """Press, wait until every way was reached, press again; milliseconds from the press to each. reached: by way, when it last was."""
    times: Times = {name: [] for name in reached}
    for packet in street.presses[first:first + presses]:
        start = time.monotonic()
        await street.say([packet])
        async with asyncio.timeout(WAIT_S):
            while any(at() < start for at in reached.values()):
                for each in news:
                    each.clear()
                waiting = [asyncio.ensure_future(each.wait()) for each in news]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in waiting:
                    task.cancel()
        for name, at in reached.items():
            times[name].append(1000 * (at() - start))
        await asyncio.sleep(PEACE_S)
    return times


async def latencies(what: str, base: Path, presses: int) -> tuple[Times, Times]:
    """At rest, and under beats."""
    each = -(-2 * presses // 500)
    async with standing(what, base, 500, each) as (street, _):
        reached = {"webhook": lambda: street.notified_at}
        if what == "gateway":
            reached["receipt"] = lambda: street.receipted_at
        rest = await one_at_a_time(street, presses, 0, reached, [street.news])
        beating = asyncio.ensure_future(street.beat(BEATS))
        await asyncio.sleep(1)
        beats = await one_at_a_time(street, presses, presses, reached, [street.news])
        beating.cancel()
        return rest, beats


async def every_way(base: Path, presses: int) -> tuple[Times, Times]:
    """With police, modem and webhook side by side, at rest and under beats."""
    ways = Ways()
    each = -(-2 * presses // 500)
    async with standing("gateway", base, 500, each, ways) as (street, _):
        await asyncio.sleep(5)  # the modem is asked who it is
        reached = {"police ACK": lambda: ways.police_at, "modem's line": lambda: ways.line_at}
        rest = await one_at_a_time(street, presses, 0, reached, [ways.news])
        beating = asyncio.ensure_future(street.beat(BEATS))
        await asyncio.sleep(1)
        beats = await one_at_a_time(street, presses, presses, reached, [ways.news])
        beating.cancel()
        return rest, beats


async def burst(what: str, base: Path, nodes: int, presses: int) -> Burst:
    """All at once; each press opens its own incident and brings exactly one notice."""
    async with standing(what, base, nodes, presses // nodes) as (street, subject):
        count = len(street.presses)
        used, start, stored_at = subject.cpu_s(), time.monotonic(), 0.0
        saying = asyncio.ensure_future(street.say(street.presses))
        async with asyncio.timeout(BURST_S_MAX):
            while len(street.keys) < count or not stored_at or (what == "gateway" and len(street.receipts) < count):
                await asyncio.sleep(0.05)
                if street.fault:
                    raise RuntimeError(f"the street lost a connection: {street.fault}")
                if not stored_at and await asyncio.to_thread(subject.stored) >= count:
                    stored_at = time.monotonic()
        await saying
        await asyncio.sleep(0.5)
        if len(street.keys) != count:
            raise RuntimeError(f"{count} presses and {len(street.keys)} notices; expected one each")
        return Burst(count / (stored_at - start), count / (street.notified_at - start),
                     1e6 * (subject.cpu_s() - used) / count, subject.memory_mb(), street.repeats)


def cut(times: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def show_times(title: str, times: Times) -> None:
    """Print a line for each way."""
    for name, found in times.items():
        p50, p99 = cut(found)
        typer.echo(f"  {title:<26} press to {name:<13} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms")


def show_burst(title: str, found: Burst) -> None:
    """Print it."""
    typer.echo(f"  {title:<26} stored {found.stored:6.0f}/s   stored and notified {found.notified:6.0f}/s   "
          f"processor {found.cpu_us:5.0f} us a press   memory {found.memory_mb:4.0f} MB"
               + (f"   {found.repeats} notices came again" if found.repeats else ""))


def show_ratio(what: str, ratio: float, aim: str, *, met: bool) -> None:
    """Print how a figure stands to its floor."""
    typer.echo(f"  {what:<60} {ratio:5.2f}   aim {aim}   {'met' if met else 'NOT met'}")


async def run(base: Path, presses: int, rest: int) -> None:
    """Everything."""
    typer.echo(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {presses} presses of 500 nodes in a burst, {rest} one at a time")
    typer.echo("One press at a time, at rest and under 1,000 beats a second")
    floor_rest, floor_beats = await latencies("single", base, rest)
    show_times("one commit a press, rest", floor_rest)
    show_times("one commit a press, beats", floor_beats)
    ours_rest, ours_beats = await latencies("gateway", base, rest)
    show_times("gateway, rest", ours_rest)
    show_times("gateway, beats", ours_beats)
    ways_rest, ways_beats = await every_way(base, rest)
    show_times("gateway, every way, rest", ways_rest)
    show_times("gateway, every way, beats", ways_beats)
    typer.echo("A burst")
    single = await burst("single", base, 500, presses)
    show_burst("one commit a press", single)
    group = await burst("group", base, 500, presses)
    show_burst("group commit, outbox", group)
    ours = await burst("gateway", base, 500, presses)
    show_burst("gateway", ours)
    typer.echo("Ratios")
    p50, p99 = (cut(ours_rest["webhook"])[0] / cut(floor_rest["webhook"])[0], cut(ours_beats["webhook"])[1] / cut(floor_beats["webhook"])[1])
    show_ratio("press to webhook p50 at rest, to one commit a press", p50, "<= 1.5", met=p50 <= 1.5)
    show_ratio("press to webhook p99 under beats, to one commit a press", p99, "<= 2.0", met=p99 <= 2)
    stored, notified = ours.stored / group.stored, ours.notified / group.notified
    show_ratio("stored a second, to group commit", stored, ">= 0.6", met=stored >= 0.6)
    show_ratio("stored and notified a second, to group commit", notified, ">= 0.6", met=notified >= 0.6)
    typer.echo("Cost a press by the zone's size")
    for nodes in COSTS:
        show_burst(f"{nodes} nodes", await burst("gateway", base, nodes, max(nodes, COST_PRESSES)))


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--presses", type=int, default=20_000, help="in a burst: a multiple of 500 (20000)")
    parser.add_argument("--rest", type=int, default=200, help="one at a time (200)")
    chosen = parser.parse_args()
    if chosen.presses < 500 or chosen.presses % 500 or chosen.rest < 2:
        parser.error("--presses: expected a multiple of 500; --rest: at least 2")
    with tempfile.TemporaryDirectory(prefix="cuadra-bench-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        asyncio.run(run(base, chosen.presses, chosen.rest))


if __name__ == "__main__":
    main()
