"""Whether what waits for its channel, by which nothing goes now, is still worth telling."""

from collections.abc import Sequence
from typing import Final

from controller.rules.desk import Desk
from controller.rules.escalation import CALLS
from controller.rules.remembered import Notice

OLD_S: Final = 3600
"""A call to what is over, or an answer, is too old to be told then: last night's alarm does not come in the morning."""
OLD_NEWS_S: Final = 86_400
"""So is what became of an incident."""
_ALARMS: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE"})


def worth_telling(desk: Desk, notice: Notice) -> bool:
    """A call waits as long as its incident is open, a fault's text until it is mended; of several that say the same, the newest does."""
    incident = desk.state.incidents.get(notice.incident)
    age_s = (desk.now.utc_ms - notice.made_at_ms) / 1000
    if notice.fault:
        fault = desk.state.faults.get(notice.fault)
        return fault is None or not any(_same_way(one, notice) for one in _after(desk, notice, fault.unsent))
    if incident is None:
        return age_s < OLD_S
    if any(_same_way(one, notice) and _says_the_same(one, notice) for one in _after(desk, notice, incident.told[notice.queued.member])):
        return False
    return incident.is_open or age_s < (OLD_S if notice.queued.reason in CALLS else OLD_NEWS_S)


def _after(desk: Desk, notice: Notice, idents: Sequence[str]) -> list[Notice]:
    """Those that were queued after it and are not given up."""
    later = [desk.state.notices[ident] for ident in idents[idents.index(notice.queued.id) + 1:]]
    return [one for one in later if one.state not in {"failed", "stopped"}]


def _same_way(one: Notice, other: Notice) -> bool:
    return ((one.queued.member, one.queued.channel, one.queued.about.get("contact"))
            == (other.queued.member, other.queued.channel, other.queued.about.get("contact")))


def _says_the_same(one: Notice, other: Notice) -> bool:
    return {one.queued.reason, other.queued.reason} <= _ALARMS or (
        (one.queued.template, one.queued.about) == (other.queued.template, other.queued.about))
