"""`cuadra demo --for`: whole processes, and a verdict that can be trusted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators import demo_broker

DEMO = (sys.executable, "-c", "from controller.command_line import main; main()", "demo")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *arguments], capture_output=True, text=True, timeout=100, check=False)


def processes_of(folder: Path) -> list[str]:
    """The command lines of the processes that still work below `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.mark.whole
@pytest.mark.parametrize("broker", list(demo_broker.BrokerKind))
def test_two_zones_press_and_are_helped(broker: demo_broker.BrokerKind) -> None:
    done = run("--for", "2s", "--presses", "2", "--zones", "2", "--pace", "0.1", "--broker", broker)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 presses received, told and taken" in done.stdout
    assert f"broker: {broker} on 127.0.0.1" in done.stdout
    assert "MISSING" not in done.stdout


@pytest.mark.whole
def test_when_no_member_can_be_told_the_verdict_says_so_and_is_1() -> None:
    done = run("--for", "1s", "--presses", "1", "--zones", "1", "--unplugged", "--more", "4")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no member got a text, nobody has taken it" in done.stdout
    assert "never said" not in done.stdout, "the press itself was received"


@pytest.mark.whole
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_that_was_started_ends_with_the_demo(sign: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([*DEMO, "--for", "60s", "--zones", "1"], stdout=subprocess.PIPE, text=True, env=environment) as demo:
        until = time.monotonic() + 40
        while "every node is connected" not in (line := demo.stdout.readline() if demo.stdout else ""):
            assert line, "the demo ended by itself"
            assert time.monotonic() < until
        assert len(processes_of(tmp_path)) >= 3, "a gateway, a node and a broker"
        demo.send_signal(sign)
        demo.send_signal(sign)
        assert demo.wait(30) == (130 if sign != signal.SIGKILL else -signal.SIGKILL)
    while processes_of(tmp_path) and sign == signal.SIGKILL and time.monotonic() < until:
        time.sleep(0.1)  # nobody is left to wait for them
    assert processes_of(tmp_path) == []
    assert sign == signal.SIGKILL or list(tmp_path.glob("cuadra-demo-*")) == []


def test_what_is_no_time_is_refused() -> None:
    done = run("--for", "soon")
    assert done.returncode == 2
    assert "--for: 'soon' is no time; expected e.g. 20s or 2m" in done.stderr


def test_without_a_terminal_it_says_how_to_run_unattended() -> None:
    done = run()
    assert done.returncode == 2
    assert "--for 20s --presses 5" in done.stderr
