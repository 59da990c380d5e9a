"""Time as the cores are given it."""

from typing import NamedTuple


class Now(NamedTuple):
    """One moment on two clocks.

    monotonic_ms: never jumps; what delays and deadlines within one life of a process are counted on.
    utc_ms: milliseconds since 1970-01-01 UTC; what is written down. It may jump, and a node's may be wrong.
    """

    monotonic_ms: int
    utc_ms: int
