"""Mutual aid: the blocks beside one that calls light their strobes and are told, as the policy says; across a zone's border, too.

What another zone is asked is on record, and the district carries it there; that zone decides by its own policy what it does.
Nothing silent, late or of an exercise is anybody's business next door.
"""

from controller.entries import AidAsked, AidGiven, Chain, OrderSent
from controller.messages import StrobeOn
from controller.rules.desk import Desk
from controller.rules.effects import SendOrder
from controller.rules.incident import Incident
from controller.rules.inputs import AidCalled
from controller.rules.mending import faults
from controller.rules.policy_kinds import Neighbours
from controller.rules.telling import priority_of, tell, ways


def call(desk: Desk, incident: Incident) -> None:
    """Tell the neighbours of the incident's blocks who are on duty, and ask other zones for theirs; each once."""
    its = _wanted(desk, incident)
    if its is None:
        return
    for zone, block in _beside(desk, incident, its):
        if zone:
            if (zone, block) not in desk.state.aid.asked.get(incident.id, ()):
                desk.record(Chain.OPEN, AidAsked(incident.id, zone, block, incident.kind))
            continue
        here = desk.network.roster.on_duty(block, its.tell, desk.now.utc_ms)
        fresh = [desk.registry.members[member] for member in here if member not in incident.told]
        tell(desk, incident, ways(fresh, its.channels), "alarm", "ESCALATED", priority_of(desk, incident, 1))


def strobes(desk: Desk, incident: Incident, *, on: bool) -> None:
    """Light, or put out, the strobes of the neighbours' nodes. One that flashes for another incident, too, goes on."""
    if on:
        its = _wanted(desk, incident)
        if its is not None and its.strobe:
            for zone, block in _beside(desk, incident, its):
                if not zone:
                    _flash(desk, block, incident.id)
        return
    for node in list(desk.state.aid.lit.get(incident.id, ())):
        others = any(node in nodes for ident, nodes in desk.state.aid.lit.items() if ident != incident.id)
        _order(desk, node, 0, incident.id, sent=not others)


def called(desk: Desk, event: AidCalled) -> None:
    """Another zone asks for help beside one of this zone's blocks: once for each of its incidents, as this zone's policy says."""
    kind = desk.policy.kinds.get(event.kind)
    its = kind.neighbours if kind is not None and not kind.silent else None
    if (event.zone, event.incident, event.block) in desk.state.aid.given or event.block not in desk.registry.blocks or its is None:
        return
    desk.record(Chain.OPEN, AidGiven(event.zone, event.incident, event.block, event.kind))
    if its.strobe:
        _flash(desk, event.block, "")
    here = desk.network.roster.on_duty(event.block, its.tell, desk.now.utc_ms)
    faults.tell_members(
        desk, [desk.registry.members[member] for member in here], "aid", "AID", f"x{event.zone}-{event.incident}-{event.block}", its.channels,
        {"kind": event.kind, "subject": f"zone/{event.zone}", "block": event.block})


def _wanted(desk: Desk, incident: Incident) -> Neighbours | None:
    if incident.secret or incident.late or incident.drill or incident.in_need or incident.cancelled:
        return None
    return desk.policy.kind(incident.kind).neighbours


def _beside(desk: Desk, incident: Incident, its: Neighbours) -> list[tuple[str, str]]:
    """(zone, block) of each neighbour of its blocks; the zone empty for this one."""
    found = (name for block in incident.blocks for name in desk.network.neighbours_of(block, its.within_m))
    parts = (name.rpartition("/") for name in dict.fromkeys(found) if name not in incident.blocks)
    return [(zone, block) for zone, _, block in parts]


def _flash(desk: Desk, block: str, incident: str) -> None:
    for node in desk.network.nodes_of(block):
        _order(desk, node, desk.policy.times.siren_s, incident)


def _order(desk: Desk, node: str, for_s: int, incident: str, *, sent: bool = True) -> None:
    life = desk.state.nodes.get(node)
    if life is None or not life.boot:
        return
    ident = desk.order_id(incident or "aid", node)
    desk.record(Chain.OPEN, OrderSent(node, life.boot, ident, "strobe-on" if for_s else "strobe-off", incident))
    if sent and not life.gone:
        desk.then(SendOrder(node, life.boot, ident, StrobeOn(for_s)))
