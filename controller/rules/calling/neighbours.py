"""Which blocks stand beside a block: by the list in the registry, or by distance. Pure."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

from controller.registry import Block, Registry

EARTH_M: Final = 6_371_009
"""The mean radius; over a few hundred metres the error is far below a house's width."""


def neighbours_of(registry: Registry, block: str, within_m: int = 0) -> list[str]:
    """The neighbours of `block`: those on its list, and the blocks of its zone at most `within_m` metres away, the nearest first.

    A block of another zone is named `zone/block`. One that the registry does not have is left out; without coordinates there is no distance.
    """
    own = registry.blocks.get(block)
    if own is None:
        return []
    listed = [name for name in own.neighbours if "/" in name or name in registry.blocks]
    away = sorted((metres, other.id) for other in registry.blocks.values() if other.id != block and (metres := distance_m(own, other)) is not None)
    return list(dict.fromkeys([*listed, *(name for metres, name in away if metres <= within_m)]))


def distance_m(one: Block, other: Block) -> float | None:
    """How far two blocks are apart along the ground, in metres (haversine); None when the coordinates of one are not known."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_M * asin(min(1, sqrt(half)))
