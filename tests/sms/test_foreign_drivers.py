"""The simulated modem, driven by software that nobody here wrote: gammu, gammu-smsd and python-gsmmodem-new."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import gsmmodem.modem  # type: ignore[import-untyped]  # it brings no types
import pytest

from gateway.modem.pdu import encode_submits
from simulators.modem_simulator import Pace
from simulators.phone_calls import Rung
from simulators.phone_pdu import encode_delivers
from tests.sms.conftest import JUAN, ROSA, Street

LONG = "Vecinos: hoy simulacro a las 10. Salgan con calma, lleven agua, radio y abrigo. No corran. " * 2 + "Gracias a todas."


class Gammu:
    """`gammu` with its configuration for one simulated modem."""

    def __init__(self, command: str, smsd: str, folder: Path, port: Path) -> None:
        self.command, self.smsd, self.folder = command, smsd, folder
        self.config = folder / "gammurc"
        self.config.write_text(f"[gammu]\nport={port}\nconnection=at115200\nsynchronizetime=no\n")
        self.smsd_config = folder / "smsdrc"
        boxes = {name: folder / name for name in ("inbox", "outbox", "sent", "error")}
        for box in boxes.values():
            box.mkdir()
        self.smsd_config.write_text(
            f"[gammu]\nport={port}\nconnection=at115200\nsynchronizetime=no\n[smsd]\nservice=files\nlogfile={folder}/smsd.log\n"
            f"debuglevel=0\ncommtimeout=1\nreceivefrequency=1\nstatusfrequency=1\nloopsleep=1\ncheckbattery=0\nchecksignal=0\n"
            f"inboxpath={boxes['inbox']}/\noutboxpath={boxes['outbox']}/\nsentsmspath={boxes['sent']}/\n"
            f"errorsmspath={boxes['error']}/\ninboxformat=unicode\n"
        )

    async def run(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self.command, "-c", str(self.config), *arguments, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )
        try:
            async with asyncio.timeout(30):
                shown, _ = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        text = shown.decode("utf-8", "replace")
        assert process.returncode == 0, text
        return text

    async def shows(self, words: str, *arguments: str) -> None:
        """Run a command that goes on by itself, until it has shown these words."""
        process = await asyncio.create_subprocess_exec(
            self.command, "-c", str(self.config), *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )
        assert process.stdout is not None
        shown = ""
        try:
            async with asyncio.timeout(30):
                while words not in shown:
                    line = await process.stdout.readline()
                    assert line, shown
                    shown += line.decode("utf-8", "replace")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def inbox(self) -> list[Path]:
        return list((self.folder / "inbox").iterdir())

    @contextlib.asynccontextmanager
    async def daemon(self) -> AsyncIterator[None]:
        process = await asyncio.create_subprocess_exec(
            self.smsd, "-c", str(self.smsd_config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            yield
        finally:
            process.kill()
            await process.wait()


@pytest.fixture
def driver(gammu: str, gammu_smsd: str, tmp_path: Path) -> Gammu:
    folder = tmp_path / "gammu"
    folder.mkdir()
    return Gammu(gammu, gammu_smsd, folder, tmp_path / "sim1")


async def test_gammu_identifies_it_and_sends(street: Street, gammu: str, gammu_smsd: str, tmp_path: Path) -> None:
    """Side by side, since it takes five seconds to be sure of a modem."""
    asked = {
        "sim1": ("identify",),
        "sim2": ("sendsms", "TEXT", ROSA, "-report", "-text", "PANICO Mz C [Lt 7] ¿vienes?"),
        "sim3": ("sendsms", "TEXT", ROSA, "-unicode", "-text", "Pánico en la esquina, sábado"),
        "sim4": ("sendsms", "TEXT", ROSA, "-len", "400", "-text", LONG),
    }
    runs = []
    for name, arguments in asked.items():
        street.modem(name)
        folder = tmp_path / f"gammu-{name}"
        folder.mkdir()
        runs.append(Gammu(gammu, gammu_smsd, folder, tmp_path / name).run(*arguments))
    shown = await asyncio.gather(*runs)
    assert "SIM800" in shown[0]
    assert "865690000000017" in shown[0]
    for text in (asked["sim2"][-1], asked["sim3"][-1], LONG):
        await street.network.phone(ROSA).expects(text)


async def test_libgammu_reads_what_the_network_brings_and_what_we_would_submit(street: Street, driver: Gammu) -> None:
    modem = street.modem()
    came, long, ours = "Voy ya, ñandú [Mz C] 1€", LONG, "PANICO Mz C {Lt 7} ¡ya!"
    at = datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)
    for index, pdu in enumerate([*encode_delivers(JUAN, came, 1, at), *encode_delivers(JUAN, long, 2, at)], 1):
        modem.memory[index] = (0, pdu)
    modem.memory[20] = (2, encode_submits(ROSA, ours, ref=1)[0].octets)
    shown = (await driver.run("getallsms")).replace("\n", "")
    for text in (came, ours, JUAN, ROSA, LONG[:150], LONG[153:]):
        assert text in shown


async def test_gammu_smsd_fetches_and_sends(street: Street, driver: Gammu) -> None:
    modem = street.modem()
    street.network.bring(JUAN, modem.number, "1 K7F3")
    (driver.folder / "outbox" / f"OUT{ROSA}.txt").write_text("desde la bandeja")
    async with driver.daemon():
        assert (await street.network.phone(ROSA).expects("bandeja", within_s=25)).text == "desde la bandeja"
        async with asyncio.timeout(25):
            while not (inbox := driver.inbox()):  # noqa: ASYNC110 (another program fills it)
                await asyncio.sleep(0.05)
    assert JUAN in inbox[0].name
    assert not modem.memory


async def test_python_gsmmodem_sends_and_gets_its_delivery_report(street: Street, tmp_path: Path) -> None:
    street.modem()

    def send() -> tuple[int, str]:
        modem = gsmmodem.modem.GsmModem(str(tmp_path / "sim1"), 115200, smsReceivedCallbackFunc=lambda _: None)
        modem.connect()
        try:
            sms = modem.sendSms(ROSA, "desde otro programa", waitForDeliveryReport=True, deliveryTimeout=10)
            return int(sms.status), str(modem.manufacturer)
        finally:
            modem.close()

    status, make = await asyncio.to_thread(send)
    assert status == gsmmodem.modem.SentSms.DELIVERED
    assert make == "SIMCOM_Ltd"
    assert (await street.network.phone(ROSA).expects("otro")).text == "desde otro programa"


async def test_gammu_dials_and_asks_for_the_credit(street: Street, gammu: str, gammu_smsd: str, tmp_path: Path) -> None:
    """Side by side, since it takes five seconds to be sure of a modem."""
    drivers = []
    for name in ("sim1", "sim2"):
        street.modem(name).calls.codes["*123#"] = "Saldo S/ 12.50"
        folder = tmp_path / f"gammu-{name}"
        folder.mkdir()
        drivers.append(Gammu(gammu, gammu_smsd, folder, tmp_path / name))
    rosa = street.network.phone(ROSA).line
    rosa.picks_up(after_s=0)
    await asyncio.gather(drivers[0].run("dialvoice", ROSA), drivers[1].shows("Saldo S/ 12.50", "getussd", "*123#"))
    assert (await rosa.rings()).call.number == ROSA


async def test_python_gsmmodem_dials_is_answered_sends_tones_and_is_rung(street: Street, tmp_path: Path) -> None:
    street.network.pace = Pace(times=0.2)
    simulated = street.modem()
    rosa = street.network.phone(ROSA).line
    rosa.picks_up(after_s=3)
    rung: list[str] = []

    def called(call: gsmmodem.modem.IncomingCall) -> None:
        if call.number and not rung:
            rung.append(str(call.number))
            call.hangup()
            rejected.set()

    def dial() -> bool:
        modem = gsmmodem.modem.GsmModem(str(tmp_path / "sim1"), 115200, incomingCallCallbackFunc=called)
        modem.connect()
        try:
            call = modem.dial(ROSA, timeout=5, callStatusUpdateCallbackFunc=lambda _: answered.set())
            was_answered = answered.wait(10)
            call.sendDtmfTone("1")
            call.hangup()
            loop.call_soon_threadsafe(rings)
            return was_answered and rejected.wait(10)
        finally:
            modem.close()

    def rings() -> None:
        made.append(street.network.phone(JUAN).line.calls(simulated.number))

    loop, answered, rejected, made = asyncio.get_running_loop(), threading.Event(), threading.Event(), list[Rung | None]()
    assert await asyncio.to_thread(dial)
    assert rosa.rung[0].call.tones == ["1"]
    assert not rosa.rung[0].call.is_up
    assert rung == [JUAN]
    assert made[0] is not None
    assert made[0].rejected
