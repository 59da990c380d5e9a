"""What a zone's journal says of presses and incidents, read from beside the gateway that writes it, as anybody may."""

from typing import NamedTuple

from controller.entries import (
    Chain,
    IncidentJoined,
    IncidentMoved,
    IncidentOpened,
    NodeCame,
    NodeWent,
    NoticeMoved,
    NoticesQueued,
    PressRecorded,
)
from controller.records import database, journal
from controller.records.store import rows


class IncidentSeen(NamedTuple):
    """An incident as the journal tells it. state: `opened`, `taken`, `on-scene`, `closed`. taken_at_ms: UTC; 0: not yet.

    signal: the sequence number under which the police's receiver acknowledged the first signal of it; None: it has none.
    """

    id: str
    block: str
    kind: str
    code: str
    opened_at_ms: int
    state: str = "opened"
    taken_at_ms: int = 0
    by: str = ""
    signal: int | None = None


class PressSeen(NamedTuple):
    """A recorded press. at_ms: when it was recorded, UTC."""

    node: str
    input: str
    kind: str
    gesture: str
    at_ms: int
    incident: str


class Book:
    """A zone's journal, as far as it has been read."""

    def __init__(self, url: str, zone: str) -> None:
        self._engine = database.connect(url)
        self._zone = zone
        self._read = dict.fromkeys(Chain, 0)
        self.presses: list[PressSeen] = []
        self.incidents: dict[str, IncidentSeen] = {}
        self.alive: set[str] = set()
        """The nodes that the gateway knows to be connected."""
        self._signals: dict[str, str] = {}

    def read(self) -> None:
        """Take in what has been written since. Raises Unavailable."""
        for chain in Chain:
            for row in rows(self._engine, self._zone, chain, self._read[chain]):
                entry = journal.decode(row)
                self.take(entry.body, entry.at_ms)
                self._read[chain] = row.seq

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def take(self, body: object, at_ms: int) -> None:
        """Take in one entry."""
        match body:
            case NodeCame():
                self.alive.add(body.node)
            case NodeWent():
                self.alive.discard(body.node)
            case PressRecorded():
                self.presses.append(PressSeen(body.node, body.input, body.kind, body.gesture, at_ms, body.incident))
            case IncidentOpened():
                self.incidents[body.incident] = IncidentSeen(body.incident, body.block, body.kind, body.code, at_ms)
            case IncidentJoined() if body.kind:
                self.incidents[body.incident] = self.incidents[body.incident]._replace(kind=body.kind)
            case IncidentMoved():
                seen = self.incidents[body.incident]
                if body.to == "taken" and not seen.taken_at_ms:
                    seen = seen._replace(taken_at_ms=at_ms, by=body.by)
                self.incidents[body.incident] = seen._replace(state=body.to)
            case NoticesQueued() if body.incident:
                self._signals.update((notice.id, body.incident) for notice in body.notices if notice.channel == "dc09")
            case NoticeMoved(notice, "notified", ref=ref) if notice in self._signals:
                seen = self.incidents[self._signals[notice]]
                if seen.signal is None:
                    self.incidents[seen.id] = seen._replace(signal=int(ref))
            case _:
                pass
