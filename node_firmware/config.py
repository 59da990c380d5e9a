"""A node's own file, `node.toml`: its wiring, its broker, and what holds until the gateway's settings have come once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from controller.broker_settings import BrokerSettings, Port
from controller.messages import KindSettings, Name, Pulse
from controller.registry import PublicKey

Pin = Annotated[int, Meta(ge=0, le=27, description="BCM number")]

PULLED_UP_AT_POWER_ON = range(9)
"""BCM 0 to 8 start with a pull-up: a siren there would howl between power-on and the first line of our code."""


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """Who this node is: zone and node as the registry has them; the gateway's public key; where its own private key is kept."""

    zone: Name
    node: Name
    gateway_public_key: PublicKey
    key_file: Path = Path("/var/lib/cuadra-node/node.key")


class PinsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which driver: `lgpio` on a Raspberry Pi, `mock` (gpiozero's own, in this process), `pigpio` (a daemon at host:port).

    The simulators' pins speak pigpio's protocol, too.
    """

    driver: Literal["lgpio", "mock", "pigpio"] = "lgpio"
    host: str = "127.0.0.1"
    port: Port = 8888


class InputPins(Struct, frozen=True, forbid_unknown_fields=True):
    """One button. Changeover contact (recommended): `pressed` and `released` pins; plain contact: `pressed` alone.

    kind: what it presses until the gateway's settings say otherwise; asked of each, since a silent button that is taken for
    panic betrays whoever presses it. light: the pin of the light at the button. tamper: it is no button but a contact of the
    case, closed at rest.
    """

    pressed: Pin
    kind: Name
    released: Pin | None = None
    light: Pin | None = None
    tamper: bool = False


class SirenPins(Struct, frozen=True, forbid_unknown_fields=True):
    """The siren's output. s_max: for how long at most it sounds, until settings come.

    sense: the input of a current sensor in the siren's line, closed to ground while current flows. pulse_ms: how long the daily
    test's pulse lasts: too short to be heard, long enough for driver and sensor.
    """

    pin: Pin
    active_high: bool = True
    strobe: Pin | None = None
    s_max: Annotated[int, Meta(ge=5, le=900)] = 180
    sense: Pin | None = None
    pulse_ms: Annotated[int, Meta(ge=1, le=30)] = 5


def default_kinds() -> dict[str, KindSettings]:
    """What a node knows of kinds before it has ever heard its gateway: the safe defaults."""
    return {
        "panic": KindSettings(audible=True, rank=1, hold_ms=1000, pattern=(Pulse(700, 300),)),
        "fire": KindSettings(audible=True, rank=1, hold_ms=1000, pattern=(Pulse(250, 250), Pulse(250, 250), Pulse(250, 1250))),
        "medical": KindSettings(audible=True, rank=2, hold_ms=1000, pattern=(Pulse(1500, 1500),)),
        "violence": KindSettings(audible=False, rank=0, hold_ms=1000),
        "extortion": KindSettings(audible=False, rank=1, hold_ms=1000),
        "tamper": KindSettings(audible=False, rank=3),
        "test": KindSettings(audible=True, rank=9, hold_ms=1000, pattern=(Pulse(150, 850),)),
    }


PULSE_MS_MAX = 10_000


def sounds(setting: KindSettings) -> bool:
    """Its pattern is one that a siren can play: it sounds, and it pauses."""
    within = all(0 <= part <= PULSE_MS_MAX for pulse in setting.pattern for part in pulse)
    return within and any(pulse.on_ms for pulse in setting.pattern) and any(pulse.off_ms for pulse in setting.pattern)


class NodeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The file, whole."""

    identity: Identity
    broker: BrokerSettings
    siren: SirenPins
    inputs: dict[Name, InputPins]
    pins: PinsSettings = field(default_factory=PinsSettings)
    buzzer: Pin | None = None
    data: Path = Path("/var/lib/cuadra-node")
    """Where the outbox, the settings and the siren's mark are kept."""
    kinds: dict[Name, KindSettings] = field(default_factory=default_kinds)

    def faults(self) -> Iterable[str]:
        """What the types cannot say."""
        if self.siren.pin in PULLED_UP_AT_POWER_ON:
            yield (f"[siren] pin: {self.siren.pin}; expected 9 to 27, since 0 to 8 start pulled up and would sound the siren at "
                   "power-on; wire the siren to another pin")
        if not self.inputs:
            yield "[inputs]: none; expected at least one button; add one, e.g. [inputs.b1] with pressed = 17 and kind = \"panic\""
        used: dict[int, str] = {}
        for place, pin in self._pins():
            if pin in used:
                yield f"{place}: pin {pin} is also {used[pin]}; expected each pin once; correct one of the two"
            used[pin] = place
        for name, pins in self.inputs.items():
            kinds = {**default_kinds(), **self.kinds}
            if not pins.tamper and pins.kind not in kinds:
                yield f"[inputs.{name}] kind: {pins.kind!r}; expected one of {', '.join(sorted(kinds))}; correct it or add [kinds.{pins.kind}]"

        for kind, setting in self.kinds.items():
            if setting.audible and not sounds(setting):
                found = [list(pulse) for pulse in setting.pattern] or "none"
                yield (f"[kinds.{kind}] pattern: {found}; expected pairs [on_ms, off_ms] of 0 to {PULSE_MS_MAX} that sound and pause, since the "
                       "kind is audible; correct it")

    def _pins(self) -> Iterable[tuple[str, int]]:
        yield "[siren] pin", self.siren.pin
        if self.siren.strobe is not None:
            yield "[siren] strobe", self.siren.strobe
        if self.siren.sense is not None:
            yield "[siren] sense", self.siren.sense
        if self.buzzer is not None:
            yield "buzzer", self.buzzer
        for name, pins in self.inputs.items():
            yield f"[inputs.{name}] pressed", pins.pressed
            if pins.released is not None:
                yield f"[inputs.{name}] released", pins.released
            if pins.light is not None:
                yield f"[inputs.{name}] light", pins.light
