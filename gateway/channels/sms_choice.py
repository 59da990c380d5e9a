"""Which of several modems takes a text or a call, and what each of them told whom."""

import time
from collections.abc import Collection, Mapping
from typing import Final

from gateway.channels.sms_settings import ModemSettings
from gateway.modem.modem import Modem

RUNG_BACK_S: Final = 86_400
"""So long after a text or a call a ringing is taken for an answer to it."""
KEPT: Final = 5000


class Choice:
    """The modems by what they are for, and by how well they are."""

    def __init__(self, settings: Mapping[str, ModemSettings], modems: list[Modem]) -> None:
        self._settings = settings
        self._modems = modems
        self._used: dict[tuple[str, str], float] = {}
        self.callers = [name for name, modem in settings.items() if modem.calls != "none"]
        """The modems that may call."""

    def may_take(self, modem: str, refused_by: Collection[str]) -> bool:
        """Whether no other modem is better for a text; of those that are equally good whichever is free takes it.

        Better is one whose texts arrive, has the number that texts come from, and is of another operator than one whose texts vanish.
        """
        if modem in refused_by:
            return False
        ranks = {one.name: self._rank(one) for one in self._modems if one.name not in refused_by and (one.well or one.name == modem)}
        return ranks[modem] == min(ranks.values())

    def may_call(self, modem: str) -> bool:
        """Whether it may, and no other one that hears digits is free, or it hears them itself."""
        if modem not in self.callers:
            return False
        free = (one.name for one in self._modems if one.name in self.callers and one.well and not one.busy)
        return self._hears(modem) or not any(self._hears(name) for name in free)

    def is_free(self, modem: Modem, refused_by: Collection[str]) -> bool:
        """Whether it would take a text at once."""
        return modem.well and not modem.busy and self.may_take(modem.name, refused_by)

    def used(self, modem: str, address: str) -> None:
        """A text or a call goes this way now."""
        self._used.pop((modem, address[-9:]), None)
        self._used[modem, address[-9:]] = time.time()
        while len(self._used) > KEPT:
            del self._used[next(iter(self._used))]

    def says_going(self, modem: str, address: str) -> bool:
        """Whether ringing it says "I am going": who rings back a number that told them something does not say that."""
        told = time.time() - self._used.get((modem, address[-9:]), 0.0) < RUNG_BACK_S
        return self._settings[modem].role == "going" and not told

    def _rank(self, modem: Modem) -> tuple[bool, bool, bool]:
        shunned = {one.identity.operator for one in self._modems if one.vanishes and one.identity.operator}
        return modem.vanishes, self._settings[modem.name].role == "going", modem.identity.operator in shunned

    def _hears(self, modem: str) -> bool:
        return self._settings[modem].calls == "dtmf"
