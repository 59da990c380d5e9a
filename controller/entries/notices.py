"""Entries about who is told, what becomes of it, and what people write back."""

from msgspec import Struct

from controller.entries.values import Flag


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


class PaceMeasured(Struct, frozen=True):
    """A channel accepts so many notices a minute now; said when that has changed by more than a quarter."""

    channel: str
    per_minute: int
