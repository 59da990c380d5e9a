"""Signs of life, and what needs mending: each fault has a beginning, one telling, and an end."""

from collections.abc import Iterable
from typing import Final

from controller.entries import (
    BadMessageKept,
    Chain,
    FaultEnded,
    FaultRaised,
    NodeAskedRecorded,
    NodeCame,
    NodeWent,
    NoticeQueued,
    NoticesQueued,
    OrderAnswered,
)
from controller.messages import Answer, InputSettings, Kept, NodeFault, Receipt, Settings
from controller.registry import Member
from controller.rules import codes
from controller.rules.desk import Desk
from controller.rules.effects import GiveReceipt, QueueNotice, SendDown
from controller.rules.escalation import FAULTS, _ways
from controller.rules.inputs import BadMessageCame, BadMessageSort, NodeAsked, NodeBeat, NodeDone, NodeOnline, PartFailed, PartRecovered

MISSED_BEATS: Final = 3
FLAP_MS: Final = 900_000
"""A fault that comes back so soon is not told again."""
BROKER: Final = ("gateway/broker", "down")
MANY: Final = 3
"""So many nodes late in one look, and at least half of all: one fault of the zone."""
BAD_A_MINUTE: Final = 10
"""Bad messages of one sort from one sender that are each recorded; more are counted."""
URGENT: Final = frozenset({"cannot-commit", "down", "no-answer", "hung", "unplugged", "no-network", "sim", "nobody-to-tell", "rules-failed"})
_OURS: Final = frozenset({"late", "two-devices-one-name", "unreadable-messages", "same-number-two-presses"})
"""Faults of a node that the gateway sees, not the node."""
_RECEIPTED: Final = frozenset({BadMessageSort.UNREADABLE, BadMessageSort.TOO_BIG})


class Signs:
    """What was heard of nodes in this life of the gateway. Telemetry: not in the journal, not replayed."""

    def __init__(self) -> None:
        self.heard_at_ms: dict[str, int] = {}
        """Node -> its last sign of life, steady ms."""
        self.heard_utc_ms: dict[tuple[str, str], int] = {}
        """(node, boot) -> the same, UTC."""
        self.faults: dict[str, tuple[NodeFault, ...]] = {}
        self.bad: dict[tuple[str, str], tuple[int, int, int]] = {}
        """(node, sort) -> the minute, how many in it, how many of them were only counted."""
        self.look_at_ms = 0


def online(desk: Desk, signs: Signs, event: NodeOnline) -> None:
    """A birth or a will."""
    node, said = event.node, event.online
    life = desk.state.nodes[node]
    if not said.online:
        if said.boot == life.boot and not life.gone:
            desk.record(Chain.OPEN, NodeWent(node, said.boot))
        return
    if said.boot != life.boot:
        if said.boot in life.boots:
            if event.retained:
                return
            raise_fault(desk, f"node/{node}", "two-devices-one-name")
        previous = life.boot
        desk.record(Chain.OPEN, NodeCame(
            node, said.boot, said.firmware[:40], said.settings_rev, previous, signs.heard_utc_ms.get((node, previous), 0),
            machine_restarted=int(said.machine_restarted),  # type: ignore[arg-type]  # a flag is 0 or 1
        ))
    elif life.gone:
        desk.record(Chain.OPEN, NodeCame(node, said.boot, said.firmware[:40], said.settings_rev, said.boot, machine_restarted=0))
    _heard(desk, signs, node, said.boot)
    bring_up_to_date(desk, node, said.settings_rev)
    desk.light_node(node)


def beat(desk: Desk, signs: Signs, event: NodeBeat) -> None:
    """A sign of life."""
    node, said = event.node, event.beat
    life = desk.state.nodes.get(node)
    if life is not None and life.boot and said.boot != life.boot and said.boot in life.boots and not life.gone:
        raise_fault(desk, f"node/{node}", "two-devices-one-name")
    _heard(desk, signs, node, said.boot)
    if signs.faults.get(node, ()) != said.faults:
        _faults(desk, signs, node, said.faults)
    if life is None or said.boot != life.boot:
        return
    if life.gone:
        desk.record(Chain.OPEN, NodeCame(node, said.boot, settings_rev=said.settings_rev, previous=said.boot, machine_restarted=0))
    if said.settings_rev < desk.state.settings_rev:
        bring_up_to_date(desk, node, said.settings_rev)
    if said.incident_rev < desk.light_rev(node):
        desk.light_node(node)


def asked(desk: Desk, signs: Signs, event: NodeAsked) -> None:
    """A tap at rest: is somebody there tonight?"""
    node, ask = event.node, event.ask
    _heard(desk, signs, node, ask.boot)
    why = next((fault.code for fault in desk.state.faults.values() if fault.code in URGENT or fault.subject == f"node/{node}"), "")
    desk.record(Chain.OPEN, NodeAskedRecorded(node, ask.boot, ask.input, int(not why), why))  # type: ignore[arg-type]  # a flag is 0 or 1
    desk.then(SendDown(node, Answer(ask.boot, ask.id, not why, why)))


def done(desk: Desk, signs: Signs, event: NodeDone) -> None:
    """What a node made of an order."""
    said = event.done
    _heard(desk, signs, event.node, said.boot)
    desk.record(Chain.OPEN, OrderAnswered(event.node, said.id[:80], int(said.done), said.why[:200]))  # type: ignore[arg-type]  # a flag is 0 or 1


def bad_message(desk: Desk, signs: Signs, event: BadMessageCame) -> None:
    """Record what cannot be used; past a rate, count it. What blocks an authentic node's queue is receipted."""
    minute = desk.at_ms // 60_000
    key = (event.node, event.sort.value)
    when, count, only_counted = signs.bad.get(key, (minute, 0, 0))
    if when != minute:
        count = 0
    if count >= BAD_A_MINUTE:
        signs.bad[key] = minute, count + 1, only_counted + 1
        return
    signs.bad[key] = minute, count + 1, 0
    desk.record(Chain.OPEN, BadMessageKept(event.sort.value, event.topic, event.digest, event.size, event.why, event.node, only_counted))
    if event.sort in _RECEIPTED:
        desk.then(GiveReceipt(event.node, Receipt(event.digest, Kept.UNREADABLE)))
        raise_fault(desk, f"node/{event.node}", "unreadable-messages")


def part_failed(desk: Desk, event: PartFailed) -> None:
    """A part of the gateway has a fault."""
    raise_fault(desk, event.subject, event.code, event.detail)


def part_recovered(desk: Desk, signs: Signs, event: PartRecovered) -> None:
    """It works again."""
    if (event.subject, event.code) == BROKER:
        # Nodes need a moment to find the broker again, too.
        for node in signs.heard_at_ms:
            signs.heard_at_ms[node] = desk.at_ms
    end_fault(desk, event.subject, event.code)


def look(desk: Desk, signs: Signs) -> None:
    """Look who is late. Every so often; sets when to look again."""
    signs.look_at_ms = desk.at_ms + desk.policy.times.beat_s * 1000
    if BROKER in desk.state.fault_of:
        return
    late_after_ms = MISSED_BEATS * desk.policy.times.beat_s * 1000
    late = [node for node, heard in signs.heard_at_ms.items() if desk.at_ms - heard > late_after_ms and node in desk.registry.nodes]
    fresh = [node for node in late if (f"node/{node}", "late") not in desk.state.fault_of]
    if len(late) >= MANY and 2 * len(late) >= len(signs.heard_at_ms):
        raise_fault(desk, "zone/nodes", "many-late", f"{len(late)} of {len(signs.heard_at_ms)} nodes")
        return
    end_fault(desk, "zone/nodes", "many-late")
    for node in fresh:
        raise_fault(desk, f"node/{node}", "late")


def start(desk: Desk, signs: Signs) -> None:
    """After a start every node that is known has three beats' grace."""
    for node, life in desk.state.nodes.items():
        if life.boot:
            signs.heard_at_ms[node] = desk.at_ms
    for (subject, code) in list(desk.state.fault_of):
        # A part of the gateway starts well and says so when it is not.
        if subject.split("/")[0] in {"gateway", "modem", "receiver"}:
            end_fault(desk, subject, code)
    signs.look_at_ms = desk.at_ms + MISSED_BEATS * desk.policy.times.beat_s * 1000


def raise_fault(desk: Desk, subject: str, code: str, detail: str = "", *, secret: bool = False) -> None:
    """Put it on record and tell who mends it, unless it is known already or was told just now.

    secret: about a silent press; it is recorded in the sealed chain and nobody outside the circle is told.
    """
    if (subject, code) in desk.state.fault_of:
        return
    fault = codes.fault_id(desk.zone, subject, code, desk.now.utc_ms)
    told_at_ms = desk.state.fault_told_at_ms.get((subject, code))
    desk.record(Chain.SEALED if secret else Chain.OPEN, FaultRaised(fault, subject, code, detail[:200]))
    if secret or (told_at_ms is not None and desk.now.utc_ms - told_at_ms < FLAP_MS):
        return
    to = desk.policy.faults_to
    members = desk.registry.members_with(to.urgent_roles if code in URGENT else to.roles)
    tell_members(desk, members, "fault", "FAULT", fault, to.channels, fault=fault, subject=subject, code=code)


def end_fault(desk: Desk, subject: str, code: str) -> None:
    """It is mended; who was told is not told again."""
    fault = desk.state.fault_of.get((subject, code))
    if fault is not None:
        desk.record(Chain.OPEN, FaultEnded(fault))


def tell_members(
    desk: Desk, members: Iterable[Member], template: str, reason: str, ident: str, channels: Iterable[str], fault: str = "", **about: str
) -> None:
    """Queue a notice that is about no incident; `ident` begins the notices' ids."""
    notices = tuple(
        NoticeQueued(f"{ident}-{n}", member, channel, template, reason, FAULTS, desk.state.numbers.get((member, channel, Chain.OPEN), 0) + 1, about)
        for n, (member, channel) in enumerate(_ways(members, tuple(channels)), 1)
    )
    if notices:
        desk.record(Chain.OPEN, NoticesQueued(notices, fault=fault))
        for notice in notices:
            desk.then(QueueNotice(notice, fault=fault))


def settings_for(desk: Desk, node: str, boot: str) -> Settings:
    """What the registry and the policy say of a node."""
    times = desk.policy.times
    inputs = {one.input: InputSettings(one.kind) for one in desk.registry.inputs_of(node) if one.kind in desk.policy.kinds}
    return Settings(boot, max(1, desk.state.settings_rev), desk.policy.node_kinds, inputs, times.siren_s, times.beat_s, reopen_s=times.reopen_s)


def bring_up_to_date(desk: Desk, node: str, settings_rev: int) -> None:
    """Send a node its settings when those it has are behind."""
    life = desk.state.nodes[node]
    if node in desk.registry.nodes and settings_rev < max(1, desk.state.settings_rev) and life.boot:
        desk.then(SendDown(node, settings_for(desk, node, life.boot)))


def _heard(desk: Desk, signs: Signs, node: str, boot: str) -> None:
    signs.heard_at_ms[node] = desk.at_ms
    signs.heard_utc_ms[node, boot] = desk.now.utc_ms
    if desk.state.faults and (f"node/{node}", "late") in desk.state.fault_of:
        end_fault(desk, f"node/{node}", "late")


def _faults(desk: Desk, signs: Signs, node: str, said: tuple[NodeFault, ...]) -> None:
    before = {_code(fault) for fault in signs.faults.get(node, ())}
    if node not in signs.faults:
        before |= {code for subject, code in desk.state.fault_of if subject == f"node/{node}" and code not in _OURS}
    now = {_code(fault) for fault in said}
    signs.faults[node] = said
    for code in sorted(now - before):
        raise_fault(desk, f"node/{node}", code)
    for code in sorted(before - now):
        end_fault(desk, f"node/{node}", code)


def _code(fault: NodeFault) -> str:
    return fault.code if fault.subject == "node" else f"{fault.code}:{fault.subject}"
