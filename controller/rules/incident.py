"""An incident's life, as a table, and what is known of one while it is open.

opened: nobody has taken it; the steps of its policy move it on. taken: somebody is going; the time by which somebody must be
there moves it on. on-scene: somebody is there; they move it on, or silence does. closed: the end, unless the block reopens it.
A crash loses none of it: each state is an entry of the journal, with the due time of the next step beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from controller.entries import Chain
from controller.errors import BadMessage


class State(StrEnum):
    """Where an incident stands."""

    OPENED = "opened"
    TAKEN = "taken"
    ON_SCENE = "on-scene"
    CLOSED = "closed"


class Happening(StrEnum):
    """What moves it."""

    TOOK = "took"                # a member goes
    ARRIVED = "arrived"          # a member is there
    EXPIRED = "expired"          # taken, and nobody came
    GAVE_UP = "gave-up"          # the last one who was going or there cannot
    LEFT = "left"                # nobody is there any more, but somebody is going
    ENDED = "ended"              # closed by those who may
    REOPENED = "reopened"        # the block holds its button again


NEXT: Final[Mapping[tuple[State, Happening], State]] = {
    (State.OPENED, Happening.TOOK): State.TAKEN,
    (State.OPENED, Happening.ARRIVED): State.ON_SCENE,
    (State.OPENED, Happening.ENDED): State.CLOSED,
    (State.TAKEN, Happening.TOOK): State.TAKEN,
    (State.TAKEN, Happening.ARRIVED): State.ON_SCENE,
    (State.TAKEN, Happening.EXPIRED): State.OPENED,
    (State.TAKEN, Happening.GAVE_UP): State.OPENED,
    (State.TAKEN, Happening.ENDED): State.CLOSED,
    (State.ON_SCENE, Happening.TOOK): State.ON_SCENE,
    (State.ON_SCENE, Happening.ARRIVED): State.ON_SCENE,
    (State.ON_SCENE, Happening.GAVE_UP): State.OPENED,
    (State.ON_SCENE, Happening.LEFT): State.TAKEN,
    (State.ON_SCENE, Happening.ENDED): State.CLOSED,
    (State.CLOSED, Happening.REOPENED): State.OPENED,
}


def step(state: State, happening: Happening) -> State:
    """Where `happening` leads from `state`.

    Raises BadMessage, naming both, when it is no step of the life.
    """
    found = NEXT.get((state, happening))
    if found is None:
        raise BadMessage(f"an incident that is {state} cannot be moved by {happening!r}; expected one of "
                         f"{', '.join(h for s, h in NEXT if s is state)}")
    return found


CHECK: Final = -1
"""The step that asks whoever has taken it whether they are there."""
QUIET: Final = -2
"""The step that asks whoever is there how it goes; it closes an incident of which nothing was heard for long."""
LOOK: Final = -3
"""The step that asks the next member to look after a cancelled incident; it closes it when all were asked."""
EXPIRE: Final = -4
"""The step at which a taking that was asked after, without an answer, is no longer believed."""

UNANSWERED: Final = -5
"""The step at which whoever is there was asked how it goes, and is silent."""

NOBODY: Final = frozenset({"rules", "block"})
"""Who moves an incident and is no member."""


@dataclass(slots=True)
class Incident:
    """One emergency in one block, as folded from the journal. Times are UTC ms."""

    id: str
    chain: Chain
    block: str
    kind: str
    code: str
    node: str
    boot: str
    seq: int
    input: str
    pressed_from_at_ms: int
    pressed_to_at_ms: int
    opened_at_ms: int
    drill: bool
    late: bool
    state: State = State.OPENED
    last_press_at_ms: int = 0
    moved_at_ms: int = 0
    presses: list[tuple[str, str, int]] = field(default_factory=list)
    takers: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    doubters: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Who said that they cannot."""
    unsure: list[str] = field(default_factory=list)
    """Whose taking expired or was given back: that they take it again leaves nobody else in peace before they are there."""
    replied: list[str] = field(default_factory=list)
    """Who has answered or called about it, whatever they said."""
    accepted: list[str] = field(default_factory=list)
    """Who of the police has accepted it."""
    armed: list[str] = field(default_factory=list)
    """Who said that there are weapons."""
    in_need: str = ""
    """The responder whose call for help it is; empty for a press's own."""
    grew_from: str = ""
    looks: list[str] = field(default_factory=list)
    """Who was asked to look after what the block had taken back, since it was last opened; the last one of them has the turn."""
    told: dict[str, list[str]] = field(default_factory=dict)
    """Member -> ids of their notices, oldest first."""
    machines: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    """(member, channel) -> (key, made at) of this incident's notices, oldest first."""
    notices: int = 0
    step: int = 0
    ring: int = 0
    """The next step of the policy; `step` may be another one meanwhile."""
    asked: int = 0
    """How often in a row it was time to ask whoever is there how it goes, since a member last said something."""
    due_at_ms: int | None = None
    cancelled: bool = False
    outcome: str = ""
    policy: str = ""
    """The version of the policy under which it was opened."""
    excludes: frozenset[str] = frozenset()
    """Whom its button excluded then."""
    also_in: list[str] = field(default_factory=list)
    """Further blocks whose presses are part of it, since others were merged into it."""

    @property
    def secret(self) -> bool:
        """Whether only its own circle may know of it."""
        return self.chain is Chain.SEALED

    @property
    def blocks(self) -> list[str]:
        """Every block that it is in, its own first."""
        return [self.block, *self.also_in]

    @property
    def grew_from_or_own(self) -> str:
        """The incident of the press with which it all began."""
        return self.grew_from or self.id

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.state is not State.CLOSED
