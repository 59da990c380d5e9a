"""What a simulated modem does with voice calls and network codes: dialled, rung, answered, digits both ways (TS 27.007, TS 22.030).

One call at a time, as on a module without call waiting. The other side is a `Party`: a phone of the simulated network.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

RING_S: Final = 3.0
"""Between two `RING`s."""
NETWORK_RINGS_S: Final = 45.0
"""How long a network lets a phone ring."""
_DIAL: Final = re.compile(r"ATDT?(\+?[0-9]+);", re.IGNORECASE)
_CODE: Final = re.compile(r'AT\+CUSD=1,"([^"]+)"(?:,\d+)?', re.IGNORECASE)
ACTIVE, DIALLING, ALERTING, INCOMING = 0, 2, 3, 4
"""States of a call as `AT+CLCC` says them."""


@dataclass
class Voice:
    """How the make of modem does it. digits: how the other side's are said, `DTMF`, `RXDTMF` or `QTONEDET`; empty: it has no audio.

    says_begin: whether it says by itself that a call was answered.
    """

    digits: str = "DTMF"
    says_begin: bool = False


class Party(Protocol):
    """Who is at the other end."""

    def dialled(self, call: "Call") -> None:
        """The modem dials this phone."""

    def over(self, call: "Call") -> None:
        """The modem's side has ended it."""


@dataclass
class Call:
    """A call between a modem and a phone. The phone's side uses the methods; times are the network's to keep."""

    number: str
    party: Party
    calls: "ModemCalls"
    state: int
    answered: bool = False
    """From then on it costs whoever called."""
    tones: list[str] = field(default_factory=list)
    """What the modem sent."""

    @property
    def is_up(self) -> bool:
        """Whether it is not over."""
        return self.calls.call is self

    def rings(self) -> None:
        """The phone that was dialled rings."""
        if self.is_up:
            self.state = ALERTING

    def answers(self) -> None:
        """The phone is picked up."""
        if self.is_up and self.state != ACTIVE:
            self.state, self.answered = ACTIVE, True
            if self.calls.voice.says_begin:
                self.calls.say("VOICE CALL: BEGIN")

    def presses(self, digit: str) -> None:
        """The phone sends a digit; a modem that listens and has audio says it."""
        calls = self.calls
        if self.is_up and self.state == ACTIVE and calls.listening and calls.voice.digits:
            calls.say(f"+{calls.voice.digits}: {ord(digit) if calls.voice.digits == 'QTONEDET' else digit}")

    def ends(self, word: str = "NO CARRIER") -> None:
        """The phone's side, or the network, ends it."""
        if self.is_up:
            self.calls.call = None
            self.calls.say(word)


class ModemCalls:
    """One modem's calls and codes. dial(number): the phone there, or None while no network has the modem. say(line): says it."""

    def __init__(self, dial: Callable[[str], Party | None], say: Callable[[str], None], later: Callable[[float, Callable[[], None]], None]) -> None:
        self.voice = Voice()
        self.call: Call | None = None
        self.listening = False
        self.codes: dict[str, str] = {}
        """What the operator answers to a code."""
        self.dials_no_carrier = False
        """The next dialling ends at once."""
        self._dial, self.say, self._later = dial, say, later
        self._shows_number = False

    def power_up(self) -> None:
        """Start afresh; what was up is over."""
        self.listening = self._shows_number = False
        self._hang_up()

    def comes(self, number: str, party: Party) -> Call | None:
        """A phone calls this modem; None: it is busy. number: empty when the caller hides it."""
        if self.call is not None:
            return None
        self.call = call = Call(number, party, self, INCOMING)
        self._ring(call)
        return call

    def answer(self, command: str) -> list[str] | None:
        """The answer to a command; None for one that has nothing to do with calls."""
        told = command.upper()
        dialled, code = _DIAL.fullmatch(command), _CODE.fullmatch(command)
        if dialled:
            return self._dialled(dialled[1])
        if code:
            return self._code(code[1])
        if told in ("ATH", "ATH0", "AT+CHUP"):
            self._hang_up()
            return ["OK"]
        if told in ("AT+CLIP=0", "AT+CLIP=1"):
            self._shows_number = told.endswith("1")
            return ["OK"]
        if told == "AT+CLIP=?":
            return ["+CLIP: (0,1)", "OK"]
        if told in ("AT+CHUP=?", "AT+CUSD=0", "AT+CUSD=1", "AT+CUSD=2"):
            return ["OK"]
        if told == "AT+CLCC":
            return [*self._listed(), "OK"]
        if told == "ATA":
            return self._pick_up()
        if told.startswith("AT+VTS="):
            return self._tones(command[7:].strip('"'))
        wanted = "QTONEDET" if self.voice.digits == "QTONEDET" else "DDET"
        if self.voice.digits and told == f"AT+{wanted}=?":
            return [f"+{wanted}: (0,1)", "OK"]
        if self.voice.digits and told in (f"AT+{wanted}=0", f"AT+{wanted}=1"):
            self.listening = told.endswith("1")
            return ["OK"]
        return None

    def _dialled(self, number: str) -> list[str]:
        party = self._dial(number)
        if party is None or self.call is not None or self.dials_no_carrier:
            self.dials_no_carrier = False
            return ["NO CARRIER"]
        self.call = call = Call(number, party, self, DIALLING)
        party.dialled(call)
        self._later(NETWORK_RINGS_S, lambda: self._nobody_answered(call))
        return ["OK"]

    def _nobody_answered(self, call: Call) -> None:
        if call.is_up and not call.answered:
            call.ends("NO ANSWER")
            call.party.over(call)

    def _listed(self) -> list[str]:
        call = self.call
        if call is None:
            return []
        incoming = call.state == INCOMING
        return [f'+CLCC: 1,{int(incoming)},{call.state},0,0,"{call.number}",{145 if call.number.startswith("+") else 129}']

    def _hang_up(self) -> None:
        call, self.call = self.call, None
        if call is not None:
            call.party.over(call)

    def _pick_up(self) -> list[str]:
        if self.call is None or self.call.state != INCOMING:
            return ["NO CARRIER"]
        self.call.state, self.call.answered = ACTIVE, True
        return ["OK"]

    def _tones(self, tones: str) -> list[str]:
        if self.call is None or self.call.state != ACTIVE:
            return ["+CME ERROR: 3"]
        self.call.tones += re.findall(r"[0-9*#A-D]", tones)
        return ["OK"]

    def _ring(self, call: Call) -> None:
        if not call.is_up or call.state != INCOMING:
            return
        self.say("RING")
        if self._shows_number:
            self.say(f'+CLIP: "{call.number}",{145 if call.number else 128},"",,"",{0 if call.number else 1}')
        self._later(RING_S, lambda: self._ring(call))

    def _code(self, code: str) -> list[str]:
        said = self.codes.get(code)
        self._later(1.0, lambda: self.say(f'+CUSD: 0,"{said}",15' if said is not None else "+CUSD: 4"))
        return ["OK"]
