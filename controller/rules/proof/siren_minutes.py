"""Each siren is proven: by the daily self-test's pulse of current, and aloud in one minute a month, of which the block hears the day before.

The minute is at the policy's hour, by day. It never falls into an open incident of its block or a neighbouring one; a node that is
away has its minute when it is back. What the sensor saw is on record with the order's answer; a node without a
sensor says so, and only ears can tell.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from controller.entries import Chain, OrderSent, TimerSet
from controller.messages import SirenFound, SirenTest
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeDone
from controller.rules.mending import faults
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.proof.walk import CHANNELS, representatives
from controller.rules.remembered import DAY_MS

PULSE: Final = "siren-pulse"
"""The fault of a siren that draws nothing at its daily pulse."""
SILENT: Final = "siren-silent"
"""That of one that draws nothing when it should be heard; a pulse does not end it."""
ANNOUNCED: Final = "siren-announced"
AWAY: Final = "siren-away"
MINUTE: Final = "siren-minute"
UNANSWERED: Final = "siren-unanswered"
APART_S: Final = 120
"""Between the minutes of one block's nodes, so that each is heard by itself."""
AT_MOST: Final = 25
"""So many of them fit into the hour."""
ANSWER_S: Final = 120
"""So long after its minute a node has answered, or will not."""
AGAIN_DAYS: Final = 4
"""So long after the announcement a minute that was not answered is tried anew."""
_FAILED: Final = frozenset({SirenFound.NO_CURRENT, SirenFound.SENSOR_STUCK})


def look(desk: Desk) -> None:
    """Every block has its day of the month, if the policy has an hour."""
    if desk.policy.proof.siren_hour is None:
        return
    running = desk.state.timers.running
    for block in desk.registry.blocks:
        if (ANNOUNCED, block) not in running and desk.network.nodes_of(block):
            # Not all blocks on one day; which one is drawn from the block's name, so that it does not depend on when the gateway began.
            spread = int.from_bytes(hashlib.sha256(block.encode()).digest()[:4]) % desk.policy.proof.siren_days
            _set(desk, ANNOUNCED, block, _hour(desk, spread + 1))


def announced(desk: Desk, block: str) -> None:
    """The day before: the block's representative is told, and the minutes are set."""
    nodes = desk.network.nodes_of(block)
    if desk.policy.proof.siren_hour is None or not nodes:
        return
    if not _is_hour(desk):
        _set(desk, ANNOUNCED, block, _next(desk))
        return
    _set(desk, ANNOUNCED, block, _hour(desk, desk.policy.proof.siren_days))
    there = [node for node in nodes if _is_there(desk, node)]
    for node in nodes:
        if node not in there:
            _set(desk, AWAY, node, _next(desk))
    if there:
        _announce(desk, block, there)


def away(desk: Desk, node: str) -> None:
    """A node that was away: if it is back, its minute is announced."""
    block = desk.network.block_of(node)
    if desk.policy.proof.siren_hour is None or not block:
        return
    if _is_hour(desk) and _is_there(desk, node):
        _announce(desk, block, [node])
    else:
        _set(desk, AWAY, node, _next(desk))


def minute(desk: Desk, node: str) -> None:
    """Now it sounds, unless somebody calls from the block or beside it: then on another day, which is announced too."""
    proof, block = desk.policy.proof, desk.network.block_of(node)
    if proof.siren_hour is None or not block:
        return
    if not _is_hour(desk) or not _is_there(desk, node):
        _set(desk, AWAY, node, _next(desk))
    elif _is_called(desk, block):
        _announce(desk, block, [node])
    else:
        boot = desk.state.nodes[node].boot
        ident = desk.order_id(MINUTE, node)
        desk.record(Chain.OPEN, OrderSent(node, boot, ident, MINUTE))
        desk.then(SendOrder(node, boot, ident, SirenTest(proof.siren_s)))
        _timer(desk, UNANSWERED, node, proof.siren_s + ANSWER_S)


def unanswered(desk: Desk, node: str) -> None:
    """The order was lost, or its answer: the minute is announced anew, tomorrow; not for ever, since it may have been heard each time."""
    block = desk.network.block_of(node)
    monthly = desk.state.timers.running.get((ANNOUNCED, block))
    if monthly is not None and monthly.due_at_ms - desk.at_ms > (desk.policy.proof.siren_days - AGAIN_DAYS) * DAY_MS:
        _set(desk, AWAY, node, _next(desk))


def answered(desk: Desk, event: NodeDone) -> None:
    """What a node says of an order, already on record: whether its siren drew current, and whether its minute was held."""
    node, said = event.node, event.done
    life = desk.state.nodes.get(node)
    if life is None or said.boot != life.boot:
        return
    if said.id.startswith(f"{MINUTE}-{node}-") and (UNANSWERED, node) in desk.state.timers.running:
        desk.record(Chain.OPEN, TimerSet(UNANSWERED, node))
        if not said.done and desk.network.block_of(node):
            _announce(desk, desk.network.block_of(node), [node])
    subject, aloud = f"node/{node}", said.id != life.test
    if said.siren in _FAILED:
        raise_fault(desk, subject, SILENT if aloud else PULSE, said.siren.value)
    elif said.siren is not SirenFound.NOT_TRIED:
        end_fault(desk, subject, PULSE)
        if aloud:
            end_fault(desk, subject, SILENT)


def _announce(desk: Desk, block: str, nodes: Sequence[str]) -> None:
    """The block's representative is told that these sirens will sound tomorrow."""
    at_ms = _hour(desk, 1)
    for n, node in enumerate(nodes):
        _set(desk, MINUTE, node, at_ms + n % AT_MOST * APART_S * 1000)
    about = {"block": block, "at_ms": str(at_ms)}
    faults.tell_members(desk, representatives(desk, block), "siren_due", "SIREN", f"s{nodes[0]}-{at_ms // 60_000}", CHANNELS, about)


def _is_there(desk: Desk, node: str) -> bool:
    life = desk.state.nodes.get(node)
    return life is not None and bool(life.boot) and not life.gone and (f"node/{node}", "late") not in desk.state.fault_of


def _is_called(desk: Desk, block: str) -> bool:
    """Whether an incident of the block or a neighbouring one is open, where ears are needed. Of a silent one nothing may show."""
    found = (desk.state.incidents[ident] for near in desk.network.blocks_near(block) for ident in desk.state.in_block.get(near, ()))
    return any(incident.is_open and not incident.secret for incident in found)


def _hour(desk: Desk, days: int) -> int:
    """When the district's clock shows the policy's hour, so many days from today (UTC ms)."""
    local = datetime.fromtimestamp(desk.now.utc_ms / 1000, desk.registry.district.tz)
    on = (local + timedelta(days=days)).date()
    return int(datetime(on.year, on.month, on.day, desk.policy.proof.siren_hour or 0, tzinfo=desk.registry.district.tz).timestamp() * 1000)


def _is_hour(desk: Desk) -> bool:
    """Whether it is the policy's hour. A timer that a gateway finds overdue at its start may ring at any time of the night."""
    return datetime.fromtimestamp(desk.now.utc_ms / 1000, desk.registry.district.tz).hour == desk.policy.proof.siren_hour


def _next(desk: Desk) -> int:
    """When the policy's hour begins next (UTC ms)."""
    today = _hour(desk, 0)
    return today if today > desk.now.utc_ms else _hour(desk, 1)


def _set(desk: Desk, timer: str, subject: str, at_utc_ms: int) -> None:
    _timer(desk, timer, subject, max(1, (at_utc_ms - desk.now.utc_ms + 999) // 1000))


def _timer(desk: Desk, timer: str, subject: str, in_s: int) -> None:
    desk.record(Chain.OPEN, TimerSet(timer, subject, desk.at_ms + in_s * 1000, in_s))
