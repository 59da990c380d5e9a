"""What was collected in a storm goes out in few texts: each call in them is a notice of its own, and shares the fate of its text."""

from collections import defaultdict
from typing import Final

from controller.entries import Chain, NoticeMoved, NoticeQueued
from controller.rules import escalation
from controller.rules.desk import Desk
from controller.rules.inputs import NoticeReported
from controller.rules.remembered import FINAL, Notice
from controller.rules.telling import other_way, queue

CALLS_MAX: Final = 6
"""So many codes, with their blocks, fit a text."""


def due(desk: Desk, member: str) -> None:
    """Send a member what was collected for them, the most serious first."""
    state = desk.state
    groups: defaultdict[tuple[str, str, bool, str], list[Notice]] = defaultdict(list)
    for ident in [ident for ident, its in state.storm.held.items() if its == member]:
        notice = state.notices[ident]
        template = "summary_zone" if notice.queued.reason == "ZONE" else "summary"
        groups[notice.queued.channel, notice.queued.about.get("contact", ""), state.incidents[notice.incident].drill, template].append(notice)
    for (channel, contact, drill, template), notices in groups.items():
        calls: dict[str, list[str]] = {}
        for notice in sorted(notices, key=lambda one: (one.queued.priority, state.incidents[one.incident].opened_at_ms, one.queued.id)):
            calls.setdefault(notice.incident, []).append(notice.queued.id)
        named = list(calls.values())
        for chunk in (named[n:n + CALLS_MAX] for n in range(0, len(named), CALLS_MAX)):
            idents = [ident for call in chunk for ident in call]
            about = {"notices": " ".join(idents)} | ({"contact": contact} if contact else {}) | ({"drill": "1"} if drill else {})
            number = state.numbers.get((member, channel, Chain.OPEN), 0) + 1
            priority = state.notices[idents[0]].queued.priority
            queue(desk, Chain.OPEN, [NoticeQueued(f"s{idents[0]}", member, channel, template, "SUMMARY", priority, number, about)])


def carried(desk: Desk, summary: Notice) -> list[Notice]:
    """The notices of the calls that a summary brings."""
    found = (desk.state.notices.get(ident) for ident in summary.queued.about.get("notices", "").split())
    return [notice for notice in found if notice is not None]


def went(desk: Desk, summary: Notice, attempt: int) -> None:
    """It went out, and each of its calls with it."""
    for notice in carried(desk, summary):
        moved = NoticeMoved(notice.queued.id, "notified", attempt)
        if notice.state == "stopped":
            escalation.reached_after_all(desk, desk.state.incidents[notice.incident], notice, moved)
        elif notice.state not in FINAL:
            desk.record(Chain.OPEN, moved)


def failed(desk: Desk, summary: Notice, moved: NoticeMoved) -> None:
    """It never will: each call goes another way."""
    for notice in carried(desk, summary):
        if notice.state not in FINAL:
            incident = desk.state.incidents[notice.incident]
            desk.record(Chain.OPEN, NoticeMoved(notice.queued.id, "failed", moved.attempt, why=moved.why))
            if escalation.goes_on(incident, notice):
                escalation.failed(desk, incident, notice)


def reported(desk: Desk, event: NoticeReported) -> bool:
    """The network says whether a summary arrived, and so did each of its calls; what did not goes another way. False: it was none."""
    idents = desk.state.storm.summaries.get(event.notice)
    if idents is None:
        return False
    to, why = ("delivered", "") if event.delivered else ("failed", event.why[:200])
    desk.record(Chain.OPEN, NoticeMoved(event.notice, to, why=why))
    for notice in [desk.state.notices[ident] for ident in idents if ident in desk.state.notices]:
        if notice.state == "notified":
            incident = desk.state.incidents[notice.incident]
            desk.record(Chain.OPEN, NoticeMoved(notice.queued.id, to, notice.attempt, why=why))
            if not event.delivered and escalation.goes_on(incident, notice):
                escalation.failed(desk, incident, notice)
    return True


def stuck(desk: Desk, summary: Notice) -> None:
    """Its channel does not work now: whoever has another way gets each call by that, too."""
    for notice in carried(desk, summary):
        incident = desk.state.incidents[notice.incident]
        if notice.state not in FINAL and escalation.goes_on(incident, notice):
            other_way(desk, incident, notice, stuck=True)
