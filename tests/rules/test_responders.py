"""Whoever goes is protected, too."""

from controller.entries import Chain, IncidentOpened
from controller.rules.console.acts import Reopen
from controller.rules.policy import Policy
from controller.rules.telling import URGENT
from tests.rules.night import MEMBERS, POLICY, Night, member, registry

PAIRS = Policy.parse(POLICY.replace("[kinds.panic]\n", "[kinds.panic]\nin_pairs = true\n"))


def reads(night: Night) -> dict[str, list[str]]:
    night.sends()
    return {name: night.reads(name) for name in list(night.unread)}


def test_weapons_are_told_before_anything_else_to_everybody_who_knows_and_the_police(night: Night) -> None:
    night.press("panic")
    night.replies("juan", "1")
    night.all_read()
    night.replies("rosa", "4")
    urgent = {one.notice.member for one in night.queued.values() if one.notice.priority == URGENT}
    assert urgent == {"juan", "elva", "desk"}, "queued with the reply itself, not at some later step"
    night.expects(juan="armed", elva="armed", desk="armed", rosa="armed_you")


def test_who_takes_it_or_is_called_after_somebody_saw_weapons_hears_it_with_the_alarm(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "4")
    night.all_read()
    night.replies("juan", "1")
    assert "armed" in night.reads("juan")
    night.replies("juan", "0")
    night.passes(1)
    assert night.reads("caro") == ["armed", "alarm"], "of the wider ring, the danger first"


def test_help_opens_an_incident_of_its_own_for_whoever_needs_it(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.all_read()
    night.replies("rosa", "auxilio")
    night.expects(juan="help", elva="help", caro="help", desk="help", rosa="help_you")
    first, second = night.bodies(IncidentOpened)
    assert (second.in_need, second.grew_from, second.block) == ("rosa", first.incident, "b12")
    assert first.code != second.code
    night.replies("juan", f"1 {second.code}")
    assert "taken_you" in night.reads("juan")
    assert night.zone.state.incidents[first.incident].state == "on-scene"
    assert night.zone.state.incidents[second.incident].takers == ["juan"]
    assert night.shown()["b12n1"] == "on-scene", "the block's light goes on showing the block's own emergency"


def test_help_is_called_for_again_and_again_until_somebody_goes_and_once_for_each_who_needs_it(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.replies("rosa", "9")
    night.replies("rosa", f"9 {night.codes[0]}")
    assert len(night.codes) == 2
    night.all_read()
    night.passes(181)
    told = reads(night)
    assert {name for name, texts in told.items() if "help" in texts} >= {"juan", "elva", "caro"}
    night.replies("juan", f"9 {night.codes[0]}")
    assert len(night.codes) == 3


def test_whoever_needs_help_cannot_end_the_call_for_it_alone(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.replies("rosa", "9")
    night.replies("rosa", f"3 {night.codes[1]}")
    assert night.zone.state.incidents[night.bodies(IncidentOpened)[1].incident].is_open


def test_a_press_during_a_call_for_help_is_the_blocks_own(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.replies("rosa", "9")
    night.press("panic", "b12n2")
    first, second = night.bodies(IncidentOpened)
    assert len(night.zone.state.incidents[first.incident].presses) == 2
    assert night.zone.state.incidents[second.incident].presses == []


def test_help_in_a_fire_that_called_the_whole_zone_calls_who_goes_and_never_the_whole_zone() -> None:
    night = Night(registry(members=(*MEMBERS, member("ana"))))
    night.births("b12n1")
    night.press("fire")
    night.passes(130)
    assert night.reads("ana") == ["everybody"]
    night.replies("rosa", "1")
    night.replies("rosa", "9")
    night.passes(400)
    night.replies("juan", f"2 {night.codes[1]}")
    night.replies("juan", f"5 {night.codes[1]}")
    assert night.acts("caro", Reopen()) == ""
    night.passes(400)
    told = reads(night)
    assert {name for name, texts in told.items() if {"help", "reopened"} & set(texts)} >= {"juan", "elva", "caro"}
    assert "ana" not in told


def test_help_in_a_silent_incident_stays_in_its_circle_and_misses_the_excluded() -> None:
    night = Night(registry(excludes=["vilma"]))
    night.births("b12n1")
    night.press("violence")
    night.replies("vera", "2")
    night.all_read()
    night.replies("vera", "9")
    assert set(reads(night)) == {"vera", "desk"}
    assert night.bodies(IncidentOpened, Chain.OPEN) == []


def test_on_scene_without_an_answer_is_asked_and_three_minutes_later_goes_to_coordinator_and_police(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.all_read()
    night.passes(599)
    night.expects(rosa="how_is_it")
    night.passes(179)
    night.expects()
    night.passes(1)
    night.expects(caro="unanswered", desk="unanswered")


def test_who_answers_is_left_to_work(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.passes(620)
    night.all_read()
    night.replies("rosa", "2")
    night.expects(rosa="on_scene_you")
    night.passes(598)
    night.expects()
    night.passes(2)
    night.expects(rosa="how_is_it")


def test_silence_is_told_less_and_less_often(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "2")
    night.passes(4 * 3600)
    times = [notice for notice in night.notices() if notice.template == "unanswered" and notice.member == "caro"]
    assert 3 <= len(times) <= 5


def test_who_is_alone_is_told_to_wait_for_a_second_where_the_policy_says_so() -> None:
    night = Night(policy=PAIRS)
    night.births("b12n1")
    night.press("panic")
    night.all_read()
    night.replies("rosa", "1")
    assert night.reads("rosa") == ["taken_you", "alone"]
    assert night.reads("juan") == ["taken"]
    night.replies("juan", "1")
    assert night.reads("juan") == ["taken_you"]
    assert night.reads("rosa") == ["taken"]
    night.replies("juan", "0")
    assert night.reads("rosa") == ["alone"]


def test_who_is_there_already_is_not_told_to_wait() -> None:
    night = Night(policy=PAIRS)
    night.births("b12n1")
    night.press("panic")
    night.all_read()
    night.replies("rosa", "2")
    assert night.reads("rosa") == ["on_scene_you"]


def test_where_the_policy_does_not_say_so_one_may_go_alone(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.replies("rosa", "1")
    assert night.reads("rosa") == ["taken_you"]


def test_danger_waits_behind_no_other_text(night: Night) -> None:
    night.press("panic")
    night.replies("rosa", "4")
    assert min(night.queued.values(), key=lambda one: one.notice.priority).notice.template == "armed"


def test_danger_is_not_asked_back_which_incident_it_is_about(night: Night) -> None:
    night.press("panic")
    night.press("panic", "b13n1")
    night.replies("juan", f"1 {night.codes[0]}")
    night.all_read()
    night.replies("juan", "4")
    assert night.reads("rosa") == ["armed"]
    first, second = (night.zone.state.incidents[body.incident] for body in night.bodies(IncidentOpened))
    assert (first.armed, second.armed) == (["juan"], [])
