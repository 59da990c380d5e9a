"""What a text message is in bytes: 3GPP TS 23.040 (SMS-SUBMIT, SMS-DELIVER, SMS-STATUS-REPORT) with TS 23.038's alphabets.

A text is cut into parts first: 160 septets or 70 UCS-2 units alone, 153 or 67 with the header that joins the parts again.
An extension character's two septets and a surrogate pair's two units always stay in one part. `Reader` walks through what
arrives and names the octet at which it cannot go on.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from msgspec import Struct

from controller import gsm7
from controller.errors import BadMessage

NUMBER: Final = re.compile(r"^\+?[0-9]{3,15}$")
INTERNATIONAL: Final = 0x91
UNKNOWN_TYPE: Final = 0x81
ALPHANUMERIC: Final = 0x50
NATIONAL: Final = 0x20
DCS_GSM7: Final = 0x00
DCS_UCS2: Final = 0x08
SUBMIT: Final = 0x01
VALIDITY_RELATIVE: Final = 0x10
REPORT_WANTED: Final = 0x20
HEADER_PRESENT: Final = 0x40
_SEMI: Final = "0123456789*#abc"


class Concat(NamedTuple):
    """A part's place in its text (section 9.2.3.24.1): `sequence` of `total`, from 1."""

    ref: int
    total: int
    sequence: int


class Submit(NamedTuple):
    """One SMS-SUBMIT: `octets` is the whole hex for the modem, `length` what `AT+CMGS=` wants (without the centre's block)."""

    octets: str
    length: int


class Address(Struct, frozen=True):
    """Who: `text` is `+51...`, bare digits or an alphanumeric name; `national` when the network said that it is national."""

    text: str
    national: bool = False


class Deliver(Struct, frozen=True):
    """A text that came in. sent_at: by the service centre's clock; None when its stamp is no date."""

    sender: Address
    text: str
    sent_at: datetime | None
    concat: Concat | None = None


class StatusReport(Struct, frozen=True):
    """What became of the message with reference `ref` to `recipient`. status: TP-ST, section 9.2.3.15."""

    ref: int
    recipient: Address
    sent_at: datetime | None
    ended_at: datetime | None
    status: int


def pack(septets: Sequence[int], fill_bits: int = 0) -> bytes:
    """Septets as octets, the first bit `fill_bits` (0 to 6) up (TS 23.038, section 6.1.2.1)."""
    bits, held, packed = fill_bits, 0, bytearray()
    for septet in septets:
        held |= septet << bits
        bits += 7
        while bits >= 8:
            packed.append(held & 0xFF)
            held >>= 8
            bits -= 8
    if bits:
        packed.append(held)
    return bytes(packed)


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> list[int]:
    """The `count` septets in `octets`, which must hold them."""
    whole = int.from_bytes(octets, "little") >> fill_bits
    return [(whole >> 7 * place) & 0x7F for place in range(count)]


def gsm7_text(septets: Sequence[int]) -> str:
    """The characters; an escape before a code without an extension is read as that code's own character (section 6.2.1.1)."""
    characters, escaped = [], False
    for septet in septets:
        if escaped:
            characters.append(gsm7.EXTENSION.get(septet, gsm7.ALPHABET[septet] if septet != gsm7.ESCAPE else " "))
            escaped = False
        elif septet == gsm7.ESCAPE:
            escaped = True
        else:
            characters.append(gsm7.ALPHABET[septet])
    return "".join(characters)


def split(text: str) -> list[str]:
    """The parts in which `text` travels, in order; one when it fits into one message."""
    if gsm7.is_gsm7(text):
        single, part, cost = gsm7.SINGLE_SEPTETS_MAX, gsm7.PART_SEPTETS_MAX, _septets
    else:
        single, part, cost = gsm7.SINGLE_UNITS_MAX, gsm7.PART_UNITS_MAX, _units
    if sum(map(cost, text)) <= single:
        return [text]
    parts: list[str] = []
    held: list[str] = []
    used = 0
    for character in text:
        if used + cost(character) > part:
            parts.append("".join(held))
            held, used = [], 0
        held.append(character)
        used += cost(character)
    return [*parts, "".join(held)]


def encode_submits(number: str, text: str, *, ref: int, report: bool = True, validity_minutes: int | None = 60) -> list[Submit]:
    """`text` to `number`, as the SMS-SUBMITs that carry it.

    ref: 0 to 255, joins the parts of a longer text. validity_minutes: 5 to 720, in steps of 5; afterwards the centre
    drops it. None: as long as the centre likes.
    Raises BadMessage when `number` is no phone number or the text needs more than 255 parts.
    """
    if not NUMBER.match(number):
        raise BadMessage("the address is no phone number; expected + and 3 to 15 digits; correct the member's contact")
    parts = split(text)
    if len(parts) > 255:
        raise BadMessage(f"a text of {len(parts)} parts; expected at most 255; shorten it")
    in_gsm7 = gsm7.is_gsm7(text)
    submits = []
    for sequence, part in enumerate(parts, 1):
        concat = Concat(ref, len(parts), sequence) if len(parts) > 1 else None
        first = SUBMIT | (REPORT_WANTED if report else 0) | (HEADER_PRESENT if concat else 0)
        validity = b""
        if validity_minutes is not None:
            first |= VALIDITY_RELATIVE
            validity = bytes([max(0, validity_minutes // 5 - 1)])
        coding = bytes([0, DCS_GSM7 if in_gsm7 else DCS_UCS2])
        user_data = encode_user_data(part, concat, in_gsm7=in_gsm7)
        tpdu = bytes([first, 0]) + encode_address(number) + coding + validity + user_data
        submits.append(Submit("00" + tpdu.hex().upper(), len(tpdu)))
    return submits


def encode_user_data(part: str, concat: Concat | None, *, in_gsm7: bool) -> bytes:
    """UDL and UD of one part. `part` must fit."""
    header = bytes([5, 0, 3, *concat]) if concat else b""
    if not in_gsm7:
        body = header + part.encode("utf-16-be", "replace")
        return bytes([len(body)]) + body
    codes = [code for character in part for code in gsm7.CODES[character]]
    header_septets = -(-len(header) * 8 // 7)
    return bytes([header_septets + len(codes)]) + header + pack(codes, header_septets * 7 - len(header) * 8)


def encode_address(number: str) -> bytes:
    """TP-DA of a phone number (section 9.1.2.5)."""
    digits = number.removeprefix("+")
    kind = INTERNATIONAL if number.startswith("+") else UNKNOWN_TYPE
    return bytes([len(digits), kind]) + semi_octets(digits)


def semi_octets(digits: str) -> bytes:
    """Digits two an octet, swapped, filled with F."""
    even = digits + "F" * (len(digits) % 2)
    return bytes.fromhex("".join(even[place + 1] + even[place] for place in range(0, len(even), 2)))


class Reader:
    """Walks through a PDU; raises BadMessage, naming the octet, when it ends too early."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.place = 0

    @classmethod
    def of_hex(cls, text: str) -> "Reader":
        """Take what stands on the modem's line."""
        stripped = text.strip()
        if not stripped or not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", stripped):
            bad = re.search(r"[^0-9A-Fa-f]", stripped)
            place = bad.start() if bad else len(stripped)
            raise BadMessage(f"PDU: character {place} of {len(stripped)} is no half of a hex octet; expected pairs of 0 to F")
        return cls(bytes.fromhex(stripped))

    def take(self, count: int, what: str) -> bytes:
        """The next `count` octets, which are `what`."""
        taken = self.octets[self.place : self.place + count]
        if len(taken) < count:
            raise BadMessage(f"PDU octet {self.place}: {len(taken)} octets left; expected {count} for {what}")
        self.place += count
        return taken

    def one(self, what: str) -> int:
        """The next octet."""
        return self.take(1, what)[0]

    def skip_centre(self) -> None:
        """Pass over the service centre's block."""
        self.take(self.one("the centre's length"), "the service centre")

    def address(self, what: str) -> Address:
        """An address field, section 9.1.2.5."""
        place, length = self.place, self.one(f"{what}'s length")
        kind = self.one(f"{what}'s type")
        if length > 20:
            raise BadMessage(f"PDU octet {place}: {length} digits in {what}; expected at most 20")
        octets = self.take((length + 1) // 2, what)
        if kind & 0x70 == ALPHANUMERIC:
            return Address(gsm7_text(unpack(octets, length * 4 // 7)))
        digits = "".join(f"{octet & 0xF:x}{octet >> 4:x}" for octet in octets)[:length]
        readable = "".join(_SEMI[int(digit, 16)] if digit != "f" else "" for digit in digits)
        if kind & 0x70 == INTERNATIONAL & 0x70:
            return Address(f"+{readable}")
        return Address(readable, national=kind & 0x70 == NATIONAL)

    def stamp(self, what: str) -> datetime | None:
        """Seven octets of time with its zone; None when they name no moment (some centres send zeros)."""
        octets = self.take(7, what)
        try:
            year, month, day, hour, minute, second = (int(f"{octet & 0xF}{octet >> 4}") for octet in octets[:6])
            zone = octets[6]
            quarters = int(f"{zone & 0x7}{zone >> 4}")
            offset = timezone(timedelta(minutes=15 * (-quarters if zone & 0x8 else quarters)))
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=offset).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def user_data(self, dcs: int, header_present: bool) -> tuple[str, Concat | None]:
        """UDL and UD, the header taken off."""
        place, length = self.place, self.one("the text's length")
        alphabet = alphabet_of(dcs, place)
        octets = self.take(-(-length * 7 // 8) if alphabet == DCS_GSM7 else length, "the text")
        header, concat = 0, None
        if header_present:
            header = octets[0] + 1 if octets else 0
            if not octets or header > len(octets):
                raise BadMessage(f"PDU octet {place + 1}: a header longer than its text of {len(octets)} octets")
            concat = _concat(octets[1:header], place + 2)
        if alphabet == DCS_GSM7:
            header_septets = -(-header * 8 // 7)
            if header_septets > length:
                raise BadMessage(f"PDU octet {place}: {length} septets; expected at least the header's {header_septets}")
            return gsm7_text(unpack(octets, length)[header_septets:]), concat
        if alphabet == DCS_UCS2:
            return octets[header:].decode("utf-16-be", "replace"), concat
        return octets[header:].decode("latin-1"), concat


def alphabet_of(dcs: int, place: int) -> int:
    """Which alphabet a data coding scheme means (TS 23.038, section 4): DCS_GSM7, 4 (octets) or DCS_UCS2."""
    if dcs & 0x80 == 0:
        if dcs & 0x20:
            raise BadMessage(f"PDU octet {place}: coding scheme {dcs:02X} is compressed; expected an uncompressed text")
        return DCS_GSM7 if dcs & 0x0C == 0x0C else dcs & 0x0C
    if dcs & 0xF0 == 0xE0:
        return DCS_UCS2
    if dcs & 0xF0 == 0xF0:
        return dcs & 0x04
    return DCS_GSM7


def decode_incoming(hex_text: str) -> Deliver | StatusReport:
    """What a modem reads out of its memory or announces: the hex with the service centre's block.

    Raises BadMessage, naming the place, when it is neither an SMS-DELIVER nor an SMS-STATUS-REPORT.
    """
    reader = Reader.of_hex(hex_text)
    reader.skip_centre()
    place, first = reader.place, reader.one("the first octet")
    if first & 0x03 == 0x00:
        sender = reader.address("the sender")
        reader.one("the protocol")
        dcs = reader.one("the coding scheme")
        sent_at = reader.stamp("the centre's time")
        text, concat = reader.user_data(dcs, bool(first & HEADER_PRESENT))
        return Deliver(sender, text, sent_at, concat)
    if first & 0x03 == 0x02:
        ref = reader.one("the reference")
        recipient = reader.address("the recipient")
        sent_at, ended_at = reader.stamp("the centre's time"), reader.stamp("the end's time")
        return StatusReport(ref, recipient, sent_at, ended_at, reader.one("the status"))
    raise BadMessage(f"PDU octet {place}: type {first & 3} is no message to a phone; expected 0 (a text) or 2 (a report)")


def _concat(header: bytes, place: int) -> Concat | None:
    at = 0
    while at + 1 < len(header):
        name, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if len(value) < length:
            raise BadMessage(f"PDU octet {place + at}: header element {name:02X} wants {length} octets; {len(value)} left")
        joined = None
        if name == 0x00 and length == 3:
            joined = Concat(*value)
        elif name == 0x08 and length == 4:
            joined = Concat(value[0] << 8 | value[1], value[2], value[3])
        if joined and 1 <= joined.sequence <= joined.total:
            return joined
        at += 2 + length
    return None


def _septets(character: str) -> int:
    return len(gsm7.CODES[character])


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1
