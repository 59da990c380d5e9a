"""One form for a telephone number, however it was written, so that whoever texts is found."""

import re
from typing import Final

PERU: Final = "51"
_SEPARATORS: Final = re.compile(r"[\s().\-/]+")
_NATIONAL_DIGITS_MIN: Final = 8
_DIGITS_MIN: Final = 7
_DIGITS_MAX: Final = 15


def normalise(text: str, country: str = PERU) -> str | None:
    """`text` as `+` and digits (ITU-T E.164); None when it is no number that can be dialled from anywhere.

    `+51 987 654 321`, `987654321`, `051-987-654-321`, `0051987654321` and `51987654321` are one number. country: the calling code of
    numbers written without one.
    """
    digits = _SEPARATORS.sub("", text)
    international = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if not international and digits.startswith("00"):
        international, digits = True, digits[2:]
    if not international:
        digits = _with_country(digits, country)
        if len(digits) < len(country) + _NATIONAL_DIGITS_MIN:
            return None
    return f"+{digits}" if _DIGITS_MIN <= len(digits) <= _DIGITS_MAX else None


def _with_country(digits: str, country: str) -> str:
    """A number as it is dialled inside the country: perhaps with its calling code, perhaps with the 0 for trunk lines."""
    bare = digits.removeprefix("0")
    if bare.startswith(country) and len(bare) >= len(country) + _NATIONAL_DIGITS_MIN:
        return bare
    return country + bare
