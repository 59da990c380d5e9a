"""Every fault there is, as data: who hears of it, after how long, how often they are reminded, how it ends, and what a tap is answered.

A row's key is the sort of its subject and its code (`node/late`): a modem that is unplugged is another thing than a node that is.
A code may name a part behind a colon (`stuck:b1`). The words are `fault.<code>` in the catalogues. A node of a newer version may
name a code that has no row: it is told to whoever mends.
"""

from enum import StrEnum
from typing import Final, NamedTuple

FLAPPING: Final = "flapping"
"""`flapping:<code>`: it comes and goes, and is held down as one fault."""


class Hears(StrEnum):
    """Who is told; the roles are the policy's."""

    MENDERS = "menders"    # [faults_to] roles
    URGENT = "urgent"      # [faults_to] urgent_roles: with it people may not be told, or many blocks are concerned
    BLOCK = "block"        # [faults_to] block_roles of the node's block
    ROSTER = "roster"      # [faults_to] roster_roles: whoever finds people for the shifts


class Ends(StrEnum):
    """What ends it."""

    SAID = "said"          # whoever in the gateway raised it finds that it is over
    BEATS = "beats"        # the node names it no more
    UNSEEN = "unseen"      # it is only ever seen happening: over when it was not seen for an hour


class Shows(StrEnum):
    """Whose tap at rest is answered "fault" while it stands."""

    ZONE = "zone"          # every node's: people may not be told
    NODE = "node"          # the node's own
    NOWHERE = "nowhere"    # nobody's: a press is told all the same


class FaultKind(NamedTuple):
    """One row.

    after_s: told when it has stood so long. repeat_s: the reminder's pace; 0: the policy's `fault_repeat_s`. flaps: it may be held
    down as one that comes and goes.
    """

    hears: Hears = Hears.MENDERS
    shows: Shows = Shows.NODE
    after_s: int = 0
    repeat_s: int = 0
    ends: Ends = Ends.SAID
    flaps: bool = True


_NODE: Final = FaultKind()
_BEATS: Final = FaultKind(ends=Ends.BEATS)
_SEEN: Final = FaultKind(ends=Ends.UNSEEN, flaps=False)
_PART: Final = FaultKind(shows=Shows.NOWHERE)
_TRIAL: Final = FaultKind(Hears.URGENT, flaps=False)
_URGENT: Final = FaultKind(Hears.URGENT, Shows.ZONE)
UNKNOWN: Final = _BEATS

FAULT_KINDS: Final[dict[str, FaultKind]] = {
    # What the gateway finds out about a node.
    "node/late": _NODE,
    "node/test-failed": _NODE,
    "node/press-lost": FaultKind(Hears.URGENT, flaps=False),
    "node/not-proven": _PART,
    "node/canary-press": _TRIAL,
    "node/canary-receipt": _TRIAL,
    "node/siren-pulse": FaultKind(flaps=False),
    "node/siren-silent": FaultKind(flaps=False),
    "node/clock-off": _NODE,
    "node/battery-low": _NODE,
    "node/battery-weak": FaultKind(shows=Shows.NOWHERE, flaps=False),
    "node/first-press": FaultKind(shows=Shows.NOWHERE, ends=Ends.UNSEEN, flaps=False),
    "node/unplugged": FaultKind(Hears.BLOCK, Shows.NOWHERE, after_s=1800),
    "node/tested-often": FaultKind(Hears.URGENT, Shows.NOWHERE, ends=Ends.UNSEEN, flaps=False),
    "node/unknown-kind": FaultKind(flaps=False),
    "node/two-devices-one-name": _SEEN,
    "node/same-number-two-presses": _SEEN,
    "node/rules-failed": FaultKind(Hears.URGENT, Shows.ZONE, ends=Ends.UNSEEN, flaps=False),
    # What a node says of itself in its beats.
    "node/stuck": _BEATS,
    "node/cut": _BEATS,
    "node/shorted": _BEATS,
    "node/disk-full": _BEATS,
    "node/disk-read-only": _BEATS,
    "node/disk-slow": _BEATS,
    "node/disk-damaged": _BEATS,
    "node/supply-collapses-under-siren": _BEATS,
    "node/guard-down": _BEATS,
    "node/keys-unreadable": _BEATS,
    "node/siren-refused": _BEATS,
    "node/settings-refused": _BEATS,
    "node/outbox-filling": _BEATS,
    "node/press-unreadable": _BEATS,
    # The zone, its blocks.
    "zone/many-late": FaultKind(Hears.URGENT, Shows.NOWHERE),
    "zone/canary-police": FaultKind(Hears.URGENT, Shows.ZONE, flaps=False),
    "zone/canary-phone": FaultKind(Hears.URGENT, Shows.NOWHERE, flaps=False),
    "policy/reaches-nobody": FaultKind(Hears.URGENT, Shows.ZONE, flaps=False),
    "zone/outage": FaultKind(Hears.URGENT, Shows.NOWHERE, flaps=False),
    "policy/too-slow": FaultKind(Hears.URGENT, Shows.NOWHERE),
    "block/walk-overdue": FaultKind(shows=Shows.NOWHERE, flaps=False),
    "block/nobody-to-tell": FaultKind(Hears.URGENT, Shows.ZONE, flaps=False),
    "input/verify-first": FaultKind(shows=Shows.NOWHERE, flaps=False),
    "roster/nobody-on-duty": FaultKind(Hears.ROSTER, Shows.NOWHERE, flaps=False),
    # The gateway and what belongs to it.
    "gateway/clock-jumped": FaultKind(shows=Shows.NOWHERE, ends=Ends.UNSEEN, flaps=False),
    "gateway/down": _URGENT,
    "gateway/cannot-commit": _URGENT,
    "gateway/channel-failed": _PART,
    "gateway/policy-refused": FaultKind(Hears.URGENT, Shows.NOWHERE, flaps=False),
    "modem/no-network": _URGENT,
    "modem/sim": _URGENT,
    "modem/hung": _URGENT,
    "modem/unplugged": _URGENT,
    "modem/weak-signal": _PART,
    "modem/memory-full": _PART,
    "modem/garbled": _PART,
    "modem/no-digits": _PART,
    "modem/texts-vanish": _URGENT,
    "modem/credit": FaultKind(Hears.URGENT, Shows.NOWHERE),
    "receiver/no-answer": _URGENT,
    "receiver/refused": _PART,
    "cap/expired": _PART,
    "webhook/expired": _PART,
}


def row(subject: str, code: str) -> str:
    """The key of the row of a fault's subject and code; of one that flaps, that of what comes and goes."""
    return f"{subject.partition('/')[0]}/{plain(code)}"


def flapping_of(code: str) -> str | None:
    """The code that comes and goes, of one that says so; None for any other."""
    return code.removeprefix(f"{FLAPPING}:") if code.startswith(f"{FLAPPING}:") else None


def said_by_node(subject: str, code: str) -> bool:
    """Whether it is the node's own word, which its next beats take back."""
    return flapping_of(code) is None and kind_of(subject, code).ends is Ends.BEATS


def plain(code: str) -> str:
    """The code without the part that it names, and without its flapping."""
    return code.removeprefix(f"{FLAPPING}:").partition(":")[0]


def kind_of(subject: str, code: str) -> FaultKind:
    """The row of a fault."""
    return FAULT_KINDS.get(row(subject, code), UNKNOWN)
