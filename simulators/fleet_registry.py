"""The registry of a made-up zone for load: so many nodes in so many blocks, and members who are told by webhook."""

from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from controller.authentication import PrivateKey
from controller.records import registry_csv
from controller.records.registry_draft import Draft
from controller.registry import Block, District, Input, Member, Node, Role, Shift, Zone
from simulators import demo_keys
from simulators.fleet_node import Identity

ALL_DAY: Final = time(0, 0)


class Plan(Struct, frozen=True):
    """How big the zone is. Node `i` stands in block `i mod blocks` and has one input for each of `kinds`.

    Member `j` is on duty at all hours for the blocks `i` with `i mod members = j`: each block has exactly one. webhook: where
    they are told, with `{member}` for whom; a `#secret` at its end signs.
    """

    zone: str = "z1"
    nodes: int = 100
    blocks: int = 100
    members: int = 1
    kinds: tuple[str, ...] = ("panic",)
    webhook: str = "http://127.0.0.1:8099/{member}"

    def node_ids(self) -> list[str]:
        """The nodes, in order."""
        return [f"{self.zone}n{number:05}" for number in range(self.nodes)]

    def block_id(self, number: int) -> str:
        """The block with this number, from 0."""
        return f"{self.zone}b{number:05}"

    def inputs(self) -> list[tuple[str, str]]:
        """Each node's inputs with their kinds."""
        return [(f"b{number}", kind) for number, kind in enumerate(self.kinds, 1)]


def private_key(node: str) -> PrivateKey:
    """The node's key pair: the same in every run, and secret to nobody."""
    return demo_keys.private_key(node)


def draft(plan: Plan) -> Draft:
    """The zone's registry."""
    zone = Zone(plan.zone, f"Zona de carga {plan.zone}", "load")
    whole = Draft(District("load", "Distrito de carga"), zone)
    for number in range(plan.blocks):
        block = plan.block_id(number)
        whole.blocks[block] = Block(block, plan.zone, f"Mz {number + 1}", f"esquina {number + 1}")
    for number, node in enumerate(plan.node_ids()):
        whole.nodes[node] = Node(node, plan.zone, plan.block_id(number % plan.blocks), private_key(node).public)
        for name, kind in plan.inputs():
            whole.inputs[node, name] = Input(node, name, kind)
    for number in range(plan.members):
        member = f"{plan.zone}m{number:04}"
        whole.members[member] = Member(member, plan.zone, f"Patrulla {number + 1}", (Role.PATROL,))
        whole.names[member] = f"Vecino {number + 1}"
        whole.contacts[member] = (("webhook", plan.webhook.replace("{member}", member)),)
        blocks = () if plan.members == 1 else tuple(
            plan.block_id(block) for block in range(number, plan.blocks, plan.members))
        shift = f"{member}s"
        whole.shifts[shift] = Shift(shift, plan.zone, member, Role.PATROL, ALL_DAY, ALL_DAY, blocks=blocks)
    return whole


def write(folder: Path, plans: Sequence[Plan]) -> None:
    """Write the CSV files that `cuadra registry import` reads. Raises BadConfig when they cannot be written."""
    registry_csv.write(folder, [draft(plan) for plan in plans])


def identities(plan: Plan, gateway_public_key: str) -> list[Identity]:
    """The zone's nodes, as a fleet takes them. Raises BadConfig when that is no public key."""
    inputs = tuple(plan.inputs())
    return [Identity(plan.zone, node, private_key(node).shared_with(gateway_public_key), inputs) for node in plan.node_ids()]
