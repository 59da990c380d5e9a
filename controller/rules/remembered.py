"""What a zone's state remembers beside its incidents: notices, faults, nodes, and the orders that people gave them."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from controller import entries
from controller.entries import Body, Chain, NoticeQueued
from controller.messages import MISSING_MAX

DAY_MS: Final = 86_400_000
FINAL: Final = frozenset({"notified", "delivered", "heard", "failed", "stopped"})
"""States in which a notice is tried no more."""


Fold = Callable[[Chain, int, Any], None]
"""Takes one entry of a kind into a room's memory: chain, its time (UTC ms), body."""


class Room(ABC):
    """What one part of the rules remembers by itself. `ZoneState.apply` gives it the entries it asks for, live and on replay."""

    @abstractmethod
    def folds(self) -> Mapping[type[Body], Fold]:
        """By kind of entry, what takes it in."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


def folds_of(*rooms: Room) -> dict[type[Body], list[Fold]]:
    """By kind of entry, what takes it in, room by room."""
    found: dict[type[Body], list[Fold]] = {}
    for room in rooms:
        for kind, fold in room.folds().items():
            found.setdefault(kind, []).append(fold)
    return found


@dataclass(slots=True)
class Notice:
    """A notice that is not forgotten yet. kind: its incident's when it was queued; a later press may have raised that."""

    queued: NoticeQueued
    chain: Chain
    incident: str
    fault: str
    made_at_ms: int
    kind: str = ""
    state: str = "queued"
    attempt: int = 1
    due_at_ms: int = 0
    moved_at_ms: int = 0


@dataclass(slots=True)
class Fault:
    """Something that needs mending."""

    id: str
    subject: str
    code: str
    detail: str
    raised_at_ms: int
    notices: int = 0
    """How many were queued about it."""
    unsent: list[str] = field(default_factory=list)


@dataclass(slots=True)
class NodeLife:
    """What is known of a node. boots: came at, by boot, the newest last; bounded.

    test: the order that was its newest self-test in this life; test_passed_at_ms: when one last passed.
    """

    boot: str = ""
    came_at_ms: int = 0
    settings_rev: int = 0
    gone: bool = False
    boots: OrderedDict[str, int] = field(default_factory=OrderedDict)
    last_heard_before_ms: dict[str, int] = field(default_factory=dict)
    test: str = ""
    test_sent_at_ms: int = 0
    test_passed_at_ms: int = 0
    tests_unanswered: int = 0


@dataclass(slots=True)
class SeqsHeard:
    """The open presses of one boot that are known: up to `last` all but `missing`, of which the newest are kept."""

    last: int = 0
    missing: tuple[int, ...] = ()

    def hear(self, seq: int) -> None:
        """This one is known from now on."""
        if seq > self.last:
            overtaken = range(max(self.last + 1, seq - MISSING_MAX), seq)
            self.missing = (*self.missing, *overtaken)[-MISSING_MAX:]
            self.last = seq
        else:
            self.missing = tuple(each for each in self.missing if each != seq)


class OrderBy(NamedTuple):
    """An order that a member gave, and when."""

    body: entries.OrderSent
    at_ms: int
