"""What a press becomes: when it was pressed, what it means, which incident it belongs to."""

from typing import Final, NamedTuple

from controller.entries import Chain, IncidentJoined, IncidentMoved, IncidentNoted, IncidentOpened, PressRecorded
from controller.messages import PRESS_EXPIRY_S, Gesture, Kept, PressRef, Receipt
from controller.rules import codes, escalation, supervision
from controller.rules.desk import Desk
from controller.rules.effects import GiveReceipt
from controller.rules.incident import LOOK, Happening, Incident, step
from controller.rules.inputs import PressArrived
from controller.rules.policy import TAMPER, TEST, Kind, Police

EXPIRY_MS: Final = PRESS_EXPIRY_S * 1000
ROUNDING_MS: Final = 1000
"""The broker counts a message's wait in whole seconds."""
AHEAD_MS: Final = 5_000
"""How much longer than its boot's known life an age may be: clocks and rounding."""


class Dated(NamedTuple):
    """The interval in which it was pressed (UTC ms), and why its age could not be used."""

    from_ms: int
    to_ms: int
    age_refused: str


def arrived(desk: Desk, event: PressArrived) -> None:
    """Record it, receipt it, and set going what it calls for. No press is refused, whatever is wrong with it."""
    press = event.press
    dated = date(desk, event)
    late = desk.now.utc_ms - dated.to_ms > desk.policy.times.late_after_s * 1000
    chain = _chain(desk, event)
    if event.conflicts_with:
        supervision.raise_fault(desk, f"node/{event.node}", "same-number-two-presses", secret=chain is Chain.SEALED)
    sort, incident = _meaning(desk, event, chain, dated, late)
    desk.record(chain, PressRecorded(
        event.node, press.boot, press.seq, press.input, press.kind, _shown(press.gesture), event.digest, dated.from_ms, dated.to_ms,
        sort, incident.id if incident is not None else "", drill=int(press.drill), late=int(late),  # type: ignore[arg-type]  # a flag is 0 or 1
        refers_to=_text(press.refers_to), conflicts_with=event.conflicts_with, age_refused=dated.age_refused,
    ))
    desk.then(GiveReceipt(event.node, Receipt(event.digest, Kept.RECORDED, press.boot, press.seq)))
    match sort:
        case "opens":
            _open(desk, event, chain, dated, late=late)
        case "joins" if incident is not None:
            _join(desk, event, incident)
        case "cancels" if incident is not None:
            _cancel(desk, event, incident)
            if press.gesture is Gesture.FORCED_CANCEL:
                _open(desk, event, Chain.SEALED, dated, late=late, kind=desk.policy.forced)
        case "came" if incident is not None:
            desk.record(chain, IncidentNoted(incident.id, "block", "came"))
        case "reopens" if incident is not None:
            _reopen(desk, event, incident)
        case "test":
            _test(desk, event)


def date(desk: Desk, event: PressArrived) -> Dated:
    """When it was pressed, as promise 9 has it.

    With an age: that long ago, and up to the broker's rounding earlier. Without one: between the last sign of life of its
    boot and the birth of the next one.
    """
    now, refused = desk.now.utc_ms, event.age_refused
    life = desk.state.nodes.get(event.node)
    boots = life.boots if life is not None else {}
    came = boots.get(event.press.boot)
    to_ms = now - event.waited_ms
    if event.age_ms is not None:
        pressed = to_ms - event.age_ms
        return Dated(pressed - (ROUNDING_MS if event.waited_ms else 0), pressed, refused)
    following = [at_ms for boot, at_ms in boots.items() if came is not None and at_ms > came and boot != event.press.boot]
    to_ms = min([to_ms, *following])
    if came is None:
        # A silent boot, or one that was never announced: it ended before the life that is on now began, if it is not that one.
        from_ms = max([at_ms for at_ms in boots.values() if at_ms <= to_ms], default=to_ms - EXPIRY_MS)
        return Dated(min(from_ms, to_ms), to_ms, refused)
    heard = desk.state.nodes[event.node].last_heard_before_ms.get(event.press.boot, 0)
    return Dated(min(max(came, heard), to_ms), to_ms, refused)


def _chain(desk: Desk, event: PressArrived) -> Chain:
    """Where it is recorded: all that a secret button says is sealed."""
    press = event.press
    if desk.policy.is_silent(press.kind):
        return Chain.SEALED
    registered = desk.kind_at(event.node, press.input)
    return Chain.SEALED if press.kind == TAMPER and registered and desk.policy.is_silent(registered) else Chain.OPEN


def _meaning(desk: Desk, event: PressArrived, chain: Chain, dated: Dated, late: bool) -> tuple[str, Incident | None]:
    """What the rules make of it, and the incident it is about."""
    press = event.press
    named = _named(desk, event.node, press.refers_to, chain)
    match press.gesture:
        case Gesture.TEST:
            return "test", None
        case Gesture.CHECK_IN:
            return "check-in", None
        case Gesture.CANCEL | Gesture.FORCED_CANCEL:
            return ("cancels", named) if named is not None and named.is_open else ("notes", named)
        case Gesture.CAME:
            return ("came", named) if named is not None else ("notes", None)
        case Gesture.REOPEN:
            if named is not None and not named.is_open:
                return "reopens", named
    if press.kind == TEST:
        return "test", None
    found = _joinable(desk, event, chain, dated, late=late)
    return ("joins", found) if found is not None else ("opens", None)


def _named(desk: Desk, node: str, ref: PressRef | None, chain: Chain) -> Incident | None:
    """The incident of the press that `ref` names: this node's, or another's of its block (the light tells the node of those)."""
    if ref is None:
        return None
    entry = desk.registry.nodes.get(node)
    nodes = [one.id for one in desk.registry.nodes_of(entry.block)] if entry is not None else [node]
    for one in nodes:
        incident = desk.state.incidents.get(desk.state.by_press.get((one, ref.boot, ref.seq), ""))
        if incident is not None and incident.chain is chain:
            return incident
    return None


def _joinable(desk: Desk, event: PressArrived, chain: Chain, dated: Dated, *, late: bool) -> Incident | None:
    """The open incident of the block that this press is part of."""
    block = _block(desk, event.node)
    group = _kind(desk, event).group
    for ident in reversed(desk.state.in_block.get(block, ())):
        incident = desk.state.incidents[ident]
        if (incident.is_open and incident.chain is chain and desk.kind_of(incident).group == group and incident.drill == event.press.drill
                and (not incident.late or late) and dated.to_ms - incident.last_press_at_ms <= desk.policy.times.join_s * 1000
                and (not late or dated.to_ms >= incident.pressed_from_at_ms)
                and (chain is Chain.OPEN or desk.excluded(incident) == _excludes(desk, event.node))):
            return incident
    return None


def _open(desk: Desk, event: PressArrived, chain: Chain, dated: Dated, *, late: bool, kind: str = "") -> None:
    press = event.press
    salt = event.conflicts_with and event.digest
    ident = codes.incident_id(desk.zone, event.node, press.boot + salt + kind, press.seq)
    opened = IncidentOpened(
        ident, _block(desk, event.node), kind or press.kind, codes.incident_code(ident, desk.state.by_code), event.node, press.boot, press.seq,
        press.input, dated.from_ms, dated.to_ms, desk.registry.version, desk.policy.version,
        silent=int(chain is Chain.SEALED), drill=int(press.drill), late=int(late),  # type: ignore[arg-type]  # a flag is 0 or 1
    )
    desk.record(chain, opened)
    incident = desk.state.incidents[ident]
    escalation.sirens(desk, incident, on=True, but=event.node)
    escalation.open_rings(desk, incident)
    escalation.light(desk, incident)
    if not incident.told:
        supervision.raise_fault(desk, f"block/{incident.block}", "nobody-to-tell", secret=incident.secret)
    elif not incident.secret:
        supervision.end_fault(desk, f"block/{incident.block}", "nobody-to-tell")


def _join(desk: Desk, event: PressArrived, incident: Incident) -> None:
    press = event.press
    raised = desk.policy.kind(press.kind).rank < desk.policy.kind(incident.kind).rank
    desk.record(incident.chain, IncidentJoined(incident.id, event.node, press.boot, press.seq, press.kind if raised else ""))
    if raised:
        escalation.news(desk, incident, "raised", "RAISED", priority=desk.kind_of(incident).rank * 10)
        escalation.sirens(desk, incident, on=True, but=event.node)
    police = desk.kind_of(incident).police
    if not _police_told(desk, incident) and (police is Police.IMMEDIATELY or police is Police.AFTER_VERIFICATION):
        escalation.tell_police(desk, incident, "alarm")
    escalation.light(desk, incident)


def _police_told(desk: Desk, incident: Incident) -> bool:
    return any(desk.state.notices[n].queued.reason == "POLICE" for notices in incident.told.values() for n in notices)


def _cancel(desk: Desk, event: PressArrived, incident: Incident) -> None:
    """The block takes it back: nobody new is told, but one member still looks, since a hand may have been forced."""
    if incident.cancelled or desk.now.utc_ms - incident.pressed_to_at_ms > _kind(desk, event).cancel_s * 1000 + AHEAD_MS:
        desk.record(incident.chain, IncidentNoted(incident.id, "block", "mistake"))
        escalation.news(desk, incident, "says_mistake", "CANCELLED")
        return
    desk.record(incident.chain, IncidentNoted(incident.id, "block", "cancelled"))
    escalation.stop(desk, incident, {"FIRST", "ESCALATED", "REPEAT_DUE"})
    escalation.sirens(desk, incident, on=False)
    first = next((m for m, notices in incident.told.items() if desk.state.notices[notices[0]].queued.reason == "FIRST"), None)
    escalation.news(desk, incident, "cancelled", "CANCELLED", but=[first] if first else [])
    if first is not None:
        notice = desk.state.notices[incident.told[first][0]].queued
        escalation.tell(desk, incident, [(first, notice.channel)], "look", "CANCELLED", notice.priority)
    desk.set_step(incident, LOOK, desk.policy.times.taken_s)


def _reopen(desk: Desk, event: PressArrived, incident: Incident) -> None:
    """Held again soon after the end: it goes on, one ring wider than it began."""
    press = event.press
    desk.record(incident.chain, IncidentJoined(incident.id, event.node, press.boot, press.seq))
    desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.REOPENED), "block"))
    escalation.sirens(desk, incident, on=True, but=event.node)
    escalation.news(desk, incident, "reopened", "RAISED", priority=desk.kind_of(incident).rank * 10)
    desk.set_step(incident, min(1, len(desk.kind_of(incident).steps) - 1), 0)
    escalation.light(desk, incident)


def _test(desk: Desk, event: PressArrived) -> None:
    """A test tells the technician, as a test, and opens nothing."""
    roles = {role for one in desk.policy.kind(TEST).steps for role in one.roles}
    ident = "t" + codes.incident_id(desk.zone, event.node, event.press.boot, event.press.seq)
    supervision.tell_members(desk, desk.registry.members_with(roles), "test", "TEST", ident, desk.policy.kind(TEST).steps[0].channels,
                             block=_block(desk, event.node), node=event.node, input=event.press.input)


def _kind(desk: Desk, event: PressArrived) -> Kind:
    if event.press.kind == TAMPER and _chain(desk, event) is Chain.SEALED:
        return desk.policy.kind(desk.kind_at(event.node, event.press.input))
    return desk.policy.kind(event.press.kind)


def _block(desk: Desk, node: str) -> str:
    entry = desk.registry.nodes.get(node)
    return entry.block if entry is not None else ""


def _excludes(desk: Desk, node: str) -> frozenset[str]:
    return frozenset(name for one in desk.registry.inputs_of(node) for name in one.excludes)


def _shown(gesture: Gesture) -> str:
    """A cancel under threat is written like any other: whoever reads the open chain must not see the difference."""
    return Gesture.CANCEL.value if gesture is Gesture.FORCED_CANCEL else gesture.value


def _text(ref: PressRef | None) -> str:
    return f"{ref.boot}:{ref.seq}" if ref is not None else ""
