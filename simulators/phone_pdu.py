"""A text message's bytes as the network makes and reads them: the other half of `gateway/modem/pdu.py` (TS 23.040)."""

from datetime import UTC, datetime

from msgspec import Struct

from controller import gsm7
from controller.errors import BadMessage
from gateway.modem.pdu import (
    DCS_GSM7,
    DCS_UCS2,
    HEADER_PRESENT,
    REPORT_WANTED,
    Concat,
    Reader,
    encode_address,
    encode_user_data,
    pack,
    semi_octets,
    split,
)

CENTRE = "+51199999999"


class Submitted(Struct, frozen=True):
    """What a modem hands to the network. validity_minutes: None when the modem left it to the centre."""

    to: str
    text: str
    concat: Concat | None
    report_wanted: bool
    validity_minutes: int | None


def decode_submit(hex_text: str, length: int) -> Submitted:
    """Read an SMS-SUBMIT as `AT+CMGS=<length>` announced it. Raises BadMessage when the length or the bytes are wrong."""
    reader = Reader.of_hex(hex_text)
    reader.skip_centre()
    found = len(reader.octets) - reader.place
    if found != length:
        raise BadMessage(f"{found} octets in the message; expected the {length} that were announced")
    first = reader.one("the first octet")
    if first & 0x03 != 0x01:
        raise BadMessage(f"type {first & 3} is no SMS-SUBMIT; expected 1")
    reader.one("the reference")
    to = reader.address("the recipient").text
    reader.one("the protocol")
    dcs = reader.one("the coding scheme")
    validity = None
    match first & 0x18:
        case 0x10:
            validity = _minutes(reader.one("the validity"))
        case 0x08 | 0x18:
            reader.take(7, "the validity")
    text, concat = reader.user_data(dcs, bool(first & HEADER_PRESENT))
    return Submitted(to, text, concat, bool(first & REPORT_WANTED), validity)


def encode_delivers(sender: str, text: str, ref: int, now: datetime) -> list[str]:
    """`text` from `sender` (a number, a short code or a name), as the SMS-DELIVERs that bring it."""
    parts = split(text)
    in_gsm7 = gsm7.is_gsm7(text)
    messages = []
    for sequence, part in enumerate(parts, 1):
        concat = Concat(ref, len(parts), sequence) if len(parts) > 1 else None
        first = 0x04 | (HEADER_PRESENT if concat else 0)
        coding = bytes([0, DCS_GSM7 if in_gsm7 else DCS_UCS2])
        tpdu = bytes([first]) + encode_sender(sender) + coding + _stamp(now)
        messages.append((_centre() + tpdu + encode_user_data(part, concat, in_gsm7=in_gsm7)).hex().upper())
    return messages


def encode_report(ref: int, recipient: str, sent_at: datetime, ended_at: datetime, status: int) -> str:
    """An SMS-STATUS-REPORT."""
    tpdu = bytes([0x06, ref]) + encode_address(recipient) + _stamp(sent_at) + _stamp(ended_at) + bytes([status])
    return (_centre() + tpdu).hex().upper()


def encode_sender(sender: str) -> bytes:
    """TP-OA: a number, or a name of up to 11 characters."""
    if sender.removeprefix("+").isdigit():
        return encode_address(sender)
    octets = pack([code for character in sender for code in gsm7.CODES[character]])
    return bytes([-(-len(sender) * 7 // 4), 0xD0]) + octets


def tpdu_length(hex_text: str) -> int:
    """What `+CMGR`, `+CMT` and `+CDS` give as length: without the centre's block."""
    octets = bytes.fromhex(hex_text)
    return len(octets) - 1 - octets[0]


def _centre() -> bytes:
    digits = semi_octets(CENTRE.removeprefix("+"))
    return bytes([len(digits) + 1, 0x91]) + digits


def _stamp(moment: datetime) -> bytes:
    """In UTC: zone 0."""
    return semi_octets(moment.astimezone(UTC).strftime("%y%m%d%H%M%S") + "00")


def _minutes(validity: int) -> int:
    if validity <= 143:
        return (validity + 1) * 5
    if validity <= 167:
        return 12 * 60 + (validity - 143) * 30
    return (validity - 166 if validity <= 196 else (validity - 192) * 7) * 24 * 60
