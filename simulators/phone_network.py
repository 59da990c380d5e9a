"""A mobile network in one process: phones that people hold, behind modems that gateways hold. `cuadra simulate phones`.

```python
async with PhoneNetwork(Pace(times=0.01)) as network:
    modem = network.modem("sim1", folder / "modem1")
    rosa = network.phone("+51987654321").replies("1", after_s=3)
    text = await rosa.expects("PANIC", within_s=5)
```
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType

from gateway.modem.pdu import Concat
from simulators.modem_calls import ModemCalls
from simulators.modem_simulator import ModemSimulator, Pace
from simulators.phone_calls import PhoneCalls
from simulators.phone_console import app
from simulators.phone_pdu import Submitted, encode_delivers, encode_report

__all__ = ["Pace", "Phone", "PhoneNetwork", "Received", "app"]

DELIVERED, EXPIRED = 0x00, 0x46


@dataclass(frozen=True)
class Received:
    """A text on a phone, its parts joined. at: the loop's time."""

    sender: str
    text: str
    at: float


class Phone:
    """One phone. Texts that have come are in `texts`, oldest first."""

    def __init__(self, number: str, network: "PhoneNetwork") -> None:
        self.number = number
        self.texts: list[Received] = []
        self.on = True
        self.line = PhoneCalls(number, network.later, lambda: self.on)
        """Its voice calls."""
        self.line.caller_of, self.line.dial = network.number_of, network.calls_of
        self.line.watch = network.on_call
        self._network = network
        self._parts: dict[tuple[str, int, int], dict[int, str]] = {}
        self._waiting: list[Callable[[], None]] = []
        self._replies: list[tuple[str, float]] = []
        self._came = asyncio.Event()

    def replies(self, text: str, *, after_s: float = 0.0) -> "Phone":
        """Answer every text that comes from now on; times as the network's pace scales them."""
        self._replies.append((text, after_s))
        return self

    def writes(self, text: str, to: str | None = None) -> None:
        """Write to a modem's number; by default to the one that the last text came from, or else the network's first."""
        number = to or (self.texts[-1].sender if self.texts else self._network.modems[0].number)
        self._network.bring(self.number, number, text)

    def switch_off(self) -> None:
        """Texts wait with the network."""
        self.on = False

    def switch_on(self) -> None:
        """What waited comes now."""
        self.on = True
        waiting, self._waiting = self._waiting, []
        for deliver in waiting:
            deliver()

    async def expects(self, *words: str, within_s: float = 5.0) -> Received:
        """Wait for a text that holds all of `words` and return it. Raises TimeoutError, saying what came instead."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for received in self.texts:
                        if all(word in received.text for word in words):
                            return received
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError as fault:
            came = [received.text for received in self.texts]
            raise TimeoutError(f"{self.number} got no text with {words} within {within_s:g} s, but {came}") from fault

    def take(self, sender: str, text: str, concat: Concat | None) -> None:
        """A part has reached the handset."""
        if concat is not None:
            parts = self._parts.setdefault((sender, concat.ref, concat.total), {})
            parts[concat.sequence] = text
            if len(parts) < concat.total:
                return
            del self._parts[sender, concat.ref, concat.total]
            text = "".join(parts[n] for n in sorted(parts))
        self.texts.append(Received(sender, text, asyncio.get_running_loop().time()))
        self._came.set()
        self._network.tell(self, self.texts[-1])
        for reply, after_s in self._replies:
            self._network.later(after_s, partial(self.writes, reply, sender))

    def wait(self, deliver: Callable[[], None]) -> None:
        """Keep for when it is switched on."""
        self._waiting.append(deliver)


class PhoneNetwork:
    """The network: carries texts both ways, keeps them for phones that are off, and reports."""

    def __init__(
        self, pace: Pace | None = None, on_text: Callable[[Phone, Received], None] | None = None, on_call: Callable[[str], None] | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self.modems: list[ModemSimulator] = []
        self.phones: dict[str, Phone] = {}
        self.reports_lost = False
        """True: no delivery report ever comes."""
        self._on_text = on_text
        self.on_call = on_call or (lambda _: None)
        self._timers: set[asyncio.TimerHandle] = set()
        self._ref = 0

    async def __aenter__(self) -> "PhoneNetwork":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unplug everything."""
        for timer in self._timers:
            timer.cancel()
        for modem in self.modems:
            modem.unplug()

    def modem(
        self, name: str, link: Path, number: str = "", *, pin: str = "", capacity: int = 30, reports_stored: bool = True,
        reports_in: str = "SM",
    ) -> ModemSimulator:
        """A modem, plugged in under `link`."""
        number = number or f"+5190000000{len(self.modems) + 1}"
        modem = ModemSimulator(
            name, number, link, self.pace, self._carry, lambda _, to: self.phone(to).line, pin=pin,
            capacity=capacity, reports_stored=reports_stored, reports_in=reports_in,
        )
        self.modems.append(modem)
        modem.plug()
        return modem

    def phone(self, number: str) -> Phone:
        """The phone with this number; every number has one."""
        return self.phones.setdefault(number, Phone(number, self))

    def number_of(self, calls: ModemCalls) -> str:
        """The number of the modem that has these calls."""
        return next(modem.number for modem in self.modems if modem.calls is calls)

    def calls_of(self, number: str) -> ModemCalls | None:
        """The calls of the modem with this number, while a network has it."""
        return next((modem.calls for modem in self.modems if modem.number == number and modem.registration in (1, 5)), None)

    def bring(self, sender: str, to: str, text: str) -> None:
        """Bring a text from anybody (a number, a short code, a name) to a modem's number. Unknown numbers get nothing."""
        self._ref = (self._ref + 1) & 0xFF
        for modem in self.modems:
            if modem.number == to:
                for pdu in encode_delivers(sender, text, self._ref, datetime.now(UTC)):
                    modem.receive(pdu, "CMTI")

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Do it after `seconds`, as the pace scales them."""

        def run() -> None:
            self._timers.discard(timer)
            do()

        timer = asyncio.get_running_loop().call_later(seconds * self.pace.times, run)
        self._timers.add(timer)

    def tell(self, phone: Phone, received: Received) -> None:
        """Somebody may be watching."""
        if self._on_text is not None:
            self._on_text(phone, received)

    def texts(self) -> Iterable[tuple[Phone, Received]]:
        """Every text on every phone."""
        return ((phone, received) for phone in self.phones.values() for received in phone.texts)

    def _carry(self, modem: ModemSimulator, submitted: Submitted, ref: int) -> None:
        phone, sent_at = self.phone(submitted.to), datetime.now(UTC)
        loop = asyncio.get_running_loop()
        expires = loop.time() + 60 * (submitted.validity_minutes or 1440) * self.pace.times

        def report(status: int) -> None:
            if submitted.report_wanted and not self.reports_lost:
                modem.receive(encode_report(ref, submitted.to, sent_at, datetime.now(UTC), status), "CDSI")

        def deliver() -> None:
            if loop.time() > expires:
                report(EXPIRED)
            elif not phone.on:
                phone.wait(deliver)
            else:
                phone.take(modem.number, submitted.text, submitted.concat)
                report(DELIVERED)

        self.later(self.pace.deliver_s, deliver)
