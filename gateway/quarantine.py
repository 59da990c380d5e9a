"""Presses and texts on which the rules failed: a defect of ours must not end the gateway again and again while they come again.

The first time, the process ends and starts from the journal, as after every broken promise. The press's digest is kept in a file
before that; when it comes again the core is given it as one that is set aside: it goes on record as it is, and whoever may know
of it is told which node it came from, since somebody may be in danger there. Of a text, which the modem keeps until it is on
record, the mark is kept; it goes on record as words that nobody understands, and can be read among the private values.
"""

import logging
from pathlib import Path

from msgspec.structs import replace

from controller.rules.inputs import MemberWrote, PressArrived, PressSetAside, ZoneInput

logger = logging.getLogger(__name__)


class Quarantine:
    """The digests, one a line, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests = frozenset(path.read_text(encoding="ascii").split()) if path.exists() else frozenset[str]()

    def instead(self, event: PressArrived) -> PressArrived | PressSetAside:
        """What the core is given for `event`: itself, unless it is in quarantine."""
        if event.digest not in self._digests:
            return event
        return PressSetAside(event.node, event.press, event.digest, "the rules failed on this press; see the log of the gateway's earlier life")

    def text_instead(self, event: MemberWrote) -> MemberWrote:
        """The same for a text."""
        if event.mark not in self._digests:
            return event
        logger.error("a text on which the rules failed in an earlier life is recorded and does nothing; see that life's log")
        return replace(event, member=None, text="", sender_ref=None, sharers=event.sharers if event.member is None else (event.member,))

    def put(self, event: ZoneInput) -> None:
        """The rules failed on `event`: remember it, if it comes again, for the next life."""
        name = event.digest if isinstance(event, PressArrived) else event.mark if isinstance(event, MemberWrote) else ""
        if not name:
            return
        try:
            with self._path.open("a", encoding="ascii") as file:
                file.write(name + "\n")
        except OSError as fault:
            logger.error("%s: cannot be written (%s); the same may end the next life, too", self._path, fault.strerror)
