"""`cuadra simulate block`: a script presses, siren and lights are told."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from controller.authentication import PrivateKey
from tests.mosquitto import free_port
from tests.node.block import TOML

pytestmark = pytest.mark.whole


def simulate(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    gateway = PrivateKey.at(folder / "gateway.key").public
    (folder / "node.toml").write_text(TOML.format(folder=folder, gateway=gateway, host="127.0.0.1", port=free_port()))
    command = [sys.executable, "-c", "from controller.command_line import main; main()", "simulate", "block", "--config", str(folder / "node.toml")]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)


def test_a_script_presses_and_the_siren_is_told(tmp_path: Path) -> None:
    done = simulate(tmp_path, "wait 2\nhold b1 1.5  # for help\nwait 0.5\n")
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^ *([\d.]+) s  (.+)$", done.stdout, re.MULTILINE)
    held, siren = (float(next(at for at, text in told if text == wanted)) for wanted in ("hold b1", "siren on"))
    assert 1.0 <= siren - held <= 1.3
    assert told[-1][1].endswith("off")


def test_a_line_that_cannot_be_done_is_named(tmp_path: Path) -> None:
    done = simulate(tmp_path, "hold nobody\n")
    assert done.returncode == 2
    assert "hold nobody" in done.stderr
