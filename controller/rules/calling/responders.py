"""Whoever goes: whose going leaves others in peace, who is warned of weapons, who is alone, who is there and silent."""

from typing import Final

from controller.registry import Role
from controller.rules.calling import police
from controller.rules.desk import Desk
from controller.rules.incident import QUIET, UNANSWERED, Incident
from controller.rules.telling import ANSWERS, URGENT, Way, news, tell, told_at_all, was_called, ways

ANSWER_S: Final = 180
"""How long whoever is asked how it goes has to answer before the coordinator and the police are told."""


def counts(desk: Desk, incident: Incident, member: str) -> bool:
    """Whether this member's going leaves others in peace: who is there does, and who was called and has not failed to come before.

    The police go by their own clock: that they have accepted does not spare the neighbours, before they are there.
    """
    if member in incident.present:
        return True
    return member not in incident.unsure and (not police.is_police(desk, member) or was_called(desk, incident, member))


def taken(desk: Desk, incident: Incident) -> bool:
    """Whether somebody goes whose going counts."""
    return any(counts(desk, incident, member) for member in incident.takers)


def enough(desk: Desk, incident: Incident) -> bool:
    """Whether as many go as the policy asks for."""
    return sum(counts(desk, incident, member) for member in incident.takers) >= desk.kind_of(incident).enough


def warn(desk: Desk, incident: Incident, to: list[Way]) -> None:
    """Tell these, who hear of it only now, that there are weapons; where nobody said so, nothing."""
    if incident.armed:
        tell(desk, incident, [way for way in to if way.member != incident.armed[-1]], "armed", "ARMED", URGENT, by=incident.armed[-1])


def brief(desk: Desk, incident: Incident, member: str) -> None:
    """Somebody has just taken it, or is there: what they must know."""
    if incident.armed and member != incident.armed[-1]:
        news(desk, incident, "armed", "ARMED", to=[member], priority=URGENT, by=incident.armed[-1])
    police.brief(desk, incident, member)
    if member not in incident.present:
        alone(desk, incident)


def unanswered(desk: Desk, incident: Incident) -> None:
    """Who is there was asked how it goes and is silent: the coordinator and the police hear it, less and less often."""
    if incident.asked & (incident.asked - 1) == 0:
        kind = desk.kind_of(incident)
        channels = {channel for step in kind.steps for channel in step.channels}
        able = [one for one in desk.network.members_with([Role.COORDINATOR]) if desk.may_know(incident, one.id) and one.id not in incident.present]
        known = [way.member for way in ways(able, channels) if told_at_all(desk, incident, way.member)]
        fresh = [way for way in ways(able, channels) if way.member not in known]
        by = incident.present[-1] if incident.present else ""
        if not able:
            # Of a secret the coordinator may know nothing: its own circle hears it.
            known = [member for member in incident.told if member not in incident.present]
        told_police = [one.id for one in desk.network.members_with(desk.policy.police.roles) if told_at_all(desk, incident, one.id)]
        news(desk, incident, "unanswered", "UNANSWERED", to=[*known, *told_police], but=incident.present, priority=URGENT, by=by)
        tell(desk, incident, fresh, "unanswered", "UNANSWERED", URGENT, by=by)
        police.press_on(desk, incident)
    desk.set_step(incident, QUIET, max(60, desk.policy.times.on_scene_s - ANSWER_S))


def answered(desk: Desk, incident: Incident, member: str) -> None:
    """Who is there has said something: the question is answered."""
    if incident.step == UNANSWERED and incident.is_open and member in incident.present:
        desk.set_step(incident, QUIET, desk.policy.times.on_scene_s)


def alone(desk: Desk, incident: Incident) -> None:
    """Who goes alone waits for a second, where the policy says so."""
    going = [member for member in incident.takers if counts(desk, incident, member)]
    if desk.kind_of(incident).in_pairs and len(going) == 1 and going[0] not in incident.present and not incident.cancelled:
        news(desk, incident, "alone", "ALONE", to=going, priority=ANSWERS)
