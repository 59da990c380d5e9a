"""Entries about what proves that the network works: canaries, drills, walks, and which blocks are protected."""

from msgspec import Struct

from controller.entries.values import Flag


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
