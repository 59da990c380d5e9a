"""The node's link to its zone's gateway: MQTT 5 by aiomqtt, authenticated both ways; the design's section 5.

What is published goes through one priority queue, the most serious press first; up to 20 wait for the broker's
acknowledgement side by side (Mosquitto grants no more), none for another's. Nothing is kept across a lost connection:
the core sends again whatever is not receipted. What comes in and is not the gateway's own is dropped and logged.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
import random
import socket
from collections.abc import Callable
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from controller import messages
from controller.authentication import Direction, PairKey
from controller.errors import BadMessage
from controller.messages import CHANNELS, ROOT, Message, Online, Press, Topic
from node_firmware import broker_access
from node_firmware.broker_access import BrokerAccess
from node_firmware.clock import boottime_ms
from node_firmware.config import NodeConfig
from node_firmware.inputs import (
    AnswerCame,
    IncidentCame,
    KeysRead,
    LinkDown,
    LinkUp,
    NodeInput,
    OrderCame,
    PressReceipted,
    SettingsCame,
)
from node_firmware.quietly import Quietly
from node_firmware.resolver import Resolver

logger = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 10
IN_FLIGHT_MAX: Final = 20
BACK_OFF_S_FIRST: Final = 0.5
BACK_OFF_S_MAX: Final = 5.0
"""So long a press may wait. The same for everybody at all times: if a silent press shortened a pause, the attempt to connect, and
the birth that the record dates, would show its moment."""
STEADY_MS: Final = 60_000
"""A connection that has lasted so long ends the back-off. Two devices of one name would else throw each other out all day, as
fast as they can connect."""
CALL_S: Final = 30.0
DISK_PATIENCE_S: Final = 2.0
"""How long a file that may have been corrected is waited for: a disk that hangs must not end the tries."""
UNHEARD_S: Final = 20.0
"""A gateway sends a node that has no settings its first ones at once. Who waits so long for them is not understood."""
_CONTROL_RANK: Final = -1
"""Births, beats and answers are few and small: they pass the presses, whose backlog may be long."""


class Link:
    """The connection of one life of the node.

    feed: called on the event loop with each input for the core. will: what the broker says when the connection is lost.
    Raises BadConfig when the broker's files cannot be used. They are read here, and again before each try while what they hold
    is refused; KeysRead says so, and that it has ended.
    """

    def __init__(
        self, config: NodeConfig, key: PairKey, will: Online, feed: Callable[[NodeInput], None]
    ) -> None:
        broker = config.broker
        self._broker = broker
        self._zone = config.identity.zone
        self._node = config.identity.node
        self._key = key
        self._will = will
        self._feed = feed
        self._access = broker_access.read(broker)
        self._reading: asyncio.Task[BrokerAccess] | None = None
        self._let_in = True
        self._resolver = Resolver(broker.host, broker.port)
        self._queue: list[tuple[int, int, Message, int | None, int]] = []
        self._order = itertools.count()
        self._ready = asyncio.Event()
        self._pressed = asyncio.Event()
        self._up = False
        self._heard = False
        self._unsettled = False
        self._unread = Quietly(logger, logging.ERROR)
        self._bad = Quietly(logger, logging.WARNING)
        self._lost = Quietly(logger, logging.INFO)

    def publish(self, message: Message, *, age_ms: int | None = None, rank: int = _CONTROL_RANK) -> None:
        """Send it now, in the order of `rank`; dropped when the link is down. age_ms: of a press, if it is known.

        A press of the open stream makes a link that is down try at once; a silent one changes nothing that can be seen outside.
        """
        if self._up:
            heapq.heappush(self._queue, (rank, next(self._order), message, age_ms, boottime_ms()))
            self._ready.set()
        elif isinstance(message, Press) and message.boot == self._will.boot:
            self._pressed.set()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        pause = BACK_OFF_S_FIRST
        while True:
            if not self._let_in:
                await self._read_again()
            address = await self._resolver.address(literal=self._access.tls is None)
            connected_at_ms = None
            try:
                async with self._client(address) as client:
                    connected_at_ms = boottime_ms()
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, ValueError) as fault:
                self._tell(fault)
                if self._let_in and (broker_access.does_not_let_in(fault) or broker_access.is_not_vouched_for(fault)):
                    self._let_in = False
                    self._feed(KeysRead(False))
            except Exception:  # a fault of the libraries' must not end the link for good
                logger.exception("link: an unexpected fault; trying again")
            if connected_at_ms is not None and boottime_ms() - connected_at_ms >= STEADY_MS:
                pause = BACK_OFF_S_FIRST
            # Jitter over the whole range: a zone's nodes do not come back all in one second.
            await self._pause(random.uniform(0.1, pause))  # noqa: S311 (no secret)
            pause = min(pause * 2, BACK_OFF_S_MAX)

    def _tell(self, fault: Exception) -> None:
        host, port, name = self._broker.host, self._broker.port, self._broker.username
        if broker_access.is_not_vouched_for(fault):
            self._lost.say("link: what answers at %s:%d is not vouched for by [broker] ca_file %s (%s); expected the certificate of the broker's "
                           "own authority; trying again", host, port, self._broker.ca_file, fault)
        elif not broker_access.does_not_let_in(fault):
            self._lost.say("link: no broker at %s:%d (%s); trying again", host, port, fault)
        elif name is None:
            self._lost.say("link: the broker at %s:%d lets nobody in without a name; expected [broker] username and password_file; "
                           "trying again", host, port)
        else:
            self._lost.say("link: the broker at %s:%d does not let %r in; expected that name's line, as `cuadra key password` prints it "
                           "here, in the broker's password file; put it there and reload the broker; trying again", host, port, name)

    async def _read_again(self) -> None:
        """The files may have been corrected. What was read before holds as long as they cannot be read."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(broker_access.read, self._broker))
        await asyncio.wait([self._reading], timeout=DISK_PATIENCE_S)
        if self._reading.done():
            reading, self._reading = self._reading, None
            try:
                self._access = reading.result()
            except Exception as fault:  # whatever is wrong with a file, or with what a library makes of it
                self._unread.say("link: %s; trying again", fault)

    async def _pause(self, for_s: float) -> None:
        """Ends at once when an open press is made: it does not wait for a back-off."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self._pressed.wait()
        self._pressed.clear()

    def _client(self, address: str) -> aiomqtt.Client:
        topic = messages.topic_of(self._will, self._zone, self._node)
        payload = messages.encode(self._will)
        will = aiomqtt.Will(str(topic), payload, 1, retain=True, properties=self._properties(topic, payload, "", will=True))
        client = aiomqtt.Client(
            address,
            self._broker.port,
            username=self._broker.username,
            password=self._access.password,
            identifier=f"cuadra-{self._zone}-{self._node}",
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will,
            clean_start=True,
            keepalive=KEEP_ALIVE_S,
            timeout=CALL_S,
            max_inflight_messages=IN_FLIGHT_MAX,
            max_queued_incoming_messages=1000,
            tls_context=self._access.tls,
            # Without it a press waits up to 40 ms for the broker's delayed acknowledgement of the packet before.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = IN_FLIGHT_MAX + 5
        return client

    async def _serve(self, client: aiomqtt.Client) -> None:
        granted = await client.subscribe(f"{ROOT}/{self._zone}/{self._node}/down/#", qos=1)
        if any(isinstance(code, ReasonCode) and code.is_failure for code in granted):
            raise ValueError("the broker refuses the subscription; check its access list")
        logger.info("link: connected to %s:%d", self._broker.host, self._broker.port)
        if not self._let_in:
            self._let_in = True
            self._feed(KeysRead(True))
        self._up = True
        self._feed(LinkUp())
        sender = asyncio.create_task(self._send(client))
        unheard = asyncio.get_running_loop().call_later(UNHEARD_S, self._wonder)
        try:
            async for message in client.messages:
                self._take(message)
        except asyncio.CancelledError:
            await self._leave(client)
            raise
        finally:
            self._up = False
            self._queue.clear()
            sender.cancel()
            unheard.cancel()
            self._feed(LinkDown())

    def _wonder(self) -> None:
        if self._unsettled and not self._heard:
            logger.warning("link: the broker is there, and the gateway has sent no settings for %d s; expected them at once; look whether it "
                           "runs, whether its registry has this node (%s) with the key that `cuadra key show` prints here, whether "
                           "gateway_public_key is the one it prints there, and whether the broker's user name is the node's id",
                           UNHEARD_S, self._node)

    async def _send(self, client: aiomqtt.Client) -> None:
        in_flight: set[asyncio.Task[None]] = set()
        places = asyncio.Semaphore(IN_FLIGHT_MAX)

        def landed(task: asyncio.Task[None]) -> None:
            in_flight.discard(task)
            places.release()

        try:
            while True:
                await places.acquire()
                while not self._queue:
                    self._ready.clear()
                    await self._ready.wait()
                # Chosen only now that there is a place: what came while it was taken may be more serious.
                _, _, message, age_ms, queued_at_ms = heapq.heappop(self._queue)
                age = None if age_ms is None else age_ms + boottime_ms() - queued_at_ms
                task = asyncio.create_task(self._publish(client, message, age))
                in_flight.add(task)
                task.add_done_callback(landed)
        finally:
            for task in list(in_flight):
                task.cancel()

    async def _publish(self, client: aiomqtt.Client, message: Message, age_ms: int | None) -> None:
        topic = messages.topic_of(message, self._zone, self._node)
        channel = CHANNELS[topic.name]
        if isinstance(message, Online):
            self._unsettled = message.online and message.settings_rev == 0
        payload = messages.encode(message)
        properties = self._properties(topic, payload, "" if age_ms is None else str(age_ms))
        try:
            await client.publish(
                str(topic), payload, channel.qos, channel.retained, properties=properties, timeout=CALL_S
            )
        except (aiomqtt.MqttError, ValueError) as fault:
            # Nothing is lost by it: what is not receipted is sent again by the core.
            self._lost.say("link: %s was not acknowledged (%s)", topic.name, fault)

    async def _leave(self, client: aiomqtt.Client) -> None:
        """A clean goodbye cancels the broker's will: so say it ourselves."""
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(1):
                await self._publish(client, self._will, None)

    def _properties(self, topic: Topic, payload: bytes, age: str, *, will: bool = False) -> Properties:
        kind = PacketTypes.WILLMESSAGE if will else PacketTypes.PUBLISH
        properties = Properties(kind)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        pairs = [("mac", self._key.mac(Direction.UP, str(topic), age, payload))]
        if age:
            pairs.append(("age", age))
        properties.UserProperty = pairs
        expiry_s = CHANNELS[topic.name].expiry_s
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        return properties

    def _take(self, message: aiomqtt.Message) -> None:
        topic = str(message.topic)
        pairs = dict(getattr(message.properties, "UserProperty", ()))
        payload = message.payload
        try:
            name = Topic.parse(topic).name
            self._key.check(pairs.get("mac"), Direction.DOWN, topic, pairs.get("age", ""), payload)
            event = _as_input(messages.decode(name, payload))
        except BadMessage as bad:
            self._bad.say("link: dropped: %s", bad)
            return
        self._heard = True
        self._feed(event)


def _as_input(message: Message) -> NodeInput:
    match message:
        case messages.Receipt():
            return PressReceipted(message)
        case messages.Order():
            return OrderCame(message)
        case messages.IncidentState():
            return IncidentCame(message)
        case messages.Settings():
            return SettingsCame(message)
        case messages.Answer():
            return AnswerCame(message)
        case _:
            raise BadMessage(f"{type(message).__name__}: a node's own sort of message; expected one of the gateway's")
