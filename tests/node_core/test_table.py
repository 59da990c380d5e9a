"""The table gesture × situation × (audible, silent), pair by pair, through the node itself."""

from collections.abc import Mapping
from itertools import product

import pytest

from controller import messages
from controller.messages import Ask, Gesture, LightState, Press, PressRef, encode
from node_firmware import effects
from node_firmware.config import InputPins
from node_firmware.effects import Sound
from node_firmware.gestures import AUDIBLE, SILENT, TESTING, Hands, Meaning, Situation, meaning
from tests.node_core.block import OPEN_BOOT, SILENT_BOOT, WIRING, Block

BY_HAND = [hands for hands in Hands if hands is not Hands.AT_START]
OPENING = PressRef("c" * 32, 7)

# What each pair makes: the gestures of the presses on record, and whether it asks. (AT_START is a story of its own.)
RECORDED: dict[Hands, dict[Situation, Gesture | None]] = {
    Hands.HOLD: {
        Situation.REST: Gesture.HOLD, Situation.ALARM: Gesture.HOLD, Situation.TAKEN: Gesture.HOLD,
        Situation.JUST_CLOSED: Gesture.REOPEN, Situation.TEST: Gesture.TEST,
    },
    Hands.JABS: {
        Situation.REST: Gesture.JABS, Situation.ALARM: Gesture.JABS, Situation.TAKEN: Gesture.JABS,
        Situation.JUST_CLOSED: Gesture.REOPEN, Situation.TEST: Gesture.TEST,
    },
    Hands.TAP: dict.fromkeys(Situation),
    Hands.LONE_TAP: {
        Situation.REST: None, Situation.ALARM: None, Situation.TAKEN: Gesture.CAME, Situation.JUST_CLOSED: None,
        Situation.TEST: None,
    },
    Hands.UNCLEAR: dict.fromkeys(Situation),
    Hands.CANCEL: dict.fromkeys(Situation, Gesture.CANCEL),
    Hands.FORCED_CANCEL: dict.fromkeys(Situation, Gesture.FORCED_CANCEL),
    Hands.CHECK_IN: dict.fromkeys(Situation, Gesture.CHECK_IN),
}
ASKS = {Situation.REST, Situation.JUST_CLOSED, Situation.TEST}


def in_situation(situation: Situation, at_ms: int = 1_000_000, wiring: Mapping[str, InputPins] = WIRING) -> Block:
    block = Block(wiring, at_ms=at_ms).starts()
    block.gateway = True
    block.links()
    if situation is Situation.ALARM:
        block.incident(LightState.OPEN, press=OPENING)
    elif situation is Situation.TAKEN:
        block.incident(LightState.TAKEN, press=OPENING)
    elif situation is Situation.JUST_CLOSED:
        block.incident(LightState.CLOSED, press=OPENING, closed_s_ago=60)
    elif situation is Situation.TEST:
        block.orders(messages.TestMode(600))
    return block.passes(5000).forgets()


def make(block: Block, name: str, hands: Hands) -> None:
    match hands:
        case Hands.HOLD:
            block.presses(name)
        case Hands.JABS:
            block.taps(name, 150, 150, 150)
        case Hands.TAP | Hands.LONE_TAP:
            # The lone tap is the same hand, three seconds later.
            block.taps(name).passes(1000 if hands is Hands.TAP else 4000)
        case Hands.UNCLEAR:
            block.presses(name, 900)
        case Hands.CANCEL:
            block.cancels(name)
        case Hands.FORCED_CANCEL:
            block.cancels(name, last=600)
        case Hands.CHECK_IN:
            block.checks_in(name)
    block.passes(500)


def test_the_table_is_complete() -> None:
    for table in (AUDIBLE, SILENT, TESTING):
        assert set(table) == set(Hands)
        assert all(set(row) == set(Situation) for row in table.values())


@pytest.mark.parametrize(("hands", "situation"), list(product(BY_HAND, Situation)))
def test_an_audible_input(hands: Hands, situation: Situation) -> None:
    block = in_situation(situation)
    make(block, "panic", hands)
    expected = RECORDED[hands][situation]
    made = block.made()
    assert [press.gesture for press in made] == ([expected] if expected else [])
    for press in made:
        assert press.boot == OPEN_BOOT
        assert press.kind == ("test" if expected is Gesture.TEST else "panic")
    means = meaning(hands, situation, audible=True)
    if means is Meaning.CHIRP:
        assert block.sounds() == [Sound.CHIRP]
    if hands in (Hands.TAP, Hands.UNCLEAR):
        assert (means is Meaning.ASK) == (situation in ASKS)
        assert len(block.published(Ask)) == (situation in ASKS)
    if expected in (Gesture.HOLD, Gesture.JABS, Gesture.REOPEN):
        assert block.siren_sounds()
        assert block.seen(effects.SoundSiren)[0].for_ms == 180_000
    if expected is Gesture.TEST:
        assert block.seen(effects.SoundSiren)[0].for_ms == 1000, "one round"
    if expected in (Gesture.CANCEL, Gesture.CAME, Gesture.CHECK_IN, None):
        assert not block.seen(effects.SoundSiren)
    names_opening = situation in (Situation.ALARM, Situation.TAKEN, Situation.JUST_CLOSED)
    if expected in (Gesture.CANCEL, Gesture.FORCED_CANCEL, Gesture.CAME, Gesture.REOPEN):
        assert made[0].refers_to == (OPENING if names_opening else None)
    else:
        assert all(press.refers_to is None for press in made)


@pytest.mark.parametrize(("hands", "situation"), list(product((Hands.HOLD, Hands.JABS), Situation)))
def test_an_input_of_kind_test_calls_nobody(hands: Hands, situation: Situation) -> None:
    block = in_situation(situation, wiring={**WIRING, "try": InputPins(pressed=12, kind="test", light=13)})
    light = block.lights["panic"]
    make(block, "try", hands)
    assert [(press.kind, press.gesture) for press in block.made()] == [("test", Gesture.TEST)]
    assert [effect.for_ms for effect in block.seen(effects.SoundSiren)] == [1000], "one round"
    assert block.passes(20_000).light("panic") is light
    assert not block.siren_sounds()


@pytest.mark.parametrize(("hands", "situation"), list(product(BY_HAND, Situation)))
def test_a_silent_input(hands: Hands, situation: Situation) -> None:
    block = in_situation(situation)
    make(block, "hidden", hands)
    expected = {
        Hands.HOLD: Gesture.HOLD, Hands.JABS: Gesture.JABS,
        Hands.CANCEL: Gesture.CANCEL, Hands.FORCED_CANCEL: Gesture.FORCED_CANCEL,
    }.get(hands)
    assert [press.gesture for press in block.made()] == ([expected] if expected else [])
    assert all(press.boot == SILENT_BOOT and press.kind == "violence" and press.seq == 1 for press in block.made())
    assert not block.shown()
    assert not block.published(Ask)


@pytest.mark.parametrize(("name", "situation"), list(product(("panic", "hidden"), Situation)))
@pytest.mark.parametrize("pressed_before", [False, True])
def test_a_forced_cancel_looks_exactly_like_a_cancel(name: str, situation: Situation, pressed_before: bool) -> None:
    histories = []
    for last in (399, 400):
        # Both end their last tap at the same instant, so that everything after it can be compared whole.
        block = in_situation(situation, at_ms=1_000_000 - last)
        if pressed_before:
            block.presses(name)
        block.forgets().cancels(name, last=last).passes(30_000)
        first_ms = next(at for at, effect in block.history if isinstance(effect, effects.KeepPress))
        # What began before the pattern (beats, the siren's end) runs on its own clock: of it only the order counts.
        by_clock = (effects.Publish, effects.StopSiren, effects.MarkSiren)
        histories.append(
            [
                (None if isinstance(effect, by_clock) else at_ms, _as_plain(effect))
                for at_ms, effect in block.history
                if at_ms >= first_ms
            ]
        )
    assert histories[0] == histories[1]


def _as_plain(effect: object) -> str:
    return str(effect).replace("FORCED_CANCEL", "CANCEL").replace("'forced'", "'cancel'")


def test_a_forced_cancel_has_the_size_of_a_cancel() -> None:
    def size(gesture: Gesture) -> int:
        return len(encode(Press(OPEN_BOOT, 1, "panic", "panic", gesture, refers_to=OPENING)))

    assert size(Gesture.CANCEL) == size(Gesture.FORCED_CANCEL)


def test_found_pressed_at_start_is_a_call_and_is_published_as_such() -> None:
    block = Block()
    block.pressed_lines |= {"panic", "hidden"}
    block.starts().passes(200)
    assert [(press.input, press.gesture) for press in block.made()] == [
        ("panic", Gesture.AT_START), ("hidden", Gesture.AT_START),
    ]
    assert block.siren_sounds()


# --- which press a cancel is about


def test_a_cancel_names_the_own_call_and_silences_within_its_window(linked: Block) -> None:
    linked.presses("panic").passes(3000).cancels("panic")
    call, cancel = linked.made()
    assert cancel.refers_to == PressRef(call.boot, call.seq)
    assert not linked.siren_sounds()


def test_a_late_cancel_is_recorded_and_silences_nothing(linked: Block) -> None:
    linked.presses("panic").passes(31_000).cancels("panic")
    assert linked.made()[-1].gesture is Gesture.CANCEL
    assert linked.siren_sounds()


def test_a_cancel_never_silences_somebody_elses_emergency(linked: Block) -> None:
    linked.presses("panic").presses("fire").passes(3000).cancels("fire")
    assert linked.siren_sounds()
    fire = linked.made()[1]
    assert linked.made()[-1].refers_to == PressRef(fire.boot, fire.seq)


def test_a_mistake_next_to_a_neighbours_emergency_silences_nothing(linked: Block) -> None:
    linked.incident(LightState.OPEN, press=OPENING).presses("panic").passes(3000).cancels("panic")
    assert linked.siren_sounds()
    assert linked.made()[-1].refers_to != OPENING


def test_a_cancel_from_the_last_emergency_does_not_name_the_next(linked: Block) -> None:
    linked.presses("panic").passes(200_000)
    linked.incident(LightState.CLOSED, closed_s_ago=0)
    linked.incident(LightState.OPEN, press=OPENING).cancels("panic")
    assert linked.made()[-1].refers_to == OPENING


def test_a_stale_word_of_the_gateway_does_not_make_a_cancel_forget_its_call(block: Block) -> None:
    block.links().presses("panic")
    block.incident(LightState.NONE).passes(3000).cancels("panic")
    call, cancel = block.made()
    assert cancel.refers_to == PressRef(call.boot, call.seq)
    assert not block.siren_sounds()


def test_a_silent_cancel_names_only_a_silent_call(linked: Block) -> None:
    linked.presses("panic").presses("hidden").cancels("hidden")
    hidden = linked.made()[1]
    assert linked.made()[-1].refers_to == PressRef(SILENT_BOOT, hidden.seq)
    assert linked.siren_sounds()


def test_after_the_time_to_reopen_a_hold_is_a_new_emergency(linked: Block) -> None:
    linked.incident(LightState.CLOSED, press=OPENING, closed_s_ago=1700).passes(101_000).presses("panic")
    press = linked.made()[0]
    assert press.gesture is Gesture.HOLD
    assert press.refers_to is None


def test_test_mode_ends_by_itself_and_never_takes_a_real_call_for_a_test(linked: Block) -> None:
    linked.orders(messages.TestMode(60))
    linked.passes(50_000).presses("panic").passes(10_000).presses("panic")
    assert [press.gesture for press in linked.made()] == [Gesture.TEST, Gesture.HOLD]
    linked.orders(messages.TestMode(60), "o2")
    linked.presses("panic")
    assert linked.made()[-1].gesture is Gesture.HOLD, "an emergency is open"
