"""What was heard of nodes in this life of the gateway. Telemetry: not in the journal, not replayed."""

from msgspec import Struct

from controller.messages import NodeFault
from controller.rules.inputs import BadMessageCame
from controller.rules.proof.deadlines import Uptimes


class Suppressed(Struct):
    """Bad messages of one sort from one sender: one is recorded, those of the minute after it are counted."""

    since_ms: int
    last: BadMessageCame
    counted: int = 0


class Drift(Struct):
    """A measurement. began_at_ms: by the node's uptime, the least that was seen in a span: the beat that came straightest."""

    boot: str
    span_since_ms: int
    least_ms: int
    first_at_ms: int = 0
    first_ms: int | None = None


class Signs:
    """Times called `at_ms` are steady, those called `utc_ms` are of the wall clock."""

    def __init__(self) -> None:
        self.heard_at_ms: dict[str, int] = {}
        """Node -> its last sign of life."""
        self.heard_utc_ms: dict[tuple[str, str], int] = {}
        """(node, boot) -> its last one that said that no press waits: what comes later without an age was made after it. Only of lives
        that are not over."""
        self.started_utc_ms: dict[tuple[str, str], int] = {}
        """(node, boot) -> when that life began at the latest, by the uptime in its first beat."""
        self.uptimes = Uptimes()
        self.faults: dict[str, tuple[NodeFault, ...]] = {}
        """Node -> the faults that its last beat named."""
        self.seen_at_ms: dict[str, int] = {}
        """Fault -> when, of those that end by themselves, it was last seen."""
        self.ahead: dict[str, tuple[str, int]] = {}
        """Node -> (boot, how many revisions of its light it has seen that its block has not made): it has come from another block, or
        the records are older than it is."""
        self.bad: dict[tuple[str, str], Suppressed] = {}
        """(node, sort) -> the minute that runs."""
        self.roster_looked: tuple[str, str, int] = "", "", 0
        """Under which registry and policy, and in which quarter of an hour, the roster's coming hours were last looked through."""
        self.drifts: dict[str, Drift] = {}
        """Node -> what is being measured of its clock."""
        self.wall_ms = 0
        """How far the wall clock was ahead of the steady one at the last look."""
        self.mains: dict[str, bool] = {}
        """Node -> whether its last beat said that it has mains; only of those that measure it."""
        self.mains_off_utc_ms: dict[str, int] = {}
        """Node -> when it was first heard to be without; only while it is."""
        self.walked_for_ms = 0
        """The last day's hour for which it was looked at which inputs no hand has tried for long."""
        self.covered_at_ms = 0
        """When it was last looked at which blocks are protected."""
        self.look_at_ms = 0
        """When to look for late nodes and reminders next."""
        self.reach_at_ms = 0
        """When to look next whether everybody's press reaches somebody."""

    def heard(self, node: str, boot: str, at_ms: int, utc_ms: int, *, all_sent: bool) -> None:
        """The node gave a sign of life. all_sent: it said that none of its open presses waits."""
        self.heard_at_ms[node] = at_ms
        if all_sent:
            self.heard_utc_ms[node, boot] = utc_ms

    def power(self, node: str, mains: bool | None, utc_ms: int) -> None:
        """What the node says of its mains."""
        if mains is None:
            self.mains.pop(node, None)
        else:
            self.mains[node] = mains
        if mains is False:
            self.mains_off_utc_ms.setdefault(node, utc_ms)
        else:
            self.mains_off_utc_ms.pop(node, None)

    def over(self, node: str, boot: str) -> int:
        """That life is over; its last sign of life (UTC), 0 when none is known."""
        self.started_utc_ms.pop((node, boot), None)
        self.uptimes.over(node, boot)
        return self.heard_utc_ms.pop((node, boot), 0)
