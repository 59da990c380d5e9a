"""Notified is not heard: rings that nobody of has heard, texts that no report follows, and until when a ring is called."""

import pytest

from controller.errors import BadConfig
from controller.registry import Role
from controller.rules.inputs import CallAnswered, NoticeReported, Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, POLICY, Night, member, registry
from tests.rules.test_lives import folded

FIRST_RING = 'roles = ["patrol", "representative"]\n'
SECOND_RING = 'roles = ["coordinator", "serenazgo"]\n'


def night_with(first: str = "", second: str = "") -> Night:
    """A night in which panic's first and second step have these settings more."""
    text = POLICY.replace(FIRST_RING, FIRST_RING + first, 1).replace(SECOND_RING, SECOND_RING + second, 1)
    night = Night(policy=Policy.parse(text))
    night.births("b12n1")
    night.press("panic")
    night.all_read()
    return night


@pytest.mark.parametrize("restart", [False, True])
def test_of_whom_nobody_has_heard_it_by_the_deadline_the_next_ring_is_told_at_once(restart: bool) -> None:
    night = night_with("heard_s = 45\n")
    if restart:
        night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
        night.queued.clear()
        night.does(Started("1.0"))
    night.passes(43)
    assert night.reads("caro") == []
    night.passes(1)
    assert night.reads("caro") == ["alarm"]


@pytest.mark.parametrize("text", ["0", "3", "qué pasa", "1"])
def test_any_answer_at_all_is_heard_and_the_next_ring_has_its_time(text: str) -> None:
    night = night_with("heard_s = 45\n")
    night.replies("rosa", text)
    night.passes(60)
    assert night.reads("caro") == []
    night.passes(70)
    assert (night.reads("caro") == ["alarm"]) == (text != "1")


def test_that_it_reached_the_handset_is_not_heard() -> None:
    night = night_with("heard_s = 45\n")
    for notice in night.notices():
        night.does(NoticeReported(notice.id, True))
    night.passes(45)
    assert night.reads("caro") == ["alarm"]


def test_a_call_that_is_answered_with_a_digit_is_heard() -> None:
    text = POLICY.replace(FIRST_RING, FIRST_RING + 'channels = ["call"]\nheard_s = 45\n', 1)
    people = [*(one for one in MEMBERS if one.id not in {"rosa", "juan", "elva"}), member("rosa", Role.PATROL, channels=("call", "sms"))]
    night = Night(registry(members=people), Policy.parse(text))
    night.births("b12n1")
    night.press("panic")
    night.all_read()
    [call] = [notice.id for notice in night.notices() if notice.channel == "call"]
    night.does(CallAnswered(call, "5"))
    night.passes(60)
    assert "alarm" not in night.reads("caro")


def test_a_deadline_to_be_heard_that_could_never_matter_is_refused() -> None:
    with pytest.raises(BadConfig) as caught:
        Policy.parse(POLICY.replace(FIRST_RING, FIRST_RING + "heard_s = 120\n", 1))
    assert "steps, #1 heard_s: 120" in caught.value.faults[0]


def night_of_two_ways(*channels: str) -> Night:
    people = [*(one for one in MEMBERS if one.id != "rosa"), member("rosa", Role.PATROL, channels=channels)]
    night = Night(registry(members=people))
    night.births("b12n1")
    night.press("panic")
    return night


def lines(night: Night, name: str) -> list[str]:
    night.sends()
    return [one.notice.channel for one in night.unread.pop(name, []) if one.notice.template == "alarm"]


def test_a_text_that_no_report_follows_goes_the_other_way_too_and_no_ring_moves() -> None:
    night = night_of_two_ways("sms", "apprise")
    assert lines(night, "rosa") == ["sms"]
    night.passes(89)
    assert lines(night, "rosa") == []
    night.passes(2)
    assert lines(night, "rosa") == ["apprise"]
    assert night.reads("caro") == [], "the next ring has its time"
    night.passes(28)
    assert lines(night, "rosa") == [], "once"
    night.passes(1)
    assert night.reads("caro") == ["alarm"]


def test_what_was_reported_or_answered_goes_no_other_way() -> None:
    for delivered in (True, False):
        night = night_of_two_ways("sms", "apprise")
        night.passes(5)
        [text] = [notice.id for notice in night.notices() if notice.member == "rosa"]
        if delivered:
            night.does(NoticeReported(text, True))
        else:
            night.replies("rosa", "3")
        night.passes(110)
        assert lines(night, "rosa") == ["sms"]


def test_a_channel_that_never_reports_is_not_waited_for() -> None:
    night = night_of_two_ways("apprise", "sms")
    night.passes(110)
    assert lines(night, "rosa") == ["apprise"]


def test_a_call_that_would_have_been_taken_back_goes_no_other_way() -> None:
    night = night_of_two_ways("sms", "apprise")
    night.passes(5)
    night.replies("juan", "1")
    night.replies("elva", "1")
    night.passes(100)
    assert lines(night, "rosa") == ["sms"]


def test_a_step_is_called_until_what_the_policy_says() -> None:
    for until, called in (("taken", False), ("enough", True), ("on-scene", True)):
        night = night_with(second=f'until = "{until}"\n')
        night.replies("rosa", "1")
        night.all_read()
        night.passes(125)
        assert ("alarm" in night.reads("caro")) == called, until
    for until, called in (("enough", False), ("on-scene", True)):
        night = night_with(second=f'until = "{until}"\n')
        night.replies("rosa", "1")
        night.replies("juan", "1")
        night.all_read()
        night.passes(125)
        assert ("alarm" in night.reads("caro")) == called, until
    night = night_with(second='until = "on-scene"\n')
    night.replies("rosa", "2")
    night.all_read()
    night.passes(125)
    assert night.reads("caro") == []


def test_taking_takes_the_wider_rings_calls_back_at_once_and_the_ring_on_duty_is_called_until_enough_go() -> None:
    night = Night()
    night.births("b12n1")
    night.press("panic")
    night.passes(120)
    night.press("panic")
    ring_on_duty = {one.notice.member for one in night.queued.values() if one.notice.reason == "FIRST"}
    assert ring_on_duty == set()
    other = Night()
    other.births("b12n1")
    other.press("panic")
    other.replies("rosa", "1")
    waiting = {one.notice.member for one in other.queued.values() if one.notice.reason == "FIRST"}
    assert waiting == {"juan", "elva"}
    other.replies("juan", "1")
    assert not [one for one in other.queued.values() if one.notice.reason == "FIRST"]
    assert [one.notice.member for one in other.queued.values() if one.notice.reason == "POLICE"] == ["desk"], "no member's taking stops the police"


LATE = Policy.parse(POLICY.replace("[kinds.panic]\n", "[kinds.panic]\nlate_police_s = 600\n"))


def test_of_a_late_press_the_police_are_told_by_a_step_of_their_own() -> None:
    night = Night(policy=LATE)
    night.births("b12n1")
    night.press("panic", age_s=3600)
    night.passes(599)
    assert night.reads("desk") == []
    night.passes(1)
    assert night.reads("desk") == ["late"]
    assert night.orders() == [], "and no siren"
    fresh = Night(policy=LATE)
    fresh.births("b12n1")
    fresh.press("panic")
    assert fresh.reads("desk") == ["police"]


@pytest.mark.parametrize(("text", "told"), [("2", True), ("1", False), ("4", True)])
def test_who_is_there_verifies_a_late_press(text: str, told: bool) -> None:
    night = Night(policy=LATE)
    night.births("b12n1")
    night.press("panic", age_s=3600)
    night.passes(60)
    night.replies("rosa", text)
    assert bool(night.reads("desk")) == told
