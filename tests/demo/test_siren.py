"""The demo's ear hears a siren for as long as it sounds, whatever its pattern."""

import pytest

from controller.messages import Pulse
from node_firmware.config import default_kinds
from simulators.demo_siren import SirenWatch
from simulators.pin_board import Change
from simulators.site import SIREN_PIN

PATTERNS = {name: kind.pattern for name, kind in default_kinds().items() if kind.audible}


def play(watch: SirenWatch, pattern: tuple[Pulse, ...], from_ms: int, until_ms: int) -> list[bool]:
    """What is heard at each 50 ms while the pattern runs."""
    edges, at_ms = [], from_ms
    while at_ms < until_ms:
        for pulse in pattern:
            edges += [(at_ms, 1), (at_ms + pulse.on_ms, 0)]
            at_ms += pulse.on_ms + pulse.off_ms
    heard = []
    for now_ms in range(from_ms, until_ms, 50):
        while edges and edges[0][0] <= now_ms:
            when_ms, level = edges.pop(0)
            watch.hears(Change(when_ms, SIREN_PIN, level, output=True))
        heard.append(watch.sounds(now_ms))
    return heard


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_siren_that_sounds_is_heard_without_a_gap(kind: str) -> None:
    watch = SirenWatch()
    assert not watch.sounds(1000)
    assert set(play(watch, PATTERNS[kind], 1000, 20_000)) == {True}


@pytest.mark.parametrize("kind", PATTERNS)
def test_once_it_is_off_it_is_soon_not_heard_any_more(kind: str) -> None:
    watch = SirenWatch()
    play(watch, PATTERNS[kind], 1000, 10_000)
    watch.hears(Change(10_000, SIREN_PIN, 0, output=True))
    assert not watch.sounds(12_000)


def test_only_the_siren_s_own_pin_is_heard() -> None:
    watch = SirenWatch()
    assert not watch.hears(Change(1000, SIREN_PIN + 1, 1, output=True))
    assert not watch.sounds(1000)
    assert watch.hears(Change(1000, SIREN_PIN, 1, output=True))
    assert not watch.hears(Change(1100, SIREN_PIN, 0, output=True))
