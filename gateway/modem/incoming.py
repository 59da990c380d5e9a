"""Texts that came in, their parts joined. Pure: the modem's memory is what is kept, so a crash in between loses nothing."""

import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from controller.records import phones
from gateway.modem.pdu import Address, Deliver

JOINING_S: Final = 600
"""How long a part waits for the others; then what has come is handed on with gaps, since half a cry for help is one."""
GAP: Final = " [...] "

Slot = tuple[str, int]
"""Where a message is stored: memory and index. Index -1: nowhere, it came directly."""


class WholeText(Struct, frozen=True):
    """A text and the places that can be emptied once it is on record.

    origin: when the network took it over, for each part, and how it joined them: the same however often it is read, and
    another for every other text of that sender. Empty where the network does not say. written_at_ms: the same moment, of the
    last part, UTC by the network's clock; 0 where it does not say.
    """

    sender: Address
    text: str
    slots: tuple[Slot, ...]
    origin: str = ""
    written_at_ms: int = 0


class Joiner:
    """Holds the parts of longer texts until they are whole."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int, int], dict[int, tuple[Slot, str, datetime | None]]] = {}
        self._since: dict[tuple[str, int, int], float] = {}

    def add(self, slot: Slot, message: Deliver, now_s: float) -> WholeText | None:
        """Take one message; the text, when it is whole with this. The same part twice is one part."""
        if message.concat is None or message.concat.total == 1:
            return WholeText(message.sender, message.text, (slot,), _origin("", {1: message.sent_at}), _at_ms(message.sent_at))
        ref, total, sequence = message.concat
        key = (message.sender.text, ref, total)
        parts = self._parts.setdefault(key, {})
        self._since.setdefault(key, now_s)
        parts[sequence] = (slot, message.text, message.sent_at)
        return self._take(key, message.sender) if len(parts) == total else None

    def overdue(self, now_s: float) -> list[WholeText]:
        """What has waited too long for its missing parts."""
        late = [key for key, since in self._since.items() if now_s - since >= JOINING_S]
        return [self._take(key, Address(key[0])) for key in late]

    def _take(self, key: tuple[str, int, int], sender: Address) -> WholeText:
        parts = self._parts.pop(key)
        del self._since[key]
        pieces = [parts[sequence][1] if sequence in parts else GAP for sequence in range(1, key[2] + 1)]
        origin = _origin(f"{key[1]}/{key[2]}", {sequence: sent_at for sequence, (_, _, sent_at) in parts.items()})
        written_at_ms = max(_at_ms(sent_at) for _, _, sent_at in parts.values())
        return WholeText(sender, "".join(pieces), tuple(slot for slot, _, _ in parts.values()), origin, written_at_ms)


def _origin(joined: str, sent_at: Mapping[int, datetime | None]) -> str:
    stamps = [f"{sequence}@{at:%Y%m%d%H%M%S}" if at is not None else "" for sequence, at in sorted(sent_at.items())]
    return " ".join([joined, *stamps]).strip() if all(stamps) else ""


def _at_ms(sent_at: datetime | None) -> int:
    return int(sent_at.timestamp() * 1000) if sent_at is not None else 0


def normalised(sender: Address, country: str) -> str:
    """The address as members' contacts are written: `+51...`; short codes and names as they are."""
    if country and re.fullmatch(r"[0-9]{8,}", sender.text):
        return phones.normalise(sender.text, country) or sender.text
    return sender.text


def slots_in(lines: list[str], memory: str) -> Mapping[Slot, str]:
    """What `AT+CMGL=4` listed, as slot and PDU."""
    found: dict[Slot, str] = {}
    for head, body in itertools.pairwise(lines):
        match = re.match(r"\+CMGL: ?(\d+)", head)
        if match:
            found[memory, int(match[1])] = body
    return found
