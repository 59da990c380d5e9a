"""The arithmetic of the supply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_firmware.power import Plan, supply


def test_a_day_of_idling_and_a_quarter_of_an_hour_of_siren() -> None:
    done = supply(Plan(idle_ma=250, siren_ma=1750, battery_v=12.8, battery_ah=12, ageing=0.8, cold=1.0, usable=1.0))
    assert done.idle_ah == pytest.approx(6.0)
    assert done.siren_ah == pytest.approx(0.5)
    assert done.drawn_wh == pytest.approx(83.2)
    assert done.needed_ah == pytest.approx(8.125)
    assert done.available_ah == pytest.approx(9.6)
    assert done.margin_ah == pytest.approx(3.1)
    assert done.idle_h_possible == pytest.approx(36.4)
    assert done.enough


def test_a_battery_that_is_too_small_says_so() -> None:
    done = supply(Plan(idle_ma=400, siren_ma=2000, battery_v=12, battery_ah=7))
    assert not done.enough
    assert done.margin_ah < 0
    assert done.idle_h_possible < 24


def test_nonsense_is_refused_with_every_fault_named() -> None:
    with pytest.raises(ValueError, match=r"(?s)idle_ma: 0; .*battery_ah: nan; .*ageing: 80; expected a part of 1"):
        supply(Plan(idle_ma=0, siren_ma=1, battery_v=12, battery_ah=float("nan"), ageing=80))


@given(st.floats(1, 5000), st.floats(0, 10_000), st.floats(0.1, 1000))
def test_the_needed_battery_is_just_enough(idle_ma: float, siren_ma: float, spare_percent: float) -> None:
    needed = supply(Plan(idle_ma, siren_ma, 12, 1)).needed_ah
    assert supply(Plan(idle_ma, siren_ma, 12, needed * (1 + spare_percent / 100))).enough
    assert not supply(Plan(idle_ma, siren_ma, 12, needed / (1 + spare_percent / 100))).enough
