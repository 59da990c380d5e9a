"""What a modem stores: read, handed on, and deleted once it is on record.

A text is handed on when it is whole, and stays in the modem until whoever took it says that it is on record: whatever ends the
process in between, the next one reads it again. Nothing waits for that moment; meanwhile the modem reads and sends on.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from controller.errors import BadMessage
from gateway.modem.at import Refused, numbers_in
from gateway.modem.incoming import Joiner, Slot, WholeText, slots_in
from gateway.modem.pdu import StatusReport, decode_incoming
from gateway.modem.setup import Ask

logger = logging.getLogger(__name__)

PLACES_FREE: Final = 5
"""So many places are kept free: what comes next must be heard, also while nothing can be put on record."""

REPORTS: Final = "SR"
"""The memory for delivery reports that some modems have. (TS 27.005, section 3.2.2)"""

OnRecord = asyncio.Future[None]
"""Done when what was handed on is on record; cancelled when it will not be, and has to be handed on again."""


class Reader(Protocol):
    """Who is told what came in."""

    def text_came(self, whole: WholeText) -> OnRecord | None:
        """A text came in. It is deleted when the answer is done; at once for None."""

    def report_came(self, modem: str, report: StatusReport) -> None:
        """A delivery report came in; when this returns, it may be deleted."""


class _HandedOn(Struct):
    """A message that is stored still. asked: its deletion was asked for, and refused."""

    octets: str
    on_record: OnRecord | None
    asked: bool = False

    @property
    def done(self) -> bool:
        return self.on_record is None or self.on_record.done()


class Mailbox:
    """The messages in one modem. It outlives the modem's sessions.

    ask: as a session's. gently: the same, an error answered with no lines. wake: has `empty` called soon.
    """

    def __init__(self, modem: str, reader: Reader, ask: Ask, gently: Ask, wake: Callable[[], None]) -> None:
        self.memory = "SM"
        """Where texts are stored."""
        self._selected = "SM"
        self._modem = modem
        self._reader = reader
        self._ask = ask
        self._gently = gently
        self._wake = wake
        self._joiner = Joiner()
        self._octets: dict[Slot, str] = {}
        """What is stored and has not been handed on."""
        self._handed_on: dict[Slot, _HandedOn] = {}
        self._places = 0
        self._reports_apart = True
        """Whether it may store delivery reports in a memory of their own."""

    def set_up(self, memory: str) -> None:
        """The modem was set up afresh, and stores texts in `memory`, which is selected."""
        self.memory = self._selected = memory
        self._reports_apart = True

    async def read_one(self, memory: str, index: int) -> None:
        """Take an announced message."""
        try:
            await self._select(memory)
            lines = await self._ask(f"AT+CMGR={index}", "+CMGR:")
        except Refused as fault:
            logger.warning("modem/%s: the announced message %d cannot be read: %s", self._modem, index, fault.error)
            lines = []
        if len(lines) >= 2:
            self._take((memory, index), lines[1])
            await self.empty()

    def take_direct(self, octets: str) -> None:
        """Take a message that came without being stored."""
        self._take((self.memory, -1), octets)

    async def read_all(self, timeout_s: float) -> bool:
        """Take everything that is stored: announcements get lost. Returns whether there is no room left. Raises Refused."""
        if self._reports_apart:
            try:
                await self._read(REPORTS, timeout_s)
            except Refused:
                self._reports_apart = False  # it has no such memory
        await self._read(self.memory, timeout_s)
        for whole in self._joiner.overdue(asyncio.get_running_loop().time()):
            self._hand_on(whole)
        await self.empty()
        await self._select(self.memory)
        counts = numbers_in(await self._gently("AT+CPMS?", "+CPMS:"))
        if len(counts) < 2:
            return False
        self._places = counts[1]
        return counts[0] >= counts[1] > 0

    async def _read(self, memory: str, timeout_s: float) -> None:
        await self._select(memory)
        stored = slots_in(await self._ask("AT+CMGL=4", "+CMGL:", timeout_s=timeout_s), memory)
        for slot, octets in stored.items():
            self._take(slot, octets)

    async def empty(self) -> None:
        """Delete what is on record by now, and where places get scarce also the oldest that is not."""
        waiting = [handed for handed in self._handed_on.values() if not handed.done]
        for handed in waiting[: max(0, len(waiting) - max(1, self._places - PLACES_FREE))] if self._places else ():
            logger.warning("modem/%s: a text is deleted before it is on record, to keep room for the next", self._modem)
            handed.on_record = None
        for slot, handed in list(self._handed_on.items()):
            if handed.on_record is not None and handed.on_record.cancelled():
                del self._handed_on[slot]  # the next look takes it again
            elif handed.done and not handed.asked:
                await self._delete(slot, handed)

    async def _select(self, memory: str) -> None:
        """Have indices mean places in `memory`. Raises Refused."""
        if memory != self._selected:
            await self._ask(f'AT+CPMS="{memory}"', "+CPMS:")
            self._selected = memory

    async def _delete(self, slot: Slot, handed: _HandedOn) -> None:
        handed.asked = True
        try:
            await self._select(slot[0])
            await self._ask(f"AT+CMGD={slot[1]}")
        except Refused as fault:
            logger.warning("modem/%s: message %d cannot be deleted: %s", self._modem, slot[1], fault.error)
        else:
            if self._handed_on.get(slot) is handed:
                del self._handed_on[slot]

    def _take(self, slot: Slot, octets: str) -> None:
        """Hand on what this is; a part waits until its text is whole. What was handed on is deleted or waits for that."""
        handed = self._handed_on.get(slot)
        if handed is not None and handed.octets == octets:
            handed.asked = False
            return
        self._octets[slot] = octets
        try:
            message = decode_incoming(octets)
        except BadMessage as fault:
            logger.warning("modem/%s: message %d cannot be read and is deleted: %s", self._modem, slot[1], fault)
            self._handed((slot,), None)
            return
        if isinstance(message, StatusReport):
            self._reader.report_came(self._modem, message)
            self._handed((slot,), None)
            return
        whole = self._joiner.add(slot, message, asyncio.get_running_loop().time())
        if whole is not None:
            self._hand_on(whole)

    def _hand_on(self, whole: WholeText) -> None:
        on_record = self._reader.text_came(whole)
        if on_record is not None:
            on_record.add_done_callback(lambda _: self._wake())
        self._handed(whole.slots, on_record)

    def _handed(self, slots: tuple[Slot, ...], on_record: OnRecord | None) -> None:
        for slot in slots:
            octets = self._octets.pop(slot, "")
            if slot[1] >= 0:
                self._handed_on[slot] = _HandedOn(octets, on_record)
