"""What of a node needs mending, as its beats name it."""

from controller.messages import NodeFault

OUTBOX_FILLING = 1000
"""More open presses than this that wait for a receipt are a fault: a day of frightened hands makes fewer."""


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
