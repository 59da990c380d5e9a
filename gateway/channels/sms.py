"""SMS: texts through GSM modems on serial ports; docs/sms.md is its page.

Several modems share the work: a text waits in one line, and the next modem that is free and well takes the oldest. So the
caller's order of priority holds, and a modem that hangs delays nobody but the one text it holds. What is refused by one
modem for its own or its SIM's sake goes to another at once, within the same try.
"""

import asyncio
import itertools
import logging
import re
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol

from msgspec import Meta, Struct, field

from controller.errors import BadMessage
from controller.messages import Name
from gateway.channels.channel import Delivered, Never, Outcome, PartState, Rang, Report, Sent, Telling, TryLater, Wrote
from gateway.modem.errors import Remedy
from gateway.modem.incoming import WholeText, normalised
from gateway.modem.life import FAULT_OF
from gateway.modem.modem import Modem, Timing
from gateway.modem.pdu import NUMBER, Address, StatusReport, Submit, encode_submits, split
from gateway.modem.voice import Call, CallTiming

logger = logging.getLogger(__name__)

BACK_OFF_MS: Final = (5_000, 15_000, 45_000)
"""Pauses after a failure that is the network's moment; the last one repeats."""
SECONDS_A_TEXT: Final = 10.0
"""Planned with, until a modem has shown its pace."""
REPORTS_WAIT_S: Final = 7200
"""A report that comes later than this is about another message: references are used again after 256."""
STUCK_AGAIN_MS: Final = 30_000
"""Between the tries of a text while no modem works. Somebody may be plugging one in again, and who has no other way waits for that."""
KEYS_KEPT: Final = 5000
RUNG_BACK_S: Final = 86_400
"""So long after a text or a call a ringing is taken for an answer to it."""
_HOPELESS: Final = frozenset({Remedy.OTHER_SIM, Remedy.OTHER_WAY, Remedy.NONE})


class ModemSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One modem. port: its AT port, best under /dev/serial/by-id or by-path, which stay the same when it is replugged.

    pin_file: holds the SIM's PIN, when it has one. own_number: of its SIM, so that a text from ourselves is not taken for
    a member's. calls: whether it may call, and whether it hears digits. role: `going` for the number that members ring to say "I am
    going"; it sends texts only while no other can, or they would ring it back and be taken for going.
    """

    name: Name
    port: Path
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115_200
    pin_file: Path | None = None
    own_number: Annotated[str, Meta(pattern=r"^\+[0-9]{6,15}$")] | None = None
    calls: Literal["none", "ring", "dtmf"] = "none"
    role: Literal["texts", "going"] = "texts"


class SmsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sms]` of gateway.toml.

    parts_max: a longer text is cut to as many, ending in "...". validity_minutes: afterwards the network drops it, so that
    last night's alarm does not arrive in the morning. wait_s: how long a text waits for a modem that is well.
    country: put before a sender's number that came without one.
    """

    modems: Annotated[tuple[ModemSettings, ...], Meta(min_length=1)]
    parts_max: Annotated[int, Meta(ge=1, le=8)] = 4
    validity_minutes: Annotated[int, Meta(ge=5, le=720)] = 60
    wait_s: Annotated[float, Meta(gt=0, le=600)] = 60.0
    country: Annotated[str, Meta(pattern=r"^[0-9]{0,4}$")] = "51"
    timing: Timing = field(default_factory=Timing)
    calls: CallTiming = field(default_factory=CallTiming)

    def faults(self) -> Iterable[str]:
        """What the types cannot say."""
        for what, values in (("name", [modem.name for modem in self.modems]), ("port", [str(m.port) for m in self.modems])):
            for value in sorted({value for value in values if values.count(value) > 1}):
                yield f"[[sms.modems]] {what}: {value!r} stands twice; expected each modem's own; correct one of them"
        if all(modem.role == "going" for modem in self.modems):
            yield '[[sms.modems]] role: "going" for each; expected one at least that texts come from; leave it out there'


class SmsChannel:
    """The channel `sms`. Addresses are `+51...`; a telling's text is sent as it is, in GSM-7 when it is in that alphabet.

    Repetitions: a try after one that may have gone, or of which this process knows nothing, begins with `(2)`.
    """

    name = "sms"
    attempts_max = 6

    def __init__(self, settings: SmsSettings) -> None:
        self.settings = settings
        timing = settings.timing
        self.concurrency = len(settings.modems)
        part_s = 2 * timing.prompt_s + 6 * timing.sync_s + timing.send_s
        self.timeout_s = 2 * settings.wait_s + len(settings.modems) * settings.parts_max * part_s + 10.0
        self.modems = [
            Modem(modem.name, modem.port, modem.baud, modem.pin_file, timing, self, settings.calls, hears=modem.calls == "dtmf")
            for modem in settings.modems
        ]
        self.callers = [modem.name for modem in settings.modems if modem.calls != "none"]
        """The modems that may call."""
        self.caller: Caller | None = None
        self._by_name = {modem.name: modem for modem in settings.modems}
        self._used = _Used()
        self._own = frozenset(modem.own_number for modem in settings.modems)
        self._line: deque[_Text] = deque()
        self._reports = _Reports()
        self._concat = itertools.count(int(time.time()) & 0xFF)
        self._surely_not_gone: dict[str, None] = {}
        self._report: Report = _unheard

    async def send(self, telling: Telling) -> Outcome:
        """Try once: `Sent(ref)` when the network has accepted every part."""
        if not NUMBER.match(telling.address):
            return Never("the address is no phone number; expected + and 3 to 15 digits; correct the member's contact")
        text = self._worded(telling)
        try:
            submits = encode_submits(
                telling.address, text, ref=next(self._concat) & 0xFF, validity_minutes=self.settings.validity_minutes
            )
        except BadMessage as fault:
            return Never(str(fault))
        waiting = _Text(telling.key, telling.address, telling.attempt, submits, self)
        if self._stuck:
            self._remember(telling, gone=False)
            return self._no_modem()
        self._line.append(waiting)
        self.wake()
        try:
            return await self._outcome(waiting)
        finally:
            if waiting in self._line:
                self._line.remove(waiting)
            self._remember(telling, gone=waiting.maybe_gone)

    async def run(self, report: Report) -> None:
        """Keep the modems: set up, supervised, restarted, read. News goes to `report`."""
        self._report = report
        try:
            async with asyncio.TaskGroup() as group:
                for modem in self.modems:
                    group.create_task(modem.live(), name=f"modem {modem.name}")
        finally:
            self._report = _unheard

    def expect(self, key: str, ref: str, address: str) -> None:
        """After a restart: a delivery report for what was `Sent(ref)` to `address` will be for `key`.

        Raises BadMessage when `ref` is none of this channel's.
        """
        self._reports.resume(key, ref, address)

    @property
    def texts_a_minute(self) -> float:
        """The pace of the modems that are well, as they have shown it; 6 for each that has not yet shown any."""
        return sum(60.0 / (modem.seconds_a_text or SECONDS_A_TEXT) for modem in self.modems if modem.well)

    # What the modems call

    def next_job(self, modem: str) -> "_Text | None":
        """Give the oldest text that `modem` has not been refused for."""
        for text in self._line:
            if self._may_take(modem, text):
                self._line.remove(text)
                text.taken = text.maybe_gone = True
                return text
        return None

    def next_call(self, modem: str) -> Call | None:
        """Give the oldest call, where `modem` may make it and none that hears more is free."""
        if self.caller is None or modem not in self.callers or not self._best_caller(modem):
            return None
        call = self.caller.next_call()
        if call is not None:
            self._used.now(modem, call.number)
        return call

    def needs(self, modem: str) -> bool:
        """Whether a text waits that `modem` may take and no other modem is free for."""
        return any(
            self._may_take(modem, text) and not any(other.well and not other.busy and self._may_take(other.name, text) for other in self.modems)
            for text in self._line
        )

    def call_came(self, modem: str, number: str) -> None:
        """Somebody rang. Who rings back a number that told them something does not say that they go."""
        address = normalised(Address(number), self.settings.country)
        if address not in self._own:
            going = self._by_name[modem].role == "going" and not self._used.lately(modem, address)
            self._report(Rang(self.name, address, going))

    def text_came(self, whole: WholeText) -> asyncio.Future[None] | None:
        """Hand a text on; it is deleted from the modem when it is on record."""
        address = normalised(whole.sender, self.settings.country)
        if address in self._own:
            logger.warning("a text from one of our own modems is left aside")
            return None
        return self._report(Wrote(self.name, address, whole.text, whole.origin, whole.written_at_ms))

    def report_came(self, modem: str, report: StatusReport) -> None:
        """Match a delivery report."""
        delivered = self._reports.match(modem, report, time.time())
        if delivered is not None:
            self._report(delivered)

    def state_changed(self, news: PartState) -> None:
        """Report a modem's fault or recovery, and look after the texts that wait."""
        logger.log(logging.WARNING if news.faulty else logging.INFO, "%s: %s %s %s", news.subject, news.code,
                   "began" if news.faulty else "ended", news.detail)
        self._report(news)
        if self._stuck:
            for text in self._line:
                text.outcome.set_result(self._no_modem())
            self._line.clear()
        if self.caller is not None and not self.can_call:
            self.caller.nobody_calls()
        self.wake()

    def again(self, text: "_Text") -> bool:
        """Put a refused text first in line for another modem; False when none could take it."""
        if not any(modem.well and modem.name not in text.refused_by for modem in self.modems):
            return False
        text.taken = False
        self._line.appendleft(text)
        self.wake()
        return True

    def sent_part(self, text: "_Text", modem: str, ref: int) -> None:
        """Expect a report for this part."""
        self._used.now(modem, text.address)
        self._reports.expect(text.key, text.address, len(text.submits), modem, ref, time.time())

    @property
    def can_call(self) -> bool:
        """Whether any modem that may call is not known to be unable to."""
        return any(modem.life.state not in FAULT_OF and modem.name in self.callers for modem in self.modems)

    def _best_caller(self, modem: str) -> bool:
        """Whether no other modem that hears digits is free, or `modem` does itself."""
        free = [one for one in self.modems if one.name in self.callers and one.well and not one.busy]
        return self._hears(modem) or not any(self._hears(one.name) for one in free)

    def _hears(self, modem: str) -> bool:
        return self._by_name[modem].calls == "dtmf"

    def _may_take(self, modem: str, text: "_Text") -> bool:
        if modem in text.refused_by:
            return False
        others = (one for one in self.modems if one.well and one.name not in text.refused_by)
        return self._by_name[modem].role == "texts" or not any(self._by_name[one.name].role == "texts" for one in others)

    def wake(self) -> None:
        """There may be something to do for the modems."""
        for modem in self.modems:
            modem.wake()

    async def _outcome(self, waiting: "_Text") -> Outcome:
        """What the modems make of it; a text that no modem takes in time goes back to the caller."""
        while True:
            done, _ = await asyncio.wait([waiting.outcome], timeout=self.settings.wait_s)
            if done:
                return waiting.outcome.result()
            if not waiting.taken:
                return TryLater(f"no modem was free and well within {self.settings.wait_s:g} s ({self._states})", after_ms=5_000)

    @property
    def _stuck(self) -> bool:
        """Whether every modem has a fault under which it takes no text: then none is waited for."""
        return all(modem.life.state in FAULT_OF for modem in self.modems)

    def _no_modem(self) -> TryLater:
        return TryLater(f"no modem works ({self._states})", after_ms=STUCK_AGAIN_MS, stuck=True)

    @property
    def _states(self) -> str:
        return ", ".join(f"{modem.name} {modem.life.state.value}" for modem in self.modems)

    def _worded(self, telling: Telling) -> str:
        text = telling.text
        if telling.attempt > 1 and telling.key not in self._surely_not_gone:
            text = _marked(text, telling.attempt)
        parts = split(text)
        if len(parts) > self.settings.parts_max:
            logger.warning("notice %s: a text of %d parts is cut to %d", telling.key, len(parts), self.settings.parts_max)
            text = "".join(parts[: self.settings.parts_max])[:-4] + "..."
        return text

    def _remember(self, telling: Telling, *, gone: bool) -> None:
        """Whether none of its tries so far has gone. That this one has not says nothing of those before it."""
        if gone:
            self._surely_not_gone.pop(telling.key, None)
            return
        if telling.attempt > 1:
            return
        self._surely_not_gone[telling.key] = None
        if len(self._surely_not_gone) > KEYS_KEPT:
            del self._surely_not_gone[next(iter(self._surely_not_gone))]


class Caller(Protocol):
    """Whose calls the modems make."""

    def next_call(self) -> Call | None:
        """Give the oldest one."""
        ...

    def nobody_calls(self) -> None:
        """No modem that may call works now."""
        ...


class _Used:
    """Which modem told which number something, of the last day: who rings a strange number back answers that."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], float] = {}

    def now(self, modem: str, address: str) -> None:
        """A text or a call goes this way."""
        self._at.pop((modem, address[-9:]), None)
        self._at[modem, address[-9:]] = time.time()
        while len(self._at) > KEYS_KEPT:
            del self._at[next(iter(self._at))]

    def lately(self, modem: str, address: str) -> bool:
        """Whether one did."""
        return time.time() - self._at.get((modem, address[-9:]), 0.0) < RUNG_BACK_S


class _Text:
    """One try on its way through the modems (`Job`)."""

    def __init__(self, key: str, address: str, attempt: int, submits: list[Submit], channel: SmsChannel) -> None:
        self.key, self.address, self.submits = key, address, submits
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.refused_by: set[str] = set()
        self.taken = False
        self.maybe_gone = False
        self._attempt = attempt
        self._channel = channel
        self._refs: list[str] = []
        self._modem = ""

    def accepted(self, modem: str, ref: int) -> None:
        """Take note of the reference."""
        self._modem = modem
        self._refs.append(str(ref))
        self._channel.sent_part(self, modem, ref)

    def finished(self) -> None:
        """All parts are with the network."""
        self._settle(Sent(f"{self._modem}:{','.join(self._refs)}@{int(time.time())}"))

    def unanswered(self, why: str) -> None:
        """It may have gone: the next try is marked."""
        self._settle(TryLater(why))

    def refused(self, modem: str, why: str, remedy: Remedy) -> None:
        """Try another modem, or say what can be hoped for."""
        self.refused_by.add(modem)
        why = f"{modem}: {why}"
        if not self._refs:
            self.maybe_gone = False
        if remedy in (Remedy.OTHER_SIM, Remedy.RESTART):
            self._refs.clear()
            if self._channel.again(self):
                return
        if remedy in _HOPELESS or (remedy is Remedy.LATER_TWICE and self._attempt > 2):
            self._settle(Never(why))
        else:
            self._settle(TryLater(why, after_ms=BACK_OFF_MS[min(self._attempt, len(BACK_OFF_MS)) - 1]))

    def _settle(self, outcome: Outcome) -> None:
        if not self.outcome.done() and self.taken:  # one that went back into the line is no longer this modem's
            self.outcome.set_result(outcome)


class _Expected(Struct):
    """What a text's reports will be matched by."""

    key: str
    address: str
    parts: int
    delivered: int = 0


class _Reports:
    """Delivery reports, matched by modem, reference, number and time."""

    def __init__(self) -> None:
        self._expected: dict[tuple[str, int], list[tuple[float, _Expected]]] = {}
        self._texts: dict[str, _Expected] = {}

    def expect(self, key: str, address: str, parts: int, modem: str, ref: int, at: float) -> None:
        """Part `ref` has gone through `modem` at `at` (UTC seconds)."""
        text = self._texts.get(key)
        if text is None or text.delivered:
            text = self._texts[key] = _Expected(key, address, parts)
        fresh = [row for row in self._expected.get((modem, ref), ()) if at - row[0] < REPORTS_WAIT_S]
        self._expected[modem, ref] = [*fresh, (at, text)]
        if len(self._texts) > KEYS_KEPT:
            del self._texts[next(iter(self._texts))]

    def resume(self, key: str, ref: str, address: str) -> None:
        """Take up what an earlier process sent."""
        match = re.fullmatch(r"([a-z0-9-]+):(\d{1,3}(?:,\d{1,3})*)@(\d+)", ref)
        if match is None:
            raise BadMessage(f"reference {ref!r} is none of the channel sms; expected modem:ref,ref@seconds")
        numbers = [int(number) for number in match[2].split(",")]
        for number in numbers:
            self.expect(key, address, len(numbers), match[1], number, float(match[3]))

    def match(self, modem: str, report: StatusReport, at: float) -> Delivered | None:
        """What the report says of a text, once: all its parts are there, or one never will be."""
        rows = self._expected.get((modem, report.ref), [])
        for row in reversed(rows):
            sent_at, text = row
            if at - sent_at < REPORTS_WAIT_S and text.address[-9:] == report.recipient.text[-9:]:
                return self._judged(rows, row, text, report.status)
        return None

    def _judged(
        self, rows: list[tuple[float, _Expected]], row: tuple[float, _Expected], text: _Expected, status: int
    ) -> Delivered | None:
        if status == 0x00:
            rows.remove(row)
            text.delivered += 1
            return Delivered(text.key, delivered=True) if text.delivered == text.parts else None
        if 0x40 <= status <= 0x7F:  # 01, 02: nobody can say; 20 to 3F: still trying
            rows.remove(row)
            if text.parts == 0:
                return None
            text.parts = 0  # said once, however many parts fail
            meaning = "its validity has ended" if status == 0x46 else "the network has given up"
            return Delivered(text.key, delivered=False, why=f"{meaning} (status {status:02X})")
        return None


def _marked(text: str, attempt: int) -> str:
    """The text, marked as a repetition; shorter where the mark would cost another part."""
    parts = len(split(text))
    for mark in (f"({attempt}) ", f"({attempt})", f"{attempt} "):
        if len(split(mark + text)) == parts:
            return mark + text
    return f"({attempt}) {text}"


def _unheard(news: object) -> None:
    logger.warning("nobody hears %s: the channel sms is not running", type(news).__name__)
