"""What the gateway says to nodes: encoded, authenticated, published."""

import logging
from collections.abc import Callable

from controller.authentication import Direction
from controller.messages import CHANNELS, Channel, DownMessage, Order, encode, topic_of
from controller.rules.effects import GiveReceipt, SendDown, SendOrder
from gateway.keyring import Keyring

logger = logging.getLogger(__name__)

Publish = Callable[[str, bytes, Channel, str], None]


class Outgoing:
    """Says effects to nodes. What cannot be sent now is dropped: the node asks again by being silent or by its beats."""

    def __init__(self, zone: str, keyring: Keyring, publish: Publish) -> None:
        self._zone = zone
        self._keyring = keyring
        self._publish = publish

    def give(self, effect: GiveReceipt) -> None:
        """A receipt."""
        self._say(effect.node, effect.receipt)

    def send(self, effect: SendDown) -> None:
        """The block's incident, settings, or an answer."""
        self._say(effect.node, effect.message)

    def command(self, effect: SendOrder) -> None:
        """An order, for that life of that node."""
        self._say(effect.node, Order(effect.id, effect.boot, effect.order, effect.uptime_s_max))

    def _say(self, node: str, message: DownMessage) -> None:
        key = self._keyring.of(node)
        if key is None:
            logger.error("node %s: nothing can be said to it, it has no key in the registry", node)
            return
        topic = topic_of(message, self._zone, node)
        payload, text = encode(message), str(topic)
        self._publish(text, payload, CHANNELS[topic.name], key.mac(Direction.DOWN, text, "", payload))
