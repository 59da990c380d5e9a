"""What is told when it is over: to those who were told, and of a silent incident nothing at all to its block. Codes rest for 30 days."""

from controller.entries import IncidentOpened
from controller.rules import codes
from controller.rules.console.acts import Close, Judge
from controller.rules.state import ZoneState
from tests.rules.night import Night
from tests.rules.test_lives import folded


def test_everybody_who_was_told_hears_what_came_of_it_once_and_nobody_else(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.replies("rosa", "2")
    night.all_read()
    assert night.acts("desk", Close("real")) == "not-yours"
    assert night.acts("caro", Close("good-faith")) == ""
    night.expects(rosa="closed", juan="closed", elva="closed", desk="closed")
    assert {one.about["outcome"] for one in night.notices() if one.template == "closed"} == {"good-faith"}
    assert night.acts("caro", Judge("prank")) == ""
    night.ends_quietly(3600)


def test_of_a_silent_incident_the_block_hears_nothing_and_its_circle_does(night: Night) -> None:
    before = night.open_side()
    night.press("violence")
    night.all_read()
    night.replies("vera", "2")
    night.all_read()
    assert night.acts("vera", Close("real")) == ""
    night.passes(1)
    assert night.reads("vilma") == night.reads("desk") == ["closed"]
    assert night.reads("elva") == night.reads("rosa") == night.reads("caro") == []
    assert [one for one in night.open_side() if one not in before and type(one).__name__ != "Accepted"] == []


def test_no_code_is_used_again_within_30_days_also_after_a_restart(night: Night) -> None:
    night.press("panic")
    [opened] = night.bodies(IncidentOpened)
    night.passes(1)
    for name in ("rosa", "juan"):
        night.replies(name, "3")
    state: ZoneState = folded(night.entries)
    for days, rests in ((1, True), (29, True), (31, False)):
        state.forget(night.now.utc_ms + days * 86_400_000)
        assert (opened.code in state.by_code) == rests
        assert (codes.incident_code(opened.incident, state.by_code, secret=False) != opened.code) == rests
