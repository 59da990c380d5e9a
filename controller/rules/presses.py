"""What a press becomes: what it means, which incident it belongs to, what it sets going."""

from typing import Final, Literal

from msgspec import Struct, structs

from controller.entries import BadMessageKept, Chain, IncidentJoined, IncidentMoved, IncidentNoted, IncidentOpened, PressRecorded, flag
from controller.messages import Gesture, Kept, Press, PressRef, Receipt, digest_of, encode
from controller.rules import codes, escalation
from controller.rules.calling import mutual_aid, storm
from controller.rules.console import suspicion, verification
from controller.rules.dating import Dated, date
from controller.rules.desk import Desk
from controller.rules.effects import GiveReceipt
from controller.rules.incident import LOOK, Happening, Incident, step
from controller.rules.inputs import BadMessageSort, PressArrived, PressSetAside
from controller.rules.mending import faults, idle
from controller.rules.policy_kinds import TAMPER, TEST, Kind
from controller.rules.proof import canary, drills, walk
from controller.rules.signs import Signs
from controller.rules.telling import news, priority_of, stop, tell, told_at_all

CANCEL_SLACK_MS: Final = 5_000
"""The window is counted at the node; on the way a cancel may take so much longer."""
RULES_FAILED: Final = "rules-failed"

Meaning = Literal["opens", "joins", "cancels", "came", "reopens", "check-in", "test", "canary", "notes"]


class _Case(Struct, frozen=True):
    """A press as the rules see it. kind: what it counts as; block: empty for a node that the registry does not have."""

    event: PressArrived
    chain: Chain
    kind: str
    block: str
    dated: Dated
    late: bool

    @property
    def drill(self) -> bool:
        return self.event.press.drill


def arrived(desk: Desk, signs: Signs, event: PressArrived) -> None:
    """Record it, receipt it, and set going what it calls for. No press is refused, whatever is wrong with it."""
    press = event.press
    dated = date(desk, signs, event)
    chain = _chain(desk, event)
    kind = press.kind if press.kind in desk.policy.kinds else desk.network.kind_at(event.node, press.input) or press.kind
    case = _Case(event, chain, kind, desk.network.block_of(event.node), dated,
                 late=desk.now.utc_ms - dated.to_ms > desk.policy.times.late_after_s * 1000)
    if event.conflicts_with:
        faults.seen(desk, signs, f"node/{event.node}", "same-number-two-presses", secret=chain is Chain.SEALED)
    if chain is Chain.OPEN:
        idle.pressed(desk, signs, event.node, press.input)
    meaning, incident = _meaning(desk, case)
    forced = press.gesture is Gesture.FORCED_CANCEL
    shown = event
    if forced and chain is Chain.OPEN:
        plain = _plain(press)
        shown = structs.replace(event, press=plain, digest=digest_of(encode(plain)))
    if event.conflicts_with and shown.press.gesture is Gesture.CANCEL:
        # Its number was used before, perhaps by the other of the two: what is shown of it may be on record already.
        shown = structs.replace(shown, unchecked=True)
    _record(desk, case, shown, chain, meaning, incident.id if incident is not None else _new_id(desk, case) if meaning == "opens" else "")
    desk.then(GiveReceipt(event.node, Receipt(event.digest, Kept.RECORDED, press.boot, press.seq)))
    _do(desk, case, meaning, incident)
    if forced:
        _forced(desk, case)


def set_aside(desk: Desk, signs: Signs, event: PressSetAside) -> None:
    """Record that it came and receipt it; tell whoever may know of it that somebody may be in danger there. The same again is receipted."""
    receipt = GiveReceipt(event.node, Receipt(event.digest, Kept.UNREADABLE, event.press.boot, event.press.seq))
    if desk.state.has_set_aside(event.node, event.digest):
        desk.then(receipt)
        return
    forced = event.press.gesture is Gesture.FORCED_CANCEL
    chain = _chain(desk, event)
    if forced and chain is Chain.OPEN:
        _keep(desk, signs, event, chain, digest_of(encode(_plain(event.press))))
        chain = Chain.SEALED
    _keep(desk, signs, event, chain, event.digest)
    desk.then(receipt)
    if chain is Chain.SEALED:
        at = desk.network.kind_at(event.node, event.press.input)
        kind = desk.policy.forced if forced else at if at in desk.policy.kinds else event.press.kind
        excluded = desk.network.excludes(event.node, event.press.input)
        circle = desk.policy.kind(kind).circle
        faults.tell_members(
            desk, [member for member in desk.network.members_with(circle) if member.id not in excluded], "fault", "FAULT",
            f"q{event.digest[:10]}", desk.policy.faults_to.channels, {"subject": f"node/{event.node}", "fault": RULES_FAILED}, chain=chain,
        )


def _keep(desk: Desk, signs: Signs, event: PressSetAside, chain: Chain, digest: str) -> None:
    desk.record(chain, BadMessageKept(
        BadMessageSort.UNREADABLE, f"{event.node}/up/press", digest, 0, event.why, event.node, boot=event.press.boot, seq=event.press.seq))
    faults.seen(desk, signs, f"node/{event.node}", RULES_FAILED, secret=chain is Chain.SEALED)


def _plain(press: Press) -> Press:
    """What everybody saw of a cancel under threat: whoever reads the open chain sees that, digest and all; the truth is in the sealed one."""
    return structs.replace(press, gesture=Gesture.CANCEL)


def _record(desk: Desk, case: _Case, event: PressArrived, chain: Chain, meaning: Meaning, incident: str) -> None:
    press = event.press
    desk.record(chain, PressRecorded(
        event.node, press.boot, press.seq, press.input, press.kind, press.gesture.value, event.digest, case.dated.from_ms, case.dated.to_ms,
        meaning, incident, drill=flag(press.drill), late=flag(case.late), refers_to=_text(press.refers_to),
        conflicts_with=event.conflicts_with, age_refused=case.dated.age_refused, unchecked=flag(event.unchecked),
    ))


def _do(desk: Desk, case: _Case, meaning: Meaning, incident: Incident | None) -> None:
    if meaning == "opens":
        _open(desk, case)
    elif meaning == "test" and case.chain is Chain.OPEN:
        suspicion.tried(desk, (case.event.node, case.event.press.input))
        if not walk.tested(desk, case.block):
            _test(desk, case)
    elif meaning == "canary":
        canary.arrived(desk, case.event)
    elif incident is not None:
        match meaning:
            case "joins":
                _join(desk, case, incident)
            case "cancels":
                _cancel(desk, incident)
            case "came":
                desk.record(incident.chain, IncidentNoted(incident.id, "block", "came"))
                news(desk, incident, "came", "CAME", to=incident.takers)
            case "reopens":
                _reopen(desk, case, incident)


def _chain(desk: Desk, event: PressArrived | PressSetAside) -> Chain:
    """Where it is recorded: all that a secret button says is sealed, and what is done to its wires too."""
    press = event.press
    kind = desk.network.kind_at(event.node, press.input) if press.kind == TAMPER or press.kind not in desk.policy.kinds else press.kind
    return Chain.SEALED if kind in desk.policy.kinds and desk.policy.is_silent(kind) else Chain.OPEN


def _meaning(desk: Desk, case: _Case) -> tuple[Meaning, Incident | None]:
    """What the rules make of it, and the incident it is about."""
    press = case.event.press
    if case.event.unchecked and (case.event.node, press.boot, press.seq) in desk.state.by_press:
        return "notes", desk.state.incidents.get(desk.state.by_press[case.event.node, press.boot, press.seq])
    named = _named(desk, case)
    match press.gesture:
        case Gesture.TEST:
            return "test", None
        case Gesture.CANARY:
            return "canary", None
        case Gesture.CHECK_IN:
            return "check-in", None
        case Gesture.CANCEL | Gesture.FORCED_CANCEL:
            return ("cancels", named) if named is not None and named.is_open else ("notes", named)
        case Gesture.CAME:
            return ("came", named) if named is not None and named.is_open else ("notes", named)
        case Gesture.REOPEN:
            since_ms = desk.now.utc_ms - named.moved_at_ms if named is not None else 0
            recent = not case.late and since_ms <= desk.policy.times.reopen_s * 1000
            if named is not None and not named.is_open and named.drill == case.drill and recent:
                return "reopens", named
        case Gesture.DRILL if not (case.drill and drills.runs_in(desk, case.block)):
            # It comes when the exercise is over.
            return "notes", None
    if press.kind == TEST:
        return "test", None
    found = _joinable(desk, case)
    return ("joins", found) if found is not None else ("opens", None)


def _named(desk: Desk, case: _Case) -> Incident | None:
    """The incident of the press that this one names: this node's, or another's of its block (the light tells the node of those)."""
    ref = case.event.press.refers_to
    if ref is None:
        return None
    blocks = {case.block: None} | {block: None for ident in desk.state.in_block.get(case.block, {}) for block in desk.state.incidents[ident].blocks}
    for node in [node for block in blocks for node in desk.network.nodes_of(block)] or [case.event.node]:
        incident = desk.state.incidents.get(desk.state.by_press.get((node, ref.boot, ref.seq), ""))
        if incident is not None and incident.chain is case.chain:
            return incident
    return None


def _joinable(desk: Desk, case: _Case) -> Incident | None:
    """The open incident of the block that this press is part of."""
    group = _kind(desk, case).group
    press = case.event.press
    for ident in reversed(desk.state.in_block.get(case.block, {})):
        incident = desk.state.incidents[ident]
        if (incident.is_open and incident.chain is case.chain and not incident.in_need
                and desk.kind_of(incident).group == group and incident.drill == case.drill
                and (not incident.late or case.late) and not incident.cancelled
                and _soon(case, incident) <= desk.policy.times.join_s * 1000
                and (not case.late or case.dated.to_ms >= incident.pressed_from_at_ms)
                and (case.chain is Chain.OPEN or desk.excluded(incident) == desk.network.excludes(case.event.node, press.input))):
            return incident
    return None


def _soon(case: _Case, incident: Incident) -> int:
    """How long after the incident's last press this one was made, in ms; a late one may be older.

    A fresh one that seems to be older was made after the clock was set back, and by how much nobody knows: abs().
    """
    after_ms = case.dated.to_ms - incident.last_press_at_ms
    return after_ms if case.late else abs(after_ms)


def _new_id(desk: Desk, case: _Case) -> str:
    event = case.event
    # A second body under a recorded number is another press: its incident must not take the first one's id. Nor must that of
    # a press that may have had one which is forgotten here.
    apart = event.digest if event.conflicts_with else f"{event.digest}+" if event.unchecked else ""
    return codes.incident_id(desk.zone, event.node, event.press.boot + apart, event.press.seq)


def _open(desk: Desk, case: _Case) -> None:
    press, ident, secret = case.event.press, _new_id(desk, case), case.chain is Chain.SEALED
    desk.record(case.chain, IncidentOpened(
        ident, case.block, case.kind, codes.incident_code(ident, desk.state.by_code, secret=secret), case.event.node, press.boot, press.seq,
        press.input, case.dated.from_ms, case.dated.to_ms, desk.registry.version, desk.policy.version,
        silent=flag(secret), drill=flag(case.drill), late=flag(case.late),
    ))
    incident = desk.state.incidents[ident]
    storm.opened(desk, incident)
    escalation.sirens(desk, incident, on=True, but=case.event.node)
    escalation.open_rings(desk, incident)
    mutual_aid.call(desk, incident)
    escalation.light(desk, incident)
    if not incident.told:
        faults.raise_fault(desk, f"block/{incident.block}", "nobody-to-tell", secret=secret)
    elif not secret:
        faults.end_fault(desk, f"block/{incident.block}", "nobody-to-tell")


def _join(desk: Desk, case: _Case, incident: Incident) -> None:
    """It updates the incident and tells nobody again, but whoever the more serious kind calls for in the first place."""
    press = case.event.press
    raised = desk.policy.kind(case.kind).rank < desk.kind_of(incident).rank
    desk.record(incident.chain, IncidentJoined(incident.id, case.event.node, press.boot, press.seq, case.kind if raised else ""))
    if raised:
        escalation.sirens(desk, incident, on=True, but=case.event.node)
        news(desk, incident, "raised", "RAISED", priority=priority_of(desk, incident, 0))
        fresh = [way for way in escalation.ring(desk, incident, 0) if not told_at_all(desk, incident, way[0])]
        tell(desk, incident, fresh, "alarm", "FIRST", priority_of(desk, incident, 0))
        mutual_aid.call(desk, incident)
    verification.pressed_again(desk, incident, case.event.node, press.input)
    escalation.light(desk, incident)


def _cancel(desk: Desk, incident: Incident) -> None:
    """The block takes it back: nobody new is told, but one member still looks, since a hand may have been forced."""
    window_ms = desk.kind_of(incident).cancel_s * 1000 + CANCEL_SLACK_MS
    if incident.cancelled or abs(desk.now.utc_ms - incident.last_press_at_ms) > window_ms:
        desk.record(incident.chain, IncidentNoted(incident.id, "block", "mistake"))
        news(desk, incident, "says_mistake", "CANCELLED")
        return
    desk.record(incident.chain, IncidentNoted(incident.id, "block", "cancelled"))
    stop(desk, incident, {"FIRST", "ESCALATED", "REPEAT_DUE"})
    escalation.sirens(desk, incident, on=False)
    looker = escalation.looker(desk, incident) if not incident.takers else None
    news(desk, incident, "cancelled", "CANCELLED", but=[looker.member] if looker is not None else [])
    if incident.takers:
        # Whoever goes already is the one who looks.
        desk.set_step(incident, LOOK, desk.policy.times.taken_s)
    else:
        escalation.look(desk, incident)


def _reopen(desk: Desk, case: _Case, incident: Incident) -> None:
    """Held again soon after the end: it goes on, one ring wider than it was."""
    press = case.event.press
    desk.record(incident.chain, IncidentJoined(incident.id, case.event.node, press.boot, press.seq))
    desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.REOPENED), "block"))
    escalation.sirens(desk, incident, on=True, but=case.event.node)
    escalation.reopened(desk, incident)


def _forced(desk: Desk, case: _Case) -> None:
    """Taken back under threat: the silent circle is told, whatever was or was not taken back."""
    silent = structs.replace(case, chain=Chain.SEALED, kind=desk.policy.forced)
    found = _joinable(desk, silent)
    if case.chain is Chain.OPEN:
        meaning: Meaning = "joins" if found is not None else "opens"
        _record(desk, silent, case.event, Chain.SEALED, meaning, found.id if found is not None else _new_id(desk, silent))
    if found is not None:
        _join(desk, silent, found)
    else:
        _open(desk, silent)


def _test(desk: Desk, case: _Case) -> None:
    """A test tells whoever the policy names, as a test, and opens nothing."""
    one = desk.policy.kind(TEST).steps[0]
    faults.tell_members(
        desk, desk.network.members_with(one.roles), "test", "TEST", f"t{_new_id(desk, case)}", one.channels,
        {"block": case.block, "kind": TEST, "drill": "1", "subject": f"node/{case.event.node}",
         "input": case.event.press.input},
    )


def _kind(desk: Desk, case: _Case) -> Kind:
    if case.kind == TAMPER and case.chain is Chain.SEALED:
        return desk.policy.kind(desk.network.kind_at(case.event.node, case.event.press.input))
    return desk.policy.kind(case.kind)


def _text(ref: PressRef | None) -> str:
    return f"{ref.boot}:{ref.seq}" if ref is not None else ""
