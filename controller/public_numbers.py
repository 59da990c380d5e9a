"""Public emergency numbers: no machine dials one unless an agreement with whoever answers there allows it.

A false alarm that a machine repeats holds a line on which somebody else's life may hang; in most countries it is an offence, too.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from controller.rules.policy_parts import PolicePolicy

DIALLED: Final = frozenset({"sms", "call"})
"""The channels on which a machine dials a telephone number."""
SHORT: Final = re.compile(r"[0-9]{2,6}")
"""What only its own country's network understands."""
_COUNTRY_DIGITS_MAX: Final = 3


def is_public(address: str, numbers: Collection[str]) -> bool:
    """Whether a telephone number is one of `numbers`, also with a country's code before it."""
    digits = re.sub(r"[^0-9]", "", address)
    international = address.lstrip().startswith(("+", "00"))
    digits = digits[2:] if international and address.lstrip().startswith("00") else digits
    return any(digits == number or (international and digits.endswith(number) and 0 < len(digits) - len(number) <= _COUNTRY_DIGITS_MAX)
               for number in numbers)


def known(police: PolicePolicy) -> tuple[str, ...]:
    """The public emergency numbers that the policy knows of, in digits."""
    return (*police.public_numbers, re.sub(r"[^0-9]", "", police.public_number))


def refused(police: PolicePolicy, channel: str, address: str) -> bool:
    """Whether this contact may not be: a machine would dial a public emergency number, and no agreement is named."""
    return channel in DIALLED and not police.agreement and is_public(address, known(police))


def faults(zone: str, police: PolicePolicy, contacts: Iterable[tuple[str, str, str]]) -> list[str]:
    """What to say of (member, channel, address)es that may not be."""
    return [f"zone {zone}, member {member}: their {channel} contact is a public emergency number, which no machine dials; expected "
            f"[police] agreement to name the document that allows it, or another contact; correct one of the two"
            for member, channel, address in contacts if refused(police, channel, address)]
