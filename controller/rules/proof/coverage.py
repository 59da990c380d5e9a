"""Which blocks are protected now: a press there sounds, arrives, and finds somebody on duty who can be told. Decided from what is open alone."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from controller.entries import Chain, CoverageChanged
from controller.registry import Role
from controller.rules.desk import Desk, Network
from controller.rules.mending.fault_kinds import Shows, kind_of
from controller.rules.policy_kinds import TAMPER, TEST
from controller.rules.signs import Signs
from controller.rules.state import ZoneState

EVERY_MS: Final = 60_000
"""Shifts change on the minute."""
NO_NODE: Final = "no-node"
NODE_LATE: Final = "node-late"
NOBODY: Final = "nobody-on-duty"
MUTE: Final = frozenset({"siren-refused", "siren-silent", "siren-pulse", "supply-collapses-under-siren", "test-failed", "guard-down"})
"""Codes of a node whose siren cannot be relied on."""


def look(desk: Desk, signs: Signs) -> None:
    """Put on record which blocks have become protected, or are so no more."""
    if 0 <= desk.at_ms - signs.covered_at_ms < EVERY_MS:
        return
    signs.covered_at_ms = desk.at_ms
    known = desk.state.covered.blocks
    now = standing(desk.network, desk.state)
    for block in desk.registry.blocks:
        why = " ".join(reasons(desk.network, desk.state, block, desk.now.utc_ms, now))
        if block not in known or known[block].why != why:
            desk.record(Chain.OPEN, CoverageChanged(block, why))


class Standing(NamedTuple):
    """What is the same for all blocks: what concerns every one of them, each node's faults (their codes), and who answers presses."""

    zone: tuple[str, ...]
    of_node: Mapping[str, set[str]]
    roles: list[Role]


def standing(network: Network, state: ZoneState) -> Standing:
    """How it is now."""
    of_node: dict[str, set[str]] = {}
    for subject, code in state.fault_of:
        sort, _, name = subject.partition("/")
        if sort == "node":
            of_node.setdefault(name, set()).add(code.partition(":")[0])
    roles = {role for name, kind in network.policy.kinds.items() if not kind.silent and name not in (TEST, TAMPER)
             for step in kind.steps if step.on_duty for role in step.roles}
    return Standing(_of_zone(state), of_node, sorted(roles))


def reasons(network: Network, state: ZoneState, block: str, at_ms: int, now: Standing | None = None) -> tuple[str, ...]:
    """Why a block is not protected at `at_ms` (UTC); empty when it is. now: how it stands, if that is known already."""
    now = now if now is not None else standing(network, state)
    found = list(now.zone)
    lives = {node: state.nodes[node] for node in network.nodes_of(block) if node in state.nodes and state.nodes[node].boot}
    faults = {node: now.of_node.get(node, set()) for node in lives}
    there = [node for node, life in lives.items() if not life.gone and "late" not in faults[node]]
    if not lives:
        found.append(NO_NODE)
    elif not there:
        found.append(NODE_LATE)
    else:
        # One node that can do all is enough.
        mute = sorted((sorted(faults[node] & MUTE) for node in there), key=len)
        found += mute[0]
    if now.roles and not network.roster.on_duty(block, now.roles, at_ms):
        found.append(NOBODY)
    return tuple(dict.fromkeys(found))


def _of_zone(state: ZoneState) -> tuple[str, ...]:
    """What keeps every block's press from being told."""
    zone = {f"{subject}:{code}" for subject, code in state.fault_of
            if kind_of(subject, code).shows is Shows.ZONE and subject.partition("/")[0] not in {"node", "block"}}
    return tuple(sorted(zone))
