"""Outcomes have consequences: a faulty button's word is verified before the police are told, and nothing else is taken from it."""

import pytest
from msgspec import structs

from controller import messages
from controller.entries import Chain, VerifyFirstEnded, VerifyFirstSet
from controller.messages import Done, Gesture, SirenOn
from controller.rules.console.acts import Close, Judge, Verify, VerifyFirst, VerifyFirstEnd
from controller.rules.inputs import NodeDone, RegistryChanged, Started
from controller.rules.policy import Policy
from controller.rules.remembered import DAY_MS
from controller.rules.zone import ZoneController
from tests.rules.night import FIRST_RING, POLICY, UNHURRIED, Night, registry
from tests.rules.test_lives import folded, picture


def is_faulty(night: Night, kind: str = "panic", node: str = "b12n1", by: str = "rosa") -> None:
    """A press that was the button's own."""
    night.press(kind, node=node)
    night.passes(1)
    night.replies(by, f"2 {night.codes[-1]}")
    assert night.acts("caro" if by == "rosa" else by, Close("faulty-hardware")) == ""
    night.passes(120)
    night.unread.clear()


def test_twice_faulty_it_is_verified_first_and_the_technician_is_told(night: Night) -> None:
    is_faulty(night)
    assert night.bodies(VerifyFirstSet) == []
    night.press("panic")
    night.passes(1)
    assert night.reads("desk") == ["police"]
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    night.all_read()
    assert night.acts("caro", Judge("faulty-hardware")) == ""
    [one] = night.bodies(VerifyFirstSet, Chain.OPEN)
    assert (one.node, one.input, one.by, one.cause, one.until_at_ms) == ("b12n1", "b1", "rules", "faulty-hardware", 0)
    night.expects(tito="fault")


def test_the_police_wait_for_a_second_button_and_nobody_else_waits(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    sounded = len(night.orders())
    night.press("panic")
    night.expects(rosa="alarm", juan="alarm", elva="alarm")
    assert [order.node for order in night.orders()[sounded:] if isinstance(order.order, SirenOn)] == ["b12n2"]
    night.press("panic")
    night.expects()
    night.press("panic", node="b12n2")
    night.expects(desk="police")


@pytest.mark.parametrize("how", ["operator", "on scene", "armed"])
def test_a_word_is_enough_too(night: Night, how: str) -> None:
    is_faulty(night)
    is_faulty(night)
    night.press("panic")
    night.expects(rosa="alarm", juan="alarm", elva="alarm")
    if how == "operator":
        night.acts("desk", Verify())
    else:
        night.replies("juan", "2" if how == "on scene" else "4")
    night.passes(1)
    assert "police" in night.reads("desk")


def test_another_button_of_the_node_is_believed_at_once(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    night.press("fire", name="f1")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_what_is_silent_is_never_verified_first(night: Night) -> None:
    for _ in range(3):
        is_faulty(night, "violence", by="vera")
        night.passes(3600)
    assert night.bodies(VerifyFirstSet) == []
    assert night.acts("caro", VerifyFirst("b12n1", "h1", night.now.utc_ms + DAY_MS, "p-aaaaaaaaaa", "d")) == "input"
    night.press("violence")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_it_holds_over_a_restart_until_the_technician_has_seen_to_it_and_counts_anew(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    assert picture(folded(night.entries)) == picture(night.zone.state)
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))
    assert night.acts("rosa", VerifyFirstEnd("b12n1", "b1")) == "not-yours"
    assert night.acts("tito", VerifyFirstEnd("b12n1", "b1")) == ""
    assert night.acts("tito", VerifyFirstEnd("b12n1", "b1")) == "done"
    night.passes(600)
    assert night.reads("tito") == ["fault_ended"]
    is_faulty(night)
    assert len(night.bodies(VerifyFirstSet)) == 1
    night.press("panic")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_a_walk_in_which_it_is_tried_ends_it_and_what_the_committee_decided_stays(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    until_ms = night.now.utc_ms + 3 * 3_600_000
    assert night.acts("caro", VerifyFirst("b12n2", "b1", until_ms, "p-aaaaaaaaaa", "d")) == ""
    night.replies("elva", "PRUEBA b12")
    for order in [one for one in night.orders() if isinstance(one.order, messages.TestMode)]:
        night.does(NodeDone(order.node, Done(order.boot, order.id, True)))
    for node in ("b12n1", "b12n2"):
        night.press("test", node, gesture=Gesture.TEST, name="b1")
    assert [(one.node, one.by) for one in night.bodies(VerifyFirstEnded)] == [("b12n1", "elva")]
    night.passes(1000)
    night.unread.clear()
    night.press("panic")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_what_was_faulty_long_ago_does_not_count() -> None:
    night = Night(policy=UNHURRIED)
    is_faulty(night)
    night.beating.clear()
    night.passes(31 * 86_400)
    is_faulty(night)
    assert night.bodies(VerifyFirstSet) == []


def test_the_committee_decides_for_a_time_and_on_record(night: Night) -> None:
    until_ms = night.now.utc_ms + 3 * 3_600_000
    for refused in (VerifyFirst("b12n1", "b1", night.now.utc_ms + 91 * DAY_MS, "p-aaaaaaaaaa", "d"),
                    VerifyFirst("b12n1", "b1", until_ms, "", ""), VerifyFirst("b12n1", "b1", night.now.utc_ms, "p-aaaaaaaaaa", "d")):
        assert night.acts("caro", refused) == "decision"
    assert night.acts("tito", VerifyFirst("b12n1", "b1", until_ms, "p-aaaaaaaaaa", "d")) == "not-yours"
    assert night.acts("caro", VerifyFirst("b12n1", "b1", until_ms, "p-aaaaaaaaaa", "d")) == ""
    [one] = night.bodies(VerifyFirstSet)
    assert (one.by, one.cause, one.decision_ref) == ("caro", "decision", "p-aaaaaaaaaa")
    night.press("panic")
    night.expects(rosa="alarm", juan="alarm", elva="alarm")
    night.replies("rosa", "3")
    night.replies("juan", "3")
    night.passes(3 * 3600)
    [ended] = night.bodies(VerifyFirstEnded)
    assert ended.by == "rules"
    night.unread.clear()
    night.press("panic")
    night.expects(**FIRST_RING)


def test_it_ends_with_its_input(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    network = registry(8)
    fewer = {key: one for key, one in network.inputs.items() if key != ("b12n1", "b1")}
    night.does(RegistryChanged(type(network)(network.rev, network.version, network.district, network.zone, network.blocks, network.nodes, fewer,
                                             network.members, network.shifts)))
    night.passes(30)
    assert [one.by for one in night.bodies(VerifyFirstEnded)] == ["rules"]


def test_a_button_that_becomes_a_silent_one_waits_no_more(night: Night) -> None:
    is_faulty(night)
    is_faulty(night)
    network = registry(8)
    inputs = {key: structs.replace(one, kind="violence") if key == ("b12n1", "b1") else one for key, one in network.inputs.items()}
    night.does(RegistryChanged(structs.replace(network, inputs=inputs)))
    night.press("violence", name="b1")
    night.passes(1)
    assert night.reads("desk") == ["police"]


def test_how_often_is_the_policys() -> None:
    night = Night(policy=Policy.parse(POLICY.replace("times = 2 ", "times = 1 ")))
    night.births("b12n1")
    is_faulty(night)
    assert len(night.bodies(VerifyFirstSet)) == 1


def test_an_exercise_says_nothing_about_a_button(night: Night) -> None:
    for _ in range(2):
        night.press("panic", drill=True)
        night.passes(1)
        night.replies("rosa", "2")
        assert night.acts("caro", Close("faulty-hardware")) == ""
        assert night.acts("caro", Judge("faulty-hardware")) == ""
        night.passes(1)
    assert night.bodies(VerifyFirstSet) == []
