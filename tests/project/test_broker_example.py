"""The example of a zone's broker starts as it stands, on another port and folder."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from tests.mosquitto import MOSQUITTO, free_port
from tests.project.repository import ROOT


async def connected(port: int) -> aiomqtt.Client:
    async with asyncio.timeout(10):
        while True:
            client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5)
            try:
                return await client.__aenter__()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.02)


async def test_the_example_broker_starts_and_carries_a_message(tmp_path: Path) -> None:
    port = free_port()
    text = (ROOT / "config" / "mosquitto.conf").read_text()
    text = re.sub(r"^listener 1883$", f"listener {port} 127.0.0.1", text, flags=re.MULTILINE)
    text = re.sub(r"^persistence_location .*$", f"persistence_location {tmp_path}/", text, flags=re.MULTILINE)
    assert str(port) in text
    assert str(tmp_path) in text
    if os.geteuid() == 0:
        text += "user root\n"
    config = tmp_path / "mosquitto.conf"
    config.write_text(text)
    broker = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", config, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        client = await connected(port)
        await client.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        await client.publish("cuadra/v1/z3/n1/up/press", b"x" * 60_000, qos=1)
        async with asyncio.timeout(5):
            message = await anext(aiter(client.messages))
        assert len(message.payload) == 60_000
        await client.__aexit__(None, None, None)
    finally:
        broker.terminate()
        output, _ = await asyncio.wait_for(broker.communicate(), timeout=10)
    assert not re.search(rb"error|unknown|deprecated", output, re.IGNORECASE), output


@pytest.mark.parametrize("line", ["set_tcp_nodelay true", "per_listener_settings true", "persistence true"])
def test_the_example_broker_is_set_on_purpose(line: str) -> None:
    assert line in (ROOT / "config" / "mosquitto.conf").read_text().splitlines()
