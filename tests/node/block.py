"""A whole block for a test: a node process, and its pins in another one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO

from controller.authentication import PairKey, PrivateKey
from controller.messages import Pulse
from controller.settings_file import read
from node_firmware.config import NodeConfig
from simulators.buttons import Buttons
from simulators.pin_board import Change
from simulators.pins_process import PinsControl
from tests.mosquitto import free_port

SIREN, STROBE, BUZZER, LIGHT, SILENT_LIGHT, SENSE = 23, 24, 18, 22, 16, 25
HOLD_MS = 1000
SIREN_DELAY_MS_MAX = 150

TOML = """
buzzer = 18
data = "{folder}/data"
[identity]
zone = "z3"
node = "b12n1"
gateway_public_key = "{gateway}"
key_file = "{folder}/node.key"
[broker]
host = "{host}"
port = {port}
[siren]
pin = 23
strobe = 24
sense = 25
[inputs.b1]
pressed = 17
released = 27
kind = "panic"
light = 22
[inputs.b2]
pressed = 6
kind = "fire"
[inputs.quiet]
pressed = 12
kind = "violence"
light = 16
"""


def wait_until(so: Callable[[], bool], within_s: float = 10, what: str = "what was waited for") -> None:
    until = time.monotonic() + within_s
    while not so():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {within_s} s")
        time.sleep(0.05)


class Block:
    """One block. host, port: of its broker. Everything it starts ends with `close`."""

    def __init__(self, folder: Path, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.folder = folder
        gateway = PrivateKey.at(folder / "gateway.key")
        self.key: PairKey = gateway.shared_with(PrivateKey.at(folder / "node.key").public)
        self.config_file = folder / "node.toml"
        self.config_file.write_text(TOML.format(folder=folder, gateway=gateway.public, host=host, port=port or free_port()))
        self.config = read(self.config_file, NodeConfig)
        self.buttons = Buttons(self.config)
        self.disk = folder / "disk"
        self.disk.write_text("well")
        self.log = folder / "node.log"
        self.node: subprocess.Popen[bytes] | None = None
        self._pins_process = subprocess.Popen(
            [*_CUADRA, "simulate", "pins", "--config", str(self.config_file), "--port", "0", "--control-port", "0"],
            stdout=subprocess.PIPE,
        )
        assert self._pins_process.stdout is not None
        ports = json.loads(self._pins_process.stdout.readline())
        self.pins_at = f"pigpio:127.0.0.1:{ports['port']}"
        self.pins = PinsControl(ports["control_port"])

    def start(self, faults: str = "", environment: dict[str, str] | None = None) -> None:
        """Start the node and wait until it serves its buttons."""
        command = [sys.executable, "-m", "tests.node.broken_node", str(self.config_file), self.pins_at, faults, str(self.disk)]
        started = self.logged("service: boot")
        with self.log.open("ab") as log:
            self.node = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
        wait_until(lambda: self.logged("service: boot") > started, what=f"the node's start ({self.log})")

    def logged(self, text: str) -> int:
        return self.log.read_text().count(text) if self.log.exists() else 0

    def send(self, sign: signal.Signals) -> None:
        assert self.node is not None
        self.node.send_signal(sign)

    def kill(self) -> None:
        assert self.node is not None
        self.node.kill()
        self.node.wait()

    def stop(self) -> None:
        assert self.node is not None
        self.node.terminate()
        self.node.wait(timeout=10)

    def hold(self, name: str = "b1", ms: int = 1500) -> None:
        self.pins.play(self.buttons.hold(name, ms))

    def guard_pid(self) -> int:
        assert self.node is not None
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = status.read_bytes()
            except OSError:
                continue
            if b"node_firmware.guard" in words and f'"process":{self.node.pid}'.encode() in words:
                return int(status.parent.name)
        raise AssertionError("the node has no guard")

    def has_guard(self) -> bool:
        try:
            return self.guard_pid() > 0
        except AssertionError:
            return False

    def history(self, pin: int, since_ms: int = 0) -> list[Change]:
        return [change for change in self.pins.history() if change.pin == pin and change.at_ms >= since_ms]

    def siren_on(self) -> bool:
        return self.pins.level(SIREN) == 1

    def siren_delay_ms(self, pin: int = 17) -> int:
        """From the end of the hold time to the siren, both as the pins saw it."""
        pressed = next(change for change in reversed(self.history(pin)) if change.level == 0 and not change.output)
        on = next(change for change in self.history(SIREN) if change.level == 1 and change.at_ms > pressed.at_ms)
        return on.at_ms - pressed.at_ms - HOLD_MS

    def close(self) -> None:
        self.disk.write_text("well")
        if self.node is not None and self.node.poll() is None:
            self.node.send_signal(signal.SIGCONT)
            self.node.kill()
            self.node.wait()
        self.pins.close()
        self._pins_process.kill()
        self._pins_process.wait()
        out: IO[bytes] | None = self._pins_process.stdout
        if out is not None:
            out.close()


_CUADRA = (sys.executable, "-c", "from controller.command_line import main; main()")


def shows(changes: Sequence[Change], pattern: Sequence[Pulse], tolerance_ms: int = 40) -> bool:
    """The pin's last changes are this rhythm, once through whole."""
    if not pattern:
        return not changes or changes[-1].level == 0
    wanted = [length for pulse in pattern for length in pulse]
    lengths = [(later.at_ms - earlier.at_ms, earlier.level) for earlier, later in pairwise(changes)]
    for start in range(len(lengths) - len(wanted) + 1):
        part = lengths[start : start + len(wanted)]
        levels = [level for _, level in part]
        if levels == [1, 0] * len(pattern) and all(abs(found - want) <= tolerance_ms for (found, _), want in zip(part, wanted, strict=True)):
            return True
    return False
