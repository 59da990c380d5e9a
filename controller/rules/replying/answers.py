"""What people write back, and what it does.

Every text that a member wrote gets one answer that says what it did. Whoever is no member, or not known to be one alone, is
answered once a day, in words that show nothing of any incident.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from controller.entries import Chain, IncidentMoved, IncidentNoted, NoticeMoved, NoticeQueued, ReplyReceived
from controller.rules import escalation, hearing
from controller.rules.calling import danger, police, responders, whole_zone
from controller.rules.codes import secret_half
from controller.rules.console import handing_over, verification
from controller.rules.desk import Desk
from controller.rules.effects import ReleaseText
from controller.rules.incident import CHECK, LOOK, QUIET, Happening, Incident, State, step
from controller.rules.inputs import MemberWrote
from controller.rules.proof import drills, walk
from controller.rules.remembered import DAY_MS
from controller.rules.replying import coverage_asked, technicians
from controller.rules.replying.replies import Reply, Word, read
from controller.rules.replying.written import HELPING
from controller.rules.telling import (
    ALARMS,
    ANSWERS,
    STRANGERS,
    WRITTEN,
    Way,
    answer,
    answer_id,
    in_writing,
    news,
    queue,
    stop,
    tell,
    was_called,
    way_back,
    way_to,
)

TO_CLOSE: Final = 2
"""So many members' word ends an incident, or one's who is there."""
HELP_AGAIN_MS: Final = DAY_MS
"""Who was told what can be written is not told again for a day: two machines would talk for ever."""
STRANGERS_AN_HOUR: Final = 12
"""So many of them are answered: what strangers write must not use up the SIM's credit."""
HOUR_MS: Final = 3_600_000
LATE_MS: Final = 60_000
"""A text that is older than this was held up on its way."""
TOO_LATE_MS: Final = 7 * DAY_MS
"""Networks keep a text for three days; what claims to be older says nothing that can be believed."""
CLOCKS_MS: Final = 60_000
"""So far the network's clock and ours may be apart."""
DANGER: Final = frozenset({Word.ARMED, Word.HELP})
CODES_MAX: Final = 12
"""So many codes a question names at most."""


def wrote(desk: Desk, event: MemberWrote) -> None:
    """Somebody wrote. The same text again changes nothing."""
    if event.handle:
        desk.then(ReleaseText(event.handle))
    if event.mark and desk.state.written.has_read(event.mark):
        return
    reply = read(event.text)
    if event.member is None:
        # What is written from the phone of a silent circle's member shows in no open entry, whoever else has that phone.
        chain = Chain.SEALED if any(chain_of(desk, member) is Chain.SEALED for member in event.sharers) else Chain.OPEN
        desk.record(chain, ReplyReceived(
            event.channel, reply.word.value, text_ref=event.text_ref or "", digest=event.text_digest, mark=event.mark))
        _answer_stranger(desk, event, chain)
        return
    if coverage_asked.wrote(desk, event):
        for one in live(desk, event.member):
            heard(desk, one, event.member)
        return
    if walk.wrote(desk, event) or technicians.ordered(desk, event) or drills.wrote(desk, event):
        return
    member = event.member
    incident, trouble, code = _which(desk, member, reply, event.written_at_ms)
    chain = incident.chain if incident is not None else chain_of(desk, member)
    desk.record(chain, ReplyReceived(
        event.channel, reply.word.value, member, incident.id if incident is not None else "", event.text_ref or "", event.text_digest, event.mark))
    if incident is not None:
        heard(desk, incident, member)
        _do(desk, incident, way_back(desk, event, member, way_to(desk, incident, member)), reply, event)
        responders.answered(desk, incident, member)
        return
    if trouble in {HELPING, "which_one"}:
        # Whoever writes is awake, whatever it says.
        for one in live(desk, member):
            heard(desk, one, member)
    if trouble != HELPING or desk.now.utc_ms - desk.state.written.helped_at_ms.get((chain, member), 0) >= HELP_AGAIN_MS:
        _answer_plainly(desk, way_back(desk, event, member), chain, trouble, code)


def _which(desk: Desk, member: str, reply: Reply, written_at_ms: int) -> tuple[Incident | None, str, str]:
    """The incident that a reply is about; else what to answer, and with which code."""
    if reply.word is Word.UNKNOWN:
        return None, HELPING, ""
    if reply.code:
        ident, _ = desk.state.by_code.get(reply.code, ("", 0))
        found = desk.state.incidents.get(ident)
        while found is not None and (into := desk.state.courses.of[found.id].merged_into):
            found = desk.state.incidents.get(into)
        if found is None or not desk.may_know(found, member):
            return None, "already_closed" if ident and found is None and not secret_half(reply.code) else "nothing_open", reply.code
        return (found, "", "") if found.is_open else (None, "already_closed", found.code)
    found_open = live(desk, member)
    if LATE_MS <= desk.now.utc_ms - written_at_ms < TOO_LATE_MS:
        # The network held it up: it is about what was open when it was written, and never takes what was opened since.
        then = [one for one in _known(desk, member)
                if one.opened_at_ms <= written_at_ms + CLOCKS_MS and (one.is_open or one.moved_at_ms > written_at_ms)]
        # Danger that is said now, by a clock that is not ours, is not lost to what was over long ago, and not asked back.
        now = bool(found_open) and reply.word in DANGER
        if len(then) == 1 and (then[0].is_open or not now):
            return (then[0], "", "") if then[0].is_open else (None, "already_closed", then[0].code)
        if not then and found_open and not now:
            return None, "which_late", ""
    if len(found_open) == 1:
        return found_open[0], "", ""
    if found_open and reply.word in DANGER:
        # Danger is not asked back: it is about what they go to, or the newest.
        return next((one for one in found_open if member in one.takers), found_open[0]), "", ""
    if found_open:
        return None, "which_one", ""
    newest = next(_known(desk, member), None)
    return (None, "already_closed", newest.code) if newest is not None else (None, "nothing_open", "")


def _known(desk: Desk, member: str) -> Iterator[Incident]:
    """The incidents that a member was told of, the newest first."""
    for ident in reversed(desk.state.of_member.get(member, {})):
        incident = desk.state.incidents.get(ident)
        if incident is not None and desk.may_know(incident, member):
            yield incident


def live(desk: Desk, member: str) -> list[Incident]:
    """Those of them that are open; in a storm the newest ones, as many as a text can name."""
    return list(islice((incident for incident in _known(desk, member) if incident.is_open), CODES_MAX))


def chain_of(desk: Desk, member: str) -> Chain:
    """Where a reply about no certain incident is recorded: sealed when it may be about a secret one."""
    return Chain.SEALED if any(incident.secret for incident in _known(desk, member)) else Chain.OPEN


def heard(desk: Desk, incident: Incident, member: str) -> None:
    """A human act: what this member was told has been heard, and what else still calls them is spared."""
    for ident in incident.told.get(member, ()):
        notice = desk.state.notices[ident]
        if notice.state in {"notified", "delivered"}:
            desk.record(incident.chain, NoticeMoved(ident, "heard", notice.attempt))
    stop(desk, incident, ALARMS, [member])


def _do(desk: Desk, incident: Incident, way: Way, reply: Reply, event: MemberWrote) -> None:
    match reply.word:
        case Word.GO:
            _take(desk, incident, way, Happening.TOOK)
        case Word.ON_SCENE:
            _take(desk, incident, way, Happening.ARRIVED)
        case Word.FALSE | Word.OVER:
            note = (event.text_ref or "", event.text_digest) if reply.noted else ("", "")
            _ended(desk, incident, way, reply.word, note)
        case Word.ARMED | Word.HELP:
            _danger(desk, incident, way, reply.word)
        case Word.CANNOT:
            _cannot(desk, incident, way)


def _take(desk: Desk, incident: Incident, way: Way, how: Happening) -> None:
    news_to_them = way.member not in (incident.present if how is Happening.ARRIVED else incident.takers)
    take(desk, incident, way.member, way.channel, how)
    _answer(desk, incident, way, "on_scene_you" if how is Happening.ARRIVED else "taken_you")
    if news_to_them:
        responders.brief(desk, incident, way.member)


def take(desk: Desk, incident: Incident, member: str, channel: str, how: Happening) -> None:
    """A member goes, or is there, and the others hear it. Saying so again changes nothing."""
    arrived = how is Happening.ARRIVED
    if member in (incident.present if arrived else incident.takers):
        return
    had = responders.taken(desk, incident)
    to = step(incident.state, how)
    if not arrived and to is State.ON_SCENE:
        # Somebody is there already: the state stays, and this one goes all the same.
        desk.record(incident.chain, IncidentNoted(incident.id, member, Word.GO.value, channel))
    else:
        desk.record(incident.chain, IncidentMoved(incident.id, to, member, channel))
    has = responders.taken(desk, incident)
    first = has and not had
    hearing.leave_in_peace(desk, incident)
    if has:
        stop(desk, incident, whole_zone.wider(desk, incident) - ALARMS)
    if arrived:
        verification.verify(desk, incident, member, channel)
    giver = handing_over.taken(desk, incident, member, channel)
    police.accept(desk, incident, member, channel)
    if incident.cancelled:
        desk.set_step(incident, LOOK, desk.policy.times.taken_s)
    elif incident.state is State.ON_SCENE:
        desk.set_step(incident, QUIET, desk.policy.times.on_scene_s)
    elif first:
        desk.set_step(incident, CHECK, desk.policy.times.taken_s)
    if first:
        hearing.goes_on_wider(desk, incident)
    news(desk, incident, "on_scene" if arrived else "taken", "ARRIVED" if arrived else "TAKEN", but=[member, giver], by=member)
    escalation.light(desk, incident)


def _ended(desk: Desk, incident: Incident, way: Way, word: Word, note: tuple[str, str]) -> None:
    """One person's word ends nothing, unless that one is there; two persons' does, and one's where the block says so too.

    note: the private text and its digest, where it says more than that.
    """
    member = way.member
    desk.record(incident.chain, IncidentNoted(incident.id, member, word.value, way.channel, *note))
    outcome = "cancelled" if incident.cancelled else "mistake" if word is Word.FALSE else "real"
    if member in incident.present or incident.cancelled or len(incident.doubters) >= TO_CLOSE:
        escalation.close(desk, incident, way.member, way.channel, outcome)
        _answer(desk, incident, way, "closed_you")
    else:
        news(desk, incident, "says_false", "NOTED", but=[member], by=member)
        _answer(desk, incident, way, "false_you")


def _danger(desk: Desk, incident: Incident, way: Way, word: Word) -> None:
    """Weapons, or a responder in need: everybody who may go and the police hear it before anything else."""
    verification.verify(desk, incident, way.member, way.channel)
    if word is Word.ARMED:
        danger.armed(desk, incident, way)
    else:
        danger.in_need(desk, incident, way)
    _answer(desk, incident, way, "armed_you" if word is Word.ARMED else "help_you")


def gone(desk: Desk) -> None:
    """The registry has changed: whoever has it and is not in it any more, or may not know of it, can be asked nothing, and nobody waits for them."""
    for incident in [one for one in desk.state.incidents.values() if one.is_open]:
        for member in [*incident.takers, *(one for one in incident.accepted if one not in incident.takers)]:
            if member not in desk.registry.members or not desk.may_know(incident, member):
                _cannot(desk, incident, Way(member, "registry"))


def _cannot(desk: Desk, incident: Incident, way: Way) -> None:
    """Nobody waits for this one; where they were the only one going, the rings go on at once."""
    member = way.member
    was_going, was_there, had_accepted = member in incident.takers, member in incident.present, member in incident.accepted
    handing_over.refused(desk, incident, member, way.channel)
    desk.record(incident.chain, IncidentNoted(incident.id, member, Word.CANNOT.value, way.channel))
    _answer(desk, incident, way, "cannot_you")
    if was_going and not incident.takers and not incident.cancelled:
        desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.GAVE_UP), "rules"))
        news(desk, incident, "gave_up", "GAVE_UP", but=[member], by=member)
        escalation.go_on(desk, incident)
    elif incident.cancelled and not incident.takers and (was_going or incident.looks[-1:] == [member]):
        if was_going:
            desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.GAVE_UP), "rules"))
        escalation.look(desk, incident)
    elif was_there and incident.takers and not incident.present and incident.state is State.ON_SCENE:
        desk.record(incident.chain, IncidentMoved(incident.id, step(incident.state, Happening.LEFT), "rules"))
        desk.set_step(incident, CHECK, desk.policy.times.taken_s)
    elif incident.state is State.OPENED and not incident.cancelled and all(m in incident.refused for m in _called(desk, incident)):
        escalation.go_on(desk, incident)
    elif was_going:
        responders.alone(desk, incident)
    if had_accepted:
        police.gave_back(desk, incident)
    escalation.light(desk, incident)


def _called(desk: Desk, incident: Incident) -> list[str]:
    """Who was called to go so far, the police aside."""
    return [member for member in incident.told if was_called(desk, incident, member)]


def _answer(desk: Desk, incident: Incident, way: Way, template: str) -> None:
    """Answer whoever wrote, by the way they came; who called, by a text."""
    back = in_writing(desk, way)
    if back is not None:
        tell(desk, incident, [back], template, "ANSWER", ANSWERS)


def _answer_plainly(desk: Desk, way: Way, chain: Chain, template: str, code: str) -> None:
    """Answer what is about no certain incident."""
    back = in_writing(desk, way)
    if back is None:
        return
    member = way.member
    about: dict[str, str] = {}
    if template in {"which_one", "which_late"}:
        about = {"codes": " ".join(incident.code for incident in live(desk, member))}
    elif template == "already_closed":
        about = {"code": code}
    answer(desk, chain, back, template, about)


def _answer_stranger(desk: Desk, event: MemberWrote, chain: Chain) -> None:
    """Say once a day that it reached nobody, to a few an hour; the others are on record all the same."""
    ref, now_ms, answered = event.sender_ref, desk.now.utc_ms, desk.state.written.strangers_at_ms.get(chain, {})
    if ref is None or event.channel not in WRITTEN:
        return
    # Also after the clock was set back: abs().
    known = ref in answered and abs(now_ms - answered[ref]) < DAY_MS
    if known or sum(abs(now_ms - at_ms) < HOUR_MS for at_ms in answered.values()) >= STRANGERS_AN_HOUR:
        return
    template = "shared" if event.shared else "stranger"
    queue(desk, chain, [NoticeQueued(answer_id(desk, chain), "", event.channel, template, "ANSWER", STRANGERS, 1, to=ref)])
