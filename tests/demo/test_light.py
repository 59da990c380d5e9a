"""The demo's eye on a light reads what the node's patterns show."""

import pytest

from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from simulators.demo_light import LIT_MS, LightWatch
from simulators.pin_board import Change

PIN = 22
WORDS = {Light.SAVED: "saved", Light.RECEIVED: "received", Light.TAKEN: "taken", Light.THERE: "on scene"}


def shine(watch: LightWatch, light: Light, from_ms: int, late_ms: int = 3) -> list[tuple[str, int]]:
    """Let the pattern run twice, the light going out a little late; returns what was read."""
    at_ms, said = from_ms, []
    for pulse in BLINKS[light] * 2:
        watch.sees(Change(at_ms, PIN, 1, output=True))
        said.append(watch.sees(Change(at_ms + pulse.on_ms + late_ms, PIN, 0, output=True)))
        at_ms += pulse.on_ms + pulse.off_ms
    return [one for one in said if one is not None]


@pytest.mark.parametrize(("light", "word"), WORDS.items())
def test_each_rung_of_the_ladder_is_read_as_what_it_says(light: Light, word: str) -> None:
    watch = LightWatch(PIN)
    said = shine(watch, light, 5000)
    assert [read for read, _ in said] == [word, word]
    assert 5000 <= said[0][1] <= 5003
    assert watch.word(said[1][1] + 2600) == word
    assert watch.word(said[1][1] + 15_000) == "", "dark for so long is at rest"


@pytest.mark.parametrize("word", LIT_MS)
@pytest.mark.parametrize("late_ms", [-4, 0, 8])
def test_an_edge_that_comes_late_changes_no_word(word: str, late_ms: int) -> None:
    watch = LightWatch(PIN)
    watch.sees(Change(1000, PIN, 1, output=True))
    seen = watch.sees(Change(1000 + LIT_MS[word] + late_ms, PIN, 0, output=True))
    assert seen is not None
    assert seen[0] == word


def test_a_blink_of_no_word_is_read_as_none() -> None:
    for lit_ms in (30, 300):
        watch = LightWatch(PIN)
        watch.sees(Change(1000, PIN, 1, output=True))
        assert watch.sees(Change(1000 + lit_ms, PIN, 0, output=True)) is None


def test_a_rung_that_follows_without_a_dark_gap_is_dated_by_its_own_length() -> None:
    watch = LightWatch(PIN)
    watch.sees(Change(1000, PIN, 1, output=True))  # saved
    assert watch.sees(Change(1540, PIN, 0, output=True)) == ("received", 1040)  # 40 ms later received, lit for 500 ms


def test_a_fault_is_never_read_as_received() -> None:
    watch = LightWatch(PIN)
    assert {word for word, _ in shine(watch, Light.FAULT, 0, late_ms=0)} == {"fault"}


def test_other_pins_are_not_its_business() -> None:
    watch = LightWatch(PIN)
    watch.sees(Change(0, PIN + 1, 1, output=True))
    assert watch.sees(Change(500, PIN + 1, 0, output=True)) is None
