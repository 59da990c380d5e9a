"""One modem: opened, set up, kept under supervision, restarted when it hangs, found again when it was unplugged.

Everything it is asked goes through one task, `live`, so that one command at a time holds by construction. The task takes
a job when the modem is well, sends its parts, and between jobs hears what the modem says by itself.
"""

import asyncio
import logging
import re
import traceback
from collections import deque
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.channels.channel import PartState
from gateway.modem.at import AtPort, NoAnswer, NoPrompt, PortGone, Refused, numbers_in
from gateway.modem.credit import Credit, CreditSettings
from gateway.modem.errors import NO_NETWORK, SIM_ABSENT, ModemError, Remedy
from gateway.modem.life import Condition, Event, Life, State
from gateway.modem.mailbox import Mailbox, Reader
from gateway.modem.pdu import Submit
from gateway.modem.setup import Identity, SimRefused, operator, set_up
from gateway.modem.voice import Call, CallTiming, Voice

logger = logging.getLogger(__name__)

SILENT_AFTER: Final = 3
"""Time-outs in a row after which a modem counts as hung."""
WEAK_RSSI: Final = 10
STRONG_RSSI: Final = 13
"""From there on a weak signal is none any more: between the two it swings all day."""
REGISTERED: Final = frozenset({1, 5, 6, 7})
GARBLED_LINES: Final = 5
"""Unreadable lines between two looks, from which on the line itself is at fault."""
RESTART: Final = b"AT+CFUN=1,1\r"


class Timing(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a modem is given, and how often it is looked at. Seconds.

    send_s: for the network's answer to a text; 60 for 2G modems, 120 for LTE ones. vanish_s: so long without report or reply after
    several texts, and they count as vanished. vanish_probe_s: how often one more is tried then.
    """

    answer_s: float = 5.0
    prompt_s: float = 5.0
    send_s: float = 60.0
    sync_s: float = 0.5
    supervise_s: float = 20.0
    poll_s: float = 120.0
    boot_s: float = 8.0
    reopen_s: float = 1.0
    reopen_s_max: float = 60.0
    no_network_restart_s: float = 600.0
    vanish_s: float = 150.0
    vanish_probe_s: float = 600.0


class Job(Protocol):
    """A text to be sent, as the modem sees it. The first of `finished`, `unanswered` and `refused` counts."""

    submits: list[Submit]
    secret: bool
    """Nothing that is measured while it is sent may be told."""

    def accepted(self, modem: str, ref: int) -> None:
        """The network has the next part, under this reference."""

    def finished(self) -> None:
        """It has all of them."""

    def unanswered(self, why: str) -> None:
        """It may have gone."""

    def refused(self, modem: str, why: str, remedy: Remedy) -> None:
        """It has not gone."""


class Ears(Reader, Protocol):
    """Who is told what a modem has to say."""

    def next_job(self, modem: str) -> Job | None:
        """Give the oldest text that this modem may try."""

    def next_call(self, modem: str) -> Call | None:
        """Give the oldest call that this modem may make."""

    def needs(self, modem: str) -> bool:
        """Whether a text waits that only this modem can take now."""

    def call_came(self, modem: str, number: str) -> None:
        """Somebody rang, and was not answered. number: as the network says it, empty where it is hidden."""

    def state_changed(self, news: PartState) -> None:
        """A fault began or ended."""


class _Silent(Exception):
    """The modem hangs, or wants to be restarted."""


class _Afresh(Exception):
    """The modem has restarted by itself and has forgotten its set-up."""


class Modem:
    """One modem's driver. `name` is what it is called in faults and references."""

    def __init__(
        self, name: str, port: Path, baud: int, pin_file: Path | None, timing: Timing, ears: Ears, calls: CallTiming | None = None, *,
        hears: bool = False, credit: CreditSettings | None = None,
    ) -> None:
        self.name = name
        self.life = Life(name)
        self.identity = Identity()
        self.rssi: int | None = None
        self.seconds_a_text: float | None = None
        """Measured, smoothed over about five texts; None until the first."""
        self._path, self._baud, self._pin_file = port, baud, pin_file
        self._timing = timing
        self._ears = ears
        self._port: AtPort | None = None
        self._wake = asyncio.Event()
        self._heard: deque[str] = deque()
        self._mailbox = Mailbox(name, ears, self._ask, self._asked_gently, self.wake)
        self._voice = Voice(name, self._ask, self._asked_gently, self._said_next, self._said_aside, calls or CallTiming())
        self._hears = hears
        self._credit = Credit(credit)
        self._aside: deque[str] = deque()
        self.busy = False
        """Whether it is sending or calling."""
        self._timeouts = 0
        self._garbled_before = 0
        self._supervise_at = self._poll_at = 0.0
        self._searching_since: float | None = None
        self._served = False
        self._set_up_at = 0.0

    @property
    def well(self) -> bool:
        """True when it takes texts."""
        return self.life.state is State.READY

    def wake(self) -> None:
        """There may be a job."""
        self._wake.set()

    async def live(self) -> None:
        """Until cancelled."""
        pause_s = self._timing.reopen_s
        while True:
            self._served = False
            try:
                await self._session()
            except PortGone as gone:
                self._move(Event.GONE, str(gone))
                pause_s = self._timing.reopen_s  # looking whether a plug is back costs nothing
            except SimRefused as refused:
                self._move(Event.SIM_REFUSED, str(refused))
            except (_Silent, NoAnswer) as silent:
                self._move(Event.SILENT, str(silent))
                await asyncio.sleep(self._timing.boot_s)
            except Exception as fault:
                # Only where it happened, not what it says: that could be a text or a number.
                logger.error("%s: %s\n%s", self.life.subject, type(fault).__name__, "".join(traceback.format_tb(fault.__traceback__)))
                self._move(Event.SILENT, f"a defect in its driver ({type(fault).__name__}); the log says where")
            if self._served:
                pause_s = self._timing.reopen_s
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, self._timing.reopen_s_max)

    async def _session(self) -> None:
        """From an open port to the fault that ends it."""
        self._heard.clear()
        self._port = await AtPort.open(self._path, self._baud, self._hear)
        self._garbled_before = 0
        try:
            self._move(Event.OPENED)
            await self._port.synchronise(pause_s=self._timing.sync_s)
            self._timeouts = 0
            while True:
                self._set_up_at = asyncio.get_running_loop().time()
                self.identity = await set_up(self._ask, self._pin_file)
                self._mailbox.set_up(self.identity.memory)
                logger.info("%s: %s %s, reports stored: %s, calls: %s, digits by %r", self.life.subject, self.identity.make,
                            self.identity.model, self.identity.reports_stored, self.identity.calls, self.identity.detector)
                deaf = self._hears and not self.identity.detector
                self._observe(Condition.NO_DIGITS, deaf, "calls = \"dtmf\" is set and it detects none; it only rings")
                self._supervise_at = self._poll_at = 0.0
                self._served = True
                try:
                    await self._serve()
                except _Afresh:
                    logger.warning("%s has restarted by itself; it is set up again", self.life.subject)
        except (_Silent, NoAnswer):
            self._port.tell(RESTART)
            await asyncio.sleep(0.1)  # the tty sends what it holds only while it is open
            raise
        finally:
            await self._port.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            while self._heard:
                await self._attend(self._heard.popleft())
            await self._mailbox.empty()
            if loop.time() >= self._supervise_at:
                await self._supervise()
                self._supervise_at = loop.time() + self._timing.supervise_s
            if loop.time() >= self._poll_at:
                await self._read_memory()
                self._poll_at = loop.time() + self._timing.poll_s
            if self.well and self._credit.is_due(loop.time()):
                await self._ask_credit()
            job = self._ears.next_job(self.name) if self.well else None
            if job is not None:
                await self._busily(self._carry(job))
                continue
            call = self._ears.next_call(self.name) if self.well and not self._heard else None
            if call is not None:
                await self._busily(self._voice.make(call, self.identity.detector if self._hears else "", lambda: self._ears.needs(self.name)))
                continue
            try:
                async with asyncio.timeout_at(min(self._supervise_at, self._poll_at)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _busily(self, doing: Awaitable[None]) -> None:
        self.busy = True
        try:
            await doing
        finally:
            self.busy = False
            self._heard.extendleft(reversed(self._aside))
            self._aside.clear()

    async def _said_next(self, seconds: float) -> str:
        """What it says by itself within so many seconds; empty when it says nothing."""
        if not self._heard:
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return ""
        return self._heard.popleft() if self._heard else ""

    def _said_aside(self, line: str) -> None:
        self._aside.append(line)

    # What it is asked

    async def _ask(
        self, command: str, prefix: str | None = None, *, free: bool = False, timeout_s: float | None = None
    ) -> list[str]:
        """Ask, again after a silence (a plain command may be repeated), until the modem counts as hung."""
        port = self._open_port()
        while True:
            try:
                lines = await port.ask(command, prefix, timeout_s=timeout_s or self._timing.answer_s, free=free)
            except NoAnswer as fault:
                self._timed_out(str(fault))
                if "+CPIN=" in command:
                    raise _Silent("no answer to the PIN") from fault  # a second PIN may be a second wrong one
                if command.startswith("ATD"):
                    raise _Silent("no answer to a number that was dialled") from fault  # nobody knows whether a phone rings
            except Refused:
                self._timeouts = 0
                raise
            else:
                self._timeouts = 0
                return lines

    def _open_port(self) -> AtPort:
        if self._port is None:
            raise PortGone("not open")
        return self._port

    def _timed_out(self, why: str) -> None:
        self._timeouts += 1
        logger.info("%s: %s (%d in a row)", self.life.subject, why, self._timeouts)
        if self._timeouts >= SILENT_AFTER:
            raise _Silent(f"{SILENT_AFTER} time-outs in a row; last: {why}")

    async def _supervise(self) -> None:
        """Is it there, does a network have it, how well does it hear?"""
        port = self._open_port()
        now = asyncio.get_running_loop().time()
        if await self._registered():
            self._searching_since = None
            if not self.identity.operator:
                self.identity = replace(self.identity, operator=await operator(self._ask))
            self._move(Event.REGISTERED)
        else:
            self._move(Event.NO_NETWORK)
            self._searching_since = self._searching_since or now
            if now - self._searching_since > self._timing.no_network_restart_s:
                self._searching_since = None
                raise _Silent("no network for long; restarted to look for one afresh")
        numbers = numbers_in(await self._asked_gently("AT+CSQ", "+CSQ:"))
        self.rssi = numbers[0] if numbers and numbers[0] <= 31 else None
        weak = self.rssi is not None and self.rssi < (STRONG_RSSI if Condition.WEAK_SIGNAL in self.life.conditions else WEAK_RSSI)
        self._observe(Condition.WEAK_SIGNAL, weak, f"{-113 + 2 * (self.rssi or 0)} dBm")
        garbled = port.garbled - self._garbled_before
        self._garbled_before = port.garbled
        self._observe(Condition.GARBLED, garbled >= GARBLED_LINES, f"{garbled} unreadable lines; check cable and baud rate")

    async def _ask_credit(self) -> None:
        """The operator answers later, by itself."""
        self._credit.asked(asyncio.get_running_loop().time())
        code = self._credit.settings.code if self._credit.settings is not None else ""
        try:
            await self._ask(f'AT+CUSD=1,"{code}",15', timeout_s=4 * self._timing.answer_s)
        except Refused as fault:
            self._sim_gone(fault.error)
            logger.warning("%s: its credit cannot be asked for: %s", self.life.subject, fault.error)

    async def _registered(self) -> bool:
        for question in ("CREG", "CEREG"):
            numbers = numbers_in(await self._asked_gently(f"AT+{question}?", f"+{question}:"))
            if len(numbers) >= 2 and numbers[1] in REGISTERED:
                return True
        return False

    async def _asked_gently(
        self, command: str, prefix: str | None = None, *, free: bool = False, timeout_s: float | None = None
    ) -> list[str]:
        try:
            return await self._ask(command, prefix, free=free, timeout_s=timeout_s)
        except Refused as fault:
            self._sim_gone(fault.error)
            return []

    def _sim_gone(self, error: ModemError) -> None:
        if (error.family, error.number) in SIM_ABSENT:
            raise SimRefused(f"the modem cannot use its SIM any more ({error})")

    # What is sent

    async def _carry(self, job: Job) -> None:
        """Send a job's parts; the job hears how it ended, whatever happens."""
        began = asyncio.get_running_loop().time()
        try:
            for submit in job.submits:
                job.accepted(self.name, await self._submit(submit))
        except Refused as fault:
            job.refused(self.name, str(fault.error), fault.error.remedy)
            self._after_refusal(fault.error)
        except NoPrompt as fault:
            job.refused(self.name, str(fault), Remedy.RESTART)
            raise _Silent(str(fault)) from fault
        except NoAnswer as fault:
            job.unanswered(f"{fault}; it may have gone")
            self._timed_out(str(fault))
            await self._open_port().synchronise(pause_s=self._timing.sync_s)
        else:
            job.finished()
            if job.secret:
                return
            seconds = (asyncio.get_running_loop().time() - began) / len(job.submits)
            self.seconds_a_text = seconds if self.seconds_a_text is None else 0.8 * self.seconds_a_text + 0.2 * seconds
        finally:
            job.unanswered("the modem went away in the middle; it may have gone")

    async def _submit(self, submit: Submit) -> int:
        """One part; a missing prompt is asked for once more, since nothing has gone yet."""
        port = self._open_port()
        timing = self._timing
        try:
            ref = await port.submit(submit.octets, submit.length, prompt_s=timing.prompt_s, timeout_s=timing.send_s)
        except NoPrompt as fault:
            self._timeouts += 1
            logger.info("%s: %s", self.life.subject, fault)
            try:
                await port.synchronise(pause_s=timing.sync_s)
            except (NoAnswer, PortGone) as silent:
                raise NoPrompt(f"{fault}, and then {silent}") from silent
            ref = await port.submit(submit.octets, submit.length, prompt_s=timing.prompt_s, timeout_s=timing.send_s)
        self._timeouts = 0
        return ref

    def _after_refusal(self, error: ModemError) -> None:
        self._sim_gone(error)
        self._credit.refused(error.family, error.number or 0)
        if error.remedy is Remedy.RESTART:
            raise _Silent(f"it said {error}")
        if (error.family, error.number) in NO_NETWORK:
            self._supervise_at = 0.0
        elif error.number == 322:
            self._poll_at = 0.0

    # What comes in

    def _hear(self, line: str) -> None:
        if line:
            self._heard.append(line)
        else:
            self._supervise_at = 0.0  # the port has gone: the next command says so
        self._wake.set()

    async def _attend(self, line: str) -> None:
        """Something the modem said by itself. What matters is a text, a report, or a modem that has started afresh."""
        announced = re.match(r'\+(?:CMTI|CDSI): ?"(\w+)", ?(\d+)', line)
        if announced:
            await self._mailbox.read_one(announced[1], int(announced[2]))
        elif line.startswith(("+CMT:", "+CDS:")):
            self._mailbox.take_direct(line.partition("\n")[2])
        elif line.startswith("+CLIP:"):
            await self._voice.refuse()
            self._heard = deque(one for one in self._heard if not one.startswith(("RING", "+CLIP:")))
            number = re.match(r'\+CLIP: ?"([^"]*)"', line)
            self._ears.call_came(self.name, number[1] if number else "")
        elif line.startswith("+CUSD:"):
            low = self._credit.is_low(line)
            if low is not None:
                self._observe(Condition.CREDIT, *low)
            elif self._credit.settings is not None:
                logger.warning("%s: the answer to its code says no amount; see credit.pattern", self.life.subject)
        elif line in ("RDY", "SMS Ready") and asyncio.get_running_loop().time() - self._set_up_at > self._timing.boot_s:
            raise _Afresh

    async def _read_memory(self) -> None:
        try:
            full = await self._mailbox.read_all(4 * self._timing.answer_s)
        except Refused as fault:
            self._sim_gone(fault.error)
            logger.warning("%s: its memory cannot be read: %s", self.life.subject, fault.error)
            return
        self._observe(Condition.MEMORY_FULL, full, "texts cannot come in; delete what the SIM stores")

    # What is said of it

    def _move(self, event: Event, detail: str = "") -> None:
        for news in self.life.handle(event, detail):
            self._ears.state_changed(news)

    @property
    def vanishes(self) -> bool:
        """Whether what it sends is thought to reach nobody."""
        return Condition.TEXTS_VANISH in self.life.conditions

    def texts_vanish(self, present: bool, detail: str = "") -> None:
        """Its texts reach nobody, or do again."""
        self._observe(Condition.TEXTS_VANISH, present, detail)

    def _observe(self, condition: Condition, present: bool, detail: str) -> None:
        for news in self.life.observe(condition, present, detail):
            self._ears.state_changed(news)
