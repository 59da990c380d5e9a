"""The live view over a zone that really runs: keys do what they say, and what is shown is so."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

import pytest
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import RichLog, Static

from simulators import demo_broker, demo_district
from simulators.demo_district import Plan
from simulators.demo_view import BlockCell, DemoView


def shown(view: DemoView, where: str) -> str:
    content = view.query_one(where, Static).content
    assert isinstance(content, Text)
    return content.plain


def said(view: DemoView) -> str:
    return "\n".join(line.text for line in view.query_one("#texts", RichLog).lines)


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"{what} did not come; the view says:\n{shown_all(pilot)}"
        await pilot.pause(0.1)


def shown_all(pilot: Pilot[None]) -> str:
    view = pilot.app
    assert isinstance(view, DemoView)
    return "\n".join([*(shown(view, f"#{cell.id}") for cell in view.query(BlockCell)), shown(view, "#incidents")])


@pytest.mark.whole
async def test_press_answer_unplug_and_cut_from_the_keyboard() -> None:
    plan = Plan(zones=1, blocks=2, broker=demo_broker.found(), times=0.1, answers=None)
    async with demo_district.running(plan, lambda _told: None, lambda _said: None) as district:
        view = DemoView(district)
        zone = district.zones[0]
        first, second = (block.block for block in zone.blocks)
        async with view.run_test(size=(160, 50)) as pilot:
            assert shown(view, f"#{first}").startswith("> ")
            assert "QUIET" in shown(view, f"#{first}")

            await pilot.press("p")
            await until(pilot, lambda: "SIREN" in shown(view, f"#{first}") and "OPEN" in shown(view, f"#{first}"), "siren and incident")
            await until(pilot, lambda: "light received" in shown(view, f"#{first}"), "the light")
            await until(pilot, lambda: len(zone.texts) > 0, "a text")
            await pilot.press("1")
            await until(pilot, lambda: "TAKEN" in shown(view, f"#{first}"), "somebody who takes it")
            await until(pilot, lambda: "light taken" in shown(view, f"#{first}"), "the light that says so")
            await pilot.press("2")
            await until(pilot, lambda: "ON-SCENE" in shown(view, f"#{first}"), "somebody there")
            assert "QUIET" in shown(view, f"#{second}")

            await pilot.press("down", "3")
            await until(pilot, lambda: f"{second}: no alarm is open here" in said(view), "that the quiet block has nothing to answer")
            assert "writes 3" not in said(view), "nor is the other block's alarm answered in its place"
            await pilot.press("up", "5")
            await until(pilot, lambda: "QUIET" in shown(view, f"#{first}") and "light dark" in shown(view, f"#{first}"), "the end of it")

            await pilot.press("m")
            await until(pilot, lambda: "modem UNPLUGGED" in shown(view, "#head-z1"), "the plug pulled")
            await pilot.press("m", "n")
            await until(pilot, lambda: "network CUT" in shown(view, "#head-z1"), "the cut")
            assert "UNPLUGGED" not in shown(view, "#head-z1")

            await pilot.press("down", "p")
            await until(pilot, lambda: "SIREN" in shown(view, f"#{second}"), "the siren, without any network")
            await until(pilot, lambda: "light saved" in shown(view, f"#{second}"), "the light that claims no more")
            assert "PRESSED" in shown(view, f"#{second}")
            await pilot.press("n")
            await until(pilot, lambda: "OPEN" in shown(view, f"#{second}"), "the press that waited", within_s=40)
            await pilot.press("q")


@pytest.mark.whole
def test_on_a_terminal_it_shows_the_district_and_q_ends_it() -> None:
    terminal, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    demo = subprocess.Popen(
        [sys.executable, "-c", "from controller.command_line import main; main()", "demo", "--zones", "1"],
        stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm-256color"}, start_new_session=True)
    os.close(theirs)
    said, asked = b"", False
    with contextlib.suppress(OSError):  # the terminal's other end is closed: the demo has ended
        while part := os.read(terminal, 65_536):
            said += part
            if not asked and b"light dark" in said:
                asked = True
                os.write(terminal, b"q")
    os.close(terminal)
    assert demo.wait(20) == 0, said[-2000:].decode(errors="replace")
    assert asked, "the blocks were shown"
