"""Which blocks stand beside a block: by the list in the registry, or by distance. Pure.

A press asks it while somebody waits, and a power cut asks it of every block in one moment: each answer is found once, and near ones by
squares, so that neither takes longer in a larger zone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import asin, cos, radians, sin, sqrt
from typing import Final

from controller.registry import Block, Registry

EARTH_M: Final = 6_371_009
"""The mean radius; over a few hundred metres the error is far below a house's width."""
NEAR_M: Final = 200
"""Blocks nearer than this hang on the same lines."""
_DEGREE_M: Final = radians(1) * EARTH_M

Square = tuple[int, int]


class Neighbourhood:
    """Who stands beside whom in one registry."""

    def __init__(self, registry: Registry) -> None:
        self._blocks = registry.blocks
        self._east_m = _DEGREE_M * cos(radians(next((block.latitude for block in registry.blocks.values() if block.latitude is not None), 0.0)))
        self._squares: defaultdict[Square, list[Block]] = defaultdict(list)
        for block in registry.blocks.values():
            for square in self._square(block):
                self._squares[square].append(block)
        self._found: dict[tuple[str, int], tuple[str, ...]] = {}

    def of(self, block: str, within_m: int = 0) -> tuple[str, ...]:
        """The neighbours of `block`: those on its list, and the blocks of its zone at most `within_m` metres away, the nearest first.

        A block of another zone is named `zone/block`. One that the registry does not have is left out; without coordinates there is no distance.
        """
        found = self._found.get((block, within_m))
        if found is None:
            found = self._found[block, within_m] = self._look_up(block, within_m)
        return found

    def _look_up(self, block: str, within_m: int) -> tuple[str, ...]:
        own = self._blocks.get(block)
        if own is None:
            return ()
        listed = [name for name in own.neighbours if "/" in name or name in self._blocks]
        others = self._around(own) if within_m <= NEAR_M else self._blocks.values()
        away = sorted((metres, other.id) for other in others if other.id != block and (metres := distance_m(own, other)) is not None)
        return tuple(dict.fromkeys([*listed, *(name for metres, name in away if metres <= within_m)]))

    def _around(self, own: Block) -> Iterable[Block]:
        for x, y in self._square(own):
            # A square is as wide as NEAR_M where the zone begins; at its other end a little less.
            for east in range(-2, 3):
                for north in (-1, 0, 1):
                    yield from self._squares.get((x + east, y + north), ())

    def _square(self, block: Block) -> Iterator[Square]:
        """Its square; none where nobody knows where it lies."""
        if block.latitude is not None and block.longitude is not None:
            yield int(block.longitude * self._east_m // NEAR_M), int(block.latitude * _DEGREE_M // NEAR_M)


def distance_m(one: Block, other: Block) -> float | None:
    """How far two blocks are apart along the ground, in metres (haversine); None when the coordinates of one are not known."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_M * asin(min(1, sqrt(half)))
