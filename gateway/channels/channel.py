"""What every channel is: it takes a telling and answers with a value, never with an exception.

`Sent` means that the next party accepted it (the modem's network, the receiver's ACK, a server's 2xx), no more.
"""

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where it is, as far as this notice may say. Block data is the committee's; address is set for who has taken it."""

    block: str
    block_name: str
    meeting_point: str
    landmark: str = ""
    vehicle_point: str = ""
    latitude: float | None = None
    longitude: float | None = None
    address: str = ""


class Event(Struct, frozen=True):
    """The incident as machines are told it (DC-09, CAP, webhook). Times are UTC ms.

    step: `opened` (new), `updated` (also: the block takes it back), `cancelled` (closed), `test`. number: the notice's line number, from 1.
    cid, sia: codes without qualifier (`120`, `PA`); restore_sia: its restore code. earlier: keys of this incident's
    earlier notices that this address accepted, oldest first, with the times they were made (for CAP references).
    """

    step: Literal["opened", "updated", "cancelled", "test"]
    incident: str
    kind: str
    code: str
    zone: str
    zone_name: str
    place: Place
    node: str
    input: str
    pressed_from_at_ms: int
    pressed_to_at_ms: int
    made_at_ms: int
    silent: bool
    drill: bool
    late: bool
    cid: str
    sia: str
    restore_sia: str
    cap_category: str
    cap_event: str
    severity: Literal["Extreme", "Severe", "Moderate", "Minor"]
    zone_number: int
    """001 to 999: which input, as the receiver's table has it (`cuadra registry numbers`); 000: an input without a number."""
    earlier: tuple[tuple[str, int], ...] = ()


class Telling(Struct, frozen=True):
    """One try of one notice, with the private values joined. It lives for the try only: never logged, never stored.

    key: the idempotency key, the same for every try. attempt: from 1. number: line number at this address, from 1.
    text: composed for people, in the member's language; event: the same for machines, None for what is no incident. secret: of
    the sealed chain; nothing that others hear of may begin or end with it.
    """

    key: str
    attempt: int
    number: int
    address: str
    text: str
    title: str
    language: str
    event: Event | None = None
    secret: bool = False


class Sent(Struct, frozen=True):
    """Accepted. ref: the channel's own name for it, to match reports."""

    ref: str = ""


class TryLater(Struct, frozen=True):
    """Failed for now. why: for the record, without address or text. after_ms: the channel's wish; None for the usual back-off.

    stuck: nothing goes this way now, and nobody knows until when: who has another way must not wait for this one, and who has
    none is told when it works again. It did not go, and counts as no try.
    """

    why: str
    after_ms: int | None = None
    stuck: bool = False


class Never(Struct, frozen=True):
    """Failed for good: another try on this channel cannot help."""

    why: str


Outcome = Sent | TryLater | Never


class Delivered(Struct, frozen=True):
    """The handset has it (or, with `delivered` false, never will)."""

    key: str
    delivered: bool
    why: str = ""


class Wrote(Struct, frozen=True):
    """Somebody wrote to us. address: as the network gave it, normalised (`+51...`).

    origin: what makes it the same text when it is read again, and tells it from the same words sent later; empty where that
    is not known. written_at_ms: when it was written (UTC), by the network's clock; 0 where that is not known.
    """

    channel: str
    address: str
    text: str
    origin: str = ""
    written_at_ms: int = 0


class PickedUp(Struct, frozen=True):
    """A call was answered: by a person, or by a mailbox."""

    key: str


class Pressed(Struct, frozen=True):
    """Whoever answered a call pressed a digit."""

    key: str
    digit: str


class Rang(Struct, frozen=True):
    """Somebody rang one of our numbers and was not answered. address: as `Wrote` has it, empty where it is hidden.

    going: it is the number whose ringing means "I am going".
    """

    channel: str
    address: str
    going: bool


class Vanished(Struct, frozen=True):
    """Texts that were accepted, and of which nothing was heard, by a SIM whose texts vanish. elsewhere: another way of the channel works."""

    keys: tuple[str, ...]
    elsewhere: bool


class Paced(Struct, frozen=True):
    """How many tellings a minute the channel accepts now, as measured; said when it has changed by more than a quarter. 0: none."""

    channel: str
    per_minute: float


class PartState(Struct, frozen=True):
    """A part is faulty, or well again. subject: e.g. `modem/sim1`; code: e.g. `hung`. Said at each change, once."""

    subject: str
    code: str
    faulty: bool
    detail: str = ""


ChannelNews = Delivered | Wrote | PickedUp | Pressed | Rang | Vanished | Paced | PartState
Report = Callable[[ChannelNews], asyncio.Future[None] | None]
"""How a channel tells the gateway what happened; called on the event loop's thread, never blocks.

The answer is done when what was said is on record, and cancelled when it will not be; None: nothing is to be waited for.
"""


class Channel(Protocol):
    """A way to tell somebody.

    concurrency: how many tellings may be under way at once. timeout_s: after it a try is given up as `TryLater` by the
    dispatcher, so it must lie above the channel's own time-outs. attempts_max: tries before it counts as failed for good,
    those in which the channel was stuck left out.
    """

    name: str
    concurrency: int
    timeout_s: float
    attempts_max: int

    async def send(self, telling: Telling) -> Outcome:
        """Try once. Raises nothing; cancelled when the time is up."""
        ...

    async def run(self, report: Report) -> None:
        """Live beside the sending (supervise, poll, receive) until cancelled; news goes to `report`."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A channel whose tries take long enough to be taken back."""

    def give_up(self, key: str) -> None:
        """The notice is not wanted any more; a try of it that can still be ended is ended."""
        ...
