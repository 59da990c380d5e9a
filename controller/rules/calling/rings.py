"""Whom a step of the policy tells, and by what: of the registry, the roster and the policy alone, not yet of what became of an incident."""

from collections.abc import Collection

from controller.registry import Member
from controller.rules.desk import Network
from controller.rules.policy_kinds import Kind
from controller.rules.telling import Way, ways


def on_ring(network: Network, kind: Kind, block: str, place: int, at_ms: int, excluded: Collection[str]) -> list[Way]:
    """Everybody of ring `place` for a press in `block` at `at_ms` (UTC) who is not excluded, each by the first way that is allowed.

    When nobody of the last ring is on duty, everybody with its roles is told: it is never silent.
    """
    one = kind.steps[place]
    last = place == len(kind.steps) - 1
    members: list[Member] = []
    if one.on_duty:
        members = [network.registry.members[m] for m in network.roster.on_duty(block, one.roles, at_ms) if m not in excluded]
    if not one.on_duty or (last and not ways(members, one.channels)):
        members = [member for member in network.members_with(one.roles) if member.id not in excluded]
    return ways(members, one.channels)

