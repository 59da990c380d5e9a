"""What a zone's rules stand on at a moment, one chain of it: what is open, what is due, what waits to be told, what is broken.

The living process and a replay of its journal give the same. Ids only.
"""

from msgspec import Struct

from controller.entries import Chain
from controller.rules.incident import Incident
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
    """A notice that is still to be tried. about: the incident or the fault, if it is about one. due_at_ms: 0: at once."""

    id: str
    member: str
    channel: str
    template: str
    reason: str
    about: str = ""
    attempt: int = 1
    due_at_ms: int = 0


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


def picture(state: ZoneState, chain: Chain) -> Picture:
    """The state as `chain` has it; the nodes' lives are the open chain's."""
    standing = state.fault_of if chain is Chain.OPEN else state.sealed_faults
    return Picture(
        chain, state.registry, state.policy,
        tuple(_incident(one) for one in state.incidents.values() if one.is_open and one.chain is chain),
        tuple(PendingNotice(one.queued.id, one.queued.member, one.queued.channel, one.queued.template, one.queued.reason,
                            one.incident or one.fault, one.attempt, one.due_at_ms) for one in state.unsent() if one.chain is chain),
        tuple(StandingFault(one.id, one.subject, one.code, one.raised_at_ms, one.detail) for one in map(state.faults.__getitem__, standing.values())),
        tuple(_node(state, node) for node in sorted(state.nodes) if chain is Chain.OPEN),
    )


def _incident(one: Incident) -> OpenIncident:
    return OpenIncident(
        one.id, one.block, one.kind, one.code, one.state.value, one.opened_at_ms, one.step, one.due_at_ms, len(one.presses), tuple(one.takers),
        tuple(one.present), one.cancelled, one.drill, one.late)


def _node(state: ZoneState, node: str) -> NodeSeen:
    life, test = state.nodes[node], state.test_modes.get(node)
    return NodeSeen(node, life.boot, life.came_at_ms, life.gone, test.at_ms if test is not None else 0)
