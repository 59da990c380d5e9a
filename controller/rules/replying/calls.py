"""Calls both ways: what whoever answered pressed, and members who ring one of our numbers, which costs them nothing.

A ring is never heard, and neither is a call that is answered without a digit: a mailbox answers, too. A digit is a human act.
A member who rings the number that told them something has heard it; who rings the second number says that they go.
"""

from typing import Final

from controller.entries import Chain, NoticeMoved, ReplyReceived
from controller.rules.desk import Desk
from controller.rules.inputs import CallAnswered, MemberCalled, MemberWrote
from controller.rules.replying import answers
from controller.rules.telling import CALL

SAYS: Final = {"1": "1", "0": "0"}
"""The digits that do what the same digit does in a text. What else a detector believes to have heard is a sign of life."""
CALLED: Final = "called"
"""What a missed call to the number of the texts means, and a digit that means nothing else."""
STRANGERS_AN_HOUR: Final = 12
"""So many calls of nobody known are put on record."""


def answered(desk: Desk, event: CallAnswered) -> None:
    """Somebody, or a mailbox, picked up a call of ours, and perhaps pressed a digit. The same again changes nothing."""
    notice = desk.state.notices.get(event.notice)
    incident = desk.state.incidents.get(notice.incident) if notice is not None else None
    if notice is None or incident is None:
        return
    if notice.state in {"queued", "waiting"}:
        desk.record(notice.chain, NoticeMoved(event.notice, "notified", notice.attempt))
    if notice.state == "notified":
        desk.record(notice.chain, NoticeMoved(event.notice, "delivered", notice.attempt))
    member, says = notice.queued.member, SAYS.get(event.digit)
    if says is not None:
        answers.wrote(desk, MemberWrote(CALL, member, f"{says} {incident.code}", None, None, ""))
    elif event.digit and incident.is_open and desk.may_know(incident, member) and notice.state != "heard":
        desk.record(incident.chain, ReplyReceived(CALL, CALLED, member, incident.id))
        answers.heard(desk, incident, member)


def called(desk: Desk, event: MemberCalled) -> None:
    """Somebody rang one of our numbers and was not answered."""
    member = event.member
    if member is None:
        strangers = desk.state.callers.strangers_lately(desk.now.utc_ms)
        if strangers < STRANGERS_AN_HOUR:
            desk.record(Chain.OPEN, ReplyReceived(CALL, CALLED))
        return
    if event.going:
        answers.wrote(desk, MemberWrote(CALL, member, "1", None, None, ""))
        return
    live = answers.live(desk, member)
    if not live:
        desk.record(answers.chain_of(desk, member), ReplyReceived(CALL, CALLED, member))
    for incident in live:
        desk.record(incident.chain, ReplyReceived(CALL, CALLED, member, incident.id))
        answers.heard(desk, incident, member)
