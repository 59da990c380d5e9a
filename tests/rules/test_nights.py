"""Stories of single nights in zone 3: what is pressed, who is told, how it goes on and how it ends."""

from datetime import time

from controller.entries import (
    IncidentJoined,
    IncidentMoved,
    IncidentOpened,
    PressRecorded,
)
from controller.messages import Gesture, LightState, SirenOff, SirenOn
from controller.registry import Role, Shift
from controller.rules.policy import Policy
from tests.rules.night import FIRST_RING, POLICY, SHIFTS, Night, always, of, registry


def sirens_of(night: Night) -> dict[str, bool]:
    """Which sirens the gateway's orders leave sounding."""
    return {order.node: isinstance(order.order, SirenOn) for order in night.orders()}


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


def test_the_light_shows_the_emergency_that_is_least_far(night: Night) -> None:
    night.press("panic")
    night.passes(s=1)
    night.press("panic", drill=True)
    night.replies("rosa", f"1 {night.codes[1]}")
    assert night.shown()["b12n1"] == "open"
    night.replies("rosa", f"1 {night.codes[0]}")
    assert night.shown()["b12n1"] == "taken"


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


def test_siren_off_names_the_presses_that_others_have_overtaken(night: Night) -> None:
    cancelled = night.press("panic", seq=4)
    night.press("fire", seq=2)
    night.press("panic", gesture=Gesture.CANCEL, refers_to=of(cancelled), seq=5)
    for name in ("rosa", "juan"):
        night.replies(name, f"3 {night.codes[-1]}")
    assert {order.node: order.order for order in night.orders()}["b12n1"] == SirenOff(5, missing=(1, 3))


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


def test_shifts_of_other_hours_are_not_told() -> None:
    day = Shift("s-day", "z3", "rosa", Role.PATROL, time(6), time(18), blocks=("b12",))
    night = Night(registry(shifts=[day, *[one for one in SHIFTS if one.member != "rosa"]]))
    night.press("panic")
    night.sends()
    assert night.reads("rosa") == []
    assert night.reads("juan") == ["alarm"]


def test_what_the_block_says_at_the_end_moves_nothing_and_goes_to_who_has_it(night: Night) -> None:
    press = night.press("panic")
    night.passes(s=1)
    night.replies("rosa", "1")
    for name in list(night.unread):
        night.reads(name)
    night.press("panic", gesture=Gesture.CAME, refers_to=of(press))
    night.expects(rosa="came")
    assert night.shown()["b12n1"] == "taken"


def test_a_fire_waits_for_a_second_press_before_the_police_are_told() -> None:
    at_once = 'police = "immediately"\nenough = 2\ncodes = { cid = "110"'
    night = Night(policy=Policy.parse(POLICY.replace(at_once, at_once.replace("immediately", "after-verification"))))
    night.press("fire")
    night.passes(s=1)
    assert night.reads("desk") == []
    night.press("fire")
    night.passes(s=1)
    assert night.reads("desk") == ["police"]
