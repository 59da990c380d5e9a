"""The wiring page cannot lie: its legends are the code's, its settings and commands are all there, its example is read."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from controller import settings_file
from controller.broker_settings import BrokerSettings
from controller.messages import KindSettings, Pulse
from node_firmware import config
from node_firmware.commands import node
from node_firmware.config import NodeConfig, default_kinds
from node_firmware.effects import Light, Sound
from node_firmware.gestures import Hands
from node_firmware.lights import BLINKS, BUZZES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "node.md").read_text(encoding="utf-8")
NEVER_PRINTED = {Hands.FORCED_CANCEL, Hands.UNCLEAR, Hands.AT_START}
"""What a legend beside a button must not show, and what no hand does on purpose."""


def picture(pattern: tuple[Pulse, ...]) -> str:
    """One round of a rhythm: a character is a tenth of a second, and no part of it is left out."""
    drawn = "".join("█" * max(1, round(pulse.on_ms / 100)) + "·" * (pulse.off_ms > 0 and max(1, round(pulse.off_ms / 100))) for pulse in pattern)
    return f"`{drawn}`" if drawn else "dark"


@pytest.mark.parametrize("light", Light)
def test_each_light_is_drawn_as_it_blinks(light: Light) -> None:
    assert f"| `{light}` | {picture(BLINKS[light])} |" in PAGE


@pytest.mark.parametrize("sound", Sound)
def test_each_sound_is_drawn_as_it_beeps(sound: Sound) -> None:
    assert f"| `{sound}` | {picture(BUZZES[sound])} |" in PAGE


@pytest.mark.parametrize(("kind", "settings"), [(kind, settings) for kind, settings in default_kinds().items() if settings.audible])
def test_each_audible_kind_s_siren_is_drawn(kind: str, settings: KindSettings) -> None:
    assert f"| `{kind}` | {picture(settings.pattern)} |" in PAGE


@pytest.mark.parametrize("hands", sorted(set(Hands) - NEVER_PRINTED))
def test_each_gesture_is_explained(hands: Hands) -> None:
    assert f"| `{hands}` |" in PAGE


def test_every_setting_is_on_the_page_or_in_the_example() -> None:
    example = (ROOT / "config" / "node.toml").read_text(encoding="utf-8")
    for struct in (config.Identity, BrokerSettings, config.PinsSettings, config.InputPins, config.SirenPins, NodeConfig):
        for name in struct.__struct_fields__:
            assert name in example or f"`{name}`" in PAGE, name


def test_every_command_is_on_the_page() -> None:
    for command in typer.main.get_command(node).commands:  # type: ignore[attr-defined]  # a group
        assert f"cuadra node {command}" in PAGE


def test_the_power_plan_on_the_page_is_what_the_command_prints() -> None:
    command, printed = PAGE.split("$ cuadra node ")[1].split("```")[0].split("\n", 1)
    assert CliRunner().invoke(node, command.split()).stdout == printed


def test_the_example_is_a_good_file_and_names_a_node_of_the_example_district() -> None:
    example = settings_file.read(ROOT / "config" / "node.toml", NodeConfig)
    nodes = (ROOT / "config" / "villa-maria" / "nodes.csv").read_text(encoding="utf-8")
    assert f"\n{example.identity.node},{example.identity.zone}" in nodes
    assert example.broker.username == example.identity.node


def test_every_pin_of_the_example_is_in_the_diagram() -> None:
    example = settings_file.read(ROOT / "config" / "node.toml", NodeConfig)
    diagram = PAGE.split("## The diagram")[1].split("```")[1]
    pins = {example.siren.pin, example.siren.strobe, example.buzzer}
    for wires in example.inputs.values():
        pins |= {wires.pressed, wires.released, wires.light}
    for pin in pins - {None}:
        assert re.search(rf"(?<!\d){pin}\s+\(\d+\)", diagram), pin
