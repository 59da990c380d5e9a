"""What people write back: members, whoever shares a phone, strangers."""


from msgspec import structs

from controller.entries import (
    Chain,
    IncidentMoved,
    IncidentOpened,
    ReplyReceived,
)
from controller.messages import LightState, SirenOff
from controller.rules.effects import ReleaseText
from controller.rules.inputs import (
    MemberWrote,
    NoticeTried,
    Started,
    Tried,
)
from controller.rules.zone import ZoneController
from tests.rules.night import FIRST_RING, Night
from tests.rules.test_lives import folded


def test_who_answers_1_takes_it_and_the_others_are_told_who(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    night.replies("rosa", "1")
    night.expects(rosa="taken_you", juan="taken", elva="taken")
    assert night.shown() == {"b12n1": "taken", "b12n2": "taken", "b13n1": "none"}
    night.replies("juan", "  Llegué! ")
    assert night.shown()["b12n1"] == "on-scene"


def test_with_two_open_a_bare_1_is_asked_which_and_the_code_decides(night: Night) -> None:
    night.press("panic")
    night.press("panic", node="b13n1")
    night.passes(s=1)
    for name in list(night.unread):
        night.reads(name)
    night.replies("juan", "1")
    night.expects(juan="which_one")
    night.replies("juan", f"voy {night.codes[1].lower()}")
    assert night.reads("juan") == ["taken_you"]
    [moved] = night.bodies(IncidentMoved)
    assert (moved.incident, moved.by) == (night.bodies(IncidentOpened)[1].incident, "juan")


def test_one_who_is_alone_with_3_ends_nothing_and_two_do(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.replies("juan", "3")
    assert night.bodies(IncidentMoved) == []
    night.replies("juan", "FALSA")
    assert night.bodies(IncidentMoved) == []
    night.replies("rosa", "falsa alarma")
    [moved] = night.bodies(IncidentMoved)
    assert (moved.to, moved.outcome) == ("closed", "mistake")
    assert isinstance(night.orders()[-1].order, SirenOff)


def test_weapons_are_told_to_everybody_who_may_go_and_to_the_police(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    night.replies("rosa", "1")
    night.passes(s=1)
    for name in list(night.unread):
        night.reads(name)
    night.replies("rosa", "armas")
    night.sends()
    assert night.reads("juan") == night.reads("elva") == night.reads("desk") == ["armed"]


def test_who_had_it_and_cannot_gives_it_back(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "1")
    night.replies("rosa", "0")
    assert night.bodies(IncidentMoved)[-1].to == "opened"
    assert night.lights["b12n1"].state is LightState.OPEN


def test_a_taking_that_nobody_follows_is_asked_after_and_then_expires(night: Night) -> None:
    night.press("panic")
    night.all_read()
    night.replies("rosa", "1")
    night.all_read()
    night.passes(s=900)
    night.expects(rosa="asked")
    night.passes(s=178)
    assert night.shown()["b12n1"] == "taken"
    night.passes(s=3)
    night.expects(caro="alarm")
    assert night.shown()["b12n1"] == "open"


def test_what_was_said_before_a_taking_expired_still_counts(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.replies("juan", "3")
    night.replies("rosa", "1")
    night.passes(s=1200)
    night.replies("elva", "3")
    assert night.bodies(IncidentMoved)[-1].to == "closed"


def test_who_answers_before_their_own_notice_went_out_is_spared_it(night: Night) -> None:
    night.press("panic")
    night.replies("juan", "0")
    night.sends()
    assert night.reads("juan") == ["cannot_you"]


def test_when_it_is_over_nobody_is_called_to_it_any_more(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.failing = lambda one: NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy") if one.notice.member == "caro" else None
    night.passes(s=121)
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.failing = lambda _: None
    night.passes(s=600)
    assert "alarm" not in night.reads("caro")


def test_a_reply_to_yesterdays_incident_says_that_it_is_over(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.passes(s=20 * 3600)
    for name in list(night.unread):
        night.reads(name)
    night.replies("rosa", f"1 {night.codes[0]}")
    night.expects(rosa="already_closed")
    assert night.bodies(IncidentMoved)[-1].to == "closed"


def test_what_nobody_can_read_is_helped_once(night: Night) -> None:
    night.replies("rosa", "jajaja")
    night.expects(rosa="not_understood")
    for _ in range(5):
        night.replies("rosa", "¿qué?")
    night.expects()


def test_a_stranger_is_answered_once_a_day_and_learns_nothing(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    for text in ("hola", "1", f"1 {night.codes[0]}", f"2 {night.codes[0]}"):
        night.replies("+51999000111", text)
    [answer] = [notice for notice in night.notices() if notice.template == "stranger"]
    assert (answer.member, answer.about) == ("", {})
    assert answer.to.startswith("p-")
    night.expects(**{"": "stranger"})
    assert night.shown()["b12n1"] == "open", "nobody has taken it"
    assert len(night.bodies(ReplyReceived)) == 4
    night.passes(s=86_400 - 60)
    night.replies("+51999000111", "hola")
    assert "stranger" not in night.reads("")
    night.passes(s=120)
    night.replies("+51999000111", "hola")
    assert night.reads("") == ["stranger"]


def test_what_strangers_write_does_not_use_up_the_credit(night: Night) -> None:
    for number in range(200):
        night.replies(f"+5199900{number:04}", "hola")
        night.passes(s=17)
    assert len(night.bodies(ReplyReceived)) == 200
    assert len(night.reads("")) == 12
    night.passes(s=3600)
    night.replies("+51998000000", "hola")
    assert night.reads("") == ["stranger"]


def test_a_stranger_waits_until_every_alarm_is_out(night: Night) -> None:
    night.replies("+51999000111", "hola")
    night.press("panic")
    assert max(night.queued.values(), key=lambda one: one.notice.priority).notice.template == "stranger"


def test_a_strangers_answer_outlives_the_gateway_and_is_still_the_only_one(night: Night) -> None:
    night.replies("+51999000111", "hola")
    night.queued.clear()
    night.zone = ZoneController("z3", night.registry, night.policy, night.zone.state)
    night.does(Started("1.0"))
    night.replies("+51999000111", "hola?")
    night.expects(**{"": "stranger"})


def test_a_text_that_is_read_again_after_a_crash_is_the_same_and_is_released_again(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    one = MemberWrote("sms", "rosa", "1", "p-aaaaaaaaaa", None, "", mark="a" * 32, handle="7")
    assert ReleaseText("7") in night.does(one)
    night.expects(rosa="taken_you", juan="taken", elva="taken")
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    assert night.does(structs.replace(one, handle="1")) == [ReleaseText("1")]
    night.does(structs.replace(one, text="0", mark="b" * 32))
    night.expects(rosa="cannot_you", juan="gave_up", elva="gave_up", caro="alarm")
    assert night.does(structs.replace(one, handle="2")) == [ReleaseText("2")], "an older one does not take it again"
    assert len(night.bodies(ReplyReceived)) == 2


def test_a_strangers_text_and_one_about_a_silent_press_are_known_again_too(night: Night) -> None:
    night.press("violence")
    for name in (None, "vera"):
        for handle in ("1", "2"):
            night.does(MemberWrote("sms", name, "1", "p-aaaaaaaaaa", None, "", mark=f"{name}", handle=handle))
    assert [len(night.bodies(ReplyReceived, chain)) for chain in (Chain.OPEN, Chain.SEALED)] == [1, 1]


def test_who_shares_a_number_is_told_that_it_is_nobodys_word(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    night.does(MemberWrote("sms", None, "1", "p-aaaaaaaaaa", None, "", shared=True))
    night.expects(**{"": "shared"})
    assert night.shown()["b12n1"] == "open"


def test_what_is_written_from_a_phone_that_a_circles_member_shares_shows_in_no_open_entry(night: Night) -> None:
    def writes(text: str) -> None:
        night.does(MemberWrote("sms", None, text, "p-aaaaaaaaaa", None, "", shared=True, sharers=("rosa", "vera")))

    night.press("violence")
    night.sends()
    before = [entry for entry in night.entries if entry[0] is Chain.OPEN]
    writes("1")
    night.sends()
    assert night.reads("") == ["shared"]
    assert [entry for entry in night.entries if entry[0] is Chain.OPEN] == before
    assert len(night.bodies(ReplyReceived, Chain.SEALED)) == 1
    picture = folded(night.entries).written.strangers_at_ms
    assert picture == night.zone.state.written.strangers_at_ms


def test_without_a_silent_incident_it_is_an_open_one_like_any_other(night: Night) -> None:
    night.does(MemberWrote("sms", None, "1", "p-aaaaaaaaaa", None, "", shared=True, sharers=("rosa", "vera")))
    assert len(night.bodies(ReplyReceived, Chain.OPEN)) == 1
    assert night.reads("") == ["shared"]


def test_whoever_is_there_is_asked_and_silence_ends_it_at_last(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "2")
    for name in list(night.unread):
        night.reads(name)
    night.passes(s=601)
    night.expects(rosa="how_is_it")
    night.passes(s=6 * 3600)
    assert night.bodies(IncidentMoved)[-1].outcome == "unknown"
    assert night.shown()["b12n1"] == "closed"
