"""The checker of the kills: what was promised and what came of it, read from the outside alone.

It knows nothing of the product's code. It reads what the nodes wrote down (the record's lines), what the gateway left in its
database (the journal's rows, over a connection of its own), and what came to whoever is told. Its verdict is one sentence:
every press whose light said "saved" is in the journal exactly once, none was never notified, none was notified more often than
it was in flight at a kill, and each repeat bore the same key.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import psycopg

SHOWN: Final = 5
"""So many examples of each fault are named."""
PROMISING: Final = frozenset({"saved", "receipted"})
"""What a node may not have been told in vain: that its own disk has a press, and that the gateway has."""
SETTLED: Final = frozenset({"notified", "delivered", "heard", "failed", "stopped"})


class PressId(NamedTuple):
    """Which press."""

    node: str
    boot: str
    seq: int


class Post(NamedTuple):
    """What somebody was told. about: who was told what of which incident: it is the same notice, whatever its key."""

    key: str
    incident: str
    about: str


class Journal(NamedTuple):
    """The database at a moment. presses: the incident of each entry of a press. queued: notices. settled: those with an outcome."""

    presses: Mapping[PressId, Sequence[str]]
    queued: frozenset[str]
    settled: frozenset[str]


class Kill(NamedTuple):
    """One of the gateway. in_flight: keys that somebody had been told under, of which the database did not know it yet."""

    in_flight: frozenset[str]


class Verdict(NamedTuple):
    """faults: each broken promise in words; none: all were kept."""

    faults: Sequence[str]
    figures: str

    def __str__(self) -> str:
        return "\n".join((self.figures, *self.faults))

    def must_be_clean(self) -> None:
        """Raises AssertionError with the whole verdict when a promise was broken."""
        if self.faults:
            raise AssertionError(f"promises were broken:\n{self}")


def promised(records: Iterable[Path]) -> frozenset[PressId]:
    """The presses that the nodes wrote down as safe. A last line that a kill has torn is left out."""
    return frozenset(press for what, press in seen(records) if what in PROMISING)


def seen(records: Iterable[Path]) -> Iterator[tuple[str, PressId]]:
    """All that the nodes wrote down, in order."""
    for record in records:
        for line in record.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                one = json.loads(line)
                yield one["what"], PressId(one["node"], one["boot"], one["seq"])


def journal(url: str) -> Journal:
    """What the database at `url` holds, both chains. The gateway may be running, dead or killed."""
    presses: dict[PressId, list[str]] = {}
    queued, settled = set[str](), set[str]()
    for row in _rows(url):
        entry = json.loads(row)
        body = entry["body"]
        match entry["kind"]:
            case "press":
                presses.setdefault(PressId(body["node"], body["boot"], body["seq"]), []).append(body.get("incident", ""))
            case "notices.queued":
                queued.update(notice["id"] for notice in body["notices"])
            case "notice.moved" if body["to"] in SETTLED:
                settled.add(body["notice"])
    return Journal(presses, frozenset(queued), frozenset(settled))


def _rows(url: str) -> list[bytes]:
    query = "SELECT bytes FROM journal ORDER BY chain, seq"
    if url.startswith("sqlite:"):
        # Read-only: to be the last to close would write the log back, and so change what the killed gateway left.
        file = sqlite3.connect(f"file:{urlsplit(url).path[1:]}?mode=ro", uri=True, timeout=10)
        try:
            return [bytes(row[0]) for row in file.execute(query)]
        finally:
            file.close()
    with psycopg.connect(url.replace("+psycopg", "", 1)) as server:
        return [bytes(row[0]) for row in server.execute(query)]


def untold(safe: Iterable[PressId], kept: Journal, posts: Iterable[Post]) -> list[PressId]:
    """Presses of which nobody was told."""
    told = {post.incident for post in posts if post.incident}
    return [press for press in safe if not told.intersection(kept.presses.get(press, ()))]


def judge(safe: frozenset[PressId], kept: Journal, posts: Sequence[Post], kills: Sequence[Kill], hands: int) -> Verdict:
    """The verdict, once everything has come to rest.

    safe: presses promised to be so. kills: of the gateway; nothing but these may make it tell anybody twice. hands: how many
    notices it has in flight at the most.
    """
    times = Counter(post.key for post in posts)
    allowed = Counter(key for kill in kills for key in kill.in_flight)
    repeats, in_flight = times.total() - len(times), allowed.total()
    keys_of: dict[str, set[str]] = {}
    for post in posts:
        keys_of.setdefault(post.about, set()).add(post.key)
    faults = [
        *_fault("saved and not in the journal", [press for press in safe if press not in kept.presses]),
        *_fault("in the journal more than once", [press for press, entries in kept.presses.items() if len(entries) > 1]),
        *_fault("never notified", untold((press for press in safe if press in kept.presses), kept, posts)),
        *_fault("queued and left without an outcome", kept.queued - kept.settled),
        *_fault("notified more often than it was in flight at a kill", [
            f"{key} ({count} times, in flight at {allowed[key]} kills)" for key, count in times.items() if count > 1 + allowed[key]]),
        *_fault(f"kills with more than {hands} notices in flight", [
            f"kill {number}: {len(kill.in_flight)}" for number, kill in enumerate(kills, 1) if len(kill.in_flight) > hands]),
        *_fault("repeated under another key", [
            f"{about} as {' and '.join(sorted(keys))}" for about, keys in keys_of.items() if len(keys) > 1]),
        *_fault("notified under a key that the journal does not have", times.keys() - kept.queued),
    ]
    figures = (f"{len(safe)} saved, {len(kept.presses)} in the journal, {len(times)} notices, {repeats} repeats; "
               f"{len(kills)} kills of the gateway with {in_flight} notices in flight")
    return Verdict(faults, figures)


def _fault(what: str, found: Iterable[Any]) -> list[str]:
    names = sorted(map(_name, found))
    if not names:
        return []
    return [f"{what}: {len(names)}, e.g. {', '.join(names[:SHOWN])}"]


def _name(one: Any) -> str:  # noqa: ANN401 (a press or a text)
    return f"{one.node}/{one.boot[:8]}/{one.seq}" if isinstance(one, PressId) else str(one)
