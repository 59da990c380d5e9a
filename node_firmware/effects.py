"""What a block's node does: the effects of `BlockNode.handle`, in an order that is a promise.

SoundSiren stands first and waits for nothing; KeepPress comes before PublishPress of the same press; SetLight(SAVED) is
the answer to PressKept, never part of the same list as KeepPress.
"""

from enum import StrEnum

from msgspec import Struct

from controller import messages
from controller.messages import Press, PressRef, Pulse


class Light(StrEnum):
    """What the light at a button says. States differ by blink pattern, not by colour alone."""

    REST = "rest"                # nothing is open
    SAVED = "saved"              # saved here, not yet with the gateway
    RECEIVED = "received"        # the gateway has it durably
    TAKEN = "taken"              # somebody has taken it
    THERE = "there"              # somebody is there
    FAULT = "fault"
    ANSWER_WELL = "answer-well"  # to a tap at rest: the gateway answers and today's test passed
    ANSWER_FAULT = "answer-fault"
    TEST = "test"                # test mode


class Sound(StrEnum):
    """Short sounds of the buzzer, for those who do not see the light."""

    CHIRP = "chirp"              # your press was noticed
    SAVED = "saved"
    RECEIVED = "received"
    TAKEN = "taken"
    THERE = "there"
    WELL = "well"
    FAULT = "fault"


class SoundSiren(Struct, frozen=True):
    """Play `pattern` over and over from now, for at most `for_ms`; replaces what sounds now."""

    pattern: tuple[Pulse, ...]
    for_ms: int


class StopSiren(Struct, frozen=True):
    """Silence, at once."""


class FlashStrobe(Struct, frozen=True):
    """Flash the strobe alone for so long; 0: no more. Given only while no siren sounds; the siren's end puts it out, too."""

    for_ms: int


class MarkSiren(Struct, frozen=True):
    """Keep on disk that the siren sounds (or no longer does), so that a supply that collapses under it is found out."""

    on: bool


class KeepPress(Struct, frozen=True):
    """Write the press to the outbox, synced; answer with PressKept or PressNotKept. made_at_ms: on the node's clock.

    secret: of the silent stream. With it is written how far its stream has come, so that its loss would show.
    """

    press: Press
    made_at_ms: int
    rank: int
    secret: bool = False


class PublishPress(Struct, frozen=True):
    """Send the press now if the link is up; the most serious `rank` (0) first. age_ms: None when it is not known."""

    press: Press
    age_ms: int | None
    rank: int


class ForgetPress(Struct, frozen=True):
    """It was receipted: take it out of the outbox."""

    ref: PressRef


class SetLight(Struct, frozen=True):
    """Show `light` at the button of `input` until told otherwise."""

    input: str
    light: Light


class Play(Struct, frozen=True):
    """Play a short sound on the buzzer."""

    sound: Sound


class Publish(Struct, frozen=True):
    """Send now if the link is up; else drop it."""

    message: messages.Online | messages.Beat | messages.Done | messages.Ask


class KeepSettings(Struct, frozen=True):
    """Keep the gateway's settings on disk."""

    settings: messages.Settings


class ForgetStreams(Struct, frozen=True):
    """How far these streams of earlier lives came is settled: the outbox need not remember it."""

    boots: tuple[str, ...]


class TryDisk(Struct, frozen=True):
    """Write something to the outbox, synced; answer with DiskTried. order: the self-test that wants to know."""

    order: str


class SenseSiren(Struct, frozen=True):
    """Look for current at the siren for so long; answer with SirenSensed. order: the test that wants to know.

    pulse: switch it on for just that time, too short to be heard. Whatever sounds meanwhile takes the pulse's place at once.
    """

    order: str
    pulse: bool
    for_ms: int


NodeEffect = (
    TryDisk | SenseSiren | SoundSiren | StopSiren | FlashStrobe | MarkSiren | KeepPress | PublishPress | ForgetPress | ForgetStreams | SetLight | Play
    | Publish | KeepSettings
)
