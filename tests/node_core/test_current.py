"""The siren's current: a pulse that nobody hears each day, a minute that everybody hears; neither ever in the way of a call."""

import pytest

from controller import messages
from controller.messages import Done, KindSettings, LightState, Order, Pulse, SelfTest, SirenFound, SirenOn, SirenTest
from node_firmware import effects, inputs
from node_firmware.config import default_kinds
from node_firmware.current import DISTURBED, PATIENCE_MS
from node_firmware.effects import SenseSiren, SoundSiren
from tests.node_core.block import OPEN_BOOT, Block


@pytest.fixture
def fitted() -> Block:
    """A linked node with a sensor at its siren."""
    block = Block(pulse_ms=5).starts()
    block.gateway = True
    return block.links().forgets()


def ordered(block: Block, order: SelfTest | SirenOn | SirenTest, ident: str = "o1") -> None:
    block.gives(inputs.OrderCame(Order(ident, OPEN_BOOT, order, 10**6)))


@pytest.mark.parametrize("found", [SirenFound.DREW, SirenFound.NO_CURRENT, SirenFound.SENSOR_STUCK])
def test_a_self_test_tries_the_siren_s_current_without_a_sound(fitted: Block, found: SirenFound) -> None:
    fitted.current = found
    ordered(fitted, SelfTest())
    assert fitted.seen(SenseSiren) == [SenseSiren("o1", True, 5)]
    assert not fitted.published(Done), "the answer waits for what the sensor shows"
    fitted.passes(100)
    assert fitted.published(Done) == [Done(OPEN_BOOT, "o1", done=True, siren=found)]
    assert not fitted.shown()


def test_without_a_sensor_it_is_said_that_nothing_is_measured(linked: Block) -> None:
    assert linked.orders(SelfTest()).siren is SirenFound.NOT_MEASURED
    assert linked.orders(SirenTest(), "o2").siren is SirenFound.NOT_MEASURED
    assert not linked.seen(SenseSiren)


def test_pins_that_do_not_answer_hold_up_no_self_test(fitted: Block) -> None:
    ordered(fitted, SelfTest())
    fitted.sensing.clear()
    fitted.passes(PATIENCE_MS + 10)
    assert fitted.published(Done) == [Done(OPEN_BOOT, "o1", done=True)]


def test_no_pulse_while_the_siren_sounds_or_help_is_on_its_way(fitted: Block) -> None:
    fitted.presses("panic").forgets()
    ordered(fitted, SelfTest())
    assert fitted.published(Done)[-1].siren is SirenFound.NOT_TRIED
    fitted.passes(200_000).incident(LightState.TAKEN)
    ordered(fitted, SelfTest(), "o2")
    assert fitted.published(Done)[-1].siren is SirenFound.NOT_TRIED
    assert not fitted.siren_sounds()
    assert not fitted.seen(SenseSiren)


def test_no_pulse_while_a_button_that_is_tried_sounds_the_test(fitted: Block) -> None:
    fitted.orders(messages.TestMode(60), "o1")
    fitted.presses("fire", 1200, 200)
    assert fitted.siren_sounds()
    ordered(fitted, SelfTest(), "o2")
    assert fitted.published(Done)[-1] == Done(OPEN_BOOT, "o2", done=True)
    assert not fitted.seen(SenseSiren)


def test_no_pulse_under_a_finger_and_none_in_the_wake_of_what_sounds_at_that_very_moment(fitted: Block) -> None:
    fitted.closes("fire").passes(990).forgets()
    fitted.now_ms += 10
    fitted.gives(inputs.DiskTried("o1", ""))
    assert [type(effect) for _, effect in fitted.history if isinstance(effect, SoundSiren | SenseSiren)] == [SoundSiren]


def test_a_case_that_is_opened_at_that_very_moment_sounds_and_no_pulse_takes_its_place(fitted: Block) -> None:
    fitted.settings(kinds={**default_kinds(), "tamper": KindSettings(audible=True, rank=3, pattern=(Pulse(100, 100),))})
    fitted.opens("case")
    due_ms = fitted.node.wake_at_ms()
    assert due_ms is not None
    fitted.now_ms = due_ms
    fitted.gives(inputs.DiskTried("o1", ""))
    assert [type(effect) for _, effect in fitted.history if isinstance(effect, SoundSiren | SenseSiren)] == [SoundSiren]


def test_a_finger_at_a_silent_button_changes_nothing_of_a_test() -> None:
    def tested(*, touched: bool) -> list[tuple[int, effects.NodeEffect]]:
        block = Block(pulse_ms=5).starts()
        block.gateway = True
        block.links().passes(100).forgets()
        if touched:
            block.closes("hidden")
        ordered(block, SelfTest())
        block.passes(100)
        return [(at, effect) for at, effect in block.history if isinstance(effect, SenseSiren | effects.Publish)]

    assert tested(touched=True) == tested(touched=False)


def test_a_siren_that_is_ordered_during_a_pulse_sounds_at_once_and_the_test_says_nothing_of_it(fitted: Block) -> None:
    ordered(fitted, SelfTest())
    fitted.passes(2)
    ordered(fitted, SirenOn("panic", 30), "o2")
    assert fitted.siren_sounds()
    fitted.passes(100)
    assert fitted.siren_sounds()
    assert fitted.published(Done)[-1] == Done(OPEN_BOOT, "o1", done=True)


def test_a_minute_of_siren_is_listened_to_from_beginning_to_end(fitted: Block) -> None:
    ordered(fitted, SirenTest(60))
    assert fitted.seen(SenseSiren) == [SenseSiren("o1", False, 60_000)]
    assert fitted.siren_sounds()
    fitted.passes(59_990)
    assert fitted.siren_sounds()
    assert not fitted.published(Done)
    fitted.passes(100)
    assert not fitted.siren_sounds()
    assert fitted.published(Done) == [Done(OPEN_BOOT, "o1", done=True, siren=SirenFound.DREW)]


def test_a_press_in_that_minute_is_an_alarm_at_once_and_the_test_is_over(fitted: Block) -> None:
    ordered(fitted, SirenTest(60))
    fitted.passes(20_000).forgets().closes("panic").passes(999)
    assert not fitted.history
    fitted.passes(1)
    [first, *_] = [answer for answer in fitted.answers if answer]
    assert isinstance(first[0], SoundSiren)
    assert first[0].for_ms > 150_000, "the alarm's own time, not the rest of the test's"
    assert fitted.published(Done) == [Done(OPEN_BOOT, "o1", done=False, why=DISTURBED)]
    fitted.opens("panic").passes(60_000)
    assert fitted.siren_sounds()
    assert len(fitted.published(Done)) == 1


def test_no_minute_of_siren_into_an_emergency_of_the_block(fitted: Block) -> None:
    fitted.incident(LightState.TAKEN)
    ordered(fitted, SirenTest(60))
    assert not fitted.published(Done)[-1].done
    assert not fitted.siren_sounds()
