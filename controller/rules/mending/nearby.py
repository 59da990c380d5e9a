"""Which blocks hang on the same lines, for a whole zone at once: a power cut asks it of every block in one moment."""

from collections import defaultdict
from collections.abc import Iterator
from math import cos, radians
from typing import Final

from controller.registry import Block, Registry
from controller.rules.calling.neighbours import EARTH_M, distance_m

NEAR_M: Final = 200
"""Blocks nearer than this hang on the same lines."""
_DEGREE_M: Final = radians(1) * EARTH_M

Cell = tuple[int, int]


class Nearby:
    """The blocks of one registry in squares of NEAR_M."""

    def __init__(self, registry: Registry) -> None:
        self._blocks = registry.blocks
        self._east_m = _DEGREE_M * cos(radians(next((block.latitude for block in registry.blocks.values() if block.latitude is not None), 0.0)))
        self._cells: defaultdict[Cell, list[Block]] = defaultdict(list)
        for block in registry.blocks.values():
            for cell in self._cell(block):
                self._cells[cell].append(block)
        self._found: dict[str, frozenset[str]] = {}

    def of(self, block: str) -> frozenset[str]:
        """A block and its neighbours: those on its list, and those within NEAR_M of it."""
        found = self._found.get(block)
        if found is None:
            own = self._blocks.get(block)
            found = self._found[block] = frozenset((block, *(self._near(own) if own is not None else ())))
        return found

    def _near(self, own: Block) -> Iterator[str]:
        yield from own.neighbours
        for x, y in self._cell(own):
            # A square is as wide as NEAR_M where the zone begins; at its other end a little less.
            for other in (other for east in range(-2, 3) for north in (-1, 0, 1) for other in self._cells.get((x + east, y + north), ())):
                metres = distance_m(own, other)
                if metres is not None and metres <= NEAR_M:
                    yield other.id

    def _cell(self, block: Block) -> Iterator[Cell]:
        """Its square; none where nobody knows where it lies."""
        if block.latitude is not None and block.longitude is not None:
            yield int(block.longitude * self._east_m // NEAR_M), int(block.latitude * _DEGREE_M // NEAR_M)
