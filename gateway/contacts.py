"""The private values that a notice needs, held in memory: whoever is told must be told while the database is away, too."""

import logging
from collections.abc import Iterable

from controller.errors import CuadraError
from controller.records.private import Private
from controller.registry import Contact, PrivateRef, Registry

logger = logging.getLogger(__name__)


class Contacts:
    """Addresses and phone numbers of one registry. Never logged, never shown by repr."""

    def __init__(self, private: Private, registry: Registry) -> None:
        """Raises BadConfig, Unavailable."""
        self._private = private
        self._registry = registry
        self._values: dict[PrivateRef, str] = {}
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

    def address(self, member: str, channel: str) -> str:
        """Where `member` is reached by `channel`.

        Raises CuadraError when the registry has no such way.
        """
        for contact in self._of(member):
            if contact.channel == channel and (value := self.value(contact.address_ref)):
                return value
        raise CuadraError(f"member {member} has no address for {channel} in the registry")

    def addresses(self, channel: str) -> Iterable[str]:
        """Every address of `channel` in the registry, each once."""
        found = {self.value(contact.address_ref): None for member in self._registry.members for contact in self._of(member)
                 if contact.channel == channel}
        return [address for address in found if address]

    def whose(self, channel: str, address: str) -> tuple[PrivateRef | None, str | None]:
        """The reference and the member behind an address somebody wrote from.

        (None, None): nobody knows it. (a reference, None): several members share it. Raises Unavailable.
        """
        found = [one for one in self._private.find(channel, address) if one.person in self._registry.members]
        if not found:
            return None, None
        persons = {one.person for one in found}
        return found[0].ref, persons.pop() if len(persons) == 1 else None

    def whose_in_memory(self, channel: str, address: str) -> tuple[PrivateRef | None, str | None]:
        """The same without the database: only an address written exactly as the registry has it is known."""
        found = {(contact.address_ref, member.id) for member in self._registry.members.values() for contact in member.contacts
                 if contact.channel == channel and self._values.get(contact.address_ref) == address}
        persons = {member for _, member in found}
        return (min(found)[0], persons.pop() if len(persons) == 1 else None) if found else (None, None)

    def _of(self, member: str) -> tuple[Contact, ...]:
        entry = self._registry.members.get(member)
        return entry.contacts if entry is not None else ()
