"""The siren does not wait, and never stays on: whole node processes, seen from their pins."""

import logging
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from node_firmware.effects import Light
from node_firmware.lights import BLINKS
from tests.node.block import LIGHT, SILENT_LIGHT, SIREN, SIREN_DELAY_MS_MAX, STROBE, Block, shows, wait_until

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.whole
OFF_S_MAX = 10
QUIET_MS = 1500
"""Longer than any pause within the patterns used here: a siren silent for so long is off."""


def silent_since_ms(block: Block) -> int | None:
    """When the siren went off for good, on the pins' clock; None while it sounds or pauses."""
    last = block.history(SIREN)[-1]
    now_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return last.at_ms if last.level == 0 and now_ms - last.at_ms > QUIET_MS else None


@pytest.mark.parametrize(
    ("faults", "disk"),
    [("", "well"), ("dns", "well"), ("clock", "well"), ("", "hung"), ("", "slow"), ("", "full"), ("", "read-only"), ("dns,clock", "hung")],
)
def test_a_held_button_sounds_the_siren_within_150_ms_whatever_is_broken(block: Block, faults: str, disk: str) -> None:
    block.disk.write_text(disk)
    block.start(faults)
    block.hold()
    wait_until(lambda: any(change.level for change in block.history(SIREN)), 5, "the siren")
    delay = block.siren_delay_ms()
    logger.info("hold end to siren: %d ms (%s, disk %s, no broker)", delay, faults or "no fault", disk)
    assert 0 <= delay <= SIREN_DELAY_MS_MAX
    assert block.history(STROBE)[-1].level == 1


def empty_key(block: Block) -> None:
    block.config.identity.key_file.write_text("")


def no_password(block: Block) -> None:
    _broker_line(block, f'username = "n"\npassword_file = "{block.folder}/none"')


def empty_password(block: Block) -> None:
    (block.folder / "password").write_text("\n")
    _broker_line(block, f'username = "n"\npassword_file = "{block.folder}/password"')


def no_certificate(block: Block) -> None:
    (block.folder / "ca.pem").write_text("nothing")
    _broker_line(block, f'ca_file = "{block.folder}/ca.pem"')


def _broker_line(block: Block, line: str) -> None:
    block.config_file.write_text(block.config_file.read_text().replace("[siren]", f"{line}\n[siren]"))


@pytest.mark.parametrize("spoil", [empty_key, no_password, empty_password, no_certificate])
def test_without_its_key_password_or_certificate_a_node_still_has_its_siren(block: Block, spoil: Callable[[Block], None]) -> None:
    spoil(block)
    block.start()
    block.hold()
    wait_until(lambda: any(change.level for change in block.history(SIREN)), 5, "the siren")
    assert 0 <= block.siren_delay_ms() <= SIREN_DELAY_MS_MAX
    wait_until(lambda: block.logged("no link until this is corrected") == 1, 5, "what is wrong, in the log")


def test_the_siren_goes_off_soon_after_its_node_is_killed(block: Block) -> None:
    block.start()
    wait_until(lambda: block.has_guard() and block.logged("guard: answers") == 1, what="the guard")
    block.pins.play(block.buttons.press("b1"))
    wait_until(block.siren_on, what="the siren")
    block.kill()
    killed_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    wait_until(lambda: silent_since_ms(block) is not None, OFF_S_MAX, "silence")
    silent_ms = silent_since_ms(block)
    assert silent_ms is not None
    logger.info("kill -9 to silence: %d ms", silent_ms - killed_ms)


def test_the_siren_goes_off_soon_after_its_node_hangs_and_the_node_is_ended(block: Block) -> None:
    block.start()
    wait_until(lambda: block.logged("guard: answers") == 1, what="the guard")
    block.pins.play(block.buttons.press("b1"))
    wait_until(block.siren_on, what="the siren")
    block.send(signal.SIGSTOP)
    hung_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    wait_until(lambda: not block.siren_on(), OFF_S_MAX, "silence")
    logger.info("hung to silence: %d ms", block.history(SIREN)[-1].at_ms - hung_ms)
    assert block.node is not None
    assert block.node.wait(timeout=5) == -signal.SIGKILL


def test_a_new_node_after_a_kill_finds_its_siren_free_and_sounds_it(block: Block) -> None:
    block.start()
    block.pins.play(block.buttons.press("b1"))
    wait_until(block.siren_on, what="the siren")
    block.kill()
    block.pins.play(block.buttons.release("b1"))
    block.start()
    assert not block.siren_on()
    block.hold()
    assert block.siren_delay_ms() <= SIREN_DELAY_MS_MAX


def test_a_button_found_pressed_at_the_start_counts_as_held(block: Block) -> None:
    block.pins.play(block.buttons.press("b1"))
    block.start()
    wait_until(block.siren_on, what="the siren")


def test_a_clean_end_switches_everything_off(block: Block) -> None:
    block.start()
    block.hold(ms=1100)
    wait_until(block.siren_on, what="the siren")
    block.stop()
    assert [block.pins.level(pin) for pin in (SIREN, STROBE, LIGHT)] == [0, 0, 0]


def test_contact_noise_and_a_short_tap_sound_nothing(block: Block) -> None:
    block.start()
    block.pins.play([*block.buttons.bounce("b1", 30), *block.buttons.hold("b1", 200)])
    time.sleep(1.5)
    assert block.history(SIREN, block.history(17)[0].at_ms) == []


def test_three_jabs_sound_like_a_hold(block: Block) -> None:
    block.start()
    block.pins.play(block.buttons.jabs("b1"))
    wait_until(block.siren_on, 3, "the siren")


def test_a_silent_press_shows_nothing_in_the_block(block: Block) -> None:
    block.start()
    before = len(block.pins.history())
    block.hold("quiet")
    time.sleep(2)
    touched = {change.pin for change in block.pins.history(before)}
    assert touched == {12}
    assert block.pins.level(SILENT_LIGHT) == 0


def test_the_guards_pages_are_locked_in_memory_where_the_system_allows_it(block: Block) -> None:
    block.start()
    wait_until(lambda: block.logged("guard: answers") == 1, what="the guard")
    status = Path(f"/proc/{block.guard_pid()}/status").read_text()
    locked_kb = int(re.findall(r"VmLck:\s+(\d+)", status)[0])
    logger.info("the guard: %d kB locked", locked_kb)
    assert (locked_kb > 1000) != (block.logged("memory: it is not locked") > 0)


def test_the_log_does_not_count_silent_presses(block: Block) -> None:
    def said(since: int) -> list[str]:
        """What a start said, without what differs at each."""
        lines = block.log.read_text()[since:].splitlines()
        return sorted(re.sub(r"^.*? (?=[A-Z]+ )|[0-9a-f]{32}", "", line) for line in lines if " service: " in line or " outbox: " in line)

    starts = []
    for presses in (0, 1, 2):
        for _ in range(presses):
            block.hold("quiet")
        if block.node is not None:
            block.stop()
        since = len(block.log.read_text()) if block.log.exists() else 0
        block.start()
        starts.append(said(since))
    assert starts[0] == starts[1] == starts[2] != []


def test_a_guard_that_dies_is_replaced(block: Block) -> None:
    block.start()
    wait_until(lambda: block.logged("guard: answers") == 1, what="the guard")
    first = block.guard_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: block.logged("guard: answers") == 2, 15, "another guard")
    assert block.guard_pid() != first
    block.pins.play(block.buttons.press("b1"))
    wait_until(block.siren_on, what="the siren")
    block.kill()
    wait_until(lambda: silent_since_ms(block) is not None, OFF_S_MAX, "silence")


def test_a_slow_disk_delays_neither_siren_nor_the_next_press_and_the_light_waits_for_it(block: Block) -> None:
    block.start()
    block.disk.write_text("slow")
    block.hold("b1", 1100)
    assert block.siren_delay_ms() <= SIREN_DELAY_MS_MAX
    siren_ms = block.history(SIREN)[-1].at_ms
    block.pins.play(block.buttons.hold("b2", 1100))
    assert [change for change in block.history(LIGHT, siren_ms) if change.level] == []
    wait_until(lambda: shows(block.history(LIGHT), BLINKS[Light.SAVED]), 15, "saved")
    saved_ms = next(change.at_ms for change in block.history(LIGHT) if change.level)
    assert saved_ms - siren_ms >= 4900
