"""The nightly proof that no press was lost: what each node made is held against what is on record. (Promise 1.)

A node says how far each of its streams came, of this life and of those before it that are not settled, and what still waits
there for a receipt. Whatever else is not on record is lost: it is named and alarmed. That nothing is missing is recorded too.
Of the silent streams all of this stands in the sealed chain; only the circle hears of a gap there.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from controller.entries import Chain, OrderSent, StreamProven, TallyAgreed, TallyGap, flag
from controller.messages import Done, Tally
from controller.registry import Member, Role
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeDone
from controller.rules.mending import faults
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.proof.counted import TALLY, Run, written
from controller.rules.remembered import DAY_MS

LOST: Final = "press-lost"
NOT_PROVEN: Final = "not-proven"
AGAIN_MS: Final = 600_000
NAMED_AFTER_MS: Final = DAY_MS + 3_600_000
"""A node that has proven nothing for a day and the hour in which it is asked."""
AT_ONCE_MAX: Final = 20
"""At a look: what the nodes of a zone answer must not come in one wave."""
RUNS_NAMED_MAX: Final = 40
"""So many runs of a gap one entry names; the next night names the rest."""
TWO_DEVICES: Final = "two-devices-one-name"
LATE: Final = "late"
MANY_LATE: Final = ("zone/nodes", "many-late")


def look(desk: Desk) -> None:
    """Ask the nodes whose tally is due; name those that have proven nothing for a day."""
    since_ms = last_time(desk, desk.policy.proof.tally_hour)
    asked = 0
    for node, life in desk.state.nodes.items():
        if node not in desk.registry.nodes:
            continue
        _, answered_at_ms = desk.state.counted.answered.get(node, ("", 0))
        _name(desk, node, answered_at_ms)
        _, asked_at_ms = desk.state.counted.asked.get(node, ("", 0))
        due = answered_at_ms < since_ms and not 0 <= desk.now.utc_ms - asked_at_ms < AGAIN_MS
        # A node that has just come for the first time is asked in its first night.
        if due and life.boot and not life.gone and next(iter(life.boots.values())) < since_ms and asked < AT_ONCE_MAX:
            asked += 1
            _ask(desk, node, life.boot)


def answered(desk: Desk, event: NodeDone) -> None:
    """What the node says of an order, already on record: if it was its newest tally, what it proves."""
    node, said = event.node, event.done
    if said.id != desk.state.counted.asked.get(node, ("", 0))[0] or not said.done or desk.state.counted.answered.get(node, ("", 0))[0] == said.id:
        return
    for chain in Chain:
        _compare(desk, node, chain, said)
    end_fault(desk, f"node/{node}", NOT_PROVEN)


def last_time(desk: Desk, hour: int) -> int:
    """When the district's clock last showed this full hour (UTC ms)."""
    local = datetime.fromtimestamp(desk.now.utc_ms / 1000, desk.registry.district.tz)
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if at > local:
        at = (at.replace(tzinfo=None) - timedelta(days=1)).replace(tzinfo=desk.registry.district.tz)
    return int(at.timestamp() * 1000)


def _ask(desk: Desk, node: str, boot: str) -> None:
    settled, _ = desk.state.counted.answered.get(node, ("", 0))
    ident = desk.order_id("tally", node)
    desk.record(Chain.OPEN, OrderSent(node, boot, ident, TALLY))
    desk.then(SendOrder(node, boot, ident, Tally(settled)))


def _compare(desk: Desk, node: str, chain: Chain, said: Done) -> None:
    """What is said of one chain's streams, and of lives that the node does not remember what the record itself lacks."""
    counted = desk.state.counted
    streams = [stream for stream in said.streams if stream.secret == (chain is Chain.SEALED)]
    named = {stream.boot: (stream.last, stream.waits) for stream in streams}
    if not said.more and (f"node/{node}", TWO_DEVICES) not in desk.state.fault_of:
        elsewhere = {stream.boot for stream in said.streams}
        named.update((boot, (last, ())) for boot, last in counted.lives(chain, node).items() if boot not in elsewhere)
    gaps = {boot: missing for boot, (last, waits) in named.items() if (missing := counted.missing(node, boot, last, waits))}
    for boot, missing in gaps.items():
        desk.record(chain, TallyGap(node, boot, written(missing[:RUNS_NAMED_MAX])))
    if not gaps:
        proven = tuple(StreamProven(stream.boot, stream.last, sum(last - first + 1 for first, last in stream.waits)) for stream in streams)
        desk.record(chain, TallyAgreed(node, proven, flag(said.more)))
    _alarm(desk, node, gaps, secret=chain is Chain.SEALED)


def _alarm(desk: Desk, node: str, gaps: dict[str, tuple[Run, ...]], *, secret: bool) -> None:
    """A gap is a fault until a night in which nothing more is missing."""
    subject = f"node/{node}"
    standing = [code for its, code in (desk.state.sealed_faults if secret else desk.state.fault_of) if its == subject and code.startswith(LOST)]
    lost = [f"{LOST}:{written(missing)[:20]}" for missing in gaps.values()]
    for code in standing:
        if code not in lost:
            end_fault(desk, subject, code, secret=secret)
    for (boot, missing), code in zip(gaps.items(), lost, strict=True):
        raise_fault(desk, subject, code, f"boot {boot}: {written(missing)}", secret=secret)
        if secret:
            faults.tell_members(desk, _circle(desk, node), "fault", "FAULT", f"l{boot[:10]}{missing[0][0]}", desk.policy.faults_to.channels,
                                {"subject": subject, "fault": LOST}, chain=Chain.SEALED)


def _circle(desk: Desk, node: str) -> Iterable[Member]:
    """Who may know of every silent press of the node: nobody knows any more at which of its buttons it was."""
    inputs = [one for one in desk.network.inputs_of(node) if one.kind in desk.policy.kinds and desk.policy.is_silent(one.kind)]
    excluded = {member for one in inputs for member in desk.network.excludes(node, one.input)}
    circles = [set(desk.policy.kind(one.kind).circle) for one in inputs]
    for member in desk.network.members_with(Role) if circles else ():
        if member.id not in excluded and all(circle.intersection(member.roles) for circle in circles):
            yield member


def _name(desk: Desk, node: str, answered_at_ms: int) -> None:
    """A node that does not answer is not proven. While it is late, that says so already."""
    subject = f"node/{node}"
    first_ms = desk.state.counted.asked_first_at_ms.get(node)
    told_already = (subject, LATE) in desk.state.fault_of or MANY_LATE in desk.state.fault_of
    if first_ms is not None and desk.now.utc_ms - max(first_ms, answered_at_ms) >= NAMED_AFTER_MS and not told_already:
        raise_fault(desk, subject, NOT_PROVEN)
