"""Who is told, by which channel, in which order, until somebody takes it.

Every notice carries its reason. FIRST: the ring on duty at the opening. ESCALATED: a wider ring. REPEAT_DUE: the last ring
again. OTHER_WAY: what did not reach a member one way goes another. POLICE: their line. The rest are news for those who know:
TAKEN, ARRIVED, ENDED, CANCELLED, ARMED, HELP, RAISED, ASKED; ANSWER: to somebody who wrote; FAULT.
"""

from collections.abc import Collection, Iterable
from typing import Final

from controller.entries import Chain, IncidentMoved, NoticeMoved, NoticeQueued, NoticesQueued, OrderSent
from controller.messages import SirenOff, SirenOn
from controller.registry import Member
from controller.rules.desk import Desk
from controller.rules.effects import QueueNotice, SendOrder, StopNotice
from controller.rules.incident import CHECK, LOOK, QUIET, Happening, Incident, State, step
from controller.rules.policy import TAMPER, Kind, Police
from controller.rules.state import FINAL

MACHINES: Final = frozenset({"dc09", "cap", "webhook"})
"""Channels that are told what an incident has become, and no small talk."""
QUIET_S: Final = 6 * 3600
"""Somebody was there and nothing more was heard for so long: closed by the rules, outcome unknown."""
NEWS: Final = 500
"""Priority of what can wait until every alarm is out."""
FAULTS: Final = 900

Way = tuple[str, str]
"""(member, channel)."""


def open_rings(desk: Desk, incident: Incident) -> None:
    """Tell the first ring and, where the policy says so, the police; set the next step."""
    if desk.kind_of(incident).police is Police.IMMEDIATELY:
        tell_police(desk, incident, "late" if incident.late else "alarm")
    _ring(desk, incident, 0, "FIRST", "late" if incident.late else "alarm")


def due(desk: Desk, incident: Incident) -> None:
    """The incident's step is due."""
    if incident.step == CHECK:
        # Taken, and nobody came: the taking is no longer believed.
        desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.EXPIRED), "rules"))
        _ring(desk, incident, len(desk.kind_of(incident).steps) - 1, "REPEAT_DUE", "asked")
        light(desk, incident)
    elif incident.step in (QUIET, LOOK):
        close(desk, incident, "rules", "", "cancelled" if incident.step == LOOK else "unknown")
    else:
        last = len(desk.kind_of(incident).steps) - 1
        again = incident.step > last
        _ring(desk, incident, min(incident.step, last), "REPEAT_DUE" if again else "ESCALATED", "repeat" if again else "alarm")


def _ring(desk: Desk, incident: Incident, place: int, reason: str, template: str) -> None:
    """Tell ring `place`; a ring of nobody does not hold up the next one."""
    kind = desk.kind_of(incident)
    while True:
        ways = ring(desk, incident, kind, place)
        if reason != "REPEAT_DUE":
            ways = [way for way in ways if way[0] not in incident.told]
        if ways or place + 1 >= len(kind.steps):
            break
        place += 1
    tell(desk, incident, ways, template, reason, kind.rank * 10 + min(place, 9))
    if place + 1 < len(kind.steps):
        desk.set_step(incident, place + 1, kind.steps[place + 1].after_s - kind.steps[place].after_s)
    else:
        desk.set_step(incident, len(kind.steps), kind.repeat_s)


def ring(desk: Desk, incident: Incident, kind: Kind, place: int) -> list[Way]:
    """Whom step `place` of the policy tells, and how; nobody who is excluded."""
    one = kind.steps[place]
    excluded = desk.excluded(incident)
    if one.on_duty:
        members = [desk.registry.members[m] for m in desk.network.roster.on_duty(incident.block, one.roles, desk.now.utc_ms)]
    else:
        members = desk.registry.members_with(one.roles)
    return _ways((member for member in members if member.id not in excluded), one.channels)


def _ways(members: Iterable[Member], channels: Collection[str], spent: Collection[Way] = ()) -> list[Way]:
    """Each member by the first of their contacts that is allowed and not spent."""
    ways: list[Way] = []
    for member in members:
        for contact in member.contacts:
            if contact.channel in channels and (member.id, contact.channel) not in spent:
                ways.append((member.id, contact.channel))
                break
    return ways


def tell(desk: Desk, incident: Incident, ways: Iterable[Way], template: str, reason: str, priority: int, **about: str) -> None:
    """Queue a notice for each of `ways`."""
    notices: list[NoticeQueued] = []
    drawn: dict[Way, int] = {}
    for member, channel in ways:
        number = drawn.get((member, channel), desk.state.numbers.get((member, channel, incident.chain), 0)) + 1
        drawn[member, channel] = number
        ident = f"{incident.id}-{incident.notices + len(notices) + 1}"
        notices.append(NoticeQueued(ident, member, channel, template, reason, priority, number, about))
    if notices:
        desk.record(incident.chain, NoticesQueued(tuple(notices), incident=incident.id))
        for notice in notices:
            desk.then(QueueNotice(notice, incident=incident.id))


def tell_police(desk: Desk, incident: Incident, template: str) -> None:
    """Tell the police desk by the first of its lines; an exercise is told to nobody there but as one."""
    police = desk.policy.police
    excluded = desk.excluded(incident)
    members = [member for member in desk.registry.members_with(police.roles) if member.id not in excluded]
    ways: list[Way] = []
    for member in members:
        channels = [channel for channel in police.channels if any(contact.channel == channel for contact in member.contacts)]
        if channels:
            ways.append((member.id, channels[0]))
    tell(desk, incident, ways, template, "POLICE", desk.kind_of(incident).rank * 10)


def news(desk: Desk, incident: Incident, template: str, reason: str, but: Collection[str] = (), priority: int = NEWS, **about: str) -> None:
    """Tell people who were told of it what has become of it. Machines hear only of its end."""
    ended = reason in {"ENDED", "CANCELLED"}
    ways = []
    for member, notices in incident.told.items():
        if member in but or member not in desk.registry.members:
            continue
        channel = desk.state.notices[notices[0]].queued.channel
        for notice in notices:
            found = desk.state.notices[notice]
            if found.state in {"notified", "delivered", "heard"}:
                channel = found.queued.channel
        if channel in MACHINES and not ended and reason not in {"RAISED", "ARMED"}:
            continue
        ways.append((member, channel))
    tell(desk, incident, ways, template, reason, priority, **about)


def stop(desk: Desk, incident: Incident, reasons: Collection[str]) -> None:
    """Take back what is not sent yet of these reasons."""
    for notices in incident.told.values():
        for ident in notices:
            notice = desk.state.notices[ident]
            if notice.state not in FINAL and notice.queued.reason in reasons:
                desk.record(incident.chain, NoticeMoved(ident, "stopped", notice.attempt))
                desk.then(StopNotice(ident))


def other_way(desk: Desk, incident: Incident, member: str, template: str, priority: int) -> None:
    """What did not reach a member one way goes another at once; when there is none, the next step is brought forward."""
    entry = desk.registry.members.get(member)
    spent = {(member, desk.state.notices[n].queued.channel) for n in incident.told.get(member, ()) if desk.state.notices[n].state == "failed"}
    police = entry is not None and bool(set(entry.roles) & set(desk.policy.police.roles))
    allowed = set(desk.policy.police.channels) if police else {c for one in desk.kind_of(incident).steps for c in one.channels}
    ways = _ways([entry] if entry is not None else [], allowed, spent)
    tell(desk, incident, ways, template, "POLICE" if police else "OTHER_WAY", priority)
    if not ways and incident.is_open and incident.state is State.OPENED and not police and incident.step >= 0:
        told = {m for m, notices in incident.told.items() if any(desk.state.notices[n].state != "failed" for n in notices)}
        if not told:
            desk.set_step(incident, incident.step, 0)


def close(desk: Desk, incident: Incident, by: str, channel: str, outcome: str) -> None:
    """End it: sirens off, the police and everybody who knows are told."""
    desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.ENDED), by, channel, outcome))
    stop(desk, incident, {"FIRST", "ESCALATED", "REPEAT_DUE", "OTHER_WAY", "TAKEN", "ASKED"})
    sirens(desk, incident, on=False)
    news(desk, incident, "closed", "ENDED", outcome=outcome)
    light(desk, incident)


def light(desk: Desk, incident: Incident) -> None:
    """Show it at the block's buttons, unless it is nobody's business there."""
    if not incident.secret and incident.kind != TAMPER:
        desk.light_block(incident.block)


def sirens(desk: Desk, incident: Incident, *, on: bool, but: str = "") -> None:
    """Sound, or stop, the sirens of the block's nodes; `but`: the node that sounds its own already."""
    if incident.secret or not desk.policy.kind(incident.kind).siren or (on and (incident.late or incident.drill)):
        return
    for node in desk.registry.nodes_of(incident.block):
        life = desk.state.nodes.get(node.id)
        if life is None or not life.boot or life.gone or (on and node.id == but):
            continue
        order = SirenOn(incident.kind, desk.policy.times.siren_s) if on else SirenOff()
        ident = f"{incident.id}-{node.id}-{desk.state.orders.get(node.id, 0) + 1}"
        desk.record(Chain.OPEN, OrderSent(node.id, life.boot, ident, "siren-on" if on else "siren-off", incident.id))
        desk.then(SendOrder(node.id, life.boot, ident, order))
