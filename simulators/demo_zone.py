"""One zone of the demo: a real gateway, some real nodes, and around them a modem with phones, a police receiver, and pins.

The gateway and the nodes are processes of their own, as in the street. Modem, phones, receiver and pins live in this
process. The nodes reach the broker through a cable (a TCP relay) that can be cut.
"""

import asyncio
import contextlib
import csv
import logging
import random
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from controller.errors import CuadraError, Unavailable
from controller.settings_file import read
from node_firmware.clock import boottime_ms
from node_firmware.config import NodeConfig
from simulators.buttons import Buttons
from simulators.demo_book import Book, IncidentSeen
from simulators.demo_broker import WITH_US
from simulators.demo_cable import Cable
from simulators.demo_light import LightWatch
from simulators.demo_siren import SirenWatch
from simulators.phone_network import Pace, Phone, PhoneNetwork
from simulators.phone_network import Received as Text
from simulators.pin_board import Change
from simulators.pins_process import PinsServer
from simulators.police import PoliceReceiver
from simulators.site import BUTTON_PINS, EXAMPLE, Site

logger = logging.getLogger(__name__)

HOLD_MS: Final = 1300
ASKED_MS: Final = 1000
"""So long the example's kinds ask to be held: what the light says before that is not about this press."""
END_S: Final = 8.0
READY_S: Final = 60.0
LOOK_S: Final = 0.25
_CODE: Final = re.compile(r"\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{4}\b")
_ASKS: Final = "1="
"""Only the text that tells of an alarm asks for a `1`."""


class Told(NamedTuple):
    """A text on a phone. member: whose. at_ms: UTC."""

    zone: str
    member: str
    number: str
    text: str
    at_ms: int


class Press:
    """A button that was pressed, and what could be seen of it so far. Times: of CLOCK_BOOTTIME (`..._boot_ms`) or UTC, ms."""

    def __init__(self, block: "BlockHere", name: str, kind: str) -> None:
        self.block, self.input, self.kind = block, name, kind
        self.number = block.count(name)
        self.at_boot_ms = boottime_ms()
        self.at_ms = time.time_ns() // 1_000_000
        self.siren_boot_ms: int | None = self.at_boot_ms if block.siren else None
        self.lit: dict[str, int] = {}
        """What its light has said about it -> when it first did, CLOCK_BOOTTIME."""


class BlockHere:
    """A block's node: its process, its pins, its button. inputs: name -> kind."""

    def __init__(self, zone: "ZoneHere", block: str, node: str, inputs: dict[str, str]) -> None:
        self.zone, self.block, self.node, self.inputs = zone, block, node, inputs
        self.pins = PinsServer()
        self.lights: dict[str, LightWatch] = {}
        self._siren = SirenWatch()
        self.presses: list[Press] = []
        self._buttons: Buttons | None = None
        self._counts = dict.fromkeys(inputs, 0)

    def count(self, name: str) -> int:
        """The number of this press of the input, from 1."""
        self._counts[name] += 1
        return self._counts[name]

    async def start(self, site: Site) -> Path:
        """Put the pins there; returns the node's file."""
        settings = read(site.write_node(self.node), NodeConfig)
        self._buttons = Buttons(settings)
        self.lights = {name: LightWatch(wires.light) for name, wires in settings.inputs.items() if wires.light is not None}
        self.inputs = {name: kind for name, kind in self.inputs.items() if name in settings.inputs}
        await self.pins.play(self._buttons.rest())
        await self.pins.start()
        self.pins.board.watchers.append(self._sees)
        return site.write_node(self.node, pins_port=self.pins.port)

    @property
    def siren(self) -> bool:
        """Whether the siren sounds, also in a pause of its pattern."""
        return self._siren.sounds(boottime_ms())

    def light(self, name: str = "b1") -> str:
        """What the light at a button says."""
        return self.lights[name].word(boottime_ms()) if name in self.lights else ""

    async def press(self, name: str = "b1", told: Callable[[Press], None] = lambda _press: None) -> Press:
        """Hold the button as long as the kinds ask, and let go. told: hears of it when the contact closes."""
        if self._buttons is None:
            raise RuntimeError(f"{self.node} was not started")
        press = Press(self, name, self.inputs[name])
        self.presses.append(press)
        told(press)
        await self.pins.play(self._buttons.hold(name, HOLD_MS))
        return press

    def _sees(self, change: Change) -> None:
        if self._siren.hears(change):
            for press in self.presses:
                if press.siren_boot_ms is None and change.at_ms >= press.at_boot_ms:
                    press.siren_boot_ms = change.at_ms
        for name, light in self.lights.items():
            said = light.sees(change)
            for press in self.presses if said is not None else ():
                if press.input == name and said is not None and said[1] >= press.at_boot_ms + ASKED_MS:
                    press.lit.setdefault(*said)


class ZoneHere:
    """A zone that runs. Enter it to start everything, leave it to end everything."""

    def __init__(self, folder: Path, zone: str, name: str, blocks: int, broker_port: int, pace: Pace, *, plugged: bool,
                 told: Callable[[Told], None], answers: Callable[[], float | None], chance: random.Random) -> None:
        """blocks: how many, each with one node. plugged: False: the modem is there only from `plug` on.

        told: hears of each text. answers: in so many seconds the first member who is asked writes `1`; None: nobody does.
        """
        self.zone, self.name = zone, name
        self.site = Site(folder / zone, zone, broker_port)
        self.cable = Cable(broker_port)
        self.police = PoliceReceiver({f"100{zone.removeprefix('z')}": None})
        self.phones = PhoneNetwork(pace, self._text)
        self.blocks = [BlockHere(self, block, node, inputs) for block, node, inputs in _chosen(zone, blocks, chance)]
        self.texts: list[Told] = []
        self.book: Book | None = None
        self.plugged = plugged
        self._told, self._answers = told, answers
        self._asked: set[str] = set()
        self._members = {contact: row["id"] for row in _table("members") if row["zone"] == zone
                         for contact in re.findall(r"sms:(\+\d+)", row["contacts"])}
        self._processes: list[tuple[str, asyncio.subprocess.Process]] = []
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start everything; `ready` waits for it."""
        await self.police.start()
        await asyncio.to_thread(self.site.bring_in, EXAMPLE, {f"127.0.0.1:1700{self.zone.removeprefix('z')}": f"127.0.0.1:{self.police.port}"})
        modem = self.phones.modem("sim1", self.site.folder / "modem")
        if not self.plugged:
            modem.unplug()
        self.site.write_gateway(["[sms]", "[[sms.modems]]", 'name = "sim1"', f'port = "{modem.link}"', "[dc09]"])
        await self._run("gateway", "gateway", "run", "--config", str(self.site.gateway_file))
        await self.cable.start()
        self.site.broker_port = self.cable.port
        for block in self.blocks:
            await self._run(block.node, "node", "run", "--config", str(await block.start(self.site)))
        self.book = Book(self.site.database, self.zone)
        self._watching = asyncio.create_task(self._watch())

    async def ready(self) -> None:
        """Wait until the gateway has seen each node. Raises CuadraError when that takes too long or a process has ended."""
        until = time.monotonic() + READY_S
        wanted = {block.node for block in self.blocks}
        while self.book is None or not wanted <= self.book.alive:
            for name, process in self._processes:
                if process.returncode is not None:
                    raise CuadraError(f"zone {self.zone}: {name} ended by itself with code {process.returncode}; it said: {self._said(name)}")
            if time.monotonic() > until:
                missing = ", ".join(sorted(wanted - (self.book.alive if self.book else set())))
                raise CuadraError(f"zone {self.zone}: no sign of {missing} after {READY_S:.0f} s; the gateway said: {self._said('gateway')}")
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End everything that was started; the processes have ended when this returns."""
        if self._watching is not None:
            self._watching.cancel()
        for _, process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for _, process in self._processes:
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        for block in self.blocks:
            await block.pins.stop()
        await self.cable.stop()
        self.phones.close()
        await self.police.stop()
        if self.book is not None:
            self.book.close()

    def plug(self, *, into: bool) -> None:
        """Pull the modem's plug, or put it back."""
        self.plugged = into
        for modem in self.phones.modems:
            (modem.plug if into else modem.unplug)()

    def reply(self, text: str, code: str) -> str:
        """The member who was last told of the alarm with this code writes `text`; returns who, or `` when nobody was told yet."""
        told = next((told for told in reversed(self.texts) if _ASKS in told.text and code in told.text), None)
        if told is None:
            return ""
        self._writes(self.phones.phone(told.number), text, code)
        return told.member

    def incident_of(self, press: Press) -> IncidentSeen | None:
        """What the journal says became of a press; None: it is not recorded, or without an incident."""
        incident = self.recorded(press)
        return None if self.book is None or not incident else self.book.incidents.get(incident)

    def recorded(self, press: Press) -> str | None:
        """The incident of a press that is in the journal, `` when it belongs to none; None: it is not there."""
        if self.book is None:
            return None
        same = [one for one in self.book.presses if (one.node, one.input) == (press.block.node, press.input)]
        return same[press.number - 1].incident if len(same) >= press.number else None

    def _text(self, phone: Phone, received: Text) -> None:
        told = Told(self.zone, self._members.get(phone.number, "?"), phone.number, received.text, time.time_ns() // 1_000_000)
        self.texts.append(told)
        self._told(told)
        if _ASKS not in received.text:
            return
        code, after_s = _code(received.text), self._answers()
        if after_s is not None and code not in self._asked:
            self._asked.add(code)
            asyncio.get_running_loop().call_later(after_s, self._writes, phone, "1", code)

    def _writes(self, phone: Phone, text: str, code: str) -> None:
        """As people do: the bare word, and the code only where two emergencies are under way."""
        going = sum(one.state != "closed" for one in self.book.incidents.values()) if self.book else 1
        phone.writes(f"{text} {code}" if going > 1 else text)

    async def _watch(self) -> None:
        while True:
            if self.book is not None:
                try:
                    await asyncio.to_thread(self.book.read)
                except Unavailable as fault:
                    logger.warning("zone %s: %s", self.zone, fault)
            await asyncio.sleep(LOOK_S)

    async def _run(self, name: str, *words: str) -> None:
        with (self.site.folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", f"{WITH_US}from controller.command_line import main; main()", *words,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self._processes.append((name, process))

    def _said(self, name: str) -> str:
        return (self.site.folder / f"{name}.log").read_text(errors="replace")[-600:].strip() or "nothing"


def zone_names() -> dict[str, str]:
    """The example district's zones: id -> name."""
    return {row["id"]: row["name"] for row in _table("zones")}


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[0] if found else ""


def _table(name: str) -> Iterable[dict[str, str]]:
    with (EXAMPLE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _chosen(zone: str, count: int, chance: random.Random) -> list[tuple[str, str, dict[str, str]]]:
    """Some blocks of the zone, each with its first node and that node's inputs."""
    inputs: dict[str, dict[str, str]] = {}
    for row in _table("inputs"):
        inputs.setdefault(row["node"], {})[row["input"]] = row["kind"]
    blocks = {row["id"]: row["zone"] for row in _table("blocks")}
    nodes: dict[str, str] = {}
    for row in _table("nodes"):
        if blocks[row["block"]] == zone and len(inputs.get(row["id"], {})) <= len(BUTTON_PINS):
            nodes.setdefault(row["block"], row["id"])
    chosen = sorted(chance.sample(sorted(nodes), min(count, len(nodes))))
    return [(block, nodes[block], inputs[nodes[block]]) for block in chosen]
