"""Stories of single nights in zone 3: what is pressed, who is told, what they answer, and that nobody else hears of it."""

from datetime import time

import pytest
from msgspec import structs

from controller.entries import (
    BadMessageKept,
    Chain,
    ExclusionsInForce,
    FaultRaised,
    IncidentJoined,
    IncidentMoved,
    IncidentOpened,
    NodeAskedRecorded,
    NodeCame,
    NodeWent,
    NoticeMoved,
    PressRecorded,
    RegistryInForce,
    ReplyReceived,
)
from controller.messages import Ask, Gesture, Kept, LightState, NodeFault, Settings, SirenOff, SirenOn
from controller.registry import Input, Role, Shift
from controller.rules.effects import ReleaseText, SendDown
from controller.rules.inputs import (
    BadMessageCame,
    BadMessageSort,
    MemberWrote,
    NodeAsked,
    NoticeReported,
    NoticeTried,
    PartFailed,
    PartRecovered,
    PolicyChanged,
    RegistryChanged,
    Started,
    Tried,
)
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, POLICY, SHIFTS, Night, always, boot_of, member, of, registry
from tests.rules.test_lives import folded


@pytest.fixture
def night() -> Night:
    night = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.expects()
    return night


FIRST_RING = {"rosa": "alarm", "juan": "alarm", "elva": "alarm", "desk": "police"}


def test_a_press_tells_those_on_duty_and_the_police_and_sounds_the_blocks_other_siren(night: Night) -> None:
    press = night.press("panic")
    night.expects(**FIRST_RING)
    [opened] = night.bodies(IncidentOpened)
    assert (opened.block, opened.kind, opened.silent, opened.late, opened.drill) == ("b12", "panic", 0, 0, 0)
    assert [(order.node, type(order.order)) for order in night.orders()] == [("b12n2", SirenOn)]
    assert [receipt.receipt.seq for receipt in night.receipts()] == [press.seq]
    assert {node: light.state for node, light in night.lights.items()} == {
        "b12n1": LightState.OPEN, "b12n2": LightState.OPEN, "b13n1": LightState.NONE}
    assert night.lights["b12n1"].press == of(press)


def test_the_patrol_of_that_very_block_is_told_before_the_others(night: Night) -> None:
    night.press("panic")
    order = sorted(night.queued.values(), key=lambda effect: effect.notice.priority)
    by_priority = [effect.notice.member for effect in order]
    assert by_priority.index("rosa") < by_priority.index("juan")


def test_who_answers_1_takes_it_and_the_others_are_told_who(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    night.replies("rosa", "1")
    night.expects(rosa="taken_you", juan="taken", elva="taken")
    assert night.shown() == {"b12n1": "taken", "b12n2": "taken", "b13n1": "none"}
    night.replies("juan", "  Llegué! ")
    assert night.shown()["b12n1"] == "on-scene"


def test_nobody_answers_and_the_next_ring_is_told_and_then_the_last_one_again_and_again(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    night.passes(s=119)
    night.expects()
    night.passes(s=1)
    night.expects(caro="alarm")
    told = 0
    for _ in range(20):
        night.passes(s=180)
        told += sum(len(night.reads(name)) for name in list(night.unread))
    assert told >= 40


def test_nobody_on_duty_is_no_reason_to_wait() -> None:
    night = Night(registry(shifts=[always("caro", Role.COORDINATOR)]))
    night.press("panic")
    night.passes(s=1)
    night.expects(caro="alarm", desk="police")


def test_further_presses_of_one_emergency_update_and_do_not_tell_again(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    for _ in range(30):
        night.passes(s=1)
        night.press("panic")
    night.press("panic", node="b12n2")
    night.expects()
    assert len(night.bodies(IncidentOpened)) == 1
    assert len(night.bodies(PressRecorded)) == len(night.receipts()) == 32


def test_another_blocks_press_is_another_incident_with_another_code(night: Night) -> None:
    night.press("panic")
    night.press("panic", node="b13n1")
    assert len(set(night.codes)) == 2


def test_a_more_serious_kind_raises_the_incident(night: Night) -> None:
    night.press("medical")
    night.passes(s=1)
    for name in list(night.unread):
        night.reads(name)
    night.press("panic")
    [joined] = night.bodies(IncidentJoined)
    assert joined.kind == "panic"
    night.passes(s=1)
    assert night.reads("desk"), "the police are told of a panic"
    assert night.reads("rosa") == ["raised"]


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


def reads_all(night: Night) -> None:
    night.passes(s=1)
    for name in list(night.unread):
        night.reads(name)


def test_a_taking_that_nobody_follows_is_asked_after_and_then_expires(night: Night) -> None:
    night.press("panic")
    reads_all(night)
    night.replies("rosa", "1")
    reads_all(night)
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


def test_the_light_shows_the_emergency_that_is_least_far(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.press("panic", drill=True)
    night.replies("rosa", f"1 {night.codes[1]}")
    assert night.shown()["b12n1"] == "open"
    night.replies("rosa", f"1 {night.codes[0]}")
    assert night.shown()["b12n1"] == "taken"


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
    picture = folded(night.entries).strangers_at_ms
    assert picture == night.zone.state.strangers_at_ms


def test_without_a_silent_incident_it_is_an_open_one_like_any_other(night: Night) -> None:
    night.does(MemberWrote("sms", None, "1", "p-aaaaaaaaaa", None, "", shared=True, sharers=("rosa", "vera")))
    assert len(night.bodies(ReplyReceived, Chain.OPEN)) == 1
    assert night.reads("") == ["shared"]


def test_the_block_takes_it_back_and_one_still_looks(night: Night) -> None:
    press = night.press("panic")
    night.expects(**FIRST_RING)
    night.passes(s=10)
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(press))
    night.expects(rosa="look", juan="cancelled", elva="cancelled", desk="cancelled")
    night.passes(s=800)
    night.expects()
    night.replies("rosa", "2")
    night.replies("rosa", "3")
    assert night.bodies(IncidentMoved)[-1].to == "closed"


def test_a_cancel_of_the_last_emergency_does_not_end_this_one(night: Night) -> None:
    first = night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.passes(s=60)
    night.press("panic")
    moves = len(night.bodies(IncidentMoved))
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(first))
    assert len(night.bodies(IncidentMoved)) == moves
    for name in list(night.unread):
        night.reads(name)
    night.passes(s=121)
    assert night.reads("caro") == ["alarm"]


def sirens_of(night: Night) -> dict[str, bool]:
    """Which sirens the gateway's orders leave sounding."""
    return {order.node: isinstance(order.order, SirenOn) for order in night.orders()}


def test_the_end_of_a_mistake_does_not_silence_the_call_that_came_after_it(night: Night) -> None:
    mistake = night.press("panic")
    night.passes(s=10)
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(mistake))
    night.passes(s=20)
    night.press("panic")
    assert sirens_of(night) == {"b12n1": False, "b12n2": True}
    before = len(night.orders())
    night.replies("rosa", f"3 {night.codes[0]}")
    assert [moved.to for moved in night.bodies(IncidentMoved)] == ["closed"]
    assert night.orders()[before:] == []
    for name in ("rosa", "juan"):
        night.replies(name, f"3 {night.codes[1]}")
    assert sirens_of(night) == {"b12n1": False, "b12n2": False}


def test_siren_off_says_which_presses_of_the_node_it_knows_of(night: Night) -> None:
    mistake = night.press("panic")
    night.press("violence")
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(mistake))
    assert {order.node: order.order for order in night.orders()} == {"b12n1": SirenOff(2), "b12n2": SirenOff(0)}


def test_held_again_after_the_end_it_goes_on_one_ring_wider(night: Night) -> None:
    first = night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.passes(s=60)
    for name in list(night.unread):
        night.reads(name)
    night.press("panic", gesture=Gesture.REOPEN, refers_to=of(first))
    night.passes(s=2)
    assert len(night.bodies(IncidentOpened)) == 1
    assert night.reads("caro") == ["alarm"]
    assert night.lights["b12n1"].state is LightState.OPEN


def test_an_exercise_is_one_all_the_way(night: Night) -> None:
    night.press("panic", drill=True)
    [opened] = night.bodies(IncidentOpened)
    assert opened.drill == 1
    assert night.orders() == []
    night.press("panic")
    assert [body.drill for body in night.bodies(IncidentOpened)] == [1, 0], "a real press is never part of an exercise"


def test_a_test_press_sounds_nothing_and_calls_no_police(night: Night) -> None:
    night.press("test", gesture=Gesture.TEST)
    night.passes(s=1)
    assert night.reads("desk") == night.reads("caro") == []
    assert night.orders() == []
    assert night.bodies(PressRecorded)[0].meaning == "test"


# --- late ones and their dates


def test_a_late_press_is_told_with_its_time_and_without_sirens(night: Night) -> None:
    night.press("panic", age_s=1200, waited_s=60)
    night.expects(rosa="late", juan="late", elva="late", desk="late")
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_to_at_ms, press.pressed_from_at_ms) == (night.now.utc_ms - 1_260_000, night.now.utc_ms - 1_261_000)
    assert press.late == 1
    assert night.orders() == []


def test_a_fresh_press_during_a_late_one_sounds_all_the_same(night: Night) -> None:
    night.press("panic", age_s=1200)
    night.press("panic")
    assert [body.late for body in night.bodies(IncidentOpened)] == [1, 0]
    assert night.orders()


def test_without_an_age_it_lies_between_the_last_beat_and_the_next_birth(night: Night) -> None:
    night.passes(s=100)
    night.beats("b12n1")
    night.beating.clear()
    heard = night.now.utc_ms
    night.passes(s=50)
    night.births("b12n1", "2")
    born = night.now.utc_ms
    night.passes(s=50)
    night.press("panic", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_from_at_ms, press.pressed_to_at_ms) == (heard, born)


def test_a_silent_one_without_an_age_too(night: Night) -> None:
    night.passes(s=100)
    night.beats("b12n1")
    night.beating.clear()
    heard = night.now.utc_ms
    night.passes(s=50)
    night.births("b12n1", "2")
    born = night.now.utc_ms
    night.passes(s=50)
    night.press("violence", life="1", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert (press.pressed_from_at_ms, press.pressed_to_at_ms) == (heard, born)


def test_of_a_life_nobody_heard_of_the_interval_is_wide_enough(night: Night) -> None:
    night.passes(s=100)
    night.births("b12n1", "3")
    born = night.now.utc_ms
    night.passes(s=700)
    night.press("panic", life="2", age_s=None)
    [press] = night.bodies(PressRecorded)
    assert press.pressed_from_at_ms <= born - 100_000
    assert press.pressed_to_at_ms == born
    assert press.late == 1


@pytest.mark.parametrize("age_s", [4000, 300 * 86_400])
def test_an_age_that_cannot_be_is_refused_and_the_press_is_not(night: Night, age_s: float) -> None:
    night.passes(s=1000)
    night.births("b12n1", "2", uptime_s=60)
    night.press("panic", age_s=age_s, life="2")
    [press] = night.bodies(PressRecorded)
    assert press.age_refused
    assert press.pressed_from_at_ms >= night.now.utc_ms - 1_200_000
    assert press.pressed_to_at_ms == night.now.utc_ms
    assert night.bodies(IncidentOpened)


def test_the_same_number_with_another_body_is_the_nodes_fault_and_told_all_the_same(night: Night) -> None:
    night.press("panic", seq=1)
    night.passes(s=1)
    night.press("panic", node="b12n1", seq=1, name="m1", conflicts_with="d" * 32)
    assert [body.conflicts_with for body in night.bodies(PressRecorded)] == ["", "d" * 32]
    assert [fault.subject for fault in night.bodies(FaultRaised)] == ["node/b12n1"]


def test_two_devices_with_one_name_are_a_fault_and_every_press_of_both_counts(night: Night) -> None:
    for life in ("2", "1", "2", "1", "2"):
        night.passes(s=5)
        night.births("b12n1", life)
    assert [fault.code for fault in night.bodies(FaultRaised)] == ["two-devices-one-name"]
    night.press("panic", life="1")
    night.press("panic", life="2")
    assert len(night.bodies(PressRecorded)) == len(night.receipts()) == 2


def test_an_old_lifes_will_or_memory_does_not_hide_a_newer_birth(night: Night) -> None:
    night.births("b12n1", "2")
    night.dies("b12n1", "1")
    night.births("b12n1", "1", retained=True)
    night.press("panic", node="b12n2")
    assert [(order.node, order.boot) for order in night.orders()] == [("b12n1", night.lights["b12n1"].boot)]
    assert not night.bodies(FaultRaised)


# --- silent ones


def test_a_silent_press_tells_its_circle_and_nobody_else(night: Night) -> None:
    before = night.open_side()
    night.press("violence")
    night.expects(vera="alarm", vilma="alarm", desk="police")
    assert all(chain is Chain.SEALED for chain, _, body in night.entries[-8:] if isinstance(body, PressRecorded | IncidentOpened))
    night.replies("vera", "1")
    night.passes(s=1)
    assert night.reads("vera") == ["taken_you"]
    assert night.reads("vilma") == ["taken"]
    assert night.reads("rosa") == night.reads("caro") == []
    assert night.open_side() == before
    assert all(light.state is LightState.NONE for light in night.lights.values())


def test_a_silent_press_is_no_part_of_an_audible_one_nor_the_reverse(night: Night) -> None:
    night.press("violence")
    night.press("panic")
    night.press("extortion")
    assert [body.kind for body in night.bodies(IncidentOpened)] == ["violence", "panic", "extortion"]


@pytest.mark.parametrize("kinds", [["violence"], ["extortion", "violence"]])
def test_the_open_side_of_a_night_is_the_same_with_silent_presses_and_without(kinds: list[str]) -> None:
    def lives(silent: list[str]) -> list[object]:
        night = Night()
        for node in ("b12n1", "b12n2", "b13n1"):
            night.births(node)
        night.press("panic", node="b13n1")
        for kind in silent:
            night.press(kind)
            night.press(kind, seq=1, conflicts_with="d" * 32)
        night.passes(s=30)
        night.press("panic")
        if silent:
            night.replies("vera", "1")
        if "extortion" in silent:
            night.replies("ema", "jajaja")
        night.passes(s=200)
        night.does(Started("1.0"))
        night.beats("b12n1")
        night.replies("juan", f"1 {night.codes[0]}")
        night.passes(s=4000)
        return night.open_side()

    assert lives(kinds) == lives([])


def test_whom_a_silent_input_excludes_is_told_nothing_by_any_way() -> None:
    people = [*(one for one in MEMBERS if one.id not in {"vera", "desk"}), member("vera", Role.TRAINED_VIOLENCE, Role.COORDINATOR),
              member("desk", Role.POLICE_DESK)]
    night = Night(registry(members=people, excludes=["vera", "desk"]))
    night.press("violence")
    night.expects(vilma="alarm")
    night.replies("vera", f"1 {night.codes[0]}")
    night.replies("desk", "1")
    night.passes(s=1)
    assert night.bodies(IncidentMoved) == []
    assert night.reads("vera") == night.reads("desk") == ["nothing_open"]
    night.replies("vilma", "1")
    night.passes(s=7200)
    assert night.reads("vera") == night.reads("desk") == []


def test_forced_looks_like_a_cancel_and_raises_the_silent_circle() -> None:
    def lives(gesture: Gesture) -> Night:
        night = Night()
        for node in ("b12n1", "b12n2", "b13n1"):
            night.births(node)
        press = night.press("panic")
        night.passes(s=10)
        night.press("panic", gesture=gesture, refers_to=of(press))
        night.passes(s=1)
        return night

    forced, plain = lives(Gesture.FORCED_CANCEL), lives(Gesture.CANCEL)
    assert forced.open_side() == plain.open_side()
    assert forced.reads("ema") == ["alarm"]
    assert plain.reads("ema") == []
    [sealed] = forced.bodies(PressRecorded, Chain.SEALED)
    assert sealed.gesture == "forced"


def test_forced_at_rest_is_a_call_too(night: Night) -> None:
    night.press("panic", gesture=Gesture.FORCED_CANCEL)
    night.passes(s=1)
    assert night.reads("ema") == ["alarm"]
    assert night.reads("rosa") == []


# --- the ways to people


def test_what_fails_for_now_is_tried_again_and_what_fails_for_good_goes_another_way(night: Night) -> None:
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER, why="busy") if one.notice.member == "rosa" and one.attempt < 3
        else NoticeTried(one.notice.id, one.attempt, Tried.NEVER, why="410") if one.notice.channel == "apprise" else None
    )
    night.press("panic")
    night.passes(s=60)
    assert night.reads("rosa") == ["alarm"]
    ways = [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")]
    assert ways == [("sms", "OTHER_WAY")]
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
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("sms", "OTHER_WAY")]
    night.passes(s=89)
    assert "elva" not in night.unread, "once is enough, however often it is tried"
    stuck_s[0] = 0
    night.passes(s=2)
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("apprise", "FIRST")]


def test_what_was_stuck_and_is_given_up_goes_no_other_way_a_second_time(night: Night) -> None:
    night.failing = lambda one: (
        NoticeTried(one.notice.id, one.attempt, Tried.TRY_LATER if one.attempt < 3 else Tried.NEVER, why="unplugged", stuck=one.attempt < 3)
        if one.notice.channel == "apprise" else None)
    night.press("panic")
    night.passes(s=100)
    assert [(one.notice.channel, one.notice.reason) for one in night.unread.pop("elva")] == [("sms", "OTHER_WAY")]


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


# --- nodes and faults


def test_a_node_behind_gets_its_settings_and_one_up_to_date_does_not(night: Night) -> None:
    def sent() -> list[Settings]:
        return [effect.message for effect in night.done if isinstance(effect, SendDown) and isinstance(effect.message, Settings)]

    [*_, last] = sent()
    night.done.clear()
    night.births("b12n1", "2", settings_rev=last.rev)
    assert sent() == []
    night.births("b12n1", "3", settings_rev=last.rev - 1)
    [again] = sent()
    assert again.rev == last.rev
    assert again.inputs["h1"].kind == "violence"


def test_another_policy_raises_the_settings_revision(night: Night) -> None:
    def newest() -> int:
        return max(effect.message.rev for effect in night.done if isinstance(effect, SendDown) and isinstance(effect.message, Settings))

    before = newest()
    night.does(PolicyChanged(Policy.parse(POLICY + "\n")))
    between = newest()
    night.does(RegistryChanged(registry(8)))
    assert before < between < newest()


def test_a_nodes_fault_is_told_once_to_the_technician_and_ends(night: Night) -> None:
    del night.beating["b12n1"]
    for _ in range(5):
        night.passes(s=20)
        night.beats("b12n1", faults=(NodeFault("disk-full"),))
    night.expects(tito="fault")
    night.beats("b12n1")
    assert night.zone.state.faults == {}
    night.expects()
    night.beating["b12n1"] = "1"
    night.passes(s=601)
    night.expects(tito="fault_ended")


def test_a_kind_that_the_policy_does_not_have_is_a_fault_until_one_of_the_two_is_corrected(night: Night) -> None:
    mistyped = dict(night.registry.inputs)
    mistyped["b13n1", "b1"] = Input("b13n1", "b1", "pannic")
    night.does(RegistryChanged(structs.replace(night.registry, rev=8, version="mistyped", inputs=mistyped)))
    night.expects(tito="fault")
    assert [(fault.subject, fault.code) for fault in night.bodies(FaultRaised)] == [("node/b13n1", "unknown-kind:b1")]
    night.births("b13n1")
    night.beats("b13n1")
    assert night.zone.state.faults, "no beat ends what is not the node's to mend"
    night.does(RegistryChanged(structs.replace(night.registry, rev=9, version="corrected")))
    assert night.zone.state.faults == {}
    night.passes(s=601)
    assert night.reads("tito") == ["fault_ended"]


def test_a_node_is_late_after_three_missed_beats() -> None:
    night = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    del night.beating["b13n1"]
    night.passes(s=79)
    night.expects()
    night.passes(s=200)
    night.expects(tito="fault")
    assert [(fault.subject, fault.code) for fault in night.bodies(FaultRaised)] == [("node/b13n1", "late")]
    night.beats("b13n1")
    assert night.zone.state.faults == {}


def test_many_late_at_once_are_one_fault_of_the_zone() -> None:
    night = Night(policy=Policy.parse(POLICY.replace("[times]", "[times]\nmany_late = 3")))
    for node in ("b12n1", "b12n2", "b13n1"):
        night.passes(s=7)
        night.births(node)
    night.beating.clear()
    night.passes(s=600)
    assert [(fault.subject, fault.code) for fault in night.bodies(FaultRaised)] == [("zone/nodes", "many-late")]
    night.expects(tito="fault")
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.passes(s=60)
    assert night.zone.state.faults == {}


def test_a_gateways_part_is_told_once(night: Night) -> None:
    night.does(PartFailed("modem/sim1", "hung"))
    night.does(PartFailed("modem/sim1", "hung"))
    night.passes(s=1)
    assert night.reads("tito") == ["fault"]
    night.does(PartRecovered("modem/sim1", "hung"))
    assert night.zone.state.faults == {}


def test_shifts_of_other_hours_are_not_told() -> None:
    day = Shift("s-day", "z3", "rosa", Role.PATROL, time(6), time(18), blocks=("b12",))
    night = Night(registry(shifts=[day, *[one for one in SHIFTS if one.member != "rosa"]]))
    night.press("panic")
    night.sends()
    assert night.reads("rosa") == []
    assert night.reads("juan") == ["alarm"]


def test_what_never_reached_the_handset_goes_another_way(night: Night) -> None:
    night.press("panic")
    night.expects(**FIRST_RING)
    [one] = [notice for notice in night.notices() if notice.member == "elva"]
    night.does(NoticeReported(one.id, delivered=False, why="expired"))
    night.expects(elva="alarm")
    night.does(NoticeReported(one.id, delivered=False))
    night.expects()


def test_bad_messages_are_counted_and_what_blocks_a_queue_is_receipted_each_time(night: Night) -> None:
    for n in range(50):
        night.does(BadMessageCame(BadMessageSort.UNREADABLE, "b12n1", "cuadra/v1/z3/b12n1/up/press", f"{n:032x}", 9, "not JSON"))
    assert [(body.suppressed) for body in night.bodies(BadMessageKept)] == [0]
    assert [receipt.receipt.kept for receipt in night.receipts()] == [Kept.UNREADABLE] * 50
    night.passes(s=90)
    assert [(body.suppressed) for body in night.bodies(BadMessageKept)] == [0, 49]


def test_a_tap_at_rest_is_answered_with_how_it_stands(night: Night) -> None:
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q1", "b1")))
    night.does(PartFailed("modem/sim1", "hung"))
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q2", "b1")))
    assert [(body.ok, body.why) for body in night.bodies(NodeAskedRecorded)] == [(1, ""), (0, "hung")]
    assert night.bodies(IncidentOpened) == []


def test_what_the_block_says_at_the_end_moves_nothing_and_goes_to_who_has_it(night: Night) -> None:
    press = night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "1")
    for name in list(night.unread):
        night.reads(name)
    night.press("panic", gesture=Gesture.CAME, refers_to=of(press))
    night.expects(rosa="came")
    assert night.shown()["b12n1"] == "taken"


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


def test_a_fire_waits_for_a_second_press_before_the_police_are_told() -> None:
    at_once = 'police = "immediately"\nenough = 2\ncodes = { cid = "110"'
    night = Night(policy=Policy.parse(POLICY.replace(at_once, at_once.replace("immediately", "after-verification"))))
    night.press("fire")
    night.passes(s=1)
    assert night.reads("desk") == []
    night.press("fire")
    night.passes(s=1)
    assert night.reads("desk") == ["police"]


def test_a_wire_cut_at_a_silent_button_is_its_circles_alone(night: Night) -> None:
    night.press("tamper", gesture=Gesture.CUT, name="h1")
    night.passes(s=1)
    assert night.reads("vera") == ["alarm"]
    assert night.reads("tito") == night.reads("rosa") == []
    night.press("tamper", gesture=Gesture.OPENED, name="case")
    night.passes(s=1)
    assert night.reads("rosa") == ["alarm"]
    assert night.shown()["b12n1"] == "none"


def test_who_is_excluded_is_on_record_in_the_sealed_chain_alone_and_once() -> None:
    night = Night(registry(excludes=["vera"]))
    night.does(RegistryChanged(registry(7, excludes=["vera"])))
    night.does(RegistryChanged(registry(7)))
    night.does(RegistryChanged(registry(7)))
    assert not night.bodies(ExclusionsInForce, Chain.OPEN)
    assert [{one.members for one in body.exclusions} for body in night.bodies(ExclusionsInForce, Chain.SEALED)] == [{("vera",)}, set()]
    assert len(night.bodies(RegistryInForce)) == 1, "the open chain shows no such change"


def test_who_is_excluded_later_hears_no_more(night: Night) -> None:
    night.press("violence")
    reads_all(night)
    night.does(RegistryChanged(registry(8, excludes=["vera"])))
    night.replies("vilma", "1")
    night.replies("vera", "3")
    night.passes(s=3600)
    assert night.reads("vera") == ["nothing_open"]


def test_two_that_throw_each_other_out_do_not_fill_the_journal(night: Night) -> None:
    before = len(night.entries)
    for n in range(200):
        night.passes(s=1)
        night.dies("b12n1", "21"[n % 2])  # the broker says so of the one that was thrown out
        night.births("b12n1", "12"[n % 2])
    assert len(night.entries) - before < 30


def test_two_that_throw_each_other_out_as_fast_as_they_can_are_recorded_once_a_minute(night: Night) -> None:
    before = len(night.entries)
    for n in range(600):
        night.passes(s=0.3)
        thrown_out, other = "12"[n % 2], "21"[n % 2]
        night.dies("b12n1", thrown_out)
        night.births("b12n1", other)
        del night.beating["b12n1"]
        night.beats("b12n1", other, uptime_s=100 + n // 3, faults=(NodeFault("disk-full"),) if other == "2" else ())
    minutes = 600 * 0.3 / 60
    of_it = [body for _, _, body in night.entries[before:] if isinstance(body, NodeCame | NodeWent)]
    assert len(of_it) <= 2 * (1 + minutes)
    raised = [body.code for _, _, body in night.entries[before:] if isinstance(body, FaultRaised)]
    assert raised.count("disk-full") <= minutes


def test_a_fault_about_a_silent_press_neither_hides_nor_shows(night: Night) -> None:
    night.press("violence", conflicts_with="d" * 32)
    night.press("violence", conflicts_with="e" * 32)
    night.does(NodeAsked("b12n1", Ask(boot_of("b12n11"), "q1", "b1")))
    assert [(body.ok, body.why) for body in night.bodies(NodeAskedRecorded)] == [(1, "")]
    night.press("panic", conflicts_with="d" * 32)
    assert len(night.bodies(FaultRaised, Chain.OPEN)) == len(night.bodies(FaultRaised, Chain.SEALED)) == 1
