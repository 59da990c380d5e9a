"""What channels say of themselves: texts that were taken and reached nobody, and how many they accept."""

from typing import Final

from controller.entries import Chain, NoticeMoved, PaceMeasured
from controller.rules import escalation
from controller.rules.beforehand import in_force
from controller.rules.calling.worth import worth_telling
from controller.rules.desk import Desk
from controller.rules.effects import QueueNotice
from controller.rules.inputs import ChannelPaced, NoticesVanished
from controller.rules.telling import other_way

WHY: Final = "accepted by the network, and neither report nor reply came"


def vanished(desk: Desk, event: NoticesVanished) -> None:
    """Send again what is still worth telling of open incidents, marked as a repetition; where no other modem works, by the members' other ways.

    A notice of which something was heard meanwhile is let be.
    """
    for ident in event.notices:
        notice = desk.state.notices.get(ident)
        incident = desk.state.incidents.get(notice.incident) if notice is not None else None
        if notice is None or incident is None or notice.state != "notified" or not escalation.goes_on(incident, notice):
            continue
        if not incident.is_open or not worth_telling(desk, notice):
            continue
        if event.elsewhere:
            desk.record(notice.chain, NoticeMoved(ident, "waiting", notice.attempt, why=WHY))
            desk.then(QueueNotice(notice.queued, notice.incident, notice.fault, notice.attempt))
        else:
            other_way(desk, incident, notice, stuck=True)


def paced(desk: Desk, event: ChannelPaced) -> None:
    """A channel says its pace; one that is near the one on record changes nothing."""
    known = desk.state.paces.per_minute.get(event.channel)
    if known is None or 4 * abs(event.per_minute - known) > known:
        desk.record(Chain.OPEN, PaceMeasured(event.channel, event.per_minute))
        in_force.look_at_paces(desk)
