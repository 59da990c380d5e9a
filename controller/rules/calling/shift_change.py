"""The change of shifts while something is going on: whoever comes on duty hears of what they would have been told."""

from controller.rules import escalation
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.telling import NEWS, Way, priority_of, tell


def look(desk: Desk) -> None:
    """Tell those who have come on duty of the open incidents that told their like, each once.

    While it still calls for people they are called; else they hear who has it.
    """
    for incident in [one for one in desk.state.incidents.values() if one.is_open and not one.cancelled]:
        steps = desk.kind_of(incident).steps
        for place in range(min(incident.ring, len(steps))):
            if steps[place].on_duty:
                here = desk.network.roster.on_duty(incident.block, steps[place].roles, desk.now.utc_ms)
                found = escalation.ring(desk, incident, place)
                _tell(desk, incident, [way for way in found if way.member in here and way.member not in incident.told], place)


def _tell(desk: Desk, incident: Incident, fresh: list[Way], place: int) -> None:
    if incident.present:
        tell(desk, incident, fresh, "on_scene", "ARRIVED", NEWS, by=incident.present[-1])
    elif len(incident.takers) >= desk.kind_of(incident).enough:
        tell(desk, incident, fresh, "taken", "TAKEN", NEWS, by=incident.takers[-1])
    else:
        template = "late" if incident.late else "alarm"
        tell(desk, incident, fresh, template, "FIRST" if place == 0 else "ESCALATED", priority_of(desk, incident, place))
