"""What somebody at a console can do to an incident or an input: one struct an act. `controller/rules/console/operators.py` says who may, and when.

note_ref, digest: where the free text that belongs to an act is kept, and its salted digest.
"""

from msgspec import Struct

from controller.messages import PressRef


class Verify(Struct, frozen=True, tag="verify"):
    """It is real: what waits for that goes out."""


class Take(Struct, frozen=True, tag="take"):
    """I am going."""


class Arrive(Struct, frozen=True, tag="arrive"):
    """I am there."""


class HandOver(Struct, frozen=True, tag="hand-over"):
    """`to` is asked to take it from `giver` (empty: from whoever does this), whose it stays until then."""

    to: str
    giver: str = ""


class Merge(Struct, frozen=True, tag="merge"):
    """It is the same emergency as `into`, which goes on; this one is closed."""

    into: str


class Split(Struct, frozen=True, tag="split"):
    """This press of it, made at `node`, is another emergency."""

    node: str
    press: PressRef


class Close(Struct, frozen=True, tag="close"):
    """It is over. outcome: one of `controller.rules.console.operators.OUTCOMES`."""

    outcome: str
    note_ref: str = ""
    digest: str = ""


class Judge(Struct, frozen=True, tag="judge"):
    """It is over, and this is what it was after all."""

    outcome: str
    note_ref: str = ""
    digest: str = ""


class Reopen(Struct, frozen=True, tag="reopen"):
    """It was not over."""


class Note(Struct, frozen=True, tag="note"):
    """Something worth knowing."""

    note_ref: str
    digest: str


class SirenOff(Struct, frozen=True, tag="siren-off"):
    """The sirens that sound for it stop."""


class VerifyFirst(Struct, frozen=True, tag="verify-first"):
    """The committee has decided that what this input alone says is verified first, until then (UTC ms). About no incident."""

    node: str
    input: str
    until_ms: int
    decision_ref: str
    digest: str


class VerifyFirstEnd(Struct, frozen=True, tag="verify-first-end"):
    """The input is mended, or believed again. About no incident."""

    node: str
    input: str


InputAct = VerifyFirst | VerifyFirstEnd
IncidentAct = Verify | Take | Arrive | HandOver | Merge | Split | Close | Judge | Reopen | Note | SirenOff
Act = IncidentAct | InputAct
