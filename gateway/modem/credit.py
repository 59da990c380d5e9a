"""What is left on a SIM, as its operator says it in answer to a code (USSD, TS 22.090; `AT+CUSD`, TS 27.007 section 7.15)."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

DAY_S: Final = 86_400.0
AGAIN_S: Final = 600.0
"""Not asked more often than this, whatever is refused."""
SMELLS: Final = frozenset({("CMS", 8), ("CMS", 10), ("CMS", 21), ("CMS", 29), ("CMS", 38), ("CMS", 50), ("CMS", 500)})
"""Refusals with which networks answer a SIM that has nothing left, among other things; so may a maker's own from 512 on."""
DCS_UCS2: Final = 72


class CreditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a SIM's credit is asked for. code: e.g. `*147#`; pattern: finds the amount in the answer, as its first group; min: below it is a fault."""

    code: Annotated[str, Meta(pattern=r"^[0-9*#]{2,20}$")]
    min: Annotated[float, Meta(ge=0)]
    pattern: str = r"(\d+(?:[.,]\d+)?)"

    def faults(self) -> list[str]:
        """What the types cannot say; each begins with the field."""
        try:
            groups = re.compile(self.pattern).groups
        except re.error as fault:
            return [f"pattern: {fault}; expected a regular expression with a group for the amount; correct it"]
        return [] if groups else ["pattern: no group; expected one in parentheses for the amount; correct it"]


def amount(line: str, pattern: str) -> float | None:
    """What a `+CUSD:` line says is left; None when it does not say."""
    match = re.match(r'\+CUSD: ?\d+(?:, ?"(.*)"(?:, ?(\d+))?)?', line, re.DOTALL)
    if match is None or match[1] is None:
        return None
    found = re.search(pattern, _words(match[1], int(match[2] or 15)))
    return float(found[1].replace(",", ".")) if found and re.fullmatch(r"\d+(?:[.,]\d+)?", found[1]) else None


def _words(said: str, coding: int) -> str:
    if coding == DCS_UCS2 and re.fullmatch(r"(?:[0-9A-Fa-f]{4})+", said):
        return bytes.fromhex(said).decode("utf-16-be", "replace")
    return said


class Credit:
    """When a SIM's credit is asked for, and whether it is low. Times are the loop's, in seconds."""

    def __init__(self, settings: CreditSettings | None) -> None:
        self.settings = settings
        self._ask_at = 0.0
        self._asked_at = -DAY_S

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to ask."""
        return self.settings is not None and now_s >= self._ask_at

    def asked(self, now_s: float) -> None:
        """It was asked; the next time is a day later."""
        self._asked_at, self._ask_at = now_s, now_s + DAY_S

    def refused(self, family: str, number: int) -> None:
        """A text was refused: perhaps because nothing is left."""
        if (family, number) in SMELLS or number >= 512:
            self._ask_at = min(self._ask_at, self._asked_at + AGAIN_S)

    def is_low(self, line: str) -> tuple[bool, str] | None:
        """Whether an answer says that less is left than it should be, and how much is; None when it says nothing of it."""
        left = amount(line, self.settings.pattern) if self.settings is not None else None
        if left is None or self.settings is None:
            return None
        return left < self.settings.min, f"{left:g} is left; expected {self.settings.min:g} at least; charge it"
