"""The monthly walk: each button is tried by a hand, and what was not for long is reminded of, and then a fault."""

import pytest

from controller import messages
from controller.entries import Chain, FaultEnded, FaultRaised, WalkEnded, WalkReminded
from controller.messages import Done, Gesture
from controller.rules.effects import SendOrder
from controller.rules.inputs import NodeDone
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import Night, registry

DAY_S = 86_400
OPEN_OF_B12 = ("b12n1.b1", "b12n1.f1", "b12n1.m1", "b12n1.t1", "b12n2.b1")


@pytest.fixture
def night() -> Night:
    night = Night()
    for node in ("b12n1", "b12n2"):
        night.births(node)
    night.expects()
    return night


def tries(night: Night, *names: str) -> None:
    """A hand holds these buttons in test mode."""
    for name in names:
        node, _, button = name.partition(".")
        night.press("test", node, gesture=Gesture.TEST, name=button)


def walk_orders(night: Night) -> list[SendOrder]:
    return [order for order in night.orders() if isinstance(order.order, messages.TestMode)]


def month(night: Night, days: float = 30.6) -> None:
    """Days go by, without the 20 s of each beat in between."""
    for _ in range(int(days)):
        night.passed_ms += DAY_S * 1000
        for node in night.beating:
            night.beats(node)
        night.passes(60)


def of_walks(night: Night, name: str) -> list[str]:
    return [one.notice.template for one in night.unread.get(name, []) if one.notice.template.startswith("walk")]


def test_the_representative_goes_from_button_to_button_and_hears_at_the_last_that_all_are_tried(night: Night) -> None:
    night.replies("elva", "Prueba B12")
    assert sorted(order.node for order in walk_orders(night)) == ["b12n1", "b12n2"]
    for order in walk_orders(night):
        night.does(NodeDone(order.node, Done(order.boot, order.id, True)))
    night.expects(elva=["test_mode_you", "test_mode_you"])
    tries(night, *OPEN_OF_B12[:-1])
    night.expects()
    tries(night, OPEN_OF_B12[-1])
    night.expects(elva="walk_done_you")
    assert night.bodies(WalkEnded) == [WalkEnded("b12")]
    night.ends_quietly(1200)


def test_at_the_end_of_the_test_mode_one_text_says_what_is_left(night: Night) -> None:
    night.replies("elva", "prueba b12")
    tries(night, "b12n1.b1")
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    night.zone = ZoneController("z3", night.registry, night.policy, state)
    night.passes(899)
    assert not night.bodies(WalkEnded)
    night.passes(2)
    assert night.bodies(WalkEnded) == [WalkEnded("b12", OPEN_OF_B12[1:])]
    assert [one.notice.about["codes"] for one in night.unread["elva"] if one.notice.template == "walk_left_you"] == [
        " ".join(OPEN_OF_B12[1:])]


@pytest.mark.parametrize(("name", "text"), [("rosa", "prueba b12"), ("elva", "prueba b13"), ("elva", "prueba b12n1")])
def test_nobody_else_tests_a_block_and_a_representative_no_other_one(night: Night, name: str, text: str) -> None:
    night.replies(name, text)
    assert not walk_orders(night)
    night.expects(**{name: "not_understood"})


def test_what_no_hand_tried_for_a_month_is_one_text_a_block_and_a_week_later_a_fault(night: Night) -> None:
    month(night, 29)
    assert not night.bodies(WalkReminded)
    month(night, 2)
    assert [body for body in night.bodies(WalkReminded, Chain.OPEN) if body.block == "b12"] == [WalkReminded("b12", OPEN_OF_B12)]
    assert of_walks(night, "elva") == ["walk_due"]
    assert not [body for body in night.bodies(FaultRaised) if body.code == "walk-overdue"]
    month(night, 8)
    assert [body.subject for body in night.bodies(FaultRaised, Chain.OPEN) if body.code == "walk-overdue"] == ["block/b12", "block/b13"]
    assert of_walks(night, "elva") == ["walk_due"] * 2, "reminded once a week, not once a day"
    night.replies("elva", "prueba b12")
    tries(night, *OPEN_OF_B12)
    ended = {body.fault for body in night.bodies(FaultEnded)}
    assert [body.subject for body in night.bodies(FaultRaised, Chain.OPEN) if body.code == "walk-overdue" and body.fault in ended] == ["block/b12"]


def test_a_press_in_earnest_proves_its_button_too(night: Night) -> None:
    month(night, 20)
    night.press("panic", "b12n1")
    night.press("panic", "b12n2", gesture=Gesture.CANARY, name="canary")
    month(night, 11)
    [reminded] = [body for body in night.bodies(WalkReminded, Chain.OPEN) if body.block == "b12"]
    assert "b12n1.b1" not in reminded.inputs
    assert "b12n2.b1" in reminded.inputs


def test_of_a_silent_button_only_its_circle_is_reminded_and_that_it_was_tried_shows_nowhere() -> None:
    def side(press: bool) -> Night:
        night = Night(registry(excludes=["vilma"]))
        night.births("b12n1")
        night.births("b12n2")
        month(night, 10)
        if press:
            night.press("violence", "b12n1")
            night.press("violence", "b12n2")
            night.press("extortion", "b12n1")
        month(night, 29)
        return night

    pressed, not_pressed = side(press=True), side(press=False)
    assert pressed.open_side() == not_pressed.open_side()
    assert not pressed.bodies(WalkReminded, Chain.SEALED)
    assert of_walks(not_pressed, "vera") == of_walks(not_pressed, "ema") == ["walk_due_secret"] * 2
    assert not of_walks(not_pressed, "vilma"), "who is excluded hears nothing of it"
    assert not of_walks(not_pressed, "desk")
    assert [body.code for body in not_pressed.bodies(FaultRaised, Chain.SEALED)] == ["walk-overdue"]
