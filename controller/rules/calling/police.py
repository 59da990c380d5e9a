"""The police: their lines one after the other, until a named person there has accepted.

A machine that acknowledges has been notified, and nobody has accepted. Only somebody of the police's roles who answers `1` (or
is there) has; only then is anybody told that the police know. When no line of theirs brings that, whoever has taken the incident,
or whoever was called to it, is told to call them, with the number: no machine of ours dials it.
"""

from collections import Counter
from typing import Final

from controller.entries import IncidentNoted
from controller.rules.desk import Desk, Network
from controller.rules.incident import Incident
from controller.rules.policy_parts import ACCEPT_S
from controller.rules.remembered import Notice
from controller.rules.telling import URGENT, Way, news, priority_of, stop, tell_later, to_police, was_called

TIMER: Final = "police"
"""Rings when a line's time to accept is over."""
AGAIN_S: Final = (30, 60, 120, 300)
"""How long after the first, second, ... time that every line of the police failed for good they are offered it again."""
NOT_REACHED: Final = "POLICE_NOT_REACHED"
PACE_S_MAX: Final = 3600
"""At most so long is waited before whoever is to call them is told again; it takes twice as long each time."""


def is_police(desk: Desk, member: str) -> bool:
    """Whether a member's word can be the police's."""
    found = desk.registry.members.get(member)
    return found is not None and any(role in desk.policy.police.roles for role in found.roles)


def lines(network: Network, but: frozenset[tuple[str, str]] = frozenset()) -> list[Way]:
    """Each of the police by the first of their lines that is none of `but` (member, channel)."""
    found: list[Way] = []
    for member in network.members_with(network.policy.police.roles):
        has = {contact.channel for contact in member.contacts}
        line = next((channel for channel in network.policy.police.channels if channel in has and (member.id, channel) not in but), None)
        if line is not None:
            found.append(Way(member.id, line))
    return found


def offer(desk: Desk, incident: Incident, in_s: int = 0) -> None:
    """Tell each of the police by the first of their lines, machines by the alarm and people by a text of their own."""
    to = _lines(desk, incident, frozenset())
    _tell(desk, incident, to, in_s)
    if not desk.runs(incident, TIMER) and not incident.drill and not incident.accepted:
        desk.set_timer(incident, TIMER, max((_accept_s(desk, way) for way in to), default=ACCEPT_S))


def told(desk: Desk, incident: Incident) -> bool:
    """Whether a line of the police has it, or is being tried."""
    return any(one.state not in {"failed", "stopped"} for one in to_police(desk, incident))


def missed(desk: Desk, incident: Incident) -> list[str]:
    """Those of the police who were to be told, where no line of theirs took it and none is being tried."""
    return [] if told(desk, incident) else list({one.queued.member: None for one in to_police(desk, incident)})


def offer_again(desk: Desk, incident: Incident) -> None:
    """No line of the police took it: all are tried once more after a while, for as long as it is open; people are told to call at once."""
    if not told(desk, incident):
        rounds = Counter(one.queued.member for one in to_police(desk, incident) if "instead" not in one.queued.about)
        offer(desk, incident, AGAIN_S[min(max(rounds.values(), default=1), len(AGAIN_S)) - 1])
        if desk.runs(incident, TIMER) and not _said(desk, incident):
            _say(desk, incident)


def due(desk: Desk, ident: str) -> None:
    """A line's time is over and nobody has accepted: the next one, or people are told to call."""
    incident = desk.state.incidents.get(ident)
    if incident is None or not incident.is_open or incident.accepted or (incident.cancelled and not incident.armed):
        return
    if _said(desk, incident):
        _say(desk, incident)
        return
    wait_s = _waits_s(desk, incident)
    if wait_s > 0:
        desk.set_timer(incident, TIMER, wait_s)
        return
    tried = frozenset((one.queued.member, one.queued.channel) for one in to_police(desk, incident))
    to = _lines(desk, incident, tried)
    if to:
        _tell(desk, incident, to, 0)
        desk.set_timer(incident, TIMER, max(_accept_s(desk, way) for way in to))
    else:
        _say(desk, incident)


def press_on(desk: Desk, incident: Incident) -> None:
    """There is danger: the police are told, if they were not, and asked on until somebody there has accepted."""
    if incident.drill:
        return
    if not told(desk, incident):
        offer(desk, incident)
    elif not incident.accepted and not desk.runs(incident, TIMER):
        desk.set_timer(incident, TIMER, ACCEPT_S)


def accept(desk: Desk, incident: Incident, member: str, channel: str) -> None:
    """Somebody of the police says that they go, or are there: whoever has taken it may know that the police know."""
    if not is_police(desk, member) or member in incident.accepted:
        return
    desk.record(incident.chain, IncidentNoted(incident.id, member, "accepted", channel))
    desk.end_timer(incident, TIMER)
    stop(desk, incident, {NOT_REACHED})
    asked = {one for one, notices in incident.told.items()
             if any(desk.state.notices[ident].queued.reason == NOT_REACHED and desk.state.notices[ident].state != "stopped" for ident in notices)}
    to = {*incident.takers, *asked} - {member}
    news(desk, incident, "police_know", "POLICE_KNOW", to=to, priority=priority_of(desk, incident, 0), by=member)


def gave_back(desk: Desk, incident: Incident) -> None:
    """Whoever had accepted cannot: it goes on where it stood."""
    if not incident.accepted and not incident.drill and incident.is_open:
        desk.set_timer(incident, TIMER, 0)


def brief(desk: Desk, incident: Incident, member: str) -> None:
    """Somebody has just taken it: how it stands with the police, where there is something to say."""
    if is_police(desk, member):
        return
    if incident.accepted:
        news(desk, incident, "police_know", "POLICE_KNOW", to=[member], priority=priority_of(desk, incident, 0), by=incident.accepted[-1])
    elif _said(desk, incident) and desk.runs(incident, TIMER):
        news(desk, incident, "police_not_reached", NOT_REACHED, to=[member], priority=URGENT, number=desk.policy.police.public_number)


def _tell(desk: Desk, incident: Incident, to: list[Way], in_s: int) -> None:
    template = "help" if incident.in_need else "late" if incident.late else "police"
    about = {"by": incident.in_need} if incident.in_need else {}
    tell_later(desk, incident, to, template, "POLICE", priority_of(desk, incident, 0), about, in_s)


def _lines(desk: Desk, incident: Incident, but: frozenset[tuple[str, str]]) -> list[Way]:
    return [way for way in lines(desk.network, but) if desk.may_know(incident, way.member) and way.member != incident.in_need]


def _accept_s(desk: Desk, way: Way) -> int:
    return desk.policy.police.accept_s_of(way.channel)


def _waits_s(desk: Desk, incident: Incident) -> int:
    """How long the newest line that may still bring somebody has left; a line that was brought forward has its whole time."""
    left = 0
    for one in to_police(desk, incident):
        if one.state not in {"failed", "stopped"} and one.queued.member not in incident.refused:
            whole_s = desk.policy.police.accept_s_of(one.queued.channel)
            passed_s = (desk.now.utc_ms - one.made_at_ms) // 1000
            # Of a clock that was set back nobody knows how much has passed: rather the next line too early than hours too late.
            left = max(left, whole_s - passed_s if passed_s >= 0 else 0)
    return left


def _said(desk: Desk, incident: Incident) -> bool:
    """Whether people were told to call the police themselves."""
    return any(_is_call(desk.state.notices[ident]) for notices in incident.told.values() for ident in notices)


def _is_call(notice: Notice) -> bool:
    return notice.queued.reason == NOT_REACHED and notice.state != "stopped"


def _say(desk: Desk, incident: Incident) -> None:
    """Tell whoever has taken it to call the police; whoever was called to it while nobody has. Again at a pace that slackens."""
    again = _said(desk, incident)
    timer = desk.state.timers.running.get((TIMER, incident.id))
    pace_s = desk.policy.police.again_s
    if again and timer is not None:
        pace_s = min(max(timer.in_s * 2, pace_s), PACE_S_MAX)
    takers = [member for member in incident.takers if not is_police(desk, member)]
    to = takers or [member for member in incident.told if was_called(desk, incident, member) and member not in incident.refused]
    news(desk, incident, "police_not_reached", NOT_REACHED, to=to, priority=priority_of(desk, incident, 0), number=desk.policy.police.public_number)
    desk.set_timer(incident, TIMER, pace_s)
