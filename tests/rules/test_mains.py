"""Nights without mains: a power cut is one notice, a pulled plug is the representative's, and a press is told as fast as ever."""

import time
from typing import Any

import pytest
from msgspec import structs

from controller.entries import FaultEnded, FaultRaised, IncidentOpened, OutageSpread
from controller.registry import Block, Input, Node, Registry
from controller.rules.calling.neighbours import NEAR_M, Neighbourhood
from controller.rules.inputs import Started
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from tests.rules.night import FIRST_RING, POLICY, Night, registry
from tests.rules.test_lives import folded


def street(blocks: int, *, metres_apart: float | None = None) -> Registry:
    """A registry with so many more blocks of one node each, along a line where their places are known."""
    whole = registry()
    names = [f"c{n:04}" for n in range(blocks)]
    at: list[dict[str, Any]] = [
        {} if metres_apart is None else {"latitude": -12.16, "longitude": -76.94 + n * metres_apart / 108_700} for n in range(blocks)]
    return structs.replace(
        whole,
        blocks={**whole.blocks, **{name: Block(name, "z3", f"Mz {name}", "cancha", **at[n]) for n, name in enumerate(names)}},
        nodes={**whole.nodes, **{f"{name}n1": Node(f"{name}n1", "z3", name, "0" * 64) for name in names}},
        inputs={**whole.inputs, **{(f"{name}n1", "b1"): Input(f"{name}n1", "b1", "panic") for name in names}},
    )


class Dark(Night):
    """A night in which nodes say of their mains what `mains` has; those that it does not have do not measure it."""

    def __init__(self, network: Registry, policy: Policy | None = None) -> None:
        self.mains: dict[str, bool] = {}
        super().__init__(network, policy)
        for node in network.nodes:
            if node.startswith("c"):
                self.mains[node] = True
                self.births(node)
        self.passes(120)
        self.all_read()

    def beats(self, node: str, life: str = "1", **said: Any) -> None:  # noqa: ANN401 (fields of Beat)
        super().beats(node, life, **{"mains": self.mains.get(node), **said})

    def lose(self, *nodes: str) -> None:
        """They say at once that their mains is gone."""
        for node in nodes:
            self.mains[node] = False
            self.beats(node)

    def faults(self) -> set[tuple[str, str]]:
        return set(self.zone.state.fault_of)

    def restarts(self) -> None:
        self.zone = ZoneController("z3", self.registry, self.policy, folded(self.entries))
        self.queued.clear()
        self.does(Started("1.0"))


OUTAGE = ("zone/mains", "outage")


def test_a_pulled_plug_is_told_to_the_blocks_representative_after_half_an_hour() -> None:
    night = Dark(street(4, metres_apart=50))
    night.lose("c0002n1")
    night.passes(1780)
    night.expects()
    night.passes(60)
    assert night.faults() == {("node/c0002n1", "unplugged")}
    # Nobody represents that block alone; the one of the zone's only block does not either.
    night.expects(tito="fault")


def test_it_is_told_to_nobody_when_the_plug_is_back_before() -> None:
    night = Dark(street(4, metres_apart=50))
    night.lose("c0002n1")
    night.passes(1200)
    night.mains["c0002n1"] = True
    night.ends_quietly(3600)
    assert night.faults() == set()


def test_the_representative_of_the_block_hears_it() -> None:
    night = Dark(street(4))
    for node in ("b12n1", "b12n2"):
        night.mains[node] = True
        night.births(node)
    night.passes(120)
    night.all_read()
    night.lose("b12n1")
    night.passes(1860)
    night.expects(elva="fault")
    night.mains["b12n1"] = True
    night.passes(660)
    night.expects(elva="fault_ended")


def test_a_power_cut_is_one_notice_with_the_blocks_that_it_has_reached() -> None:
    night = Dark(street(20))
    night.lose(*(f"c{n:04}n1" for n in range(12)))
    night.passes(60)
    assert night.faults() == {OUTAGE}
    assert {name: [(one.notice.template, one.notice.about["count"]) for one in got] for name, got in night.unread.items()} == {
        "tito": [("outage", "12")], "caro": [("outage", "12")]}
    assert night.unread["tito"][0].notice.about["blocks"].split()[:2] == ["c0000", "c0001"]
    night.unread.clear()
    night.ends_quietly(3600)
    night.mains.update(dict.fromkeys(night.mains, True))
    night.passes(660)
    night.expects(tito="fault_ended", caro="fault_ended")
    assert night.faults() == set()


def test_it_is_told_anew_when_it_has_grown_much_and_not_at_each_block() -> None:
    night = Dark(street(40))
    for n in range(3):
        night.lose(f"c{n:04}n1")
    night.passes(60)
    night.expects(tito="outage", caro="outage")
    for n in range(3, 40):
        night.lose(f"c{n:04}n1")
        night.passes(60)
    # From 3 blocks to 6, 12, 24.
    night.expects(tito=["outage"] * 3, caro=["outage"] * 3)
    assert sum(len(body.blocks) for body in night.bodies(OutageSpread)) == 40


def test_an_unplugged_node_is_no_part_of_the_power_cut_in_another_street() -> None:
    night = Dark(street(20, metres_apart=50))
    night.lose("c0019n1")
    night.passes(300)
    night.lose(*(f"c{n:04}n1" for n in range(8)))
    night.passes(60)
    assert night.faults() == {OUTAGE, ("node/c0019n1", "unplugged")}
    assert "c0019" not in {block for body in night.bodies(OutageSpread) for block in body.blocks}


def test_who_says_it_first_in_a_power_cut_is_not_unplugged() -> None:
    night = Dark(street(20, metres_apart=50))
    night.lose("c0003n1")
    night.passes(70)
    assert night.faults() == {("node/c0003n1", "unplugged")}
    night.lose("c0002n1", "c0004n1", "c0005n1")
    night.passes(80)
    assert night.faults() == {OUTAGE}
    night.passes(3600)
    night.expects(tito="outage", caro="outage")


def test_who_was_told_to_be_unplugged_stays_so_in_the_power_cut_that_follows() -> None:
    night = Dark(street(20, metres_apart=50))
    night.lose("c0003n1")
    night.passes(1860)
    night.expects(tito="fault")
    night.lose(*(f"c{n:04}n1" for n in range(8) if n != 3))
    night.passes(900)
    night.expects(tito="outage", caro="outage")
    assert night.faults() == {OUTAGE, ("node/c0003n1", "unplugged")}


def test_where_the_others_have_mains_again_one_without_is_unplugged_from_then_on() -> None:
    night = Dark(street(10, metres_apart=50))
    night.lose(*(f"c{n:04}n1" for n in range(8)))
    night.passes(3600)
    night.all_read()
    night.mains.update({node: node == "c0003n1" or mains for node, mains in night.mains.items()})
    night.mains.update(dict.fromkeys(night.mains, True) | {"c0003n1": False})
    night.passes(700)
    night.expects(tito="fault_ended", caro="fault_ended")
    assert night.faults() == {("node/c0003n1", "unplugged")}
    night.passes(1800)
    night.expects(tito="fault")


def test_batteries_that_run_empty_end_no_power_cut_and_are_no_further_notices() -> None:
    night = Dark(street(20))
    night.lose(*(f"c{n:04}n1" for n in range(8)))
    night.passes(60)
    night.expects(tito="outage", caro="outage")
    for n in range(8):
        del night.beating[f"c{n:04}n1"]
    night.ends_quietly(3600)
    assert OUTAGE in night.faults()
    assert len([key for key in night.faults() if key[1] == "late"]) == 8
    for n in range(7):
        night.mains[f"c{n:04}n1"] = True
        night.births(f"c{n:04}n1", "2")
    night.passes(700)
    # The one that did not come back is told when the power cut is over.
    assert night.faults() == {("node/c0007n1", "late"), ("node/c0007n1", "unplugged")}
    night.expects(tito=["fault", "fault_ended"], caro="fault_ended")


@pytest.mark.parametrize("passed_s", [5, 600])
def test_a_restart_in_the_dark_says_nothing_anew(passed_s: int) -> None:
    night = Dark(street(20, metres_apart=50))
    night.lose("c0018n1")
    night.passes(1860)
    night.lose(*(f"c{n:04}n1" for n in range(8)))
    night.passes(60)
    night.expects(tito=["fault", "outage"], caro="outage")
    night.restarts()
    night.passes(passed_s)
    night.restarts()
    night.ends_quietly(1800)
    assert night.faults() == {OUTAGE, ("node/c0018n1", "unplugged")}


@pytest.mark.parametrize("metres_apart", [None, 40.0])
def test_a_thousand_nodes_lose_their_mains_and_somebody_presses_in_the_same_second(metres_apart: float | None) -> None:
    night = Dark(street(1000, metres_apart=metres_apart))
    for n in range(500):
        night.lose(f"c{n:04}n1")
    pressed = time.perf_counter()
    night.press("panic", "b12n1")
    pressed_s = time.perf_counter() - pressed
    night.expects(**FIRST_RING)
    for n in range(500, 1000):
        night.lose(f"c{n:04}n1")
    looked = time.perf_counter()
    night.passes(60)
    assert time.perf_counter() - looked < 2
    assert pressed_s < 0.5
    [raised] = [body for body in night.bodies(FaultRaised) if body.code in {"outage", "unplugged"}]
    assert (raised.subject, raised.code) == OUTAGE
    assert len(night.zone.state.outages.blocks[raised.fault]) == 1000
    assert len(night.bodies(IncidentOpened)) == 1
    told = {name: [one.notice.template for one in got] for name, got in night.unread.items()}
    assert told == {"tito": ["outage"], "caro": ["outage"]}
    night.mains.update(dict.fromkeys(night.mains, True))
    night.passes(60)
    assert [body.fault for body in night.bodies(FaultEnded)] == [raised.fault]


def test_how_many_make_a_power_cut_is_the_policys() -> None:
    night = Dark(street(20), Policy.parse(POLICY.replace("[times]", "[times]\noutage_nodes = 6")))
    night.lose(*(f"c{n:04}n1" for n in range(5)))
    night.passes(60)
    assert {code for _, code in night.faults()} == {"unplugged"}


def test_near_is_what_lies_within_two_hundred_metres_or_is_on_the_list() -> None:
    whole = street(40, metres_apart=60)
    whole = structs.replace(whole, blocks={**whole.blocks, "c0000": structs.replace(whole.blocks["c0000"], neighbours=("b12",))})
    near = Neighbourhood(whole)
    for block in whole.blocks:
        found_by_squares, among_all = near.of(block, NEAR_M), near.of(block, NEAR_M + 30)
        assert found_by_squares == among_all[:len(found_by_squares)]
    assert set(near.of("c0010", NEAR_M)) == {f"c{n:04}" for n in range(7, 14)} - {"c0010"}
    assert near.of("c0000", NEAR_M)[0] == "b12"
