"""What a modem's error numbers mean for an alarm (TS 27.005 section 3.2.5, TS 27.007 section 9.2): whose fault, and what next."""

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Remedy(StrEnum):
    """What can help."""

    LATER = "later"          # the network's moment: the same modem, after a pause
    LATER_TWICE = "later-twice"  # the same, but after the second retry another way
    OTHER_SIM = "other-sim"  # this subscription may not: another modem at once, or another way
    OTHER_WAY = "other-way"  # the number cannot be reached by a text: another way at once
    RESTART = "restart"      # the modem or its SIM: restart it, and another modem at once
    NONE = "none"            # what we sent is wrong: no repetition helps


class ModemError(Struct, frozen=True):
    """A final answer other than OK. family: `CMS`, `CME`, or empty for a bare ERROR; number: None with it."""

    family: str
    number: int | None

    @property
    def remedy(self) -> Remedy:
        """What can help; a number nobody listed is taken for the network's moment."""
        if self.number is None:
            return Remedy.LATER
        return _REMEDIES.get((self.family, self.number), Remedy.LATER)

    def __str__(self) -> str:
        if self.number is None:
            return "ERROR"
        meaning = _MEANINGS.get((self.family, self.number), "not in the tables" if self.number < 512 else "the maker's own")
        return f"+{self.family} ERROR {self.number} ({meaning})"


_CMS: Final[dict[int, tuple[str, Remedy]]] = {
    1: ("unassigned number", Remedy.OTHER_WAY),
    8: ("operator determined barring", Remedy.OTHER_SIM),
    10: ("call barred", Remedy.OTHER_SIM),
    21: ("rejected", Remedy.OTHER_SIM),
    27: ("destination out of order", Remedy.OTHER_WAY),
    28: ("unidentified subscriber", Remedy.OTHER_WAY),
    29: ("facility rejected", Remedy.OTHER_SIM),
    30: ("unknown subscriber", Remedy.OTHER_WAY),
    38: ("network out of order", Remedy.LATER_TWICE),
    41: ("temporary failure", Remedy.LATER),
    42: ("congestion", Remedy.LATER),
    47: ("no resources", Remedy.LATER),
    50: ("not subscribed", Remedy.OTHER_SIM),
    300: ("modem failure", Remedy.RESTART),
    302: ("not allowed", Remedy.LATER),
    303: ("not supported", Remedy.NONE),
    304: ("bad PDU parameter", Remedy.NONE),
    305: ("bad text parameter", Remedy.NONE),
    310: ("no SIM", Remedy.RESTART),
    311: ("SIM wants its PIN", Remedy.RESTART),
    313: ("SIM failure", Remedy.RESTART),
    314: ("SIM busy", Remedy.LATER),
    320: ("memory failure", Remedy.RESTART),
    321: ("bad index", Remedy.LATER),
    322: ("memory full", Remedy.LATER),
    330: ("service centre unknown", Remedy.RESTART),
    331: ("no network", Remedy.LATER),
    332: ("network timed out", Remedy.LATER),
    340: ("no acknowledgement expected", Remedy.LATER),
    500: ("unknown", Remedy.LATER),
}
_CME: Final[dict[int, tuple[str, Remedy]]] = {
    3: ("not allowed", Remedy.LATER),
    4: ("not supported", Remedy.NONE),
    10: ("no SIM", Remedy.RESTART),
    11: ("SIM wants its PIN", Remedy.RESTART),
    12: ("SIM wants its PUK", Remedy.RESTART),
    13: ("SIM failure", Remedy.RESTART),
    14: ("SIM busy", Remedy.LATER),
    16: ("wrong password", Remedy.RESTART),
    20: ("memory full", Remedy.LATER),
    30: ("no network", Remedy.LATER),
    31: ("network timed out", Remedy.LATER),
    32: ("emergency calls only", Remedy.LATER),
    100: ("unknown", Remedy.LATER),
}
_LISTED: Final = {("CMS", number): row for number, row in _CMS.items()} | {("CME", number): row for number, row in _CME.items()}
_MEANINGS: Final = {which: meaning for which, (meaning, _) in _LISTED.items()}
_REMEDIES: Final = {which: remedy for which, (_, remedy) in _LISTED.items()}

NO_NETWORK: Final = frozenset({("CMS", 331), ("CMS", 332), ("CME", 30), ("CME", 31), ("CME", 32)})
"""After these the registration is read at once."""
SIM_ABSENT: Final = frozenset({("CME", 10), ("CME", 11), ("CME", 12), ("CME", 13), ("CME", 16), ("CMS", 310), ("CMS", 311), ("CMS", 313)})

_FINAL: Final = re.compile(r"^\+(CM[ES]) ERROR: ?(.+)$")


def final_answer(line: str) -> ModemError | bool:
    """True for OK, the error for an error, False for a line that ends no answer."""
    if line == "OK":
        return True
    if line in ("ERROR", "COMMAND NOT SUPPORT"):
        return ModemError("", None)
    match = _FINAL.match(line)
    if match is None:
        return False
    number = match[2].strip()
    return ModemError(match[1], int(number) if number.isdigit() else None)
