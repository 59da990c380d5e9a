"""The pins, by gpiozero's mock and by its pigpio driver against the simulated daemon: the same promises on both."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]  # it brings no types

from controller.errors import BadConfig, Unavailable
from controller.messages import Pulse
from controller.settings_file import convert, read
from node_firmware.clock import boottime_ms
from node_firmware.config import NodeConfig, PinsSettings
from node_firmware.effects import Light, Sound
from node_firmware.guard import drop
from node_firmware.inputs import Edge
from node_firmware.pins import Pins, open_factory
from simulators.buttons import Buttons, Step
from simulators.pins_process import PinsControl
from tests.mosquitto import free_port
from tests.node.block import BUZZER, LIGHT, SIREN, STROBE, TOML

FAST = (Pulse(60, 40),)


class Mock:
    """gpiozero's mock, driven from outside the way the pins process is."""

    def __init__(self, factory: MockFactory) -> None:
        self._factory = factory
        self.settings = PinsSettings(driver="mock")

    def open(self) -> MockFactory:
        return self._factory

    async def play(self, steps: list[Step]) -> None:
        for step in steps:
            await asyncio.sleep(step.after_ms / 1000)
            pin = self._factory.pin(step.pin)
            pin.drive_low() if step.level == 0 else pin.drive_high()

    async def level(self, pin: int) -> int:
        return int(self._factory.pin(pin).state)


class Process:
    """The pins in a process of their own."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.settings = PinsSettings(driver="pigpio", port=ports["port"])
        self.control = PinsControl(ports["control_port"])

    def open(self) -> object:
        return open_factory(self.settings)

    async def play(self, steps: list[Step]) -> None:
        await asyncio.to_thread(self.control.play, steps)

    async def level(self, pin: int) -> int:
        return await asyncio.to_thread(self.control.level, pin)


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    (tmp_path / "node.toml").write_text(TOML.format(folder=tmp_path, gateway="0" * 64, host="h", port=1))
    return read(tmp_path / "node.toml", NodeConfig)


@pytest.fixture(params=["mock", "pigpio"])
def world(request: pytest.FixtureRequest) -> Iterator[Mock | Process]:
    if request.param == "mock":
        yield Mock(MockFactory())
        return
    process = subprocess.Popen(
        [sys.executable, "-c", "from controller.command_line import main; main()", "simulate", "pins", "--port", "0", "--control-port", "0"],
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        made = Process(json.loads(process.stdout.readline()))
        yield made
        made.control.close()
        process.kill()


@pytest.fixture
async def pins(config: NodeConfig, world: Mock | Process) -> AsyncIterator[Pins]:
    made = Pins(config, world.open(), lambda: None)
    await world.play(Buttons(config).rest())
    # pigpio's client takes the pull-ups that were switched on after it connected for edges, once; the core sees no change in them.
    await asyncio.sleep(0.05)
    made.edges.clear()
    yield made
    made.close()


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110 (the driver's thread tells nobody but the deque)
            await asyncio.sleep(0.005)


async def test_everything_is_off_at_the_start_and_the_levels_are_known(pins: Pins, world: Mock | Process) -> None:
    assert [await world.level(pin) for pin in (SIREN, STROBE, BUZZER, LIGHT)] == [0, 0, 0, 0]
    assert pins.levels() == {"b1.pressed": False, "b1.released": True, "b2": False, "quiet": False}


async def test_edges_come_with_their_line_their_sense_and_their_time(pins: Pins, world: Mock | Process, config: NodeConfig) -> None:
    from_ms = boottime_ms()
    await world.play(Buttons(config).hold("b1", 100))
    await until(lambda: len(pins.edges) == 4)
    edges = list(pins.edges)
    assert [(edge.line, edge.active) for edge in edges] == [
        ("b1.released", False), ("b1.pressed", True), ("b1.pressed", False), ("b1.released", True),
    ]  # fmt: skip
    assert from_ms <= edges[0].at_ms <= boottime_ms()
    assert 80 <= edges[2].at_ms - edges[1].at_ms <= 160


async def test_noise_is_not_filtered_here(pins: Pins, world: Mock | Process, config: NodeConfig) -> None:
    await world.play(Buttons(config).bounce("b2", 20))
    await until(lambda: len(pins.edges) == 40)
    assert [edge.active for edge in pins.edges] == [True, False] * 20
    assert isinstance(pins.edges[0], Edge)


async def test_the_siren_plays_its_pattern_for_its_time_and_no_longer(pins: Pins, world: Mock | Process) -> None:
    pins.sound(FAST, 330)
    assert await world.level(SIREN) == 1
    assert await world.level(STROBE) == 1
    levels = []
    for _ in range(30):
        levels.append(await world.level(SIREN))
        await asyncio.sleep(0.01)
    assert {0, 1} == set(levels)
    await asyncio.sleep(0.15)
    assert [await world.level(SIREN), await world.level(STROBE)] == [0, 0]
    pins.sound(FAST, 60_000)
    pins.silence()
    assert [await world.level(SIREN), await world.level(STROBE)] == [0, 0]


async def test_a_light_replaces_the_one_before_and_a_sound_ends_by_itself(pins: Pins, world: Mock | Process) -> None:
    pins.show("b1", Light.THERE)
    assert await world.level(LIGHT) == 1
    pins.show("b1", Light.REST)
    assert await world.level(LIGHT) == 0
    pins.show("b2", Light.THERE)  # no light is fitted there
    pins.buzz(Sound.CHIRP)
    assert await world.level(BUZZER) == 1
    await asyncio.sleep(0.15)
    assert await world.level(BUZZER) == 0


@pytest.mark.parametrize("world", ["pigpio"], indirect=True)
@pytest.mark.parametrize("end", ["drop", "start"])
async def test_a_siren_left_sounding_is_dropped_from_outside_and_switched_off_by_the_next_start(
    config: NodeConfig, world: Process, end: str
) -> None:
    factory = open_factory(world.settings)
    left = Pins(config, factory, lambda: None)
    left.sound((Pulse(60_000, 1),), 60_000)
    factory.connection.stop()
    assert await world.level(SIREN) == 1
    if end == "drop":
        await asyncio.to_thread(drop, world.settings, config.siren)
        assert await world.level(SIREN) == 0
    else:
        fresh = Pins(config, open_factory(world.settings), lambda: None)
        assert await world.level(SIREN) == 0
        fresh.close()


def test_a_driver_that_is_not_there_is_said_in_one_sentence() -> None:
    with pytest.raises(Unavailable, match=r"pigpio.*daemon"):
        open_factory(PinsSettings(driver="pigpio", port=free_port()))
    with pytest.raises(Unavailable, match=r"lgpio.*mock"):
        open_factory(PinsSettings(driver="lgpio"))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="lgpio has no wheel for Python 3.13; a Pi with it brings its own")
def test_the_real_driver_leaves_nothing_in_the_current_folder(tmp_path: Path) -> None:
    script = "from node_firmware.pins import preload; from node_firmware.config import PinsSettings; preload(PinsSettings(driver='lgpio'))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, timeout=30)
    assert list(tmp_path.iterdir()) == []


def test_a_siren_on_a_pin_that_starts_pulled_up_is_refused(config: NodeConfig) -> None:
    data = msgspec.to_builtins(config, enc_hook=str)
    data["siren"]["pin"] = 7
    with pytest.raises(BadConfig, match="9 to 27"):
        convert(data, NodeConfig, "node.toml")


async def test_the_first_press_of_a_lone_plain_button_is_heard(config: NodeConfig, world: Mock | Process) -> None:
    """Before the pull-up its line lay low, as a pressed button's does: the press must not be taken for no change."""
    lone = msgspec.structs.replace(config, inputs={"b1": msgspec.structs.replace(config.inputs["b1"], released=None)})
    pins = Pins(lone, world.open(), lambda: None)
    try:
        await asyncio.sleep(0.05)
        pins.edges.clear()
        await world.play(Buttons(lone).hold("b1", 200))
        await until(lambda: [edge.active for edge in pins.edges] == [True, False])
    finally:
        pins.close()
