"""The zone's side of the broker: one connection, in a thread of its own.

paho-mqtt is used directly here, not through aiomqtt as in the node's `link.py`: on a two-core machine a QoS 1 message costs
160 µs through aiomqtt's asyncio loop and 75 µs through paho's own, and a zone's whole burst comes through this one door.
The thread only copies messages into a list; whoever reads them is woken once for many. DNS and connecting hold nobody but
this thread.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import paho.mqtt.properties
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.properties import Properties

from controller.broker_settings import BrokerSettings
from controller.messages import ROOT, Channel

logger = logging.getLogger(__name__)

KEEPALIVE_S = 10
RECONNECT_S_MAX = 10
NO_LIMIT = 0
"""For paho: with any limit on what the broker has not acknowledged yet, each acknowledgement makes it look through all of it."""

LENGTH_MAX = 127
"""Of properties whose length takes one byte; a code takes 40 of them."""


class Arrival(NamedTuple):
    """A message as it came. expiry_left_s: what the broker left of its expiry; None when it had none."""

    topic: str
    payload: bytes
    mac: str | None
    age: str | None
    expiry_left_s: int | None
    retained: bool


class _Packed(Properties):
    """A publication's properties, ready to send. paho makes its tables of all properties anew for each message: a quarter of a burst."""

    def __init__(self, mac: str, expiry_s: int | None) -> None:
        """MQTT 5, section 3.3.2.3: the user property `mac`, and the expiry."""
        packed = b"" if expiry_s is None else b"\x02" + expiry_s.to_bytes(4, "big")
        code = mac.encode()
        packed += b"\x26\x00\x03mac" + len(code).to_bytes(2, "big") + code
        if len(packed) > LENGTH_MAX:
            raise ValueError(f"properties of {len(packed)} bytes; expected at most {LENGTH_MAX}")
        object.__setattr__(self, "_packed", bytes((len(packed),)) + packed)

    def pack(self) -> bytes:
        """As they are sent."""
        packed: bytes = object.__getattribute__(self, "_packed")
        return packed


def _read_text(packet: bytes, left: int) -> tuple[str, int]:
    """A text in a packet's properties and how many bytes it takes (MQTT 5, section 1.5.4). Never fails on what it says."""
    length = int.from_bytes(packet[:2], "big") + 2
    if not 2 <= length <= left:
        raise MalformedPacket(f"a text of {length} bytes in properties of {left}")
    return bytes(packet[2:length]).decode(errors="replace"), length


# paho's own hangs up at a U+FEFF, which the section allows and the broker carries: one node's retained message would keep the
# gateway off the broker for good.
paho.mqtt.properties.readUTF = _read_text


class Broker:
    """The connection. `take()` gives what has arrived; `arrived` is called, from the thread, when there is something to take.

    connected(up): called from the thread at each change, once.
    """

    def __init__(
        self, settings: BrokerSettings, zone: str, arrived: Callable[[], None], connected: Callable[[bool], None]
    ) -> None:
        self._settings = settings
        self._filter = f"{ROOT}/{zone}/+/up/#"
        self._arrived = arrived
        self._connected = connected
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []
        self._up = False
        self._absent = False
        """That it cannot be reached is logged."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"gateway-{zone}", protocol=MQTTProtocolVersion.MQTTv5)
        client.max_inflight_messages_set(NO_LIMIT)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(min_delay=1, max_delay=RECONNECT_S_MAX)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_message = self._on_message
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password())
        if settings.ca_file is not None:
            client.tls_set(ca_certs=str(settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self._client = client

    def start(self) -> None:
        """Connect and stay connected, in the thread."""
        # Clean start: no promise rests on a broker's session, and yesterday's beats are nobody's news.
        self._client.connect_async(self._settings.host, self._settings.port, KEEPALIVE_S, clean_start=True)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def up(self) -> bool:
        """Whether the broker is connected and the subscription stands."""
        return self._up

    def take(self) -> list[Arrival]:
        """What has arrived since the last call, in order."""
        with self._lock:
            arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def publish(self, topic: str, payload: bytes, channel: Channel, mac: str) -> None:
        """Send now. Without a connection it is dropped: who waits for it says so again (a node re-sends what was not receipted)."""
        if not self._up:
            return
        self._client.publish(topic, payload, channel.qos, channel.retained, _Packed(mac, channel.expiry_s))

    @staticmethod
    def _on_socket_open(_client: Any, _data: Any, opened: Any) -> None:  # noqa: ANN401 (paho's own signature)
        # Without it a receipt waits up to 40 ms for the broker's delayed acknowledgement of the packet before.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401 (paho's own signature)
        if reason.is_failure:
            logger.error("broker %s:%s refused the connection: %s; expected it to know the user %r by the line that `cuadra key password` "
                         "prints here; put it into its password file and reload it",
                         self._settings.host, self._settings.port, reason, self._settings.username)
            return
        client.subscribe(self._filter, qos=1)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: Any, reasons: Any, _properties: Any) -> None:  # noqa: ANN401 (paho's own signature)
        if any(reason.is_failure for reason in reasons):
            logger.error("broker %s:%s refused the subscription to %s: %s; check its ACL",
                         self._settings.host, self._settings.port, self._filter, reasons)
            return
        logger.info("broker %s:%s connected", self._settings.host, self._settings.port)
        self._up, self._absent = True, False
        self._connected(True)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401 (paho's own signature)
        if self._up:
            logger.warning("broker %s:%s lost: %s", self._settings.host, self._settings.port, reason)
        self._lost()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:  # noqa: ANN401 (paho's own signature)
        if not self._absent:
            self._absent = True
            logger.warning("broker %s:%s cannot be reached; expected it to listen there, with the certificate of ca_file if that is set; start it "
                           "or correct [broker]; tried again until it is there", self._settings.host, self._settings.port)
        self._lost()

    def _lost(self) -> None:
        if self._up:
            self._up = False
            self._connected(False)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 (paho's own signature)
        properties = message.properties
        mac = age = expiry = None
        if properties is not None:
            expiry = getattr(properties, "MessageExpiryInterval", None)
            for name, value in getattr(properties, "UserProperty", ()):
                if name == "mac":
                    mac = value
                elif name == "age":
                    age = value
        arrival = Arrival(message.topic, bytes(message.payload), mac, age, expiry, message.retain)
        with self._lock:
            first = not self._arrivals
            self._arrivals.append(arrival)
        if first:
            self._arrived()

