"""Nodes without mains: a power cut is one fault of the zone; a node whose neighbours have mains is unplugged.

A node is cut off with others when at least as many of its neighbours (the nodes of its block and of the blocks near it; where
none of them says anything, of the zone) are without mains as have it, or when enough others lost theirs in the same minute. From
`outage_nodes` such nodes on it is a power cut. Any other node without mains is unplugged.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import Final

from controller.entries import Chain, OutageSpread
from controller.rules.desk import Desk
from controller.rules.mending.faults import end_fault, raise_fault, tell_standing
from controller.rules.signs import Signs

OUTAGE: Final = ("zone/mains", "outage")
UNPLUGGED: Final = "unplugged"
TOGETHER_MS: Final = 60_000
"""Nodes that lose their mains within so long of each other lose it together."""
GREW_BY: Final = 3
"""A power cut that has reached twice the blocks that were told, and so many more, is told anew."""


def look(desk: Desk, signs: Signs) -> None:
    """Judge what the last beats say of mains."""
    off = {node: _since_ms(desk, signs, node) for node, mains in signs.mains.items() if not mains and node in desk.registry.nodes}
    cut = _cut(desk, signs, off)
    _look_at_outage(desk, signs, cut, off)
    standing = OUTAGE in desk.state.fault_of
    for node, since_ms in off.items():
        # The others of a power cut say so within a beat.
        if not (standing and node in cut) and desk.now.utc_ms - since_ms >= desk.policy.times.beat_s * 1000:
            raise_fault(desk, f"node/{node}", UNPLUGGED)
    for subject, code in [key for key in desk.state.fault_of if key[1] == UNPLUGGED and key[0].startswith("node/")]:
        node = subject.removeprefix("node/")
        if signs.mains.get(node) or (standing and node in cut):
            end_fault(desk, subject, code)


def _look_at_outage(desk: Desk, signs: Signs, cut: set[str], off: dict[str, int]) -> None:
    alive = [node for node in cut if _is_heard(desk, signs, node)]
    if len(cut) < desk.policy.times.outage_nodes or not alive:
        if _is_back(desk, signs):
            end_fault(desk, *OUTAGE)
        return
    if OUTAGE not in desk.state.fault_of:
        if desk.now.utc_ms - min(off[node] for node in cut) < desk.policy.times.beat_s * 1000:
            return
        raise_fault(desk, *OUTAGE, tell=False)
    fault = desk.state.fault_of[OUTAGE]
    known = desk.state.outages.blocks.get(fault, {})
    spread = tuple(sorted({desk.network.block_of(node) for node in cut} - known.keys()))
    if spread:
        desk.record(Chain.OPEN, OutageSpread(fault, spread))
    told, reached = desk.state.outages.told.get(fault, 0), len(desk.state.outages.blocks[fault])
    if not told:
        tell_standing(desk, *OUTAGE, "FAULT")
    elif reached >= max(2 * told, told + GREW_BY):
        tell_standing(desk, *OUTAGE, "FAULT_GREW")


def _is_back(desk: Desk, signs: Signs) -> bool:
    """Whether some node that the power cut had reached has mains: batteries that run empty end no power cut."""
    blocks = desk.state.outages.blocks.get(desk.state.fault_of.get(OUTAGE, ""), {})
    reached = [node for block in blocks for node in desk.network.nodes_of(block)]
    return not reached or any(signs.mains.get(node) and _is_heard(desk, signs, node) for node in reached)


def _is_heard(desk: Desk, signs: Signs, node: str) -> bool:
    times = desk.policy.times
    return desk.at_ms - signs.heard_at_ms.get(node, 0) < times.late_beats * times.beat_s * 1000


def _cut(desk: Desk, signs: Signs, off: dict[str, int]) -> set[str]:
    """Those that are without mains together with others. Who was told to be unplugged stays so until it has mains."""
    have = Counter(desk.network.block_of(node) for node, mains in signs.mains.items() if mains and _is_heard(desk, signs, node))
    lack = Counter(desk.network.block_of(node) for node in off)
    in_order = sorted(off.values())
    found = set()
    for node, since_ms in off.items():
        unplugged = desk.state.fault_of.get((f"node/{node}", UNPLUGGED))
        if unplugged is not None and desk.state.faults[unplugged].notices:
            continue
        near = desk.network.blocks_near(desk.network.block_of(node))
        lacking, having = sum(lack[block] for block in near) - 1, sum(have[block] for block in near)
        if not lacking and not having:
            lacking, having = len(off) - 1, sum(have.values())
        if (lacking and lacking >= having) or _together(in_order, since_ms) >= desk.policy.times.outage_nodes:
            found.add(node)
    return found


def _together(in_order: list[int], since_ms: int) -> int:
    """How many lost it within the minute around this moment."""
    return bisect_right(in_order, since_ms + TOGETHER_MS) - bisect_left(in_order, since_ms - TOGETHER_MS)


def _since_ms(desk: Desk, signs: Signs, node: str) -> int:
    """Since when it is without mains (UTC): longer than this life of the gateway knows, where that is on record."""
    heard_ms = signs.mains_off_utc_ms.get(node, desk.now.utc_ms)
    unplugged = desk.state.fault_of.get((f"node/{node}", UNPLUGGED))
    return min(heard_ms, desk.state.faults[unplugged].raised_at_ms) if unplugged is not None else heard_ms
