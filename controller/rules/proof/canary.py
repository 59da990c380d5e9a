"""The canary: once a day a test press goes the whole way, from a node to the police's machine and to one member's phone.

It is a test all along: nobody is called by it, the police's receiver gets a test's code, the text says that it is none to answer.
Each leg is ticked off; what has not come within nine minutes is a fault, and is tried again each hour until it comes.
"""

from typing import Final

from controller.entries import CanaryEnded, CanarySent, Chain, NoticeMoved, NoticeQueued, OrderSent
from controller.messages import Canary
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.inputs import NoticeReported, PressArrived
from controller.rules.mending import faults
from controller.rules.policy_kinds import TEST
from controller.rules.proof.canaries import CANARY
from controller.rules.proof.conservation import LATE, last_time
from controller.rules.telling import FAULTS as TESTS
from controller.rules.telling import MACHINES, Way, queue, ways

WITHIN_S: Final = 540
"""So that a failure is told within ten minutes of the canary's setting out."""
AGAIN_MS: Final = 3_600_000
PRESS: Final = "canary-press"
RECEIPT: Final = "canary-receipt"
FAULTS: Final = frozenset({PRESS, RECEIPT})
"""Those of a node."""
PHONES: Final = ("sms", "apprise", "call")


def look(desk: Desk) -> None:
    """Send one out if it is time: at the policy's hour, and each hour while something was lacking. Never into an emergency."""
    hour, canaries = desk.policy.proof.canary_hour, desk.state.canaries
    if hour is None:
        for subject, code in [key for key in desk.state.fault_of if key[1].startswith("canary-")]:
            faults.end_fault(desk, subject, code)
    if hour is None or canaries.running is not None:
        return
    since_ms = last_time(desk, hour)
    again = bool(canaries.lacked) and not 0 <= desk.now.utc_ms - canaries.began_at_ms < AGAIN_MS
    daily = canaries.began_at_ms < since_ms and since_ms >= (desk.state.began_at_ms or since_ms + 1)
    if not (again or daily or canaries.interrupted) or any(one.is_open and not one.secret and not one.drill for one in desk.state.incidents.values()):
        return
    node = _next(desk)
    if node is None:
        return
    legs = ["press", "receipt"]
    legs += ["police"] if _machines(desk) else []
    legs += ["phone"] if _phones(desk) else []
    if not daily and canaries.lacked and "press" not in canaries.lacked:
        # What came once today is not told again.
        legs = [leg for leg in legs if leg in {"press", "receipt", *canaries.lacked}]
    boot = desk.state.nodes[node].boot
    ident = desk.order_id("canary", node)
    desk.record(Chain.OPEN, OrderSent(node, boot, ident, CANARY))
    desk.record(Chain.OPEN, CanarySent(ident, node, boot, tuple(legs), desk.at_ms + WITHIN_S * 1000))
    desk.then(SendOrder(node, boot, ident, Canary()))


def arrived(desk: Desk, event: PressArrived) -> None:
    """A canary's press is on record: if it is the one under way, it goes on to the police's machine and the phone whose turn it is."""
    running = desk.state.canaries.running
    if running is None or (event.node, event.press.boot) != (running.node, running.boot) or running.notices:
        return
    about = {"block": desk.network.block_of(event.node), "kind": TEST, "subject": f"node/{event.node}", "input": event.press.input}
    phones = _phones(desk)
    to = [(way, "police") for way in _machines(desk) if "police" in running.lacks]
    to += [(phones[desk.state.canaries.texts % len(phones)], "phone")] if phones and "phone" in running.lacks else []
    queue(desk, Chain.OPEN, [
        NoticeQueued(f"{running.order}-{n}", *way[:2], CANARY, "CANARY", TESTS, desk.state.numbers.get((*way[:2], Chain.OPEN), 0) + 1,
                     {**about, "leg": leg})
        for n, (way, leg) in enumerate(to, 1)])


def reported(desk: Desk, event: NoticeReported) -> None:
    """A delivery report on the canary's text."""
    running = desk.state.canaries.running
    if running is not None and event.notice in running.notices:
        desk.record(Chain.OPEN, NoticeMoved(event.notice, "delivered" if event.delivered else "failed", why=event.why[:200]))


def settle(desk: Desk) -> None:
    """It has come the whole way, or its time is up."""
    running = desk.state.canaries.running
    if running is None or (running.lacks and desk.at_ms < running.due_at_ms):
        return
    missing = tuple(running.lacks)
    desk.record(Chain.OPEN, CanaryEnded(running.order, running.node, missing))
    node = f"node/{running.node}"
    subjects = {"press": node, "receipt": node, "police": "zone/police", "phone": "zone/phone"}
    for leg, subject in subjects.items():
        if leg in missing and (leg == "press" or "press" not in missing):
            faults.raise_fault(desk, subject, f"canary-{leg}", running.order)
        elif leg not in missing:
            faults.end_fault(desk, subject, f"canary-{leg}")


def interrupted(desk: Desk) -> None:
    """The gateway has started: what was under way then proves nothing, and is tried anew."""
    running = desk.state.canaries.running
    if running is not None:
        desk.record(Chain.OPEN, CanaryEnded(running.order, running.node, interrupted=1))


def _next(desk: Desk) -> str | None:
    """The node whose last one did not arrive; else the one whose turn is longest ago. None when none is there."""
    there = [node for node, life in desk.state.nodes.items()
             if life.boot and not life.gone and node in desk.registry.nodes and (f"node/{node}", LATE) not in desk.state.fault_of]
    failed = {subject.partition("/")[2] for subject, code in desk.state.fault_of if code in FAULTS}
    return min(there, key=lambda node: (node not in failed, desk.state.canaries.sent_at_ms.get(node, 0), node), default=None)


def _machines(desk: Desk) -> list[Way]:
    """The first line of each of the police, where that is a machine."""
    found: list[Way] = []
    for member in desk.network.members_with(desk.policy.police.roles):
        has = {contact.channel for contact in member.contacts}
        line = next((channel for channel in desk.policy.police.channels if channel in has), "")
        found += [Way(member.id, line)] if line in MACHINES else []
    return found


def _phones(desk: Desk) -> list[Way]:
    return ways(desk.network.members_with(desk.policy.proof.canary_roles), PHONES)
