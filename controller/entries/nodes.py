"""Entries about nodes: their lives, what they are ordered, and how far their inputs are believed."""

from msgspec import Struct

from controller.entries.values import Flag


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

    order: `siren-on`, `siren-off`, `strobe-on`, `strobe-off`, `test-mode`, `test-mode-end`, `siren-test`, `siren-minute`, `self-test`,
    `tally`, `canary`, `drill`.
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
    """What the node made of it. siren: what a test found of the siren's current, as `Done.siren` has it."""

    node: str
    id: str
    done: Flag
    why: str = ""
    siren: str = ""


class NodeAskedRecorded(Struct, frozen=True, omit_defaults=True):
    """A tap at rest, and what was answered: proof of life."""

    node: str
    boot: str
    input: str
    ok: Flag
    why: str = ""


class BatterySeen(Struct, frozen=True, omit_defaults=True):
    """What a node's battery shows: once a day, and when it has moved. mains: the node has mains, or does not say."""

    node: str
    mv: int
    mains: Flag = 0


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
