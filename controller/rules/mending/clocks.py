"""Clocks that go wrong: a node's, against the gateway's steady one; and the gateway's own wall clock, against the same.

A node tells its uptime alone. What it gains or loses against the gateway is measured between the best of ten minutes and the best
of ten later ones, so that a beat that was held up on its way counts for nothing.
"""

from typing import Final

from controller.rules.desk import Desk
from controller.rules.mending.faults import end_fault, raise_fault, seen
from controller.rules.signs import Drift, Signs

OFF: Final = "clock-off"
JUMPED: Final = ("gateway/clock", "clock-jumped")
JUMP_MS: Final = 30_000
SPAN_MS: Final = 600_000
OFF_PER_MILLE: Final = 2
"""A crystal is off by a twentieth of one per mille; presses would be dated wrong by seconds an hour from here on."""
SLACK_MS: Final = 5_000
ANEW_MS: Final = 6 * 3_600_000
"""So long is one measurement; then another begins."""


def beat(desk: Desk, signs: Signs, node: str, boot: str, uptime_s: int) -> None:
    """A node says for how long it has been up."""
    began_at_ms = desk.at_ms - uptime_s * 1000
    drift = signs.drifts.get(node)
    if drift is None or drift.boot != boot:
        signs.drifts[node] = Drift(boot, desk.at_ms, began_at_ms)
    elif desk.at_ms - drift.span_since_ms < SPAN_MS:
        drift.least_ms = min(drift.least_ms, began_at_ms)
    else:
        _measured(desk, node, drift)
        drift.span_since_ms, drift.least_ms = desk.at_ms, began_at_ms


def _measured(desk: Desk, node: str, drift: Drift) -> None:
    if drift.first_ms is None:
        drift.first_at_ms, drift.first_ms = drift.span_since_ms, drift.least_ms
        return
    took_ms, slow_ms = drift.span_since_ms - drift.first_at_ms, drift.least_ms - drift.first_ms
    if abs(slow_ms) > SLACK_MS + took_ms * OFF_PER_MILLE // 1000:
        raise_fault(desk, f"node/{node}", OFF, f"{-slow_ms // 1000:+d} s in {took_ms // 60_000} min")
    elif took_ms >= ANEW_MS:
        end_fault(desk, f"node/{node}", OFF)
    if took_ms >= ANEW_MS:
        drift.first_at_ms, drift.first_ms = drift.span_since_ms, drift.least_ms


def look(desk: Desk, signs: Signs) -> None:
    """Whether the wall clock was set since the last look."""
    wall_ms = desk.now.utc_ms - desk.at_ms
    if abs(wall_ms - signs.wall_ms) >= JUMP_MS:
        seen(desk, signs, *JUMPED)
        signs.wall_ms = wall_ms
