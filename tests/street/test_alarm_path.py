"""A press becomes a siren, texts, a signal at the police and a light, and an answer comes back to the button: all real processes."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from controller.settings_file import read
from node_firmware.config import NodeConfig
from simulators.buttons import Buttons
from simulators.modem_simulator import Pace
from simulators.phone_network import PhoneNetwork
from simulators.pins_process import PinsControl
from simulators.police import PoliceReceiver
from simulators.site import SIREN_PIN, Site
from tests.mosquitto import Mosquitto

pytestmark = pytest.mark.whole

CUADRA = (sys.executable, "-c", "from controller.command_line import main; main()")
NODE, REPRESENTATIVE, PLACE = "z3b01n1", "+51900000314", "Lote 24"


class Street:
    """One block of zone 3 with everything behind it."""

    def __init__(self, folder: Path, broker: Mosquitto, police: PoliceReceiver, phones: PhoneNetwork) -> None:
        self.folder, self.phones, self.police = folder, phones, police
        self.site = Site(folder / "z3", "z3", broker.port)
        self.site.bring_in(changed={"127.0.0.1:17003": f"127.0.0.1:{police.port}"})
        phones.modem("sim1", folder / "modem")
        modem = ["[sms]", "[[sms.modems]]", 'name = "sim1"', f'port = "{folder / "modem"}"']
        self.site.write_gateway([*modem, "[dc09]", "[webhook]"])
        self.processes: list[subprocess.Popen[bytes]] = []
        pins = self._start("simulate", "pins", "--port", "0", "--control-port", "0", stdout=subprocess.PIPE)
        assert pins.stdout is not None
        ports = json.loads(pins.stdout.readline())
        node = self.site.write_node(NODE, pins_port=ports["port"])
        self.pins, self.buttons = PinsControl(ports["control_port"]), Buttons(read(node, NodeConfig))
        self.gateway = self.start_gateway()
        self._start("node", "run", "--config", str(node), log="node.log")

    def start_gateway(self) -> subprocess.Popen[bytes]:
        return self._start("gateway", "run", "-c", str(self.site.gateway_file), log="gateway.log")

    def _start(self, *words: str, stdout: int | None = None, log: str = "other.log") -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as file:
            process = subprocess.Popen([*CUADRA, *words], stdout=stdout, stderr=file)
        self.processes.append(process)
        return process

    async def hold(self, name: str = "b1") -> None:
        await asyncio.to_thread(self.pins.play, self.buttons.hold(name, 1400))

    def changes(self, pin: int) -> int:
        return sum(change.pin == pin and change.output for change in self.pins.history())

    def journal(self) -> list[str]:
        words = [*CUADRA, "journal", "show", "--database", self.site.database, "--zone", "z3"]
        shown = subprocess.run(words, capture_output=True, check=False, text=True)
        return shown.stdout.splitlines()

    def end(self) -> None:
        self.pins.close()
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=20)


async def until(so: Callable[[], object], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not so():  # noqa: ASYNC110 (other processes tell nobody here)
            await asyncio.sleep(0.05)


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
    police = PoliceReceiver({"1003": None})
    await police.start()
    async with PhoneNetwork(Pace(times=0.05)) as phones:
        with Mosquitto(tmp_path) as broker:
            made = Street(tmp_path, broker, police, phones)
            try:
                await until(lambda: any(NODE in line and "came" in line for line in made.journal()))
                yield made
            finally:
                await asyncio.to_thread(made.end)
    await police.stop()


async def test_a_press_is_heard_seen_told_and_taken(street: Street) -> None:
    await street.hold()
    assert street.changes(SIREN_PIN) > 0, "the siren sounds before anybody is told"
    alarm = await street.phones.phone(REPRESENTATIVE).expects("PANICO", "1=voy", within_s=20)
    assert PLACE not in alarm.text, "the house is for who goes"
    await street.police.expects("1120", within_s=10)

    street.phones.phone(REPRESENTATIVE).writes("1")
    taken = await street.phones.phone(REPRESENTATIVE).expects("PANICO", PLACE, within_s=20)
    assert "Vas tu" in taken.text
    patrol = next(phone for phone, text in street.phones.texts() if phone.number != REPRESENTATIVE and "PANICO" in text.text)
    await patrol.expects("va Cuadra 3-01", within_s=20)
    received = await asyncio.to_thread(street.journal)
    assert sum("incident.opened" in line for line in received) == 1
    assert any("taken by z3rep01" in line for line in received)


async def test_a_gateway_killed_in_the_middle_goes_on_and_tells_nobody_twice(street: Street) -> None:
    await street.hold()
    await street.phones.phone(REPRESENTATIVE).expects("PANICO", within_s=20)
    await until(lambda: len(list(street.phones.texts())) >= 3)
    await until(lambda: sum("notified" in line for line in street.journal()) >= 4)  # three texts and the police
    street.gateway.kill()
    street.gateway.wait()
    street.start_gateway()
    street.phones.phone(REPRESENTATIVE).writes("1")
    await street.phones.phone(REPRESENTATIVE).expects("Vas tu", within_s=30)
    alarms = [phone.number for phone, text in street.phones.texts() if text.text.startswith("PANICO Mz")]
    assert len(alarms) == len(set(alarms)), "each was told once"
    assert any("taken by z3rep01" in line for line in await asyncio.to_thread(street.journal))
