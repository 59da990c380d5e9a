"""The ways to people: tries, other ways, and what goes on after a crash."""

import pytest

from controller.entries import (
    NoticeMoved,
)
from controller.registry import Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import (
    MemberWrote,
    NoticeReported,
    NoticeTried,
    Started,
    Tried,
)
from controller.rules.zone import ZoneController
from tests.rules.night import FIRST_RING, MEMBERS, Night, member, ref_of, registry


def test_what_fails_for_now_is_tried_again_and_what_fails_for_good_goes_another_way(night: Night) -> None:
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy") if one.notice.member == "rosa" and one.attempt < 3
        else NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="410") if one.notice.channel == "apprise" else None
    )
    night.press("panic")
    night.passes(s=60)
    assert night.reads("rosa") == ["alarm"]
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("sms", "FIRST")]
    assert [body.to for body in night.bodies(NoticeMoved) if body.attempt == 2] == ["waiting"]


def test_a_second_number_is_a_way_of_its_own() -> None:
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "rosa"), member("rosa", Role.PATROL, channels=("sms", "sms", "apprise"))]))
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no such number") if one.notice.channel == "sms" else None
    night.press("panic")
    night.passes(s=5)
    tried = [(notice.channel, notice.about.get("contact", "0")) for notice in night.notices() if notice.member == "rosa"]
    assert tried == [("sms", "0"), ("sms", "1"), ("apprise", "0")]
    assert night.reads("rosa") == ["alarm"]


def test_what_is_stuck_goes_another_way_at_once_and_is_tried_on(night: Night) -> None:
    stuck_s = [600.0]
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="unplugged", retry_in_ms=30_000, stuck=True)
        if one.notice.channel == "apprise" and night.passed_ms < stuck_s[0] * 1000 else None)
    night.press("panic")
    night.sends()
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("sms", "FIRST")]
    night.passes(s=89)
    assert "elva" not in night.unread, "once is enough, however often it is tried"
    stuck_s[0] = 0
    night.passes(s=2)
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("apprise", "FIRST")]


def test_what_was_stuck_and_is_given_up_goes_no_other_way_a_second_time(night: Night) -> None:
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER if night.passed_ms < 60_000 else Tried.NEVER, why="unplugged",
                    stuck=night.passed_ms < 60_000)
        if one.notice.channel == "apprise" else None)
    night.press("panic")
    night.passes(s=100)
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("sms", "FIRST")]


def test_when_nobody_can_be_reached_the_next_ring_is_told_at_once(night: Night) -> None:
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no such number") if one.notice.member in {"rosa", "juan", "elva"} else None)
    night.press("panic")
    night.passes(s=2)
    assert night.reads("caro") == ["alarm"]


def test_even_if_nobody_at_all_can_be_reached_it_goes_on_without_running_in_circles(night: Night) -> None:
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no network")
    night.press("panic")
    night.passes(s=3600)
    assert len(night.bodies(NoticeMoved)) < 500
    night.failing = lambda _: None
    night.passes(s=400)
    assert night.reads("rosa")


def test_a_started_gateway_goes_on_where_the_last_one_stood(night: Night) -> None:
    night.press("panic")
    waiting = set(night.queued)
    night.queued.clear()
    night.zone = ZoneController("z3", night.registry, night.policy, night.zone.state)
    night.passed_ms += 60_000
    night.does(Started("1.0"))
    assert set(night.queued) == waiting
    assert {one.attempt for one in night.queued.values()} == {2}, "they may have been under way: a repetition says so"
    night.expects(**FIRST_RING)
    night.passes(s=60)
    night.expects(caro="alarm")


def test_a_press_decided_again_after_a_crash_gives_the_same_ids(night: Night) -> None:
    other = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        other.births(node)
    night.press("panic")
    other.passed_ms += 7_000
    other.press("panic")
    assert set(night.queued) == set(other.queued)
    assert night.codes == other.codes
    assert [order.id for order in night.orders()] == [order.id for order in other.orders()]


def test_what_never_reached_the_handset_goes_another_way(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    [one] = [notice for notice in night.notices() if notice.member == "elva"]
    night.does(NoticeReported(one.id, delivered=False, why="expired"))
    night.expects(elva="alarm")
    night.does(NoticeReported(one.id, delivered=False))
    night.expects()


def night_of_two_addresses(*, until_s: float, first: str, **channels: tuple[str, ...]) -> Night:
    """A night in which these members' `first` address accepts nothing until then."""
    night = Night(registry(members=[one if one.id not in channels else member(one.id, *one.roles, channels=channels[one.id]) for one in MEMBERS]))
    night.births("b12n1")
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no answer")
        if one.notice.member in channels and (one.notice.channel, place(one)) == (first, 0) and night.passed_ms < until_s * 1000 else None)
    return night


def place(one: QueueNotice) -> int:
    """To the how-manieth address of its channel it goes."""
    return int(one.notice.about.get("contact", "0"))


@pytest.mark.parametrize("until_s", [60, 1e9])
def test_what_became_of_it_goes_to_the_address_that_got_the_alarm(until_s: float) -> None:
    night = night_of_two_addresses(until_s=until_s, first="dc09", desk=("dc09", "dc09"))
    night.press("panic")
    night.passes(120)
    night.replies("rosa", "4")
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    night.passes(3600)
    assert [(one.notice.template, place(one)) for one in night.unread["desk"]] == [("police", 1), ("armed", 1), ("closed", 1)]


def test_that_it_is_over_goes_another_way_too() -> None:
    night = night_of_two_addresses(until_s=0, first="dc09", desk=("dc09", "cap"), rosa=("apprise", "sms"))
    night.press("panic")
    night.passes(10)
    night.replies("elva", "2")
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="gone") if one.notice.channel in {"dc09", "apprise"} else None)
    night.replies("juan", "9")
    night.passes(1)
    night.replies("elva", f"5 {night.codes[0]}")
    night.passes(10)
    assert [(one.notice.template, one.notice.channel) for one in night.unread["desk"]] == [("police", "dc09"), ("help", "cap"), ("closed", "cap")]
    assert [(one.notice.template, one.notice.channel) for one in night.unread["rosa"]][-1] == ("closed", "sms")


@pytest.mark.parametrize(("wrote_from", "answered_at"), [(0, 0), (1, 1), (None, 1)])
def test_an_answer_goes_to_the_number_that_it_answers(wrote_from: int | None, answered_at: int) -> None:
    night = night_of_two_addresses(until_s=60, first="sms", rosa=("apprise", "sms", "sms"))
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="no answer")
        if one.notice.member == "rosa" and night.passed_ms < 60_000 and (one.notice.channel, place(one)) != ("sms", 1) else None)
    night.press("panic")
    night.passes(60)
    assert [place(one) for one in night.unread.pop("rosa")] == [1]
    ref = ref_of("rosa", "sms", wrote_from) if wrote_from is not None else None
    for text in ("1", "what?"):
        night.does(MemberWrote("sms", "rosa", text, ref, None, ""))
        night.sends()
        assert [(one.notice.channel, place(one)) for one in night.unread.pop("rosa")] == [("sms", answered_at if text == "1" else wrote_from or 0)]


def night_without_sms(**channels: tuple[str, ...]) -> Night:
    """A night in which no text gets out, nor at first anything else to these members, who have these ways."""
    night = Night(registry(members=[one if one.id not in channels else member(one.id, *one.roles, channels=channels[one.id]) for one in MEMBERS]))
    night.births("b12n1")
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="x", retry_in_ms=5000, stuck=one.notice.channel == "sms")
        if one.notice.member in channels else None)
    return night


def test_that_they_are_armed_is_not_taken_back_from_who_goes_also_when_it_goes_another_way() -> None:
    night = night_without_sms(juan=("sms", "apprise"))
    night.failing, quiet = lambda _: None, night.failing
    night.press("panic")
    night.passes(1)
    night.failing = quiet
    night.replies("rosa", "4")
    night.passes(1)
    night.replies("rosa", "1")
    night.replies("juan", "1", "apprise")
    night.failing = lambda _: None
    night.passes(60)
    assert ("armed", "apprise") in [(one.notice.template, one.notice.channel) for one in night.unread["juan"]]


@pytest.mark.parametrize("channels", [("sms", "apprise"), ("apprise",)])
def test_a_wider_rings_alarm_is_taken_back_by_the_first_who_goes_whichever_way_it_takes(channels: tuple[str, ...]) -> None:
    night = night_without_sms(caro=channels)
    night.press("panic")
    night.passes(121)
    night.replies("rosa", "1")
    night.failing = lambda _: None
    night.passes(60)
    assert night.reads("caro") == []
