"""Batteries: a sparse trend of each node's voltage, and what it shows.

On record is a value a day, and one whenever the voltage has moved by 3 %. Full is the highest that the node has ever shown, whatever
its battery is made of. LOW: below 88 % of full (12 V lead-acid: 11.9 V of 13.5; lithium: 3.7 of 4.2), over above 93 %.
WEAK: what it shows on mains has sunk for a week by more than 3 % below its full; or it was low sooner than `battery_h` hours after
the mains went. That is over when a later night without mains lasts longer, or with a new life of the node, whose battery may be another.
"""

from typing import Final

from controller.entries import BatterySeen, Chain, flag
from controller.messages import Beat
from controller.rules.desk import Desk
from controller.rules.mending.faults import end_fault, raise_fault
from controller.rules.remembered import DAY_MS
from controller.rules.signs import Signs

LOW: Final = "battery-low"
WEAK: Final = "battery-weak"
SHORT: Final = f"{WEAK}:short"
MOVED_PCT: Final = 3
LOW_PCT: Final = 88
WELL_PCT: Final = 93
FADED_PCT: Final = 97
WEEK: Final = 7
HOUR_MS: Final = 3_600_000


def beat(desk: Desk, signs: Signs, node: str, said: Beat) -> None:
    """What a beat says of the battery, if it is worth a record."""
    if said.battery_mv is None or said.battery_mv <= 0:
        return
    mv, at_ms = desk.state.batteries.last.get(node, (0, 0))
    if 0 <= desk.now.utc_ms - at_ms < DAY_MS and abs(said.battery_mv - mv) * 100 < mv * MOVED_PCT:
        return
    desk.record(Chain.OPEN, BatterySeen(node, said.battery_mv, mains=flag(said.mains is not False)))
    _judge(desk, signs, node, said.battery_mv)


def new_life(desk: Desk, node: str) -> None:
    """The node has started anew, perhaps with another battery."""
    end_fault(desk, f"node/{node}", SHORT)


def _judge(desk: Desk, signs: Signs, node: str, mv: int) -> None:
    subject, memory = f"node/{node}", desk.state.batteries
    full_mv = memory.full_mv[node]
    off_ms = desk.now.utc_ms - signs.mains_off_utc_ms.get(node, desk.now.utc_ms)
    if mv * 100 < full_mv * LOW_PCT:
        raise_fault(desk, subject, LOW, f"{mv} mV")
        if 0 < off_ms < desk.policy.times.battery_h * HOUR_MS:
            raise_fault(desk, subject, SHORT, f"low after {off_ms // 60_000} min")
    elif mv * 100 >= full_mv * WELL_PCT:
        end_fault(desk, subject, LOW)
    if off_ms >= desk.policy.times.battery_h * HOUR_MS:
        end_fault(desk, subject, SHORT)
    week = sorted(memory.daily.get(node, ())[-WEEK:])
    if len(week) == WEEK:
        if week[-1] * 100 < full_mv * FADED_PCT:
            raise_fault(desk, subject, WEAK, f"{week[-1]} mV on mains, {full_mv} mV when it was new")
        else:
            end_fault(desk, subject, WEAK)
