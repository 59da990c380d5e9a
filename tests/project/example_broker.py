"""The zone's broker as the README has it installed, on another port and in another folder."""

import asyncio
import os
import re
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import aiomqtt

from controller.broker_password import mosquitto_line
from tests.mosquitto import MOSQUITTO, free_port
from tests.project.repository import ROOT

DEBIANS = """pid_file {folder}/mosquitto.pid

persistence true
persistence_location {folder}/

log_dest file {folder}/mosquitto.log

include_dir {folder}/conf.d
"""
"""/etc/mosquitto/mosquitto.conf of Debian 12's package, in another folder. Mosquitto refuses some settings that stand twice."""

HELLO = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05ready"
"""CONNECT without a name, which is refused (MQTT 3.1.1, section 3.1)."""


class ExampleBroker:
    """Mosquitto with the main file of Debian's package and the example's files; an async context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.passwords = folder / "cuadra.passwd"
        self.passwords.touch()
        text = (ROOT / "config" / "mosquitto.conf").read_text()
        text, listeners = re.subn(r"^listener 1883$", f"listener {self.port} 127.0.0.1", text, flags=re.MULTILINE)
        assert listeners == 1
        text = re.sub(r"^(\w+) /etc/mosquitto/", rf"\1 {folder}/", text, flags=re.MULTILINE)
        if os.geteuid() == 0:
            text += "user root\n"
        (folder / "conf.d").mkdir()
        (folder / "conf.d" / "cuadra.conf").write_text(text)
        (folder / "cuadra.acl").write_text((ROOT / "config" / "mosquitto.acl").read_text())
        (folder / "mosquitto.conf").write_text(DEBIANS.format(folder=folder))

    def lets_in(self, user: str, line: str | None = None) -> None:
        """Add the user's line, as an administrator does; its password is `<user>-password` where no line is given."""
        with self.passwords.open("a") as file:
            file.write((line or mosquitto_line(user, f"{user}-password", b"twelve bytes")) + "\n")

    def reload(self) -> None:
        """`systemctl reload mosquitto`; it reads its files soon after."""
        self.process.send_signal(signal.SIGHUP)

    def client(self, user: str | None, *, password: str | None = None, identifier: str | None = None) -> aiomqtt.Client:
        """Not connected yet. The password is the right one where none is given."""
        return aiomqtt.Client(
            "127.0.0.1", self.port, protocol=aiomqtt.ProtocolVersion.V5, identifier=identifier, username=user,
            password=password or (user and f"{user}-password"), timeout=5,
        )

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            MOSQUITTO, "-c", self.folder / "mosquitto.conf", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        async with asyncio.timeout(10):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    if self.process.returncode is not None:
                        raise AssertionError(f"the broker ended with {self.process.returncode}: {await self._output()}") from None
                    await asyncio.sleep(0.02)
                else:
                    # Whoever has answered handles signals: one that only listens would be ended by them without a word.
                    writer.write(HELLO)
                    await reader.read(1)
                    writer.close()
                    return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        output = await self._output()
        assert kind is not None or not re.search(r"error|unknown|deprecated|duplicate", output, re.IGNORECASE), output

    async def _output(self) -> str:
        output, _ = await asyncio.wait_for(self.process.communicate(), timeout=10)
        log = self.folder / "mosquitto.log"
        return output.decode() + (log.read_text() if log.exists() else "")
