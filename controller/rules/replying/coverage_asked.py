"""Somebody asks what is not protected now: `ESTADO` or `COBERTURA`, answered in one text with their own blocks alone.

A list of unguarded blocks is a burglar's. So whoever is on duty for the zone, or looks after it, hears of all of it; anybody else
of the blocks that their shifts name, at whatever hour, since they live there.
"""

import unicodedata
from typing import Final

from controller.entries import Chain, ReplyReceived
from controller.registry import Member, Role
from controller.rules.desk import Desk
from controller.rules.inputs import MemberWrote
from controller.rules.replying.technicians import MAY
from controller.rules.telling import answer, way_back

NAMED_MAX: Final = 4
"""So many blocks a text names, those that have waited longest; it says how many there are in all."""
_WORDS: Final = frozenset({"ESTADO", "COBERTURA", "STATUS", "COVERAGE"})


def wrote(desk: Desk, event: MemberWrote) -> bool:
    """Whether the text asks that, by somebody who may know; then it is on record, and answered."""
    member = desk.registry.members.get(event.member or "")
    word = unicodedata.normalize("NFKC", event.text[:200]).strip(" \t\r\n.,:;!?¿¡").upper()
    if member is None or word not in _WORDS or not (own := _own(desk, member)):
        return False
    desk.record(Chain.OPEN, ReplyReceived(
        event.channel, "coverage", member.id, text_ref=event.text_ref or "", digest=event.text_digest, mark=event.mark))
    known = desk.state.covered.blocks
    bad = sorted((known[block].since_ms, block) for block in own if block in known and known[block].why)
    way = way_back(desk, event, member.id)
    if not bad:
        answer(desk, Chain.OPEN, way, "coverage_well_you", {"count": str(len(own))})
    elif len(bad) == 1:
        [(since_ms, block)] = bad
        answer(desk, Chain.OPEN, way, "coverage_one_you", {"block": block, "at_ms": str(since_ms), "why": known[block].why.split()[0]})
    else:
        named = bad[:NAMED_MAX]
        answer(desk, Chain.OPEN, way, "coverage_you", {
            "count": f"{len(bad)}/{len(own)}", "blocks": " ".join(block for _, block in named), "since": " ".join(str(at_ms) for at_ms, _ in named)})
    return True


def _own(desk: Desk, member: Member) -> list[str]:
    """The blocks of which a member may know."""
    now_ms = desk.now.utc_ms
    if MAY.intersection(member.roles):
        return list(desk.registry.blocks)
    named = {block for shift in desk.registry.shifts if shift.member == member.id for block in shift.blocks}
    return [block for block in desk.registry.blocks
            if block in named or member.id in desk.network.roster.on_duty(block, tuple(Role), now_ms)]
