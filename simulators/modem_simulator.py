"""A GSM modem that is not there: AT commands on a real pseudo-terminal, as a SIM800 answers them (TS 27.005, TS 27.007).

It is slow like a modem, echoes until ATE0, says things by itself, stores what comes in, and fails on demand. It knows PDU
mode only; its calls are in `modem_calls.py`. What it leaves out: text mode, baud rates (a pseudo-terminal has none).
"""

import asyncio
import contextlib
import logging
import os
import random
import re
import tty
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from controller.errors import BadMessage
from simulators.modem_calls import ModemCalls, Party
from simulators.modem_memory import Memories
from simulators.phone_pdu import CENTRE, Submitted, decode_submit, tpdu_length

logger = logging.getLogger(__name__)

_SILENTLY_OK: Final = re.compile(
    r"AT(Z|&F|E[01]|V1|Q0|X4|\+CMEE=[012]|\+COLP=0|\+CRC=1|\+CVHU=0|\+COPS=3,[0-2]|\+C(?:G|E)?REG=[0-2]|\+CMMS=[012]"
    r"|\+CSMP=.*|\+CSAS|\+CSDH=[01]|\+CSCA=.*|\+CTZR=[01]|\+CSCS=.*)?"
)


@dataclass
class Pace:
    """How fast it all goes, in seconds; `times` scales the whole (0.01: a hundred times as fast)."""

    answer_s: float = 0.02
    send_s: float = 6.0
    deliver_s: float = 3.0
    boot_s: float = 4.0
    times: float = 1.0

    async def take(self, seconds: float) -> None:
        """Let the time pass."""
        await asyncio.sleep(seconds * self.times)


@dataclass
class Faults:
    """What is wrong with a modem now; set and unset at will.

    errors: answers to the next texts, e.g. ["+CMS ERROR: 38"]. hung: nothing is answered; with `hung_for_good` not even a
    restart helps. lost_answers: so many texts go out and are never acknowledged. noise: garbage before every line.
    keeps_all: nothing can be deleted. says_between: a line said in the middle of the next answers. swallows: texts are accepted,
    reach nobody and are never reported.
    """

    no_prompt: bool = False
    errors: list[str] = field(default_factory=list)
    hung: bool = False
    hung_for_good: bool = False
    lost_answers: int = 0
    noise: bool = False
    echoes_only: bool = False
    keeps_all: bool = False
    swallows: bool = False
    says_between: str = ""
    slow: float = 1.0


class ModemSimulator:
    """One modem. link: a path that leads to its pseudo-terminal while it is plugged in. reports_in: the memory of stored reports."""

    def __init__(
        self,
        name: str,
        number: str,
        link: Path,
        pace: Pace,
        carry: Callable[["ModemSimulator", Submitted, int], None],
        dial: Callable[["ModemSimulator", str], Party],
        *,
        pin: str = "",
        capacity: int = 30,
        reports_stored: bool = True,
        reports_in: str = "SM",
        seed: int = 1,
    ) -> None:
        self.name, self.number, self.link, self.pace = name, number, link, pace
        self.faults = Faults()
        self.registration = 1
        self.rssi = 18
        self.pin_wanted = bool(pin)
        self.pins_tried: list[str] = []
        self.memories = Memories(capacity, reports_in)
        self.memory = self.memories.of["SM"]
        """What the SIM stores."""
        self.capacity = capacity
        self.restarts = 0
        self.asked: list[str] = []
        """Every command, as it came."""
        self.operator = "CUADRA"
        self.calls = ModemCalls(lambda number: dial(self, number) if self.registration in (1, 5) else None, self.say, self._later)
        self._pin = pin
        self._reports_stored = reports_stored
        self._carry = carry
        self._random = random.Random(seed)
        self._ref = self._random.randrange(256)
        self._master = self._slave = -1
        self._held = b""
        self._body_wanted = 0
        self._commands: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._power_up()

    # The plug

    def plug(self) -> None:
        """Appear under `link`."""
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._readable)
        self._power_up()
        self._worker = loop.create_task(self._work(), name=f"modem simulator {self.name}")

    def unplug(self) -> None:
        """Vanish, with everything that was on the line; what is stored stays."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        if self._worker is not None:
            self._worker.cancel()
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._commands = asyncio.Queue()

    # The network

    def receive(self, pdu: str, announced: str) -> None:
        """Take in a message (`CMTI`) or a report (`CDSI`); when the memory is full the network keeps it for later."""
        mode = self._cnmi[1 if announced == "CMTI" else 3]
        if mode == (2 if announced == "CMTI" else 1):
            alpha = "," if announced == "CMTI" else ""
            direct = "CMT" if announced == "CMTI" else "CDS"
            self.say(f"+{direct}: {alpha}{tpdu_length(pdu)}\r\n{pdu}")
            return
        if announced == "CDSI" and mode == 0:
            return
        place = self.memories.receive(pdu, announced)
        if place is not None and mode:
            self.say(f'+{announced}: "{place[0]}",{place[1]}')

    def fill_memory(self, pdu: str) -> None:
        """Fill every free place with `pdu`, unannounced."""
        for index in range(1, self.capacity + 1):
            self.memory.setdefault(index, (1, pdu))

    def say(self, line: str) -> None:
        """Say something by itself."""
        if not self.faults.hung:
            self._write(f"\r\n{line}\r\n".encode())

    def garbage(self, octets: int = 64) -> None:
        """Bytes that mean nothing, on the line."""
        self._write(self._random.randbytes(octets))

    # The line

    def _power_up(self) -> None:
        self._echo = True
        self._cnmi = [2, 1, 0, 0, 0]
        self.memories.selected = "SM"
        self._body_wanted = 0
        self._held = b""
        self.calls.power_up()

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds * self.pace.times, do)

    def _write(self, octets: bytes) -> None:
        if self._master < 0:
            return
        if self.faults.noise:
            octets = self._random.randbytes(7) + b"\xff\xfe" + octets
        # A line that nobody reads fills up and loses what comes after, as a UART does.
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, octets)

    def _readable(self) -> None:
        try:
            octets = os.read(self._master, 4096)
        except (BlockingIOError, OSError) as fault:
            logger.debug("%s: nothing to read: %s", self.name, fault)
            return
        if self.faults.echoes_only:
            self._write(bytes(octet ^ 0x55 for octet in octets))
            return
        for octet in octets:
            self._octet(bytes([octet]))

    def _octet(self, octet: bytes) -> None:
        if self._body_wanted:
            self._body(octet)
            return
        if self._echo and not self.faults.hung:
            self._write(octet)
        if octet == b"\x1b":
            self._held = b""
        elif octet == b"\r":
            command, self._held = self._held.decode("latin-1").strip(), b""
            if command[:2].upper() == "AT":
                self._heard(command)
        elif octet != b"\n":
            self._held += octet

    def _heard(self, command: str) -> None:
        self.asked.append(command)
        asked = re.fullmatch(r"AT\+CMGS=(\d+)", command)
        if asked and not self.faults.hung and not self.faults.no_prompt and self.registration in (1, 5):
            self._body_wanted = int(asked[1])
            asyncio.get_running_loop().call_later(self.pace.answer_s * self.pace.times, self._write, b"\r\n> ")
        elif not asked or not self.faults.no_prompt:
            self._commands.put_nowait((command, 0))

    def _body(self, octet: bytes) -> None:
        if octet == b"\x1b":
            self._body_wanted, self._held = 0, b""
            self._commands.put_nowait(("", 0))
        elif octet == b"\x1a":
            body, self._held = self._held.decode("latin-1").strip(), b""
            length, self._body_wanted = self._body_wanted, 0
            self._commands.put_nowait((body, length))
        else:
            self._held += octet

    async def _work(self) -> None:
        while True:
            command, length = await self._commands.get()
            if self.faults.hung and (self.faults.hung_for_good or not command.startswith("AT+CFUN=1,1")):
                continue
            await self.pace.take(self.pace.answer_s * self.faults.slow)
            if length:
                await self._send(command, length)
            elif command.startswith("AT+CFUN=1,1"):
                await self._restart()
            else:
                self._answer(self._lines(command))

    def _answer(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._write(f"\r\n{line}\r\n".encode())
            if self.faults.says_between:
                self._write(f"\r\n{self.faults.says_between}\r\n".encode())
        self.faults.says_between = ""

    async def _restart(self) -> None:
        self._answer(["OK"])
        self.restarts += 1
        self.faults.hung = False
        self._power_up()
        self.pin_wanted = bool(self._pin)
        await self.pace.take(self.pace.boot_s)
        for line in ("RDY", "+CFUN: 1", "+CPIN: SIM PIN" if self.pin_wanted else "+CPIN: READY", "Call Ready", "SMS Ready"):
            self.say(line)

    async def _send(self, body: str, length: int) -> None:
        try:
            submitted = decode_submit(body, length)
        except BadMessage as fault:
            logger.info("%s: refused a message: %s", self.name, fault)
            self._answer(["+CMS ERROR: 304"])
            return
        await self.pace.take(self.pace.send_s * self.faults.slow)
        if self.faults.errors:
            self._answer([self.faults.errors.pop(0)])
            return
        self._ref = (self._ref + 1) & 0xFF
        if not self.faults.swallows:
            self._carry(self, submitted, self._ref)
        if self.faults.lost_answers:
            self.faults.lost_answers -= 1
            return
        self._answer([f"+CMGS: {self._ref}", "OK"])

    def _lines(self, command: str) -> list[str]:
        """The answer to a plain command."""
        told = command.upper()
        of_a_call = self.calls.answer(command)
        if of_a_call is not None:
            return of_a_call
        for character in "01":
            if re.match(rf"AT(?:.*)E{character}$", told):
                self._echo = character == "1"
        if told in _FIXED:
            return [*_FIXED[told], "OK"]
        pattern, answer = next(((p, a) for p, a in _ANSWERS if re.fullmatch(p, command, re.IGNORECASE)), (None, None))
        if answer is not None and pattern is not None:
            match = re.fullmatch(pattern, command, re.IGNORECASE)
            return answer(self, *(match.groups() if match else ()))
        if _SILENTLY_OK.fullmatch(told) or not command:
            return ["OK"]
        return ["ERROR"]

    def _asked_pin(self) -> list[str]:
        return ["+CPIN: SIM PIN" if self.pin_wanted else "+CPIN: READY", "OK"]

    def _given_pin(self, pin: str) -> list[str]:
        self.pins_tried.append(pin)
        if pin != self._pin:
            return ["+CME ERROR: 16"]
        self.pin_wanted = False
        return ["OK"]

    def _asked_registration(self, which: str) -> list[str]:
        return [f"+C{which.upper()}REG: 0,{self.registration}", "OK"]

    def _asked_operator(self) -> list[str]:
        return [f'+COPS: 0,0,"{self.operator}"' if self.registration in (1, 5) else "+COPS: 0", "OK"]

    def _asked_signal(self) -> list[str]:
        return [f"+CSQ: {self.rssi if self.registration in (1, 5) else 99},0", "OK"]

    def _storage(self) -> list[str]:
        return self.memories.storage()

    def _can_store(self) -> list[str]:
        return self.memories.supported()

    def _set_storage(self, memory: str) -> list[str]:
        return self.memories.select(memory.upper())

    def _can_announce(self) -> list[str]:
        return [f"+CNMI: (0,1,2),(0,1,2,3),(0,2),({'0,1,2' if self._reports_stored else '0,1'}),(0,1)", "OK"]

    def _announce(self, setting: str) -> list[str]:
        numbers = [int(number) for number in setting.split(",")]
        numbers += self._cnmi[len(numbers) :]
        if numbers[3] == 2 and not self._reports_stored:
            return ["+CMS ERROR: 303"]
        self._cnmi = numbers
        return ["OK"]

    def _list(self, status: str) -> list[str]:
        return self.memories.listed(status)

    def _read(self, index: str) -> list[str]:
        return self.memories.read(int(index))

    def _delete(self, index: str, flag: str | None) -> list[str]:
        if self.faults.keeps_all:
            return ["+CMS ERROR: 320"]
        self.memories.delete(int(index), flag)
        for pdu, announced in self.memories.waiting():
            self.receive(pdu, announced)
        return ["OK"]

    def _message_refused(self) -> list[str]:
        return ["+CMS ERROR: 331"]

    def _text_mode(self) -> list[str]:
        return ["+CMS ERROR: 303"]


_FIXED: Final[dict[str, list[str]]] = {
    "AT+CGMI": ["SIMCOM_Ltd"],
    "AT+GMI": ["SIMCOM_Ltd"],
    "AT+CGMM": ["SIMCOM_SIM800L"],
    "AT+GMM": ["SIMCOM_SIM800L"],
    "AT+CGMR": ["Revision:1418B05SIM800L24"],
    "AT+GMR": ["Revision:1418B05SIM800L24"],
    "AT+CGSN": ["865690000000017"],
    "AT+GSN": ["865690000000017"],
    "AT+CIMI": ["716060000000017"],
    "AT+CFUN?": ["+CFUN: 1"],
    "AT+CFUN=1": [],
    "AT+CSCS=?": ['+CSCS: ("IRA","GSM","UCS2","HEX","PCCP","PCDN","8859-1")'],
    "AT+CSCS?": ['+CSCS: "GSM"'],
    "AT+CMGF=?": ["+CMGF: (0)"],
    "AT+CMGF?": ["+CMGF: 0"],
    "AT+CMGF=0": [],
    "AT+CSMS?": ["+CSMS: 0,1,1,1"],
    "AT+CSMS=0": ["+CSMS: 1,1,1"],
    "AT+CSMS=1": ["+CSMS: 1,1,1"],
    "AT+CSCA?": [f'+CSCA: "{CENTRE}",145'],
    "AT+CBC": ["+CBC: 0,85,4021"],
    "AT+CCLK?": ['+CCLK: "26/01/15,16:34:56-20"'],
}
_Answer = Callable[..., list[str]]
_ANSWERS: Final[list[tuple[str, _Answer]]] = [
    (r"AT\+CPIN\?", ModemSimulator._asked_pin),  # noqa: SLF001 (the table is the class's own, below it)
    (r'AT\+CPIN="?(\d+)"?', ModemSimulator._given_pin),  # noqa: SLF001
    (r"AT\+C(G|E|)REG\?", ModemSimulator._asked_registration),  # noqa: SLF001
    (r"AT\+COPS\?", ModemSimulator._asked_operator),  # noqa: SLF001
    (r"AT\+CSQ", ModemSimulator._asked_signal),  # noqa: SLF001
    (r"AT\+CPMS\?", ModemSimulator._storage),  # noqa: SLF001
    (r"AT\+CPMS=\?", ModemSimulator._can_store),  # noqa: SLF001
    (r'AT\+CPMS="(\w+)"(?:,"SM"){0,2}', ModemSimulator._set_storage),  # noqa: SLF001
    (r"AT\+CNMI=\?", ModemSimulator._can_announce),  # noqa: SLF001
    (r"AT\+CNMI=([\d,]+)", ModemSimulator._announce),  # noqa: SLF001
    (r"AT\+CMGL=([0-4])", ModemSimulator._list),  # noqa: SLF001
    (r"AT\+CMGR=(\d+)", ModemSimulator._read),  # noqa: SLF001
    (r"AT\+CMGD=(\d+)(?:,(\d))?", ModemSimulator._delete),  # noqa: SLF001
    (r"AT\+CMGS=\d+", ModemSimulator._message_refused),  # noqa: SLF001
    (r"AT\+CMGF=1", ModemSimulator._text_mode),  # noqa: SLF001
]
