"""Notified is not heard: a ring of whom nobody has heard by its deadline is not waited for; what no report follows goes another way, too.

Heard is a human act: a reply of any sort, an opened link, an answered call with a digit. Which ring is called until what stands
here as well: until somebody has taken it, until enough have, or until somebody is there.
"""

from typing import Final

from controller.rules import escalation
from controller.rules.calling import responders
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.policy_kinds import Step
from controller.rules.remembered import Notice
from controller.rules.telling import ALARMS, other_way, stop_those

REPORTS: Final = "reports"
"""Rings when a text's delivery report is overdue."""
WIDER: Final = "wider"
"""Rings when a ring is due that is called also after somebody has taken it."""
REPORTING: Final = frozenset({"sms"})
"""Channels that say when a notice has reached the handset."""
MATTERS: Final = ALARMS | {"LOOK", "ARMED", "HELP"}
"""The reasons of what is waited for so. The police's lines are tried in order in any case."""


def has_heard(desk: Desk, incident: Incident, member: str) -> bool:
    """Whether a human act of this member about the incident is on record."""
    return member in incident.replied or any(desk.state.notices[ident].state == "heard" for ident in incident.told.get(member, ()))


def heard_due(desk: Desk, ident: str) -> None:
    """A ring's time to be heard is over: when nobody of it has, the next one is told at once."""
    incident = desk.state.incidents.get(ident)
    if incident is None or not incident.is_open or not 0 < incident.step < len(desk.kind_of(incident).steps):
        return
    if not any(has_heard(desk, incident, way.member) for way in escalation.everybody_on(desk, incident, incident.step - 1)):
        escalation.tell_ring(desk, incident, incident.step)


def sent(desk: Desk, incident: Incident, notice: Notice) -> None:
    """A channel has accepted it: where its delivery is reported, that is waited for."""
    if _waits_for_report(notice) and desk.policy.times.report_s and not desk.runs(incident, REPORTS):
        desk.set_timer(incident, REPORTS, desk.policy.times.report_s)


def report_due(desk: Desk, ident: str) -> None:
    """What was sent so long ago and was not reported goes another way as well; no ring moves."""
    incident, whole_s = desk.state.incidents.get(ident), desk.policy.times.report_s
    if incident is None or not incident.is_open:
        return
    left: list[int] = []
    for notice in [one for member in incident.told if (one := _newest(desk, incident, member)) is not None]:
        if notice.state == "notified":
            wait_s = whole_s - (desk.now.utc_ms - notice.moved_at_ms) // 1000
            # More than the whole is left only where the clock was set back meanwhile: nobody waits for that.
            if 0 < wait_s <= whole_s:
                left.append(wait_s)
            elif _still_calls(desk, incident, notice):
                other_way(desk, incident, notice)
    if left:
        desk.set_timer(incident, REPORTS, min(left))


def leave_in_peace(desk: Desk, incident: Incident) -> None:
    """Take back the calls of rings that were to be called until what has happened now."""
    stop_those(desk, incident, lambda notice: notice.queued.reason in ALARMS and _is_met(desk, incident, _until(notice)))


def goes_on_wider(desk: Desk, incident: Incident) -> None:
    """Somebody has taken it: the rings that are called all the same have their time."""
    waits = [step.after_s - _open_s(desk, incident) for _, step in _later(desk, incident)]
    if waits:
        desk.set_timer(incident, WIDER, max(0, min(waits)))


def wider_due(desk: Desk, ident: str) -> None:
    """Call the rings whose time has come and that are called until something that has not happened yet."""
    incident = desk.state.incidents.get(ident)
    if incident is None or not incident.is_open or incident.cancelled or incident.step >= 0:
        return
    for place, step in _later(desk, incident):
        if step.after_s <= _open_s(desk, incident):
            escalation.call_ring(desk, incident, place)
    waits = [wait_s for _, step in _later(desk, incident) if (wait_s := step.after_s - _open_s(desk, incident)) > 0]
    if waits:
        desk.set_timer(incident, WIDER, min(waits))


def _later(desk: Desk, incident: Incident) -> list[tuple[int, Step]]:
    """The rings not called yet by their own step that are called also now that somebody has taken it."""
    steps = desk.kind_of(incident).steps
    return [(place, step) for place, step in enumerate(steps) if place >= incident.ring and not _is_met(desk, incident, step.until_at(place))]


def _open_s(desk: Desk, incident: Incident) -> int:
    open_ms = desk.now.utc_ms - incident.opened_at_ms
    if open_ms < 0:
        # The clock was set back meanwhile: by the one that never jumps.
        open_ms = desk.at_ms - incident.opened_at_ms
    return max(0, open_ms // 1000)


def _is_met(desk: Desk, incident: Incident, until: str) -> bool:
    match until:
        case "taken":
            return responders.taken(desk, incident)
        case "enough":
            return responders.enough(desk, incident)
        case _:
            return bool(incident.present)


def _until(notice: Notice) -> str:
    return notice.queued.about.get("until") or ("enough" if notice.queued.reason == "FIRST" else "taken")


def _newest(desk: Desk, incident: Incident, member: str) -> Notice | None:
    """The newest of a member's that a report is waited for: what was sent before says no more than that."""
    notices = (desk.state.notices[ident] for ident in reversed(incident.told[member]))
    return next((one for one in notices if _waits_for_report(one)), None)


def _waits_for_report(notice: Notice) -> bool:
    return notice.queued.channel in REPORTING and notice.queued.reason in MATTERS


def _still_calls(desk: Desk, incident: Incident, notice: Notice) -> bool:
    """Whether it is still worth another way: a ring's call is not, once it would have been taken back."""
    return notice.queued.reason not in ALARMS or not _is_met(desk, incident, _until(notice))
