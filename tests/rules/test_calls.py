"""Nights on which a phone rings: one that wakes somebody, one that wakes nobody, and members who ring back, which costs them nothing."""

from controller.entries import Chain, IncidentMoved, NoticeMoved, ReplyReceived
from controller.registry import Role
from controller.rules.inputs import CallAnswered, MemberCalled, NoticeTried, Tried
from controller.rules.policy import Policy
from controller.rules.state import ZoneState
from tests.rules.night import MEMBERS, POLICY, Night, member, registry

CALLED = [member(one.id, *one.roles, channels=("sms", "call")) if Role.PATROL in one.roles else one for one in MEMBERS]
WITH_CALLS = Policy.parse(POLICY.replace('''[[kinds.panic.steps]]
after_s = 120''', '''[[kinds.panic.steps]]
after_s = 60
roles = ["patrol"]
channels = ["call"]
[[kinds.panic.steps]]
after_s = 120''', 1))


def a_night() -> Night:
    night = Night(registry(members=CALLED), WITH_CALLS)
    for node in ("b12n1", "b13n1"):
        night.births(node)
    night.expects()
    night.press("panic")
    night.all_read()
    return night


def rung(night: Night) -> dict[str, str]:
    """Whose phone is being called, with the notice: the calls are under way still."""
    return {one.notice.member: one.notice.id for one in night.queued.values() if one.notice.channel == "call"}


def under_way(night: Night) -> None:
    """From now on calls take their time, and everything else goes at once."""
    later = 3_600_000
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, retry_in_ms=later) if one.notice.channel == "call" else None


def states(night: Night, notice: str) -> list[str]:
    return [body.to for body in night.bodies(NoticeMoved) if body.notice == notice and body.to != "waiting"]


def test_who_has_not_stirred_after_a_text_is_called_and_who_has_is_not() -> None:
    night = a_night()
    night.replies("rosa", "0")
    night.passes(s=60)
    called = [one for one in night.notices() if one.channel == "call"]
    assert [(one.member, one.template, one.reason) for one in called] == [("juan", "alarm", "ESCALATED")]


def test_who_presses_1_has_heard_it_and_takes_it_and_the_answer_comes_as_a_text() -> None:
    night = a_night()
    under_way(night)
    night.passes(s=60)
    night.all_read()
    night.does(CallAnswered(rung(night)["juan"]))
    assert states(night, rung(night)["juan"]) == ["notified", "delivered"]
    night.does(CallAnswered(rung(night)["juan"], "1"))
    assert [(body.to, body.by, body.channel) for body in night.bodies(IncidentMoved)] == [("taken", "juan", "call")]
    assert states(night, rung(night)["juan"]) == ["notified", "delivered", "heard"]
    assert [one.notice.channel for one in night.unread.get("juan", [])] == []
    assert night.reads("juan") == ["taken_you"]
    assert [one.channel for one in night.notices() if one.template == "taken_you"] == ["sms"]
    assert [body.channel for body in night.bodies(ReplyReceived)] == ["call"]


def test_a_call_that_is_answered_without_a_digit_is_not_heard_since_mailboxes_answer_too() -> None:
    night = a_night()
    under_way(night)
    night.passes(s=60)
    notice = rung(night)["juan"]
    night.does(CallAnswered(notice))
    night.does(NoticeTried(notice, 1, Tried.SENT, "sim1"))
    assert states(night, notice) == ["notified", "delivered"]
    night.does(CallAnswered(notice, "7"))
    night.does(CallAnswered(notice, "7"))
    assert states(night, notice) == ["notified", "delivered", "heard"]
    assert night.bodies(IncidentMoved) == []
    assert [body.meaning for body in night.bodies(ReplyReceived)] == ["called"]


def test_a_phone_that_only_rang_has_been_notified_and_nothing_more() -> None:
    night = a_night()
    night.passes(s=61)
    calls = [one.id for one in night.notices() if one.channel == "call"]
    assert [states(night, call) for call in calls] == [["notified"]] * 2


def test_0_by_phone_is_a_no_and_1_after_the_end_changes_nothing() -> None:
    night = a_night()
    under_way(night)
    night.passes(s=60)
    calls = rung(night)
    night.does(CallAnswered(calls["rosa"], "0"))
    assert "cannot_you" in night.reads("rosa")
    night.replies("juan", "3")
    night.replies("elva", "3")
    night.all_read()
    moved = night.bodies(IncidentMoved)
    night.does(CallAnswered(calls["juan"], "1"))
    assert night.bodies(IncidentMoved) == moved
    assert night.reads("juan") == ["already_closed"]


def test_news_never_rings_a_phone() -> None:
    night = a_night()
    night.passes(s=60)
    night.replies("elva", "1")
    night.replies("elva", "2")
    night.passes(s=5)
    assert {one.template for one in night.notices() if one.channel == "call"} == {"alarm"}
    assert {"taken", "on_scene"} <= set(night.reads("rosa"))


def test_who_can_only_be_called_reads_nothing_and_is_called_for_alarms_alone() -> None:
    members = [member("juan", Role.PATROL, channels=("call",)) if one.id == "juan" else one for one in CALLED]
    night = Night(registry(members=members), WITH_CALLS)
    night.births("b12n1")
    night.press("panic")
    night.passes(s=60)
    night.replies("elva", "1")
    night.passes(s=5)
    assert [(one.channel, one.template) for one in night.notices() if one.member == "juan"] == [("call", "alarm")]


def test_a_missed_call_to_the_number_of_the_texts_is_heard_and_takes_nothing() -> None:
    night = a_night()
    night.does(MemberCalled("rosa"))
    assert [(body.channel, body.meaning, body.member) for body in night.bodies(ReplyReceived)] == [("call", "called", "rosa")]
    assert [body.to for body in night.bodies(NoticeMoved) if body.to == "heard"] == ["heard"]
    assert night.bodies(IncidentMoved) == []
    night.ends_quietly()
    night.passes(s=60)
    assert [one.member for one in night.notices() if one.channel == "call"] == ["juan"], "rosa has heard it"


def test_a_missed_call_to_the_second_number_says_i_am_going() -> None:
    night = a_night()
    night.does(MemberCalled("rosa", going=True))
    assert [(body.to, body.by, body.channel) for body in night.bodies(IncidentMoved)] == [("taken", "rosa", "call")]
    night.expects(rosa="taken_you", juan="taken", elva="taken")


def test_with_two_open_the_second_number_asks_which() -> None:
    night = a_night()
    night.press("panic", node="b13n1")
    night.all_read()
    night.does(MemberCalled("juan", going=True))
    assert night.bodies(IncidentMoved) == []
    night.expects(juan="which_one")


def test_with_nothing_open_the_second_number_says_so_and_the_first_says_nothing() -> None:
    night = Night(registry(members=CALLED), WITH_CALLS)
    night.does(MemberCalled("juan"))
    night.expects()
    night.does(MemberCalled("juan", going=True))
    night.expects(juan="nothing_open")


def test_strangers_calls_are_counted_to_a_number_and_move_nothing() -> None:
    night = a_night()
    for _ in range(40):
        night.does(MemberCalled(None, going=True))
    assert len(night.bodies(ReplyReceived)) == 12
    assert not any(body.member or body.text_ref for body in night.bodies(ReplyReceived))
    night.ends_quietly()


def test_a_call_about_a_silent_press_shows_nothing_outside_its_circle() -> None:
    circle = [member("vera", Role.TRAINED_VIOLENCE, channels=("sms", "call")) if one.id == "vera" else one for one in MEMBERS]

    def night_with(*, silent: bool) -> Night:
        night = Night(registry(members=circle))
        night.births("b12n1")
        if silent:
            night.press("violence")
            night.all_read()
            night.does(MemberCalled("vera"))
            night.does(MemberCalled("vera", going=True))
            night.does(MemberCalled("juan", going=True))
        else:
            night.passes(s=1)
            night.does(MemberCalled("juan", going=True))
        night.passes(s=30)
        return night

    told = night_with(silent=True)
    assert [body.meaning for body in told.bodies(ReplyReceived, Chain.SEALED)] == ["called", "go"]
    open_side, without = ([body for chain, _, body in one.entries if chain is Chain.OPEN] for one in (told, night_with(silent=False)))
    assert open_side == without


def test_what_calls_did_is_folded_from_the_journal() -> None:
    night = a_night()
    under_way(night)
    night.passes(s=60)
    night.does(CallAnswered(rung(night)["juan"], "1"))
    night.does(MemberCalled("rosa"))
    night.does(MemberCalled(None))
    again = ZoneState()
    for chain, at_ms, body in night.entries:
        again.apply(chain, at_ms, body)
    assert again.callers == night.zone.state.callers
    assert again.notices == night.zone.state.notices
    assert again.incidents == night.zone.state.incidents
