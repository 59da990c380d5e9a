"""The example of a zone's broker starts as the README has it installed: in conf.d beside the main file of Debian's package."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from tests.mosquitto import MOSQUITTO, free_port
from tests.project.repository import ROOT

DEBIANS = """pid_file {folder}/mosquitto.pid

persistence true
persistence_location {folder}/

log_dest file {folder}/mosquitto.log

include_dir {folder}/conf.d
"""
"""/etc/mosquitto/mosquitto.conf of Debian 12's package, in another folder. Mosquitto refuses some settings that stand twice."""


async def connected(port: int, broker: asyncio.subprocess.Process) -> aiomqtt.Client:
    async with asyncio.timeout(10):
        while broker.returncode is None:
            client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5)
            try:
                return await client.__aenter__()
            except aiomqtt.MqttError:
                await asyncio.sleep(0.02)
    raise AssertionError(f"the broker ended with {broker.returncode}")


async def test_the_example_broker_starts_beside_debians_file_and_carries_a_message(tmp_path: Path) -> None:
    port = free_port()
    text = (ROOT / "config" / "mosquitto.conf").read_text()
    text = re.sub(r"^listener 1883$", f"listener {port} 127.0.0.1", text, flags=re.MULTILINE)
    assert str(port) in text
    if os.geteuid() == 0:
        text += "user root\n"
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "cuadra.conf").write_text(text)
    main = tmp_path / "mosquitto.conf"
    main.write_text(DEBIANS.format(folder=tmp_path))
    broker = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", main, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        client = await connected(port, broker)
        await client.subscribe("cuadra/v1/z3/+/up/#", qos=1)
        await client.publish("cuadra/v1/z3/n1/up/press", b"x" * 60_000, qos=1)
        async with asyncio.timeout(5):
            message = await anext(aiter(client.messages))
        assert len(message.payload) == 60_000
        await client.__aexit__(None, None, None)
    finally:
        if broker.returncode is None:
            broker.terminate()
        output, _ = await asyncio.wait_for(broker.communicate(), timeout=10)
    log = tmp_path / "mosquitto.log"
    output += log.read_bytes() if log.exists() else b""
    assert not re.search(rb"error|unknown|deprecated|duplicate", output, re.IGNORECASE), output
    assert (tmp_path / "mosquitto.db").exists(), "a broker that ends keeps what it knows"


@pytest.mark.parametrize("line", ["set_tcp_nodelay true", "per_listener_settings true"])
def test_the_example_broker_is_set_on_purpose(line: str) -> None:
    assert line in (ROOT / "config" / "mosquitto.conf").read_text().splitlines()
