"""What a journal entry can say: one struct a kind. (The design's section 7.)

These are the only facts that last. The rules change their state, and the database its projections, by folding these
entries and in no other way, so that a replay gives the same state as the live process. Integers and strings only (flags
are 0 or 1), ids instead of people, digests instead of free text. A kind once released is never changed, only added to:
a new field has a default.

Everything about a silent press (the press, its incident, its notices, the replies, who looked at it, exclusions)
is recorded in the sealed chain, everything else in the open one. No entry of one chain refers to the other.
"""

from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct

Flag = Literal[0, 1]


def flag(value: bool) -> Flag:
    """The value as an entry holds it: integers and strings only."""
    return 1 if value else 0


class Chain(StrEnum):
    """A zone's two chains."""

    OPEN = "open"
    SEALED = "sealed"


class NoticeQueued(Struct, frozen=True, omit_defaults=True):
    """One message to one member by one channel, decided and not yet sent. An item of `NoticesQueued`.

    id: `<incident or fault>-<n>`; the idempotency key of every try. number: the how-manieth notice to this member by
    this channel, from 1 (a line sequence that shows nothing of others). priority: 0 is sent first.
    reason: why this member is told, e.g. `FIRST`, `ESCALATED`, `TAKEN`, `REPEAT_DUE`.
    about: what the template needs beside the incident, ids only; `contact`: the how-manieth of the member's addresses on this
    channel, from 0, where it is not the first.
    to: the private reference of an address, where it goes to nobody of the registry; `member` is empty then.
    held: it is not sent by itself: a summary will bring it, whose `about` names its `notices`.
    """

    id: str
    member: str
    channel: str
    template: str
    reason: str
    priority: int
    number: int
    about: dict[str, str] = {}
    to: str = ""
    held: Flag = 0


class PressRecorded(Struct, frozen=True, omit_defaults=True):
    """A press arrived and is on record. Exactly one for each (node, boot, seq) and body that is not `unchecked`.

    pressed_from_at_ms, pressed_to_at_ms: UTC; the interval in which it was pressed, one instant where the age is known.
    meaning: what the rules made of it: `opens`, `joins`, `cancels`, `came`, `reopens`, `check-in`, `test`, `canary`, `notes`.
    conflicts_with: the digest under which the same (node, boot, seq) was recorded before: this node's fault, told all the same.
    age_refused: why its age could not be used, where there was one.
    unchecked: the records could not be asked in time whether it was there already, or it is a cancel under a number that was used
    before, so it may be there twice.
    """

    node: str
    boot: str
    seq: int
    input: str
    kind: str
    gesture: str
    digest: str
    pressed_from_at_ms: int
    pressed_to_at_ms: int
    meaning: str
    incident: str = ""
    drill: Flag = 0
    late: Flag = 0
    refers_to: str = ""
    conflicts_with: str = ""
    age_refused: str = ""
    unchecked: Flag = 0


class IncidentOpened(Struct, frozen=True, omit_defaults=True):
    """An emergency in one block, decided under these versions of registry and policy. late: without sirens.

    in_need: the responder whose call for help it is; grew_from: the incident that they went to.
    """

    incident: str
    block: str
    kind: str
    code: str
    node: str
    boot: str
    seq: int
    input: str
    pressed_from_at_ms: int
    pressed_to_at_ms: int
    registry: str
    policy: str
    silent: Flag = 0
    drill: Flag = 0
    late: Flag = 0
    in_need: str = ""
    grew_from: str = ""


class IncidentJoined(Struct, frozen=True, omit_defaults=True):
    """A further press of the same emergency. kind: what the incident is from now on, where the press raised it."""

    incident: str
    node: str
    boot: str
    seq: int
    kind: str = ""


class IncidentMoved(Struct, frozen=True, omit_defaults=True):
    """A step of an incident's life. to: the state it is in now. by: a member's id, or `block`, `rules`."""

    incident: str
    to: str
    by: str
    channel: str = ""
    outcome: str = ""


class IncidentNoted(Struct, frozen=True, omit_defaults=True):
    """Somebody said something that moves nothing by itself: `cannot`, `false`, `armed`, `help`, `came`, `accepted`, `verified`, `note` and more.

    note_ref, digest: the private text that belongs to it, and its salted digest.
    """

    incident: str
    by: str
    meaning: str
    channel: str = ""
    note_ref: str = ""
    digest: str = ""


class IncidentJudged(Struct, frozen=True, omit_defaults=True):
    """What an incident that is over was after all. note_ref, digest: the private text that says why, and its salted digest."""

    incident: str
    outcome: str
    by: str
    channel: str = ""
    note_ref: str = ""
    digest: str = ""


class IncidentOffered(Struct, frozen=True, omit_defaults=True):
    """Whoever has an incident (giver) would hand it over to another member. It is theirs until that one takes it."""

    incident: str
    giver: str
    to: str
    by: str
    channel: str = ""


class IncidentMerged(Struct, frozen=True, omit_defaults=True):
    """Two incidents are one emergency: the presses of `incident`, which is closed next, are `into`'s from now on.

    kind: what `into` is from now on, where the other one was more serious.
    """

    incident: str
    into: str
    by: str
    channel: str = ""
    kind: str = ""


class IncidentSplit(Struct, frozen=True, omit_defaults=True):
    """A press of `incident` was another emergency: the incident `into`, opened next, is its own."""

    incident: str
    into: str
    node: str
    boot: str
    seq: int
    by: str
    channel: str = ""


class IncidentLooked(Struct, frozen=True, omit_defaults=True):
    """In the sealed chain: a member has looked at a silent incident."""

    incident: str
    by: str
    channel: str = ""


class StormCame(Struct, frozen=True):
    """So many blocks have called within a minute: what calls a member further is collected into summaries."""

    blocks: int


class StormWent(Struct, frozen=True):
    """It is quiet again."""


class VerifyFirstSet(Struct, frozen=True, omit_defaults=True):
    """What this input alone says is told to the police only when it is verified. Sirens and the ring on duty do not wait.

    cause: `faulty-hardware` (by the rules, until somebody ends it), or `decision`: the committee's, until then; decision_ref, digest: its
    private text, and the salted digest of that.
    """

    node: str
    input: str
    by: str
    cause: str
    channel: str = ""
    until_at_ms: int = 0
    decision_ref: str = ""
    digest: str = ""


class VerifyFirstEnded(Struct, frozen=True, omit_defaults=True):
    """It is believed again. by: a member, or `rules` when its time is over or there is no such input any more."""

    node: str
    input: str
    by: str
    channel: str = ""


class IncidentMeasured(Struct, frozen=True, omit_defaults=True):
    """At its end: after how many ms since it was opened (or opened again) it was first heard, taken, reached, and accepted by the police.

    -1: never.
    """

    incident: str
    heard_ms: int = -1
    taken_ms: int = -1
    on_scene_ms: int = -1
    police_ms: int = -1


class StepSet(Struct, frozen=True):
    """The incident's next step and when it is due. (Promise 5: while nobody has taken it there is always one.)"""

    incident: str
    step: int
    due_at_ms: int


class TimerSet(Struct, frozen=True, omit_defaults=True):
    """A timer beside the incidents' steps, e.g. `police` of an incident: due then, in_s after it was set; without a time it is over."""

    timer: str
    subject: str
    due_at_ms: int = 0
    in_s: int = 0


class StepsEnded(Struct, frozen=True):
    """No further step is due. Read in older journals alone: what closes an incident ends its steps."""

    incident: str


class NoticesQueued(Struct, frozen=True, omit_defaults=True):
    """Who is told now. incident or fault: what about; neither for an answer to somebody's text."""

    notices: tuple[NoticeQueued, ...]
    incident: str = ""
    fault: str = ""


class NoticeMoved(Struct, frozen=True, omit_defaults=True):
    """A step of a notice's life. to: `notified`, `waiting` (failed for now), `delivered`, `heard`, `failed` (for good), `stopped`.

    ref: the channel's own name for it. why: the channel's reason, never an address or a text.
    """

    notice: str
    to: str
    attempt: int = 0
    ref: str = ""
    why: str = ""
    due_at_ms: int = 0


class ReplyReceived(Struct, frozen=True, omit_defaults=True):
    """Somebody wrote. member empty: a number nobody knows, or that several share. text_ref, digest: the private text and its salted digest.

    mark: keyed, of this very text with its sender and its time: one that is read again after a crash is not counted twice.
    """

    channel: str
    meaning: str
    member: str = ""
    incident: str = ""
    text_ref: str = ""
    digest: str = ""
    mark: str = ""


class NodeCame(Struct, frozen=True, omit_defaults=True):
    """A new life of a node. previous: the boot before, `last_heard_at_ms` its last sign of life."""

    node: str
    boot: str
    firmware: str = ""
    settings_rev: int = 0
    previous: str = ""
    last_heard_at_ms: int = 0
    machine_restarted: Flag = 1


class NodeWent(Struct, frozen=True):
    """The broker lost a node's connection (its will)."""

    node: str
    boot: str


class SilentLifeCame(Struct, frozen=True):
    """In the sealed chain, at each new life of a node: the boot under which its silent presses count."""

    node: str
    silent_boot: str


class OrderSent(Struct, frozen=True, omit_defaults=True):
    """The gateway commanded a node.

    order: `siren-on`, `siren-off`, `strobe-on`, `strobe-off`, `test-mode`, `test-mode-end`, `siren-test`, `self-test`, `tally`, `canary`, `drill`.
    by: the rules, or the member who wrote; channel: by which; place: from the how-manieth of their addresses there, from 0.
    drill: for an exercise.
    """

    node: str
    boot: str
    id: str
    order: str
    incident: str = ""
    by: str = "rules"
    channel: str = ""
    place: int = 0
    drill: Flag = 0


class OrderAnswered(Struct, frozen=True, omit_defaults=True):
    """What the node made of it."""

    node: str
    id: str
    done: Flag
    why: str = ""


class NodeAskedRecorded(Struct, frozen=True, omit_defaults=True):
    """A tap at rest, and what was answered: proof of life."""

    node: str
    boot: str
    input: str
    ok: Flag
    why: str = ""


class FaultRaised(Struct, frozen=True, omit_defaults=True):
    """Something needs mending. subject: e.g. `node/b12n1`, `modem/sim1`, `gateway/store`. detail: no personal data."""

    fault: str
    subject: str
    code: str
    detail: str = ""


class FaultEnded(Struct, frozen=True):
    """It is mended."""

    fault: str


class BatterySeen(Struct, frozen=True, omit_defaults=True):
    """What a node's battery shows: once a day, and when it has moved. mains: the node has mains, or does not say."""

    node: str
    mv: int
    mains: Flag = 0


class OutageSpread(Struct, frozen=True):
    """A power cut has reached these blocks, too. fault: the zone's `outage` that stands."""

    fault: str
    blocks: tuple[str, ...]


class BadMessageKept(Struct, frozen=True, omit_defaults=True):
    """Something arrived that cannot be used. sort: `unknown-node`, `unauthentic`, `unreadable`, `too-big`, `foreign-topic`.

    suppressed: how many more of this sort from this sender came since the last entry and are counted here only.
    boot, seq: of a press that could be read and not decided.
    """

    sort: str
    topic: str
    digest: str
    size: int
    why: str
    node: str = ""
    suppressed: int = 0
    boot: str = ""
    seq: int = 0


class StreamProven(Struct, frozen=True, omit_defaults=True):
    """All presses of one life of a node, up to number `last`, are on record, but for so many that it still has to send. An item of `TallyAgreed`."""

    boot: str
    last: int
    waiting: int = 0


class TallyAgreed(Struct, frozen=True, omit_defaults=True):
    """What a node says it made is what the chain has: nothing is missing. In each chain of its own streams alone.

    partly: the node had more to name than one answer holds; the rest comes the next night.
    """

    node: str
    streams: tuple[StreamProven, ...]
    partly: Flag = 0


class TallyGap(Struct, frozen=True):
    """Presses that a node made, that are not on record, and that it does not have any more. missing: numbers and runs, `3 5-7`."""

    node: str
    boot: str
    missing: str


class AidAsked(Struct, frozen=True):
    """A block of another zone, beside one where this incident is, is asked for help: the district carries it there."""

    incident: str
    zone: str
    block: str
    kind: str


class AidGiven(Struct, frozen=True):
    """Another zone asked for help beside this block, for an incident of its own; strobes and notices follow."""

    zone: str
    incident: str
    block: str
    kind: str


class RegistryInForce(Struct, frozen=True):
    """From here on decisions are made from this registry."""

    rev: int
    version: str


class PolicyInForce(Struct, frozen=True):
    """From here on decisions are made under this policy. text: the policy whole, as TOML."""

    version: str
    text: str


class Exclusion(Struct, frozen=True):
    """Whom a silent press at one input must never reach. An item of `ExclusionsInForce`."""

    node: str
    input: str
    members: tuple[str, ...]


class ExclusionsInForce(Struct, frozen=True, omit_defaults=True):
    """In the sealed chain: from here on these exclusions hold, and no others."""

    exclusions: tuple[Exclusion, ...] = ()


class PaceMeasured(Struct, frozen=True):
    """A channel accepts so many notices a minute now; said when that has changed by more than a quarter."""

    channel: str
    per_minute: int


class GatewayStarted(Struct, frozen=True):
    """A new life of the gateway."""

    version: str


class SealedCommitted(Struct, frozen=True):
    """What the sealed chain's head was: SHA-256 over a salt kept in the sealed chain, its length and its head's link."""

    commitment: str


class CommitmentOpened(Struct, frozen=True):
    """In the sealed chain: the salt of a commitment, so that who may read it can check it. seq, link: the head it names."""

    salt: str
    seq: int
    link: str


class CanarySent(Struct, frozen=True):
    """A canary sets out: a node was ordered to send a test press. legs: what must have come by then; due_at_ms: as a step's.

    legs: `press` (it arrived), `receipt` (the node has it), `police` (their machine acknowledged it), `phone` (a member's has the text).
    """

    order: str
    node: str
    boot: str
    legs: tuple[str, ...]
    due_at_ms: int


class CanaryEnded(Struct, frozen=True, omit_defaults=True):
    """What became of it: well, where nothing is missing. interrupted: the gateway ended meanwhile; it proves nothing."""

    order: str
    node: str
    missing: tuple[str, ...] = ()
    interrupted: Flag = 0


class DrillPlanned(Struct, frozen=True, omit_defaults=True):
    """An exercise: presses of `kind` in one block, or (scope `zone`, `district`) in all of the zone's, that are marked all along.

    code: with which whoever asked for it, by a text, must confirm it; empty: nothing more is waited for. sirens: they sound, too.
    every_days: it is repeated so often; 0: once.
    """

    drill: str
    by: str
    scope: str
    block: str
    kind: str
    starts_at_ms: int
    lasts_s: int
    sirens: Flag = 0
    every_days: int = 0
    code: str = ""


class DrillConfirmed(Struct, frozen=True):
    """Whoever asked for it means it."""

    drill: str


class DrillBegan(Struct, frozen=True):
    """It is the hour: the nodes are ordered to send its presses."""

    drill: str


class DrillEnded(Struct, frozen=True, omit_defaults=True):
    """Its incidents are closed. by: `rules` at its time, or the member who ended it; next_at_ms: when it is held again, 0: never."""

    drill: str
    by: str
    next_at_ms: int = 0


class WalkBegan(Struct, frozen=True, omit_defaults=True):
    """Somebody goes from button to button of a block, whose nodes are put into test mode. place: of their address on the channel."""

    block: str
    by: str
    channel: str
    place: int = 0


class WalkEnded(Struct, frozen=True, omit_defaults=True):
    """The walk is over. left: the inputs that nobody has tried in it, `<node>.<input>`."""

    block: str
    left: tuple[str, ...] = ()


class WalkReminded(Struct, frozen=True):
    """Whoever should do it was reminded that these inputs were not tried by hand for too long. Of silent ones in the sealed chain."""

    block: str
    inputs: tuple[str, ...]


class CoverageChanged(Struct, frozen=True, omit_defaults=True):
    """From here on a block is protected, or (why) is not. why: reasons with blanks between, e.g. `node-late nobody-on-duty`."""

    block: str
    why: str = ""


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
