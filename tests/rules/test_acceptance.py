"""The police are reached when a named person there has accepted: their lines in order, and people told to call when none brings that."""

import pytest

from controller.entries import Chain, IncidentNoted, NoticesQueued
from controller.messages import Gesture
from controller.registry import Role
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, Started, Tried
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from controller.texts import LANGUAGES, TEMPLATES, catalogue
from tests.rules.night import DISTRICTS_POLICY, MEMBERS, Night, member, of, registry
from tests.rules.test_lives import folded


def night_of(*desk: str, members: int = 1) -> Night:
    """A night under the district's own policy, in which each police desk has these lines."""
    desks = [member(f"desk{n or ''}", Role.POLICE_DESK, channels=desk) for n in range(members)]
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "desk"), *desks]), Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    night.press("panic")
    return night


def lines(night: Night, name: str = "desk") -> list[str]:
    """By which lines the police were offered it since the last look."""
    night.sends()
    return [one.notice.channel for one in night.unread.pop(name, []) if one.notice.reason == "POLICE"]


def calls(night: Night) -> set[str]:
    """Who was told since the last look that they must call the police themselves; of the rest nothing is kept."""
    night.sends()
    return {name for name in list(night.unread) if "police_not_reached" in night.reads(name)}


def test_a_machine_that_acknowledges_has_accepted_nothing_and_the_next_line_is_tried_in_order() -> None:
    night = night_of("sms", "dc09", "cap")
    assert lines(night) == ["dc09"]
    night.passes(59)
    assert lines(night) == []
    night.passes(1)
    assert lines(night) == ["cap"]
    night.passes(60)
    assert lines(night) == ["sms"]
    assert calls(night) == set()
    night.passes(89)
    assert calls(night) == set()
    night.passes(2)
    assert calls(night) >= {"rosa", "juan", "elva"}, "nobody has taken it: all who were called"


def test_who_has_taken_it_is_told_to_call_and_again_less_and_less_often() -> None:
    night = night_of("dc09")
    night.replies("rosa", "1")
    night.replies("juan", "1")
    night.passes(61)
    assert calls(night) == {"rosa", "juan"}
    night.passes(298)
    assert calls(night) == set()
    night.passes(2)
    assert calls(night) == {"rosa", "juan"}
    night.passes(500)
    assert calls(night) == set()
    night.passes(101)
    assert calls(night) == {"rosa", "juan"}


def test_whoever_takes_it_later_hears_at_once_that_the_police_are_not_reached() -> None:
    night = night_of("dc09")
    night.passes(70)
    calls(night)
    night.replies("rosa", "1")
    assert calls(night) == {"rosa"}


def test_a_one_from_somebody_of_the_police_is_their_acceptance_and_those_who_go_hear_who_it_was() -> None:
    night = night_of("dc09", "sms")
    night.passes(61)
    night.replies("rosa", "1")
    night.all_read()
    night.replies("desk", "1")
    night.sends()
    assert "police_know" in night.reads("rosa")
    assert night.reads("elva") == ["taken"]
    night.passes(1800)
    assert calls(night) == set()
    assert [(body.by, body.meaning) for body in night.bodies(IncidentNoted)] == [("desk", "accepted")]
    night.replies("juan", "1")
    assert "police_know" in night.reads("juan"), "who takes it later hears it, too"


def test_nobody_is_told_that_the_police_know_before_somebody_there_has_accepted() -> None:
    for language in LANGUAGES:
        words = catalogue(language)
        claims = ("policia ya", "policia sabe", "police know", "police have")
        knowing = {name for name, wording in words.items() if any(claim in wording.lower() for claim in claims)}
        assert knowing == {"police_know"}
    assert "police_know" in TEMPLATES
    night = night_of("dc09", "cap", "sms")
    night.passes(30)
    for word in ("1", "2", "4", "9"):
        night.replies("rosa", f"{word} {night.codes[0]}")
    night.passes(900)
    assert "police_know" not in {notice.template for notice in night.notices()}


def test_that_they_accept_spares_no_neighbour_before_they_are_there() -> None:
    night = night_of("dc09", "sms")
    waiting = {one.notice.member: one.notice.id for one in night.queued.values()}
    night.replies("desk", "1")
    assert waiting["rosa"] in night.queued
    night.all_read()
    night.passes(121)
    assert "alarm" in night.reads("caro"), "the wider ring is told in its time"
    night.replies("desk", "2")
    night.all_read()
    night.passes(400)
    assert night.reads("juan") == []


def test_who_had_accepted_and_cannot_is_not_counted_on() -> None:
    night = night_of("dc09", "sms", members=2)
    night.replies("rosa", "1")
    night.replies("desk", "1")
    night.all_read()
    night.passes(100)
    night.replies("desk", "0")
    night.passes(1)
    assert lines(night, "desk1") == ["sms"], "the lines go on where they stood"
    night.passes(91)
    assert calls(night) == {"rosa"}


def test_lines_that_fail_for_good_are_left_at_once() -> None:
    night = night_of("dc09", "cap", "sms")
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="gone") if one.notice.reason == "POLICE" else None
    night.replies("rosa", "1")
    night.passes(1)
    assert calls(night) == {"rosa"}
    night.passes(250)
    assert calls(night) == set()


def test_a_line_that_was_brought_forward_has_its_whole_time() -> None:
    night = night_of("dc09", "sms")

    def failing(one: QueueNotice) -> NoticeTried | None:
        if one.notice.channel == "dc09":
            tried = Tried.TRY_LATER if night.passed_ms < 50_000 else Tried.NEVER
            return NoticeTried(one.notice.id, one.attempt, tried, why="no answer", retry_in_ms=25_000)
        return None

    night.failing = failing
    night.passes(51)
    assert lines(night) == ["sms"]
    night.passes(80)
    assert calls(night) == set()
    night.passes(20)
    assert calls(night) >= {"rosa"}


def test_a_district_without_any_police_says_so() -> None:
    night = Night(registry(members=[one for one in MEMBERS if one.id != "desk"]), Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    night.press("panic")
    night.replies("rosa", "1")
    night.passes(91)
    assert calls(night) == {"rosa"}


@pytest.mark.parametrize("end", ["closed", "cancelled", "drill"])
def test_nobody_calls_the_police_to_what_is_over_or_an_exercise(end: str) -> None:
    night = Night(policy=Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    press = night.press("panic", drill=end == "drill")
    night.passes(5)
    if end == "closed":
        night.replies("rosa", "2")
        night.replies("rosa", "5")
    elif end == "cancelled":
        night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.passes(3600)
    assert calls(night) == set()


def test_weapons_after_a_cancel_call_for_the_police_again() -> None:
    night = night_of("dc09", "sms")
    night.passes(5)
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(night.press("panic")))
    night.passes(120)
    assert lines(night) == ["dc09"]
    night.replies("rosa", "4")
    night.passes(100)
    assert lines(night) == ["sms"]


def test_a_silent_circle_is_told_to_call_in_the_sealed_chain_and_nobody_else() -> None:
    night = Night(policy=Policy.parse(DISTRICTS_POLICY))
    night.births("b12n1")
    night.press("violence")
    night.replies("vera", "1")
    night.passes(120)
    assert calls(night) == {"vera"}
    assert not [body for body in night.bodies(NoticesQueued, Chain.OPEN) if body.incident]


def test_the_police_step_goes_on_where_it_stood_after_a_restart_and_with_a_clock_set_back() -> None:
    night = night_of("dc09", "sms")
    night.passes(30)
    lines(night)
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.queued.clear()
    night.does(Started("1.0"))
    night.passes(31)
    assert lines(night) == ["sms"]
