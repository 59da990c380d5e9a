"""What of a node needs mending, as its beats name it."""

from collections.abc import Iterator, Mapping

from controller.messages import NodeFault
from node_firmware.hands import Button
from node_firmware.kinds import Kinds

OUTBOX_FILLING = 1000
"""More open presses than this that wait for a receipt are a fault: a day of frightened hands makes fewer."""
STUCK = "stuck"
OF_A_BUTTON = frozenset({STUCK, "cut", "shorted"})
"""Faults of one button: the light there shows them, and no other."""


def of_buttons(buttons: Mapping[str, Button], kinds: Kinds) -> Iterator[NodeFault]:
    """What stands at the audible buttons: only the node can know that they cannot call.

    A silent one is never named. Held for long, it is a hand that needs help; whose wires it is that somebody is at, its own circle is told.
    """
    for name, button in buttons.items():
        if kinds.audible(name):
            if button.stuck:
                yield NodeFault(STUCK, name)
            if button.wrong is not None:
                yield NodeFault(button.wrong.value, name)


class Health:
    """The node's own faults. What only a silent press has shown is none of them."""

    def __init__(self) -> None:
        self.disk = ""
        self.slow = False
        self.supply = False
        self.guard = True
        self.keys = True
        """Without them there is no link: this fault is in no beat, only the light shows it."""
        self.settings_refused = ""
        """The input or kind because of which."""
        self.unreadable = False
        self.filling = False

    def faults(self) -> set[NodeFault]:
        """Those of the node as a whole."""
        states = {
            "disk-slow": self.slow,
            "supply-collapses-under-siren": self.supply,
            "guard-down": not self.guard,
            "keys-unreadable": not self.keys,
            "press-unreadable": self.unreadable,
            "outbox-filling": self.filling,
        }
        found = {NodeFault(code) for code, so in states.items() if so}
        if self.disk:
            found.add(NodeFault(self.disk))
        if self.settings_refused:
            found.add(NodeFault("settings-refused", self.settings_refused))
        return found
