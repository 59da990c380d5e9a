"""Inputs that are verified first: those whose own hardware was at fault again and again, and those the committee has decided on.

Only the police's step waits, and only while no other button, nobody there and no operator says that it is real. Sirens, the ring
on duty and everything silent never wait.
"""

from typing import Final

from controller.entries import Chain, VerifyFirstEnded, VerifyFirstSet
from controller.rules.console.suspicion_memory import FAULTY, Key
from controller.rules.desk import Desk
from controller.rules.incident import Incident
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.remembered import DAY_MS

FAULT: Final = "verify-first"


def judged(desk: Desk, incident: Incident) -> None:
    """An incident is over, or was judged: an input that was faulty too often is verified first, and the technician is told."""
    key = incident.node, incident.input
    policy, suspicions = desk.policy.verify_first, desk.state.suspicions
    since_ms = desk.now.utc_ms - policy.within_days * DAY_MS
    if incident.secret or key in suspicions.first or sum(at_ms >= since_ms for at_ms in suspicions.faulty.get(key, {}).values()) < policy.times:
        return
    desk.record(Chain.OPEN, VerifyFirstSet(*key, "rules", FAULTY))
    raise_fault(desk, _subject(key), FAULT)


def end(desk: Desk, key: Key, by: str, channel: str = "") -> None:
    """The input is believed again."""
    desk.record(Chain.OPEN, VerifyFirstEnded(*key, by, channel))
    end_fault(desk, _subject(key), FAULT)


def tried(desk: Desk, key: Key) -> None:
    """A hand has tried the input, in a walk or a technician's test mode, and it did what it should: its hardware's faults are behind it."""
    one = desk.state.suspicions.first.get(key)
    if one is not None and one.cause == FAULTY:
        sent = desk.state.test_modes.get(key[0])
        end(desk, key, sent.body.by if sent is not None else "rules")


def look(desk: Desk) -> None:
    """What was decided for a time is over then, and with its input."""
    for key, one in list(desk.state.suspicions.first.items()):
        if key not in desk.registry.inputs or (one.until_at_ms and desk.now.utc_ms >= one.until_at_ms):
            end(desk, key, "rules")


def is_first(desk: Desk, node: str, name: str) -> bool:
    """Whether what this input says is verified first."""
    one = desk.state.suspicions.first.get((node, name))
    return one is not None and (not one.until_at_ms or desk.now.utc_ms < one.until_at_ms)


def _subject(key: Key) -> str:
    return f"input/{key[0]}.{key[1]}"
