"""SIA DC-09 frames: bytes to values and back. No I/O here.

A frame is `LF CCCC 0LLL "ID" SSSS [Rrcvr] Lpref #acct [data] {[xdata]} [_timestamp] CR`. CRC and length cover the
bytes from the first quote to the last one before CR, in an encrypted frame the hex text as it is sent. Encrypted is
everything after the data's opening bracket: `pad | data ] {[xdata]} _timestamp`, AES-CBC with an IV of zeros; the first
block of the pad, all random, stands in for the IV. (ANSI/SIA DC-09, sections 5.5 and 5.4.6.)
"""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from msgspec import Struct

from controller.errors import BadMessage

FRAME_BYTES_MAX: Final = 1 + 8 + 0xFFF + 1
"""LF, CRC and length, the longest content that three hex digits can count, CR."""
SEQ_MAX: Final = 9999
EARLY_S_MAX: Final = 40
LATE_S_MAX: Final = 20
"""A receiver accepts a time from 40 s before its own to 20 s after it."""

_TIME_FORMAT: Final = "%H:%M:%S,%m-%d-%Y"
_PAD_BYTES: Final = bytes(set(range(256)) - set(b"|[]"))
_HEADER = re.compile(
    rb'"(?P<star>\*?)(?P<label>[A-Z0-9-]{2,12})"(?P<seq>\d{4})'
    rb"(?:R(?P<receiver>[0-9A-Fa-f]{1,6}))?(?:L(?P<line>[0-9A-Fa-f]{1,6}))?(?:#(?P<account>[0-9A-Fa-f]{3,16}))?\[",
)
# A NAK names no account: `R0L0A0`, in some receivers `L0R0A0` or `#acct`. Nothing of it is needed but the time.
_NAK_HEADER = re.compile(rb'"(?P<star>)(?P<label>NAK)"(?P<seq>\d{4})[RLA0-9a-fA-F#]*\[')
_BODY = re.compile(
    rb"(?P<data>[^\[\]]*)\](?P<extended>(?:\[[^\[\]]*\])*)(?:_(?P<at>\d\d:\d\d:\d\d,\d\d-\d\d-\d{4}))?",
)
_OTHER_KEY: Final = "its content is not readable with this account's key; compare the keys"


class BadFrame(BadMessage):
    """Not a DC-09 frame, or a damaged one. A receiver drops it without an answer (section 5.6)."""


class Undecipherable(BadMessage):
    """A whole frame whose content cannot be read with the account's key. seq, account: as its clear header has them."""

    def __init__(self, why: str, seq: int, account: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.account = account


class Frame(Struct, frozen=True):
    """One message or reply.

    label: the standard's ID token, `ADM-CID`, `NULL`, `ACK`. account, receiver, line: hex digits, upper
    case; empty when the frame has none. data, extended: without brackets. at_s: UTC seconds; None without a timestamp.
    """

    label: str
    seq: int
    account: str
    receiver: str = "0"
    line: str = "0"
    data: str = ""
    extended: tuple[str, ...] = ()
    at_s: int | None = None
    encrypted: bool = False


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC_TABLE: Final = _crc_table()


def crc(content: bytes) -> int:
    """CRC-16/ARC of `content` (section 5.5.1.2): polynomial 0x8005 reflected, start 0."""
    value = 0
    for byte in content:
        value = (value >> 8) ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value


def random_pad(length: int) -> bytes:
    """`length` random bytes, none of which is `|`, `[` or `]` (section 5.5.1.7)."""
    return bytes(secrets.choice(_PAD_BYTES) for _ in range(length))


def encode(frame: Frame, key: bytes | None = None, pad: Callable[[int], bytes] = random_pad) -> bytes:
    """The bytes of `frame`, LF and CR included; encrypted with `key` (16, 24 or 32 bytes) when it is `encrypted`.

    Raises ValueError when it is encrypted without a time or a key, when a field holds what would break the frame, or
    when the frame would be longer than its length field can say.
    """
    if any(c in field for field in (frame.data, *frame.extended) for c in "[]\r\n") or "|" in "".join(frame.extended):
        raise ValueError("a data field holds a bracket, a line end or a bar; the frame could not be read back")
    star = "*" if frame.encrypted else ""
    receiver = f"R{frame.receiver}" if frame.receiver else ""
    line = f"L{frame.line}" if frame.line else ""
    account = f"#{frame.account}" if frame.account else "A0"
    content = f'"{star}{frame.label}"{frame.seq:04d}{receiver}{line}{account}['.encode("ascii")
    stamp = "" if frame.at_s is None else datetime.fromtimestamp(frame.at_s, UTC).strftime(f"_{_TIME_FORMAT}")
    body = (frame.data + "]" + "".join(f"[{item}]" for item in frame.extended) + stamp).encode("utf-8")
    if frame.encrypted:
        if key is None or frame.at_s is None:
            raise ValueError("an encrypted frame needs a key and a time")
        region = b"|" + body if frame.data else body
        region = pad(16 + -len(region) % 16) + region
        cipher = Cipher(AES(key), CBC(bytes(16))).encryptor()
        content += (cipher.update(region) + cipher.finalize()).hex().upper().encode("ascii")
    else:
        content += body
    if len(content) > 0xFFF:
        raise ValueError(f"a frame of {len(content)} bytes; expected at most {0xFFF}; send less")
    return b"\n%04X%04X%b\r" % (crc(content), len(content), content)


def decode(raw: bytes, key_of: Callable[[str], bytes | None] = lambda _account: None) -> Frame:
    """The frame in `raw` (LF to CR). key_of: the key of an account, asked only for an encrypted frame.

    Raises BadFrame when CRC, length or form are wrong, Undecipherable when the key is missing or another one.
    """
    content = _checked(raw)
    header = (_NAK_HEADER if content.startswith(b'"NAK"') else _HEADER).match(content)
    if header is None:
        raise BadFrame('a frame without a readable header; expected "ID", sequence, R, L, #account, data')
    parts = header.groupdict(default=b"")
    seq, account = int(parts["seq"]), parts.get("account", b"").decode("ascii").upper()
    body, encrypted = content[header.end():], bool(parts["star"])
    if encrypted:
        body = _decrypted(body, key_of(account), seq, account)
    read = _read_body(body)
    if encrypted and (read is None or read[2] is None):
        raise Undecipherable(_OTHER_KEY, seq, account)
    if read is None:
        raise BadFrame("a frame whose content is malformed; expected data, extended data and a time")
    data, extended, at_s = read
    return Frame(
        label=parts["label"].decode("ascii"),
        seq=seq,
        account=account,
        receiver=parts.get("receiver", b"").decode("ascii").upper(),
        line=parts.get("line", b"").decode("ascii").upper(),
        data=data,
        extended=extended,
        at_s=at_s,
        encrypted=encrypted,
    )


def _read_body(body: bytes) -> tuple[str, tuple[str, ...], int | None] | None:
    """Data, extended data and time of a clear body; None when it is none."""
    fields = _BODY.fullmatch(body)
    if fields is None:
        return None
    try:
        at_s, at = None, fields["at"]
        if at is not None:
            at_s = int(datetime.strptime(at.decode("ascii"), _TIME_FORMAT).replace(tzinfo=UTC).timestamp())
        data, extended = fields["data"].decode("utf-8"), fields["extended"].decode("utf-8")
    except ValueError:
        return None
    return data, tuple(extended[1:-1].split("][")) if extended else (), at_s


def _checked(raw: bytes) -> bytes:
    """The content between length and CR, its CRC and length right."""
    if len(raw) < 10 or raw[:1] != b"\n" or raw[-1:] != b"\r":
        raise BadFrame(f"{len(raw)} bytes that are no frame; expected LF, CRC, length, content, CR")
    content = raw[9:-1]
    try:
        crc_said, length_said = int(raw[1:5], 16), int(raw[5:9], 16)
    except ValueError as fault:
        raise BadFrame("a frame whose CRC or length are no hex digits") from fault
    if length_said != len(content):
        raise BadFrame(f"a frame that says {length_said} bytes and has {len(content)}")
    if crc_said != crc(content):
        raise BadFrame(f"a frame that says CRC {crc_said:04X} and has {crc(content):04X}")
    return content


def _decrypted(body: bytes, key: bytes | None, seq: int, account: str) -> bytes:
    """What stands behind the pad. With empty data some senders leave the `|` out."""
    if key is None:
        raise Undecipherable("an encrypted frame, and no key is known for its account", seq, account)
    try:
        text = bytes.fromhex(body.decode("ascii"))
        cipher = Cipher(AES(key), CBC(bytes(16))).decryptor()
        region = cipher.update(text) + cipher.finalize()
    except ValueError as fault:
        raise Undecipherable("its content is no hex text of whole AES blocks", seq, account) from fault
    bar, bracket = region.find(b"|"), region.find(b"]")
    if bracket < 0:
        raise Undecipherable(_OTHER_KEY, seq, account)
    return region[bar + 1:] if 0 <= bar < bracket else region[bracket:]


class FrameBuffer:
    """Cuts a TCP stream into frames, however it was cut on the way."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, LF to CR. What stands outside is dropped, and so is an endless one."""
        self._held += data
        frames = []
        while (end := self._held.find(b"\r")) >= 0:
            start = self._held.rfind(b"\n", 0, end)
            if start >= 0:
                frames.append(bytes(self._held[start:end + 1]))
            del self._held[:end + 1]
        if len(self._held) > FRAME_BYTES_MAX:
            self._held.clear()
        return frames
