"""The node's pins, through gpiozero 2: contacts in; siren, strobe, lights and buzzer out.

How an edge reaches the core: the driver's own thread (lgpio's, pigpio's; with `mock` the caller's) appends it to a
deque and wakes the event loop, which hands it to the core and switches the siren in the same call. Between the two
stands no lock and no await of ours; what can wait (disk, network, log) has threads and queues of its own and is never
waited for here. gpiozero's `bounce_time` stays off: it delays the first edge and drops the last, and telling hold, jab
and noise apart is the core's. With `pigpio` each write is a round trip to its daemon: that driver is for a daemon on
this machine.
"""

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gpiozero import Factory, OutputDevice  # type: ignore[import-untyped]  # it brings no types

from controller.errors import Unavailable
from controller.messages import Pulse, SirenFound
from node_firmware.clock import boottime_ms
from node_firmware.config import InputPins, NodeConfig, PinsSettings, SirenPins
from node_firmware.effects import Light, Sound
from node_firmware.inputs import Edge
from node_firmware.lights import BLINKS, BUZZES
from node_firmware.player import Player
from node_firmware.siren_sense import SETTLES_MS, SirenSense

logger = logging.getLogger(__name__)

_STEADY: Final = (Pulse(1000, 0),)
"""The strobe's electronics flash by themselves."""
EDGE_AGE_MS_MAX: Final = 2000
"""An edge that its driver dates older than this was dated on another clock than ours: it counts as of now."""


def open_factory(settings: PinsSettings) -> Factory:
    """The driver that the settings name.

    Raises Unavailable when it cannot be opened: not installed, no such hardware, no daemon, held by another process.
    """
    try:
        return _opened(settings)
    except ImportError as fault:
        raise Unavailable(
            f"[pins] driver {settings.driver!r}: {fault.name} is not installed; on a Pi install by the README's lines "
            f"for a node, for a pigpio daemon `{sys.executable} -m pip install pigpio`; or choose \"mock\""
        ) from fault
    except Exception as fault:  # each driver raises its own kinds
        raise Unavailable(
            f"[pins] driver {settings.driver!r}: cannot be opened ({fault}); expected its hardware or daemon; "
            "on a machine without GPIO choose \"mock\""
        ) from fault


def preload(settings: PinsSettings) -> None:
    """Import the driver, so that nothing must be read from a disk that may hang when it is needed.

    Raises ImportError when it is not installed.
    """
    _CLASSES[settings.driver]()


def _lgpio() -> Any:  # noqa: ANN401 (gpiozero has no types)
    # lgpio makes a pipe in the current folder when it is imported, and a node's may be read-only; once open it needs no name.
    shm = Path("/dev/shm")  # noqa: S108 (memory-backed; the folder within is ours alone)
    with tempfile.TemporaryDirectory(prefix="cuadra-lgpio-", dir=shm if shm.is_dir() else None) as folder, contextlib.chdir(folder):
        from gpiozero.pins.lgpio import LGPIOFactory  # type: ignore[import-untyped]  # noqa: PLC0415 (on a Raspberry Pi only)

    return LGPIOFactory


def _mock() -> Any:  # noqa: ANN401 (gpiozero has no types)
    from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped]  # noqa: PLC0415 (only where it is asked for)

    return MockFactory


def _pigpio() -> Any:  # noqa: ANN401 (gpiozero has no types)
    from gpiozero.pins.pigpio import PiGPIOFactory  # type: ignore[import-untyped]  # noqa: PLC0415 (simulations bring it)

    return PiGPIOFactory


_CLASSES: Final[Mapping[str, Callable[[], Any]]] = {"lgpio": _lgpio, "mock": _mock, "pigpio": _pigpio}


def _opened(settings: PinsSettings) -> Factory:
    made = _CLASSES[settings.driver]()
    if settings.driver != "pigpio":
        return made()
    factory = made(settings.host, settings.port)
    if factory.connection is None:
        raise OSError(f"no daemon at {settings.host}:{settings.port}")
    return factory


def _is_pigpio(factory: Factory) -> bool:
    # By its name: only where it is asked for is it installed.
    return type(factory).__name__ == "PiGPIOFactory"


def siren_off(factory: Factory, siren: SirenPins) -> None:
    """Drive the siren's pin to off, and leave it driven: an input would float, and what it drives with it."""
    factory.pin(siren.pin).output_with_state(not siren.active_high)


def lines_of(inputs: Mapping[str, InputPins]) -> dict[str, int]:
    """Each line as the core calls it, and its pin."""
    lines = {}
    for name, pins in inputs.items():
        if pins.released is None:
            lines[name] = pins.pressed
        else:
            lines[f"{name}.pressed"] = pins.pressed
            lines[f"{name}.released"] = pins.released
    return lines


class _Line:
    """One contact against ground under a pull-up: low is closed."""

    def __init__(
        self, name: str, pin: Any, factory: Any, seen: Callable[[Edge], None], *, settles: bool  # noqa: ANN401 (gpiozero has no types)
    ) -> None:
        self._name = name
        self._pin = pin
        self._factory = factory
        self._seen = seen
        pin.input_with_pull("up")
        pin.bounce = None
        pin.edges = "both"
        pin.when_changed = self._changed
        if settles:
            # pigpio's client compares with the levels it read when it connected, before the pull-up lifted this line: without a
            # report in between it would take the first press for no change, and nobody would hear it.
            pin.pull = "down"
            pin.pull = "up"

    @property
    def closed(self) -> bool:
        return not self._pin.state

    def _changed(self, ticks: float, state: int) -> None:
        """On the driver's thread. Nothing may be raised into it: it would end, and with it every button."""
        try:
            age_ms = round(self._factory.ticks_diff(self._factory.ticks(), ticks) * 1000)
        except Exception:
            logger.exception("pins: the driver's clock cannot be read; the edge counts as of now")
            age_ms = 0
        if not 0 <= age_ms <= EDGE_AGE_MS_MAX:
            age_ms = 0
        self._seen(Edge(self._name, not state, boottime_ms() - age_ms))


class Pins:
    """All of a node's pins. Made on the event loop's thread; the siren and everything else is off when it is made.

    edges: where the edges wait, oldest first; woken is called on the loop when one has come.
    Raises Unavailable when a pin cannot be had.
    """

    def __init__(self, config: NodeConfig, factory: Factory, woken: Callable[[], None]) -> None:
        self.edges: deque[Edge] = deque()
        self._factory = factory
        self._woken = woken
        self._loop = asyncio.get_running_loop()
        self._sensing: asyncio.TimerHandle | None = None
        try:
            siren_off(factory, config.siren)
            self._sense = SirenSense(_writer(self._output(config.siren.pin, active_high=config.siren.active_high)), self._sensor(config.siren.sense))
            self._siren = Player(self._sense.write)
            self._strobe = Player(_writer(self._output(config.siren.strobe)))
            self._buzzer = Player(_writer(self._output(config.buzzer)))
            self._lights = {name: Player(_writer(self._output(pins.light))) for name, pins in config.inputs.items()}
            self._lines = {
                name: _Line(name, factory.pin(number), factory, self._seen, settles=_is_pigpio(factory))
                for name, number in lines_of(config.inputs).items()
            }
        except Exception as fault:  # each driver raises its own kinds
            raise Unavailable(f"[pins]: a pin cannot be had ({fault}); expected all of node.toml's pins to be free; "
                              "stop what else uses them") from fault

    def levels(self) -> dict[str, bool]:
        """Each line's contact now: True is closed."""
        return {name: line.closed for name, line in self._lines.items()}

    def sound(self, pattern: tuple[Pulse, ...], for_ms: int) -> None:
        """Siren (and strobe) from now, over and over, for at most `for_ms`."""
        self._siren.play(pattern, repeat=True, for_ms=for_ms)
        self._strobe.play(_STEADY, repeat=True, for_ms=for_ms)

    def sense(self, answer: Callable[[SirenFound], None], *, pulse: bool, for_ms: int) -> None:
        """Look for current at the siren for so long, and answer then; `pulse`: switch it on for that time, unless it sounds.

        Whoever asked before and has no answer yet gets none.
        """
        if self._sensing is not None:
            self._sensing.cancel()
        self._sense.begin()
        if pulse and not self._siren.playing:
            self._siren.play((Pulse(for_ms, 1),), repeat=False)
        self._sensing = self._loop.call_later((for_ms + SETTLES_MS) / 1000, lambda: answer(self._sense.end()))

    def flash(self, for_ms: int) -> None:
        """The strobe alone for at most `for_ms`; 0: off."""
        if for_ms:
            self._strobe.play(_STEADY, repeat=True, for_ms=for_ms)
        else:
            self._strobe.stop()

    def silence(self) -> None:
        """Siren and strobe off."""
        self._siren.stop()
        self._strobe.stop()

    def show(self, name: str, light: Light) -> None:
        """The light at the button `name`, if it has one."""
        self._lights[name].play(BLINKS[light], repeat=True)

    def buzz(self, sound: Sound) -> None:
        """A short sound, if there is a buzzer."""
        self._buzzer.play(BUZZES[sound], repeat=False)

    def close(self) -> None:
        """Everything off, all pins given back."""
        if self._sensing is not None:
            self._sensing.cancel()
        for player in (self._siren, self._strobe, self._buzzer, *self._lights.values()):
            player.stop()
        self._factory.close()

    def _output(self, number: int | None, *, active_high: bool = True) -> OutputDevice | None:
        if number is None:
            return None
        return OutputDevice(number, active_high=active_high, initial_value=False, pin_factory=self._factory)

    def _sensor(self, number: int | None) -> Callable[[], bool] | None:
        """Whether its contact is closed now."""
        if number is None:
            return None
        pin = self._factory.pin(number)
        pin.input_with_pull("up")
        return lambda: not pin.state

    def _seen(self, edge: Edge) -> None:
        """On the driver's thread (deque.append and call_soon_threadsafe are made for that)."""
        self.edges.append(edge)
        try:
            self._loop.call_soon_threadsafe(self._woken)
        except RuntimeError:
            logger.info("pins: an edge of %s came after the end", edge.line)


def _writer(output: OutputDevice | None) -> Callable[[bool], None]:
    def write(on: bool) -> None:
        if output is not None:
            output.on() if on else output.off()

    return write
