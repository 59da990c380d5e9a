"""Danger to those who go: weapons, or a responder in need. Everybody who may go and the police hear it before anything else."""

from controller.entries import IncidentNoted, IncidentOpened, flag
from controller.rules import codes, escalation
from controller.rules.calling import police
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.telling import URGENT, Way, news


def armed(desk: Desk, incident: Incident, way: Way) -> None:
    """Weapons: everybody who may go and the police hear it before anything else; so does whoever takes it, or is called, later."""
    _note(desk, incident, way, "armed")
    news(desk, incident, "armed", "ARMED", but=[way.member], priority=URGENT, by=way.member)
    police.press_on(desk, incident)


def in_need(desk: Desk, incident: Incident, way: Way) -> None:
    """A responder needs help: an incident of its own, told to everybody who knows of the first, to the last ring and to the police."""
    _note(desk, incident, way, "help")
    if any(other.is_open and other.in_need == way.member and other.grew_from == incident.grew_from_or_own for other in desk.state.incidents.values()):
        return
    ident = codes.incident_id(desk.zone, incident.node, f"{incident.id} {way.member}", incident.notices + 1)
    code = codes.incident_code(ident, desk.state.by_code, secret=incident.secret)
    desk.record(incident.chain, IncidentOpened(
        ident, incident.block, incident.kind, code, incident.node, incident.boot, incident.seq, incident.input, desk.now.utc_ms, desk.now.utc_ms,
        desk.registry.version, desk.policy.version, silent=flag(incident.secret), drill=flag(incident.drill), in_need=way.member,
        grew_from=incident.grew_from_or_own,
    ))
    opened = desk.state.incidents[ident]
    if not incident.drill:
        police.offer(desk, opened)
    escalation.call_all(desk, opened, incident)


def _note(desk: Desk, incident: Incident, way: Way, meaning: str) -> None:
    desk.record(incident.chain, IncidentNoted(incident.id, way.member, meaning, way.channel))
