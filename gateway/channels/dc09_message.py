"""What a receiver is told, and what its answer means: decisions about SIA DC-09 without I/O."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from controller.dc09_address import Label, ReceiverAddress
from gateway.channels.channel import Event
from gateway.channels.dc09_frame import SEQ_MAX, Frame

_AREA: Final = 1
"""Partition (Contact ID) and area (SIA): the receiver's table tells inputs apart by their zone number alone."""
REPLY_S_MAX: Final = 60
"""How far an encrypted acknowledgement's time may lie from ours: an older one is a recording."""


def sequence(number: int) -> int:
    """SSSS of a member's `number`-th notice (from 1): 1 to 9999, then from 1 again; the same at every try."""
    return (number - 1) % SEQ_MAX + 1


def message(event: Event, number: int, to: ReceiverAddress) -> Frame:
    """The event as this receiver is told it; its time is added when it is sent."""
    qualifier, cid, sia = _codes(event)
    if to.label == "ADM-CID":
        data = f"#{to.account}|{qualifier}{cid} {_AREA:02d} {event.zone_number:03d}"
    else:
        data = f"#{to.account}|Nri{_AREA}/{sia}{event.zone_number}"
    return Frame(to.label, sequence(number), to.account, to.receiver, to.line, data, _extended(event, to.label),
                 encrypted=to.key is not None)


def poll(to: ReceiverAddress) -> Frame:
    """A link test: NULL, which a receiver acknowledges and shows to nobody."""
    return Frame("NULL", 0, to.account, to.receiver, to.line, encrypted=to.key is not None)


def _codes(event: Event) -> tuple[int, str, str]:
    """Contact ID's qualifier and code, and SIA's code. A drill's are test codes: neither can mark an exercise."""
    if event.step == "test":
        return 1, "602", "RP"
    if event.drill:
        return (3, "607", "TE") if event.step == "cancelled" else (1, "607", "TS")
    match event.step:
        case "opened":
            return 1, event.cid, event.sia
        case "updated":
            # 6: still present. SIA has no such word: the code is said again, for the same zone number.
            return 6, event.cid, event.sia
        case "cancelled":
            return 3, event.cid, event.restore_sia


def _extended(event: Event, label: Label) -> tuple[str, ...]:
    """When and where. With Contact ID at most one: a receiver in use refuses two, and half a position is none."""
    occurred = []
    if event.late:
        occurred.append(datetime.fromtimestamp(event.pressed_from_at_ms // 1000, UTC).strftime("H%H:%M:%S,%m-%d-%Y"))
    latitude, longitude = event.place.latitude, event.place.longitude
    if label == "ADM-CID" or latitude is None or longitude is None:
        return tuple(occurred)
    return (f"X{_degrees(longitude, 3, 'EW')}", f"Y{_degrees(latitude, 2, 'NS')}", *occurred)


def _degrees(value: float, digits: int, sides: str) -> str:
    """Degrees, side, minutes with three decimals: `077W02.370`."""
    thousandths = round(abs(value) * 60_000)
    whole, rest = divmod(thousandths, 60_000)
    return f"{whole:0{digits}d}{sides[value < 0]}{rest // 1000:02d}.{rest % 1000:03d}"


class Reply(Enum):
    """What a frame from the receiver means for the message that is outstanding."""

    ACCEPTED = "accepted"            # ACK, or RSP: done
    OTHER_TIME = "other-time"        # NAK with its own time: correct ours, send again
    REFUSED = "refused"              # NAK without a time
    NOT_UNDERSTOOD = "not-understood"  # DUH: never send it again
    NOT_OURS = "not-ours"            # answers another message, or proves nothing


def judge(sent: Frame, reply: Frame, receiver_now_s: float) -> Reply:
    """What `reply` means for `sent`. receiver_now_s: UTC seconds as the receiver's clock should show them.

    An encrypted message is only acknowledged by an encrypted reply of this very time: otherwise anybody on the way
    could say "accepted" in the receiver's name, or play an old one. (Section 5.5.4.)
    """
    if reply.label == "NAK":
        return Reply.REFUSED if reply.at_s is None else Reply.OTHER_TIME
    if reply.seq != sent.seq or not reply.account or int(reply.account, 16) != int(sent.account, 16):
        return Reply.NOT_OURS
    if reply.label == "DUH":
        return Reply.NOT_UNDERSTOOD
    if reply.label not in {"ACK", "RSP"}:
        return Reply.NOT_OURS
    if sent.encrypted and (not reply.encrypted or reply.at_s is None or abs(reply.at_s - receiver_now_s) > REPLY_S_MAX):
        return Reply.NOT_OURS
    return Reply.ACCEPTED


Clock = Callable[[], float]
"""UTC seconds."""
