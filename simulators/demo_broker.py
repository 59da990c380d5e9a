"""The demo's broker: the machine's Mosquitto, or iotcore (rumqttd in a Python package) where there is none. Loopback only."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from controller.errors import CuadraError

START_S: Final = 15.0
END_S: Final = 5.0
BESIDE_PATH: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
"""Where Mosquitto lies on machines that do not name its folder in PATH."""


WITH_US: Final = "import ctypes; ctypes.CDLL(None).prctl(1, 15); " if sys.platform == "linux" else ""
"""Python that a child begins with: when we are killed it gets SIGTERM (PR_SET_PDEATHSIG), also as what it then becomes."""


class BrokerKind(StrEnum):
    """Which broker the demo runs."""

    EMBEDDED = "embedded"
    MOSQUITTO = "mosquitto"


def found() -> BrokerKind:
    """Mosquitto where it is installed, else the embedded one."""
    return BrokerKind.MOSQUITTO if _mosquitto() else BrokerKind.EMBEDDED


@contextlib.contextmanager
def running(kind: BrokerKind, folder: Path) -> Iterator[int]:
    """Run a broker until the block ends; gives its port on 127.0.0.1, where it accepts connections already.

    Raises CuadraError when it is not installed or does not start.
    """
    port = free_port()
    command = _mosquitto_command(folder, port) if kind is BrokerKind.MOSQUITTO else _embedded_command(folder, port)
    log_path = folder / "broker.log"
    with log_path.open("ab") as log:
        # The embedded one ends when its standard input does; Mosquitto does not mind the pipe.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 (our own command)
    try:
        _wait(process, port, log_path)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > until:
            said = log.read_text(errors="replace")[-500:].strip()
            raise CuadraError(f"the demo's broker did not start on 127.0.0.1:{port}; it said: {said or 'nothing'}; try the other one with --broker")
        time.sleep(0.02)


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=BESIDE_PATH)


def _mosquitto_command(folder: Path, port: int) -> list[str]:
    program = _mosquitto()
    if program is None:
        raise CuadraError("--broker mosquitto: no such program on this machine; expected Mosquitto 2; install it, or use --broker embedded")
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([
        f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", "set_tcp_nodelay true", "max_queued_messages 10000",
        *(["user root"] if os.geteuid() == 0 else []),  # its own user could not read the demo's private folder
        "",
    ]), encoding="utf-8")
    return [sys.executable, "-c", f"{WITH_US}import os, sys; os.execv(sys.argv[1], sys.argv[1:])", program, "-c", str(config)]


def _embedded_command(folder: Path, port: int) -> list[str]:
    config = folder / "rumqttd.toml"
    config.write_text(f"""id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 500
dynamic_filters = true
""", encoding="utf-8")
    options = f'{{"config_path": "{config}"}}'
    return [sys.executable, "-c", "from iotcore._serve import main; main()", options]
