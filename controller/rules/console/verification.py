"""Verified: somebody beside the first press says that it is real. What the police are told only then goes out with it."""

from typing import Final

from controller.entries import IncidentNoted
from controller.rules.calling import police
from controller.rules.console.courses import VERIFIED
from controller.rules.console.suspicion import is_first
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.policy_kinds import Police

WELFARE: Final = "welfare"
"""Rings when the police are to be told of a late press that nobody has looked after."""


def verify(desk: Desk, incident: Incident, by: str, channel: str = "") -> None:
    """Mark it, once. by: the member who says so, or `block` for another button."""
    if desk.state.courses.of[incident.id].verified is None:
        desk.record(incident.chain, IncidentNoted(incident.id, by, VERIFIED, channel))
    if police_when(desk, incident) is not Police.NEVER and not police.told(desk, incident):
        police.offer(desk, incident)


def pressed_again(desk: Desk, incident: Incident, node: str, name: str) -> None:
    """A further press has joined it: another button verifies it, and for the police the same one does."""
    pressed = desk.state.courses.of[incident.id].pressed
    if any((press[0], one.input) != (node, name) for press, one in pressed.items()):
        verify(desk, incident, "block")
    when = police_when(desk, incident)
    sure = when is Police.IMMEDIATELY or not suspected(desk, incident)
    if when is not Police.NEVER and sure and not police.told(desk, incident):
        police.offer(desk, incident)


def police_when(desk: Desk, incident: Incident) -> Police:
    """When the police are told of it. A late press is looked after first; for how long, its kind says."""
    kind = desk.kind_of(incident)
    if incident.late and kind.late_police_s is not None:
        return Police.AFTER_VERIFICATION if kind.late_police_s else Police.IMMEDIATELY
    if kind.police is Police.IMMEDIATELY and desk.state.courses.of[incident.id].verified is None and suspected(desk, incident):
        return Police.AFTER_VERIFICATION
    return kind.police


def suspected(desk: Desk, incident: Incident) -> bool:
    """Whether nothing but inputs that are verified first has said it so far. Of what is silent, never."""
    pressed = desk.state.courses.of[incident.id].pressed
    return not incident.secret and bool(pressed) and all(is_first(desk, press[0], one.input) for press, one in pressed.items())


def welfare_due(desk: Desk, ident: str) -> None:
    """Nobody has seen yet how those are who pressed so long ago: the police are asked to look."""
    incident = desk.state.incidents.get(ident)
    if incident is not None and incident.is_open and not incident.present and not incident.cancelled and not police.told(desk, incident):
        police.offer(desk, incident)
