"""What a zone's rules stand on at a moment, one chain of it: what is open, what is due, what waits to be told, what is broken.

The living process and a replay of its journal give the same. Ids only.
"""

from collections.abc import Iterator

from msgspec import Struct

from controller.entries import Chain
from controller.rules.incident import Incident
from controller.rules.remembered import Notice
from controller.rules.state import ZoneState


class OpenIncident(Struct, frozen=True, omit_defaults=True):
    """An incident that is not over. due_at_ms: when its next step is due (UTC)."""

    id: str
    block: str
    kind: str
    code: str
    state: str
    opened_at_ms: int
    step: int
    due_at_ms: int | None
    presses: int
    takers: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    cancelled: bool = False
    drill: bool = False
    late: bool = False


class PendingNotice(Struct, frozen=True, omit_defaults=True):
    """A notice that is still to be tried. about: the incident or the fault, if it is about one. due_at_ms: 0: at once.

    held: it waits for a summary, and goes out with that.
    """

    id: str
    member: str
    channel: str
    template: str
    reason: str
    about: str = ""
    attempt: int = 1
    due_at_ms: int = 0
    held: bool = False


class RunningTimer(Struct, frozen=True, omit_defaults=True):
    """What rings beside the incidents' steps. subject: an incident, an exercise, a block: what the timer's name is about."""

    timer: str
    subject: str
    due_at_ms: int


class Pending(Struct, frozen=True, omit_defaults=True):
    """Something else that is under way or stays until somebody ends it.

    what: `canary`, `walk`, `exercise`, `order` (a member's, that no node has answered), `verify-first`, `summaries` (a storm).
    until_at_ms: when it ends by itself, or begins; 0: it does not.
    """

    what: str
    subject: str = ""
    until_at_ms: int = 0
    detail: str = ""


class StandingFault(Struct, frozen=True, omit_defaults=True):
    """Something that needs mending."""

    id: str
    subject: str
    code: str
    raised_at_ms: int
    detail: str = ""


class NodeSeen(Struct, frozen=True, omit_defaults=True):
    """A node's present life. test_mode_since_ms: when it went into test mode, 0: it is not."""

    node: str
    boot: str
    came_at_ms: int
    gone: bool = False
    test_mode_since_ms: int = 0


class Picture(Struct, frozen=True):
    """One chain's part of a zone's state."""

    chain: Chain
    registry: str
    policy: str
    incidents: tuple[OpenIncident, ...]
    notices: tuple[PendingNotice, ...]
    faults: tuple[StandingFault, ...]
    nodes: tuple[NodeSeen, ...]
    timers: tuple[RunningTimer, ...]
    pending: tuple[Pending, ...]


def picture(state: ZoneState, chain: Chain) -> Picture:
    """The state as `chain` has it; the nodes' lives, and what is pending beside incidents and timers, are the open chain's."""
    standing = state.fault_of if chain is Chain.OPEN else state.sealed_faults
    return Picture(
        chain, state.registry, state.policy,
        tuple(_incident(one) for one in state.incidents.values() if one.is_open and one.chain is chain),
        tuple(_notice(one) for one in state.unsent() if one.chain is chain),
        tuple(StandingFault(one.id, one.subject, one.code, one.raised_at_ms, one.detail) for one in map(state.faults.__getitem__, standing.values())),
        tuple(_node(state, node) for node in sorted(state.nodes) if chain is Chain.OPEN),
        tuple(sorted((RunningTimer(*key, one.due_at_ms) for key, one in state.timers.running.items() if one.chain is chain), key=_by_time)),
        tuple(_pending(state)) if chain is Chain.OPEN else (),
    )


def _by_time(one: RunningTimer) -> tuple[int, str, str]:
    return one.due_at_ms, one.timer, one.subject


def _pending(state: ZoneState) -> Iterator[Pending]:
    canary = state.canaries.running
    if canary is not None:
        yield Pending("canary", f"node/{canary.node}", canary.due_at_ms, "lacks " + " ".join(canary.lacks))
    for block, walk in sorted(state.walked.running.items()):
        yield Pending("walk", f"block/{block}", detail=f"by {walk.body.by}")
    for ident, one in sorted(state.drills.planned.items()):
        how = "going on" if one.going_on else "planned" if one.confirmed else "not confirmed"
        yield Pending("exercise", ident, one.body.starts_at_ms, f"{how}, {one.body.block or one.body.scope}, by {one.body.by}")
    for ident, order in sorted(state.orders_by.items()):
        yield Pending("order", f"node/{order.body.node}", detail=f"{ident}, by {order.body.by}")
    for (node, name), first in sorted(state.suspicions.first.items()):
        yield Pending("verify-first", f"input/{node}.{name}", first.until_at_ms, f"{first.cause}, by {first.by}")
    if state.storm.on:
        yield Pending("summaries", detail=f"{len(state.storm.held)} calls wait")


def _incident(one: Incident) -> OpenIncident:
    return OpenIncident(
        one.id, one.block, one.kind, one.code, one.state.value, one.opened_at_ms, one.step, one.due_at_ms, len(one.presses), tuple(one.takers),
        tuple(one.present), one.cancelled, one.drill, one.late)


def _notice(one: Notice) -> PendingNotice:
    queued = one.queued
    return PendingNotice(queued.id, queued.member, queued.channel, queued.template, queued.reason, one.incident or one.fault, one.attempt,
                         one.due_at_ms, bool(queued.held))


def _node(state: ZoneState, node: str) -> NodeSeen:
    life, test = state.nodes[node], state.test_modes.get(node)
    return NodeSeen(node, life.boot, life.came_at_ms, life.gone, test.at_ms if test is not None else 0)
