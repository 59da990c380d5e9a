"""What hands can do to a button and what it means: one table, gesture × situation × (audible, test or silent) → meaning.

The patterns, as they are taught (see `hands.py` for how they are recognised):

- **hold**: the kind's hold time. **three jabs**: presses of 60 to 800 ms that begin within 3 s. Both call for help.
- **tap**: one short press, answered after 0.7 s. A **lone tap** is one with nothing else for 3 s before and after it;
  only that means "they came", so that the first of three slow jabs never says that help is there. Up to 8 s after a pair
  it may be the middle of a check-in, and is alone when nothing has followed it for 8 s, too.
- **cancel**: tap-tap, count slowly to five, tap-tap, count to five, tap-tap. Six taps in three pairs with pauses of 3
  to 8 s: fear does not count. Who counts too fast makes three jabs of it, which call for help: the safe side.
- **forced cancel**: the same pairs with the same pauses, but the very last tap is held a good half second (0.4 to
  0.8 s). To a bystander it is the cancel: the same taps, siren, light, sounds, the same number of bytes on the wire. A
  nervous hand that presses too long says "forced" where it meant "cancel", never the other way round.
- **check-in** (a patrol proves that it is here): tap-tap, five, tap, five, tap-tap.
- **unclear**: taps that form no pattern, and a press too long for a tap and too short for a hold. Answered, no more.

No press is refused: hold and jabs call for help in every situation. On a button of kind `test` they are a test in every one, since
it calls nobody. Test mode yields to an emergency that is open, so
that nobody's real press is taken for a test. A silent input shows nothing in any situation and therefore has one
column: it cannot say that test mode is on, so a press there is never a test; its taps leave no trace; its cancels are
recorded. Cancels are recorded whatever the situation, also late and at rest, and name the press they take back; the
siren obeys them only within the cancel window. "Forced" at rest is a call too, so the plain cancel at rest is sent too.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from controller.messages import Gesture


class Hands(StrEnum):
    """A finished gesture, as recognised at one input."""

    HOLD = "hold"
    JABS = "jabs"
    AT_START = "at-start"
    TAP = "tap"
    LONE_TAP = "lone-tap"
    UNCLEAR = "unclear"
    CANCEL = "cancel"
    FORCED_CANCEL = "forced-cancel"
    CHECK_IN = "check-in"


class Situation(StrEnum):
    """What is going on in the block, as the node knows it."""

    REST = "rest"
    ALARM = "alarm"              # pressed, or an incident is open, and nobody has taken it yet
    TAKEN = "taken"              # somebody has taken it, or is there
    JUST_CLOSED = "just-closed"  # within the time in which a hold reopens
    TEST = "test"                # test mode, and no emergency is open


class Meaning(StrEnum):
    """What the node makes of it."""

    PRESS = "press"              # an emergency: siren if the kind is audible, kept, published, answered
    REOPEN = "reopen"            # an emergency that names the one just closed
    TEST_PRESS = "test-press"    # a press of kind `test`, with one round of the test pattern
    ASK = "ask"                  # is somebody there tonight?
    CHIRP = "chirp"              # "noticed", nothing more
    CAME = "came"                # "they came"
    CANCEL = "cancel"
    FORCED_CANCEL = "forced-cancel"
    CHECK_IN = "check-in"
    NOTHING = "nothing"


_H, _S, _M = Hands, Situation, Meaning


def _row(rest: Meaning, alarm: Meaning, taken: Meaning, closed: Meaning, test: Meaning) -> Mapping[Situation, Meaning]:
    return {_S.REST: rest, _S.ALARM: alarm, _S.TAKEN: taken, _S.JUST_CLOSED: closed, _S.TEST: test}


def _always(meaning: Meaning) -> Mapping[Situation, Meaning]:
    return dict.fromkeys(Situation, meaning)


AUDIBLE: Final[Mapping[Hands, Mapping[Situation, Meaning]]] = {
    #                      rest       alarm      taken      just closed  test mode
    _H.HOLD:          _row(_M.PRESS,  _M.PRESS,  _M.PRESS,  _M.REOPEN,   _M.TEST_PRESS),
    _H.JABS:          _row(_M.PRESS,  _M.PRESS,  _M.PRESS,  _M.REOPEN,   _M.TEST_PRESS),
    _H.AT_START:      _row(_M.PRESS,  _M.PRESS,  _M.PRESS,  _M.REOPEN,   _M.TEST_PRESS),
    _H.TAP:           _row(_M.ASK,    _M.CHIRP,  _M.CHIRP,  _M.ASK,      _M.ASK),
    _H.LONE_TAP:      _row(_M.NOTHING, _M.NOTHING, _M.CAME, _M.NOTHING,  _M.NOTHING),
    _H.UNCLEAR:       _row(_M.ASK,    _M.CHIRP,  _M.CHIRP,  _M.ASK,      _M.ASK),
    _H.CANCEL:        _always(_M.CANCEL),
    _H.FORCED_CANCEL: _always(_M.FORCED_CANCEL),
    _H.CHECK_IN:      _always(_M.CHECK_IN),
}
SILENT: Final[Mapping[Hands, Mapping[Situation, Meaning]]] = {
    _H.HOLD: _always(_M.PRESS),
    _H.JABS: _always(_M.PRESS),
    _H.AT_START: _always(_M.PRESS),
    _H.TAP: _always(_M.NOTHING),
    _H.LONE_TAP: _always(_M.NOTHING),
    _H.UNCLEAR: _always(_M.NOTHING),
    _H.CANCEL: _always(_M.CANCEL),
    _H.FORCED_CANCEL: _always(_M.FORCED_CANCEL),
    _H.CHECK_IN: _always(_M.NOTHING),
}
TESTING: Final[Mapping[Hands, Mapping[Situation, Meaning]]] = {
    **AUDIBLE,
    _H.HOLD: _always(_M.TEST_PRESS),
    _H.JABS: _always(_M.TEST_PRESS),
    _H.AT_START: _always(_M.TEST_PRESS),
}

WIRE: Final[Mapping[Hands, Gesture]] = {
    _H.HOLD: Gesture.HOLD,
    _H.JABS: Gesture.JABS,
    _H.AT_START: Gesture.AT_START,
}
"""How a call for help names what the hands did."""


def meaning(hands: Hands, situation: Situation, audible: bool, *, test: bool = False) -> Meaning:
    """What `hands` at an audible or silent input mean in `situation`. test: the input is of kind `test`."""
    return (SILENT if not audible else TESTING if test else AUDIBLE)[hands][situation]
