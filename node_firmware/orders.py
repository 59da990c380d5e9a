"""The gateway's orders: meant for this life of this node, each taken once, each answered."""

from typing import Final

from controller.messages import AnyOrder, Boot, Done, Drill, Order, SirenOn, SirenTest
from node_firmware.kinds import Kinds
from node_firmware.siren import Siren

IDS_MAX: Final = 4096
"""An order holds for less than half a minute of this node's uptime; a recording would have to outlast so many newer ones."""


class Orders:
    """Which orders this boot has taken."""

    def __init__(self, boot: Boot) -> None:
        self._boot = boot
        self._ids: dict[str, None] = {}

    def refusal(self, order: Order, uptime_s: int) -> str:
        """Why it is not to be obeyed, or empty; from now on its id is taken."""
        if order.boot != self._boot:
            return "another boot: this order was meant for an earlier life of this node"
        if order.id in self._ids:
            return "repeated: this id was taken before"
        if uptime_s > order.uptime_s_max:
            return f"late: it held until an uptime of {order.uptime_s_max} s; it is {uptime_s} s"
        self._ids[order.id] = None
        if len(self._ids) > IDS_MAX:
            del self._ids[next(iter(self._ids))]
        return ""

    def impossible(self, order: AnyOrder, kinds: Kinds, siren: Siren) -> str:
        """Why it cannot be carried out, or empty."""
        if isinstance(order, SirenOn | Drill):
            if order.kind not in kinds:
                return f"kind {order.kind} is not known here"
            if not kinds[order.kind].audible:
                return f"kind {order.kind} is silent"
        if isinstance(order, SirenTest) and siren.in_earnest:
            return "the siren sounds in earnest"
        return ""

    def done(self, order: str, why: str) -> Done:
        """The answer to the order of this id."""
        return Done(boot=self._boot, id=order, done=not why, why=why)
