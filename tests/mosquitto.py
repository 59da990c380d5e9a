"""A private Mosquitto on a free port, for tests that need a real broker."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

MOSQUITTO = "/usr/sbin/mosquitto"
START_S = 10.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """A broker without persistence on `127.0.0.1:port`; a sync and an async context manager.

    The port stays the same over `stop`, `kill` and `start`, so that clients find it again.
    lines: further lines of mosquitto.conf. log: where its output goes, `<folder>/mosquitto.log`.
    """

    def __init__(self, folder: Path, *, port: int | None = None, lines: Sequence[str] = ()) -> None:
        self.port = port or free_port()
        self.log = folder / "mosquitto.log"
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text("\n".join([
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence false",
            "set_tcp_nodelay true",  # without it the first message takes 41 ms
            "max_queued_messages 100000",
            "max_inflight_messages 1000",
            "connection_messages true",
            *(["user root"] if os.geteuid() == 0 else []),  # else it cannot read the test's own folder
            *lines, "",
        ]))
        self._config.chmod(0o644)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running broker."""
        if self._process is None:
            raise RuntimeError("the broker does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it; it accepts connections when this returns."""
        if self._process is not None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-v", "-c", str(self._config)], stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"mosquitto on port {self.port} did not start; see {self.log}:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Hang it: its connections stay open and nothing answers, until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        process.send_signal(signal.SIGCONT)
        process.wait(timeout=10)

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    async def __aenter__(self) -> "Mosquitto":
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None,
                        trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.kill)
