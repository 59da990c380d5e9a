"""Whether a press reaches anybody: each block's buttons, at each moment of the coming week at which other people are on duty.

It asks what the rules ask at night (`rings.on_ring`, `police.lines`), before anybody has pressed.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from controller.registry import Role
from controller.rules.calling import police
from controller.rules.calling.rings import on_ring
from controller.rules.desk import Network
from controller.rules.policy_kinds import TAMPER, TEST, Kind, Police
from controller.rules.telling import Way, ways

DAYS: Final = 7
BLOCKS_NAMED: Final = 3
"""So many blocks stand in one case's words; of more their number."""
SPANS_NAMED: Final = 3


class Press(NamedTuple):
    """A press that somebody could make. excluded: whom it must never reach. verified_first: the police wait until somebody says that it is real."""

    block: str
    kind: str
    excluded: frozenset[str]
    verified_first: bool = False


class Case(NamedTuple):
    """Presses that reach nobody. spans: when in the coming week (UTC ms, the end outside); empty: at any time.

    by_exclusion: they would, but for the exclusions. why: in words.
    """

    kind: str
    blocks: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    by_exclusion: bool
    why: str


def unreached(network: Network, from_ms: int, days: int = DAYS, *, first: Collection[tuple[str, str]] = ()) -> list[Case]:
    """Every case in which a press that a block of the zone can make reaches nobody, from `from_ms` on for so many days.

    first: the inputs, by node and name, that are verified first.
    """
    found: dict[tuple[str, tuple[tuple[int, int], ...], bool, str], list[str]] = {}
    moments: list[int] = []
    for press in presses(network, first):
        if _always(network, press):
            continue
        moments = moments or changes(network, from_ms, days)
        spans = _spans(network, press, moments)
        if spans:
            at_ms = spans[0][0]
            by_exclusion = bool(press.excluded) and bool(reached(network, press._replace(excluded=frozenset()), at_ms))
            always = spans == ((moments[0], moments[-1]),)
            key = press.kind, () if always else spans, by_exclusion, why(network, press)
            found.setdefault(key, []).append(press.block)
    return [Case(kind, tuple(dict.fromkeys(blocks)), spans, by_exclusion, said) for (kind, spans, by_exclusion, said), blocks in found.items()]


def presses(network: Network, first: Collection[tuple[str, str]] = ()) -> list[Press]:
    """What can be pressed in the zone: its inputs' kinds, what a hand that is forced says with them, and what nodes send by themselves."""
    found: dict[Press, None] = {}
    policy = network.policy
    for (node, name), one in sorted(network.registry.inputs.items()):
        block = network.block_of(node)
        excluded = network.excludes(node, name)
        silent = one.kind in policy.kinds and policy.is_silent(one.kind)
        found[Press(block, one.kind, excluded if silent else frozenset(), not silent and (node, name) in first)] = None
        if not silent and one.kind != TEST:
            found[Press(block, policy.forced, excluded)] = None
        found[Press(block, TAMPER, frozenset())] = None
    return list(found)


def reached(network: Network, press: Press, at_ms: int) -> list[Way]:
    """Whom a press at `at_ms` reaches first: the first ring that has anybody, and the police where they are told at once."""
    kind = network.policy.kind(press.kind)
    if press.kind == TEST:
        return ways(network.members_with(kind.steps[0].roles), kind.steps[0].channels)
    found = _police(network, kind, press)
    told = {way.member for way in found}
    for place in range(len(kind.steps)):
        fresh = [way for way in on_ring(network, kind, press.block, place, at_ms, press.excluded) if way.member not in told]
        if fresh:
            return [*found, *fresh]
    return found


def in_words(case: Case, network: Network) -> str:
    """The case as somebody can act on it, e.g. `zone z3, block b17, violence, Sat 02:00-06:00: nobody: ...`."""
    more = len(case.blocks) - BLOCKS_NAMED
    blocks = ", ".join(case.blocks[:BLOCKS_NAMED]) + (f" and {more} more" if more > 0 else "")
    where = f", block{'s' if len(case.blocks) > 1 else ''} {blocks}" if blocks else ""
    return (f"zone {network.registry.zone.id}{where}, {case.kind}, "
            f"{_when(case.spans, network)}: nobody: {case.why}")


def why(network: Network, press: Press) -> str:
    """Why it reaches nobody, step by step."""
    kind = network.policy.kind(press.kind)
    said: dict[str, None] = {}
    for step in kind.steps[:1] if press.kind == TEST else kind.steps:
        named = " or ".join(step.roles)
        said[_why_not(network, press, step.roles, step.channels) or f"no {named} is on duty for the block then"] = None
    if press.verified_first:
        said["one of its inputs is verified first, so the police wait"] = None
    elif kind.police is Police.IMMEDIATELY:
        said[_why_not(network, press, network.policy.police.roles, network.policy.police.channels)] = None
    return "; ".join(said)


def _why_not(network: Network, press: Press, roles: Sequence[Role], channels: Sequence[str]) -> str:
    """Empty: there is somebody, who is not on duty."""
    named = " or ".join(roles)
    members = network.members_with(roles)
    left = [member for member in members if member.id not in press.excluded]
    if not members:
        return f"no member is {named}"
    if not left:
        return f"everybody who is {named} is excluded"
    if not ways(left, channels):
        return f"no member who is {named} has a contact by {' or '.join(channels)}"
    return ""


def _police(network: Network, kind: Kind, press: Press) -> list[Way]:
    if kind.police is not Police.IMMEDIATELY or press.verified_first:
        return []
    members = network.registry.members
    return [way for way in police.lines(network)
            if not kind.silent or (way.member not in press.excluded and set(members[way.member].roles) & set(kind.circle))]


def _always(network: Network, press: Press) -> bool:
    """Whether it reaches somebody whoever is on duty: most do, and nothing need be asked about the week."""
    kind = network.policy.kind(press.kind)
    if _police(network, kind, press):
        return True
    steps = kind.steps[:1] if press.kind == TEST else [step for step in kind.steps if not step.on_duty or step is kind.steps[-1]]
    return any(ways((m for m in network.members_with(step.roles) if m.id not in press.excluded), step.channels) for step in steps)


def _spans(network: Network, press: Press, moments: Sequence[int]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for began, ended in pairwise(moments):
        if not reached(network, press, began):
            if spans and spans[-1][1] == began:
                spans[-1] = spans[-1][0], ended
            else:
                spans.append((began, ended))
    return tuple(spans)


def changes(network: Network, from_ms: int, days: int) -> list[int]:
    """`from_ms`, each moment after it at which a turn begins or ends, and the end."""
    until_ms = from_ms + days * 86_400_000
    edges = {int(edge.timestamp() * 1000) for turn in network.roster.turns(from_ms, until_ms) for edge in (turn.starts, turn.ends)}
    return sorted({from_ms, until_ms, *(at_ms for at_ms in edges if from_ms < at_ms < until_ms)})


def _when(spans: Iterable[tuple[int, int]], network: Network) -> str:
    named = list(spans)
    if not named:
        return "at any time"
    parts = []
    for began, ended in named[:SPANS_NAMED]:
        first, last = _moment(began, network), _moment(ended, network)
        parts.append(f"{first}-{last.removeprefix(first[:4])}")
    more = len(named) - SPANS_NAMED
    return ", ".join(parts) + (f" and {more} more times" if more > 0 else "")


def _moment(at_ms: int, network: Network) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, network.registry.district.tz)
    return f"{_DAYS[at.weekday()]} {at:%H:%M}"


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
