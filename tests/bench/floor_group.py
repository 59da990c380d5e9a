"""The second floor: whatever has arrived shares a commit, with an outbox, and a few connections post it."""

import queue
import socket
import sqlite3
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

POSTERS = 4


def no_delay(_client: mqtt.Client, _data: object, sock: object) -> None:
    """Acknowledgements go out at once."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> None:
    """Arguments: broker's port, topic filter, sink's port, database."""
    port, topic_filter, sink_port, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    records = sqlite3.connect(path, isolation_level=None)
    records.execute("PRAGMA journal_mode = WAL")
    records.execute("PRAGMA synchronous = FULL")
    records.execute("CREATE TABLE press (topic TEXT, payload BLOB)")
    records.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, payload BLOB)")
    arrived: list[tuple[str, bytes]] = []
    done: list[tuple[int]] = []
    to_post: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    news = threading.Event()

    def came(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/press"):
            arrived.append((message.topic, bytes(message.payload)))
            news.set()

    def post() -> None:
        with socket.create_connection(("127.0.0.1", sink_port)) as sink:
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                number, payload = to_post.get()
                sink.sendall(b"POST / HTTP/1.1\r\nHost: s\r\nIdempotency-Key: %d\r\nContent-Length: %d\r\n\r\n%b"
                             % (number, len(payload), payload))
                if b" 204 " not in sink.recv(1000):
                    raise RuntimeError("the sink refused")
                done.append((number,))
                news.set()

    for _ in range(POSTERS):
        threading.Thread(target=post, daemon=True).start()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = came
    client.on_subscribe = lambda *_: print("ready", flush=True)  # noqa: T201 (the bench waits for it)
    client.on_socket_open = no_delay
    client.connect("127.0.0.1", port)
    client.subscribe(topic_filter, qos=1)
    client.loop_start()
    last = 0
    while True:
        news.wait()
        news.clear()
        came_now, count = arrived[:], len(done)
        del arrived[:len(came_now)]
        posted = done[:count]
        del done[:count]
        if not came_now and count < 100 and to_post.qsize():
            done.extend(posted)  # tidying the outbox alone is worth no commit while there is posting to do
            continue
        waiting = [(last + place, payload) for place, (_, payload) in enumerate(came_now, 1)]
        last += len(waiting)
        records.execute("BEGIN IMMEDIATE")
        records.executemany("INSERT INTO press VALUES (?, ?)", came_now)
        records.executemany("INSERT INTO outbox VALUES (?, ?)", waiting)
        records.executemany("DELETE FROM outbox WHERE id = ?", posted)
        records.execute("COMMIT")
        for each in waiting:
            to_post.put(each)


if __name__ == "__main__":
    main()
