"""A text that the network held up is about what was open when it was written."""

import pytest

from controller.entries import IncidentMoved
from controller.rules.console.acts import Close, Merge
from tests.rules.night import FIRST_RING, Night


def is_closed(night: Night) -> None:
    night.replies("rosa", "3")
    night.replies("elva", "3")
    night.all_read()


@pytest.mark.parametrize("word", ["1", "2", "3", "5", "0"])
def test_what_was_written_to_the_last_emergency_does_nothing_to_this_one(night: Night, word: str) -> None:
    night.press("panic")
    night.all_read()
    night.passes(120)
    is_closed(night)
    night.passes(1200)
    night.press("panic")
    night.all_read()
    before = len(night.bodies(IncidentMoved))
    night.replies("juan", word, ago_s=1205)
    night.expects(juan="already_closed")
    assert night.notices()[-1].about == {"code": night.codes[0]}
    assert len(night.bodies(IncidentMoved)) == before
    assert night.shown()["b12n1"] == "open"


def test_written_while_it_was_open_and_alone_it_takes_it_however_late_it_comes_and_whatever_opened_since(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.passes(600)
    night.press("panic", node="b13n1")
    night.all_read()
    night.replies("juan", "1", ago_s=500)
    assert night.shown() == {"b12n1": "taken", "b12n2": "taken", "b13n1": "open"}


def test_written_before_anything_was_open_it_is_asked_what_it_means(night: Night) -> None:
    night.passes(3600)
    night.press("panic")
    night.expects(**FIRST_RING)
    night.replies("juan", "1", ago_s=900)
    night.expects(juan="which_late")
    assert night.notices()[-1].about == {"codes": night.codes[0]}
    night.replies("juan", f"1 {night.codes[0]}", ago_s=900)
    assert night.shown()["b12n1"] == "taken", "a code says which"


@pytest.mark.parametrize("ago_s", [None, 0, 59, -18_000, 30 * 86_400])
def test_what_is_fresh_or_bears_a_time_that_cannot_be_is_about_what_is_open_now(night: Night, ago_s: float | None) -> None:
    night.press("panic")
    night.replies("rosa", "1", ago_s=ago_s)
    assert night.shown()["b12n1"] == "taken"


def test_two_clocks_may_be_a_little_apart(night: Night) -> None:
    night.press("panic")
    night.passes(40)
    night.replies("rosa", "1", ago_s=90)
    assert night.shown()["b12n1"] == "taken"


def test_the_code_of_one_that_was_merged_is_about_the_one_it_goes_on_as(night: Night) -> None:
    night.press("panic")
    night.press("panic", node="b13n1")
    night.all_read()
    into = list(night.zone.state.incidents)[1]
    assert night.acts("caro", Merge(into), 0) == ""
    night.replies("rosa", f"2 {night.codes[0]}")
    assert night.zone.state.incidents[into].present == ["rosa"]
    assert night.acts("rosa", Close("real")) == ""
