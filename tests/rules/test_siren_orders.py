"""A gateway that is killed between its decision and its orders: the block's other sirens sound all the same, and none that should be still."""

from collections.abc import Callable

import pytest

from controller.messages import Done, SirenOff, SirenOn
from controller.rules.inputs import NodeDone, Started
from controller.rules.zone import ZoneController
from tests.rules.night import Night, boot_of
from tests.rules.test_lives import folded


def lives_on(night: Night) -> list[int]:
    """The gateway is killed, and its next life hears the nodes' beats; for how long each node is then to sound."""
    before = len(night.orders())
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.1"))
    night.beats("b12n2")
    return [one.order.for_s for one in night.orders()[before:] if isinstance(one.order, SirenOn) and one.node == "b12n2"]


def test_the_sirens_that_it_had_decided_to_sound_are_ordered_again_for_the_time_that_is_left(night: Night) -> None:
    night.births("b12n1")
    night.births("b12n2")
    night.press("panic")
    night.passes(30)
    [left_s] = lives_on(night)
    assert left_s == night.policy.times.siren_s - 30


def answered(night: Night) -> None:
    """The node has carried it out."""
    [order] = [one for one in night.orders() if one.node == "b12n2" and isinstance(one.order, SirenOn)]
    night.does(NodeDone("b12n2", Done(boot_of("b12n21"), order.id, True)))


def over(night: Night) -> None:
    """Somebody was there, and it is over."""
    night.replies("rosa", "2")
    night.replies("rosa", "5")
    assert any(isinstance(one.order, SirenOff) for one in night.orders())


@pytest.mark.parametrize("happens", [answered, over, lambda night: night.passes(200), lambda night: night.births("b12n2", "2")])
def test_what_was_answered_is_over_is_old_or_was_for_an_earlier_life_is_not_ordered_again(night: Night, happens: Callable[[Night], None]) -> None:
    night.births("b12n1")
    night.births("b12n2")
    night.press("panic")
    happens(night)
    assert lives_on(night) == []
