"""The light never claims more than is so, and the right rung comes back by itself."""

from itertools import combinations

import pytest

from controller.messages import Answer, Ask, Kept, LightState, PressRef
from node_firmware import effects, inputs
from node_firmware.effects import Light, Sound
from node_firmware.lights import BLINKS, BUZZES
from tests.node_core.block import Block


def test_no_two_lights_share_a_rhythm() -> None:
    assert set(BLINKS) == set(Light)
    assert set(BUZZES) == set(Sound)
    for one, other in combinations(Light, 2):
        assert _over_a_minute(BLINKS[one]) != _over_a_minute(BLINKS[other]), (one, other)
    assert len(set(BUZZES.values())) == len(Sound)


def _over_a_minute(pattern: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The flashes of a minute, so that two notations of one rhythm count as one."""
    flashes: list[tuple[int, int]] = []
    at = 0
    while pattern and at < 60_000:
        for on_ms, off_ms in pattern:
            flashes.append((at, on_ms))
            at += on_ms + off_ms
    return flashes


def test_the_ladder_from_saved_to_there_and_back_to_rest(block: Block) -> None:
    block.presses("panic")
    assert block.light("panic") is Light.SAVED
    assert block.light("fire") is Light.REST
    block.gateway = True
    block.links()
    assert block.light("panic") is Light.RECEIVED
    for state, light in (
        (LightState.OPEN, Light.RECEIVED), (LightState.TAKEN, Light.TAKEN), (LightState.ON_SCENE, Light.THERE),
        (LightState.CLOSED, Light.REST),
    ):
        block.incident(state)
        assert block.light("panic") is light
    assert [sound for sound in block.sounds() if sound is not Sound.CHIRP] == [
        Sound.SAVED, Sound.RECEIVED, Sound.TAKEN, Sound.THERE,
    ]


def test_saved_is_said_only_when_it_is_on_disk(block: Block) -> None:
    block.disk = None
    block.presses("panic").passes(30_000)
    assert block.light("panic") is Light.REST
    press = block.made()[0]
    block.gives(inputs.PressKept(PressRef(press.boot, press.seq)))
    assert block.light("panic") is Light.SAVED


def test_a_second_press_shows_the_least_of_the_two(linked: Block) -> None:
    linked.presses("panic")
    linked.incident(LightState.TAKEN)
    linked.gateway = False
    linked.presses("panic")
    assert linked.light("panic") is Light.SAVED
    assert linked.light("medical") is Light.TAKEN
    linked.receipts(linked.made()[-1])
    assert linked.light("panic") is Light.TAKEN


def test_a_full_disk_says_fault_and_received_only_when_the_gateway_has_it(block: Block) -> None:
    block.disk = "disk-full"
    block.links().presses("panic").passes(2000)
    assert block.siren_sounds()
    assert block.light("panic") is Light.FAULT
    assert block.faults() == {"disk-full"}
    block.receipts(block.made()[0])
    assert block.light("panic") is Light.RECEIVED


def test_a_disk_that_works_again_gets_what_it_had_refused(block: Block) -> None:
    block.disk = "disk-read-only"
    block.links().presses("medical").presses("panic").passes(3000)
    block.disk = "well"
    block.forgets().gives(inputs.DiskWell())
    assert [press.kind for press in block.made()] == ["panic", "medical"], "the most serious first"
    assert set(block.lights.values()) == {Light.SAVED, Light.REST}
    assert not block.passes(3000).faults()


def test_a_press_that_the_disk_takes_again_brings_the_refused_ones_after_it(block: Block) -> None:
    block.disk = "disk-full"
    block.links().presses("panic").passes(3000)
    block.disk = "well"
    block.presses("medical").passes(3000)
    assert len(block.stored) == 2
    assert not block.faults()


def test_a_slow_disk_is_a_fault_while_it_lasts_and_delays_nothing(block: Block) -> None:
    block.disk = None
    block.links().presses("panic").presses("panic").passes(4000)
    assert len(block.seen(effects.SoundSiren)) == 1
    assert len(block.sends(block.made()[1])) >= 2
    assert block.faults() == {"disk-slow"}
    for press in block.made():
        block.gives(inputs.PressKept(PressRef(press.boot, press.seq)))
    assert not block.passes(3000).faults()


def test_after_a_restart_the_light_is_right_again(block: Block) -> None:
    block.presses("panic").restarts()
    assert block.lights == {"panic": Light.SAVED, "fire": Light.REST, "medical": Light.REST}
    assert not block.forgets().sounds()
    block.gateway = True
    block.links()
    assert block.light("panic") is Light.RECEIVED
    block.incident(LightState.TAKEN, boot=f"{1:032x}")
    assert block.light("panic") is Light.TAKEN


def test_a_state_for_another_boot_or_of_an_old_rev_changes_nothing(linked: Block) -> None:
    linked.incident(LightState.TAKEN, rev=7)
    linked.incident(LightState.NONE, rev=7)
    linked.incident(LightState.NONE, rev=6)
    linked.incident(LightState.NONE, rev=8, boot="d" * 32)
    assert linked.light("panic") is Light.TAKEN
    assert linked.passes(20_000).beat().incident_rev == 7


def test_an_old_nothing_is_open_does_not_end_a_call_that_is_on_its_way(block: Block) -> None:
    block.links().presses("panic")
    block.incident(LightState.NONE)
    assert block.light("panic") is Light.SAVED
    block.receipts(block.made()[0])
    assert block.light("panic") is Light.RECEIVED


def test_an_unreadable_press_is_forgotten_and_said(block: Block) -> None:
    block.links().presses("panic")
    block.receipts(block.made()[0], Kept.UNREADABLE)
    assert block.seen(effects.ForgetPress)
    assert block.light("panic") is Light.FAULT
    assert block.passes(3000).faults() == {"press-unreadable"}


def test_a_guard_that_is_gone_is_a_fault_on_every_light(linked: Block) -> None:
    linked.gives(inputs.GuardSeen(False))
    assert set(linked.lights.values()) == {Light.FAULT}
    assert linked.passes(2000).faults() == {"guard-down"}
    linked.gives(inputs.GuardSeen(True))
    assert set(linked.lights.values()) == {Light.REST}


def test_without_its_key_a_node_shows_that_something_is_to_be_mended_and_sounds_all_the_same(block: Block) -> None:
    block.gives(inputs.KeysRead(False))
    assert block.light("panic") is Light.FAULT
    assert block.presses("panic").siren_sounds()
    block.restarts().gives(inputs.KeysRead(True))
    assert block.light("fire") is Light.REST


# --- the tap at rest


def test_a_tap_asks_and_the_light_says_well_and_goes_back(linked: Block) -> None:
    linked.taps("panic").passes(800)
    assert len(linked.published(Ask)) == 1
    linked.answers_ask()
    assert linked.light("panic") is Light.ANSWER_WELL
    linked.passes(4000)
    assert linked.light("panic") is Light.REST
    assert not linked.made()


@pytest.mark.parametrize("link", [True, False])
def test_without_an_answer_the_light_says_fault_within_two_seconds(block: Block, link: bool) -> None:
    if link:
        block.links()
    block.presses("panic", 150, 0).passes(2000)
    assert block.light("panic") is Light.ANSWER_FAULT
    block.passes(4000)
    assert block.light("panic") is Light.REST


def test_a_late_or_foreign_answer_says_nothing(linked: Block) -> None:
    linked.taps("panic").passes(10_000).answers_ask()
    assert linked.light("panic") is Light.REST
    linked.taps("panic").passes(700)
    linked.gives(inputs.AnswerCame(Answer("a" * 32, "another", True)))
    linked.gives(inputs.AnswerCame(Answer("d" * 32, linked.published(Ask)[-1].id, True)))
    assert linked.light("panic") is Light.REST


def test_a_node_with_a_fault_does_not_say_well(linked: Block) -> None:
    linked.gives(inputs.GuardSeen(False))
    linked.taps("panic").passes(800).answers_ask()
    assert linked.light("panic") is Light.ANSWER_FAULT


def test_a_question_never_delays_or_hides_a_press(linked: Block) -> None:
    linked.gateway = False
    linked.taps("panic").passes(700).answers_ask()
    linked.forgets().closes("panic").passes(1000)
    assert linked.siren_sounds()
    assert linked.light("panic") is Light.SAVED


def test_questions_have_ids_of_their_own(linked: Block) -> None:
    linked.taps("panic").passes(5000).taps("panic").passes(5000).taps("fire").passes(5000)
    assert len({ask.id for ask in linked.published(Ask)}) == 3
