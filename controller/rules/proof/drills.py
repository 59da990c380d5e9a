"""Exercises: for one block or the whole zone, at once or at an hour, once or again and again; marked in all that comes of them.

At its hour one node of each block sends a press that is marked as an exercise; what follows is what follows any press, but that
every text and record says so, machines get a walk test's codes, no light shows it, and no siren sounds unless the exercise has
them: then so that a press in earnest takes them over. A press by a hand is never part of it. At its end its incidents are closed.

A coordinator asks for one by a text: `SIMULACRO <block>` or `SIMULACRO ZONA`, with `18:30` for an hour and `SIRENA` for sirens, and
confirms it with the code of the answer; `SIMULACRO FIN` ends or calls off what they asked for.
"""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from controller.entries import Chain, DrillBegan, DrillConfirmed, DrillEnded, DrillPlanned, OrderSent, ReplyReceived, TimerSet, flag
from controller.messages import AnyOrder, Drill, SirenOn
from controller.registry import Role
from controller.rules import codes, escalation
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import DrillOrdered, MemberWrote
from controller.rules.policy_kinds import TEST
from controller.rules.proof.drills_planned import Exercise
from controller.rules.telling import Way, answer, way_back

MAY: Final = frozenset({Role.COORDINATOR})
BEGINS: Final = "drill-begins"
ENDS: Final = "drill-ends"
LASTS_S: Final = 1800
CONFIRM_MS: Final = 600_000
"""How long the answer's code is waited for."""
SOON_S: Final = 60
"""Who names no hour means now: a minute, for the answer to be read."""
_WORDS: Final = frozenset({"SIMULACRO", "DRILL"})
_ZONE: Final = frozenset({"ZONA", "ZONE"})
_DISTRICT: Final = frozenset({"DISTRITO", "DISTRICT"})
_END: Final = frozenset({"FIN", "END", "OFF"})
_SIRENS: Final = frozenset({"SIRENA", "SIRENAS", "SIREN", "SIRENS"})
_HOUR: Final = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")


def ordered(desk: Desk, event: DrillOrdered) -> None:
    """Plan it; somebody who may has said so."""
    _plan(desk, DrillPlanned(
        _ident(desk), event.by, event.scope, event.block, event.kind, event.starts_at_ms, event.lasts_s, flag(event.sirens), event.every_days))


def wrote(desk: Desk, event: MemberWrote) -> bool:
    """Whether the text is about an exercise, by somebody who may order one; then it is on record, and done."""
    member = desk.registry.members.get(event.member or "")
    words = unicodedata.normalize("NFKC", event.text[:200]).upper().split()
    if member is None or not words or words[0].strip(".:,") not in _WORDS or not MAY.intersection(member.roles):
        return False
    way = way_back(desk, event, member.id)
    rest = [word.strip(".,") for word in words[1:]]
    asked = _asked(desk, member.id, rest)
    own = [(ident, one) for ident, one in desk.state.drills.planned.items() if one.body.by == member.id]
    if asked is None and not (rest and rest[0] in _END) and not _confirmable(desk, own, rest):
        return False
    desk.record(Chain.OPEN, ReplyReceived(
        event.channel, "drill", member.id, text_ref=event.text_ref or "", digest=event.text_digest, mark=event.mark))
    if asked is not None:
        desk.record(Chain.OPEN, asked)
        _answer(desk, way, "drill_confirm_you", asked)
    elif rest[0] in _END:
        for ident, one in own:
            _end(desk, ident, member.id)
            _answer(desk, way, "drill_over_you", one.body)
    else:
        ident, one = _confirmable(desk, own, rest)[0]
        desk.record(Chain.OPEN, DrillConfirmed(ident))
        _set(desk, ident, one.body.starts_at_ms)
        _answer(desk, way, "drill_planned_you", one.body)
    return True


def begins(desk: Desk, drill: str) -> None:
    """It is the hour: one node of each of its blocks sends its press; with sirens, all of them sound."""
    one = desk.state.drills.planned.get(drill)
    if one is None:
        return
    desk.record(Chain.OPEN, DrillBegan(drill))
    _timer(desk, ENDS, drill, one.body.lasts_s)
    for block in _blocks(desk, one):
        there = [node for node in desk.network.nodes_of(block) if _is_there(desk, node)]
        for node in there[:1]:
            _command(desk, node, "drill", Drill(one.body.kind))
        for node in there if one.body.sirens else ():
            _command(desk, node, "siren-on", SirenOn(one.body.kind, desk.policy.times.siren_s, drill=True))


def ends(desk: Desk, drill: str) -> None:
    """Its time is over."""
    _end(desk, drill, "rules")


def runs_in(desk: Desk, block: str) -> bool:
    """Whether an exercise is going on in a block."""
    return any(one.going_on and block in _blocks(desk, one) for one in desk.state.drills.planned.values())


def _plan(desk: Desk, body: DrillPlanned) -> None:
    desk.record(Chain.OPEN, body)
    _set(desk, body.drill, body.starts_at_ms)


def _set(desk: Desk, drill: str, starts_at_ms: int) -> None:
    _timer(desk, BEGINS, drill, max(1, (starts_at_ms - desk.now.utc_ms) // 1000))


def _timer(desk: Desk, timer: str, drill: str, in_s: int) -> None:
    desk.record(Chain.OPEN, TimerSet(timer, drill, desk.at_ms + in_s * 1000, in_s))


def _end(desk: Desk, drill: str, by: str) -> None:
    one = desk.state.drills.planned[drill]
    again_at_ms = _next(desk, one) if by == "rules" and one.body.every_days else 0
    blocks = _blocks(desk, one) if one.going_on else []
    desk.record(Chain.OPEN, DrillEnded(drill, by, again_at_ms))
    for timer in (BEGINS, ENDS):
        if (timer, drill) in desk.state.timers.running:
            desk.record(Chain.OPEN, TimerSet(timer, drill))
    if again_at_ms:
        _set(desk, drill, again_at_ms)
    for incident in [one for one in desk.state.incidents.values() if one.drill and one.is_open and not one.secret and one.block in blocks]:
        escalation.close(desk, incident, "rules", "", "drill")


def _next(desk: Desk, one: Exercise) -> int:
    """The same hour on the wall, so many days on, and not before now."""
    tz = desk.registry.district.tz
    first = datetime.fromtimestamp(one.body.starts_at_ms / 1000, tz)
    days = one.held * one.body.every_days
    while (at_ms := int((first.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=tz).timestamp() * 1000)) <= desk.now.utc_ms:
        days += one.body.every_days
    return at_ms


def _blocks(desk: Desk, one: Exercise) -> list[str]:
    return [one.body.block] if one.body.scope == "block" else list(desk.registry.blocks)


def _is_there(desk: Desk, node: str) -> bool:
    life = desk.state.nodes.get(node)
    return life is not None and bool(life.boot) and not life.gone


def _command(desk: Desk, node: str, name: str, order: AnyOrder) -> None:
    boot = desk.state.nodes[node].boot
    ident = desk.order_id(name, node)
    desk.record(Chain.OPEN, OrderSent(node, boot, ident, name, drill=1))
    desk.then(SendOrder(node, boot, ident, order))


def _ident(desk: Desk) -> str:
    return f"drill-{desk.state.drills.ordered + 1}"


def _asked(desk: Desk, member: str, words: list[str]) -> DrillPlanned | None:
    """What is asked for, if these words ask for an exercise."""
    rest = [word for word in words if word not in _SIRENS]
    hour = next((found for word in rest[1:] if (found := _HOUR.fullmatch(word)) is not None), None)
    if len(rest) != (2 if hour is not None else 1):
        return None
    block = rest[0].lower()
    scope = "zone" if rest[0] in _ZONE else "district" if rest[0] in _DISTRICT else "block" if block in desk.registry.blocks else ""
    if not scope:
        return None
    ident = _ident(desk)
    code = codes.incident_code(codes.fault_id(desk.zone, ident, member, desk.now.utc_ms, secret=False), desk.state.by_code, secret=False)
    return DrillPlanned(
        ident, member, scope, block if scope == "block" else "", _kind(desk), _starts(desk, hour), LASTS_S, flag(len(rest) < len(words)), code=code)


def _kind(desk: Desk) -> str:
    """What is exercised when nothing else is said: panic, or the most serious kind that sounds."""
    audible = {name: kind.rank for name, kind in desk.policy.kinds.items() if kind.audible and name != TEST}
    return min(audible, key=lambda name: (name != "panic", audible[name]))


def _starts(desk: Desk, hour: re.Match[str] | None) -> int:
    if hour is None:
        return desk.now.utc_ms + SOON_S * 1000
    tz = desk.registry.district.tz
    local = datetime.fromtimestamp(desk.now.utc_ms / 1000, tz)
    at = local.replace(hour=int(hour[1]), minute=int(hour[2]), second=0, microsecond=0)
    if at <= local:
        at = (at.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=tz)
    return int(at.timestamp() * 1000)


def _confirmable(desk: Desk, own: list[tuple[str, Exercise]], words: list[str]) -> list[tuple[str, Exercise]]:
    """Which of their own these words confirm, in time."""
    return [(ident, one) for ident, one in own
            if not one.confirmed and words == [one.body.code] and 0 <= desk.now.utc_ms - one.asked_at_ms < CONFIRM_MS]


def _answer(desk: Desk, way: Way, template: str, body: DrillPlanned) -> None:
    where = body.block or desk.registry.zone.name
    answer(desk, Chain.OPEN, way, template, {"block": where, "code": body.code, "at_ms": str(body.starts_at_ms), "drill": "1"})
