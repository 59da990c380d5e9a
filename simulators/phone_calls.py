"""What a simulated phone does with calls: lets them ring, is picked up, presses digits, is busy, calls a strange number back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from simulators.modem_calls import Call, ModemCalls

FOUND_S: Final = 2.0
"""How long a network looks for a phone before it rings."""


@dataclass
class Rung:
    """A call at this phone. by: the modem's number, or this phone's own for one that it made. rejected: the modem refused it."""

    by: str
    call: Call
    rejected: bool = False
    missed: bool = False


class PhoneCalls:
    """One phone's calls (`Party`). later(seconds, do): as the network's pace scales them. is_on(): whether the phone is."""

    def __init__(self, number: str, later: Callable[[float, Callable[[], object]], None], is_on: Callable[[], bool]) -> None:
        self.number = number
        self.rung: list[Rung] = []
        """Every call that rang here or was made here, the oldest first."""
        self.busy = False
        self.answers_after_s: float | None = None
        """None: nobody picks up."""
        self.presses = ""
        self.presses_after_s = 1.0
        self.rejects_after_s: float | None = None
        self.calls_back_after_s: float | None = None
        self.came = asyncio.Event()
        self.watch: Callable[[str], None] = lambda _: None
        """Is told what happens, in words."""
        self.caller_of: Callable[[ModemCalls], str] = lambda _: ""
        """The number of a modem."""
        self.dial: Callable[[str], ModemCalls | None] = lambda _: None
        """The modem that has a number."""
        self._later, self._is_on = later, is_on

    def picks_up(self, *, after_s: float = 3.0, presses: str = "", presses_after_s: float = 1.0) -> None:
        """Answer every call from now on, and press these digits, one after the other."""
        self.answers_after_s, self.presses, self.presses_after_s = after_s, presses, presses_after_s

    def calls(self, to: str) -> Rung | None:
        """Call a modem's number; None when it is busy or nobody's."""
        modem = self.dial(to)
        call = modem.comes(self.number, self) if modem is not None else None
        if call is None:
            return None
        self.rung.append(Rung(self.number, call))
        return self.rung[-1]

    def dialled(self, call: Call) -> None:
        """A modem dials this phone."""
        if not self._is_on():
            self._later(FOUND_S, call.ends)
        elif self.busy:
            self._later(FOUND_S, lambda: call.ends("BUSY"))
        else:
            self._later(FOUND_S, lambda: self._ring(call))

    def over(self, call: Call) -> None:
        """The modem has ended it."""
        for rung in self.rung:
            if rung.call is call:
                rung.rejected = rung.by == self.number and not call.answered
                rung.missed = rung.by != self.number and not call.answered
                self.watch(f"{self.number}: the call of {rung.by} is over{', missed' if rung.missed else ', refused' if rung.rejected else ''}")
                if rung.missed and self.calls_back_after_s is not None:
                    self._later(self.calls_back_after_s, partial(self.calls, rung.by))
        self.came.set()

    async def rings(self, within_s: float = 5.0, times: int = 1) -> Rung:
        """Wait until the phone has rung so often; the last call. Raises TimeoutError."""
        try:
            async with asyncio.timeout(within_s):
                while sum(rung.by != self.number for rung in self.rung) < times:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError as fault:
            raise TimeoutError(f"{self.number} did not ring {times} times within {within_s:g} s") from fault
        return [rung for rung in self.rung if rung.by != self.number][-1]

    def _ring(self, call: Call) -> None:
        if not call.is_up:
            return
        call.rings()
        self.rung.append(Rung(self.caller_of(call.calls), call))
        self.watch(f"{self.rung[-1].by} rings {self.number}")
        self.came.set()
        if self.answers_after_s is not None:
            self._later(self.answers_after_s, lambda: self._pick_up(call))
        if self.rejects_after_s is not None:
            self._later(self.rejects_after_s, lambda: call.ends("BUSY"))

    def _pick_up(self, call: Call) -> None:
        call.answers()
        self.watch(f"{self.number} answers")
        for place, digit in enumerate(self.presses, 1):
            self._press(call, digit, self.presses_after_s * place)

    def _press(self, call: Call, digit: str, after_s: float) -> None:
        def press() -> None:
            self.watch(f"{self.number} presses {digit}")
            call.presses(digit)

        self._later(after_s, press)

