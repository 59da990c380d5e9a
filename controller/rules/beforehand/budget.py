"""Whether a zone's rings can be told in the time that its policy gives them, at the pace of its channels: the arithmetic, beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from controller.registry import Member
from controller.rules.beforehand.reach import DAYS, changes, presses
from controller.rules.calling.plan import Plan, plan
from controller.rules.calling.rings import on_ring
from controller.rules.desk import Network


class Late(NamedTuple):
    """A ring that cannot be told in time. step: from 1; members: how many; block: one of those, but of a silent kind or a call to all."""

    kind: str
    step: int
    members: int
    block: str
    within_s: int
    plan: Plan

    def __str__(self) -> str:
        ring = f"block {self.block}, " if self.block else ""
        return f"{self.kind}, step #{self.step}: {ring}{self.members} members within {self.within_s} s: {self.plan}"


def late_rings(network: Network, per_minute: Mapping[str, int], from_ms: int) -> Iterator[Late]:
    """The worst case of each step that has a deadline and cannot keep it, in the week from `from_ms` on.

    Whom buttons exclude is left out of it: it would make a ring smaller, and be seen.
    """
    kinds = network.policy.kinds
    if not any(step.within_s for kind in kinds.values() for step in kind.steps):
        return
    seen: dict[tuple[str, int], Late] = {}
    pressed = list(dict.fromkeys((press.block, press.kind) for press in presses(network)))
    for n, at_ms in enumerate(changes(network, from_ms, DAYS)):
        for block, name in pressed:
            kind = network.policy.kind(name)
            for place, step in enumerate(kind.steps):
                if not step.within_s or (n and not step.on_duty):
                    continue
                ring = [network.registry.members[way.member] for way in on_ring(network, kind, block, place, at_ms, frozenset())]
                made = plan(ring, step.channels, per_minute, step.within_s, {})
                worst = seen.get((name, place))
                if made.done_s > step.within_s and (worst is None or made.done_s > worst.plan.done_s):
                    seen[name, place] = Late(name, place + 1, len(ring), "" if kind.silent else block, step.within_s, made)
    yield from seen.values()
    yield from _whole_zone(network, per_minute)


def _whole_zone(network: Network, per_minute: Mapping[str, int]) -> Iterator[Late]:
    everybody: Sequence[Member] = list(network.registry.members.values())
    for name, kind in network.policy.kinds.items():
        for place, step in enumerate(kind.steps):
            if step.everybody and step.within_s:
                made = plan(everybody, step.channels, per_minute, step.within_s, {})
                if made.done_s > step.within_s:
                    yield Late(name, place + 1, len(everybody) - len(made.out_of_reach), "", step.within_s, made)
