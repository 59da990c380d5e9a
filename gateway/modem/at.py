"""The line to a modem: one command at a time, answers told apart from what the modem says by itself (TS 27.007, TS 27.005).

The port's descriptor is read by the event loop itself. A thread of its own for each modem would need a lock around every
command and could not be cancelled in the middle of a read; a tty that never answers costs the loop nothing, since nobody
waits in a read. Only opening and closing may block (a driver that sees to a sick USB device), so those go to a thread.

What the modem sends between the lines of an answer is told apart by how it begins: each command says how its answer's lines
begin, everything else is handed to `on_unsolicited`, in order, while the answer is still waited for.
"""

import asyncio
import errno
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import serial

from controller.errors import Unavailable
from gateway.modem.errors import ModemError, final_answer

logger = logging.getLogger(__name__)

LINE_BYTES_MAX: Final = 2048
"""A line longer than this is noise: the longest PDU is 352 characters."""
CTRL_Z: Final = b"\x1a"
ESC: Final = b"\x1b"
CALL_OVER: Final = frozenset({"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE"})
"""What answers a number that was dialled, in place of OK, when there is no call."""
QUOTED_MAX: Final = 12
"""So many lines an operator's answer to a code may have."""
_FOLLOWED: Final = ("+CMT:", "+CDS:")
"""Unsolicited lines whose message stands on the next line."""
UNSOLICITED: Final = re.compile(
    r"^(?:\+(?:CMTI|CDSI|CMT|CDS|CLIP|CRING|CUSD|CTZV|CTZE|CPIN|CFUN|CGEV|QIND|CREG|CEREG|CGREG|DTMF|RXDTMF|QTONEDET|CIEV|CCWA):"
    r"|\+CPIN|RING|RDY|Call Ready|SMS Ready|NO CARRIER|BUSY|NO ANSWER|NO DIALTONE|MISSED_CALL|VOICE CALL|NORMAL POWER DOWN|PB DONE"
    r"|SMS DONE|UNDER-VOLTAGE|OVER-VOLTAGE|\*PSUTTZ|DST:|START|\+SIMCARD)"
)
"""How lines begin that modems say by themselves."""


class NoAnswer(Unavailable):
    """Nothing, or nothing whole, within the time."""


class NoPrompt(NoAnswer):
    """The modem did not ask for the message's body."""


class PortGone(Unavailable):
    """The port is not there, cannot be opened, or went away."""


class Refused(Unavailable):
    """The modem answered with an error."""

    def __init__(self, command: str, error: ModemError) -> None:
        self.error = error
        super().__init__(f"{command}: {error}")


class LineReader:
    """Bytes as they come, as lines; what cannot be one is dropped and counted in `garbled`."""

    def __init__(self) -> None:
        self._held = b""
        self.prompt_wanted = False
        self.garbled = 0

    def feed(self, octets: bytes) -> list[str]:
        """The lines that are whole now. While `prompt_wanted`, CR LF `>` blank is a line too, though nothing ends it."""
        *whole, self._held = re.split(rb"[\r\n]+", self._held + octets)
        lines = [text for line in whole if (text := self._text(line))]
        if self.prompt_wanted and self._held == b"> ":
            self._held, self.prompt_wanted = b"", False
            lines.append("> ")
        if len(self._held) > LINE_BYTES_MAX:
            self._held = b""
            self.garbled += 1
        return lines

    def _text(self, line: bytes) -> str:
        if len(line) > LINE_BYTES_MAX:
            self.garbled += 1
            return ""
        try:
            text = line.strip(b"\x00").decode("utf-8")
        except UnicodeDecodeError:
            self.garbled += 1
            return ""
        if not text.isprintable():
            self.garbled += 1
            return ""
        return text.strip()


class _Waiting:
    """The command that is out."""

    def __init__(self, command: str, prefix: str | None, *, free: bool) -> None:
        self.command = command
        self.prefix = prefix
        self.free = free
        self.follows = False
        self.lines: list[str] = []
        self.done: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    @property
    def shown(self) -> str:
        """The command as it may be written anywhere: no number, no PIN, no text."""
        if self.command.startswith("ATD"):
            return "the number"
        return self.command if self.command.startswith("AT") and "CPIN=" not in self.command else "the message"


class AtPort:
    """An open port. One caller at a time; whoever uses it from two tasks has made a mistake of his own."""

    def __init__(self, device: serial.Serial, on_unsolicited: Callable[[str], None]) -> None:
        self._device = device
        self._on_unsolicited = on_unsolicited
        self._reader = LineReader()
        self._waiting: _Waiting | None = None
        self._followed = ""
        self._quoted: list[str] = []
        self._gone: PortGone | None = None
        self._loop = asyncio.get_running_loop()
        self._descriptor: int = device.fileno()
        self._loop.add_reader(self._descriptor, self._readable)

    @classmethod
    async def open(cls, path: Path, baud: int, on_unsolicited: Callable[[str], None]) -> "AtPort":
        """Open `path` for this process alone. Raises PortGone."""
        return cls(await asyncio.to_thread(_open, path, baud), on_unsolicited)

    async def close(self) -> None:
        """Let the port go; safe at any time."""
        self._fail(PortGone("closed"))
        try:
            await asyncio.to_thread(self._device.close)
        except OSError as fault:
            logger.info("closing a port that has gone: %s", _reason(fault))

    @property
    def garbled(self) -> int:
        """How many lines could not be read so far."""
        return self._reader.garbled

    async def ask(self, command: str, prefix: str | None = None, *, timeout_s: float, free: bool = False) -> list[str]:
        """Send `command` (without CR) and return the answer's lines without the final OK.

        prefix: how its lines begin (`+CSQ:`); a line after a `+CMGR:` or `+CMGL:` line is its message. free: the lines may
        be anything (make, model). Raises Refused, NoAnswer, PortGone.
        """
        return await self._send(_Waiting(command, prefix, free=free), command.encode("ascii") + b"\r", timeout_s)

    async def submit(self, octets: str, length: int, *, prompt_s: float, timeout_s: float) -> int:
        """Send one PDU and return the reference the modem gave it.

        Raises NoPrompt (nothing has gone), NoAnswer and PortGone (it may have gone), Refused.
        """
        self._reader.prompt_wanted = True
        waiting = _Waiting(f"AT+CMGS={length}", "> ", free=False)
        try:
            await self._send(waiting, waiting.command.encode("ascii") + b"\r", prompt_s)
        except NoAnswer as fault:
            raise NoPrompt(f"no prompt within {prompt_s:g} s") from fault
        except PortGone as fault:
            raise NoPrompt(f"no prompt: {fault}") from fault
        finally:
            self._reader.prompt_wanted = False
        lines = await self._send(_Waiting(octets, "+CMGS:", free=False), octets.encode("ascii") + CTRL_Z, timeout_s)
        for line in lines:
            match = re.match(r"\+CMGS: ?(\d+)", line)
            if match:
                return int(match[1]) & 0xFF
        raise NoAnswer("the modem said OK without a reference; it may have gone")

    async def synchronise(self, *, tries: int = 10, pause_s: float = 0.5) -> None:
        """Get the modem to answer `AT`, whatever it was in the middle of; late answers to earlier commands are let pass.

        Raises NoAnswer, PortGone.
        """
        self._write(ESC + b"\r")
        for attempt in range(tries):
            try:
                await self.ask("AT", timeout_s=pause_s)
            except NoAnswer:
                if attempt + 1 == tries:
                    raise
            except Refused:
                continue
            else:
                await asyncio.sleep(pause_s / 2)  # nobody waits for an answer now, so a late one falls away
                return
        raise NoAnswer(f"only errors to {tries} times AT")

    def tell(self, octets: bytes) -> None:
        """Send without waiting for anything. Raises PortGone."""
        self._write(octets)

    async def _send(self, waiting: _Waiting, octets: bytes, timeout_s: float) -> list[str]:
        self._write(octets)
        self._waiting = waiting
        try:
            async with asyncio.timeout(timeout_s):
                return await waiting.done
        except TimeoutError as fault:
            raise NoAnswer(f"no answer to {waiting.shown} within {timeout_s:g} s") from fault
        finally:
            self._waiting = None

    def _write(self, octets: bytes) -> None:
        if self._gone is not None:
            raise self._gone
        try:
            self._device.write(octets)  # a line whose buffer is full takes nothing: the answer then stays away
        except (OSError, TypeError) as fault:  # TypeError: pyserial's, when the descriptor went meanwhile
            self._fail(PortGone(f"writing failed ({_reason(fault)})"))
            raise PortGone(f"writing failed ({_reason(fault)})") from fault

    def _readable(self) -> None:
        try:
            octets = self._device.read(4096)
        except (OSError, TypeError) as fault:
            self._fail(PortGone(f"reading failed ({_reason(fault)})"))
            return
        for line in self._reader.feed(octets):
            self._take(line)

    def _fail(self, fault: PortGone) -> None:
        if self._gone is None:
            self._gone = fault
            self._loop.remove_reader(self._descriptor)
        if self._waiting is not None and not self._waiting.done.done():
            self._waiting.done.set_exception(self._gone)
        self._on_unsolicited("")

    def _take(self, line: str) -> None:
        if self._followed:
            announced, self._followed = self._followed, ""
            self._on_unsolicited(f"{announced}\n{line}")
            return
        if self._quoted or (line.startswith("+CUSD:") and line.count('"') == 1):
            self._quoted.append(line)
            if len(self._quoted) > 1 and ('"' in line or len(self._quoted) == QUOTED_MAX):
                self._on_unsolicited("\n".join(self._quoted))
                self._quoted = []
            return
        waiting = self._waiting
        if waiting is not None and not waiting.done.done() and self._answers(waiting, line):
            return
        if line.startswith(_FOLLOWED):
            self._followed = line
        elif UNSOLICITED.match(line):
            self._on_unsolicited(line)
        elif not line.startswith(("AT", "OK", "ERROR", "+CM", "> ")):
            self._reader.garbled += 1

    def _answers(self, waiting: _Waiting, line: str) -> bool:
        """True when `line` belongs to the command that is out."""
        if line in (waiting.command, f"> {waiting.command}"):  # its echo
            return True
        if waiting.follows:
            waiting.follows = False
            waiting.lines.append(line)
            return True
        final = final_answer(line)
        if isinstance(final, ModemError):
            waiting.done.set_exception(Refused(waiting.shown, final))
            return True
        if waiting.command.startswith("ATD") and line in CALL_OVER:
            waiting.lines.append(line)
            waiting.done.set_result(waiting.lines)
            return True
        if (final and waiting.prefix != "> ") or (line == "> " and waiting.prefix == "> "):
            waiting.done.set_result(waiting.lines)
            return True
        if waiting.prefix is not None and line.startswith(waiting.prefix):
            waiting.lines.append(line)
            waiting.follows = waiting.prefix in ("+CMGR:", "+CMGL:")
            return True
        if waiting.free and not UNSOLICITED.match(line):
            waiting.lines.append(line)
            return True
        return False


def _open(path: Path, baud: int) -> serial.Serial:
    try:
        return serial.Serial(str(path), baud, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError) as fault:  # SerialException is an OSError
        number = fault.errno if isinstance(fault, OSError) else None
        if number in (errno.ENOENT, errno.ENOTDIR):
            raise PortGone(f"no device at {path}; expected the modem's serial port; plug it in or correct the path") from fault
        if number == errno.EACCES:
            raise PortGone(f"{path} may not be opened by this user; expected one of the group that `ls -lL` shows for it, on Debian "
                           "dialout; add this user to it (the unit file of the gateway's service does)") from fault
        raise PortGone(f"{path} cannot be opened ({_reason(fault)}); is another program using the modem?") from fault


def _reason(fault: Exception) -> str:
    """A fault of pyserial's in short, without the path that it repeats."""
    return str(fault).split(":", maxsplit=1)[0][:80] or type(fault).__name__


def numbers_in(lines: list[str]) -> list[int]:
    """The numbers of the first line: `+CREG: 0,1` -> [0, 1]; names in quotes are left out."""
    if not lines:
        return []
    return [int(field) for field in re.findall(r"(?<![\w\"])\d+(?![\w\"])", lines[0].partition(":")[2])]

