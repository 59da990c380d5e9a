"""A modem's set-up, from the first `AT` to texts in both directions; and the PIN, which is tried once.

Three wrong PINs lock a SIM until somebody types its PUK. So a refused PIN leaves a mark beside its file and is not tried
again, by this process or the next, until the file is newer than the mark.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from controller.errors import Unavailable
from gateway.modem.at import Refused
from gateway.modem.errors import SIM_ABSENT

logger = logging.getLogger(__name__)

SIM_BUSY: Final = ("CME", 14)


class Ask(Protocol):
    """How commands are asked: repeated when the line stays silent, raising Refused for an error."""

    async def __call__(
        self, command: str, prefix: str | None = None, *, free: bool = False, timeout_s: float | None = None
    ) -> list[str]:
        """Give the answer's lines."""
        ...


class SimRefused(Unavailable):
    """The SIM cannot be used; a person must see to it. The text says to what."""


class Identity(Struct, frozen=True):
    """What a modem says it is and can.

    calls: voice calls. detector: the command that has the other side's digits heard; empty: it has none. Neither is proven on
    hardware. operator: whose network it is in, as it says it.
    """

    make: str = ""
    model: str = ""
    firmware: str = ""
    calls: bool = False
    detector: str = ""
    reports_stored: bool = False
    memory: str = "SM"
    operator: str = ""


async def set_up(ask: Ask, pin_file: Path | None) -> Identity:
    """Talk a modem that answers `AT` through its set-up. Raises SimRefused, NoAnswer, PortGone."""
    await ask("ATE0", free=True)
    await _tried(ask("AT+CMEE=1"))
    make, model, firmware = [await _word(ask, command) for command in ("AT+CGMI", "AT+CGMM", "AT+CGMR")]
    await _unlock(ask, pin_file)
    await _tried(ask("AT+CSMS=0", "+CSMS:"))  # so that what comes directly needs no acknowledgement from us
    await ask("AT+CMGF=0")
    memory = await _memory(ask)
    centre = await ask("AT+CSCA?", "+CSCA:")
    if not any(re.search(r'"\+?\d+"', line) for line in centre):
        raise SimRefused("the SIM names no service centre; expected a number; set it with AT+CSCA")
    stored = await _announcements(ask)
    await _tried(ask("AT+CMMS=2"))
    await _tried(ask("AT+CHUP"))  # what an earlier process left ringing
    await _tried(ask("ATX4"))  # BUSY and NO DIALTONE are said apart
    await _tried(ask("AT+CLIP=1", timeout_s=15))
    calls = await _tried(ask("AT+CLIP=?", "+CLIP:")) and await _tried(ask("AT+CLCC", "+CLCC:"))
    detector = ""
    for command, prefix in (("AT+DDET", "+DDET:"), ("AT+QTONEDET", "+QTONEDET:")):
        if not detector and await _tried(ask(f"{command}=?", prefix)):
            detector = command
    return Identity(make, model, firmware, calls, detector, stored, memory, await operator(ask))


async def operator(ask: Ask) -> str:
    """The network it is in; empty while there is none."""
    try:
        lines = await ask("AT+COPS?", "+COPS:", timeout_s=15)
    except Refused:
        return ""
    match = re.search(r'"([^"]*)"', lines[0]) if lines else None
    return match[1] if match else ""


async def _word(ask: Ask, command: str) -> str:
    try:
        lines = await ask(command, free=True)
    except Refused:
        return ""
    return lines[0].split(": ", 1)[-1].strip('"')[:60] if lines else ""


async def _tried(asking: Awaitable[list[str]]) -> bool:
    """Whether the modem knows it; many do not, and need not."""
    try:
        await asking
    except Refused:
        return False
    return True


async def _unlock(ask: Ask, pin_file: Path | None) -> None:
    state = await _sim_state(ask)
    if state == "READY":
        return
    if state != "SIM PIN":
        raise SimRefused(f"the SIM says {state}; expected READY; put it into a phone and unlock it there")
    if pin_file is None:
        raise SimRefused("the SIM wants its PIN and none is configured; add pin_file or take the PIN off the SIM")
    pin = await asyncio.to_thread(_pin, pin_file)
    try:
        await ask(f'AT+CPIN="{pin}"', timeout_s=10)
    except Refused as fault:
        await asyncio.to_thread(_mark_refused, pin_file)
        raise SimRefused(f"the SIM refused the PIN in {pin_file} ({fault.error}); correct that file") from fault
    if await _sim_state(ask) != "READY":
        raise SimRefused("the SIM took its PIN and still is not ready")


def _pin(pin_file: Path) -> str:
    """What the file holds, unless the SIM has refused just that."""
    mark = _mark(pin_file)
    try:
        pin = pin_file.read_text(encoding="ascii").strip()
        refused = mark.exists() and mark.stat().st_mtime_ns >= pin_file.stat().st_mtime_ns
    except (OSError, UnicodeDecodeError) as fault:
        raise SimRefused(f"{pin_file} cannot be read ({type(fault).__name__}); expected the SIM's PIN") from fault
    if not re.fullmatch(r"\d{4,8}", pin):
        raise SimRefused(f"{pin_file} holds no PIN; expected 4 to 8 digits and nothing else")
    if refused:
        raise SimRefused(f"the SIM refused the PIN in {pin_file}; it is not tried again before that file changes")
    return pin


def _mark_refused(pin_file: Path) -> None:
    mark = _mark(pin_file)
    try:
        mark.touch()
    except OSError as fault:
        logger.error("%s cannot be written (%s): a restart would try the PIN again", mark, fault.strerror)


def _mark(pin_file: Path) -> Path:
    return pin_file.with_name(f"{pin_file.name}.refused")


async def _sim_state(ask: Ask) -> str:
    """What `+CPIN:` says; a SIM that is busy after power-up gets ten seconds."""
    for wait_s in (0.5, 0.5, 1, 1, 2, 2, 3):
        try:
            lines = await ask("AT+CPIN?", "+CPIN:")
        except Refused as fault:
            which = (fault.error.family, fault.error.number or 0)
            if which != SIM_BUSY:
                missing = f"the modem cannot use its SIM ({fault.error})"
                raise SimRefused(missing if which in SIM_ABSENT else f"{missing}; is one inserted?") from fault
        else:
            if lines:
                return lines[0].removeprefix("+CPIN:").strip()
        await asyncio.sleep(wait_s)
    raise SimRefused("the SIM stays busy; take it out and put it in again")


async def _memory(ask: Ask) -> str:
    for memory in ("SM", "ME"):
        if await _tried(ask(f'AT+CPMS="{memory}","{memory}","{memory}"', "+CPMS:")):
            return memory
    raise SimRefused("neither the SIM nor the modem stores texts (AT+CPMS); expected SM or ME")


async def _announcements(ask: Ask) -> bool:
    """Have texts stored and announced, and reports too where the modem can: stored ones survive our restart.

    Returns whether reports are stored.
    """
    for setting, stored in (("2,1,0,2,0", True), ("2,1,0,1,0", False), ("1,1,0,1,0", False), ("2,1,0,0,0", False)):
        if await _tried(ask(f"AT+CNMI={setting}")):
            return stored
    return False


