"""What members write back, and what it does. Every text that somebody wrote gets one answer that says what it did."""

from typing import Final

from controller.entries import Chain, IncidentMoved, IncidentNoted, NoticeMoved, NoticeQueued, NoticesQueued, ReplyReceived
from controller.rules import escalation
from controller.rules.desk import Desk
from controller.rules.effects import QueueNotice
from controller.rules.incident import CHECK, QUIET, Happening, Incident, State, step
from controller.rules.inputs import MemberWrote
from controller.rules.policy import Police
from controller.rules.replies import Reply, Word, read

TO_CLOSE: Final = 2
"""So many members' word ends an incident, or one's who is there."""
ANSWERS: Final = 400
"""Priority of an answer: after every alarm, before other news."""


def wrote(desk: Desk, event: MemberWrote) -> None:
    """Somebody wrote."""
    reply = read(event.text)
    if event.member is None:
        desk.record(Chain.OPEN, ReplyReceived(event.channel, reply.word.value, text_ref=event.text_ref or "", digest=event.text_digest))
        return
    incident, trouble = _which(desk, event.member, reply)
    chain = incident.chain if incident is not None else _chain(desk, event.member)
    desk.record(chain, ReplyReceived(
        event.channel, reply.word.value, event.member, incident.id if incident is not None else "", event.text_ref or "", event.text_digest))
    if incident is None:
        _answer(desk, event, chain, trouble, codes=" ".join(_open_codes(desk, event.member)))
        return
    _heard(desk, incident, event)
    _do(desk, incident, event, reply)


def _which(desk: Desk, member: str, reply: Reply) -> tuple[Incident | None, str]:
    """The incident that a reply is about; else what to answer."""
    if reply.word is Word.UNKNOWN:
        return None, "not_understood"
    known = [desk.state.incidents[i] for i in desk.state.of_member.get(member, ()) if i in desk.state.incidents]
    if reply.code:
        found = next((incident for incident in known if incident.code == reply.code), None)
        if found is None:
            return None, "nothing_open"
        return (found, "") if found.is_open else (None, "already_closed")
    live = [incident for incident in known if incident.is_open]
    if len(live) == 1:
        return live[0], ""
    if len(live) > 1:
        return None, "which_one"
    return None, "already_closed" if known else "nothing_open"


def _chain(desk: Desk, member: str) -> Chain:
    """Where a reply about no certain incident is recorded: sealed when it may be about a secret one."""
    known = [desk.state.incidents[i] for i in desk.state.of_member.get(member, ()) if i in desk.state.incidents]
    return Chain.SEALED if any(incident.secret for incident in known) else Chain.OPEN


def _open_codes(desk: Desk, member: str) -> list[str]:
    known = (desk.state.incidents.get(i) for i in desk.state.of_member.get(member, ()))
    return [incident.code for incident in known if incident is not None and incident.is_open]


def _heard(desk: Desk, incident: Incident, event: MemberWrote) -> None:
    """A human act: what this member was told has been heard, and what else waits for them is spared."""
    for ident in incident.told.get(event.member or "", ()):
        notice = desk.state.notices[ident]
        if notice.state in {"notified", "delivered"}:
            desk.record(incident.chain, NoticeMoved(ident, "heard", notice.attempt))


def _do(desk: Desk, incident: Incident, event: MemberWrote, reply: Reply) -> None:
    member = event.member or ""
    match reply.word:
        case Word.GO:
            _take(desk, incident, event, Happening.TOOK)
        case Word.ON_SCENE:
            _take(desk, incident, event, Happening.ARRIVED)
        case Word.FALSE | Word.OVER:
            _doubt(desk, incident, event, reply.word)
        case Word.ARMED | Word.HELP:
            desk.record(incident.chain, IncidentNoted(incident.id, member, reply.word.value, event.channel))
            template = reply.word.value
            escalation.news(desk, incident, template, "ARMED" if reply.word is Word.ARMED else "HELP", but=[member], priority=0, by=member)
            if reply.word is Word.HELP and desk.kind_of(incident).police is not Police.NEVER:
                escalation.tell_police(desk, incident, template)
            _answer(desk, event, incident.chain, "noted_you", incident)
        case _:
            desk.record(incident.chain, IncidentNoted(incident.id, member, reply.word.value, event.channel))
            _answer(desk, event, incident.chain, "noted_you", incident)


def _take(desk: Desk, incident: Incident, event: MemberWrote, how: Happening) -> None:
    member = event.member or ""
    known = incident.present if how is Happening.ARRIVED else incident.takers
    if member in known:
        _answer(desk, event, incident.chain, "taken_you" if how is Happening.TOOK else "on_scene_you", incident)
        return
    first = not incident.takers
    to = step(incident.state, how)
    if how is Happening.TOOK and to is State.ON_SCENE:
        # Somebody is there already: the state stays, and this one goes all the same.
        desk.record(incident.chain, IncidentNoted(incident.id, member, Word.GO.value, event.channel))
    else:
        desk.record(incident.chain, IncidentMoved(incident.id, to, member, event.channel))
    kind = desk.kind_of(incident)
    if first:
        escalation.stop(desk, incident, {"ESCALATED", "REPEAT_DUE"})
        if kind.police is Police.AFTER_VERIFICATION and how is Happening.ARRIVED:
            escalation.tell_police(desk, incident, "alarm")
    if len(incident.takers) >= kind.enough:
        escalation.stop(desk, incident, {"FIRST", "OTHER_WAY"})
    if not incident.cancelled:
        if incident.state is State.ON_SCENE:
            desk.set_step(incident, QUIET, escalation.QUIET_S)
        elif first:
            desk.set_step(incident, CHECK, desk.policy.times.taken_s)
    escalation.news(desk, incident, "taken" if how is Happening.TOOK else "on_scene", "TAKEN" if how is Happening.TOOK else "ARRIVED",
                    but=[member], by=member)
    _answer(desk, event, incident.chain, "taken_you" if how is Happening.TOOK else "on_scene_you", incident)
    escalation.light(desk, incident)


def _doubt(desk: Desk, incident: Incident, event: MemberWrote, word: Word) -> None:
    """One person's word ends nothing, unless that one is there; two persons' does."""
    member = event.member or ""
    desk.record(incident.chain, IncidentNoted(incident.id, member, "false", event.channel))
    outcome = "cancelled" if incident.cancelled else "mistake" if word is Word.FALSE else "real"
    if member in incident.present or len(incident.doubters) >= TO_CLOSE:
        escalation.close(desk, incident, member, event.channel, outcome)
    else:
        escalation.news(desk, incident, "says_false", "NOTED", but=[member], by=member)
        _answer(desk, event, incident.chain, "false_you", incident)


def _answer(desk: Desk, event: MemberWrote, chain: Chain, template: str, incident: Incident | None = None, **about: str) -> None:
    """Answer whoever wrote, by the way they came."""
    member = event.member or ""
    if event.channel not in {"sms", "apprise"}:
        return
    if incident is not None:
        if member in desk.registry.members:
            escalation.tell(desk, incident, [(member, event.channel)], template, "ANSWER", ANSWERS, **about)
        return
    number = desk.state.numbers.get((member, event.channel, chain), 0) + 1
    ident = f"a{chain.value[0]}{desk.state.answers.get(chain, 0) + 1}"
    notice = NoticeQueued(ident, member, event.channel, template, "ANSWER", ANSWERS, number, {k: v for k, v in about.items() if v})
    desk.record(chain, NoticesQueued((notice,)))
    desk.then(QueueNotice(notice))
