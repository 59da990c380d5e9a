"""When nobody is on duty whom the policy would tell: noticed before it matters, by the same roster that decides at night.

A ring asks for anybody of its roles: it has a gap while none of them is on duty. One role alone may lack while another of its ring is there.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from controller.registry import Role
from controller.rules.desk import Desk, Network
from controller.rules.mending.faults import NOBODY_ON_DUTY, end_fault, raise_fault
from controller.rules.policy import Policy
from controller.rules.policy_kinds import TEST
from controller.rules.signs import Signs

QUARTER_MS: Final = 900_000
DAY_MS: Final = 86_400_000
"""How often the coming hours are looked through."""
POLICE: Final = "police"

Span = tuple[int, int]
"""From when (UTC ms) until when, the end outside."""


class Gap(NamedTuple):
    """Nobody of `roles` is on duty for these blocks. rings: whom the policy would tell then, e.g. `panic #1`; `police`: their desk."""

    roles: tuple[Role, ...]
    blocks: tuple[str, ...]
    from_ms: int
    to_ms: int
    rings: tuple[str, ...]


def rings(policy: Policy) -> dict[tuple[Role, ...], list[str]]:
    """The rings that are told by shifts, as sets of roles that one will do of. A test is told to everybody with the role."""
    found: dict[tuple[Role, ...], list[str]] = {}
    for name, kind in policy.kinds.items():
        for place, step in enumerate(kind.steps, 1):
            if step.on_duty and name != TEST:
                found.setdefault(step.roles, []).append(f"{name} #{place}")
    return found


def gaps(network: Network, from_ms: int, to_ms: int) -> list[Gap]:
    """When a ring would find nobody on duty, in the order of the beginnings; of one that lacks in several blocks at once, one."""
    return _gaps(network, rings(network.policy), from_ms, to_ms)


def lacking_roles(network: Network, from_ms: int, to_ms: int) -> list[Gap]:
    """The same role by role, those of the police too: of the roles that have any shift in the zone, and of each that makes a ring alone."""
    wanted: dict[tuple[Role, ...], list[str]] = {}
    served = {shift.role for shift in network.registry.shifts}
    for roles, names in rings(network.policy).items():
        for role in roles:
            if role in served or len(roles) == 1:
                wanted.setdefault((role,), []).extend(names)
    for role in network.policy.police.roles:
        # A desk without shifts is there day and night.
        if role in served:
            wanted.setdefault((role,), []).append(POLICE)
    return _gaps(network, wanted, from_ms, to_ms)


def without_shifts(network: Network) -> list[Role]:
    """The roles of rings that have no shift in the zone at all, and others in their rings who have."""
    served = {shift.role for shift in network.registry.shifts}
    return list(dict.fromkeys(role for roles in rings(network.policy) if len(roles) > 1 for role in roles if role not in served))


def look(desk: Desk, signs: Signs) -> None:
    """Each quarter of an hour, and when registry or policy change: a gap of the coming hours is a fault until it is filled, one a role."""
    ahead_ms = desk.policy.times.nobody_ahead_s * 1000
    key = desk.registry.version, desk.policy.version, desk.now.utc_ms // QUARTER_MS
    if signs.roster_looked == key:
        return
    signs.roster_looked = key
    near_ms = desk.now.utc_ms + ahead_ms
    # Looked at for a day longer, so that what is told is when it ends.
    found = [gap for gap in gaps(desk.network, desk.now.utc_ms, near_ms + DAY_MS) if gap.from_ms < near_ms] if ahead_ms else []
    lacking: dict[str, Gap] = {}
    for gap in found:
        lacking.setdefault(f"roster/{gap.roles[0].value}", gap)
    for subject, code in list(desk.state.fault_of):
        if code == NOBODY_ON_DUTY and subject not in lacking:
            end_fault(desk, subject, code)
    for subject, gap in lacking.items():
        raise_fault(desk, subject, NOBODY_ON_DUTY, f"{gap.from_ms} {gap.to_ms} {', '.join(gap.rings)}: {' '.join(gap.blocks)}")


def _gaps(network: Network, wanted: dict[tuple[Role, ...], list[str]], from_ms: int, to_ms: int) -> list[Gap]:
    zone: dict[Role, list[Span]] = {}
    own: dict[tuple[str, Role], list[Span]] = {}
    for turn in network.roster.turns(from_ms, to_ms):
        span = int(turn.starts.timestamp() * 1000), int(turn.ends.timestamp() * 1000)
        for spans in [own.setdefault((block, turn.shift.role), []) for block in turn.shift.blocks] or [zone.setdefault(turn.shift.role, [])]:
            spans.append(span)
    found: list[Gap] = []
    for roles, names in wanted.items():
        open_spans = _uncovered([span for role in roles for span in zone.get(role, ())], [(from_ms, to_ms)])
        blocks_of: dict[Span, list[str]] = {}
        for block in sorted(network.registry.blocks) if open_spans else ():
            for span in _uncovered([span for role in roles for span in own.get((block, role), ())], open_spans):
                blocks_of.setdefault(span, []).append(block)
        found += [Gap(roles, tuple(blocks), *span, tuple(names)) for span, blocks in blocks_of.items()]
    return sorted(found, key=lambda gap: (gap.from_ms, gap.to_ms, gap.roles, gap.blocks))


def _uncovered(covered: Iterable[Span], within: Sequence[Span]) -> list[Span]:
    """What of `within` no span covers."""
    spans = sorted(covered)
    found: list[Span] = []
    for began, ended in within:
        edges = [(began, began)]
        edges += [(max(first, began), min(last, ended)) for first, last in spans if first < ended and last > began]
        reach = began
        for (_, last), (first, _) in pairwise([*edges, (ended, ended)]):
            reach = max(reach, last)
            if reach < first:
                found.append((reach, first))
    return found
