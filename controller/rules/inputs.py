"""What can happen to a zone: the inputs of `ZoneController.handle`. Checked at the edge; trusted here."""

from enum import StrEnum

from msgspec import Struct

from controller import messages
from controller.registry import PrivateRef, Registry
from controller.rules.console.acts import Act
from controller.rules.policy import Policy


class PressArrived(Struct, frozen=True):
    """An authentic press that is not yet on record (the inbox drops repeats).

    digest: of its payload. age_ms: how old it was when it was sent; None when the node's machine has restarted since, or
    when the age could not be used (then age_refused says why). waited_ms: how long the broker held it (whole seconds).
    conflicts_with: the digest under which the same (node, boot, seq) is on record with another body. unchecked: the records
    could not be asked in time whether they have it.
    """

    node: str
    press: messages.Press
    digest: str
    age_ms: int | None
    waited_ms: int = 0
    age_refused: str = ""
    conflicts_with: str = ""
    unchecked: bool = False


class PressSetAside(Struct, frozen=True):
    """A press on which the rules failed in an earlier life of the gateway: it is not decided a second time. why: in English."""

    node: str
    press: messages.Press
    digest: str
    why: str


class NodeOnline(Struct, frozen=True):
    """A birth or a will. retained: it is the broker's memory, not news."""

    node: str
    online: messages.Online
    retained: bool = False


class NodeBeat(Struct, frozen=True):
    """A sign of life."""

    node: str
    beat: messages.Beat


class NodeAsked(Struct, frozen=True):
    """A tap at rest."""

    node: str
    ask: messages.Ask


class NodeDone(Struct, frozen=True):
    """A node says what it made of an order."""

    node: str
    done: messages.Done


class BadMessageSort(StrEnum):
    """Why a message cannot be used."""

    UNKNOWN_NODE = "unknown-node"
    UNAUTHENTIC = "unauthentic"
    UNREADABLE = "unreadable"
    TOO_BIG = "too-big"
    FOREIGN_TOPIC = "foreign-topic"


class BadMessageCame(Struct, frozen=True):
    """Something arrived that cannot be used. `unreadable` and `too-big` ones are authentic and get a receipt."""

    sort: BadMessageSort
    node: str
    topic: str
    digest: str
    size: int
    why: str


class MemberWrote(Struct, frozen=True):
    """A text came in by a channel. member: None when nobody is known by that address, or (then shared) several are.

    sender_ref: the private reference of the address, so that it can be answered; None where it cannot. text_ref,
    text_digest: where the text itself is kept, and its salted digest. text: read here and never recorded. mark: by which this
    very text is known when it is read again; empty: it cannot be. handle: by which the shell is told that it is on record;
    empty: nobody waits for that. sharers: the members of a shared address. written_at_ms: when it was written (UTC), by the network's
    clock; 0 where that is not known.
    """

    channel: str
    member: str | None
    text: str
    sender_ref: PrivateRef | None
    text_ref: PrivateRef | None
    text_digest: str
    shared: bool = False
    mark: str = ""
    handle: str = ""
    sharers: tuple[str, ...] = ()
    written_at_ms: int = 0


class OperatorDid(Struct, frozen=True):
    """A member did something on a page. command: the shell's name for it, by which the answer is known; channel: e.g. `console`, `link`.

    incident: empty where the act is about an input.
    """

    command: str
    member: str
    act: Act
    incident: str = ""
    channel: str = "console"


class Looked(Struct, frozen=True):
    """A member opened the page of an incident. Said also of one that is forgotten here, where the records say that it was silent."""

    command: str
    member: str
    incident: str
    channel: str = "console"


class CallAnswered(Struct, frozen=True):
    """A call that told `notice` was picked up; digit: what whoever did pressed, empty until they press something."""

    notice: str
    digit: str = ""


class MemberCalled(Struct, frozen=True):
    """Somebody rang and was not answered. member: None when nobody is known by the number, or several are.

    going: it was the number whose ringing says "I am going".
    """

    member: str | None
    going: bool = False


class NoticesVanished(Struct, frozen=True):
    """Notices that a channel accepted and that reached nobody, as far as anybody can see. elsewhere: it has another way that works."""

    notices: tuple[str, ...]
    elsewhere: bool


class ChannelPaced(Struct, frozen=True):
    """A channel accepts so many notices a minute now, as measured. 0: none."""

    channel: str
    per_minute: int


class Tried(StrEnum):
    """How one try of a notice ended."""

    SENT = "sent"                # the channel accepted it
    TRY_LATER = "try-later"      # failed for now: another try may succeed
    NEVER = "never"              # failed for good on this channel


class NoticeTried(Struct, frozen=True):
    """The dispatcher tried. attempt: from 1. why: never an address or a text. retry_in_ms: with TRY_LATER, the channel's wish.

    stuck: with TRY_LATER: nothing goes by this channel now, and nobody knows until when; it did not go, and was no try.
    """

    notice: str
    attempt: int
    tried: Tried
    ref: str = ""
    why: str = ""
    retry_in_ms: int = 0
    stuck: bool = False


class NoticeReported(Struct, frozen=True):
    """A delivery report: it reached the handset, or never will."""

    notice: str
    delivered: bool
    why: str = ""


class PartFailed(Struct, frozen=True):
    """A part of the gateway has a fault: subject e.g. `modem/sim1`, code e.g. `hung`. Said once; repeating it changes nothing."""

    subject: str
    code: str
    detail: str = ""


class PartRecovered(Struct, frozen=True):
    """It works again."""

    subject: str
    code: str


class DrillOrdered(Struct, frozen=True):
    """An exercise is ordered, by somebody who may: see `DrillPlanned`. block: empty for the scopes `zone` and `district`. kind: an audible one."""

    by: str
    scope: str
    block: str
    kind: str
    starts_at_ms: int
    lasts_s: int = 1800
    sirens: bool = False
    every_days: int = 0


class AidCalled(Struct, frozen=True):
    """Another zone has an emergency of this kind beside one of this zone's blocks. incident: that zone's name for it."""

    zone: str
    incident: str
    block: str
    kind: str


class RegistryChanged(Struct, frozen=True):
    """The registry has a new revision."""

    registry: Registry


class PolicyChanged(Struct, frozen=True):
    """Another policy is put in force."""

    policy: Policy


class Started(Struct, frozen=True):
    """The gateway's process has started, with the state folded from the journal; what was due goes on."""

    version: str


class Woken(Struct, frozen=True):
    """The time that `wake_at_ms` asked for has come."""


ZoneInput = (
    AidCalled
    | PressArrived | PressSetAside | NodeOnline | NodeBeat | NodeAsked | NodeDone | BadMessageCame | MemberWrote | NoticeTried | NoticeReported
    | OperatorDid | Looked | CallAnswered | MemberCalled | NoticesVanished | ChannelPaced
    | PartFailed | PartRecovered | DrillOrdered | RegistryChanged
    | PolicyChanged | Started | Woken
)
