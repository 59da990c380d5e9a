"""How long people were waited for: on record when an incident ends, for members and police alike."""

from controller.entries import IncidentMeasured
from controller.rules.desk import Desk
from controller.rules.incident import Incident


def measure(desk: Desk, incident: Incident) -> None:
    """Put its answer times on record."""
    course = desk.state.courses.of[incident.id]

    def after_ms(at_ms: int) -> int:
        # A clock that was set back meanwhile makes no time negative.
        return max(0, at_ms - course.opened_at_ms) if at_ms else -1

    desk.record(incident.chain, IncidentMeasured(
        incident.id, after_ms(course.heard_at_ms), after_ms(course.taken_at_ms), after_ms(course.on_scene_at_ms),
        after_ms(course.police_at_ms)))
