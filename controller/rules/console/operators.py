"""What somebody at a console does to an incident: who may do what in which state, as a table; what is impossible is refused with the reason.

Of a silent incident only its circle can do anything; to everybody else it does not exist, in the same words as one that never was.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from controller.entries import Chain, IncidentJudged, IncidentLooked, IncidentMoved, IncidentNoted, VerifyFirstSet
from controller.registry import Role
from controller.rules import escalation
from controller.rules.calling import responders
from controller.rules.console import handing_over, splitting, suspicion, verification
from controller.rules.console.acts import (
    Arrive,
    Close,
    HandOver,
    IncidentAct,
    InputAct,
    Judge,
    Merge,
    Note,
    Reopen,
    SirenOff,
    Split,
    Take,
    Verify,
    VerifyFirst,
    VerifyFirstEnd,
)
from controller.rules.console.suspicion_memory import FAULTY
from controller.rules.desk import Desk
from controller.rules.effects import Accepted, Refused
from controller.rules.incident import Happening, Incident, State, step
from controller.rules.inputs import Looked, OperatorDid
from controller.rules.remembered import DAY_MS
from controller.rules.replying import answers
from controller.rules.telling import ANSWERS, tell, told_at_all, ways

OUTCOMES: Final = ("real", "good-faith", "mistake", "prank", "faulty-hardware", "drill", "cancelled", "unknown")
"""What an incident can have been, as the design's section 6 has it."""
ANY: Final = frozenset(State)
OPEN: Final = ANY - {State.CLOSED}
HAD: Final = frozenset({State.TAKEN, State.ON_SCENE})
OVER: Final = frozenset({State.CLOSED})
OPERATORS: Final = frozenset({Role.COORDINATOR})
DESKS: Final = OPERATORS | {Role.POLICE_DESK, Role.SERENAZGO, Role.FIRE_BRIGADE, Role.AMBULANCE, Role.CIVIL_DEFENCE}
GOING: Final = frozenset(Role) - {Role.TECHNICIAN}


class Rule(NamedTuple):
    """When an act is possible. roles: who may; takers: whoever has it may, too. verb: in a refusal."""

    states: frozenset[State]
    roles: frozenset[Role]
    verb: str
    takers: bool = False


RULES: Final[Mapping[type[IncidentAct], Rule]] = {
    Verify: Rule(OPEN, DESKS, "verified", takers=True),
    Take: Rule(OPEN, GOING, "taken"),
    Arrive: Rule(OPEN, GOING, "reached"),
    HandOver: Rule(HAD, OPERATORS, "handed over", takers=True),
    Merge: Rule(OPEN, OPERATORS, "merged"),
    Split: Rule(OPEN, OPERATORS, "split"),
    Close: Rule(OPEN, OPERATORS, "closed", takers=True),
    Judge: Rule(OVER, OPERATORS, "judged", takers=True),
    Reopen: Rule(OVER, OPERATORS, "reopened"),
    Note: Rule(ANY, GOING | {Role.TECHNICIAN}, "noted"),
    SirenOff: Rule(ANY, OPERATORS, "silenced", takers=True),
}


INPUT_RULES: Final[Mapping[type[InputAct], frozenset[Role]]] = {VerifyFirst: OPERATORS, VerifyFirstEnd: OPERATORS | {Role.TECHNICIAN}}
"""Who may decide on an input."""


class No(Exception):
    """The act is refused."""

    def __init__(self, code: str, why: str, by: str = "", at_ms: int = 0) -> None:
        super().__init__(why)
        self.code, self.why, self.by, self.at_ms = code, why, by, at_ms


def did(desk: Desk, event: OperatorDid) -> None:
    """Do it, or say why not."""
    made = None
    try:
        if isinstance(event.act, VerifyFirst | VerifyFirstEnd):
            _on_input(desk, event, event.act)
        else:
            made = _ACTS[type(event.act)](desk, _allowed(desk, event, RULES[type(event.act)]), event, event.act)
    except No as no:
        desk.then(_refusal(event.command, no))
    else:
        desk.then(Accepted(event.command, made or ""))


def looked(desk: Desk, event: Looked) -> None:
    """Who looks at a silent incident is on record, in the sealed chain, also at one that was closed long ago."""
    incident = desk.state.incidents.get(event.incident)
    if incident is not None and not incident.secret:
        desk.then(Accepted(event.command))
        return
    secret = incident if incident is not None else desk.state.secrets.of.get(event.incident)
    if secret is None or not desk.may_know(secret, event.member):
        desk.then(_refusal(event.command, _unknown(event.incident)))
        return
    desk.record(Chain.SEALED, IncidentLooked(event.incident, event.member, event.channel))
    desk.then(Accepted(event.command))


def _refusal(command: str, no: No) -> Refused:
    return Refused(command, no.code, no.why, no.by, no.at_ms)


def _unknown(incident: str) -> No:
    return No("unknown", f"no incident {incident[:40]}; expected one that is open or was closed within a day; look for it in the list")


def _allowed(desk: Desk, event: OperatorDid, rule: Rule) -> Incident:
    """The incident, when this member may do this to it now."""
    incident = desk.state.incidents.get(event.incident)
    member = desk.registry.members.get(event.member)
    if incident is None or member is None or not desk.may_know(incident, member.id):
        raise _unknown(event.incident)
    if not incident.secret and not rule.roles.intersection(member.roles) and not (rule.takers and member.id in incident.takers):
        raise No("not-yours", f"{member.id} may not do this: incident {incident.id} can be {rule.verb} by "
                              f"{', '.join(sorted(rule.roles))}{' or whoever has it' if rule.takers else ''}; ask one of them")
    if incident.state not in rule.states:
        moved = desk.state.courses.of[incident.id].moved
        raise No("state", f"incident {incident.id} is {incident.state} since {datetime.fromtimestamp(moved.at_ms / 1000, UTC):%H:%M:%S} UTC, by "
                          f"{moved.by}{f' by {moved.channel}' if moved.channel else ''}; only one that is "
                          f"{' or '.join(sorted(rule.states))} can be {rule.verb}", moved.by, moved.at_ms)
    return incident


def _verify(desk: Desk, incident: Incident, event: OperatorDid, _act: Verify) -> None:
    verified = desk.state.courses.of[incident.id].verified
    if verified is not None:
        raise No("done", f"incident {incident.id} was verified by {verified.by} already", verified.by, verified.at_ms)
    verification.verify(desk, incident, event.member, event.channel)


def _take(desk: Desk, incident: Incident, event: OperatorDid, act: Take | Arrive) -> None:
    arrives = isinstance(act, Arrive)
    if event.member in (incident.present if arrives else incident.takers):
        raise No("done", f"incident {incident.id}: {event.member} {'is there' if arrives else 'has it'} already", event.member)
    answers.heard(desk, incident, event.member)
    answers.take(desk, incident, event.member, event.channel, Happening.ARRIVED if arrives else Happening.TOOK)
    if not told_at_all(desk, incident, event.member):
        # What they are asked later must reach them where the page is not.
        channels = {channel for one in desk.kind_of(incident).steps for channel in one.channels}
        tell(desk, incident, ways([desk.registry.members[event.member]], channels), "on_scene_you" if arrives else "taken_you", "ANSWER", ANSWERS)
    responders.brief(desk, incident, event.member)


def _hand_over(desk: Desk, incident: Incident, event: OperatorDid, act: HandOver) -> None:
    giver = act.giver or event.member
    if giver not in incident.takers:
        raise No("not-taken", f"{giver} does not have incident {incident.id}: {', '.join(incident.takers)} have; name one of them")
    if act.to == event.member and giver != event.member:
        raise No("to", f"nobody takes incident {incident.id} away from {giver}: take it yourself beside them, or let them hand it over")
    if act.to == giver or act.to not in desk.registry.members or not desk.may_know(incident, act.to):
        raise No("to", f"{act.to[:40]} cannot take incident {incident.id} over; expected another member who may know of it")
    if not handing_over.offer(desk, incident, giver, act.to, event.member, event.channel):
        raise No("unreachable", f"no channel of this kind's steps reaches {act.to}; expected a member with one of them; call them")


def _merge(desk: Desk, incident: Incident, event: OperatorDid, act: Merge) -> None:
    into = desk.state.incidents.get(act.into)
    if into is None or not desk.may_know(into, event.member):
        raise _unknown(act.into)
    if not into.is_open:
        moved = desk.state.courses.of[into.id].moved
        raise No("state", f"incident {into.id} was closed by {moved.by}; only an open one takes another in; reopen it first", moved.by, moved.at_ms)
    why = splitting.cannot_merge(desk, incident, into, event.member)
    if why:
        raise No("incompatible", f"incidents {incident.id} and {into.id} cannot be one: {why}")
    splitting.merge(desk, incident, into, event.member, event.channel)


def _split(desk: Desk, incident: Incident, event: OperatorDid, act: Split) -> str:
    press = act.node, act.press.boot, act.press.seq
    if press not in desk.state.courses.of[incident.id].pressed:
        raise No("press", f"incident {incident.id} has no such press; expected one of its {len(incident.presses)}")
    if press == (incident.node, incident.boot, incident.seq) or len(incident.presses) < 2:
        raise No("press", f"this press opened incident {incident.id}, which keeps it; split the others from it")
    return splitting.split(desk, incident, press, event.member, event.channel)


def _close(desk: Desk, incident: Incident, event: OperatorDid, act: Close) -> None:
    """One person's word ends nothing, unless that one is there: at a console as by text."""
    _check_outcome(act.outcome)
    others = {*incident.present, *incident.doubters} - {event.member}
    word = "over" if act.outcome in {"real", "unknown"} else "false"
    if event.member not in incident.present and not others and not incident.cancelled:
        desk.record(incident.chain, IncidentNoted(incident.id, event.member, word, event.channel, act.note_ref, act.digest))
        raise No("second-word", f"nobody else has been at incident {incident.id}, and one person's word ends nothing; it is on record, and the "
                                "incident ends when a second one says so or is there")
    desk.record(incident.chain, IncidentNoted(incident.id, event.member, word, event.channel, act.note_ref, act.digest))
    escalation.close(desk, incident, event.member, event.channel, act.outcome)
    suspicion.judged(desk, incident)


def _judge(desk: Desk, incident: Incident, event: OperatorDid, act: Judge) -> None:
    _check_outcome(act.outcome)
    if act.outcome == FAULTY and not incident.secret and not OPERATORS.intersection(desk.registry.members[event.member].roles):
        # It makes the police wait for whoever presses there next: not by the word of one who went.
        raise No("not-yours", f"{event.member} may not say this: that a button is faulty is said by {', '.join(sorted(OPERATORS))}; ask one of them")
    desk.record(incident.chain, IncidentJudged(incident.id, act.outcome, event.member, event.channel, act.note_ref, act.digest))
    suspicion.judged(desk, incident)


def _check_outcome(outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise No("outcome", f"outcome {outcome[:40]!r}; expected one of {', '.join(OUTCOMES)}")


def _reopen(desk: Desk, incident: Incident, event: OperatorDid, _act: Reopen) -> None:
    into = desk.state.courses.of[incident.id].merged_into
    if into:
        raise No("merged", f"incident {incident.id} is part of {into} now; reopen that one")
    desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.REOPENED), event.member, event.channel))
    escalation.reopened(desk, incident, event.member)


def _note(desk: Desk, incident: Incident, event: OperatorDid, act: Note) -> None:
    desk.record(incident.chain, IncidentNoted(incident.id, event.member, "note", event.channel, act.note_ref, act.digest))


def _siren_off(desk: Desk, incident: Incident, event: OperatorDid, _act: SirenOff) -> None:
    desk.record(incident.chain, IncidentNoted(incident.id, event.member, "siren-off", event.channel))
    escalation.sirens(desk, incident, on=False)


def _on_input(desk: Desk, event: OperatorDid, act: InputAct) -> None:
    key = act.node, act.input
    member, found, standing = desk.registry.members.get(event.member), desk.registry.inputs.get(key), desk.state.suspicions.first.get(key)
    name = f"input {act.node[:40]} {act.input[:40]}"
    roles = INPUT_RULES[type(act)]
    if member is None or not roles.intersection(member.roles):
        raise No("not-yours", f"{event.member} may not decide on {name}; expected {' or '.join(sorted(roles))}; ask one of them")
    if isinstance(act, VerifyFirstEnd):
        if standing is None:
            raise No("done", f"{name} is not verified first")
        suspicion.end(desk, key, event.member, event.channel)
        return
    if found is None or desk.policy.is_silent(found.kind):
        raise No("input", f"{name}; expected an audible one of the registry: what is silent is never verified first")
    if standing is not None and not standing.until_at_ms:
        raise No("done", f"{name} is verified first already, since its hardware was faulty, until that is mended", standing.by)
    days_max = desk.policy.verify_first.days_max
    if not act.decision_ref or not desk.now.utc_ms < act.until_ms <= desk.now.utc_ms + days_max * DAY_MS:
        raise No("decision", f"{name}: expected the committee's decision, and an end within {days_max} days")
    desk.record(Chain.OPEN, VerifyFirstSet(*key, event.member, "decision", event.channel, act.until_ms, act.decision_ref, act.digest))


_ACTS: Final[Mapping[type[IncidentAct], Callable[[Desk, Incident, OperatorDid, Any], str | None]]] = {
    Verify: _verify, Take: _take, Arrive: _take, HandOver: _hand_over, Merge: _merge, Split: _split, Close: _close, Judge: _judge,
    Reopen: _reopen, Note: _note, SirenOff: _siren_off,
}
