"""Until when an order may be obeyed: whoever withholds one cannot play it later."""

from controller.entries import OrderSent
from controller.rules.inputs import Started
from controller.rules.proof.deadlines import ORDER_S
from controller.rules.zone import ZoneController
from tests.rules.night import WORN_IN_S, Night
from tests.rules.test_lives import folded


def restarts(night: Night) -> None:
    """The gateway's process ends and comes back; the nodes do not notice."""
    night.zone = ZoneController("z3", night.registry, night.policy, folded(night.entries))
    night.does(Started("1.0"))


def test_an_order_holds_for_less_than_half_a_minute_of_the_nodes_uptime() -> None:
    night = Night()
    night.births("b12n1")
    night.births("b12n2")
    night.beating.clear()
    night.passes(s=100)
    night.press("panic")
    [order] = night.orders()
    assert (order.node, order.uptime_s_max) == ("b12n2", WORN_IN_S + 100 + ORDER_S)


def test_a_gateway_that_has_just_started_orders_when_it_knows_the_uptime() -> None:
    night = Night()
    night.births("b12n1")
    night.births("b12n2")
    night.beating.clear()
    restarts(night)
    night.press("panic")
    assert [sent.node for sent in night.bodies(OrderSent) if sent.incident] == ["b12n2"]
    assert night.orders() == []
    night.passes(s=3)
    night.beats("b12n2", uptime_s=500)
    [order] = night.orders()
    assert order.uptime_s_max == 500 - 3 + ORDER_S
    night.beats("b12n2", uptime_s=503)
    assert len(night.orders()) == 1


def test_a_beat_of_a_device_of_the_same_name_does_not_drop_what_waits_for_the_other() -> None:
    night = Night()
    night.births("b12n1")
    night.births("b12n2")
    night.beating.clear()
    restarts(night)
    night.press("panic")
    night.beats("b12n2", life="2")
    night.beats("b12n2", uptime_s=500)
    assert [order.node for order in night.orders()] == ["b12n2"]


def test_an_order_that_waited_too_long_for_a_beat_or_whose_life_is_over_is_not_given() -> None:
    night = Night()
    night.births("b12n1")
    night.births("b12n2")
    night.beating.clear()
    restarts(night)
    night.press("panic")
    night.beats("b12n2", life="2")
    night.passes(s=ORDER_S + 1)
    night.beats("b12n2")
    assert night.orders() == []
