"""Voice calls through a modem: dialled, watched until somebody answers, digits heard; and calls that come in, refused (TS 27.007).

How a call stands is asked (`AT+CLCC`), since most modems say nothing by themselves when somebody answers; what they do say is
taken as it comes. Who answers hears tones that the network makes (`AT+VTS`): the modem itself needs no sound for that. Their
digits are heard by the modem's own detector (`AT+DDET` of SIM800 and SIM7600, `AT+QTONEDET` of Quectel's), where it has one.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from gateway.modem.at import Refused
from gateway.modem.setup import Ask

logger = logging.getLogger(__name__)

_DIGIT: Final = re.compile(r"\+(?:DTMF|RXDTMF): ?([0-9*#A-D])")
_DIGIT_CODE: Final = re.compile(r"\+QTONEDET: ?(\d{2})$")
_STATE: Final = re.compile(r"\+CLCC: ?\d+,0,(\d)")
"""Of a call that we made: its state."""
ACTIVE, ALERTING, OVER = 0, 3, 6
OVER_WORDS: Final = ("NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "VOICE CALL: END")
GONE_AFTER: Final = 2
"""So many times in a row a call is not listed any more, and it is over: one that was just dialled may not be listed yet."""
LAST: Final = frozenset("01")
"""The digits that say all there is to say."""
PROMPT: Final = "AT+VTS=1"
"""The tone of the digit that is wanted, which the network makes at the other end."""
BEGUN: Final = "VOICE CALL: BEGIN"
"""What SIM7600 says when somebody answers."""


class Ending(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"          # somebody, or somebody's mailbox, picked it up
    RANG = "rang"                  # it rang, and nobody did
    BUSY = "busy"
    UNREACHABLE = "unreachable"    # it did not ring: switched off, no coverage, no such number
    GAVE_WAY = "gave-way"          # a text had to go, and this modem was the one for it
    NOT_WANTED = "not-wanted"      # it was taken back


class Call(Protocol):
    """A call to be made, as the modem sees it."""

    number: str
    wanted: bool
    """Whether it is not taken back."""

    def picked_up(self) -> None:
        """It was answered."""

    def pressed(self, digit: str) -> None:
        """Whoever answered pressed a digit."""

    def ended(self, modem: str, how: Ending) -> None:
        """It is over."""

    def failed(self, modem: str, why: str) -> None:
        """The modem could not make it."""


class CallTiming(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a call may take. Seconds.

    dial_s: for the modem's answer to the number. ring_s: how long a phone rings. talk_s: how long whoever answers has to press
    a digit. look_s: between two looks at how it stands. prompt_every_s: between two tones.
    """

    dial_s: float = 20.0
    ring_s: float = 25.0
    talk_s: float = 20.0
    look_s: float = 1.0
    prompt_every_s: float = 4.0

    @property
    def planned_s(self) -> float:
        """What a call takes that is planned with: it rings until nobody answers, after the network has found the phone."""
        return self.ring_s + 5.0

    @property
    def longest_s(self) -> float:
        """What a call takes at most."""
        return self.dial_s + self.ring_s + self.talk_s + 10.0


class Voice:
    """The calls of one modem. next_line(s): what it says by itself within so many seconds, or nothing; aside(line): is for others."""

    def __init__(
        self, modem: str, ask: Ask, gently: Ask, next_line: Callable[[float], Awaitable[str]], aside: Callable[[str], None], timing: CallTiming,
    ) -> None:
        self._modem = modem
        self._ask, self._gently = ask, gently
        self._next_line, self._aside = next_line, aside
        self._timing = timing

    async def make(self, call: Call, detector: str, gives_way: Callable[[], bool]) -> None:
        """Make a call; it hears how it ended, whatever happens. detector: the command that has digits heard; empty: only ring."""
        try:
            if detector:
                await self._ask(f"{detector}=1")
            said = await self._ask(f"ATD{call.number};", timeout_s=self._timing.dial_s)
            how = _unanswered(said[0], rang=False) if said else await self._watched(call, detector, gives_way)
            call.ended(self._modem, how)
        except Refused as fault:
            call.failed(self._modem, str(fault.error))
        finally:
            call.failed(self._modem, "the modem went away in the middle")

    async def refuse(self) -> None:
        """End what rings here, unanswered: it costs the caller nothing."""
        await self._hang_up()

    async def _watched(self, call: Call, detector: str, gives_way: Callable[[], bool]) -> Ending:
        loop, timing = asyncio.get_running_loop(), self._timing
        rang, answered, missing = False, False, 0
        until, tone_at = loop.time() + timing.ring_s, 0.0
        while True:
            line = await self._next_line(timing.look_s)
            if line.startswith(OVER_WORDS):
                return Ending.ANSWERED if answered else _unanswered(line, rang=rang)
            digit = _digit(line)
            if digit:
                call.pressed(digit)
                if digit in LAST:
                    await self._hang_up()
                    return Ending.ANSWERED
            elif line and line != BEGUN:
                self._aside(line)
            state = ACTIVE if line == BEGUN or digit else await self._state()
            missing = missing + 1 if state is None else 0
            if missing >= GONE_AFTER or state == OVER:
                return Ending.ANSWERED if answered else Ending.RANG if rang else Ending.UNREACHABLE
            rang = rang or state in (ALERTING, ACTIVE)
            if state == ACTIVE and not answered:
                answered = True
                call.picked_up()
                until = loop.time() + timing.talk_s
            ending = self._enough(call, detector, gives_way, answered=answered, rang=rang, over=loop.time() >= until)
            if ending is not None:
                await self._hang_up()
                return ending
            if answered and loop.time() >= tone_at:
                await self._gently(PROMPT)
                tone_at = loop.time() + timing.prompt_every_s

    async def _state(self) -> int | None:
        """How the call that we made stands; None when it is not listed."""
        lines = await self._gently("AT+CLCC", "+CLCC:")
        match = next((match for line in lines if (match := _STATE.match(line))), None)
        return int(match[1]) if match else None

    @staticmethod
    def _enough(
        call: Call, detector: str, gives_way: Callable[[], bool], *, answered: bool, rang: bool, over: bool,
    ) -> Ending | None:
        """How a call that has to end now ended."""
        if answered:
            return Ending.ANSWERED if over or not detector else None
        if not call.wanted:
            return Ending.NOT_WANTED
        if gives_way():
            return Ending.GAVE_WAY
        if over:
            return Ending.RANG if rang else Ending.UNREACHABLE
        return None

    async def _hang_up(self) -> None:
        try:
            await self._ask("AT+CHUP")
        except Refused:
            await self._gently("ATH")


def _digit(line: str) -> str:
    match, code = _DIGIT.match(line), _DIGIT_CODE.match(line)
    return match[1] if match else chr(int(code[1])) if code else ""


def _unanswered(word: str, *, rang: bool) -> Ending:
    if word.startswith("BUSY"):
        return Ending.RANG if rang else Ending.BUSY  # who refuses a ringing call has heard it ring
    return Ending.RANG if rang or word.startswith("NO ANSWER") else Ending.UNREACHABLE
