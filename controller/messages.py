"""What nodes and gateways say to each other: structs, topics, bytes. (The design's section 5, "On the wire".)

Every payload is the JSON of one tagged struct; unknown fields are ignored, so that an older side understands a newer
one. `up` topics are written by that node alone, `down` topics by the gateway alone. Who said it is not in the payload
but in the topic, and what proves it is the user property `mac` (see `authentication.py`).
"""

import hashlib
import re
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from controller.errors import BadMessage

ROOT: Final = "cuadra/v1"
PRESS_EXPIRY_S: Final = 604_800
"""Seconds a press may wait in a broker; what is left of it on arrival tells how long it did wait."""
ORDER_EXPIRY_S: Final = 15
PAYLOAD_BYTES_MAX: Final = 4096

Boot = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="128 random bits, drawn at each start, in hex")]
Seq = Annotated[int, Meta(ge=1, le=2**53)]
MISSING_MAX: Final = 32
"""How many presses an order names that a newer one has overtaken."""
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53, description="a number that every JSON and both databases hold")]
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$", description="an id: zone, block, node, input, kind, member")]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="first 16 bytes of SHA-256 over a payload, in hex")]
NAME_PATTERN: Final = re.compile(r"^[a-z0-9][a-z0-9-]{0,31}$")


class Gesture(StrEnum):
    """What hands (or a screwdriver) did. What it means depends on the situation and is decided by the node's table."""

    HOLD = "hold"
    JABS = "jabs"
    AT_START = "at-start"        # found pressed when the node started: counts as held
    CANCEL = "cancel"            # "it was a mistake": names the press it takes back
    FORCED_CANCEL = "forced"     # looks the same to a bystander, means "I am forced to"
    CAME = "came"                # "they came": a tap while the incident is taken
    REOPEN = "reopen"            # held again soon after the end
    CHECK_IN = "check-in"        # a patrol proves that it is here
    CUT = "cut"                  # changeover contact: neither side connected
    SHORTED = "shorted"          # changeover contact: both sides connected
    OPENED = "opened"            # the case's tamper contact
    TEST = "test"                # pressed in test mode, or at an input of kind `test`
    CANARY = "canary"            # no hand: the node was ordered to send a press of kind `test`, at the input `canary`
    DRILL = "drill"              # no hand: the node was ordered to, in an exercise; at the input `drill`


class PressRef(Struct, frozen=True):
    """Which press: unique for ever within its node. (Promise 2.)"""

    boot: Boot
    seq: Seq


class Press(Struct, frozen=True, tag="press", omit_defaults=True):
    """One actuation of one input: fixed when it is made, the same bytes in every repeat."""

    boot: Boot
    seq: Seq
    input: Name
    kind: Name
    gesture: Gesture
    drill: bool = False
    refers_to: PressRef | None = None


class NodeFault(Struct, frozen=True, order=True):
    """A state of a node that somebody should mend. It lasts as long as the beats go on naming it.

    code: one of `stuck`, `cut`, `shorted`, `disk-full`, `disk-read-only`, `disk-slow`, `disk-damaged`, `supply-collapses-under-siren`,
    `guard-down`, `siren-refused`, `settings-refused`, `outbox-filling`, `press-unreadable`.
    subject: the input or part it is about, or `node`.
    """

    code: Name
    subject: Name = "node"


class Online(Struct, frozen=True, tag="online", omit_defaults=True):
    """Birth (`online` true) or will (`online` false) of one life of a node; retained. Both bear the same `boot`.

    silent_boot: the boot under which this life's silent presses count. Known to the gateway alone; never in the open chain.
    machine_restarted: false when only the process was restarted; for whoever reads the record, since each press says its own age.
    """

    boot: Boot
    online: bool
    silent_boot: Boot | None = None
    firmware: str = ""
    inputs: tuple[Name, ...] = ()
    settings_rev: Whole = 0
    machine_restarted: bool = True


class Beat(Struct, frozen=True, tag="beat", omit_defaults=True):
    """A sign of life, each `Settings.beat_s`. `unsent` counts open presses only, so that it shows no silent one."""

    boot: Boot
    uptime_s: Whole
    incident_rev: Whole
    siren: bool = False
    unsent: Whole = 0
    mains: bool | None = None
    battery_mv: Whole | None = None
    signal_dbm: Whole | None = None
    temperature_c: Whole | None = None
    settings_rev: Whole = 0
    faults: tuple[NodeFault, ...] = ()


STREAMS_MAX: Final = 12
"""How many streams of presses an answer names, and how many runs of one that still wait: what more there is comes the next night."""


class Stream(Struct, frozen=True, omit_defaults=True):
    """What a node knows of one of its two streams of presses in one life: the last number given, and the runs that still wait.

    secret: it is the silent one. waits: (first, last) of each run of presses without a receipt, rising.
    """

    boot: Boot
    last: Annotated[int, Meta(ge=0, le=2**53)]
    secret: bool = False
    waits: Annotated[tuple[tuple[Seq, Seq], ...], Meta(max_length=STREAMS_MAX)] = ()


class SirenFound(StrEnum):
    """Whether current flows to the siren when it is switched on."""

    NOT_TRIED = ""                   # a call was under way, or this is no such test's answer
    DREW = "drew"
    NO_CURRENT = "no-current"
    SENSOR_STUCK = "sensor-stuck"    # the sensor shows current with the siren off, too: it proves nothing
    NOT_MEASURED = "not-measured"    # no sensor is fitted


class Done(Struct, frozen=True, tag="done", omit_defaults=True):
    """An order carried out (`done`), or refused and why.

    streams: the answer to `Tally`. more: there is more than they name. siren: what `SelfTest` or `SirenTest` found of its current.
    """

    boot: Boot
    id: str
    done: bool
    why: str = ""
    streams: Annotated[tuple[Stream, ...], Meta(max_length=STREAMS_MAX)] = ()
    more: bool = False
    siren: SirenFound = SirenFound.NOT_TRIED


class Ask(Struct, frozen=True, tag="ask"):
    """The tap at rest: is somebody there tonight?"""

    boot: Boot
    id: str
    input: Name


class Answer(Struct, frozen=True, tag="answer", omit_defaults=True):
    """The gateway's answer to `Ask`: `ok` when it can tell people and today's test of this node passed."""

    boot: Boot
    id: str
    ok: bool
    why: str = ""


class Kept(StrEnum):
    """As what the gateway has something durably."""

    RECORDED = "recorded"        # as a press
    UNREADABLE = "unreadable"    # as a bad message: it blocks nobody, and the node says so


class Receipt(Struct, frozen=True, tag="receipt", omit_defaults=True):
    """The gateway has this press durably on record.

    digest: of the press's payload. The node forgets a press only when the digest is its own press's, so that neither
    a forged nor a misdirected receipt can delete another one.
    boot, seq: of the press, absent when it could not be read.
    """

    digest: Digest
    kept: Kept
    boot: Boot | None = None
    seq: Seq | None = None


class SirenOn(Struct, frozen=True, tag="siren-on", omit_defaults=True):
    """Sound the pattern of `kind` for at most `for_s`, and never longer than the node's own limit.

    drill: for an exercise; it never disturbs what sounds in earnest, and an emergency takes the siren over.
    """

    kind: Name
    for_s: Annotated[int, Meta(ge=1, le=900)]
    drill: bool = False


class SirenOff(Struct, frozen=True, tag="siren-off", omit_defaults=True):
    """Stop the siren: no emergency of its block calls for it any more.

    last_seq: the newest press of the order's boot that the gateway knew of, 0 when it knew of none; missing: those before it that it
    did not know of. It knows of a press before it can give the receipt. A call that the node made after `last_seq`, or one of
    `missing` that still waits for its receipt, is another emergency: its siren goes on.
    """

    last_seq: Annotated[int, Meta(ge=0, le=2**53)] = 0
    missing: Annotated[tuple[Seq, ...], Meta(max_length=MISSING_MAX)] = ()


class StrobeOn(Struct, frozen=True, tag="strobe"):
    """Flash the strobe for `for_s`, without a sound: somebody needs help in a block nearby. 0 ends it now, unless the siren sounds."""

    for_s: Annotated[int, Meta(ge=0, le=900)]


class TestMode(Struct, frozen=True, tag="test-mode"):
    """Presses are tests for `for_s`, and say so; ends by itself. 0 ends it now."""

    for_s: Annotated[int, Meta(ge=0, le=3600)]


class SirenTest(Struct, frozen=True, tag="siren-test", omit_defaults=True):
    """Sound the test pattern: for_s seconds long, or once, briefly (0). `Done.siren` says what the current sensor saw."""

    for_s: Annotated[int, Meta(ge=0, le=60)] = 0


class SelfTest(Struct, frozen=True, tag="self-test"):
    """Try whatever can be tried without a sound, the disk included; `Done` says whether all of it is well.

    An inaudible pulse of current through the siren is part of it: `Done.siren`.
    """


class Tally(Struct, frozen=True, tag="tally", omit_defaults=True):
    """Say how many presses were made: the answer's `streams`, of this life and of earlier ones that are not settled.

    settled: the last tally of this node whose answer is on record. What it named of lives that are over is not asked for again.
    """

    settled: str = ""


CANARY: Final = "canary"
"""The input that a canary's press names: none of the node's, so that it proves no button and sounds nothing."""


class Canary(Struct, frozen=True, tag="canary"):
    """Send a press of kind `test` the way that every press goes, without a sound; `Done` comes when it is receipted."""


DRILL: Final = "drill"
"""The input that a drill's press names: no hand touched any."""


class Drill(Struct, frozen=True, tag="drill"):
    """Send a press of `kind` that is marked as an exercise; without a sound or a light."""

    kind: Name


AnyOrder = SirenOn | SirenOff | StrobeOn | TestMode | SirenTest | SelfTest | Tally | Canary | Drill


class Order(Struct, frozen=True, tag="order"):
    """The gateway's command to this boot of this node; each `id` is taken once.

    uptime_s_max: it is not obeyed when the node's uptime, as its beats tell it, is more: whoever withholds an order cannot play it later.
    """

    id: str
    boot: Boot
    order: AnyOrder
    uptime_s_max: Annotated[int, Meta(ge=1)]


class LightState(StrEnum):
    """How far help is, as the gateway knows it. The node's light adds "saved here" below and "fault" beside."""

    NONE = "none"                # no incident is open in this block
    OPEN = "open"                # received: the gateway has it durably
    TAKEN = "taken"              # somebody has taken it
    ON_SCENE = "on-scene"        # somebody is there
    CLOSED = "closed"            # just closed: a hold reopens


class IncidentState(Struct, frozen=True, tag="incident", omit_defaults=True):
    """The state of the block's audible incident, for the light; idempotent, `rev` rises within a boot.

    press: the press that opened it, so that a cancel or "they came" can name it.
    closed_s_ago: with `CLOSED`, for how long.
    """

    boot: Boot
    rev: Annotated[int, Meta(ge=1)]
    state: LightState
    kind: Name | None = None
    press: PressRef | None = None
    closed_s_ago: int | None = None


class Pulse(NamedTuple):
    """A part of a pattern: so long on, so long off."""

    on_ms: int
    off_ms: int


class KindSettings(Struct, frozen=True, omit_defaults=True):
    """What a node must know of one kind of press.

    hold_ms: how long a button must be held. pattern: repeated while the siren sounds; empty for a silent kind.
    rank: how serious; 0 is sent first.
    """

    audible: bool
    rank: Annotated[int, Meta(ge=0, le=99)] = 10
    hold_ms: Annotated[int, Meta(ge=200, le=10_000)] = 1000
    pattern: tuple[Pulse, ...] = ()


class InputSettings(Struct, frozen=True, omit_defaults=True):
    """Which kind an input presses."""

    kind: Name


class Settings(Struct, frozen=True, tag="settings", omit_defaults=True):
    """What the registry says of this node. The node keeps the last ones; they win over its file. `rev` rises."""

    boot: Boot
    rev: Annotated[int, Meta(ge=1)]
    kinds: dict[Name, KindSettings]
    inputs: dict[Name, InputSettings]
    siren_s_max: Annotated[int, Meta(ge=5, le=900)] = 180
    beat_s: Annotated[int, Meta(ge=1, le=3600)] = 20
    cancel_s: Annotated[int, Meta(ge=0, le=600)] = 30
    reopen_s: Annotated[int, Meta(ge=0, le=7200)] = 1800


UpMessage = Press | Online | Beat | Done | Ask
DownMessage = Receipt | Order | IncidentState | Settings | Answer
Message = UpMessage | DownMessage


class Channel(NamedTuple):
    """How one sort of message travels. expiry_s None: it does not expire."""

    struct: type[Message]
    qos: Literal[0, 1]
    retained: bool
    expiry_s: int | None


CHANNELS: Final[dict[str, Channel]] = {
    "up/press": Channel(Press, 1, False, PRESS_EXPIRY_S),
    "up/online": Channel(Online, 1, True, None),
    "up/beat": Channel(Beat, 0, False, None),
    "up/done": Channel(Done, 1, False, 3600),
    "up/ask": Channel(Ask, 0, False, 5),
    "down/answer": Channel(Answer, 0, False, 5),
    "down/receipt": Channel(Receipt, 1, False, PRESS_EXPIRY_S),
    "down/order": Channel(Order, 1, False, ORDER_EXPIRY_S),
    "down/incident": Channel(IncidentState, 1, False, 3600),
    "down/settings": Channel(Settings, 1, False, 3600),
}
"""The wire, whole: what follows `cuadra/v1/<zone>/<node>/`."""

_NAME_OF: Final = {channel.struct: name for name, channel in CHANNELS.items()}
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODERS: Final = {name: msgspec.json.Decoder(channel.struct) for name, channel in CHANNELS.items()}


class Topic(NamedTuple):
    """A topic of the wire, taken apart; `name` is a key of `CHANNELS`."""

    zone: str
    node: str
    name: str

    def __str__(self) -> str:
        return f"{ROOT}/{self.zone}/{self.node}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Topic":
        """Take a topic apart.

        Raises BadMessage when it is none of the wire's.
        """
        parts = text.split("/")
        if len(parts) == 6 and f"{parts[0]}/{parts[1]}" == ROOT:
            name = f"{parts[4]}/{parts[5]}"
            if name in CHANNELS and NAME_PATTERN.match(parts[2]) and NAME_PATTERN.match(parts[3]):
                return cls(parts[2], parts[3], name)
        raise BadMessage(
            f"topic {text[:200]!r} is none of the wire's; expected {ROOT}/<zone>/<node>/ and one of {', '.join(CHANNELS)}"
        )


def topic_of(message: Message, zone: str, node: str) -> Topic:
    """Where `message` is published for `node` of `zone`."""
    return Topic(zone, node, _NAME_OF[type(message)])


def encode(message: Message) -> bytes:
    """The message's bytes; the same for the same message, always."""
    return _ENCODER.encode(message)


def decode(name: str, payload: bytes) -> Message:
    """Read a payload that came on a topic whose last two parts are `name` (a key of `CHANNELS`).

    Raises BadMessage, naming the field, what was found and what was expected.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise BadMessage(f"{name}: {len(payload)} bytes; expected at most {PAYLOAD_BYTES_MAX}")
    try:
        return _DECODERS[name].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise BadMessage(f"{name}: {fault}; expected the JSON of a {_tag(name)}; check the sender's version") from fault


def digest_of(payload: bytes) -> str:
    """The short fingerprint by which a receipt names a payload."""
    return hashlib.sha256(payload).hexdigest()[:32]


def _tag(name: str) -> str:
    return CHANNELS[name].struct.__name__
