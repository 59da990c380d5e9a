"""Texts that people write to a real gateway through a real serial line, and a gateway that is killed while it reads or answers them."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from controller.entries import Body, Chain, NoticeMoved, ReplyReceived
from controller.records import database
from controller.records.journal import genesis, read_chain
from controller.records.store import rows
from gateway.modem.pdu import Deliver, decode_incoming
from simulators.modem_simulator import Pace
from simulators.phone_network import PhoneNetwork
from simulators.site import Site
from tests.mosquitto import Mosquitto

pytestmark = pytest.mark.whole

PATROL = "+51900000302"
STRANGERS = ("+51955111222", "+51955333444")


class Line:
    """A zone's gateway on one modem, and nothing else."""

    def __init__(self, folder: Path, broker: Mosquitto, phones: PhoneNetwork) -> None:
        self.folder, self.phones = folder, phones
        self.site = Site(folder / "z3", "z3", broker.port)
        self.site.bring_in()
        self.modem = phones.modem("sim1", folder / "modem")
        self.site.write_gateway(["[sms]", "[[sms.modems]]", 'name = "sim1"', f'port = "{folder / "modem"}"'])
        self.gateway: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = (sys.executable, "-c", "from controller.command_line import main; main()", "gateway", "run", "-c", str(self.site.gateway_file))
        with self.log.open("ab") as log:
            self.gateway = subprocess.Popen(words, stderr=log)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.gateway is not None
        self.gateway.kill()
        self.gateway.wait()

    def end(self) -> None:
        if self.gateway is not None:
            self.gateway.terminate()
            self.gateway.wait(timeout=20)

    @property
    def database(self) -> Path:
        return self.folder / "z3" / "gateway.db"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def entries(self, *kinds: type[Body]) -> list[Body]:
        """What is on record in the open chain."""
        engine = database.connect(self.site.database)
        try:
            entries = list(read_chain("z3", Chain.OPEN, rows(engine, "z3", Chain.OPEN), genesis("z3", Chain.OPEN)))
        finally:
            engine.dispose()
        return [entry.body for entry in entries if isinstance(entry.body, kinds)]

    async def until(self, so: Callable[[], object], within_s: float = 20) -> None:
        async with asyncio.timeout(within_s):
            while not so():  # noqa: ASYNC110 (another process tells nobody here)
                await asyncio.sleep(0.05)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 (a folder of memory; the broker runs as a user of its own)
    async with PhoneNetwork(Pace(times=0.05)) as phones:
        with Mosquitto(tmp_path) as broker:
            made = Line(tmp_path, broker, phones)
            made.start()
            try:
                yield made
            finally:
                await asyncio.to_thread(made.end)


async def test_an_answer_that_was_under_way_when_the_gateway_was_killed_comes_again_with_a_mark(line: Line) -> None:
    line.modem.faults.lost_answers = 1
    patrol = line.phones.phone(PATROL)
    patrol.writes("hola")
    first = await patrol.expects("1=voy", within_s=20)
    line.kill()
    line.start()
    again = await patrol.expects("(2) ", within_s=20)
    assert again.text == f"(2) {first.text}"
    patrol.writes("1")
    fresh = await patrol.expects("No hay nada abierto", within_s=20)
    assert not fresh.text.startswith("("), "what was made in this life is no repetition"


async def test_strangers_are_answered_once_and_their_numbers_stay_private(line: Line) -> None:
    line.modem.faults.lost_answers = 1
    one, other = line.phones.phone(STRANGERS[0]), line.phones.phone(STRANGERS[1])
    one.writes("hola, vi algo")
    other.writes("1 K7F3")
    line.phones.bring("7711", line.modem.number, "Gane un celular")
    await line.until(lambda: one.texts or other.texts)
    one, other = (one, other) if one.texts else (other, one)
    [first] = one.texts
    assert "No conocemos" in first.text
    assert not first.text.startswith("(")
    await line.until(lambda: len(line.entries(ReplyReceived)) == 3)
    line.kill()
    line.start()
    answer = await other.expects("No conocemos", within_s=20)
    await one.expects("(2) ", within_s=20)
    for phone in (one, other):
        phone.writes("hola?")
    await line.until(lambda: len(line.entries(ReplyReceived)) == 5)
    await line.until(lambda: len([body for body in line.entries(NoticeMoved) if isinstance(body, NoticeMoved) and body.to == "notified"]) == 2)
    assert ([text.text for text in one.texts], other.texts) == ([first.text, f"(2) {first.text}"], [answer])
    assert line.phones.phone("7711").texts == [], "an advertiser is not answered"
    kept = [line.log, *(line.folder / "z3").glob("gateway.db*")]
    assert len(kept) >= 2
    for path in kept:
        octets = await asyncio.to_thread(path.read_bytes)
        assert not any(number[3:].encode() in octets for number in STRANGERS), path


async def test_a_gateway_killed_before_a_text_is_on_record_reads_it_again(line: Line) -> None:
    patrol = line.phones.phone(PATROL)
    patrol.writes("hola")
    first = await patrol.expects("1=voy", within_s=20)
    await line.until(lambda: not line.modem.memory)
    locked = sqlite3.connect(line.database, isolation_level=None, timeout=10)
    try:
        locked.execute("BEGIN IMMEDIATE")
        patrol.writes("1")
        answer = await patrol.expects("No hay nada abierto", within_s=30)
        assert not answer.text.startswith("("), "told from memory"
        stored = [decode_incoming(pdu) for _, pdu in line.modem.memory.values()]
        assert [text.text for text in stored if isinstance(text, Deliver)] == ["1"], "what is not on record stays in the modem"
        line.kill()
    finally:
        locked.close()
    assert [body.meaning for body in line.entries(ReplyReceived) if isinstance(body, ReplyReceived)] == ["unknown"]
    line.start()
    await line.until(lambda: not line.modem.memory)
    assert [body.meaning for body in line.entries(ReplyReceived) if isinstance(body, ReplyReceived)] == ["unknown", "go"]
    assert patrol.texts[0] == first


async def test_a_text_that_was_on_record_and_not_yet_deleted_counts_once(line: Line) -> None:
    line.modem.faults.keeps_all = True
    patrol = line.phones.phone(PATROL)
    patrol.writes("1")
    await patrol.expects("No hay nada abierto", within_s=20)
    await line.until(lambda: any(asked.startswith("AT+CMGD=") for asked in line.modem.asked))
    await line.until(lambda: line.entries(NoticeMoved))
    line.kill()
    assert len(line.modem.memory) >= 1
    line.modem.faults.keeps_all = False
    line.start()
    await line.until(lambda: not line.modem.memory)
    patrol.writes("hola")
    await patrol.expects("1=voy", within_s=20)
    await line.until(lambda: len(line.entries(ReplyReceived)) == 2)
    assert len(patrol.texts) == 2, "one answer to each"
