"""Calls: a member's phone rings, for the step where a text has woken nobody; docs/calls.md is its page.

The modems are those of the channel `sms`. A call begins when no text waits for its modem, and one that only rings makes way for a
text that no other modem can take. `Sent` means that it rang; what whoever answered pressed is news of its own, told at once.
"""

import asyncio
import logging
from collections import deque
from typing import Final

from gateway.channels.channel import Never, Outcome, Paced, PickedUp, Pressed, Report, Sent, Telling, TryLater
from gateway.channels.sms import SmsChannel
from gateway.modem.pdu import NUMBER
from gateway.modem.voice import Call, Ending

logger = logging.getLogger(__name__)

AGAIN_MS: Final[dict[Ending, int]] = {
    Ending.BUSY: 30_000, Ending.UNREACHABLE: 60_000, Ending.GAVE_WAY: 10_000, Ending.NOT_WANTED: 60_000,
}
"""How long after a call that did not ring it is tried again."""
DIGITS_MIN: Final = 7
"""A shorter number is a service's, perhaps a public emergency number: no machine calls those."""
NO_MODEM: Final = TryLater("no modem that may call works", after_ms=30_000, stuck=True)


class CallChannel:
    """The channel `call`. Addresses are `+51...`. A telling's text is not said: the tones say that it is the network that calls."""

    name = "call"
    attempts_max = 3

    def __init__(self, sms: SmsChannel) -> None:
        self._sms = sms
        sms.caller = self
        self.concurrency = max(1, len(sms.callers))
        self.timeout_s = 2 * sms.settings.wait_s + sms.settings.calls.longest_s + 10.0
        self._line: deque[_Call] = deque()
        self._under_way: dict[str, _Call] = {}
        self._report: Report = _unheard

    async def send(self, telling: Telling) -> Outcome:
        """Try once: `Sent(modem)` when it rang or was answered."""
        if not NUMBER.match(telling.address) or len(telling.address.lstrip("+")) < DIGITS_MIN:
            return Never(f"the address is no number that may be called; expected + and {DIGITS_MIN} to 15 digits; correct the member's contact")
        if not self._sms.can_call:
            return NO_MODEM
        call = self._under_way[telling.key] = _Call(telling.key, telling.address, self)
        self._line.append(call)
        self._sms.wake()
        try:
            while True:
                done, _ = await asyncio.wait([call.outcome], timeout=self._sms.settings.wait_s)
                if done:
                    return call.outcome.result()
                if not call.taken:
                    return TryLater(f"no modem was free to call within {self._sms.settings.wait_s:g} s", after_ms=5_000)
        finally:
            call.wanted = False
            del self._under_way[telling.key]
            if call in self._line:
                self._line.remove(call)

    def give_up(self, key: str) -> None:
        """It is taken back: a phone that rings stops ringing."""
        if key in self._under_way:
            self._under_way[key].wanted = False
            self._sms.wake()

    async def run(self, report: Report) -> None:
        """The modems live with the channel `sms`; what is said here is how many calls a minute they can make."""
        self._report = report
        try:
            said = -1
            while True:
                calling = sum(modem.well and modem.name in self._sms.callers for modem in self._sms.modems)
                if calling != said and (calling or not self._sms.can_call):
                    said = calling
                    report(Paced(self.name, calling * 60.0 / self._sms.settings.calls.planned_s))
                await asyncio.sleep(self._sms.settings.timing.supervise_s)
        finally:
            self._report = _unheard

    def next_call(self) -> Call | None:
        """Give the oldest call that is still wanted."""
        while self._line:
            call = self._line.popleft()
            if call.wanted:
                call.taken = True
                return call
        return None

    def nobody_calls(self) -> None:
        """Nobody waits for a modem that does not work: who has another way is told by that."""
        while self._line:
            self._line.popleft().outcome.set_result(NO_MODEM)

    def tell(self, news: PickedUp | Pressed) -> None:
        """Say what happened."""
        self._report(news)


class _Call:
    """One try of one call (`Call`)."""

    def __init__(self, key: str, number: str, channel: CallChannel) -> None:
        self.number = number
        self.wanted = True
        self.taken = False
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._key = key
        self._channel = channel

    def picked_up(self) -> None:
        """Somebody, or a mailbox."""
        self._channel.tell(PickedUp(self._key))

    def pressed(self, digit: str) -> None:
        """A person."""
        self._channel.tell(Pressed(self._key, digit))

    def ended(self, modem: str, how: Ending) -> None:
        """Say what came of it."""
        if how in (Ending.ANSWERED, Ending.RANG):
            self._settle(Sent(modem))
        else:
            self._settle(TryLater(f"{modem}: {how.value}", after_ms=AGAIN_MS[how]))

    def failed(self, modem: str, why: str) -> None:
        """It was not made, or nobody knows what came of it."""
        self._settle(TryLater(f"{modem}: {why}"))

    def _settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


def _unheard(news: object) -> None:
    logger.warning("nobody hears %s: the channel call is not running", type(news).__name__)
