"""What battery a block needs: 24 hours without mains, and then a quarter of an hour of siren.

The currents are those measured at the battery's terminals. A battery gives its rated charge only when it is new and
warm: what is planned is what it still gives when it is old and cold.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

IDLE_H: Final = 24.0
SIREN_MIN: Final = 15.0
AGEING: Final = 0.8
"""What is left of a battery's rated charge when it is due to be replaced (80 %)."""
COLD: Final = 0.9
"""What is left of it on a night of about 10 °C."""
USABLE: Final = 0.8
"""What may be drawn without harming it or sinking below the converter's cut-off; 0.5 for lead-acid that is to last."""


class Plan(Struct, frozen=True):
    """What a supply is planned with. idle_ma, siren_ma: at the battery, siren on top of idle. battery_ah: as rated."""

    idle_ma: float
    siren_ma: float
    battery_v: float
    battery_ah: float
    idle_h: float = IDLE_H
    siren_min: float = SIREN_MIN
    ageing: float = AGEING
    cold: float = COLD
    usable: float = USABLE


class Supply(Struct, frozen=True):
    """What comes of it.

    idle_ah, siren_ah: drawn. drawn_wh: both, as energy. needed_ah: the smallest rated battery that carries them.
    available_ah: what the planned battery gives when old and cold. margin_ah: what it would have left (negative: it is
    too small). idle_h_possible: how long it idles and still has the siren's part left.
    """

    idle_ah: float
    siren_ah: float
    drawn_wh: float
    needed_ah: float
    available_ah: float
    margin_ah: float
    idle_h_possible: float

    @property
    def enough(self) -> bool:
        """The planned battery carries what is planned."""
        return self.margin_ah >= 0


def supply(plan: Plan) -> Supply:
    """Do the arithmetic.

    Raises ValueError, naming each field, when a current, voltage, charge or time is not above 0 (siren_ma, siren_min
    and idle_h may be 0) or a derating is not above 0 and at most 1.
    """
    faults = list(_faults(plan))
    if faults:
        raise ValueError("\n".join(faults))
    idle_ah = plan.idle_ma / 1000 * plan.idle_h
    siren_ah = (plan.idle_ma + plan.siren_ma) / 1000 * plan.siren_min / 60
    derating = plan.ageing * plan.cold * plan.usable
    available_ah = plan.battery_ah * derating
    drawn_ah = idle_ah + siren_ah
    return Supply(
        idle_ah=idle_ah,
        siren_ah=siren_ah,
        drawn_wh=drawn_ah * plan.battery_v,
        needed_ah=drawn_ah / derating,
        available_ah=available_ah,
        margin_ah=available_ah - drawn_ah,
        idle_h_possible=max(0.0, (available_ah - siren_ah) / (plan.idle_ma / 1000)),
    )


def _faults(plan: Plan) -> Iterable[str]:
    for name in ("idle_ma", "battery_v", "battery_ah"):
        if not getattr(plan, name) > 0:
            yield f"{name}: {getattr(plan, name)}; expected more than 0; measure it with everything connected"
    for name in ("siren_ma", "idle_h", "siren_min"):
        if not getattr(plan, name) >= 0:
            yield f"{name}: {getattr(plan, name)}; expected 0 or more"
    for name in ("ageing", "cold", "usable"):
        if not 0 < getattr(plan, name) <= 1:
            yield f"{name}: {getattr(plan, name)}; expected a part of 1, such as 0.8 for 80 %"
