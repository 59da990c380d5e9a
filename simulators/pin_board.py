"""A Raspberry Pi's pins that are not there: levels, pulls, what drives them from outside, and everything that happened."""

from collections.abc import Callable
from typing import Final, NamedTuple

from node_firmware.clock import boottime_ms

PINS: Final = 54
INPUT, OUTPUT = 0, 1
PULL_OFF, PULL_DOWN, PULL_UP = 0, 1, 2
PULLED_UP_AT_POWER_ON: Final = range(9)


class Change(NamedTuple):
    """A pin's level changed. at_ms: CLOCK_BOOTTIME. output: the board drove it; else the world did, or a pull."""

    at_ms: int
    pin: int
    level: int
    output: bool


class PinBoard:
    """The pins of one Pi. They outlive whatever process drives them, as on the real one."""

    def __init__(self) -> None:
        self._mode = [INPUT] * PINS
        self._pull = [PULL_UP if pin in PULLED_UP_AT_POWER_ON else PULL_DOWN for pin in range(PINS)]
        self._written = [0] * PINS
        self._driven: list[int | None] = [None] * PINS
        self.levels = [self._level(pin) for pin in range(PINS)]
        self.history: list[Change] = []
        self.watchers: list[Callable[[Change], None]] = []
        """Called with each change."""

    def mode(self, pin: int) -> int:
        """INPUT, OUTPUT, or an alternate function's number."""
        return self._mode[pin]

    def set_mode(self, pin: int, mode: int) -> None:
        """As the Pi does it: an output that becomes an input floats to its pull."""
        self._mode[pin] = mode
        self._settle(pin)

    def set_pull(self, pin: int, pull: int) -> None:
        """The Pi's own resistor. Without any, the wiring's own pull-down holds the pin."""
        self._pull[pin] = pull
        self._settle(pin)

    def write(self, pin: int, level: int) -> None:
        """Drive the pin from the Pi; it becomes an output."""
        self._written[pin] = level
        self._mode[pin] = OUTPUT
        self._settle(pin)

    def drive(self, pin: int, level: int | None) -> None:
        """Drive the pin from outside: 0 is a contact closed to ground, None lets go."""
        self._driven[pin] = level
        self._settle(pin)

    def bank(self) -> int:
        """The first 32 levels as bits."""
        return sum(level << pin for pin, level in enumerate(self.levels[:32]))

    def _level(self, pin: int) -> int:
        if self._mode[pin] == OUTPUT:
            return self._written[pin]
        driven = self._driven[pin]
        return driven if driven is not None else int(self._pull[pin] == PULL_UP)

    def _settle(self, pin: int) -> None:
        level = self._level(pin)
        if level != self.levels[pin]:
            self.levels[pin] = level
            change = Change(boottime_ms(), pin, level, self._mode[pin] == OUTPUT)
            self.history.append(change)
            for watcher in list(self.watchers):
                watcher(change)
