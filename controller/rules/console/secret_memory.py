"""What is remembered of every silent incident there was, for as long as somebody may look at it: whose it is, and whom it must never reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.entries import Body, Chain, Exclusion, ExclusionsInForce, IncidentJoined, IncidentOpened
from controller.rules.remembered import Fold, Room


@dataclass(slots=True)
class Secret:
    """One of them, open or long over: by these alone is decided who may know. kind: what it was at last."""

    node: str
    input: str
    kind: str
    policy: str
    excludes: frozenset[str]

    @property
    def secret(self) -> bool:
        """It is."""
        return True


class Secrets(Room):
    """By incident; few, and never forgotten."""

    def __init__(self) -> None:
        self.of: dict[str, Secret] = {}
        self._exclusions: tuple[Exclusion, ...] = ()

    def folds(self) -> Mapping[type[Body], Fold]:
        """What is opened in the sealed chain, under which exclusions."""
        return {ExclusionsInForce: self._in_force, IncidentOpened: self._opened, IncidentJoined: self._joined}

    def _in_force(self, _chain: Chain, _at_ms: int, body: ExclusionsInForce) -> None:
        self._exclusions = body.exclusions

    def _opened(self, chain: Chain, _at_ms: int, body: IncidentOpened) -> None:
        if chain is Chain.SEALED:
            excludes = frozenset(who for one in self._exclusions if (one.node, one.input) == (body.node, body.input) for who in one.members)
            self.of[body.incident] = Secret(body.node, body.input, body.kind, body.policy, excludes)

    def _joined(self, _chain: Chain, _at_ms: int, body: IncidentJoined) -> None:
        if body.kind and body.incident in self.of:
            self.of[body.incident].kind = body.kind
