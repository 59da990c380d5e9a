"""Who would be told of a press at a moment, when, by what and why: the rules themselves live that night, and nobody answers.

A night of its own: a `ZoneController` with an empty state, whose every notice is handed over at once. Nothing of it is recorded
anywhere, and nobody is told.
"""

from itertools import pairwise
from typing import Final, NamedTuple

from controller.entries import IncidentOpened, NoticesQueued, StepSet
from controller.errors import BadConfig
from controller.instants import Now
from controller.messages import Beat, Gesture, Online, Press, SirenOn, digest_of, encode
from controller.registry import Registry
from controller.rules.beforehand import reach
from controller.rules.desk import Network
from controller.rules.effects import QueueNotice, Record, SendOrder, StopNotice, ZoneEffect
from controller.rules.inputs import NodeBeat, NodeOnline, NoticeReported, NoticeTried, PressArrived, Started, Tried, Woken, ZoneInput
from controller.rules.policy import Policy
from controller.rules.policy_kinds import TEST, Kind
from controller.rules.zone import ZoneController

DAY_MS: Final = 86_400_000
BEFORE_MS: Final = 60_000
"""The gateway has been up for so long when the button is pressed."""
SHOWN_S: Final = 3600
"""So much of the night is shown; rounds of the last ring that are like the one before are left out of it."""
_BOOT: Final = "0123456789abcdef" * 2


class Told(NamedTuple):
    """One thing that happens, so many seconds after the press.

    member, channel, reason: of a notice; ring: from 1, of the ring that is told with it, 0: none; past: how many rings before it
    had nobody. duty: since when and until when (UTC ms, 0: not within two days) the member is on duty for the block with a role of
    the ring; None: they are not, and are told all the same. siren: the nodes whose sirens are commanded.
    """

    s: int
    member: str = ""
    channel: str = ""
    reason: str = ""
    ring: int = 0
    past: int = 0
    duty: tuple[int, int] | None = None
    siren: tuple[str, ...] = ()


class Explained(NamedTuple):
    """A press and all that it sets going. node, input: where it was made. steady_s: the pace at which the last ring is told again; 0: none."""

    node: str
    input: str
    kind: str
    silent: bool
    at_ms: int
    told: tuple[Told, ...]
    steady_s: int


def explain(registry: Registry, policy: Policy, block: str, kind: str, at_ms: int) -> Explained:
    """The night after a press of `kind` in `block` at `at_ms` (UTC), on which nobody answers.

    Raises BadConfig for a block or a kind that is none, or a block without a node.
    """
    network = Network(registry, policy)
    faults = _faults(network, block, kind)
    if faults:
        raise BadConfig(faults)
    nodes = network.nodes_of(block)
    node, name = next(((node, one.input) for node in nodes for one in network.inputs_of(node) if one.kind == kind), (nodes[0], "none"))
    night = _Night(registry, policy, at_ms - BEFORE_MS)
    for each in nodes:
        night.does(NodeOnline(each, Online(_BOOT, True, _BOOT[::-1])))
        night.does(NodeBeat(each, Beat(_BOOT, 86_400, 0)))
    night.passes_to(at_ms)
    boot = _BOOT[::-1] if policy.is_silent(kind) else _BOOT
    press = Press(boot, 1, name, kind, Gesture.TEST if kind == TEST else Gesture.HOLD, False, None)
    night.does(PressArrived(node, press, digest_of(encode(press)), 0))
    night.lives()
    return Explained(node, name, kind, policy.is_silent(kind), at_ms, tuple(night.told), night.steady_s)


def _faults(network: Network, block: str, kind: str) -> list[str]:
    faults = []
    if block not in network.registry.blocks:
        faults.append(f"block {block}: the registry of zone {network.registry.zone.id} has none; "
                      f"expected one of {', '.join(sorted(network.registry.blocks))}; correct --block")
    elif not network.nodes_of(block):
        faults.append(f"block {block}: it has no node, so nobody can press there; expected one; correct --block")
    if kind not in network.policy.kinds:
        faults.append(f"kind {kind}: the policy has none; expected one of {', '.join(network.policy.kinds)}; correct --kind")
    return faults


class _Night:
    """One press, nobody answers."""

    def __init__(self, registry: Registry, policy: Policy, from_ms: int) -> None:
        self._zone = ZoneController(registry.zone.id, registry, policy)
        self._network = self._zone.network
        self._now_ms = from_ms
        self._pressed_at_ms = from_ms
        self._waiting: dict[str, QueueNotice] = {}
        self._incident = ""
        self._ring = 0
        self._rosters: dict[int, list[tuple[int, frozenset[str]]]] = {}
        """By ring, who is on duty in one of its roles from each moment on at which that may change."""
        self.told: list[Told] = []
        self.steady_s = 0
        self.does(Started("explain"))

    def does(self, event: ZoneInput) -> None:
        if isinstance(event, PressArrived):
            self._pressed_at_ms = self._now_ms
        effects = self._zone.handle(event, Now(self._now_ms, self._now_ms))
        self._see(effects)
        for effect in effects:
            match effect:
                case QueueNotice(notice):
                    self._waiting[notice.id] = effect
                case StopNotice(ident):
                    self._waiting.pop(ident, None)

    def passes_to(self, until_ms: int) -> None:
        while (at_ms := self._next()) is not None and at_ms <= until_ms:
            self._now_ms = max(at_ms, self._now_ms)
            if not self._hand_over():
                self.does(Woken())
        self._now_ms = until_ms

    def lives(self) -> None:
        """The whole of what is shown."""
        self.passes_to(self._pressed_at_ms + SHOWN_S * 1000)
        rounds: dict[int, set[tuple[str, str]]] = {}
        for one in self.told:
            if one.reason == "REPEAT_DUE":
                rounds.setdefault(one.s, set()).add((one.member, one.channel))
        again = [later for sooner, later in pairwise(rounds) if rounds[sooner] == rounds[later]]
        self.told = [one for one in self.told if one.reason != "REPEAT_DUE" or one.s not in again]
        if len(rounds) > 1:
            last, before = list(rounds)[-1], list(rounds)[-2]
            self.steady_s = last - before

    def _next(self) -> int | None:
        due = [max(one.due_at_ms, self._now_ms) for one in self._waiting.values()]
        wake_at_ms = self._zone.wake_at_ms()
        return min([*due, *([wake_at_ms] if wake_at_ms is not None else [])], default=None)

    def _hand_over(self) -> bool:
        """Send what is due; whether there was anything."""
        due = [one for one in self._waiting.values() if one.due_at_ms <= self._now_ms]
        for one in sorted(due, key=lambda one: one.notice.priority):
            if self._waiting.pop(one.notice.id, None) is not None:
                self.does(NoticeTried(one.notice.id, one.attempt, Tried.SENT, ref="explained"))
                self.does(NoticeReported(one.notice.id, True))
        return bool(due)

    def _see(self, effects: list[ZoneEffect]) -> None:
        bodies = [effect.body for effect in effects if isinstance(effect, Record)]
        sirens = tuple(effect.node for effect in effects if isinstance(effect, SendOrder) and isinstance(effect.order, SirenOn))
        after_s = (self._now_ms - self._pressed_at_ms) // 1000
        if sirens:
            self.told.append(Told(after_s, siren=sirens))
        for n, body in enumerate(bodies):
            if isinstance(body, IncidentOpened) and not self._incident:
                self._incident = body.incident
            if isinstance(body, NoticesQueued) and self._concerns(body):
                step = next((later.step for later in bodies[n:] if isinstance(later, StepSet) and later.step > 0), 0)
                for one in body.notices:
                    on_ring = one.reason in {"FIRST", "ESCALATED", "REPEAT_DUE"}
                    ring = min(step, self._rings()) if on_ring else 0
                    past = max(0, ring - self._ring - 1) if one.reason != "REPEAT_DUE" else 0
                    self.told.append(Told(after_s, one.member, one.channel, one.reason, ring, past, self._duty(one.member, ring)))
                self._ring = max([self._ring, *(min(step, self._rings()) for one in body.notices if one.reason in {"FIRST", "ESCALATED"})])

    def _concerns(self, body: NoticesQueued) -> bool:
        return body.incident == self._incident if body.incident else any(one.template == "test" for one in body.notices)

    def _rings(self) -> int:
        return len(self._kind().steps)

    def _kind(self) -> Kind:
        return self._network.policy.kind(self._zone.state.incidents[self._incident].kind)

    def _duty(self, member: str, ring: int) -> tuple[int, int] | None:
        """The time around now in which the member is on duty in a role of the ring."""
        if not ring:
            return None
        if ring not in self._rosters:
            roles, block, roster = self._kind().steps[ring - 1].roles, self._zone.state.incidents[self._incident].block, self._network.roster
            moments = reach.changes(self._network, self._pressed_at_ms - 2 * DAY_MS, 4)
            self._rosters[ring] = [(at_ms, frozenset(roster.on_duty(block, roles, at_ms))) for at_ms in moments]
        since, until, there = 0, 0, False
        for at_ms, on in self._rosters[ring]:
            if at_ms <= self._now_ms:
                since = since if there else at_ms
                there = member in on
            elif member not in on:
                until = at_ms
                break
        if not there:
            return None
        return 0 if since == self._rosters[ring][0][0] else since, until
