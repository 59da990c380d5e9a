"""From edges to gestures: what counts as hold, jabs, tap and pattern, and what never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.messages import Gesture
from node_firmware.contacts import BRIDGE_MS, STEADY_MS
from node_firmware.gestures import Hands
from node_firmware.hands import PAUSE_MS_MAX, Button, Seen, Tampered

HOLD_MS = 1000
CALLS = {Hands.HOLD, Hands.JABS, Hands.AT_START}


class Fingers:
    """Moves a plain contact in time and collects what was seen."""

    def __init__(self, hold_ms: int = HOLD_MS) -> None:
        self.button = Button(changeover=False, tamper=False)
        self.hold_ms = hold_ms
        self.now_ms = 0
        self.seen: list[Seen | Tampered] = []
        self.button.start(pressed=False, released=False, at_ms=0)

    def closed(self, ms: int) -> "Fingers":
        return self._level(True, ms)

    def open(self, ms: int) -> "Fingers":
        return self._level(False, ms)

    def _level(self, closed: bool, ms: int) -> "Fingers":
        self.seen += self.button.level("pressed", closed, self.now_ms, self.hold_ms)
        self.now_ms += ms
        self.seen += self.button.advance(self.now_ms, self.hold_ms)
        return self

    def stuck(self) -> bool:
        return self.button.stuck

    def gestures(self) -> list[Hands]:
        return [what.hands for what in self.seen if isinstance(what, Seen)]


def test_a_hold_is_seen_at_the_end_of_its_time_and_once() -> None:
    fingers = Fingers().open(500).closed(5000).open(4000)
    assert [(what.hands, what.at_ms) for what in fingers.seen if isinstance(what, Seen)] == [(Hands.HOLD, 1500)]


def test_just_short_of_a_hold_is_none() -> None:
    assert Fingers().closed(HOLD_MS - 1).open(4000).gestures() == [Hands.UNCLEAR]


@pytest.mark.parametrize("gap", [1, 10, 30, BRIDGE_MS - 1])
def test_bounce_does_not_interrupt_a_hold(gap: int) -> None:
    assert Fingers().closed(500).open(gap).closed(600).open(4000).gestures() == [Hands.HOLD]


def test_a_real_release_does_interrupt_a_hold() -> None:
    assert Fingers().closed(700).open(100).closed(700).open(4000).gestures() == [Hands.UNCLEAR]


@pytest.mark.parametrize("length", [60, 61, 400, 800])
def test_three_jabs_within_three_seconds_count_as_held(length: int) -> None:
    fingers = Fingers().closed(length).open(60).closed(length).open(60).closed(length).open(4000)
    assert fingers.gestures() == [Hands.JABS]


def test_jabs_of_bouncing_contacts_count_too() -> None:
    fingers = Fingers()
    for _ in range(3):
        fingers.closed(4).open(3).closed(3).open(2).closed(42).open(2).closed(5).open(100)
    fingers.open(4000)
    assert fingers.gestures() == [Hands.JABS]


@pytest.mark.parametrize("length", [1, 20, 39, 59])
def test_pulses_shorter_than_a_jab_are_no_jabs(length: int) -> None:
    fingers = Fingers()
    for _ in range(30):
        fingers.closed(length).open(60)
    assert fingers.open(4000).gestures() == []


def test_the_third_jab_must_begin_within_three_seconds_of_the_first() -> None:
    assert Hands.JABS in Fingers().closed(100).open(1400).closed(100).open(1400).closed(100).open(4000).gestures()
    assert Hands.JABS not in Fingers().closed(100).open(1400).closed(100).open(1401).closed(100).open(4000).gestures()


def test_frantic_jabbing_is_a_call_for_each_three() -> None:
    fingers = Fingers()
    for _ in range(9):
        fingers.closed(120).open(90)
    assert fingers.open(4000).gestures() == [Hands.JABS] * 3


def test_two_jabs_and_a_hold_are_one_hold() -> None:
    assert Fingers().closed(120).open(90).closed(120).open(90).closed(1500).open(4000).gestures() == [Hands.HOLD]


def test_a_single_tap_is_answered_within_a_second_and_is_alone_after_three() -> None:
    fingers = Fingers().closed(150).open(5000)
    assert [(what.hands, what.at_ms) for what in fingers.seen if isinstance(what, Seen)] == [
        (Hands.TAP, 850), (Hands.LONE_TAP, 3150),
    ]


def two_taps() -> Fingers:
    return Fingers().open(5000).closed(150).open(150).closed(150)


@pytest.mark.parametrize("pause_ms", [4000, 9000, 900_000])
def test_a_tap_after_a_pair_is_alone_when_nothing_follows_it(pause_ms: int) -> None:
    assert two_taps().open(pause_ms).closed(150).open(9000).gestures()[-1] is Hands.LONE_TAP


def test_the_tap_in_the_middle_of_a_check_in_is_not_alone() -> None:
    slowest = two_taps().open(PAUSE_MS_MAX).closed(150).open(PAUSE_MS_MAX).closed(150).open(150).closed(150).open(9000)
    assert Hands.LONE_TAP not in slowest.gestures()
    assert Hands.CHECK_IN in slowest.gestures()


def test_a_tap_with_another_within_three_seconds_is_not_alone() -> None:
    assert Fingers().closed(150).open(2000).closed(150).open(5000).gestures() == [Hands.TAP, Hands.TAP]
    assert Fingers().closed(1500).open(2000).closed(150).open(5000).gestures() == [Hands.HOLD, Hands.TAP]


def _pattern(*groups: int, pause: int = 4500, last: int = 150) -> list[Hands]:
    fingers = Fingers().open(1000)
    for number, taps in enumerate(groups):
        for tap in range(taps):
            final = number == len(groups) - 1 and tap == taps - 1
            fingers.closed(last if final else 150).open(250)
        fingers.open(pause)
    return [hands for hands in fingers.open(9000).gestures() if hands is not Hands.UNCLEAR]


@pytest.mark.parametrize("pause", [2700, 4500, 7700])
def test_three_pairs_with_pauses_are_a_cancel(pause: int) -> None:
    assert _pattern(2, 2, 2, pause=pause) == [Hands.CANCEL]


def test_three_pairs_with_a_long_last_tap_are_a_forced_cancel() -> None:
    assert _pattern(2, 2, 2, last=399) == [Hands.CANCEL]
    assert _pattern(2, 2, 2, last=400) == [Hands.FORCED_CANCEL]
    assert _pattern(2, 2, 2, last=800) == [Hands.FORCED_CANCEL]


def test_pair_single_pair_is_a_check_in() -> None:
    assert _pattern(2, 1, 2) == [Hands.CHECK_IN]


@pytest.mark.parametrize("groups", [(2, 2), (2, 2, 1), (1, 2, 2), (2, 1, 1), (2, 1), (1, 1, 1), (2,)])
def test_nothing_else_is_a_pattern(groups: tuple[int, ...]) -> None:
    assert not {Hands.CANCEL, Hands.FORCED_CANCEL, Hands.CHECK_IN} & set(_pattern(*groups))


def test_a_cancel_that_is_counted_too_fast_calls_for_help() -> None:
    gestures = _pattern(2, 2, 2, pause=1500)
    assert Hands.JABS in gestures
    assert not {Hands.CANCEL, Hands.FORCED_CANCEL} & set(gestures)


def test_a_hold_in_the_middle_ends_a_pattern() -> None:
    fingers = Fingers()
    for length in (150, 150, 1500, 150, 150):
        fingers.closed(length).open(250)
        fingers.open(4000 if length == 1500 else 0)
    assert Hands.CANCEL not in fingers.open(9000).gestures()


def test_held_for_a_minute_is_stuck_until_released_and_one_call() -> None:
    fingers = Fingers().closed(59_999)
    assert not fingers.stuck()
    fingers.closed(1)
    assert fingers.stuck()
    fingers.closed(600_000)
    assert fingers.gestures() == [Hands.HOLD]
    assert not fingers.open(100).stuck()


def test_found_pressed_at_start_counts_as_held() -> None:
    button = Button(changeover=False, tamper=False)
    button.start(pressed=True, released=False, at_ms=50)
    seen = button.advance(5000, HOLD_MS)
    assert [(what.hands, what.at_ms) for what in seen if isinstance(what, Seen)] == [(Hands.AT_START, 150)]


def test_a_spark_at_start_is_no_press_and_leaves_nothing_behind() -> None:
    fingers = Fingers()
    fingers.button = Button(changeover=False, tamper=False)
    fingers.button.start(pressed=True, released=False, at_ms=0)
    fingers.now_ms = 30
    assert fingers.open(500).closed(500).open(4000).gestures() == [Hands.TAP, Hands.LONE_TAP]


# --- changeover and tamper contacts


def _changeover() -> Button:
    button = Button(changeover=True, tamper=False)
    button.start(pressed=False, released=True, at_ms=0)
    return button


def test_a_cut_wire_is_told_once_until_it_is_mended() -> None:
    button = _changeover()
    assert button.level("released", False, 100, HOLD_MS) == []
    assert button.advance(60_000, HOLD_MS) == [Tampered(Gesture.CUT, 1600)]
    button.level("released", True, 61_000, HOLD_MS)
    button.level("released", False, 61_500, HOLD_MS)
    assert button.advance(70_000, HOLD_MS) == [], "not mended for long enough"
    button.level("released", True, 71_000, HOLD_MS)
    button.advance(73_000, HOLD_MS)
    button.level("released", False, 73_000, HOLD_MS)
    assert button.advance(80_000, HOLD_MS) == [Tampered(Gesture.CUT, 74_500)]


def test_a_shorted_changeover_is_tamper_and_no_press() -> None:
    button = _changeover()
    button.level("pressed", True, 100, HOLD_MS)
    assert button.advance(60_000, HOLD_MS) == [Tampered(Gesture.SHORTED, 1600)]


def test_a_thumb_on_its_way_is_neither_cut_nor_shorted() -> None:
    button = _changeover()
    button.level("released", False, 100, HOLD_MS)
    seen = button.level("pressed", True, 700, HOLD_MS) + button.advance(3000, HOLD_MS)
    seen += button.level("pressed", False, 3000, HOLD_MS) + button.level("released", True, 3600, HOLD_MS)
    assert [type(what) for what in seen + button.advance(10_000, HOLD_MS)] == [Seen]


def test_a_button_with_a_cut_rest_wire_still_calls() -> None:
    button = _changeover()
    button.level("released", False, 0, HOLD_MS)
    button.advance(5000, HOLD_MS)
    button.level("pressed", True, 6000, HOLD_MS)
    assert [what.hands for what in button.advance(9000, HOLD_MS) if isinstance(what, Seen)] == [Hands.HOLD]


def test_an_opened_case_is_told_once() -> None:
    button = Button(changeover=False, tamper=True)
    button.start(pressed=True, released=False, at_ms=0)
    button.level("pressed", False, 1000, HOLD_MS)
    assert button.advance(600_000, HOLD_MS) == [Tampered(Gesture.OPENED, 1200)]


# --- properties

noise = st.lists(st.tuples(st.integers(1, STEADY_MS - 1), st.integers(1, 200)), max_size=120)
crackle = st.lists(
    st.tuples(st.integers(1, STEADY_MS - 1), st.integers(1, BRIDGE_MS - 1)), min_size=40, max_size=120
)
bounce = st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)), max_size=4)


@given(st.one_of(noise, crackle))
def test_noise_never_is_anything(pulses: list[tuple[int, int]]) -> None:
    fingers = Fingers(hold_ms=200)
    for on, off in pulses:
        fingers.closed(on).open(off)
    assert fingers.open(10_000).seen == []


@given(st.one_of(noise, crackle), st.integers(STEADY_MS, 150))
def test_noise_after_a_touch_does_not_add_up_to_a_call(pulses: list[tuple[int, int]], touch: int) -> None:
    fingers = Fingers().closed(touch)
    for on, off in pulses:
        fingers.open(off).closed(on)
    assert not CALLS & set(fingers.open(10_000).gestures())


@given(bounce, st.lists(st.tuples(st.integers(STEADY_MS, 300), st.integers(1, BRIDGE_MS - 1)), max_size=10), bounce)
def test_every_hold_is_seen_exactly_once_whatever_bounces(
    before: list[tuple[int, int]], tremble: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    fingers = Fingers()
    for on, off in before:
        fingers.closed(on).open(off)
    for on, off in tremble:
        fingers.closed(on).open(off)
    fingers.closed(HOLD_MS)
    for off, on in after:
        fingers.open(off).closed(on)
    assert fingers.open(10_000).gestures() == [Hands.HOLD]


@given(
    st.lists(st.tuples(st.integers(1, 1500), st.integers(1, 6000)), max_size=30),
    st.lists(st.integers(0, 60_000), max_size=30),
)
def test_when_it_is_woken_changes_nothing_of_what_is_seen(moves: list[tuple[int, int]], wakes: list[int]) -> None:
    """An edge handled late sees the same as one handled at once: only the edges' own times count."""
    plain, woken = Fingers(), Fingers()
    for on, off in moves:
        plain.closed(on).open(off)
    plain.open(20_000)
    due = sorted(wakes)
    for on, off in moves:
        for closed, ms in ((True, on), (False, off)):
            woken.seen += woken.button.level("pressed", closed, woken.now_ms, HOLD_MS)
            woken.now_ms += ms
            while due and due[0] <= woken.now_ms:
                woken.seen += woken.button.advance(due.pop(0), HOLD_MS)
    woken.open(20_000)
    assert woken.seen == plain.seen
