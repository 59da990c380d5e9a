"""The first floor: broker to one SQLite FULL commit a press to HTTP POST, the smallest program that does it."""

import http.client
import socket
import sqlite3
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


def no_delay(_client: mqtt.Client, _data: object, sock: object) -> None:
    """Acknowledgements go out at once."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> None:
    """Arguments: broker's port, topic filter, sink's port, database."""
    port, topic_filter, sink_port, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    records = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    records.execute("PRAGMA journal_mode = WAL")
    records.execute("PRAGMA synchronous = FULL")
    records.execute("CREATE TABLE press (topic TEXT, payload BLOB)")
    post = http.client.HTTPConnection("127.0.0.1", sink_port)
    post.connect()
    post.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def came(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if not message.topic.endswith("/press"):
            return
        records.execute("INSERT INTO press VALUES (?, ?)", (message.topic, message.payload))
        key = records.execute("SELECT last_insert_rowid()").fetchone()[0]
        post.request("POST", "/", message.payload, {"Idempotency-Key": str(key)})
        post.getresponse().read()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = came
    client.on_subscribe = lambda *_: print("ready", flush=True)  # noqa: T201 (the bench waits for it)
    client.on_socket_open = no_delay
    client.connect("127.0.0.1", port)
    client.subscribe(topic_filter, qos=1)
    client.loop_forever()


if __name__ == "__main__":
    main()
