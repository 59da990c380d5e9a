"""A stand-in for the police's alarm receiver: SIA DC-09 over TCP, as sections 3 to 5 of the standard have it answer.

It shares the frame codec with the dialler (other people's software proves that) and nothing else: what a message means,
whether its time is acceptable and whether it is a repeat is decided here, from the bytes that came.
"""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct

from controller.errors import BadMessage, CuadraError
from gateway.channels.dc09_frame import (
    EARLY_S_MAX,
    FRAME_BYTES_MAX,
    LATE_S_MAX,
    Frame,
    FrameBuffer,
    Undecipherable,
    decode,
    encode,
)
from simulators.typed import typed

logger = logging.getLogger(__name__)

REMEMBERED: Final = 200
"""So many messages an account are remembered, to report a repeated one once."""

_WORDS: Final[dict[str, str]] = {
    "100": "emergencia médica", "101": "emergencia personal", "110": "incendio", "120": "pánico", "121": "coacción",
    "122": "pánico silencioso", "123": "pánico audible", "129": "pánico confirmado", "130": "robo", "137": "sabotaje",
    "144": "sabotaje", "406": "cancelación", "602": "prueba periódica", "607": "simulacro",
    "PA": "pánico", "HA": "pánico silencioso", "MA": "emergencia médica", "QA": "emergencia personal", "FA": "incendio",
    "BA": "robo", "TA": "sabotaje", "OC": "cancelación", "RP": "prueba periódica", "RX": "prueba manual",
    "TS": "simulacro: empieza", "TE": "simulacro: termina", "PR": "pánico: fin", "PH": "pánico: fin",
    "HR": "pánico silencioso: fin", "HH": "pánico silencioso: fin", "MR": "emergencia médica: fin",
    "MH": "emergencia médica: fin", "QH": "emergencia personal: fin", "FR": "incendio: fin", "FH": "incendio: fin",
    "BR": "robo: fin", "BH": "robo: fin", "TR": "sabotaje: fin",
}
_CONTACT_ID: Final = re.compile(r"#([0-9A-F]{3,16})\|([136])([0-9B-F]{3}) (\d\d) (\d{3})", re.IGNORECASE)
_SIA: Final = re.compile(r"#([0-9A-F]{3,16})\|[NO](?:(?:ti|da|id|ri)[0-9:-]+/?)*([A-Z]{2})(\d*)", re.IGNORECASE)


class Received(Struct, frozen=True):
    """One event as the receiver took it. code: `1120` (with its qualifier) or `PA`. at_ms: when it came, UTC."""

    at_ms: int
    account: str
    seq: int
    label: str
    code: str
    zone: int
    words: str
    data: str
    extended: tuple[str, ...]
    encrypted: bool


class Mood(Enum):
    """How the receiver behaves."""

    ANSWER = "answer"
    SILENT = "silent"      # takes and says nothing
    NAK = "nak"            # refuses everything, with its own time
    DUH = "duh"            # understands nothing
    HANG_UP = "hangup"     # closes the connection instead of answering


class PoliceReceiver:
    """The receiver: `start` it, look at `received`, set `mood`, `delay_s`, `clock_off_s` as you like, `stop` it.

    accounts: the key of each account known here; None: it speaks in clear. port 0: a free one, see `port` afterwards.
    received: the events, each once. repeats: those that came again, acknowledged and not reported. polls: link tests.
    """

    def __init__(
        self, accounts: Mapping[str, bytes | None], host: str = "127.0.0.1", port: int = 0,
        told: Callable[[Received], None] = lambda _event: None,
    ) -> None:
        self.accounts = {account.upper(): key for account, key in accounts.items()}
        self.host, self.port = host, port
        self.mood, self.delay_s, self.clock_off_s = Mood.ANSWER, 0.0, 0.0
        self.received: list[Received] = []
        self.repeats: list[Received] = []
        self.polls = self.refusals = self.dropped = self.connections = 0
        self._told = told
        self._seen: dict[str, deque[tuple[int, str, str]]] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    async def start(self) -> None:
        """Listen. Raises CuadraError when the port is taken."""
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=FRAME_BYTES_MAX)
        except OSError as fault:
            raise CuadraError(f"police receiver: cannot listen on {self.host}:{self.port} ({fault.strerror}); "
                              "expected a free port; choose another with --port") from fault
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Die: stop listening and cut every connection. It can be started again, on the same port."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.hang_up()
        if self._serving:
            await asyncio.wait(self._serving, timeout=1)

    def hang_up(self) -> None:
        """Close every connection, and go on listening."""
        for writer in tuple(self._open):
            writer.close()

    async def expects(self, code: str, zone: int | None = None, within_s: float = 5.0) -> Received:
        """The first event with this code (and zone) that came or comes; AssertionError naming what came instead."""
        def found() -> Received | None:
            return next((e for e in self.received if e.code == code and zone in {None, e.zone}), None)

        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(found)
        except TimeoutError:
            came = ", ".join(f"{e.code} zone {e.zone}" for e in self.received) or "nothing"
            raise AssertionError(f"no {code} (zone {zone}) within {within_s:g} s; what came: {came}") from None
        event = found()
        if event is None:
            raise AssertionError("received was changed while it was waited for")
        return event

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        task: asyncio.Task[None] | None = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        buffer = FrameBuffer()
        try:
            while data := await reader.read(FRAME_BYTES_MAX):
                for raw in buffer.feed(data):
                    if self.delay_s:
                        await asyncio.sleep(self.delay_s)
                    if self.mood is Mood.HANG_UP:
                        return
                    answer = await self._answer(raw)
                    if answer and self.mood is not Mood.SILENT:
                        writer.write(answer)
                        await writer.drain()
        except ConnectionError as fault:
            logger.info("police receiver: a dialler's connection broke (%s)", type(fault).__name__)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, raw: bytes) -> bytes | None:
        """What to say to `raw`; None: nothing. Bad CRC and length are dropped without a word."""
        try:
            frame = decode(raw, self.accounts.get)
        except Undecipherable as fault:
            logger.info("police receiver: account %s: %s", fault.account, fault)
            return self._nak()
        except BadMessage as fault:
            logger.info("police receiver: dropped: %s", fault)
            self.dropped += 1
            return None
        match self.mood:
            case Mood.NAK:
                return self._nak()
            case Mood.DUH:
                return self._say("DUH", frame)
        if frame.account not in self.accounts:
            return self._nak()
        off_s = 0.0 if frame.at_s is None else frame.at_s - self._now_s()
        if not -EARLY_S_MAX <= off_s <= LATE_S_MAX:
            return self._nak()
        if self.accounts[frame.account] is not None and not frame.encrypted:
            return self._say("DUH", frame)  # anybody could have said it
        if frame.label == "NULL":
            self.polls += 1
            return self._say("ACK", frame)
        event = self._understood(frame)
        if event is None:
            return self._say("DUH", frame)
        await self._keep(event)
        return self._say("ACK", frame)

    def _understood(self, frame: Frame) -> Received | None:
        if frame.label == "ADM-CID" and (cid := _CONTACT_ID.fullmatch(frame.data)):
            account, qualifier, event, _, zone = cid.groups()
            code, words = qualifier + event.upper(), _WORDS.get(event, f"evento {event}") + _QUALIFIERS[qualifier]
        elif frame.label == "SIA-DCS" and (sia := _SIA.fullmatch(frame.data)):
            account, code, zone = sia[1], sia[2].upper(), sia[3] or "0"
            words = _WORDS.get(code, f"evento {code}")
        else:
            return None
        if int(account, 16) != int(frame.account, 16):
            return None
        return Received(int(time.time() * 1000), frame.account, frame.seq, frame.label, code, int(zone), words,
                        frame.data, frame.extended, frame.encrypted)

    async def _keep(self, event: Received) -> None:
        seen = self._seen.setdefault(event.account, deque(maxlen=REMEMBERED))
        mark = (event.seq, event.label, event.data)
        if mark in seen:
            self.repeats.append(event)
            return
        seen.append(mark)
        self.received.append(event)
        self._told(event)
        async with self._news:
            self._news.notify_all()

    def _now_s(self) -> int:
        return round(time.time() + self.clock_off_s)

    def _nak(self) -> bytes:
        self.refusals += 1
        return encode(Frame("NAK", 0, "", "0", "0", at_s=self._now_s()))

    def _say(self, label: str, to: Frame) -> bytes:
        encrypted = to.encrypted and label == "ACK"
        reply = Frame(label, to.seq, to.account, to.receiver, to.line or "0", at_s=self._now_s() if encrypted else None,
                      encrypted=encrypted)
        return encode(reply, self.accounts.get(to.account))


_QUALIFIERS: Final = {"1": "", "3": ": fin", "6": ": continúa"}

app = typer.Typer(help="A police receiver for SIA DC-09: answers, shows and keeps what comes.")


@app.callback(invoke_without_command=True)
def police(
    port: Annotated[int, typer.Option(help="TCP port to listen on; 0 takes a free one.")] = 12300,
    account: Annotated[list[str] | None, typer.Option(help="Account in hex; may be repeated. Default: 1234.")] = None,
    key: Annotated[str, typer.Option(help="AES key of these accounts: 32, 48 or 64 hex digits.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    keep: Annotated[Path | None, typer.Option(help="Add each event to this file, one JSON object a line.")] = None,
) -> None:
    """Answer diallers until `quit`. Commands on standard input: see `help`."""
    if not re.fullmatch("|".join(f"[0-9A-Fa-f]{{{n}}}" for n in (0, 32, 48, 64)), key):
        raise CuadraError("cuadra simulate police, --key: not a key; expected 32, 48 or 64 hex digits; correct it")
    names = account or ["1234"]
    for name in names:
        if not re.fullmatch("[0-9A-Fa-f]{3,16}", name):
            raise CuadraError(f"cuadra simulate police, --account: {name!r}; expected 3 to 16 hex digits; correct it")
    receiver = PoliceReceiver(dict.fromkeys(names, bytes.fromhex(key) or None), host, port, _Desk(keep).tell)
    asyncio.run(_attend(receiver))


class _Desk:
    """Shows events as they come, and keeps them in a file."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def tell(self, event: Received) -> None:
        at = time.strftime("%H:%M:%S", time.localtime(event.at_ms / 1000))
        more = f"  {' '.join(event.extended)}" if event.extended else ""
        sealed = "cifrado" if event.encrypted else "sin cifrar"
        typer.echo(f"{at}  {event.words.upper()}  cuenta {event.account}, zona {event.zone}  ({event.code}, "
                   f"n.º {event.seq}, {sealed}){more}")
        if self._file is not None:
            with self._file.open("ab") as file:
                file.write(msgspec.json.encode(event) + b"\n")


_HELP: Final = """answer | silent | nak | duh | hangup   how it answers from now on
delay SECONDS                          answer so much later
clock SECONDS                          its clock is off by so much
die, start                             stop listening and cut every connection; listen again
list                                   what came
quit"""


async def _attend(receiver: PoliceReceiver) -> None:
    """Serve, and do what standard input says; its end changes nothing."""
    await receiver.start()
    names = ", ".join(receiver.accounts)
    typer.echo(f"police receiver on {receiver.host}:{receiver.port}, accounts {names}; `help` lists commands")
    lines = typed()
    while (line := await lines.get()).split() != ["quit"]:
        if not line:  # nobody is typing: serve until stopped
            await asyncio.Event().wait()
        try:
            await _obey(receiver, line.split())
        except (ValueError, CuadraError) as fault:
            typer.echo(str(fault), err=True)
    await receiver.stop()


async def _obey(receiver: PoliceReceiver, said: list[str]) -> None:
    match said:
        case []:
            return
        case ["delay", seconds]:
            receiver.delay_s = float(seconds)
        case ["clock", seconds]:
            receiver.clock_off_s = float(seconds)
        case ["die"]:
            await receiver.stop()
        case ["start"]:
            await receiver.start()
        case ["list"]:
            for event in receiver.received:
                _Desk(None).tell(event)
            typer.echo(f"{len(receiver.received)} events, {len(receiver.repeats)} repeats, "
                       f"{receiver.polls} link tests, {receiver.refusals} refused, {receiver.dropped} dropped")
        case [word] if word in {mood.value for mood in Mood}:
            receiver.mood = Mood(word)
        case _:
            typer.echo(_HELP)
