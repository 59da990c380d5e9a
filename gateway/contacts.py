"""The private values that a notice needs, held in memory: whoever is told must be told while the database is away, too."""

import logging
import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from controller.errors import CuadraError
from controller.records.private import Private
from controller.registry import Contact, PrivateRef, Registry

logger = logging.getLogger(__name__)

STRANGERS_KEPT: Final = 1000
_ANSWERABLE: Final = re.compile(r"\+[0-9]{7,15}")
"""A full phone number. What short codes and names send is advertising, and answering some of them costs money."""


class Sender(NamedTuple):
    """Who wrote. member: None for nobody known, or (shared) for several. ref: of the address; None where it cannot be answered.

    sharers: those several.
    """

    ref: PrivateRef | None = None
    member: str | None = None
    shared: bool = False
    sharers: tuple[str, ...] = ()


NOBODY: Final = Sender()


class Contacts:
    """Addresses and phone numbers of one registry. Never logged, never shown by repr."""

    def __init__(self, private: Private, registry: Registry) -> None:
        """Raises BadConfig, Unavailable."""
        self._private = private
        self._registry = registry
        self._values: dict[PrivateRef, str] = {}
        self._strangers: dict[PrivateRef, str] = {}
        self.use(registry)

    def use(self, registry: Registry) -> None:
        """From now on these members and inputs. Raises BadConfig, Unavailable, changing nothing."""
        refs = {contact.address_ref for member in registry.members.values() for contact in member.contacts}
        refs |= {one.address_ref for one in registry.inputs.values() if one.address_ref is not None}
        self._values = self._private.get_many(refs)
        self._registry = registry

    def value(self, ref: PrivateRef | None) -> str:
        """The value behind `ref`; empty when there is none."""
        return self._values.get(ref, "") if ref is not None else ""

    def address(self, member: str, channel: str, place: int = 0) -> str:
        """Where `member` is reached by `channel`; place: the how-manieth of their addresses there, from 0.

        Raises CuadraError when the registry has no such way.
        """
        found = [self.value(contact.address_ref) for contact in self._of(member) if contact.channel == channel][place:]
        if not found or not found[0]:
            raise CuadraError(f"member {member} has no such address for {channel} in the registry")
        return found[0]

    def addresses(self, channel: str) -> Iterable[str]:
        """Every address of `channel` in the registry, each once."""
        found = {self.value(contact.address_ref): None for member in self._registry.members for contact in self._of(member)
                 if contact.channel == channel}
        return [address for address in found if address]

    def stranger(self, ref: PrivateRef) -> str:
        """The address of somebody who wrote and is nobody of the registry.

        Raises CuadraError when it is not at hand any more.
        """
        address = self._strangers.get(ref) or self.value(ref)
        if not address:
            raise CuadraError("the address that this answers is not at hand any more")
        return address

    def take_up(self, refs: Collection[PrivateRef]) -> None:
        """Have these strangers' addresses at hand: they are still to be answered. Raises BadConfig, Unavailable."""
        for ref, address in self._private.get_many(refs).items():
            self._remember(ref, address)

    def whose(self, channel: str, address: str) -> Sender:
        """Who is behind an address that somebody wrote from; a stranger's is kept, where it can be answered. Raises Unavailable."""
        found = self._private.find(channel, address)
        members = [one for one in found if one.person in self._registry.members]
        if members:
            here = {contact.address_ref for one in members for contact in self._of(one.person) if contact.channel == channel}
            return _sender(next((one.ref for one in members if one.ref in here), members[0].ref), {one.person for one in members})
        if channel != "sms" or not _ANSWERABLE.fullmatch(address):
            return NOBODY
        ref = next((one.ref for one in found if not one.person), None) or self._private.put("", channel, address)
        self._remember(ref, address)
        return Sender(ref)

    def caller(self, address: str) -> str | None:
        """Which member rings from a number; None for a stranger, whose number is kept nowhere, and for one that several share.

        Raises Unavailable.
        """
        found = {one.person for channel in ("sms", "call") for one in self._private.find(channel, address)} & self._registry.members.keys()
        return found.pop() if len(found) == 1 else None

    def caller_in_memory(self, address: str) -> str | None:
        """The same without the database: only a number written exactly as the registry has it is known."""
        found = {member.id for member in self._registry.members.values() for contact in member.contacts
                 if contact.channel in ("sms", "call") and self._values.get(contact.address_ref) == address}
        return found.pop() if len(found) == 1 else None

    def whose_in_memory(self, channel: str, address: str) -> Sender:
        """The same without the database: only an address written exactly as the registry has it is known."""
        found = {(contact.address_ref, member.id) for member in self._registry.members.values() for contact in member.contacts
                 if contact.channel == channel and self._values.get(contact.address_ref) == address}
        return _sender(min(found)[0], {member for _, member in found}) if found else NOBODY

    def _remember(self, ref: PrivateRef, address: str) -> None:
        self._strangers[ref] = address
        while len(self._strangers) > STRANGERS_KEPT:
            del self._strangers[next(iter(self._strangers))]

    def _of(self, member: str) -> tuple[Contact, ...]:
        entry = self._registry.members.get(member)
        return entry.contacts if entry is not None else ()


def _sender(ref: PrivateRef, persons: set[str]) -> Sender:
    shared = len(persons) > 1
    return Sender(ref, None if shared else min(persons), shared, tuple(sorted(persons)) if shared else ())
