"""When a press was pressed. (Promise 9.)

A node has no clock of its own, so a press carries its age. Where that is missing (its machine has restarted since) or cannot
be, the press lies between the last sign of life of its boot and the birth of the next one; of a boot that nobody heard of,
between the beginning of the record and the birth of the life that is on now. An age never hides a press: it is refused alone.
"""

from typing import Final, NamedTuple

from controller.rules.desk import Desk
from controller.rules.inputs import PressArrived
from controller.rules.signs import Signs

ROUNDING_MS: Final = 1000
"""The broker counts a message's wait in whole seconds."""
SLACK_MS: Final = 60_000
"""By how much an age may disagree with what is known of its boot: clocks, rounding, a beat that came late."""
AGE_MS_MAX: Final = 366 * 86_400_000


class Dated(NamedTuple):
    """The interval in which it was pressed (UTC ms), and why its age could not be used."""

    from_ms: int
    to_ms: int
    age_refused: str


class _Life(NamedTuple):
    """What is known of one life of a node: it began after `after_ms` and ended before `before_ms`; heard last at `heard_ms`."""

    after_ms: int
    heard_ms: int
    before_ms: int


def date(desk: Desk, signs: Signs, event: PressArrived) -> Dated:
    """When it was pressed."""
    to_ms = desk.now.utc_ms - event.waited_ms
    life = _life(desk, signs, event.node, event.press.boot, to_ms, aged=event.age_ms is not None)
    refused = event.age_refused
    if event.age_ms is not None:
        pressed_ms = to_ms - event.age_ms
        refused = _why_not(event.age_ms, pressed_ms, life)
        if not refused:
            return Dated(pressed_ms - (ROUNDING_MS if event.waited_ms else 0), pressed_ms, "")
    to_ms = min(to_ms, life.before_ms)
    return Dated(min(life.heard_ms, to_ms), to_ms, refused)


def _why_not(age_ms: int, pressed_ms: int, life: _Life) -> str:
    if not 0 <= age_ms <= AGE_MS_MAX:
        return f"age {age_ms} ms; expected 0 to {AGE_MS_MAX}"
    if pressed_ms < life.after_ms - SLACK_MS:
        return f"age {age_ms} ms; its boot began {(life.after_ms - pressed_ms) // 1000} s later"
    if pressed_ms > life.before_ms + SLACK_MS:
        return f"age {age_ms} ms; its boot ended {(pressed_ms - life.before_ms) // 1000} s earlier"
    return ""


def _life(desk: Desk, signs: Signs, node: str, boot: str, now_ms: int, *, aged: bool) -> _Life:
    """What bounds a press of this boot. A silent boot lives and ends with the open one that came with it. aged: the press has an age."""
    state = desk.state
    began_ms = state.began_at_ms if state.began_at_ms is not None else now_ms
    known = state.nodes.get(node)
    if known is None or not known.boots:
        return _Life(0, began_ms, now_ms)
    came_ms = known.boots.get(boot, state.silent_lives.get(node, {}).get(boot))
    if came_ms is None:
        # Nobody heard of that life. Its machine has restarted since, and then it was over when the one that is on now was born; or its
        # birth is lost or on its way, and the press, which has an age, has overtaken it.
        return _Life(0, began_ms, now_ms if aged else known.boots.get(known.boot, now_ms))
    own = next((name for name, at_ms in known.boots.items() if at_ms == came_ms), boot)
    # Lives follow each other as they came, whatever the clock on the wall showed at each birth: it may have been set back since.
    names = list(known.boots)
    place = names.index(own) if own in known.boots else len(names)
    started_ms = signs.started_utc_ms.get((node, own), 0)
    if place and ("node/" + node, "two-devices-one-name") not in state.fault_of:
        started_ms = max(started_ms, known.last_heard_before_ms.get(names[place - 1], 0))
    if started_ms > now_ms:
        started_ms = 0
    after = names[place + 1:] if own != known.boot else []
    if after:
        heard_ms = max(came_ms, known.last_heard_before_ms.get(own, 0))
        over_ms = known.boots[after[0]]
        return _Life(started_ms, heard_ms, over_ms if over_ms >= came_ms else now_ms)
    return _Life(started_ms, max(began_ms, started_ms), now_ms)
