"""A gateway small enough to live in a test: hears one node, gives receipts, says what the test wants said."""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from controller import messages
from controller.authentication import Direction, PairKey
from controller.messages import CHANNELS, DownMessage, Kept, Message, Press, Receipt, Topic

M = TypeVar("M", bound=Message)


class Heard(NamedTuple):
    """One message of the node's. age_ms: None when it bore none. expiry_s: what was left of it."""

    message: Message
    payload: bytes
    age_ms: int | None
    expiry_s: int | None
    retained: bool


class Gateway:
    """An async context manager. receipting: whether each press is receipted as it comes."""

    def __init__(self, port: int, key: PairKey, zone: str = "z3", node: str = "b12n1") -> None:
        self._port = port
        self._key = key
        self._zone, self._node = zone, node
        self.heard: list[Heard] = []
        self.receipting = True
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Gateway":
        self._client = aiomqtt.Client("127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5, max_inflight_messages=1000)
        await self._client.__aenter__()
        await self._client.subscribe(f"cuadra/v1/{self._zone}/{self._node}/up/#", qos=1)
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await self._task
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)

    async def say(self, message: DownMessage, *, key: PairKey | None = None, direction: Direction = Direction.DOWN) -> None:
        topic = messages.topic_of(message, self._zone, self._node)
        payload = messages.encode(message)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.UserProperty = [("mac", (key or self._key).mac(direction, str(topic), "", payload))]
        await self._client.publish(str(topic), payload, CHANNELS[topic.name].qos, properties=properties)

    async def publish_raw(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, 1)

    async def receipt(self, heard: Heard) -> None:
        press = heard.message
        assert isinstance(press, Press)
        await self.say(Receipt(messages.digest_of(heard.payload), Kept.RECORDED, press.boot, press.seq))

    async def hears(self, kind: type[M], that: Callable[[M], bool] = lambda _: True, *, within_s: float = 10) -> M:
        """Wait for a message of this kind of which `that` is so, heard before or yet to come."""
        async with asyncio.timeout(within_s):
            while True:
                for heard in self.heard:
                    if isinstance(heard.message, kind) and that(heard.message):
                        return heard.message
                self._news.clear()
                await self._news.wait()

    async def hears_presses(self, count: int, *, within_s: float = 15) -> list[Heard]:
        """Wait until so many presses have come, repeats included."""
        async with asyncio.timeout(within_s):
            while len(self.presses()) < count:
                self._news.clear()
                await self._news.wait()
        return self.presses()

    def presses(self) -> list[Heard]:
        return [heard for heard in self.heard if isinstance(heard.message, Press)]

    async def _listen(self) -> None:
        async for message in self._client.messages:
            topic = Topic.parse(str(message.topic))
            properties: Any = message.properties
            pairs = dict(getattr(properties, "UserProperty", ()))
            self._key.check(pairs.get("mac"), Direction.UP, str(topic), pairs.get("age", ""), message.payload)
            age = pairs.get("age")
            heard = Heard(
                messages.decode(topic.name, message.payload), message.payload, None if age is None else int(age),
                getattr(properties, "MessageExpiryInterval", None), message.retain,
            )  # fmt: skip
            self.heard.append(heard)
            self._news.set()
            if self.receipting and isinstance(heard.message, Press):
                await self.receipt(heard)
