"""The least that a fleet can talk to: every press that is authentic gets its receipt, nothing is decided or kept."""

import asyncio
from collections import Counter
from types import TracebackType

from controller import messages
from controller.authentication import Direction, PairKey
from controller.broker_settings import BrokerSettings
from controller.errors import BadMessage
from controller.messages import CHANNELS, Beat, Done, DownMessage, Kept, Online, Press, Receipt, Topic, digest_of, encode, topic_of
from gateway.broker import Arrival, Broker

ZONE = "z1"


class ReceiptGateway:
    """Receives by the gateway's own connection (paho, not the fleet's). `deaf`: it takes presses and says nothing."""

    def __init__(self, port: int, keys: dict[str, PairKey]) -> None:
        self.keys = keys
        self.deaf = False
        self.presses: Counter[tuple[str, str, int]] = Counter()
        self.ages: list[str | None] = []
        self.beats: list[tuple[str, Beat]] = []
        self.births: list[tuple[str, Online]] = []
        self.done: list[tuple[str, Done]] = []
        self.unauthentic = 0
        self._loop = asyncio.get_running_loop()
        self._up = asyncio.Event()
        self._broker = Broker(BrokerSettings("127.0.0.1", port), ZONE, self._arrived, self._connected)

    async def __aenter__(self) -> "ReceiptGateway":
        self._broker.start()
        await asyncio.wait_for(self._up.wait(), 10)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None,
                        trace: TracebackType | None) -> None:
        await asyncio.to_thread(self._broker.stop)

    def say(self, node: str, message: DownMessage) -> None:
        topic = topic_of(message, ZONE, node)
        payload = encode(message)
        mac = self.keys[node].mac(Direction.DOWN, str(topic), "", payload)
        self._broker.publish(str(topic), payload, CHANNELS[topic.name], mac)

    def _connected(self, up: bool) -> None:
        self._loop.call_soon_threadsafe(self._up.set if up else self._up.clear)

    def _arrived(self) -> None:
        self._loop.call_soon_threadsafe(self._take_all)

    def _take_all(self) -> None:
        for arrival in self._broker.take():
            self._take(arrival)

    def _take(self, arrival: Arrival) -> None:
        topic = Topic.parse(arrival.topic)
        try:
            self.keys[topic.node].check(arrival.mac, Direction.UP, arrival.topic, arrival.age or "", arrival.payload)
        except BadMessage:
            self.unauthentic += 1
            return
        match messages.decode(topic.name, arrival.payload):
            case Press(boot=boot, seq=seq):
                self.presses[topic.node, boot, seq] += 1
                self.ages.append(arrival.age)
                if not self.deaf:
                    self.say(topic.node, Receipt(digest_of(arrival.payload), Kept.RECORDED, boot, seq))
            case Beat() as beat:
                self.beats.append((topic.node, beat))
            case Online() as online:
                self.births.append((topic.node, online))
            case Done() as done:
                self.done.append((topic.node, done))
            case _:
                pass
