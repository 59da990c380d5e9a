"""What becomes of presses when an operator merges two incidents, or splits one: how the state takes in those entries."""

from typing import TYPE_CHECKING

from controller.entries import Chain, IncidentJudged, IncidentMerged, IncidentSplit

if TYPE_CHECKING:
    from controller.rules.state import ZoneState


def merged(state: "ZoneState", _chain: Chain, _at_ms: int, body: IncidentMerged) -> None:
    """Its presses are the other's, which is in its blocks too; what a button there says from now on is about that one."""
    gone, into = state.incidents.get(body.incident), state.incidents.get(body.into)
    if gone is None or into is None:
        return
    into.presses += gone.presses
    into.kind = body.kind or into.kind
    into.armed += [member for member in gone.armed if member not in into.armed]
    into.last_press_at_ms = max(into.last_press_at_ms, gone.last_press_at_ms)
    for press in gone.presses:
        state.by_press[press] = into.id
    gone.presses = []
    for block in gone.blocks:
        state.in_block[block].pop(gone.id, None)
        if block not in into.blocks:
            into.also_in.append(block)
        state.in_block[block][into.id] = None


def split(state: "ZoneState", _chain: Chain, _at_ms: int, body: IncidentSplit) -> None:
    """The press is that one's no more; the incident that is opened next takes it."""
    incident = state.incidents.get(body.incident)
    press = body.node, body.boot, body.seq
    if incident is not None and press in incident.presses:
        incident.presses.remove(press)


def judged(state: "ZoneState", _chain: Chain, _at_ms: int, body: IncidentJudged) -> None:
    """It was something else than it seemed."""
    incident = state.incidents.get(body.incident)
    if incident is not None:
        incident.outcome = body.outcome
