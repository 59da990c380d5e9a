"""What a zone does: the effects of `ZoneController.handle`, in an order that is a promise.

Records come first. The shell commits all of them in one transaction; only when it is on disk does it carry out the rest,
in order. (Promise 5's exception: when it cannot commit for 2 s, notices and orders go out from memory, receipts never.)
"""

from msgspec import Struct

from controller.entries import Body, Chain, NoticeQueued
from controller.messages import Answer, AnyOrder, IncidentState, Receipt, Settings


class Record(Struct, frozen=True):
    """Add an entry to a chain. The state has already folded it."""

    chain: Chain
    body: Body


class GiveReceipt(Struct, frozen=True):
    """Tell the node that its press is on record."""

    node: str
    receipt: Receipt


class SendOrder(Struct, frozen=True):
    """Command a node. boot: the life of the node it is meant for; uptime_s_max: until when, by the node's own uptime."""

    node: str
    boot: str
    id: str
    order: AnyOrder
    uptime_s_max: int = 0


class SendDown(Struct, frozen=True):
    """Tell a node something that is not an order; idempotent."""

    node: str
    message: IncidentState | Settings | Answer


class QueueNotice(Struct, frozen=True):
    """Hand a recorded notice to the dispatcher. due_at_ms: not before (UTC); incident, fault: what it is about."""

    notice: NoticeQueued
    incident: str = ""
    fault: str = ""
    attempt: int = 1
    due_at_ms: int = 0


class StopNotice(Struct, frozen=True):
    """Take back a notice that was not sent yet; one that is under way is left alone."""

    notice: str


class ReleaseText(Struct, frozen=True):
    """What somebody wrote is on record: it may be deleted where it was read. handle: as it came in."""

    handle: str


class Accepted(Struct, frozen=True):
    """What somebody did on a page is done, and on record. command: as it came in; incident: what it made, for a split."""

    command: str
    incident: str = ""


class Refused(Struct, frozen=True):
    """What somebody did on a page was not done. why: a sentence for whoever did it, ids only; code: the same for a page's own words.

    by, at_ms: who made it impossible, and when, where somebody did. Nothing but their word, if that, is on record.
    """

    command: str
    code: str
    why: str
    by: str = ""
    at_ms: int = 0


ZoneEffect = Record | GiveReceipt | SendOrder | SendDown | QueueNotice | StopNotice | ReleaseText | Accepted | Refused
