"""Notices: to whom, by which channel, with which reason; and taken back while they are unsent.

Every notice carries its reason. FIRST: the ring on duty at the opening. ESCALATED: a wider ring. REPEAT_DUE: the last ring again.
ZONE: the whole zone, once, for the kinds that call it. POLICE: their line. The rest are news for those who know: TAKEN, ARRIVED, GAVE_UP,
ENDED, CANCELLED, LOOK, ARMED, HELP, RAISED, REOPENED, CAME, NOTED, ASKED, UNANSWERED, ALONE, POLICE_KNOW, POLICE_NOT_REACHED; ANSWER: to
somebody who wrote; FAULT, FAULT_REMINDER, FAULT_ENDED, TEST, CANARY; SUMMARY: several calls in one text, each a notice of its own.
What did not reach a member one way goes another for the same reason: `about` has the notice `instead` of which it goes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, NamedTuple

from controller.entries import Chain, NoticeMoved, NoticeQueued, NoticesQueued, flag
from controller.registry import Member
from controller.rules.calling import storm
from controller.rules.desk import Desk
from controller.rules.effects import QueueNotice, StopNotice
from controller.rules.incident import Incident
from controller.rules.inputs import MemberWrote
from controller.rules.remembered import FINAL, Notice

MACHINES: Final = frozenset({"dc09", "cap", "webhook"})
"""Channels that are told what an incident has become, and no small talk."""
MACHINES_HEAR: Final = frozenset({"ENDED", "CANCELLED", "RAISED", "REOPENED", "ARMED", "HELP", "UNANSWERED"})
WRITTEN: Final = frozenset({"sms", "apprise"})
"""Channels by which people write and can be answered."""
CALL: Final = "call"
"""The channel that only wakes: it says nothing."""
WAKES: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE", "POLICE", "LOOK", "HELP"})
"""Reasons for which a phone may ring."""
URGENT: Final = 0
"""Priority of danger to those who go."""
ANSWERS: Final = 5
"""Priority of an answer: somebody waits for it, perhaps for the address."""
NEWS: Final = 500
"""Priority of what can wait until every alarm is out."""
WHOLE_ZONE: Final = 600
"""Priority of what is told to everybody: hundreds of texts hold up nobody who goes, and no other alarm."""
FAULTS: Final = 900
STRANGERS: Final = 950
"""Priority of what is said to people of whom nothing is known: after everything else."""
ALARMS: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE"})
"""Reasons by which a ring calls people to go."""


class Way(NamedTuple):
    """How a member is reached. place: by the how-manieth of their addresses on the channel, from 0."""

    member: str
    channel: str
    place: int = 0

    def on_record(self, about: dict[str, str]) -> dict[str, str]:
        """`about` with the address that this way takes."""
        rest = {name: value for name, value in about.items() if name != "contact"}
        return rest | {"contact": str(self.place)} if self.place else rest


def way_back(desk: Desk, event: MemberWrote, member: str, reached: Way | None = None) -> Way:
    """The way a member's text came: from the address that they wrote from or, where that is not told, where they were `reached`."""
    found = desk.registry.members.get(member)
    refs = [contact.address_ref for contact in found.contacts if contact.channel == event.channel] if found is not None else []
    if event.sender_ref in refs:
        return Way(member, event.channel, refs.index(event.sender_ref))
    return Way(member, event.channel, reached.place if reached is not None and reached.channel == event.channel else 0)


def in_writing(desk: Desk, way: Way) -> Way | None:
    """How a member gets something to read who was reached, or came, this way; None when they cannot."""
    member = desk.registry.members.get(way.member)
    if member is None or (way.channel not in WRITTEN and way.channel != CALL):
        return None
    return way if way.channel in WRITTEN else next(iter(ways([member], WRITTEN)), None)


def ways(members: Iterable[Member], channels: Collection[str]) -> list[Way]:
    """Each member by the first of their contacts whose channel is allowed."""
    found: list[Way] = []
    for member in members:
        for contact in member.contacts:
            if contact.channel in channels:
                found.append(Way(member.id, contact.channel))
                break
    return found


def tell(desk: Desk, incident: Incident, to: Iterable[Way], template: str, reason: str, priority: int, **about: str) -> None:
    """Queue a notice for each of `to`."""
    tell_later(desk, incident, to, template, reason, priority, about, 0)


def tell_later(
    desk: Desk, incident: Incident, to: Iterable[Way], template: str, reason: str, priority: int, about: dict[str, str], in_s: int,
) -> None:
    """Queue a notice for each of `to`, to be sent so many seconds from now."""
    notices: list[NoticeQueued] = []
    drawn: dict[tuple[str, str], int] = {}
    for way in to:
        line = way.member, way.channel
        drawn[line] = drawn.get(line, desk.state.numbers.get((*line, incident.chain), 0)) + 1
        ident = f"{incident.id}-{incident.notices + len(notices) + 1}"
        held = flag(storm.holds(desk, incident, *line, template, reason))
        notices.append(NoticeQueued(ident, *line, template, reason, priority, drawn[line], way.on_record(about), held=held))
    queue(desk, incident.chain, notices, incident=incident.id, in_s=in_s)
    storm.collect(desk, notices)


def queue(desk: Desk, chain: Chain, notices: Collection[NoticeQueued], *, incident: str = "", fault: str = "", in_s: int = 0) -> None:
    """Put these notices on record, and have them sent so many seconds from now."""
    if not notices:
        return
    desk.record(chain, NoticesQueued(tuple(notices), incident=incident, fault=fault))
    due_at_ms = desk.now.utc_ms + in_s * 1000 if in_s else 0
    for notice in notices:
        if notice.held:
            continue
        if due_at_ms:
            desk.record(chain, NoticeMoved(notice.id, "waiting", due_at_ms=due_at_ms))
        desk.then(QueueNotice(notice, incident, fault, due_at_ms=due_at_ms))


def answer(desk: Desk, chain: Chain, way: Way, template: str, about: dict[str, str]) -> None:
    """Answer a member's text that is about no certain incident."""
    number = desk.state.numbers.get((way.member, way.channel, chain), 0) + 1
    queue(desk, chain, [
        NoticeQueued(answer_id(desk, chain), way.member, way.channel, template, "ANSWER", ANSWERS, number, way.on_record(about))])


def answer_id(desk: Desk, chain: Chain) -> str:
    """The id of the next answer in this chain."""
    return f"a{chain.value[0]}{desk.state.written.answers.get(chain, 0) + 1}"


def to_police(desk: Desk, incident: Incident) -> Iterator[Notice]:
    """The notices that offer it to the police, in whatever state."""
    for notices in incident.told.values():
        for ident in notices:
            if desk.state.notices[ident].queued.reason == "POLICE":
                yield desk.state.notices[ident]


def priority_of(desk: Desk, incident: Incident, ring: int) -> int:
    """The more serious the kind and the nearer the ring, the sooner; an exercise never holds up what is real."""
    return desk.kind_of(incident).rank * 10 + min(ring, 9) + (NEWS if incident.drill else 10)


def news(
    desk: Desk, incident: Incident, template: str, reason: str, *, to: Collection[str] | None = None, but: Collection[str] = (),
    priority: int = NEWS, **about: str,
) -> None:
    """Tell people who were told of it (or those of them who are `to`) what has become of it; who heard it with the whole zone hears only the end."""
    found: list[Way] = []
    zone: list[Way] = []
    for member, notices in incident.told.items():
        if member in but or not desk.may_know(incident, member) or member not in desk.registry.members or (to is not None and member not in to):
            continue
        way = way_to(desk, incident, member)
        if way is not None and way.channel == CALL:
            way = in_writing(desk, way)
        if way is not None and (way.channel not in MACHINES or reason in MACHINES_HEAR):
            found.append(way)
        elif way is None and reason == "ENDED":
            zone += filter(None, [_way_that_works([desk.state.notices[ident] for ident in notices])])
    tell(desk, incident, found, template, reason, priority, **about)
    tell(desk, incident, zone, template, reason, WHOLE_ZONE, **about)


def was_called(desk: Desk, incident: Incident, member: str) -> bool:
    """Whether a ring has called this member to go."""
    return any(desk.state.notices[ident].queued.reason in ALARMS for ident in incident.told.get(member, ()))


def told_at_all(desk: Desk, incident: Incident, member: str) -> bool:
    """Whether a member was sent anything about the incident, or still will be, beside what the whole zone is told."""
    return way_to(desk, incident, member) is not None


def to_be_told(desk: Desk, incident: Incident, way: Way) -> bool:
    """Whether a step is still to tell a member this way: nothing was sent to them, or what was has woken nobody and no phone has rung yet."""
    if not told_at_all(desk, incident, way.member):
        return True
    notices = [desk.state.notices[ident] for ident in incident.told[way.member]]
    return way.channel == CALL and not any(one.state == "heard" or (one.queued.channel == CALL and one.state != "stopped") for one in notices)


def way_to(desk: Desk, incident: Incident, member: str) -> Way | None:
    """How a member is reached about the incident; None when nothing was sent to them beside what the whole zone is told."""
    notices = [desk.state.notices[ident] for ident in incident.told.get(member, ())]
    return _way_that_works([notice for notice in notices if notice.queued.reason != "ZONE"])


def _way_that_works(notices: list[Notice]) -> Way | None:
    """How to reach a member who was told: as it last arrived, else as it was last tried; None when nothing was ever sent."""
    way: Way | None = None
    sure = False
    for notice in [one for one in notices if one.queued.channel != CALL] or notices:
        arrived = notice.state in {"notified", "delivered", "heard"}
        if notice.state != "stopped" and (arrived or not sure):
            way, sure = _way(notice.queued), sure or arrived
    return way


def stop(desk: Desk, incident: Incident, reasons: Collection[str], members: Collection[str] | None = None) -> None:
    """Take back what is not sent yet of these reasons (to these members)."""
    stop_those(desk, incident, lambda one: one.queued.reason in reasons and (members is None or one.queued.member in members))


def stop_those(desk: Desk, incident: Incident, which: Callable[[Notice], bool]) -> None:
    """Take back those that are not sent yet."""
    for notices in incident.told.values():
        for ident in notices:
            notice = desk.state.notices[ident]
            if notice.state not in FINAL and which(notice):
                desk.record(incident.chain, NoticeMoved(ident, "stopped", notice.attempt))
                desk.then(StopNotice(ident))


def other_way(desk: Desk, incident: Incident, failed: Notice, *, stuck: bool = False) -> bool:
    """What does not reach a member one way goes another at once, once. False when none is left.

    A second address of a channel is a way of its own, unless (stuck) it is the channel that does not work.
    """
    member = desk.registry.members.get(failed.queued.member)
    if member is None or not desk.may_know(incident, member.id):
        return False
    for other in (desk.state.notices[ident] for ident in incident.told.get(member.id, ())):
        if other.queued.about.get("instead") == failed.queued.id:
            return other.state not in {"failed", "stopped"}
    spent = {_way(failed.queued)}
    before = failed.queued.about.get("instead")
    while before is not None and before in desk.state.notices:
        spent.add(_way(desk.state.notices[before].queued))
        before = desk.state.notices[before].queued.about.get("instead")
    police = failed.queued.reason == "POLICE"
    allowed: set[str] = set() if police else {c for one in desk.kind_of(incident).steps for c in one.channels}
    if police or any(one.queued.member == member.id for one in to_police(desk, incident)):
        allowed.update(desk.policy.police.channels)
    if stuck:
        allowed.discard(failed.queued.channel)
    places: Counter[str] = Counter()
    for contact in member.contacts:
        way = Way(member.id, contact.channel, places[contact.channel])
        places[contact.channel] += 1
        if way.channel in allowed and way not in spent and (way.channel != CALL or failed.queued.reason in WAKES):
            tell(desk, incident, [way], failed.queued.template, failed.queued.reason, failed.queued.priority,
                 **{**failed.queued.about, "instead": failed.queued.id})
            return True
    return False


def _way(queued: NoticeQueued) -> Way:
    return Way(queued.member, queued.channel, int(queued.about.get("contact", "0")))
