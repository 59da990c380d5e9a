"""Facts, told shortly."""

from controller.entries import (
    Body,
    Chain,
    FaultEnded,
    FaultRaised,
    IncidentJoined,
    IncidentMoved,
    IncidentOpened,
    NodeCame,
    NodeWent,
    NoticeMoved,
    NoticeQueued,
    NoticesQueued,
    PressRecorded,
    StepsEnded,
    StepSet,
)
from controller.records.journal import Addition

BOOT = "0123456789abcdef" * 2


def press(seq: int, digest: str = "", node: str = "b12n1", **more: str | int) -> PressRecorded:
    return PressRecorded(
        node, BOOT, seq, "b1", "panic", "hold", digest or f"{seq:032x}", 1_790_000_000_000, 1_790_000_000_000, "opens", incident=f"i{seq}",
        **more,  # type: ignore[arg-type]  # the struct's own further fields
    )


def opened(incident: str, **more: str | int) -> IncidentOpened:
    return IncidentOpened(
        incident, "b12", "panic", "K7F3", "b12n1", BOOT, 1, "b1", 1_790_000_000_000, 1_790_000_000_000, "r" * 64, "p" * 64,
        **more,  # type: ignore[arg-type]  # the struct's own further fields
    )


def night() -> list[Body]:
    """One of each kind of fact that projections fold, as a night brings them."""
    return [
        NodeCame("b12n1", BOOT, firmware="0.1.0", settings_rev=3),
        press(1), opened("i1"), StepSet("i1", 1, 1_790_000_060_000),
        NoticesQueued((
            NoticeQueued("i1-1", "m1", "sms", "alarm", "FIRST", 0, 1), NoticeQueued("i1-2", "m2", "dc09", "alarm", "FIRST", 1, 1),
        ), incident="i1"),
        NoticeMoved("i1-1", "notified", 1, ref="17"),
        NoticeMoved("i1-2", "waiting", 1, why="no ACK", due_at_ms=1_790_000_005_000),
        press(2), IncidentJoined("i1", "b12n1", BOOT, 2, kind="fire"),
        IncidentMoved("i1", "taken", "m1", channel="sms"), StepsEnded("i1"),
        NoticeMoved("i1-1", "heard"),
        NodeWent("b12n1", BOOT),
        FaultRaised("f1", "node/b12n1", "late"), FaultEnded("f1"), FaultRaised("f2", "modem/sim1", "hung", detail="no\x00prompt"),
        IncidentMoved("i1", "closed", "m1", channel="sms", outcome="real"),
    ]


def told(*bodies: Body, chain: Chain = Chain.OPEN, at_ms: int = 1_790_000_000_000) -> list[Addition]:
    """As additions to a chain, a second apart."""
    return [Addition(chain, at_ms + 1000 * n, body) for n, body in enumerate(bodies)]
