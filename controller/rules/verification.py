"""Verified: somebody beside the first press says that it is real. What the police are told only then goes out with it."""

from controller.entries import IncidentNoted
from controller.rules import police
from controller.rules.courses import VERIFIED
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.policy import Police
from controller.rules.suspicion import is_first


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
    """When the police are told of it."""
    when = desk.kind_of(incident).police
    if when is Police.IMMEDIATELY and desk.state.courses.of[incident.id].verified is None and suspected(desk, incident):
        return Police.AFTER_VERIFICATION
    return when


def suspected(desk: Desk, incident: Incident) -> bool:
    """Whether nothing but inputs that are verified first has said it so far. Of what is silent, never."""
    pressed = desk.state.courses.of[incident.id].pressed
    return not incident.secret and bool(pressed) and all(is_first(desk, press[0], one.input) for press, one in pressed.items())
