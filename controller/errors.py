"""The four kinds of trouble. Two questions decide the class: whose fault is it, and is another try worth it?"""

from collections.abc import Iterable


class CuadraError(Exception):
    """Any trouble this project names itself. Its text says what was found, where, what was expected, what to do."""


class BadMessage(CuadraError):
    """Theirs: what arrived cannot be used. Set it aside, put it on record, go on with everything else."""


class BadConfig(CuadraError):
    """The operator's: a file or a setting cannot be used. Holds every fault found, so that one reading mends them all."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class Unavailable(CuadraError):
    """Nobody's: it may work later. Say so once, not once a second."""


class BrokenPromise(CuadraError):
    """Ours: a promise of the brief does not hold. Roll back and start again from the journal; never carry on."""
