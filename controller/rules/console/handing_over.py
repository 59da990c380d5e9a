"""One member hands an incident over to another: it stays the giver's until the other says that they go."""

from controller.entries import IncidentMoved, IncidentNoted, IncidentOffered
from controller.rules.console.courses import HANDED_OVER
from controller.rules.desk import Desk
from controller.rules.incident import CHECK, Happening, Incident, State, step
from controller.rules.telling import news, priority_of, tell, way_to, ways


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
    return True


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
