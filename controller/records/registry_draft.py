"""A zone's registry as people write it: with the personal values in it, before they go to their own place."""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Struct, field, structs

from controller.registry import Block, Contact, District, Holiday, Input, Member, Node, Registry, Shift, Swap, Zone

NOTHING: Final = "p-00000000"
"""A reference to no private value."""
ContactText = tuple[str, str]
"""(channel, address)."""


class Draft(Struct):
    """One zone, whole. Its structs bear no references; what is personal stands beside them, by whom it belongs to.

    addresses: by (node, input). names, contacts: by member, contacts in the order in which they are preferred.
    """

    district: District
    zone: Zone
    blocks: dict[str, Block] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    inputs: dict[tuple[str, str], Input] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    shifts: dict[str, Shift] = field(default_factory=dict)
    swaps: dict[str, Swap] = field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, tuple[ContactText, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Draft(zone={self.zone.id!r})"


def version_of(registry: Draft | Registry) -> str:
    """The hash that names a registry, in hex: the same for the same network, in whatever database it is kept.

    It is written into the open chain, so it covers only what everybody may see: neither personal values, which could be
    guessed from it, nor whom a silent input excludes, nor by which household or station; and not the inputs' numbers, which
    each database gives.
    """
    shifts = registry.shifts.values() if isinstance(registry, Draft) else registry.shifts
    swaps = registry.swaps.values() if isinstance(registry, Draft) else registry.swaps
    seen: dict[str, Any] = {
        "district": registry.district,
        "zone": registry.zone,
        "blocks": [block for _, block in sorted(registry.blocks.items())],
        "nodes": [node for _, node in sorted(registry.nodes.items())],
        "inputs": [(one.node, one.input, one.kind) for _, one in sorted(registry.inputs.items())],
        "members": [
            (member.id, member.call_sign, sorted(member.roles), member.language, _channels(registry, member))
            for _, member in sorted(registry.members.items())
        ],
        "shifts": sorted(shifts, key=lambda shift: shift.id),
        "swaps": sorted(swaps, key=lambda swap: swap.id),
        "holidays": sorted(registry.holidays, key=lambda holiday: holiday.day),
    }
    return hashlib.sha256(b"cuadra-registry-1" + msgspec.json.encode(seen, order="sorted")).hexdigest()


def registry_of(draft: Draft) -> Registry:
    """The draft as the rules would have it; its references lead to nothing."""
    members = {name: structs.replace(member, contacts=tuple(Contact(channel, NOTHING) for channel, _ in draft.contacts.get(name, ())))
               for name, member in draft.members.items()}
    return Registry(0, version_of(draft), draft.district, draft.zone, draft.blocks, draft.nodes, draft.inputs, members,
                    shifts=tuple(draft.shifts.values()), swaps=tuple(draft.swaps.values()), holidays=draft.holidays)


def _channels(registry: Draft | Registry, member: Member) -> list[str]:
    if isinstance(registry, Draft):
        return [channel for channel, _ in registry.contacts.get(member.id, ())]
    return [contact.channel for contact in member.contacts]
