"""One member hands an incident over to another: it stays the giver's until the other says that they go."""

from typing import Final

from controller.entries import IncidentMoved, IncidentNoted, IncidentOffered, TimerSet
from controller.rules.console.courses import HANDED_OVER, NOT_TAKEN
from controller.rules.desk import Desk
from controller.rules.incident import CHECK, Happening, Incident, State, step
from controller.rules.telling import news, priority_of, stop, tell, way_to, ways

TIMER: Final = "offer"
"""Rings, about an incident and to whom it is offered, when nobody waits for their answer any more."""
OFFER_S: Final = 180


def offer(desk: Desk, incident: Incident, giver: str, to: str, by: str, channel: str) -> bool:
    """Ask `to` to take it; one who is going already has it at once. False, and nothing is decided, when nothing reaches them."""
    channels = {channel for one in desk.kind_of(incident).steps for channel in one.channels}
    reached = way_to(desk, incident, to)
    found = [reached] if reached is not None else ways([desk.registry.members[to]], channels)
    if not found and to not in incident.takers:
        return False
    desk.record(incident.chain, IncidentOffered(incident.id, giver, to, by, channel))
    if to in incident.takers:
        taken(desk, incident, to, channel)
    else:
        tell(desk, incident, found, "hand_over", "HANDED", priority_of(desk, incident, 0), by=giver)
        desk.record(incident.chain, TimerSet(TIMER, f"{incident.id} {to}", desk.at_ms + OFFER_S * 1000, OFFER_S))
    return True


def due(desk: Desk, subject: str) -> None:
    """Nobody has answered an offer: it is over, and the giver, whose it still is, hears that."""
    ident, _, to = subject.partition(" ")
    incident = desk.state.incidents.get(ident)
    if incident is not None and incident.is_open and to in desk.state.courses.of[ident].offers:
        refused(desk, incident, to, "rules")


def refused(desk: Desk, incident: Incident, to: str, channel: str) -> None:
    """They do not take it over: who offered it to them goes on having it, and is told."""
    giver = desk.state.courses.of[incident.id].offers.get(to)
    if giver is None:
        return
    desk.record(incident.chain, IncidentNoted(incident.id, to, NOT_TAKEN, channel))
    stop(desk, incident, {"HANDED"}, [to])
    if giver in incident.takers:
        news(desk, incident, "not_handed_over", "HANDED", to=[giver], by=to)


def taken(desk: Desk, incident: Incident, member: str, channel: str) -> str:
    """A member has it now: whoever offered it to them (who is returned; empty: nobody) has it no more, and is told."""
    giver = desk.state.courses.of[incident.id].offers.get(member)
    if giver is None:
        return ""
    desk.record(incident.chain, IncidentNoted(incident.id, giver, HANDED_OVER, channel))
    if incident.state is State.ON_SCENE and not incident.present:
        desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.LEFT), "rules"))
    if incident.state is State.TAKEN and not incident.cancelled:
        desk.set_step(incident, CHECK, desk.policy.times.taken_s)
    news(desk, incident, "handed_over", "HANDED", to=[giver], by=member)
    return giver
