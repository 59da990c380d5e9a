"""Entries about an incident's life, its next step, and what reaches beyond one incident."""

from msgspec import Struct

from controller.entries.values import Flag


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


class StepsEnded(Struct, frozen=True):
    """No further step is due. Read in older journals alone: what closes an incident ends its steps."""

    incident: str


class TimerSet(Struct, frozen=True, omit_defaults=True):
    """A timer beside the incidents' steps, e.g. `police` of an incident: due then, in_s after it was set; without a time it is over."""

    timer: str
    subject: str
    due_at_ms: int = 0
    in_s: int = 0


class StormCame(Struct, frozen=True):
    """So many blocks have called within a minute: what calls a member further is collected into summaries."""

    blocks: int


class StormWent(Struct, frozen=True):
    """It is quiet again."""


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
