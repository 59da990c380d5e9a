"""The alphabet that a text message's 160 characters are counted in: GSM 03.38 (3GPP TS 23.038, section 6.2.1). Pure.

é ñ ü ¿ ¡ are in it; á í ó ú are not, and one of them turns a whole text into UCS-2 with 70 characters a message. So
`to_gsm7` writes them without their accents, which everybody reads, and keeps the letters that the alphabet has.
"""

import re
import unicodedata
from typing import Final

SINGLE_SEPTETS_MAX: Final = 160
PART_SEPTETS_MAX: Final = 153
"""What a part of a longer text holds: six octets less, for the header that joins the parts."""
SINGLE_UNITS_MAX: Final = 70
PART_UNITS_MAX: Final = 67
"""The same two for UCS-2, in 16-bit units."""

ESCAPE: Final = 0x1B
ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default table; a character's place is its code. 0x1B is no character: it announces one of `EXTENSION`."""
EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip

CODES: Final[dict[str, tuple[int, ...]]] = {
    **{character: (code,) for code, character in enumerate(ALPHABET) if code != ESCAPE},
    **{character: (ESCAPE, code) for code, character in EXTENSION.items()},
}
"""Each character's one or two septets."""

_CHARACTERS: Final = frozenset(CODES)
_EXTENDED: Final = re.compile("[" + re.escape("".join(EXTENSION.values())) + "]")
_WRITTEN_AS: Final = str.maketrans({
    "‘": "'", "’": "'", "‚": "'",
    "‛": "'", "′": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
    "‹": "'", "›": "'", "–": "-", "—": "-", "―": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-",
    "·": ".", "º": "o", "ª": "a", "°": "o", "×": "x", "\t": " ", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\ufe0e": "", "\ufe0f": "", "\u00ad": "",
    "ç": "c", "œ": "oe", "Œ": "OE",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i",
})  # fmt: skip


def septets(text: str) -> int:
    """How many septets `text` takes; an extension character takes two.

    Raises ValueError, naming the place, when the alphabet lacks a character: pass the text through `to_gsm7` first.
    """
    if not is_gsm7(text):
        place, character = next((place, character) for place, character in enumerate(text) if character not in CODES)
        raise ValueError(f"character {place} is U+{ord(character):04X}; expected one of GSM 03.38; use to_gsm7() first")
    return len(text) + len(_EXTENDED.findall(text))


def is_gsm7(text: str) -> bool:
    """True when the alphabet has every character of `text`."""
    return _CHARACTERS.issuperset(text)


def to_gsm7(text: str) -> str:
    """`text` in the alphabet: é ñ ü ¿ ¡ stay, á becomes a, quotes and dashes their plain forms, anything unknown `?`.

    Text that is in the alphabet already comes back unchanged.
    """
    if is_gsm7(text):
        return text
    return "".join(_plain(character) for character in unicodedata.normalize("NFC", text))


def _plain(character: str) -> str:
    if character in CODES:
        return character
    written = character.translate(_WRITTEN_AS)
    if written != character:
        return written
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return bare if bare and is_gsm7(bare) else "?"
