"""One node of a fleet: its identity, its connection, what it waits for. No pins, no light: only what the gateway sees of it."""

import asyncio
import heapq
import itertools
import secrets
from typing import Final, Protocol

from msgspec import Struct

from controller import messages
from controller.authentication import Direction, PairKey
from controller.errors import BadMessage
from controller.messages import CHANNELS, Gesture, Message, Online, Press, PressRef, Receipt, Topic
from node_firmware.clock import boottime_ms
from node_firmware.config import default_kinds
from node_firmware.effects import KeepPress
from node_firmware.inputs import WaitingPress
from node_firmware.outgoing import Outbox, Outgoing
from simulators import mqtt_client
from simulators.mqtt_client import Connection

KEEPALIVE_S: Final = 60
CONTROL_RANK: Final = -1
OTHER_RANK: Final = 10
_KINDS: Final = default_kinds()
_UP: Final = ("up/press", "up/online", "up/beat", "up/done")


class Identity(Struct, frozen=True):
    """Who a node is. key: shared with its gateway. inputs: each button with the kind that it presses."""

    zone: str
    node: str
    key: PairKey
    inputs: tuple[tuple[str, str], ...] = (("b1", "panic"),)


class Watcher(Protocol):
    """Whoever is told what becomes of a node's presses: the fleet."""

    def sent(self, node: str, ref: PressRef) -> None:
        """A press went out; also when it is a repeat."""

    def receipted(self, node: str, outgoing: Outgoing, receipt: Receipt) -> None:
        """The gateway has it on record."""

    def refused(self, node: str, why: str) -> None:
        """Something came that is not the gateway's own word."""


class FleetNode:
    """One life of one node. What waits for a receipt is the node's own `Outbox`, with its pace of repeating."""

    def __init__(self, identity: Identity, watcher: Watcher) -> None:
        self.id = identity.node
        self.inputs = identity.inputs
        self.boot, self.silent_boot = secrets.token_hex(16), secrets.token_hex(16)
        self.outbox = Outbox()
        self.up = False
        self.beats = 0
        self._zone = identity.zone
        self._key = identity.key
        self._watcher = watcher
        self._born_at_ms = boottime_ms()
        self._seqs = {self.boot: itertools.count(1), self.silent_boot: itertools.count(1)}
        self._incident_rev = self._settings_rev = 0
        self._topics = {name: str(Topic(identity.zone, identity.node, name)) for name in _UP}
        self._topic_bytes = {name: mqtt_client.string(topic) for name, topic in self._topics.items()}
        self.topic_filter = f"{messages.ROOT}/{identity.zone}/{identity.node}/down/#"
        self._connection: Connection | None = None
        self._queue: list[tuple[int, int, Message, int | None, int]] = []
        self._order = itertools.count()
        self._numbers = itertools.cycle(range(1, 65_536))
        self._in_flight: set[int] = set()
        self._window = 0
        self.came_up: asyncio.Future[None]
        """Of the newest connection: done when the link stands."""
        self.ended: asyncio.Future[str]
        """Of the newest connection: done, with the reason, when it is no more."""

    # --- presses

    def press(self, name: str, kind: str) -> tuple[KeepPress, Outgoing]:
        """Hold a button: what its disk is to write, and what waits from now on. It is not sent yet (see `send`)."""
        settings = _KINDS.get(kind)
        silent = settings is not None and not settings.audible
        boot = self.silent_boot if silent else self.boot
        press = Press(boot, next(self._seqs[boot]), name, kind, Gesture.HOLD)
        now_ms = boottime_ms()
        rank = settings.rank if settings is not None else OTHER_RANK
        outgoing = self.outbox.add(press, now_ms, rank, secret=silent, kept=False, now_ms=now_ms)
        if outgoing is None:
            raise RuntimeError(f"node {self.id}: press {press.seq} of this life is there already")
        return outgoing.keep(), outgoing

    def take_back(self, waiting: WaitingPress) -> Outgoing | None:
        """A press of an earlier life that the disk still held; it is sent when the link is up."""
        settings = _KINDS.get(waiting.press.kind)
        return self.outbox.add(waiting.press, waiting.made_at_ms, settings.rank if settings else OTHER_RANK,
                               secret=settings is not None and not settings.audible, kept=True, now_ms=boottime_ms())

    def send(self, outgoing: Outgoing) -> None:
        """Send a press now if the link is up; a link that comes up sends all that wait."""
        if self.up:
            effect = outgoing.publish(boottime_ms())
            self._publish(effect.press, effect.rank, effect.age_ms)

    def repeat_due(self, now_ms: int) -> None:
        """Send again what has waited long enough."""
        for effect in self.outbox.due(now_ms):
            self._publish(effect.press, effect.rank, effect.age_ms)

    def beat(self) -> None:
        """A sign of life; none when the link is down."""
        if self.up:
            self.beats += 1
            self._publish(messages.Beat(
                self.boot, (boottime_ms() - self._born_at_ms) // 1000, self._incident_rev,
                unsent=self.outbox.open_count, settings_rev=self._settings_rev))

    # --- the link

    def connection(self) -> Connection:
        """A new connection for this node, with its will."""
        topic, will = self._topics["up/online"], messages.encode(Online(self.boot, online=False))
        mac = self._key.mac(Direction.UP, topic, "", will)
        hello = mqtt_client.connect(
            f"cuadra-{self._zone}-{self.id}", KEEPALIVE_S, topic, will, mqtt_client.properties((("mac", mac),)))
        loop = asyncio.get_running_loop()
        self.came_up, self.ended = loop.create_future(), loop.create_future()
        self._connection = Connection(self, hello, self.topic_filter)
        return self._connection

    def ping(self) -> None:
        """Keep the connection alive."""
        if self.up and self._connection is not None:
            self._connection.send(mqtt_client.PING)

    def leave(self, *, politely: bool) -> None:
        """End the connection; politely: its will is not sent, and neither is what still waits in the queue."""
        if self._connection is not None:
            self._connection.close(politely=politely)

    def accepted(self, receive_max: int) -> None:
        """The broker's limit holds, not the node's twenty: a fleet sends as fast as the broker takes it."""
        self._window = receive_max

    def subscribed(self) -> None:
        """The link stands: birth, then all that waits."""
        self.up = True
        self._publish(Online(
            self.boot, online=True, silent_boot=self.silent_boot, firmware="fleet",
            inputs=tuple(name for name, _ in self.inputs), settings_rev=self._settings_rev, machine_restarted=False))
        for effect in self.outbox.link_up(boottime_ms()):
            self._publish(effect.press, effect.rank, effect.age_ms)
        if not self.came_up.done():
            self.came_up.set_result(None)

    def lost(self, why: str) -> None:
        """Nothing is kept of a lost connection: what is not receipted is sent again on the next one."""
        self.up = False
        self._connection = None
        self._queue.clear()
        self._in_flight.clear()
        self.outbox.link_down()
        if not self.ended.done():
            self.ended.set_result(why)

    def acknowledged(self, number: int) -> None:
        """There is a place again."""
        self._in_flight.discard(number)
        while self._queue and len(self._in_flight) < self._window:
            _, _, message, age_ms, queued_at_ms = heapq.heappop(self._queue)
            self._send_now(message, None if age_ms is None else age_ms + boottime_ms() - queued_at_ms)

    def arrived(self, topic: str, payload: bytes, pairs: dict[str, str]) -> None:
        """The gateway's word, if it is its own."""
        try:
            self._key.check(pairs.get("mac"), Direction.DOWN, topic, pairs.get("age", ""), payload)
            message = messages.decode(Topic.parse(topic).name, payload)
        except BadMessage as bad:
            self._watcher.refused(self.id, str(bad))
            return
        match message:
            case Receipt():
                outgoing = self.outbox.receipted(message)
                if outgoing is not None:
                    self._watcher.receipted(self.id, outgoing, message)
            case messages.IncidentState(boot=self.boot, rev=rev):
                self._incident_rev = max(self._incident_rev, rev)
            case messages.Settings(boot=self.boot, rev=rev):
                self._settings_rev = max(self._settings_rev, rev)
            case messages.Order(id=order, boot=self.boot):
                self._publish(messages.Done(self.boot, order, done=True))
            case _:
                pass

    def _publish(self, message: Message, rank: int = CONTROL_RANK, age_ms: int | None = None) -> None:
        if len(self._in_flight) < self._window:
            self._send_now(message, age_ms)
        else:
            heapq.heappush(self._queue, (rank, next(self._order), message, age_ms, boottime_ms()))

    def _send_now(self, message: Message, age_ms: int | None) -> None:
        if self._connection is None:
            return
        is_press = isinstance(message, Press)
        name = "up/press" if is_press else messages.topic_of(message, "", "").name
        channel, payload = CHANNELS[name], messages.encode(message)
        age = "" if age_ms is None else str(age_ms)
        mac = ("mac", self._key.mac(Direction.UP, self._topics[name], age, payload))
        number = 0
        if channel.qos:
            number = next(each for each in self._numbers if each not in self._in_flight)
            self._in_flight.add(number)
        self._connection.send(mqtt_client.publish(
            self._topic_bytes[name], payload,
            mqtt_client.properties((mac, ("age", age)) if age else (mac,), channel.expiry_s),
            number, retained=channel.retained))
        if isinstance(message, Press):
            self._watcher.sent(self.id, PressRef(message.boot, message.seq))
