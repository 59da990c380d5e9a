"""What entries are made of: integers and strings only."""

from enum import StrEnum
from typing import Literal

Flag = Literal[0, 1]


def flag(value: bool) -> Flag:
    """The value as an entry holds it: integers and strings only."""
    return 1 if value else 0


class Chain(StrEnum):
    """A zone's two chains."""

    OPEN = "open"
    SEALED = "sealed"
