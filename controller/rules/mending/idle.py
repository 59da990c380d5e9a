"""The first press of a button that nobody has pressed for long: a button that is mis-wired, or sticks, shows itself then.

The press is told as any other. That it was the first is for whoever mends: had it been silent because nobody needed it, or because
nobody could press it?
"""

from typing import Final

from controller.rules.desk import Desk
from controller.rules.mending.faults import seen
from controller.rules.remembered import DAY_MS
from controller.rules.signs import Signs

FIRST: Final = "first-press"


def pressed(desk: Desk, signs: Signs, node: str, name: str) -> None:
    """A button of the open chain was pressed; called before that is on record."""
    memory, idle_days = desk.state.last_pressed, desk.policy.times.idle_days
    since_ms = memory.at_ms.get((node, name), memory.came_at_ms.get(node, desk.now.utc_ms))
    if idle_days and desk.now.utc_ms - since_ms >= idle_days * DAY_MS:
        seen(desk, signs, f"node/{node}", f"{FIRST}:{name}")
