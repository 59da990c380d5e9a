"""What is taken back while it is under way: whom it reaches all the same hears how it stands, and the record says what is so."""

import pytest

from controller.entries import IncidentMoved, NoticeMoved
from controller.messages import Gesture
from controller.registry import Role, Shift
from controller.rules.effects import QueueNotice
from controller.rules.inputs import NoticeTried, PartFailed, PartRecovered, Tried, Woken
from tests.rules.night import Night, always, of, registry
from tests.rules.test_lives import folded, picture


@pytest.fixture
def night() -> Night:
    night = Night()
    night.births("b12n1")
    return night


def under_way(night: Night, member: str) -> QueueNotice:
    """A hand has this member's notice: it cannot be stopped any more."""
    [one] = [effect for effect in night.queued.values() if effect.notice.member == member]
    return night.queued.pop(one.notice.id)


def the_coordinators_alarm(night: Night) -> QueueNotice:
    """Nobody of the first ring has answered, and the next one's text is in the modem."""
    night.press("panic")
    night.sends()
    night.passes(119)
    night.passed_ms += 1000
    night.does(Woken())
    return under_way(night, "caro")


def goes_out(night: Night, one: QueueNotice) -> None:
    night.does(NoticeTried(one.notice.id, one.attempt, Tried.SENT, ref="sim1:3@1"))


@pytest.mark.parametrize(("replies", "hears"), [
    ([("rosa", "1"), ("juan", "1")], "taken"),
    ([("rosa", "2"), ("juan", "1")], "on_scene"),
    ([("rosa", "2"), ("rosa", "3")], "closed"),
])
def test_who_got_the_alarm_that_was_taken_back_hears_how_it_stands(night: Night, replies: list[tuple[str, str]], hears: str) -> None:
    one = the_coordinators_alarm(night)
    for name, word in replies:
        night.replies(name, word)
    night.sends()
    assert night.reads("caro") == []
    goes_out(night, one)
    assert [body.to for body in night.bodies(NoticeMoved) if body.notice == one.notice.id] == ["stopped", "notified"]
    assert night.reads("caro") == [hears]
    if hears == "on_scene":
        night.replies("rosa", "5")
        assert night.reads("caro") == ["closed"]


def test_who_said_themselves_that_they_go_is_told_nothing_new(night: Night) -> None:
    night.press("panic")
    one = under_way(night, "juan")
    night.replies("juan", "1")
    night.sends()
    assert night.reads("juan") == ["taken_you"]
    goes_out(night, one)
    night.passes(1)
    assert night.reads("juan") == []


def test_what_was_taken_back_and_failed_stays_taken_back(night: Night) -> None:
    one = the_coordinators_alarm(night)
    night.replies("rosa", "1")
    for tried in (Tried.TRY_LATER, Tried.NEVER):
        night.does(NoticeTried(one.notice.id, one.attempt, tried, why="no carrier"))
    night.passes(60)
    assert night.reads("caro") == []
    assert [body.to for body in night.bodies(NoticeMoved) if body.notice == one.notice.id] == ["stopped"]


def test_whose_alarm_was_taken_back_unsent_is_called_when_whoever_took_it_gives_up(night: Night) -> None:
    one = the_coordinators_alarm(night)
    night.does(NoticeTried(one.notice.id, 1, Tried.TRY_LATER, why="busy", retry_in_ms=60_000))
    night.replies("rosa", "1")
    night.sends()
    assert night.reads("caro") == []
    night.replies("rosa", "0")
    night.sends()
    assert night.reads("caro") == ["alarm"], "at once, and not when the last ring is told again"


def test_who_was_going_after_a_cancel_and_cannot_is_not_shown_at_the_button_and_the_next_one_looks(night: Night) -> None:
    press = night.press("panic")
    night.sends()
    night.replies("rosa", "1")
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.sends()
    night.unread.clear()
    assert night.shown()["b12n1"] == "taken"
    night.replies("rosa", "0")
    night.expects(rosa="cannot_you", elva="look")
    assert night.shown()["b12n1"] == "open"
    night.replies("elva", "0")
    night.expects(elva="cannot_you", juan="look")
    night.replies("juan", "1")
    night.sends()
    assert night.shown()["b12n1"] == "taken"


def test_whoever_cannot_look_says_so_once_however_often_and_the_others_have_their_time(night: Night) -> None:
    press = night.press("panic")
    night.sends()
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.sends()
    night.unread.clear()
    night.replies("rosa", "0")
    night.expects(rosa="cannot_you", elva="look")
    for _ in range(3):
        night.replies("rosa", "0")
        night.expects(rosa="cannot_you")
    night.passes(901)
    night.expects(juan="look")
    night.replies("elva", "0")
    night.expects(elva="cannot_you")
    night.passes(600)
    assert night.bodies(IncidentMoved) == [], "juan may be looking"
    night.replies("juan", "0")
    assert [(body.to, body.outcome) for body in night.bodies(IncidentMoved)] == [("closed", "cancelled")]


@pytest.mark.parametrize("shifts", [[], [always("caro", Role.COORDINATOR)]])
def test_what_was_taken_back_ends_also_when_nobody_of_the_first_ring_is_on_duty(shifts: list[Shift]) -> None:
    night = Night(registry(shifts=shifts))
    night.births("b12n1")
    press = night.press("panic")
    night.passes(1)
    called = sorted(name for name, notices in night.unread.items() if any(one.notice.template == "alarm" for one in notices))
    night.unread.clear()
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    asked: list[str] = []
    for _ in called:
        night.sends()
        asked += [name for name, notices in night.unread.items() if any(one.notice.template == "look" for one in notices)]
        night.unread.clear()
        assert night.bodies(IncidentMoved) == []
        night.passes(901)
    assert sorted(asked) == called, "one after the other"
    assert [(body.to, body.outcome) for body in night.bodies(IncidentMoved)] == [("closed", "cancelled")]
    night.unread.clear()
    night.ends_quietly(12 * 3600)


@pytest.mark.parametrize("comes_back", [False, True])
def test_who_got_word_of_a_fault_that_was_mended_meanwhile_hears_that_it_is(night: Night, comes_back: bool) -> None:
    night.does(PartFailed("receiver/r1", "no-answer"))
    one = under_way(night, "tito")
    night.sends()
    night.does(PartRecovered("receiver/r1", "no-answer"))
    goes_out(night, one)
    assert [body.to for body in night.bodies(NoticeMoved) if body.notice == one.notice.id] == ["stopped", "notified"]
    if comes_back:
        night.does(PartFailed("receiver/r1", "no-answer"))
        night.passes(3600)
        assert night.reads("tito") == [], "it is as they know it"
        night.does(PartRecovered("receiver/r1", "no-answer"))
    night.passes(601)
    assert night.reads("tito") == ["fault_ended"]
    again = folded(night.entries)
    for state in (again, night.zone.state):
        state.forget(night.now.utc_ms)
    assert picture(again) == picture(night.zone.state)


def test_who_was_told_that_it_is_mended_while_it_came_back_knows_that_it_stands(night: Night) -> None:
    night.does(PartFailed("receiver/r1", "no-answer"))
    night.sends()
    night.does(PartRecovered("receiver/r1", "no-answer"))
    night.passes(599)
    night.passed_ms += 1000
    one = under_way(night, "tito")
    night.does(PartFailed("receiver/r1", "no-answer"))
    night.sends()
    goes_out(night, one)
    night.passes(3600)
    assert night.reads("tito") == ["fault", "fault"]
    night.does(PartRecovered("receiver/r1", "no-answer"))
    night.passes(601)
    assert night.reads("tito") == ["fault_ended"]


def test_what_was_taken_back_of_a_fault_is_forgotten_after_a_while(night: Night) -> None:
    night.does(PartFailed("receiver/r1", "no-answer"))
    night.does(PartRecovered("receiver/r1", "no-answer"))
    assert night.zone.state.notices
    night.passes(2 * 3600)
    assert night.zone.state.notices == {}


def test_what_is_reopened_and_taken_back_again_is_looked_after_again(night: Night) -> None:
    press = night.press("panic")
    for _ in range(2):
        night.all_read()
        night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
        asked: list[str] = []
        for _ in range(3):
            night.sends()
            asked += [name for name in list(night.unread) if "look" in night.reads(name)]
            night.passes(901)
        assert asked == ["rosa", "elva", "juan"]
        assert night.bodies(IncidentMoved)[-1].to == "closed"
        press = night.press("panic", gesture=Gesture.REOPEN, refers_to=of(press))


def test_whoever_is_going_already_hears_that_the_block_takes_it_back(night: Night) -> None:
    press = night.press("panic")
    night.sends()
    night.replies("juan", "1")
    night.sends()
    night.unread.clear()
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.expects(rosa="cancelled", juan="cancelled", elva="cancelled", desk="cancelled")
