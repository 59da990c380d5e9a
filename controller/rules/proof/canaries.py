"""What is remembered of the canaries: the one under way, what the last ones lacked, and whose turn it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.entries import Body, CanaryEnded, CanarySent, Chain, NoticeMoved, NoticesQueued, OrderAnswered, PressRecorded
from controller.rules.remembered import Fold, Room

CANARY: Final = "canary"
"""An order, a press's meaning, a template; `CANARY` the reason of its notices."""
REPORTS: Final = frozenset({"sms"})
"""Channels that say when a phone has a text: there, that the network took it proves nothing."""


@dataclass(slots=True)
class Running:
    """A canary under way. lacks: the legs that have not come yet. notices: by id, which leg each is, and its channel."""

    order: str
    node: str
    boot: str
    due_at_ms: int
    lacks: list[str]
    notices: dict[str, tuple[str, str]] = field(default_factory=dict)


class Canaries(Room):
    """Of the open chain alone."""

    def __init__(self) -> None:
        self.running: Running | None = None
        self.began_at_ms = 0
        """When the newest one set out."""
        self.sent_at_ms: dict[str, int] = {}
        """Node -> when its last one set out."""
        self.lacked: tuple[str, ...] = ()
        """The legs that the last one lacked."""
        self.interrupted = False
        self.texts = 0
        """How many went to a phone: whose turn is next."""

    def folds(self) -> Mapping[type[Body], Fold]:
        """A canary's beginning and end, and what happens to it."""
        return {
            CanarySent: self._sent, CanaryEnded: self._ended, PressRecorded: self._press, OrderAnswered: self._answered,
            NoticesQueued: self._queued, NoticeMoved: self._moved,
        }

    def _sent(self, _chain: Chain, at_ms: int, body: CanarySent) -> None:
        self.running = Running(body.order, body.node, body.boot, body.due_at_ms, list(body.legs))
        self.began_at_ms = self.sent_at_ms[body.node] = at_ms

    def _ended(self, _chain: Chain, _at_ms: int, body: CanaryEnded) -> None:
        self.running, self.lacked, self.interrupted = None, body.missing, bool(body.interrupted)

    def _press(self, chain: Chain, _at_ms: int, body: PressRecorded) -> None:
        running = self.running
        if running is not None and chain is Chain.OPEN and body.meaning == CANARY and (body.node, body.boot) == (running.node, running.boot):
            self._has("press")

    def _answered(self, _chain: Chain, _at_ms: int, body: OrderAnswered) -> None:
        if self.running is not None and body.id == self.running.order and body.done:
            self._has("receipt")

    def _queued(self, chain: Chain, _at_ms: int, body: NoticesQueued) -> None:
        for queued in body.notices:
            if queued.reason == "CANARY" and chain is Chain.OPEN and self.running is not None:
                self.running.notices[queued.id] = queued.about["leg"], queued.channel
                self.texts += queued.about["leg"] == "phone"

    def _moved(self, _chain: Chain, _at_ms: int, body: NoticeMoved) -> None:
        leg, channel = self.running.notices.get(body.notice, ("", "")) if self.running is not None else ("", "")
        if leg and (body.to in {"delivered", "heard"} or (body.to == "notified" and (leg == "police" or channel not in REPORTS))):
            self._has(leg)

    def _has(self, leg: str) -> None:
        if self.running is not None and leg in self.running.lacks:
            self.running.lacks.remove(leg)
