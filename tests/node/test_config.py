"""A node's own file: what holds on a first start, and whenever the gateway's settings cannot be read, must be safe by itself."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from controller.errors import BadConfig
from controller.settings_file import convert
from node_firmware.config import NodeConfig

EXAMPLE = Path(__file__).parents[2] / "config" / "node.toml"


@pytest.fixture
def data() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))


def faults(data: dict[str, Any]) -> str:
    with pytest.raises(BadConfig) as refused:
        convert(data, NodeConfig, "node.toml")
    return str(refused.value)


def test_a_button_says_itself_what_it_presses(data: dict[str, Any]) -> None:
    """Taken for panic, a silent button would sound the siren whenever the kept settings are missing."""
    del data["inputs"]["b1"]["kind"]
    assert "[inputs.b1] kind: missing; expected an id" in faults(data)


def test_whether_a_button_is_silent_stands_in_the_file(data: dict[str, Any]) -> None:
    data["inputs"]["b1"]["kind"] = "assault"
    assert "add [kinds.assault]" in faults(data)
    data["kinds"] = {name: {"audible": False} for name in ("assault", "fire")}
    config = convert(data, NodeConfig, "node.toml")
    assert not config.kinds["assault"].audible


@pytest.mark.parametrize("pattern", [None, [], [[700, 0]], [[0, 700]], [[-500, -100]], [[20_000, 300]]])
def test_a_pattern_that_no_siren_can_play_is_named(data: dict[str, Any], pattern: list[list[int]] | None) -> None:
    """Else panic's is played in its place, and nobody who installs the node hears of it before the alarm."""
    data["kinds"] = {"panic": {"audible": True}, "fire": {"audible": True, "pattern": [[250, 250]]}, "quiet": {"audible": False}}
    if pattern is not None:
        data["kinds"]["panic"]["pattern"] = pattern
    assert "[kinds.panic] pattern: " in faults(data)
