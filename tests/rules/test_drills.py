"""Exercises: planned, confirmed, begun at their hour, marked in all that comes of them, and ended by themselves."""

from typing import Any

import pytest

from controller.entries import (
    Chain,
    DrillBegan,
    DrillEnded,
    IncidentMoved,
    IncidentOpened,
    NoticesQueued,
    OrderSent,
    PressRecorded,
)
from controller.messages import DRILL, Drill, Gesture, Press, SirenOn, digest_of, encode
from controller.rules.effects import SendOrder
from controller.rules.inputs import DrillOrdered, PressArrived, Started
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import BEGAN_MS, Night, of

HOUR_S = 3600


class Exercises(Night):
    """A night whose nodes do as they are told in an exercise."""

    def does(self, event: Any) -> list[Any]:  # noqa: ANN401 (Night's own)
        effects = super().does(event)
        for effect in effects:
            if isinstance(effect, SendOrder) and isinstance(effect.order, Drill):
                self.presses_for(effect)
        return effects

    def presses_for(self, order: SendOrder) -> None:
        seq = self._seqs[order.boot] = self._seqs.get(order.boot, 0) + 1
        assert isinstance(order.order, Drill)
        made = Press(order.boot, seq, DRILL, order.order.kind, Gesture.DRILL, drill=True)
        self.does(PressArrived(order.node, made, digest_of(encode(made)), 0))

    def opened(self) -> list[tuple[str, int]]:
        return [(body.block, body.drill) for body in self.bodies(IncidentOpened)]

    def texts(self) -> dict[str, list[str]]:
        """What came to everybody since the last look."""
        self.sends()
        return {name: self.reads(name) for name in list(self.unread)}


@pytest.fixture
def night() -> Exercises:
    night = Exercises()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.expects()
    return night


def asks(night: Exercises, text: str = "simulacro b12") -> str:
    """A coordinator asks for one; the code of the answer."""
    night.replies("caro", text)
    night.sends()
    [answer] = night.unread.pop("caro")
    assert answer.notice.template == "drill_confirm_you"
    assert answer.notice.about["drill"] == "1"
    return answer.notice.about["code"]


def test_a_coordinator_asks_for_one_confirms_it_and_it_runs_and_ends_by_itself(night: Exercises) -> None:
    code = asks(night)
    night.ends_quietly(120)
    night.replies("caro", f"Simulacro {code}")
    night.expects(caro="drill_planned_you")
    night.passes(1)
    night.passes(60)
    assert night.opened() == [("b12", 1)], "one press a block, whatever nodes it has"
    assert night.texts() == {"rosa": ["alarm"], "juan": ["alarm"], "elva": ["alarm"], "desk": ["police"]}
    assert [body.order for body in night.bodies(OrderSent) if body.drill] == ["drill"]
    assert not [order for order in night.orders() if isinstance(order.order, SirenOn)], "no siren"
    assert set(night.shown().values()) <= {"none"}, "no light"
    night.replies("rosa", "1")
    night.passes(1900)
    assert [(body.to, body.outcome) for body in night.bodies(IncidentMoved)][-1] == ("closed", "drill")
    assert [body.by for body in night.bodies(DrillEnded)] == ["rules"]
    assert night.texts()["rosa"][-1] == "closed"
    night.ends_quietly(6 * HOUR_S)


@pytest.mark.parametrize("text", ["simulacro", "simulacro b99", "simulacro b12 25:00", "simulacro K7F3"])
def test_what_is_no_exercise_is_not_understood(night: Exercises, text: str) -> None:
    night.replies("caro", text)
    night.expects(caro="not_understood")


def test_nobody_else_orders_one_and_nobody_else_confirms_it(night: Exercises) -> None:
    night.replies("rosa", "simulacro b12")
    night.expects(rosa="not_understood")
    code = asks(night)
    night.replies("rosa", f"simulacro {code}")
    night.passes(2 * HOUR_S)
    assert not night.bodies(DrillBegan)


def test_a_confirmation_that_comes_too_late_confirms_nothing(night: Exercises) -> None:
    code = asks(night)
    night.passes(601)
    night.replies("caro", f"simulacro {code}")
    night.passes(HOUR_S)
    assert not night.bodies(DrillBegan)


def test_it_can_be_called_off_and_ended_early(night: Exercises) -> None:
    night.replies("caro", f"simulacro {asks(night)}")
    night.replies("caro", "simulacro fin")
    night.expects(caro=["drill_planned_you", "drill_over_you"])
    night.passes(HOUR_S)
    assert not night.bodies(DrillBegan)
    night.replies("caro", f"simulacro {asks(night)}")
    night.passes(120)
    night.replies("caro", "simulacro fin")
    assert [body.outcome for body in night.bodies(IncidentMoved) if body.to == "closed"] == ["drill"]
    night.passes(HOUR_S)
    assert len(night.bodies(DrillEnded)) == 2


def test_the_whole_zone_at_an_hour_with_sirens(night: Exercises) -> None:
    night.replies("caro", f"simulacro {asks(night, 'SIMULACRO zona 22:00 sirenas')}")
    night.passes(45 * 60)
    assert not night.bodies(DrillBegan)
    night.passes(2 * 60)
    assert sorted(night.opened()) == [("b12", 1), ("b13", 1)]
    sirens = [order for order in night.orders() if isinstance(order.order, SirenOn)]
    assert sorted(order.node for order in sirens) == ["b12n1", "b12n2", "b13n1"]
    assert all(isinstance(order.order, SirenOn) and order.order.drill for order in sirens)
    assert all(body.drill for body in night.bodies(OrderSent) if body.order == "siren-on")


def test_a_press_in_earnest_is_never_part_of_it_nor_ended_with_it(night: Exercises) -> None:
    night.replies("caro", f"simulacro {asks(night)}")
    night.passes(120)
    pressed = night.press("panic", "b12n2")
    assert night.opened() == [("b12", 1), ("b12", 0)]
    assert night.shown()["b12n2"] == "open"
    night.passes(2000)
    assert [body.incident for body in night.bodies(IncidentMoved) if body.to == "closed"] == [night.bodies(IncidentOpened)[0].incident]
    night.press("panic", "b12n1", gesture=Gesture.REOPEN, refers_to=of(night_press(night)))
    assert night.bodies(PressRecorded)[-1].meaning in {"opens", "joins"}, "a hold after an exercise never reopens it"
    assert pressed.drill is False


def night_press(night: Exercises) -> Press:
    """The exercise's own press."""
    [body] = [body for body in night.bodies(PressRecorded) if body.gesture == "drill"]
    return Press(body.boot, body.seq, body.input, body.kind, Gesture.DRILL, drill=True)


def test_a_press_of_an_exercise_that_is_over_opens_nothing(night: Exercises) -> None:
    made = Press("a" * 32, 1, DRILL, "panic", Gesture.DRILL, drill=True)
    night.does(PressArrived("b12n1", made, digest_of(encode(made)), 0))
    assert not night.opened()
    night.ends_quietly(60)


def test_one_that_is_repeated_stands_over_a_restart_and_keeps_its_hour(night: Exercises) -> None:
    night.does(DrillOrdered("caro", "block", "b13", "fire", BEGAN_MS + HOUR_S * 1000, lasts_s=600, every_days=7))
    for week in (1, 2):
        state = ZoneState()
        for chain, at_ms, body in night.entries:
            state.apply(chain, at_ms, body)
        night.zone = ZoneController("z3", night.registry, night.policy, state)
        night.does(Started("1.0"))
        night.passes(2 * HOUR_S if week == 1 else 7 * 24 * HOUR_S)
        assert len(night.bodies(DrillBegan)) == len(night.bodies(DrillEnded)) == week
    began = [at_ms for _, at_ms, body in night.entries if isinstance(body, DrillBegan)]
    assert [(at_ms - BEGAN_MS) // 1000 for at_ms in began] == [HOUR_S, HOUR_S + 7 * 24 * HOUR_S]
    assert night.opened() == [("b13", 1), ("b13", 1)]


def test_every_text_of_it_is_about_an_exercise(night: Exercises) -> None:
    night.replies("caro", f"simulacro {asks(night)}")
    night.passes(120)
    night.replies("rosa", "2")
    night.replies("rosa", "4")
    night.passes(2000)
    drills = {body.incident for body in night.bodies(IncidentOpened) if body.drill}
    for body in night.bodies(NoticesQueued, Chain.OPEN):
        assert body.incident in drills or all(one.about.get("drill") == "1" for one in body.notices), body
