"""Batteries and clocks, as the beats show them, and the first press in a long time."""

import pytest

from controller.entries import BatterySeen, Chain, FaultRaised
from controller.instants import Now
from controller.rules.inputs import Woken
from tests.rules.night import FIRST_RING, Night

DAY_S = 86_400


@pytest.fixture
def night() -> Night:
    night = Night()
    night.births("b12n1")
    night.beating.clear()
    night.all_read()
    return night


def standing(night: Night) -> set[str]:
    return {code for subject, code in night.zone.state.fault_of if subject == "node/b12n1" and code != "late"}


def shows(night: Night, mv: int, *, mains: bool = True, for_s: int = 0) -> None:
    night.beats("b12n1", battery_mv=mv, mains=mains)
    night.passes(for_s)


def test_a_value_a_day_is_on_record_and_each_that_has_moved(night: Night) -> None:
    for mv in (13_500, 13_520, 13_480, 13_510, 12_900, 12_880, 12_200):
        shows(night, mv, for_s=60)
    assert [body.mv for body in night.bodies(BatterySeen)] == [13_500, 12_900, 12_200]
    shows(night, 12_210, for_s=DAY_S)
    shows(night, 12_210)
    assert [body.mv for body in night.bodies(BatterySeen)][3:] == [12_210]


@pytest.mark.parametrize("full_mv", [13_500, 4200])
def test_a_battery_is_low_by_its_own_measure(night: Night, full_mv: int) -> None:
    shows(night, full_mv, for_s=600)
    shows(night, full_mv, mains=False, for_s=13 * 3600)
    shows(night, full_mv * 90 // 100, mains=False, for_s=600)
    assert "battery-low" not in standing(night)
    shows(night, full_mv * 87 // 100, mains=False, for_s=600)
    assert "battery-low" in standing(night)
    assert "battery-weak:short" not in standing(night), "it lasted for 13 hours"
    shows(night, full_mv * 98 // 100, for_s=600)
    assert standing(night) == set()


def test_a_battery_that_is_low_after_two_hours_is_weak_until_a_night_in_which_it_lasts(night: Night) -> None:
    shows(night, 13_500, for_s=600)
    shows(night, 13_000, mains=False, for_s=7200)
    shows(night, 11_700, mains=False)
    assert {"battery-low", "battery-weak:short"} <= standing(night)
    shows(night, 13_500, for_s=DAY_S)
    assert standing(night) == {"battery-weak:short"}
    shows(night, 12_900, mains=False, for_s=13 * 3600)
    shows(night, 12_400, mains=False)
    assert "battery-weak:short" not in standing(night)


def test_another_battery_comes_with_another_life(night: Night) -> None:
    shows(night, 13_500, for_s=600)
    shows(night, 13_000, mains=False, for_s=7200)
    shows(night, 11_700, mains=False)
    night.births("b12n1", "2")
    assert "battery-weak:short" not in standing(night)


def test_what_it_shows_on_mains_sinks_over_weeks(night: Night) -> None:
    for day in range(20):
        shows(night, 13_500 - 60 * max(0, day - 5), for_s=DAY_S)
    assert standing(night) == {"battery-weak"}
    [fault] = [one for one in night.zone.state.faults.values() if one.code == "battery-weak"]
    assert "13500 mV when it was new" in fault.detail
    for _ in range(8):
        shows(night, 13_450, for_s=DAY_S)
    assert standing(night) == set()


@pytest.mark.parametrize(("per_mille", "off"), [(1000, False), (999, False), (990, True), (1012, True)])
def test_a_node_whose_clock_goes_wrong_is_named_within_two_hours(per_mille: int, off: bool) -> None:
    night = Night()
    night.births("b12n1", uptime_s=0)
    night.beating.clear()
    for n in range(1, 360):
        night.passes(20)
        # All but each fifth beat are held up on their way, by this or that.
        night.beats("b12n1", uptime_s=(n * 20 - (n % 5) * 4) * per_mille // 1000)
    assert ("clock-off" in standing(night)) is off


def test_a_clock_that_goes_right_again_is_named_no_more() -> None:
    night = Night()
    night.births("b12n1", uptime_s=0)
    night.beating.clear()
    up_ms = 0
    for n in range(1, 8 * 180):
        night.passes(20)
        up_ms += 19_800 if n < 200 else 20_000
        night.beats("b12n1", uptime_s=up_ms // 1000)
        if n == 300:
            assert "clock-off" in standing(night)
    night.births("b12n1", "2", uptime_s=0)
    for n in range(1, 7 * 180):
        night.passes(20)
        night.beats("b12n1", "2", uptime_s=n * 20)
    assert "clock-off" not in standing(night)


def test_the_gateways_own_clock_that_was_set_is_named_and_over_after_an_hour() -> None:
    night = Night()
    night.passes(60)

    def later(s: int, wall_s: int) -> None:
        night.zone.handle(Woken(), Now(night.now.monotonic_ms + s * 1000, night.now.utc_ms + (s + wall_s) * 1000))

    later(30, 0)
    assert ("gateway/clock", "clock-jumped") not in night.zone.state.fault_of
    later(60, -7200)
    assert ("gateway/clock", "clock-jumped") in night.zone.state.fault_of
    later(3600, -7200)
    later(3700, -7200)
    assert ("gateway/clock", "clock-jumped") not in night.zone.state.fault_of


def test_the_first_press_in_half_a_year_is_told_as_any_and_to_the_technician_that_it_was_the_first(night: Night) -> None:
    night.passed_ms += 181 * DAY_S * 1000
    night.births("b12n1", "2")
    night.zone.state.fault_of.clear()
    night.passes(30)
    night.unread.clear()
    night.press("panic", life="2")
    night.expects(**FIRST_RING, tito="fault")
    assert night.bodies(FaultRaised)[-1].code == "first-press:b1"
    night.passes(20)
    night.press("panic", life="2")
    assert len([body for body in night.bodies(FaultRaised) if body.code.startswith("first-press")]) == 1
    night.passes(2 * 3600)
    assert not [code for _, code in night.zone.state.fault_of if code.startswith("first-press")]


def test_a_silent_buttons_long_silence_is_nobodys_to_know(night: Night) -> None:
    night.passed_ms += 181 * DAY_S * 1000
    night.press("violence")
    assert not [body for body in night.bodies(FaultRaised) if body.code.startswith("first-press")]
    assert ("b12n1", "h1") not in night.zone.state.last_pressed.at_ms
    assert not night.bodies(FaultRaised, Chain.SEALED)
