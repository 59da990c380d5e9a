"""Nodes and parts: settings, signs of life, faults, bad messages."""


from msgspec import structs

from controller.entries import (
    BadMessageKept,
    FaultRaised,
    IncidentOpened,
    NodeAskedRecorded,
)
from controller.messages import Ask, Kept, NodeFault, Settings
from controller.registry import Input
from controller.rules.effects import SendDown
from controller.rules.inputs import (
    BadMessageCame,
    BadMessageSort,
    NodeAsked,
    PartFailed,
    PartRecovered,
    PolicyChanged,
    RegistryChanged,
)
from controller.rules.policy import Policy
from tests.rules.night import POLICY, Night, boot_of, registry


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


def test_the_faults_of_a_node_that_is_taken_out_of_the_registry_end_with_it_and_begin_anew_when_it_is_back(night: Night) -> None:
    def falls_silent() -> None:
        night.beats("b12n2", "2", faults=(NodeFault("disk-full"), NodeFault("stuck", "h1")))
        del night.beating["b12n2"]
        night.passes(120)

    night.test_answer = "battery"
    night.births("b12n2", "2")
    night.test_answer = ""
    falls_silent()
    standing = {code for subject, code in (*night.zone.state.fault_of, *night.zone.state.sealed_faults) if subject == "node/b12n2"}
    assert {"test-failed", "late", "disk-full", "stuck:h1"} <= standing
    whole = registry(8)
    night.does(RegistryChanged(structs.replace(whole, nodes={name: node for name, node in whole.nodes.items() if name != "b12n2"},
                                               inputs={key: one for key, one in whole.inputs.items() if key[0] != "b12n2"})))
    night.passes(5 * 86_400)
    assert night.zone.state.fault_of == night.zone.state.sealed_faults == {}
    night.unread.clear()
    night.passes(2 * 86_400)
    night.expects()
    night.does(RegistryChanged(registry(9)))
    night.births("b12n2", "2")
    falls_silent()
    assert {"late", "disk-full"} <= {code for _, code in night.zone.state.fault_of}


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
    night.expects(tito="fault", caro="fault")
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
