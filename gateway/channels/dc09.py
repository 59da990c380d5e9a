"""SIA DC-09 over TCP: incidents to the police's or a monitoring centre's receiver, and the supervision of the lines.

One connection a receiver, kept open and opened again whenever the receiver closes it; one frame outstanding at a time
on it, as section 5.6 asks. `Sent` means that the receiver acknowledged: a machine has it, nobody has read it yet.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from controller.dc09_address import ReceiverAddress, parse_address
from controller.errors import BadMessage, Unavailable
from gateway.channels.channel import Never, Outcome, PartState, Report, Sent, Telling, TryLater
from gateway.channels.dc09_frame import FRAME_BYTES_MAX, LATE_S_MAX, Frame, FrameBuffer, decode, encode
from gateway.channels.dc09_message import Clock, Reply, judge, message, poll

logger = logging.getLogger(__name__)

BETWEEN_S: Final = 5.0
"""So long after one sending the next one follows at the earliest: section 5.6 wants 5 to 60 s. A line that refuses at once
is most often a receiver that starts again."""
BUSY_MS: Final = 500
"""After a try that never had the line."""


class Dc09Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[dc09]` of gateway.toml.

    reply_s: how long an answer is waited for. poll_s: a link test after so long without an answer. misses: unanswered
    in a row until the line counts as faulty; as the values stand, a dead line is known within two minutes.
    busy_s: how long a try waits for the frames before it on the same line.
    """

    connect_s: Annotated[float, Meta(gt=0, le=30)] = 5.0
    reply_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    poll_s: Annotated[float, Meta(gt=0, le=3600)] = 55.0
    misses: Annotated[int, Meta(ge=1, le=10)] = 2
    busy_s: Annotated[float, Meta(gt=0, le=120)] = 30.0
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 16
    attempts_max: Annotated[int, Meta(ge=1, le=100)] = 6


class Dc09Channel:
    """The channel `dc09`; its addresses are `dc09://<account>@host:port?format=...` (see `parse_address`)."""

    name = "dc09"

    def __init__(
        self, settings: Dc09Settings, addresses: Callable[[], Iterable[str]], clock: Clock = time.time
    ) -> None:
        """addresses: every DC-09 address of the registry now in force; those are the lines that are supervised."""
        self.concurrency = settings.concurrency
        self.attempts_max = settings.attempts_max
        # Waiting for the line, a stale connection's silence, a new connection, its silence, and once again after a NAK.
        self.timeout_s = settings.busy_s + 2 * settings.connect_s + 3 * settings.reply_s + 5
        self._settings = settings
        self._addresses = addresses
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._refused: set[str] = set()

    async def send(self, telling: Telling) -> Outcome:
        """Try once; the same sequence number at every try, so that the receiver can drop a repeat."""
        if telling.event is None:
            return Never("DC-09 carries incidents and tests only; tell this by another channel")
        try:
            to = parse_address(telling.address)
            frame = message(telling.event, telling.number, to)
        except BadMessage as fault:
            return Never(str(fault))
        line = self._line(to)
        try:
            async with asyncio.timeout(self._settings.busy_s):
                await line.turn.acquire()
        except TimeoutError:
            return TryLater(f"the line to {to.place} is busy with earlier messages", BUSY_MS)
        began = time.monotonic()
        # How the line did for a silent press is no news: a fault that begins or ends with it would show that there was one. The
        # link tests find the same.
        shows = not telling.event.silent
        try:
            reply = await line.ask(frame, to.key)
        except Unavailable as fault:
            if shows:
                line.missed(to.account)
            return TryLater(str(fault), max(1, round((BETWEEN_S - (time.monotonic() - began)) * 1000)))
        finally:
            line.turn.release()
        if shows and reply in (Reply.ACCEPTED, Reply.NOT_UNDERSTOOD):
            line.answered(to.account)
        elif shows:
            line.refused(to.account)
        match reply:
            case Reply.ACCEPTED:
                return Sent(f"{frame.seq:04d}")
            case Reply.NOT_UNDERSTOOD:
                return Never(f"receiver {to.place}: it does not understand this (DUH); agree the codes with its owner")
            case _:
                return TryLater(f"receiver {to.place}: it refuses this (NAK), at its own time too; it must know us")

    async def run(self, report: Report) -> None:
        """Poll each receiver that has not answered anything for `poll_s`; say when a line is faulty, and well again."""
        try:
            while True:
                known = self._known()
                for place, line in self._lines.items():
                    line.report_to(report, {to.account for to in known if to.place == place})
                async with asyncio.TaskGroup() as group:
                    for to in known:
                        if self._due_s(to) <= 0:
                            group.create_task(self._poll(to, report))
                # At least each second, because the registry may have changed.
                await asyncio.sleep(max(0.01, min([1.0, *map(self._due_s, known)])))
        finally:
            self.close()

    def close(self) -> None:
        """Drop every connection; the next message opens its own again."""
        for line in self._lines.values():
            line.close()

    async def _poll(self, to: ReceiverAddress, report: Report) -> None:
        line = self._line(to)
        async with line.turn:
            if self._due_s(to) > 0:
                return  # an alarm went through while this waited for the line: that was the better test
            line.polled(to.account)
            try:
                reply = await line.ask(poll(to), to.key)
            except Unavailable as fault:
                logger.info("receiver %s: a link test failed: %s", to.place, fault)
                line.missed(to.account)
            else:
                if reply is Reply.ACCEPTED:
                    line.answered(to.account)
                else:
                    line.refused(to.account)
        line.report_to(report)

    def _due_s(self, to: ReceiverAddress) -> float:
        """Seconds until it is to be polled."""
        return self._settings.poll_s - self._line(to).quiet_s(to.account)

    def _known(self) -> set[ReceiverAddress]:
        known = set()
        for address in self._addresses():
            try:
                known.add(parse_address(address))
            except BadMessage as fault:
                said = str(fault)
                if said not in self._refused:
                    self._refused.add(said)
                    logger.warning("a receiver of the registry cannot be told or supervised: %s", said)
        return known

    def _line(self, to: ReceiverAddress) -> "_Line":
        line = self._lines.get(to.place)
        if line is None:
            line = self._lines[to.place] = _Line(to, self._settings, self._clock)
        return line


class _Line:
    """The connection to one receiver, its clock's offset, and how each account on it does."""

    def __init__(self, to: ReceiverAddress, settings: Dc09Settings, clock: Clock) -> None:
        self.turn = asyncio.Lock()
        self._host, self._port, self._place = to.host, to.port, to.place
        self._settings = settings
        self._clock = clock
        self._offset_s = 0.0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._heard_at: dict[str, float] = {}
        self._misses: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self._reported: set[str] = set()
        self._report: Report | None = None

    async def ask(self, frame: Frame, key: bytes | None) -> Reply:
        """Send it, again with the receiver's own time after a NAK, and say what came back. The caller has the turn.

        Raises Unavailable when no usable answer came.
        """
        reply = await self._ask_once(frame, key)
        if reply is Reply.OTHER_TIME:
            reply = await self._ask_once(frame, key)
        return reply

    async def _ask_once(self, frame: Frame, key: bytes | None) -> Reply:
        bare = frame.label == "NULL" and not frame.encrypted
        stamped = frame if bare else msgspec.structs.replace(frame, at_s=self._now_s())
        raw = encode(stamped, key)
        if self._streams is not None and not self._streams[0].at_eof():
            try:
                return await self._exchange(stamped, raw, key)
            except Unavailable as fault:
                # The receiver may have closed it, or a router may have forgotten it: that says nothing of a new one.
                logger.debug("receiver %s: the connection that was open is of no use any more: %s", self._place, fault)
        self.close()
        try:
            async with asyncio.timeout(self._settings.connect_s):
                self._streams = await asyncio.open_connection(self._host, self._port, limit=FRAME_BYTES_MAX)
        except (OSError, TimeoutError) as fault:
            raise Unavailable(f"receiver {self._place}: no connection ({type(fault).__name__}); check it") from fault
        return await self._exchange(stamped, raw, key)

    async def _exchange(self, sent: Frame, raw: bytes, key: bytes | None) -> Reply:
        if self._streams is None:
            raise Unavailable(f"receiver {self._place}: not connected")
        reader, writer = self._streams
        whole, ignored = False, 0
        try:
            async with asyncio.timeout(self._settings.reply_s):
                writer.write(raw)  # one write a frame: some receivers take each segment for one
                await writer.drain()
                buffer = FrameBuffer()
                while data := await reader.read(FRAME_BYTES_MAX):
                    for answer in buffer.feed(data):
                        reply = self._judged(sent, answer, key)
                        if reply is not Reply.NOT_OURS:
                            whole = True
                            return reply
                        ignored += 1
            raise Unavailable(f"receiver {self._place}: it hung up without an answer ({ignored} unusable)")
        except TimeoutError as fault:
            said = f"no answer in {self._settings.reply_s:g} s ({ignored} unusable)"
            raise Unavailable(f"receiver {self._place}: {said}") from fault
        except OSError as fault:
            raise Unavailable(f"receiver {self._place}: the connection broke ({type(fault).__name__})") from fault
        finally:
            if not whole:
                # Also when cancelled: an answer that comes late must not be read as the next message's.
                self.close()

    def _judged(self, sent: Frame, answer: bytes, key: bytes | None) -> Reply:
        try:
            reply = decode(answer, lambda _account: key)
        except BadMessage as fault:
            logger.info("receiver %s: an unusable answer: %s", self._place, fault)
            return Reply.NOT_OURS
        meaning = judge(sent, reply, self._clock() + self._offset_s)
        if meaning is Reply.OTHER_TIME and reply.at_s is not None:
            self._offset_s = reply.at_s - self._clock()
            if abs(self._offset_s) > LATE_S_MAX:
                logger.warning("receiver %s: its clock is %+.0f s from ours; taken over", self._place, self._offset_s)
        return meaning

    def _now_s(self) -> int:
        return round(self._clock() + self._offset_s)

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    def quiet_s(self, account: str) -> float:
        """Seconds since the last answer or poll for this account; endless when there was none."""
        return time.monotonic() - self._heard_at.get(account, float("-inf"))

    def polled(self, account: str) -> None:
        """A link test goes out now."""
        self._heard_at[account] = time.monotonic()

    def answered(self, account: str) -> None:
        """The receiver works for this account."""
        self.polled(account)
        self._misses.pop(account, None)
        self._codes.pop(account, None)
        self._tell()

    def missed(self, account: str) -> None:
        """It did not answer."""
        self._misses[account] = self._misses.get(account, 0) + 1
        if self._misses[account] >= self._settings.misses:
            self._codes[account] = "no-answer"
            self._tell()

    def refused(self, account: str) -> None:
        """It answers, and refuses this account."""
        self.polled(account)
        self._misses.pop(account, None)
        self._codes[account] = "refused"
        self._tell()

    def report_to(self, report: Report, accounts: set[str] | None = None) -> None:
        """Say what has changed, from now on at once. accounts: those of the registry; the others are forgotten."""
        self._report = report
        for account in set(self._codes) - accounts if accounts is not None else ():
            del self._codes[account]
        self._tell()

    def _tell(self) -> None:
        if self._report is None:
            return
        codes = set(self._codes.values())
        subject = f"receiver/{self._place}"
        for code in sorted(self._reported - codes):
            self._report(PartState(subject, code, faulty=False))
        for code in sorted(codes - self._reported):
            self._report(PartState(subject, code, faulty=True, detail=f"receiver {self._place}: {DETAILS[code]}"))
        self._reported = codes


DETAILS: Final = {
    "no-answer": "no answer to link tests or messages; check the line and call its owner",
    "refused": "it refuses what is sent; its owner must know account and key",
}
