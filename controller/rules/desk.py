"""What the parts of the rules share while one input is decided: what is in force, the state, the time, and what was decided so far."""

from collections.abc import Iterable, Mapping
from typing import Final

from controller.entries import Body, Chain, StepSet, TimerSet
from controller.instants import Now
from controller.messages import IncidentState, LightState, PressRef
from controller.registry import Input, Member, Registry, Role, excluded_members
from controller.rules.calling.neighbours import NEAR_M, Neighbourhood
from controller.rules.console.secret_memory import Secret
from controller.rules.effects import Record, SendDown, ZoneEffect
from controller.rules.incident import Incident, State
from controller.rules.policy import Policy, earlier
from controller.rules.policy_kinds import TAMPER, Kind
from controller.rules.roster import Roster
from controller.rules.state import ZoneState

_LIGHTS: Final = {State.OPENED: LightState.OPEN, State.TAKEN: LightState.TAKEN, State.ON_SCENE: LightState.ON_SCENE, State.CLOSED: LightState.CLOSED}
_RUNGS: Final = {state: rung for rung, state in enumerate(_LIGHTS)}


class Network:
    """What is in force: the registry, laid out so that no question costs more in a larger zone, and the policy."""

    def __init__(self, registry: Registry, policy: Policy) -> None:
        self.registry = registry
        self.policy = policy
        self.roster = Roster(registry)
        self._nodes: dict[str, list[str]] = {}
        self._inputs: dict[str, list[Input]] = {}
        self._members: dict[Role, list[Member]] = {}
        self._neighbourhood = Neighbourhood(registry)
        self._excludes: dict[tuple[str, str], frozenset[str]] = {}
        for _, node in sorted(registry.nodes.items()):
            self._nodes.setdefault(node.block, []).append(node.id)
        for _, found in sorted(registry.inputs.items()):
            self._inputs.setdefault(found.node, []).append(found)
        for _, member in sorted(registry.members.items()):
            for role in member.roles:
                self._members.setdefault(role, []).append(member)

    def nodes_of(self, block: str) -> list[str]:
        """The ids of a block's nodes, in order."""
        return self._nodes.get(block, [])

    def inputs_of(self, node: str) -> list[Input]:
        """A node's inputs, in the order of their ids."""
        return self._inputs.get(node, [])

    def members_with(self, roles: Iterable[Role]) -> list[Member]:
        """The members with one of `roles`, each once, in the order of the roles and then of their ids."""
        return list({member.id: member for role in roles for member in self._members.get(role, ())}.values())

    def block_of(self, node: str) -> str:
        """A node's block; empty for a node that the registry does not have."""
        found = self.registry.nodes.get(node)
        return found.block if found is not None else ""

    def neighbours_of(self, block: str, within_m: int = 0) -> tuple[str, ...]:
        """A block's neighbours, see `Neighbourhood.of`."""
        return self._neighbourhood.of(block, within_m)

    def blocks_near(self, block: str) -> frozenset[str]:
        """A block and those that hang on the same lines as it."""
        return frozenset((block, *self.neighbours_of(block, NEAR_M)))

    def kind_at(self, node: str, name: str) -> str:
        """The kind that the registry has for an input; empty when it has none."""
        found = self.registry.inputs.get((node, name))
        return found.kind if found is not None else ""

    def excludes(self, node: str, name: str) -> frozenset[str]:
        """Whom a silent press at an input must never reach."""
        found = self.registry.inputs.get((node, name))
        if found is None or not found.excludes:
            return frozenset()
        excluded = self._excludes.get((node, name))
        if excluded is None:
            excluded = self._excludes[node, name] = excluded_members(found.excludes, self.registry.members.values())
        return excluded


class Desk:
    """One input's decisions.

    now.utc_ms: the wall clock; what is dated. at_ms: UTC by a clock that never jumps in one life of the process; what timers
    stand on. ahead: see `Signs`.
    """

    def __init__(
        self, zone: str, state: ZoneState, network: Network, now: Now, at_ms: int, ahead: Mapping[str, tuple[str, int]],
    ) -> None:
        self.zone = zone
        self.state = state
        self.network = network
        self.registry = network.registry
        self.policy = network.policy
        self.now = now
        self.at_ms = at_ms
        self.ahead = ahead
        self.records: list[ZoneEffect] = []
        self.effects: list[ZoneEffect] = []

    @property
    def paces(self) -> Mapping[str, int]:
        """How many notices a minute each channel takes: as measured, else as the policy reckons; one that takes none now is the slowest there is."""
        return {**self.policy.paces, **{channel: max(1, pace) for channel, pace in self.state.paces.per_minute.items()}}

    def record(self, chain: Chain, body: Body) -> None:
        """Decide it: it goes on record, and the state has it."""
        self.state.apply(chain, self.now.utc_ms, body)
        self.records.append(Record(chain, body))

    def then(self, effect: ZoneEffect) -> None:
        """Do this when everything decided is on disk."""
        self.effects.append(effect)

    def kind_of(self, incident: Incident | Secret) -> Kind:
        """The policy of the incident's kind; a secret incident about a tampered silent button has its button's circle.

        A secret incident stays a circle's, whatever becomes of its kind or its button while it is open: it is decided by the policy
        under which it was opened when the one in force has no such silent kind, and at last it is told as a forced cancel is.
        """
        if not incident.secret:
            return self.policy.kind(incident.kind)
        name = self.network.kind_at(incident.node, incident.input) if incident.kind == TAMPER else incident.kind
        for policy in (self.policy, earlier(self.state.policies.get(incident.policy, ""), self.zone)):
            kind = policy.kinds.get(name) if policy is not None else None
            if kind is not None and kind.silent:
                return kind
        return self.policy.kinds[self.policy.forced]

    def excluded(self, incident: Incident | Secret) -> frozenset[str]:
        """Whom a secret incident must never reach; a press that excludes others is another incident.

        Who was excluded when it was opened stays so, also when its button is taken out of the registry.
        """
        return incident.excludes | self.network.excludes(incident.node, incident.input) if incident.secret else frozenset()

    def may_know(self, incident: Incident | Secret, member: str) -> bool:
        """Whether a member may hear of the incident at all."""
        if not incident.secret:
            return True
        found = self.registry.members.get(member)
        circle = self.kind_of(incident).circle
        return found is not None and member not in self.excluded(incident) and any(role in circle for role in found.roles)

    def order_id(self, about: str, node: str) -> str:
        """The id of the next order to a node."""
        return f"{about}-{node}-{self.state.orders.get(node, 0) + 1}"

    def set_step(self, incident: Incident, step: int, in_s: float) -> None:
        """The incident's next step, so many seconds from now."""
        self.record(incident.chain, StepSet(incident.id, step, self.at_ms + int(in_s * 1000)))

    def set_timer(self, incident: Incident, timer: str, in_s: int) -> None:
        """Have `timer` ring about the incident, so many seconds from now; one of that name that runs is set anew."""
        self.record(incident.chain, TimerSet(timer, incident.id, self.at_ms + in_s * 1000, in_s))

    def end_timer(self, incident: Incident, timer: str) -> None:
        """It does not ring."""
        if self.runs(incident, timer):
            self.record(incident.chain, TimerSet(timer, incident.id))

    def runs(self, incident: Incident, timer: str) -> bool:
        """Whether that timer of the incident is still to ring."""
        return (timer, incident.id) in self.state.timers.running

    def light_block(self, block: str) -> None:
        """Tell the block's nodes how far help is."""
        for node in self.network.nodes_of(block):
            self.light_node(node)

    def light_node(self, node: str) -> None:
        """Tell one node how far help is for its block; idempotent."""
        life, block = self.state.nodes.get(node), self.network.block_of(node)
        if life is not None and life.boot and block:
            self.then(SendDown(node, self._light_of(block, life.boot, max(1, self.light_rev(node)))))

    def light_rev(self, node: str) -> int:
        """The revision of what the node's light should show; 0 while it has never had anything to show."""
        moves, life = self.state.light_revs.get(self.network.block_of(node), 0), self.state.nodes.get(node)
        boot, before = self.ahead.get(node, ("", 0))
        if life is not None and boot == life.boot:
            moves += before
        return 1 + moves if moves else 0

    def _light_of(self, block: str, boot: str, rev: int) -> IncidentState:
        shown: Incident | None = None
        for ident in reversed(self.state.in_block.get(block, {})):
            incident = self.state.incidents[ident]
            # Of several open ones the light shows the one that is least far: it never claims more than is so.
            shows = not incident.secret and not incident.drill and not incident.in_need and incident.kind != TAMPER
            if shows and (shown is None or _RUNGS[incident.state] < _RUNGS[shown.state]):
                shown = incident
        if shown is None:
            return IncidentState(boot, rev, LightState.NONE)
        closed_s_ago = None
        if not shown.is_open:
            closed_s_ago = max(0, (self.now.utc_ms - shown.moved_at_ms) // 1000)
            if closed_s_ago > self.policy.times.reopen_s:
                return IncidentState(boot, rev, LightState.NONE)
        return IncidentState(boot, rev, _LIGHTS[shown.state], shown.kind, PressRef(shown.boot, shown.seq), closed_s_ago)
