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
from typing import Final, Protocol

from msgspec import Struct

from controller.errors import BadMessage
from gateway.channels.channel import Delivered, Never, Outcome, Paced, PartState, Rang, Report, Sent, Telling, TryLater, Vanished, Wrote
from gateway.channels.sms_choice import Choice
from gateway.channels.sms_settings import SmsSettings
from gateway.modem.errors import Remedy
from gateway.modem.incoming import WholeText, normalised
from gateway.modem.life import FAULT_OF
from gateway.modem.modem import Modem
from gateway.modem.pdu import NUMBER, Address, StatusReport, Submit, encode_submits, split
from gateway.modem.vanishing import Vanishing
from gateway.modem.voice import Call

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
PROBE: Final = "Cuadra: prueba de este SIM"
"""What one of our modems writes to another."""
_HOPELESS: Final = frozenset({Remedy.OTHER_SIM, Remedy.OTHER_WAY, Remedy.NONE})


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
            Modem(modem.name, modem.port, modem.baud, modem.pin_file, timing, self, settings.calls, hears=modem.calls == "dtmf",
                  credit=modem.credit)
            for modem in settings.modems
        ]
        self.caller: Caller | None = None
        self._choice = Choice({modem.name: modem for modem in settings.modems}, self.modems)
        self._vanishing = {modem.name: Vanishing() for modem in self.modems}
        self._probes: dict[str, float] = {}
        """Modem whose texts vanish -> when to try one more."""
        self._pace_said = -1.0
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
        waiting = _Text(telling.key, telling.address, telling.attempt, submits, self, secret=telling.secret)
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
                group.create_task(self._watch(), name="what the modems bring")
        finally:
            self._report = _unheard

    def expect(self, key: str, ref: str, address: str) -> None:
        """After a restart: a delivery report for what was `Sent(ref)` to `address` will be for `key`.

        Raises BadMessage when `ref` is none of this channel's.
        """
        self._reports.resume(key, ref, address)

    @property
    def texts_a_minute(self) -> float:
        """The pace of the modems that take texts now, as they have shown it; 6 for each that has not shown any yet."""
        taking = (modem for modem in self.modems if modem.well and self._choice.may_take(modem.name, ()))
        return sum(60.0 / (modem.seconds_a_text or SECONDS_A_TEXT) for modem in taking)

    def brings_reports(self, modem: str) -> None:
        """An earlier process had delivery reports by this modem."""
        if modem in self._vanishing:
            self._vanishing[modem].brings_reports = True

    async def _watch(self) -> None:
        """See whether texts vanish, and how many a minute are accepted."""
        timing, loop = self.settings.timing, asyncio.get_running_loop()
        while True:
            for modem in self.modems:
                if self._vanishing[modem.name].has_vanished(loop.time(), timing.vanish_s):
                    self._vanished(modem)
                elif modem.vanishes and loop.time() >= self._probes[modem.name]:
                    self._probe(modem)
            pace = self.texts_a_minute
            shown = any(modem.seconds_a_text for modem in self.modems)  # until then the policy's own figure holds
            if shown and abs(pace - self._pace_said) > self._pace_said / 4 and (pace or self._stuck):
                self._pace_said = pace
                self._report(Paced(self.name, pace))
            await asyncio.sleep(timing.vanish_s / 30)

    def _vanished(self, modem: Modem) -> None:
        """Others take its texts, and those of which nothing was heard are told of."""
        keys = self._vanishing[modem.name].take()
        modem.texts_vanish(present=True, detail=f"{len(keys)} texts accepted, and neither report nor reply; try the SIM in a phone")
        self._probes[modem.name] = asyncio.get_running_loop().time() + self.settings.timing.vanish_probe_s
        self._report(Vanished(keys, elsewhere=any(one.well and not one.vanishes for one in self.modems)))
        self.wake()

    def _probe(self, modem: Modem) -> None:
        """Have it send one more text, to a number of our own: a report on it shows that texts arrive again."""
        self._probes[modem.name] = asyncio.get_running_loop().time() + self.settings.timing.vanish_probe_s
        own = next((number for number in (self._own_of(modem), *self._own) if number is not None), None)
        if own is None:
            self._arrives(modem.name)  # nothing but a member's text can show it
            return
        submits = encode_submits(own, PROBE, ref=0, validity_minutes=self.settings.validity_minutes)
        self._line.append(_Text(f"probe-{modem.name}", own, 1, submits, self, only=modem.name))
        self.wake()

    def _own_of(self, modem: Modem) -> str | None:
        return next(one.own_number for one in self.settings.modems if one.name == modem.name)

    def _arrives(self, modem: str) -> None:
        found = next(one for one in self.modems if one.name == modem)
        if found.vanishes:
            found.texts_vanish(present=False)

    # What the modems call

    def next_job(self, modem: str) -> "_Text | None":
        """Give the oldest text that `modem` has not been refused for."""
        for text in self._line:
            if text.only in ("", modem) and (text.only or self._choice.may_take(modem, text.refused_by)):
                self._line.remove(text)
                text.taken = text.maybe_gone = True
                return text
        return None

    def next_call(self, modem: str) -> Call | None:
        """Give the oldest call, where `modem` may make it and none that hears more is free."""
        if self.caller is None or not self._choice.may_call(modem):
            return None
        call = self.caller.next_call()
        if call is not None:
            self._choice.used(modem, call.number)
        return call

    def needs(self, modem: str) -> bool:
        """Whether a text waits that `modem` may take and no other modem is free for."""
        return any(
            self._choice.may_take(modem, text.refused_by) and not any(
                other.name != modem and self._choice.is_free(other, text.refused_by) for other in self.modems)
            for text in self._line
        )

    def call_came(self, modem: str, number: str) -> None:
        """Somebody rang. Who rings back a number that told them something does not say that they go."""
        address = normalised(Address(number), self.settings.country)
        if address not in self._own:
            self._report(Rang(self.name, address, self._choice.says_going(modem, address)))

    def text_came(self, whole: WholeText) -> asyncio.Future[None] | None:
        """Hand a text on; it is deleted from the modem when it is on record."""
        address = normalised(whole.sender, self.settings.country)
        if address in self._own:
            logger.warning("a text from one of our own modems is left aside")
            return None
        for modem, vanishing in self._vanishing.items():
            if vanishing.wrote(address):
                self._arrives(modem)
        return self._report(Wrote(self.name, address, whole.text, whole.origin, whole.written_at_ms))

    def report_came(self, modem: str, report: StatusReport) -> None:
        """Match a delivery report; whatever it says, what this modem sends arrives at the network's centre."""
        self._vanishing[modem].reported()
        self._arrives(modem)
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
        if text.only or not any(modem.well and modem.name not in text.refused_by for modem in self.modems):
            return False
        text.taken = False
        self._line.appendleft(text)
        self.wake()
        return True

    def sent_part(self, text: "_Text", modem: str, ref: int) -> None:
        """Expect a report for this part."""
        self._choice.used(modem, text.address)
        if not text.secret:
            self._vanishing[modem].accepted(text.key, text.address, asyncio.get_running_loop().time())
        self._reports.expect(text.key, text.address, len(text.submits), modem, ref, time.time())

    @property
    def callers(self) -> list[str]:
        """The modems that may call."""
        return self._choice.callers

    @property
    def can_call(self) -> bool:
        """Whether any modem that may call is not known to be unable to."""
        return any(modem.life.state not in FAULT_OF and modem.name in self._choice.callers for modem in self.modems)

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


class _Text:
    """One try on its way through the modems (`Job`)."""

    def __init__(
        self, key: str, address: str, attempt: int, submits: list[Submit], channel: SmsChannel, only: str = "", *, secret: bool = False,
    ) -> None:
        self.key, self.address, self.submits = key, address, submits
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.refused_by: set[str] = set()
        self.only = only
        self.secret = secret
        """The one modem that may take it; empty: any."""
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
