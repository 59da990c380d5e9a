"""What a journal entry can say: one struct a kind. (The design's section 7.)

These are the only facts that last. The rules change their state, and the database its projections, by folding these
entries and in no other way, so that a replay gives the same state as the live process. Integers and strings only (flags
are 0 or 1), ids instead of people, digests instead of free text. A kind once released is never changed, only added to:
a new field has a default.

Everything about a silent press (the press, its incident, its notices, the replies, who looked at it, exclusions)
is recorded in the sealed chain, everything else in the open one. No entry of one chain refers to the other.
"""

from typing import Final

from controller.entries.faults import FaultEnded, FaultRaised, OutageSpread
from controller.entries.ground import CommitmentOpened, Exclusion, ExclusionsInForce, GatewayStarted, PolicyInForce, RegistryInForce, SealedCommitted
from controller.entries.incidents import (
    AidAsked,
    AidGiven,
    IncidentJoined,
    IncidentJudged,
    IncidentLooked,
    IncidentMeasured,
    IncidentMerged,
    IncidentMoved,
    IncidentNoted,
    IncidentOffered,
    IncidentOpened,
    IncidentSplit,
    StepsEnded,
    StepSet,
    StormCame,
    StormWent,
    TimerSet,
)
from controller.entries.nodes import (
    BatterySeen,
    NodeAskedRecorded,
    NodeCame,
    NodeWent,
    OrderAnswered,
    OrderSent,
    SilentLifeCame,
    VerifyFirstEnded,
    VerifyFirstSet,
)
from controller.entries.notices import NoticeMoved, NoticeQueued, NoticesQueued, PaceMeasured, ReplyReceived
from controller.entries.presses import BadMessageKept, PressRecorded, StreamProven, TallyAgreed, TallyGap
from controller.entries.proof import (
    CanaryEnded,
    CanarySent,
    CoverageChanged,
    DrillBegan,
    DrillConfirmed,
    DrillEnded,
    DrillPlanned,
    WalkBegan,
    WalkEnded,
    WalkReminded,
)
from controller.entries.values import Chain, Flag, flag

__all__ = [
    "KINDS", "KIND_OF", "AidAsked", "AidGiven", "BadMessageKept", "BatterySeen", "Body", "CanaryEnded", "CanarySent", "Chain",
    "CommitmentOpened", "CoverageChanged", "DrillBegan", "DrillConfirmed", "DrillEnded", "DrillPlanned", "Exclusion", "ExclusionsInForce",
    "FaultEnded", "FaultRaised", "Flag", "GatewayStarted", "IncidentJoined", "IncidentJudged", "IncidentLooked", "IncidentMeasured",
    "IncidentMerged", "IncidentMoved", "IncidentNoted", "IncidentOffered", "IncidentOpened", "IncidentSplit", "NodeAskedRecorded",
    "NodeCame", "NodeWent", "NoticeMoved", "NoticeQueued", "NoticesQueued", "OrderAnswered", "OrderSent", "OutageSpread", "PaceMeasured",
    "PolicyInForce", "PressRecorded", "RegistryInForce", "ReplyReceived", "SealedCommitted", "SilentLifeCame", "StepSet", "StepsEnded",
    "StormCame", "StormWent", "StreamProven", "TallyAgreed", "TallyGap", "TimerSet", "VerifyFirstEnded", "VerifyFirstSet", "WalkBegan",
    "WalkEnded", "WalkReminded", "flag",
]

Body = (
    AidAsked | AidGiven
    | PressRecorded | IncidentOpened | IncidentJoined | IncidentMoved | IncidentNoted | IncidentJudged | IncidentOffered | IncidentMerged
    | IncidentSplit | IncidentLooked | IncidentMeasured | PaceMeasured | VerifyFirstSet | VerifyFirstEnded | StormCame | StormWent
    | StepSet | StepsEnded | TimerSet
    | NoticesQueued | NoticeMoved | ReplyReceived | NodeCame | NodeWent | SilentLifeCame | OrderSent | OrderAnswered | NodeAskedRecorded
    | FaultRaised | FaultEnded | BadMessageKept | RegistryInForce | PolicyInForce | ExclusionsInForce | GatewayStarted
    | SealedCommitted | CommitmentOpened | TallyAgreed | TallyGap | CanarySent | CanaryEnded
    | DrillPlanned | DrillConfirmed | DrillBegan | DrillEnded | OutageSpread | WalkBegan | WalkEnded | WalkReminded | BatterySeen
    | CoverageChanged
)

KINDS: Final[dict[str, type[Body]]] = {
    "aid.asked": AidAsked,
    "aid.given": AidGiven,
    "press": PressRecorded,
    "incident.opened": IncidentOpened,
    "incident.joined": IncidentJoined,
    "incident.moved": IncidentMoved,
    "incident.noted": IncidentNoted,
    "incident.judged": IncidentJudged,
    "incident.offered": IncidentOffered,
    "incident.merged": IncidentMerged,
    "incident.split": IncidentSplit,
    "incident.looked": IncidentLooked,
    "incident.measured": IncidentMeasured,
    "storm.came": StormCame,
    "storm.went": StormWent,
    "input.verify-first": VerifyFirstSet,
    "input.verify-first-ended": VerifyFirstEnded,
    "incident.step": StepSet,
    "incident.steps-ended": StepsEnded,
    "timer": TimerSet,
    "notices.queued": NoticesQueued,
    "notice.moved": NoticeMoved,
    "reply": ReplyReceived,
    "node.came": NodeCame,
    "node.went": NodeWent,
    "node.silent-life": SilentLifeCame,
    "order.sent": OrderSent,
    "order.answered": OrderAnswered,
    "node.asked": NodeAskedRecorded,
    "fault.raised": FaultRaised,
    "fault.ended": FaultEnded,
    "outage.spread": OutageSpread,
    "battery.seen": BatterySeen,
    "bad-message": BadMessageKept,
    "registry.in-force": RegistryInForce,
    "policy.in-force": PolicyInForce,
    "exclusions.in-force": ExclusionsInForce,
    "gateway.started": GatewayStarted,
    "channel.pace": PaceMeasured,
    "sealed.committed": SealedCommitted,
    "commitment.opened": CommitmentOpened,
    "tally.agreed": TallyAgreed,
    "tally.gap": TallyGap,
    "canary.sent": CanarySent,
    "canary.ended": CanaryEnded,
    "drill.planned": DrillPlanned,
    "drill.confirmed": DrillConfirmed,
    "drill.began": DrillBegan,
    "drill.ended": DrillEnded,
    "walk.began": WalkBegan,
    "walk.ended": WalkEnded,
    "walk.reminded": WalkReminded,
    "coverage": CoverageChanged,
}
KIND_OF: Final[dict[type[Body], str]] = {body: kind for kind, body in KINDS.items()}
