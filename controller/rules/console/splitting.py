"""Two incidents that are one emergency become one; one press that was another emergency becomes an incident of its own."""

from typing import Final

from controller.entries import IncidentMerged, IncidentMoved, IncidentOpened, IncidentSplit, flag
from controller.rules import codes, escalation
from controller.rules.calling import police, responders
from controller.rules.console.courses import Press
from controller.rules.desk import Desk
from controller.rules.incident import Happening, Incident, step
from controller.rules.mending import faults
from controller.rules.replying.answers import take
from controller.rules.telling import MACHINES, URGENT, Way, news, priority_of, stop, tell, told_at_all, way_to

MERGED: Final = "merged"
"""How an incident ends that goes on as another one."""


def cannot_merge(desk: Desk, one: Incident, into: Incident, by: str) -> str:
    """Why this member cannot make the two one; empty when they can."""
    if one.id == into.id:
        return "it is the same one; name another"
    if one.chain is not into.chain:
        return f"no incident {into.id}"
    if desk.kind_of(one).group != desk.kind_of(into).group:
        return f"{one.kind} and {into.kind} are of different groups; expected kinds of one group, as the policy has them"
    if one.in_need or into.in_need:
        return "one of them is a responder's call for help, which goes on by itself"
    if one.drill != into.drill:
        return "one of them is an exercise, and what is real is never part of one"
    if into.cancelled and not one.cancelled:
        return f"the block has taken {into.id} back, and nobody is called to it any more; merge it into {one.id}"
    if into.late and not one.late:
        return f"{into.id} was pressed long ago and is looked after as such; merge it into {one.id}"
    if into.takers and not one.takers and set(into.takers) <= {by}:
        return f"nobody but {by} has {into.id}, and one person's word ends no other's call: take {one.id}, or wait until another has one of them"
    if desk.excluded(one) != desk.excluded(into):
        return "their buttons exclude different people, and what one of them must not know stays apart"
    return ""


def merge(desk: Desk, one: Incident, into: Incident, by: str, channel: str) -> None:
    """`into` goes on with the presses and takers of both; whoever knew of `one` hears by which code it goes on."""
    raised = desk.kind_of(one).rank < desk.kind_of(into).rank
    takers, present = list(one.takers), list(one.present)
    knew = {member: way for member in one.told if (way := way_to(desk, one, member)) is not None and desk.may_know(into, member)}
    unwarned = bool(one.armed) and not into.armed
    desk.record(one.chain, IncidentMerged(one.id, into.id, by, channel, one.kind if raised else ""))
    stop(desk, one, {"FIRST", "ESCALATED", "REPEAT_DUE", "LOOK", "ASKED", "TAKEN"})
    if police.told(desk, one) and not police.told(desk, into):
        police.offer(desk, into)
    calls = [way for member, way in knew.items() if not told_at_all(desk, one, member) and not told_at_all(desk, into, member)]
    if raised:
        calls += [way for way in escalation.ring(desk, into, 0) if way.member not in knew and not told_at_all(desk, into, way.member)]
    hear = [_way(desk, into, way) for member, way in knew.items() if told_at_all(desk, one, member)]
    tell(desk, into, [way for way in calls if way.channel not in MACHINES], "alarm", "FIRST", priority_of(desk, into, 0))
    tell(desk, into, [way for way in hear if way.channel not in MACHINES], "merged", "MERGED", priority_of(desk, into, 0), was=one.code)
    if unwarned:
        news(desk, into, "armed", "ARMED", but=[*one.told, into.armed[-1]], priority=URGENT, by=into.armed[-1])
        police.press_on(desk, into)
    machines = [member for member, way in knew.items() if way.channel in MACHINES]
    desk.record(one.chain, IncidentMoved(one.id, step(one.state, Happening.ENDED), by, channel, MERGED))
    # A receiver that has both alarms sees the second one end; people have read that it goes on.
    news(desk, one, "closed", "ENDED", to=machines, outcome=MERGED)
    for member in takers:
        take(desk, into, member, channel, Happening.ARRIVED if member in present else Happening.TOOK)
        responders.brief(desk, into, member)
    escalation.light(desk, into)


def _way(desk: Desk, into: Incident, way: Way) -> Way:
    return way_to(desk, into, way.member) or way


def split(desk: Desk, incident: Incident, press: Press, by: str, channel: str) -> str:
    """Open an incident of its own for this press, told as any other; its id."""
    node, boot, seq = press
    pressed = desk.state.courses.of[incident.id].pressed[press]
    kind = pressed.kind if pressed.kind in desk.policy.kinds else desk.network.kind_at(node, pressed.input) or pressed.kind
    # The press may have had an incident of its own before it was merged into this one.
    apart = boot + "/"
    while (ident := codes.incident_id(desk.zone, node, apart, seq)) in desk.state.incidents:
        apart += "/"
    desk.record(incident.chain, IncidentSplit(incident.id, ident, node, boot, seq, by, channel))
    desk.record(incident.chain, IncidentOpened(
        ident, desk.network.block_of(node), kind, codes.incident_code(ident, desk.state.by_code, secret=incident.secret), node, boot, seq,
        pressed.input, pressed.from_at_ms, pressed.to_at_ms, desk.registry.version, desk.policy.version,
        silent=flag(incident.secret), drill=flag(incident.drill)))
    made = desk.state.incidents[ident]
    escalation.open_rings(desk, made)
    if not made.told:
        faults.raise_fault(desk, f"block/{made.block}", "nobody-to-tell", secret=made.secret)
    escalation.light(desk, made)
    return ident
