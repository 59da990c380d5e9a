"""What the light at a button says, and how it says it: the ladder, and the patterns as data.

The ladder never claims more than is so. An input shows, from the top, the first that holds:

1. a call for help from this input that is not receipted: FAULT if the disk refused it, REST while it is being written
   (nothing can be claimed yet), SAVED once every such call is on disk. The least of several shows.
2. the block's incident as the gateway tells it: THERE, TAKEN.
3. RECEIVED: the gateway has this input's call, or says that an incident is open in the block.
4. a word that calls nobody (cancel, "they came", check-in, test): SAVED, then RECEIVED for some seconds.
5. the answer to a tap: ANSWER_WELL, ANSWER_FAULT for some seconds.
6. FAULT: this input is stuck, cut or shorted, or something of the node needs mending.
7. TEST: test mode. 8. REST.

The states differ by rhythm, so that nobody must tell colours apart. More help is more light: from one blink in four
seconds to a light that hardly goes out.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from controller.messages import LightState, Pulse
from node_firmware.effects import Light, Sound

BLINKS: Final[Mapping[Light, tuple[Pulse, ...]]] = {
    Light.REST: (),
    Light.SAVED: (Pulse(100, 1900),),
    Light.RECEIVED: (Pulse(500, 500),),
    Light.TAKEN: (Pulse(1500, 500),),
    Light.THERE: (Pulse(2900, 100),),
    Light.FAULT: (Pulse(60, 60),) * 5 + (Pulse(60, 1400),),
    Light.ANSWER_WELL: (Pulse(250, 250), Pulse(1000, 500)),
    Light.ANSWER_FAULT: (Pulse(120, 120),),
    Light.TEST: (Pulse(100, 200), Pulse(100, 200), Pulse(100, 1800)),
}
"""Each light's rhythm, repeated until another one is set; () is dark."""

BUZZES: Final[Mapping[Sound, tuple[Pulse, ...]]] = {
    Sound.CHIRP: (Pulse(60, 0),),
    Sound.SAVED: (Pulse(60, 90), Pulse(60, 0)),
    Sound.RECEIVED: (Pulse(300, 0),),
    Sound.TAKEN: (Pulse(300, 150), Pulse(300, 0)),
    Sound.THERE: (Pulse(300, 150), Pulse(300, 150), Pulse(300, 0)),
    Sound.WELL: (Pulse(80, 80), Pulse(300, 0)),
    Sound.FAULT: (Pulse(80, 60),) * 6,
}
"""Each sound's rhythm, played once."""

ANSWER_SHOWN_MS: Final = 4000
WORD_RECEIVED_SHOWN_MS: Final = 5000

SOUND_OF: Final[Mapping[Light, Sound]] = {
    Light.SAVED: Sound.SAVED,
    Light.RECEIVED: Sound.RECEIVED,
    Light.TAKEN: Sound.TAKEN,
    Light.THERE: Sound.THERE,
    Light.ANSWER_WELL: Sound.WELL,
    Light.ANSWER_FAULT: Sound.FAULT,
}
"""What the buzzer adds when a light changes to this one; the others change without a sound."""


class Seen(Struct, frozen=True):
    """All that the light of one input depends on.

    calls, words: the least that may be said of its calls for help, and of its words, that are not receipted (FAULT,
    REST or SAVED; None: there are none). called: a call of this input is received and its emergency goes on.
    """

    calls: Light | None = None
    words: Light | None = None
    incident: LightState = LightState.NONE
    called: bool = False
    word_received: bool = False
    answer: Light | None = None
    fault: bool = False
    test_mode: bool = False


def ladder(seen: Seen) -> Light:
    """The light for what is so: see the module's own text."""
    if seen.calls is not None:
        return seen.calls
    if seen.incident is LightState.ON_SCENE:
        return Light.THERE
    if seen.incident is LightState.TAKEN:
        return Light.TAKEN
    if seen.called or seen.incident is LightState.OPEN:
        return Light.RECEIVED
    if seen.words is not None and seen.words is not Light.REST:
        return seen.words
    if seen.word_received:
        return Light.RECEIVED
    if seen.answer is not None:
        return seen.answer
    if seen.fault:
        return Light.FAULT
    return Light.TEST if seen.test_mode else Light.REST
