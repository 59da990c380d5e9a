"""The monthly walk from button to button: each input is tried by a hand, and what was not for long is somebody's to try.

The block's representative writes `PRUEBA <block>`: its nodes go into test mode for 15 minutes, each hold of an audible button plays
the test pattern and counts, and at the end one text says what is left. A press in earnest proves its button too. A silent button
is in no test mode: its circle arranges its trial, and it alone is reminded of it.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from controller.entries import Chain, OrderSent, ReplyReceived, TimerSet, WalkBegan, WalkEnded, WalkReminded
from controller.messages import TestMode
from controller.registry import Input, Member, Role
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import MemberWrote
from controller.rules.mending import faults
from controller.rules.policy_kinds import TAMPER
from controller.rules.proof.conservation import last_time
from controller.rules.remembered import DAY_MS
from controller.rules.replying.technicians import TEST_MODE_S, may_test
from controller.rules.signs import Signs
from controller.rules.telling import Way, answer, way_back

ENDS: Final = "walk-ends"
OVERDUE: Final = "walk-overdue"
NAMED_MAX: Final = 4
"""So many inputs a text names; of the others it says how many there are."""
CHANNELS: Final = ("sms", "apprise")
MAY: Final = frozenset({Role.TECHNICIAN, Role.COORDINATOR})
_WORDS: Final = frozenset({"PRUEBA", "TEST"})
_END: Final = frozenset({"FIN", "END", "OFF"})


def wrote(desk: Desk, event: MemberWrote) -> bool:
    """Whether the text is `PRUEBA <block>` (or its `FIN`) by somebody who may; then it is on record, and under way."""
    member = desk.registry.members.get(event.member or "")
    words = unicodedata.normalize("NFKC", event.text[:200]).upper().split()
    if member is None or len(words) not in {2, 3} or words[0].strip(".:,") not in _WORDS:
        return False
    block = words[1].lower().strip(".,")
    over = len(words) == 3 and words[2].strip(".") in _END
    mine = MAY.intersection(member.roles) or member in representatives(desk, block)
    if block not in desk.registry.blocks or block in desk.registry.nodes or not mine or (len(words) == 3 and not over):
        return False
    way = way_back(desk, event, member.id)
    desk.record(Chain.OPEN, ReplyReceived(
        event.channel, "walk-end" if over else "walk", member.id, text_ref=event.text_ref or "", digest=event.text_digest, mark=event.mark))
    there = [node for node in desk.network.nodes_of(block) if (life := desk.state.nodes.get(node)) is not None and life.boot and not life.gone]
    if not there:
        answer(desk, Chain.OPEN, way, "node_away_you", {"subject": f"block/{block}"})
        return True
    if not over and not may_test(desk, there):
        answer(desk, Chain.OPEN, way, "test_mode_often_you", {"subject": f"block/{block}"})
        return True
    for node in there:
        _command(desk, node, way, over=over)
    if over:
        ends(desk, block)
    else:
        desk.record(Chain.OPEN, WalkBegan(block, way.member, way.channel, way.place))
        desk.record(Chain.OPEN, TimerSet(ENDS, block, desk.at_ms + TEST_MODE_S * 1000, TEST_MODE_S))
    return True


def tested(desk: Desk, block: str) -> bool:
    """A hand tried a button of the block: whether that is part of a walk, of which its end will tell."""
    running = desk.state.walked.running.get(block)
    if running is None:
        return False
    if not _left(desk, block, running.began_at_ms):
        ends(desk, block)
    return True


def ends(desk: Desk, block: str) -> None:
    """The walk is over: whoever went hears what is left."""
    running = desk.state.walked.running.get(block)
    if running is None:
        return
    left = _left(desk, block, running.began_at_ms)
    desk.record(Chain.OPEN, WalkEnded(block, left))
    if (ENDS, block) in desk.state.timers.running:
        desk.record(Chain.OPEN, TimerSet(ENDS, block))
    way = Way(running.body.by, running.body.channel, running.body.place)
    if way.member in desk.registry.members:
        about = {"block": block} | ({"codes": _short(left)} if left else {})
        answer(desk, Chain.OPEN, way, "walk_left_you" if left else "walk_done_you", about)
    _judge(desk, block)


def look(desk: Desk, signs: Signs) -> None:
    """Once a day: which inputs no hand has tried for long."""
    since_ms = last_time(desk, desk.policy.proof.walk_hour)
    if signs.walked_for_ms == since_ms:
        return
    signs.walked_for_ms = since_ms
    for block in desk.registry.blocks:
        _judge(desk, block)


def _judge(desk: Desk, block: str) -> None:
    """Remind of a block's inputs, or call it a fault, or find that all is well."""
    proof, walked = desk.policy.proof, desk.state.walked
    began_ms = desk.state.began_at_ms or desk.now.utc_ms
    grace_ms = proof.walk_grace_days * DAY_MS
    for chain in Chain:
        inputs = [one for one in _inputs(desk, block) if desk.policy.is_silent(one.kind) == (chain is Chain.SEALED)]
        due = [one for one in inputs if desk.now.utc_ms - max(_tried(desk, chain, one), began_ms) >= proof.walk_days * DAY_MS]
        reminded_ms, secret = walked.reminded_at_ms(chain, block), chain is Chain.SEALED
        if not due:
            if reminded_ms:
                desk.record(chain, WalkReminded(block, ()))
            faults.end_fault(desk, f"block/{block}", OVERDUE, secret=secret)
            continue
        if reminded_ms and desk.now.utc_ms - reminded_ms < grace_ms:
            continue
        if reminded_ms:
            faults.raise_fault(desk, f"block/{block}", OVERDUE, " ".join(_names(due))[:200], secret=secret)
        desk.record(chain, WalkReminded(block, _names(due)))
        _remind(desk, chain, block, due)


def _remind(desk: Desk, chain: Chain, block: str, due: list[Input]) -> None:
    ident = f"w{chain.value[0]}{desk.state.walked.reminders[chain]}"
    if chain is Chain.OPEN:
        about = {"block": block, "codes": _short(_names(due)), "code": block.upper()}
        faults.tell_members(desk, representatives(desk, block), "walk_due", "WALK", ident, CHANNELS, about)
        return
    # One text to each of those who may know of one of these buttons, however many there are.
    knows = {member.id: member for one in due for member in desk.network.members_with(desk.policy.kind(one.kind).circle)
             if member.id not in desk.network.excludes(one.node, one.input)}
    faults.tell_members(desk, knows.values(), "walk_due_secret", "WALK", ident, CHANNELS, {"block": block}, chain=Chain.SEALED)


def representatives(desk: Desk, block: str) -> list[Member]:
    """Those whose shifts name the block; without any, those of the whole zone."""
    shifts = [shift for shift in desk.registry.shifts if shift.role is Role.REPRESENTATIVE and shift.member in desk.registry.members]
    own = {shift.member: None for shift in shifts if block in shift.blocks} or {shift.member: None for shift in shifts if not shift.blocks}
    return [desk.registry.members[member] for member in own]


def _inputs(desk: Desk, block: str) -> list[Input]:
    """The buttons of a block."""
    found = (one for node in desk.network.nodes_of(block) for one in desk.network.inputs_of(node))
    return [one for one in found if one.kind != TAMPER and one.kind in desk.policy.kinds]


def _tried(desk: Desk, chain: Chain, one: Input) -> int:
    walked = desk.state.walked
    return walked.tried_openly_at_ms(one.node, one.input) if chain is Chain.OPEN else walked.tried_at_ms(one.node, one.input)


def _left(desk: Desk, block: str, since_ms: int) -> tuple[str, ...]:
    """What no hand has tried since then, of the buttons that can be in test mode."""
    return _names(one for one in _inputs(desk, block)
                  if not desk.policy.is_silent(one.kind) and desk.state.walked.tried_openly_at_ms(one.node, one.input) < since_ms)


def _names(inputs: Iterable[Input]) -> tuple[str, ...]:
    return tuple(f"{one.node}.{one.input}" for one in inputs)


def _short(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED_MAX
    return " ".join([*names[:NAMED_MAX], *([f"+{more}"] if more > 0 else [])])


def _command(desk: Desk, node: str, way: Way, *, over: bool) -> None:
    order = "test-mode-end" if over else "test-mode"
    boot = desk.state.nodes[node].boot
    ident = desk.order_id(order, node)
    desk.record(Chain.OPEN, OrderSent(node, boot, ident, order, by=way.member, channel=way.channel, place=way.place))
    desk.then(SendOrder(node, boot, ident, TestMode(0 if over else TEST_MODE_S)))
