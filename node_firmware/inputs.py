"""What can happen to a block's node: the inputs of `BlockNode.handle`.

On a node `Now.monotonic_ms` is CLOCK_BOOTTIME: it counts from the machine's start, also through a restart of the process.
"""

from msgspec import Struct

from controller import messages
from controller.messages import Boot, Press, PressRef


class Edge(Struct, frozen=True):
    """A contact closed (`active`) or opened, at `at_ms` on the node's clock. Not debounced.

    line: the input's id for a plain contact; `<input>.pressed` and `<input>.released` for the two sides of a changeover.
    """

    line: str
    active: bool
    at_ms: int


class WaitingPress(Struct, frozen=True):
    """A press that the outbox still holds, with the rank that it was kept with.

    made_at_ms: on this machine's clock; None when the machine has restarted since.
    """

    press: Press
    made_at_ms: int | None
    rank: int


class Started(Struct, frozen=True):
    """The process has started. Always the first input.

    boot, silent_boot: fresh random ids of the open and the silent stream. lines: each line's level now.
    settings: the last ones from the gateway, if any were kept. waiting: what the outbox holds, oldest first.
    machine_restarted: false when only the process did. siren_mark_age_ms: how long before its end the last life had
    switched the siren on, when that life ended with the siren on and the machine restarted; else None.
    disk_fault: the outbox could not be opened (`disk-read-only`, `disk-full`, `disk-damaged`; `disk-slow`: it has not
    answered yet, and OutboxOpened follows), else empty. streams: how far those of earlier lives came, the oldest first.
    """

    boot: Boot
    silent_boot: Boot
    lines: dict[str, bool]
    settings: messages.Settings | None = None
    waiting: tuple[WaitingPress, ...] = ()
    machine_restarted: bool = True
    siren_mark_age_ms: int | None = None
    disk_fault: str = ""
    streams: tuple[messages.Stream, ...] = ()


class OutboxOpened(Struct, frozen=True):
    """The disk hung when the process started and answers now: what `Started` could not bring."""

    settings: messages.Settings | None = None
    waiting: tuple[WaitingPress, ...] = ()
    machine_restarted: bool = True
    siren_mark_age_ms: int | None = None
    disk_fault: str = ""
    streams: tuple[messages.Stream, ...] = ()


class PressKept(Struct, frozen=True):
    """The press is on disk, synced."""

    ref: PressRef


class PressNotKept(Struct, frozen=True):
    """The press could not be written: code `disk-full`, `disk-read-only` or `disk-damaged`. It lives in memory now."""

    ref: PressRef
    code: str


class DiskWell(Struct, frozen=True):
    """Writing works again."""


class DiskTried(Struct, frozen=True):
    """What came of TryDisk: written and synced, or the `fault` code as in PressNotKept."""

    order: str
    fault: str


class SirenSensed(Struct, frozen=True):
    """What came of SenseSiren."""

    order: str
    found: messages.SirenFound


class PressReceipted(Struct, frozen=True):
    """An authentic receipt came."""

    receipt: messages.Receipt


class KeysRead(Struct, frozen=True):
    """The files that the link needs (key, password, certificate) are good, or (`well` false) cannot be read or are refused."""

    well: bool


class LinkUp(Struct, frozen=True):
    """The broker is connected and the subscriptions stand."""


class LinkDown(Struct, frozen=True):
    """The broker is gone."""


class OrderCame(Struct, frozen=True):
    """An authentic order; whether it is meant for this boot is the core's to check."""

    order: messages.Order


class IncidentCame(Struct, frozen=True):
    """The state of the block's incident, for the light."""

    state: messages.IncidentState


class SettingsCame(Struct, frozen=True):
    """New settings."""

    settings: messages.Settings


class AnswerCame(Struct, frozen=True):
    """The answer to a tap at rest."""

    answer: messages.Answer


class PowerRead(Struct, frozen=True):
    """What the sensors say; None for what is not fitted."""

    mains: bool | None = None
    battery_mv: int | None = None
    signal_dbm: int | None = None
    temperature_c: int | None = None


class GuardSeen(Struct, frozen=True):
    """The siren's guard process answers, or does not."""

    up: bool


class Woken(Struct, frozen=True):
    """The time that `wake_at_ms` asked for has come."""


NodeInput = (
    Edge | Started | OutboxOpened | PressKept | PressNotKept | DiskWell | DiskTried | SirenSensed
    | PressReceipted | KeysRead | LinkUp | LinkDown | OrderCame
    | IncidentCame
    | SettingsCame | AnswerCame | PowerRead | GuardSeen | Woken
)
