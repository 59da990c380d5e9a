"""A technician with a ladder and a cheap phone: test mode and the siren, by text."""

import pytest

from controller import messages
from controller.entries import Chain, FaultRaised, OrderSent, ReplyReceived
from controller.messages import AnyOrder, Done, SirenTest
from controller.registry import Role
from controller.rules.effects import SendOrder
from controller.rules.inputs import MemberWrote, NodeDone
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import MEMBERS, Night, boot_of, member, ref_of, registry
from tests.rules.test_lives import folded, picture


@pytest.fixture
def night() -> Night:
    night = Night()
    night.births("b12n1")
    return night


def given(night: Night) -> tuple[SendOrder, AnyOrder]:
    order = night.orders()[-1]
    return order, order.order


def answers(night: Night, order: SendOrder, why: str = "") -> None:
    night.does(NodeDone(order.node, Done(order.boot, order.id, not why, why)))


def test_presses_are_tests_once_the_node_has_said_so(night: Night) -> None:
    night.replies("tito", "Prueba B12N1")
    order, what = given(night)
    assert (order.node, order.boot, what) == ("b12n1", boot_of("b12n11"), messages.TestMode(900))
    night.expects()
    answers(night, order)
    night.expects(tito="test_mode_you")
    assert [(body.order, body.by) for body in night.bodies(OrderSent)][-1] == ("test-mode", "tito")
    night.ends_quietly(60)


def test_a_node_that_starts_anew_is_in_no_test_mode_and_the_technician_hears_it(night: Night) -> None:
    night.replies("tito", "PRUEBA b12n1")
    answers(night, given(night)[0])
    night.expects(tito="test_mode_you")
    night.births("b12n1", "2")
    night.expects(tito="test_mode_over_you")
    night.births("b12n1", "3")
    night.expects()


@pytest.mark.parametrize("ended", [True, False])
def test_a_test_mode_that_is_over_is_not_ended_again(night: Night, ended: bool) -> None:
    night.replies("tito", "PRUEBA b12n1")
    answers(night, given(night)[0])
    if ended:
        night.replies("tito", "PRUEBA b12n1 FIN")
        answers(night, given(night)[0])
    else:
        night.passes(901)
    night.all_read()
    night.births("b12n1", "2")
    night.expects()


def test_it_can_be_ended_sooner(night: Night) -> None:
    night.replies("tito", "PRUEBA b12n1 fin")
    order, what = given(night)
    assert what == messages.TestMode(0)
    answers(night, order)
    night.expects(tito="test_mode_over_you")


def test_the_siren_sounds_once_unless_it_sounds_in_earnest(night: Night) -> None:
    night.replies("caro", "sirena b12n1")
    order, what = given(night)
    assert what == SirenTest()
    answers(night, order, "the siren sounds in earnest")
    night.expects(caro="order_refused_you")


@pytest.mark.parametrize("node", ["b12n2", "nodo"])
def test_a_node_that_is_not_there_is_told_at_once(night: Night, node: str) -> None:
    night.replies("tito", f"PRUEBA {node}")
    night.expects(tito="node_away_you")
    assert not night.orders()


def test_a_node_that_does_not_answer_is_told_within_a_minute_and_once(night: Night) -> None:
    night.replies("tito", "PRUEBA b12n1")
    night.passes(60)
    night.expects(tito="node_away_you")
    answers(night, given(night)[0])
    night.ends_quietly(60)


@pytest.mark.parametrize(("name", "text"), [
    ("rosa", "PRUEBA b12n1"), ("tito", "PRUEBA"), ("tito", "prueba b12n1 de nuevo"), ("tito", "SIRENA b12n1 FIN"),
])
def test_nobody_else_and_nothing_else_commands_a_node(night: Night, name: str, text: str) -> None:
    night.replies(name, text)
    assert not night.orders()
    night.expects(**{name: "not_understood"})


def test_what_was_asked_is_on_record_and_lasts_through_a_restart(night: Night) -> None:
    night.replies("tito", "PRUEBA b12n1")
    assert [(body.member, body.meaning) for body in night.bodies(ReplyReceived, Chain.OPEN)] == [("tito", "test-mode")]
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    night.zone = ZoneController("z3", night.registry, night.policy, state)
    answers(night, given(night)[0])
    night.expects(tito="test_mode_you")


@pytest.mark.parametrize("node", ["b12n1", "b12n2"])
def test_an_answer_goes_to_the_number_that_the_order_came_from(node: str) -> None:
    night = Night(registry(members=[*(one for one in MEMBERS if one.id != "tito"), member("tito", Role.TECHNICIAN, channels=("sms", "sms"))]))
    night.births("b12n1")
    night.does(MemberWrote("sms", "tito", f"PRUEBA {node}", ref_of("tito", "sms", 1), None, ""))
    if node == "b12n1":
        answers(night, given(night)[0])
    night.sends()
    assert [one.notice.about.get("contact") for one in night.unread["tito"]] == ["1"]


@pytest.mark.parametrize(("who", "words"), [("elva", "PRUEBA b12"), ("tito", "PRUEBA b12n1"), ("caro", "PRUEBA b12n1")])
def test_nobody_mutes_a_block_for_long_by_test_mode_after_test_mode_nor_unseen(night: Night, who: str, words: str) -> None:
    for _ in range(20):
        night.replies(who, words)
        night.passes(890)
    orders = [body for body in night.bodies(OrderSent) if body.order == "test-mode"]
    assert len(orders) == 6, "an hour and a half in a day"
    assert night.reads(who).count("test_mode_often_you") == 14
    raised = [body for body in night.bodies(FaultRaised) if body.code == "tested-often"]
    assert {body.subject for body in raised} == {"node/b12n1"}
    assert "fault" in night.reads("caro" if who != "caro" else "tito"), "another one hears of it"
    assert picture(folded(night.entries)) == picture(night.zone.state)
    night.passes(86_400)
    night.replies(who, words)
    assert [body.order for body in night.bodies(OrderSent)][-1] == "test-mode", "the next day it may be tested again"


def test_twice_in_a_day_is_nobodys_business(night: Night) -> None:
    for _ in range(2):
        night.replies("tito", "PRUEBA b12n1")
        answers(night, given(night)[0])
        night.passes(890)
    night.expects(tito=["test_mode_you", "test_mode_you"])
