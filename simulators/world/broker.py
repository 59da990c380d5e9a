"""The zone's broker and the network around it: what is lost, repeated, late, kept for later, and the wills of those who vanish."""

import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from controller.messages import CHANNELS, Topic
from gateway.broker import Arrival
from simulators.world.leaping import Leaping

NOTICED_MS: Final = 12_000
"""So long after the last word one side finds out that the other is gone; the broker says a will a little later."""
WILL_MS: Final = 15_000


class Message(Struct, frozen=True):
    """What travels. age: the user property, empty where there is none."""

    topic: str
    payload: bytes
    mac: str
    age: str = ""


class Air:
    """What is between one node and the broker. Calm, a message takes `calm_ms`, none is lost, and nothing overtakes."""

    def __init__(self, loop: Leaping, chance: random.Random) -> None:
        self._loop = loop
        self._chance = chance
        self.calm_ms = chance.randrange(3, 60)
        self.lost = self.repeated = self.late_ms = 0
        self.cut_until_ms = 0
        """Nothing passes until then."""

    @property
    def calm(self) -> bool:
        """Nothing can happen to a message."""
        return not (self.lost or self.repeated or self.late_ms or self.cut)

    @property
    def cut(self) -> bool:
        """Nothing passes now."""
        return self.cut_until_ms > self._loop.now_ms

    def carry(self, deliver: Callable[..., object], *what: object) -> None:
        """Bring it over, perhaps more than once, perhaps never."""
        wait_ms = self.calm_ms
        if self.cut:
            if self.cut_until_ms - self._loop.now_ms > NOTICED_MS:
                return
            wait_ms += self.cut_until_ms - self._loop.now_ms
        times = 1
        if self.lost and self._chance.randrange(100) < self.lost:
            times = 0
        if self.repeated and self._chance.randrange(100) < self.repeated:
            times += 1
        for _ in range(times):
            late_ms = self._chance.randrange(self.late_ms + 1) if self.late_ms else 0
            self._loop.in_ms(wait_ms + late_ms, deliver, *what)


class Session:
    """A node's connection, as the broker has it."""

    def __init__(self, node: str, air: Air, will: Message, take: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self.node, self.air, self.will, self.take, self.lost = node, air, will, take, lost
        self.open = True


class Broker:
    """Mosquitto, as far as a zone sees it: it acknowledges what it may lose, and keeps the last birth or will of each node."""

    def __init__(self, loop: Leaping) -> None:
        self._loop = loop
        self.up = True
        self.retained: dict[str, Message] = {}
        self._sessions: dict[str, Session] = {}
        self._gateway: Callable[[Arrival], None] | None = None
        self.waiting: list[Callable[[], None]] = []
        """Called when it is back: those who try all the time would find it then."""

    # The nodes' side.

    def connect(self, session: Session) -> None:
        """Let a node in; an older connection of the same name is thrown out, and its will is said."""
        before = self._sessions.get(session.node)
        if before is not None:
            self._end(before)
        self._sessions[session.node] = session

    def vanished(self, session: Session) -> None:
        """Nothing more is heard of it: the broker finds that out."""
        self._loop.in_ms(WILL_MS, self._end, session)

    def vanished_at_once(self, session: Session) -> None:
        """Its socket was closed without a goodbye."""
        self._end(session)

    def hear(self, session: Session, message: Message, sent_at_ms: int) -> None:
        """A message of a node has come over the air."""
        if not self.up or not session.open:
            return
        self._route(message, self._loop.now_ms - sent_at_ms - session.air.calm_ms)

    def _end(self, session: Session) -> None:
        if session.open:
            session.open = False
            if self._sessions.get(session.node) is session:
                del self._sessions[session.node]
            if self.up:
                self._route(session.will, 0)

    def _route(self, message: Message, waited_ms: int) -> None:
        channel = CHANNELS[Topic.parse(message.topic).name]
        if channel.retained:
            self.retained[message.topic] = message
        if self._gateway is not None:
            # What is late is taken to have waited here: the broker counts it down.
            left_s = None if channel.expiry_s is None else channel.expiry_s - max(0, waited_ms) // 1000
            self._gateway(Arrival(message.topic, message.payload, message.mac, message.age or None, left_s, retained=False))

    # The gateway's side.

    def subscribe(self, take: Callable[[Arrival], None]) -> None:
        """The gateway is there; it gets what is kept."""
        self._gateway = take
        for topic, message in list(self.retained.items()):
            take(Arrival(topic, message.payload, message.mac, message.age or None, None, retained=True))

    def unsubscribe(self) -> None:
        """The gateway is gone."""
        self._gateway = None

    def send_down(self, message: Message) -> None:
        """To a node, if it is connected."""
        session = self._sessions.get(Topic.parse(message.topic).node)
        if self.up and session is not None:
            session.air.carry(self._down, session, message)

    @staticmethod
    def _down(session: Session, message: Message) -> None:
        if session.open:
            session.take(message)

    # What happens to it.

    def dies(self, *, forgets: bool) -> None:
        """`kill -9`: every connection ends, no will is said."""
        self.up = False
        self._gateway = None
        for session in list(self._sessions.values()):
            session.open = False
            session.lost()
        self._sessions.clear()
        if forgets:
            self.retained.clear()

    def comes_back(self) -> None:
        """It runs again, with what it had saved."""
        self.up = True
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


