"""Zone 3 of the example district stood up whole: real broker, gateway and nodes in processes of their own, phones and police here."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

import pytest

from controller.entries import Body, Chain
from controller.messages import Pulse
from controller.records import database
from controller.records.journal import Entry, genesis, read_chain
from controller.records.store import rows
from controller.records.words import tell
from controller.settings_file import read
from node_firmware.config import NodeConfig
from simulators.buttons import Buttons
from simulators.modem_simulator import Pace
from simulators.phone_network import PhoneNetwork
from simulators.pin_board import Change
from simulators.pins_process import PinsControl
from simulators.police import PoliceReceiver
from simulators.site import Site
from tests.mosquitto import Mosquitto
from tests.node.block import shows

AnyBody = TypeVar("AnyBody", bound=Body)

CUADRA = (sys.executable, "-c", "from controller.command_line import main; main()")
NODE_COMMAND = (*CUADRA, "node", "run", "--config")
"""What runs a node; its file goes behind it."""
NAME = "z3"
POLICE_ACCOUNT = "1003"


async def until(so: Callable[[], object], within_s: float = 20, what: str = "what was waited for") -> None:
    """Wait until it is so."""
    try:
        async with asyncio.timeout(within_s):
            while not so():  # noqa: ASYNC110 (other processes tell nobody here)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {within_s:g} s") from None


class ZoneNode:
    """One of the zone's nodes: its process, and its pins in another one that outlives it."""

    def __init__(self, zone: "Zone", name: str, card: str = "") -> None:
        self.name = name
        self.log = zone.folder / f"{card or name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._board = subprocess.Popen([*CUADRA, "simulate", "pins", "--port", "0", "--control-port", "0"], stdout=subprocess.PIPE)
        assert self._board.stdout is not None
        ports = json.loads(self._board.stdout.readline())
        self.file = zone.site.write_node(name, pins_port=ports["port"], card=card)
        self.config = read(self.file, NodeConfig)
        self.buttons = Buttons(self.config)
        self.pins = PinsControl(ports["control_port"])

    async def start(self, command: Sequence[str] = NODE_COMMAND) -> None:
        """A new life; its buttons are served when this returns."""
        lives = self._logged("service: boot")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, str(self.file)], stderr=log)  # noqa: ASYNC220 (it outlives this call)
        await until(lambda: self._logged("service: boot") > lives, what=f"{self.name}'s start ({self.log})")

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)

    async def hold(self, name: str, ms: int = 1400) -> None:
        """Hold a button."""
        await asyncio.to_thread(self.pins.play, self.buttons.hold(name, ms))

    def outputs(self, pin: int | None = None, since: int = 0) -> list[Change]:
        """What the node did to this pin or, for None, to any, from change number `since` on."""
        return [change for change in self.pins.history(since) if change.output and pin in {None, change.pin}]

    def changes(self) -> int:
        """How many changes there have been."""
        return len(self.pins.history())

    async def rests(self) -> None:
        """Nothing has moved on any pin for a second."""
        since = -1
        while since != (since := self.changes()):  # noqa: ASYNC110 (pins tell nobody here)
            await asyncio.sleep(1)

    async def light(self, name: str, blinks: Sequence[Pulse], within_s: float = 20) -> None:
        """The button's light shows this rhythm, begun after now."""
        pin, since = self.config.inputs[name].light, self.changes()
        await until(lambda: shows(self.outputs(pin, since), blinks), within_s, f"{self.name}'s light at {name}")

    def lit(self, name: str) -> bool:
        """Whether the button's light is on at this moment."""
        pin = self.config.inputs[name].light
        assert pin is not None
        return self.pins.level(pin) == 1

    def end(self) -> None:
        """The node ends first, then its pins."""
        self.pins.close()
        for process in (self.process, self._board):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=20)
        if self._board.stdout is not None:
            self._board.stdout.close()

    def _logged(self, text: str) -> int:
        return self.log.read_text(encoding="utf-8").count(text) if self.log.exists() else 0


class Zone:
    """The zone. gateway: its process. Nodes run when they are asked for."""

    def __init__(self, folder: Path, broker: Mosquitto, phones: PhoneNetwork, police: str) -> None:
        self.folder, self.broker, self.phones = folder, broker, phones
        self.site = Site(folder / NAME, NAME, broker.port)
        self.site.bring_in(changed={"127.0.0.1:17003?format=adm-cid": police})
        phones.modem("sim1", folder / "modem")
        modem = ["[sms]", "[[sms.modems]]", 'name = "sim1"', f'port = "{folder / "modem"}"']
        self.site.write_gateway([*modem, "[dc09]", "[webhook]"])
        self.gateway_log = folder / "gateway.log"
        self.gateway: subprocess.Popen[bytes] | None = None
        self._records = database.connect(self.site.database)
        self._nodes: list[ZoneNode] = []

    async def start_gateway(self) -> None:
        """A new life of the gateway; it has subscribed when this returns."""
        log, said = self.gateway_log, f"broker 127.0.0.1:{self.broker.port} connected"
        before = log.read_text(encoding="utf-8").count(said) if log.exists() else 0
        command = [*CUADRA, "gateway", "run", "-c", str(self.site.gateway_file)]
        with log.open("ab") as file:
            gateway = self.gateway = subprocess.Popen(command, stderr=file)  # noqa: ASYNC220 (it outlives this call)

        def subscribed() -> bool:
            text = log.read_text(encoding="utf-8")
            assert gateway.poll() is None, f"the gateway ended:\n{text[-2000:]}"
            return text.count(said) > before

        await until(subscribed, what=f"the gateway's start ({log})")

    def kill_gateway(self) -> None:
        """`kill -9`."""
        assert self.gateway is not None
        self.gateway.kill()
        self.gateway.wait(timeout=20)

    async def picture(self) -> str:
        """What the living gateway says that its rules stand on: the open chain's part, as JSON."""
        assert self.gateway is not None
        before = self._pictures()
        self.gateway.send_signal(signal.SIGUSR1)
        await until(lambda: len(self._pictures()) > len(before), what="the gateway's picture")
        return self._pictures()[-1]

    def _pictures(self) -> list[str]:
        lines = self.gateway_log.read_text(encoding="utf-8").splitlines()
        return [line.partition("picture ")[2] for line in lines if f"zone {NAME}: picture " in line]

    async def replayed(self) -> str:
        """What `cuadra journal replay` makes of the record, as JSON."""
        return (await self._cuadra("replay", "--json")).strip()

    async def node(self, name: str, card: str = "") -> ZoneNode:
        """Start a node; the gateway has recorded a birth of that name when this returns. card: of a second device of that name."""
        node = await asyncio.to_thread(ZoneNode, self, name, card)
        self._nodes.append(node)
        await node.start()
        await self.recorded(f"{name} came")
        return node

    async def shown(self) -> list[str]:
        """What `cuadra journal show` prints of the open chain."""
        return (await self._cuadra("show")).splitlines()

    async def verify(self) -> None:
        """Both chains are whole."""
        await self._cuadra("verify")

    def bodies(self, kind: type[AnyBody], chain: Chain = Chain.OPEN) -> list[AnyBody]:
        """The entries of this kind, oldest first."""
        return [entry.body for entry in self.entries(chain) if isinstance(entry.body, kind)]

    async def recorded(self, *words: str, chain: Chain = Chain.OPEN, within_s: float = 20) -> str:
        """The first entry, in plain words, that has all of `words` and is there or comes."""
        lines: list[str] = []

        def found() -> list[str]:
            lines[:] = [tell(entry.body) for entry in self.entries(chain)]
            return matching()

        def matching() -> list[str]:
            return [line for line in lines if all(word in line for word in words)]

        await until(found, within_s, f"an entry with {words}")
        return matching()[0]

    def entries(self, chain: Chain = Chain.OPEN) -> list[Entry]:
        """The chain, whole."""
        # Read as the command does, without a process for each look.
        return list(read_chain(NAME, chain, rows(self._records, NAME, chain), genesis(NAME, chain)))

    async def _cuadra(self, word: str, *more: str) -> str:
        command = [*CUADRA, "journal", word, "--database", self.site.database, "--zone", NAME, *more]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, fault = await process.communicate()
        assert process.returncode == 0, f"journal {word}: {fault.decode()}{out.decode()}"
        return out.decode()

    def end(self) -> None:
        """Everything that it started ends."""
        for node in self._nodes:
            node.end()
        if self.gateway is not None and self.gateway.poll() is None:
            self.gateway.terminate()
            self.gateway.wait(timeout=20)
        self._records.dispose()

    @classmethod
    @asynccontextmanager
    async def standing(cls, folder: Path, police: str) -> AsyncIterator[Self]:
        """A zone whose gateway runs. police: of whoever receives DC-09 for the account, as `host:port?format=...`."""
        folder.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
        async with PhoneNetwork(Pace(times=0.05)) as phones:
            with Mosquitto(folder) as broker:
                zone = cls(folder, broker, phones, police)
                try:
                    await zone.start_gateway()
                    yield zone
                finally:
                    await asyncio.to_thread(zone.end)


@pytest.fixture
async def police() -> AsyncIterator[PoliceReceiver]:
    """The project's own receiver of the police."""
    receiver = PoliceReceiver({POLICE_ACCOUNT: None})
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def zone(tmp_path: Path, police: PoliceReceiver) -> AsyncIterator[Zone]:
    """A zone with that receiver."""
    async with Zone.standing(tmp_path, f"127.0.0.1:{police.port}?format=adm-cid") as made:
        yield made
