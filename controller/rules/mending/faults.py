"""What needs mending: each fault has a beginning, one telling, a reminder now and then, and an end."""

import re
from collections.abc import Iterable
from typing import Final

from controller.entries import Chain, FaultEnded, FaultRaised, NoticeMoved, NoticeQueued
from controller.registry import Member
from controller.rules import codes
from controller.rules.desk import Desk
from controller.rules.effects import StopNotice
from controller.rules.mending import menders
from controller.rules.mending.fault_kinds import FLAPPING, Ends, flapping_of, kind_of
from controller.rules.remembered import FINAL, Notice
from controller.rules.signs import Signs
from controller.rules.telling import FAULTS, queue, ways

ENDS_BY_ITSELF_MS: Final = 3_600_000
"""What is only ever seen happening is over when it was not seen for so long."""
BLOCKS_NAMED: Final = 12
"""So many names a text has room for."""
REASONS: Final = frozenset({"FAULT", "FAULT_REMINDER", "FAULT_ENDED", "FAULT_GREW"})
NOBODY_ON_DUTY: Final = "nobody-on-duty"
_SPAN: Final = re.compile("([0-9]+) ([0-9]+) ")
"""With which its detail begins: from when until when, UTC ms."""


def raise_fault(desk: Desk, subject: str, code: str, detail: str = "", *, secret: bool = False, tell: bool = True) -> None:
    """Put it on record and tell who mends it, unless it stands already or they know of it still.

    secret: about a silent press; it is recorded in the sealed chain and nobody is told, since a telling would show it.
    tell: false: whoever raises it tells it.
    """
    if (subject, code) in (desk.state.sealed_faults if secret else desk.state.fault_of):
        return
    chain = Chain.SEALED if secret else Chain.OPEN
    before = desk.state.flaps.risings(chain, (subject, code), desk.now.utc_ms)
    fault = codes.fault_id(desk.zone, subject, code, desk.now.utc_ms, secret=secret, before=before)
    know = set() if secret else _know_still(desk, subject, code)
    desk.record(chain, FaultRaised(fault, subject, code, detail[:200]))
    if secret or not tell:
        return
    if _comes_and_goes(desk, subject, code):
        raise_fault(desk, subject, f"{FLAPPING}:{code}")
    elif not menders.waits(desk, desk.state.faults[fault]):
        _tell(desk, fault, "fault", "FAULT", [member for member in menders.hearers(desk, subject, code) if member.id not in know])


def end_fault(desk: Desk, subject: str, code: str, *, secret: bool = False) -> None:
    """It is mended. What is still unsent of it is taken back; who was told is told, unless it comes back before long."""
    ident = (desk.state.sealed_faults if secret else desk.state.fault_of).get((subject, code))
    if ident is None:
        return
    if secret:
        desk.record(Chain.SEALED, FaultEnded(ident))
        return
    for notice in [desk.state.notices[notice] for notice in desk.state.faults[ident].unsent]:
        _stop(desk, notice)
    if not menders.is_held(desk, subject, code):
        _tell(desk, ident, "fault_ended", "FAULT_ENDED", _who_know(desk, subject, code), desk.policy.times.fault_quiet_s)
    desk.record(Chain.OPEN, FaultEnded(ident))


def _comes_and_goes(desk: Desk, subject: str, code: str) -> bool:
    """Whether it has come so often lately that it is held down."""
    times = desk.policy.times
    may = kind_of(subject, code).flaps and flapping_of(code) is None and not menders.is_held(desk, subject, code)
    return may and desk.state.flaps.times((subject, code), desk.now.utc_ms - times.flap_s * 1000) >= times.flap_times


def _keeps_still(desk: Desk, subject: str, code: str) -> None:
    """What came and went does so no more: that it is over is told, or that it stands."""
    held = flapping_of(code) or ""
    if desk.now.utc_ms - desk.state.flaps.moved_at_ms.get((subject, held), 0) < desk.policy.times.flap_s * 500:
        return
    ident, stands = desk.state.fault_of[subject, code], (subject, held) in desk.state.fault_of
    for notice in [desk.state.notices[notice] for notice in desk.state.faults[ident].unsent]:
        _stop(desk, notice)
    if not stands:
        know = {member.id: member for its in (code, held) for member in _who_know(desk, subject, its)}
        _tell(desk, ident, "fault_ended", "FAULT_ENDED", know.values())
    desk.record(Chain.OPEN, FaultEnded(ident))
    if stands:
        tell_standing(desk, subject, held, "FAULT")


def _who_know(desk: Desk, subject: str, code: str) -> list[Member]:
    return [desk.registry.members[member] for member in desk.state.fault_known.get((subject, code), ()) if member in desk.registry.members]


def tell_standing(desk: Desk, subject: str, code: str, reason: str) -> None:
    """Tell who hears of a fault that stands how it is now."""
    fault = desk.state.faults[desk.state.fault_of[subject, code]]
    _tell(desk, fault.id, "fault", reason, menders.hearers(desk, subject, code))


def _know_still(desk: Desk, subject: str, code: str) -> set[str]:
    """Who was told of it the last time and not yet that it was mended. The news that it was, which is not true any more, is taken back."""
    know = set(desk.state.fault_known.get((subject, code), ()))
    for notice in _unsent_of_mended(desk, subject, code):
        if notice.due_at_ms <= desk.now.utc_ms:
            # It may be under way.
            know.discard(notice.queued.member)
        _stop(desk, notice)
    return know


def _unsent_of_mended(desk: Desk, subject: str, code: str) -> list[Notice]:
    found = (desk.state.notices.get(ident) for ident in desk.state.mended.get((subject, code), ()))
    return [notice for notice in found if notice is not None and notice.state not in FINAL]


def reached_after_all(desk: Desk, notice: Notice, moved: NoticeMoved) -> None:
    """What was taken back was under way and went out (`moved`): whoever has it hears that it is mended, as all who were told."""
    queued = notice.queued
    subject, code = queued.about["subject"], queued.about["fault"]
    desk.record(notice.chain, moved)
    member = desk.registry.members.get(queued.member)
    hears = any(one.queued.member == queued.member for one in _unsent_of_mended(desk, subject, code))
    if member is None or hears or queued.reason == "FAULT_ENDED" or (subject, code) in desk.state.fault_of:
        return
    tell_members(desk, [member], "fault_ended", "FAULT_ENDED", queued.id, desk.policy.faults_to.channels, {"subject": subject, "fault": code},
                 notice.fault, in_s=desk.policy.times.fault_quiet_s)


def _stop(desk: Desk, notice: Notice) -> None:
    desk.record(Chain.OPEN, NoticeMoved(notice.queued.id, "stopped", notice.attempt))
    desk.then(StopNotice(notice.queued.id))


def seen(desk: Desk, signs: Signs, subject: str, code: str, *, secret: bool = False) -> None:
    """Something happened that is a fault until it was not seen for a while."""
    raise_fault(desk, subject, code, secret=secret)
    signs.seen_at_ms[(desk.state.sealed_faults if secret else desk.state.fault_of)[subject, code]] = desk.at_ms


def look(desk: Desk, signs: Signs) -> None:
    """Remind of what lasts; end what was not seen any more."""
    for fault in list(desk.state.faults.values()):
        key = fault.subject, fault.code
        secret = desk.state.sealed_faults.get(key) == fault.id
        if not secret and flapping_of(fault.code) is not None:
            _keeps_still(desk, *key)
        row = kind_of(*key)
        if row.ends is Ends.UNSEEN and desk.at_ms - signs.seen_at_ms.setdefault(fault.id, desk.at_ms) >= ENDS_BY_ITSELF_MS:
            del signs.seen_at_ms[fault.id]
            end_fault(desk, *key, secret=secret)
        elif not secret and key in desk.state.fault_of and not fault.notices and not menders.waits(desk, fault):
            # It has stood long enough; or nobody was there to be told, or all knew of it still.
            know = desk.state.fault_known.get(key, ())
            _tell(desk, fault.id, "fault", "FAULT", [member for member in menders.hearers(desk, *key) if member.id not in know])
        told_ms = desk.now.utc_ms - desk.state.fault_told_at_ms.get(key, desk.now.utc_ms)
        if not secret and key in desk.state.fault_of and not menders.is_held(desk, *key) and told_ms >= menders.repeat_s(desk, *key) * 1000:
            _tell(desk, fault.id, "fault_reminder", "FAULT_REMINDER", menders.hearers(desk, *key))


def goes_another_way(desk: Desk, notice: Notice, moved: NoticeMoved) -> bool:
    """A notice about a fault has failed (`moved`): it goes this member's next way. False, and nothing is recorded, when none is left.

    A broken modem is not told through itself alone.
    """
    queued = notice.queued
    member = desk.registry.members.get(queued.member)
    if member is None or queued.reason not in REASONS:
        return False
    spent = [*queued.about.get("spent", "").split(), queued.channel]
    left = [channel for channel in desk.policy.faults_to.channels if channel not in spent]
    if not ways([member], left):
        return False
    desk.record(notice.chain, moved)
    tell_members(desk, [member], queued.template, queued.reason, queued.id, left, {**queued.about, "spent": " ".join(spent)}, notice.fault,
                 chain=notice.chain)
    return True


def tell_members(
    desk: Desk, members: Iterable[Member], template: str, reason: str, ident: str, channels: Iterable[str], about: dict[str, str],
    fault: str = "", first: int = 1, chain: Chain = Chain.OPEN, in_s: int = 0,
) -> None:
    """Queue a notice that is about no incident, to be sent so many seconds from now; `ident` begins the notices' ids, counted from `first`."""
    notices = tuple(
        NoticeQueued(f"{ident}-{n}", *way[:2], template, reason, FAULTS, desk.state.numbers.get((*way[:2], chain), 0) + 1, about)
        for n, way in enumerate(ways(members, tuple(channels)), first)
    )
    queue(desk, chain, notices, fault=fault, in_s=in_s)


def _tell(desk: Desk, ident: str, template: str, reason: str, members: Iterable[Member], in_s: int = 0) -> None:
    fault = desk.state.faults[ident]
    about = {"subject": fault.subject, "fault": fault.code}
    if reason in {"FAULT_REMINDER", "FAULT_GREW"}:
        about["at_ms"] = str(fault.raised_at_ms)
    blocks = desk.state.outages.blocks.get(ident)
    if blocks and reason != "FAULT_ENDED":
        template, about = "outage", {**about, "count": str(len(blocks)), "blocks": " ".join(list(blocks)[:BLOCKS_NAMED])}
    when = _SPAN.match(fault.detail) if fault.code == NOBODY_ON_DUTY and reason != "FAULT_ENDED" else None
    if when is not None:
        template, about = "roster_gap", {**about, "from_ms": when[1], "at_ms": when[2]}
    tell_members(desk, members, template, reason, ident, desk.policy.faults_to.channels, about, ident, fault.notices + 1, in_s=in_s)
