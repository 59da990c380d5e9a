"""Entries about what arrives: presses, what cannot be used, and whether all that was pressed is on record."""

from msgspec import Struct

from controller.entries.values import Flag


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
