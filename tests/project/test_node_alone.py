"""A node installs by the lines of the README, with nothing of the other parts, and runs."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from controller.authentication import PrivateKey
from controller.messages import Beat, Done, Online, Order, Settings, SirenOff
from controller.settings_file import read
from node_firmware.config import NodeConfig, default_kinds
from tests.mosquitto import Mosquitto
from tests.node.gateway import Gateway
from tests.project.repository import ROOT
from tests.project.typing_in import lines_after, typed

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]

ABSENT = ("sqlalchemy", "alembic", "aiohttp", "apprise", "babel", "textual", "lxml", "iotcore", "pigpio", "psycopg", "pytest")


@pytest.fixture(scope="module")
def cuadra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `cuadra` command of an environment that the README's lines for a node have made."""
    place = tmp_path_factory.mktemp("node") / "cuadra"
    lines = lines_after("README.md", "**A node**")
    assert lines.count("/opt/cuadra") == 4
    script = lines.replace("/opt/cuadra", str(place)).replace("python3 ", f"{sys.executable} ")
    assert "A block's node" in typed(script)
    return place / "bin" / "cuadra"


def test_the_installer_s_lines_do_what_the_page_says(cuadra: Path, tmp_path: Path) -> None:
    script = lines_after("docs/node.md", "## Installing").replace("-o cuadra-node -g cuadra-node ", "")
    for place, here in (("/opt/cuadra", cuadra.parents[1]), ("/etc", tmp_path / "etc"), ("/var/lib", tmp_path / "lib")):
        script = script.replace(f"{place}/", f"{here}/")
    (tmp_path / "etc" / "systemd" / "system").mkdir(parents=True)
    printed = typed(script)
    unit = (tmp_path / "etc" / "systemd" / "system" / "cuadra-node.service").read_text()
    config = read(ROOT / "config" / "node.toml", NodeConfig)
    assert "ExecStart=/opt/cuadra/bin/cuadra node run --config /etc/cuadra/node.toml\n" in unit
    assert f"useradd --system --home {tmp_path}/lib/cuadra-node --groups gpio cuadra-node\n" in printed
    assert "User=cuadra-node\n" in unit
    assert "good" in printed
    # The files lie where the example's file looks for them, and are what the page says goes to the gateway.
    for made in (config.identity.key_file, config.broker.password_file):
        assert made is not None
        assert (tmp_path / "lib" / made.relative_to("/var/lib")).stat().st_mode & 0o777 == 0o600
    assert PrivateKey.at(tmp_path / "lib" / "cuadra-node" / "node.key").public in printed.split()
    assert f"\n{config.broker.username}:$7$" in printed
    assert printed.endswith("systemctl enable --now cuadra-node\n")


def test_nothing_of_the_other_parts_is_there(cuadra: Path) -> None:
    found = subprocess.run(
        [cuadra.parent / "python", "-I", "-c",
         f"import importlib.util, json; print(json.dumps([n for n in {ABSENT!r} if importlib.util.find_spec(n)]))"],
        capture_output=True, text=True, check=True, cwd="/").stdout
    assert json.loads(found) == []


def test_another_part_says_what_it_lacks(cuadra: Path) -> None:
    done = subprocess.run([cuadra, "gateway", "--config", "x.toml"], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 2
    assert "is not installed here" in done.stderr
    told = done.stderr.split("-r ")[1].strip()
    assert (ROOT / told).is_file(), told
    assert "Traceback" not in done.stderr


def test_the_example_file_is_good(cuadra: Path) -> None:
    done = subprocess.run([cuadra, "node", "check", "--config", ROOT / "config" / "node.toml"],
                          capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    assert "good" in done.stdout


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with Mosquitto(tmp_path) as broker:
        yield broker


async def test_it_runs_and_talks_to_its_gateway(cuadra: Path, broker: Mosquitto, tmp_path: Path) -> None:
    own = PrivateKey(X25519PrivateKey.generate())
    file = tmp_path / "node.toml"
    text = (ROOT / "config" / "node.toml").read_text()
    for pattern, value in (
        (r'^data = .*$', f'data = "{tmp_path / "data"}"'), (r'^key_file = .*$', f'key_file = "{tmp_path / "node.key"}"'),
        (r'^gateway_public_key = .*$', f'gateway_public_key = "{own.public}"'), (r'^host = .*$', 'host = "127.0.0.1"'),
        (r'^port = 1883$', f"port = {broker.port}"), (r'^driver = .*$', 'driver = "mock"'),
        (r'^password_file = .*$', f'password_file = "{tmp_path / "broker.password"}"'),
    ):
        text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
        assert count == 1, pattern
    file.write_text(text)
    (tmp_path / "broker.password").write_text("of a broker that lets in anybody\n")
    key = own.shared_with(PrivateKey.at(tmp_path / "node.key").public)

    async with Gateway(broker.port, key, node="z3b12n1") as gateway:
        node = await asyncio.create_subprocess_exec(cuadra, "node", "--config", file, cwd="/")
        try:
            birth = await gateway.hears(Online, lambda online: online.online, within_s=20)
            assert {"b1", "b2"} <= set(birth.inputs)
            kinds = default_kinds()
            await gateway.say(Settings(birth.boot, 1, kinds, {}, beat_s=1))
            await gateway.hears(Beat, lambda beat: beat.boot == birth.boot and beat.settings_rev == 1)
            await gateway.say(Order("o1", birth.boot, SirenOff(), 60))
            assert (await gateway.hears(Done)).done
            node.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(node.wait(), 15) == 0
            await gateway.hears(Online, lambda online: not online.online and online.boot == birth.boot)
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()
