"""What the parts of the rules share while one input is decided: the state, the time, and what was decided so far."""

from msgspec import Struct

from controller.entries import Body, Chain, StepSet
from controller.instants import Now
from controller.messages import IncidentState, LightState, PressRef
from controller.registry import Registry
from controller.rules.effects import Record, SendDown, ZoneEffect
from controller.rules.incident import Incident, State
from controller.rules.policy import TAMPER, Kind, Policy
from controller.rules.roster import Roster
from controller.rules.state import ZoneState

_LIGHTS = {State.OPENED: LightState.OPEN, State.TAKEN: LightState.TAKEN, State.ON_SCENE: LightState.ON_SCENE, State.CLOSED: LightState.CLOSED}


class Network(Struct):
    """What is in force: the registry with its shifts laid out, and the policy."""

    registry: Registry
    policy: Policy
    roster: Roster


class Desk:
    """One input's decisions.

    utc_ms: the wall clock; what is dated. at_ms: the steady one, which never jumps; what timers stand on.
    """

    def __init__(self, zone: str, state: ZoneState, network: Network, now: Now, at_ms: int) -> None:
        self.zone = zone
        self.state = state
        self.network = network
        self.registry = network.registry
        self.policy = network.policy
        self.now = now
        self.at_ms = at_ms
        self.records: list[ZoneEffect] = []
        self.effects: list[ZoneEffect] = []

    def record(self, chain: Chain, body: Body) -> None:
        """Decide it: it goes on record, and the state has it."""
        self.state.apply(chain, self.now.utc_ms, body)
        self.records.append(Record(chain, body))

    def then(self, effect: ZoneEffect) -> None:
        """Do this when everything decided is on disk."""
        self.effects.append(effect)

    def kind_of(self, incident: Incident) -> Kind:
        """The policy of the incident's kind; a secret incident about a tampered silent button has its button's circle."""
        if incident.secret and incident.kind == TAMPER:
            return self.policy.kind(self.kind_at(incident.node, incident.input))
        return self.policy.kind(incident.kind)

    def kind_at(self, node: str, name: str) -> str:
        """The kind that the registry has for an input; empty when it has none."""
        found = self.registry.inputs.get((node, name))
        return found.kind if found is not None else ""

    def excluded(self, incident: Incident) -> frozenset[str]:
        """Whom a secret incident must never reach: all that any input it came from names."""
        if not incident.secret:
            return frozenset()
        names: set[str] = set()
        for node, _, _ in incident.presses:
            names.update(*(one.excludes for one in self.registry.inputs_of(node)))
        return frozenset(names)

    def set_step(self, incident: Incident, step: int, in_s: float) -> None:
        """The incident's next step, so many seconds from now."""
        self.record(incident.chain, StepSet(incident.id, step, self.at_ms + int(in_s * 1000)))


    def light_block(self, block: str) -> None:
        """Tell the block's nodes how far help is."""
        for node in self.registry.nodes_of(block):
            self.light_node(node.id)

    def light_node(self, node: str) -> None:
        """Tell one node how far help is for its block; idempotent."""
        boot = self.state.nodes[node].boot if node in self.state.nodes else ""
        entry = self.registry.nodes.get(node)
        if boot and entry is not None:
            self.then(SendDown(node, self._light_of(entry.block, boot)))

    def light_rev(self, node: str) -> int:
        """The revision of what the node's light should show."""
        entry = self.registry.nodes.get(node)
        return 1 + self.state.light_revs.get(entry.block, 0) if entry is not None else 0

    def _light_of(self, block: str, boot: str) -> IncidentState:
        rev = 1 + self.state.light_revs.get(block, 0)
        shown: Incident | None = None
        for ident in reversed(self.state.in_block.get(block, ())):
            incident = self.state.incidents[ident]
            if not incident.secret and incident.kind != TAMPER and (shown is None or incident.is_open > shown.is_open):
                shown = incident
        if shown is None:
            return IncidentState(boot, rev, LightState.NONE)
        closed_s_ago = None
        if not shown.is_open:
            closed_s_ago = max(0, (self.now.utc_ms - shown.moved_at_ms) // 1000)
            if closed_s_ago > self.policy.times.reopen_s:
                return IncidentState(boot, rev, LightState.NONE)
        return IncidentState(boot, rev, _LIGHTS[shown.state], shown.kind, PressRef(shown.boot, shown.seq), closed_s_ago)
