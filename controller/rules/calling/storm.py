"""A storm: so many blocks call within a minute that one text each would bury whoever is told.

The first alarm of a storm, and the first of a member's own block, go out at once; what calls that member further is collected and
goes out as summaries that name codes and blocks, the most serious first, each still answerable by its code. Danger to those who go,
the police, machines and everything silent are told as ever.
"""

from typing import Final

from controller.entries import Chain, NoticeQueued, StormCame, StormWent, TimerSet
from controller.rules.calling.storm_memory import CALLS
from controller.rules.desk import Desk
from controller.rules.incident import Incident, State

TIMER: Final = "summary"
"""Rings, about a member, when what was collected for them goes out."""
COLLECTED: Final = frozenset({"alarm", "late", "repeat", "everybody"})
"""The templates that a summary can stand for."""
WRITTEN: Final = frozenset({"sms", "apprise"})


def opened(desk: Desk, incident: Incident) -> None:
    """An incident was opened: perhaps it is the one that makes a storm."""
    if incident.secret or desk.state.storm.on:
        return
    blocks = desk.state.storm.blocks_lately(desk.now.utc_ms)
    if blocks > desk.policy.storm.blocks:
        desk.record(Chain.OPEN, StormCame(blocks))


def look(desk: Desk) -> None:
    """It is over when it is quiet and few wait for somebody to go."""
    storm = desk.state.storm
    if not storm.on or storm.held or storm.blocks_lately(desk.now.utc_ms) > desk.policy.storm.blocks:
        return
    waiting = {one.block for one in desk.state.incidents.values() if not one.secret and one.state is State.OPENED}
    if len(waiting) <= desk.policy.storm.blocks:
        desk.record(Chain.OPEN, StormWent())


def holds(desk: Desk, incident: Incident, member: str, channel: str, template: str, reason: str) -> bool:
    """Whether this call waits for the member's next summary."""
    storm = desk.state.storm
    called = storm.called.get(member)
    if not storm.on or not called or incident.secret or incident.in_need or reason not in CALLS:
        return False
    if template not in COLLECTED or channel not in WRITTEN:
        return False
    return incident.block in called or not desk.network.roster.names(incident.block, member, desk.now.utc_ms)


def collect(desk: Desk, notices: list[NoticeQueued]) -> None:
    """These wait, on record: see that a summary comes."""
    for member in {notice.member: None for notice in notices if notice.held}:
        if (TIMER, member) not in desk.state.timers.running:
            in_s = desk.policy.storm.summary_s
            desk.record(Chain.OPEN, TimerSet(TIMER, member, desk.at_ms + in_s * 1000, in_s))
