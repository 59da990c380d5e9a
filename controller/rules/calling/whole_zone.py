"""Rings with a deadline, and the call to a whole zone: hundreds of people, of whom nobody may hold up whoever goes."""

from collections.abc import Iterable
from typing import Final

from controller.rules.calling.plan import plan
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.policy_kinds import Step
from controller.rules.telling import WHOLE_ZONE, Way, priority_of, tell, told_at_all

WHOLE_ZONE_S: Final = 120
"""By when everybody is told where the policy names no time of its own."""


def in_time(desk: Desk, incident: Incident, found: Iterable[Way], place: int) -> list[Way]:
    """How those of ring `place` are told so that its deadline is kept, as far as their channels allow it."""
    return _planned(desk, incident, [way.member for way in found], desk.kind_of(incident).steps[place], priority_of(desk, incident, place))


def tell_everybody(desk: Desk, incident: Incident, one: Step) -> None:
    """Tell the whole zone, once; who was called to go already is not told again. A responder in need is no business of the whole zone's."""
    if incident.in_need:
        return
    left = [member for member in sorted(desk.registry.members) if not told_at_all(desk, incident, member)]
    tell(desk, incident, _planned(desk, incident, left, one, WHOLE_ZONE), "everybody", "ZONE", WHOLE_ZONE)


def wider(desk: Desk, incident: Incident) -> set[str]:
    """The reasons of the rings that are spared once somebody has taken it. A kind that calls the whole zone at once warns it, whoever goes."""
    return {"ESCALATED", "REPEAT_DUE"} | (set() if desk.kind_of(incident).steps[0].everybody else {"ZONE"})


def _planned(desk: Desk, incident: Incident, members: Iterable[str], one: Step, priority: int) -> list[Way]:
    before = desk.state.waiting.before(incident.chain, priority)
    found = [desk.registry.members[member] for member in members]
    return list(plan(found, one.channels, desk.paces, one.within_s or WHOLE_ZONE_S, before).ways)
