"""The hash chain: what an entry's bytes are, how entries are linked, and what a broken chain looks like.

Think of a bound book whose every page carries, at its foot, a seal over the foot of the page before and over the page
itself. Nobody can change, take out or move a page without every later seal being wrong; and whoever has copied one seal
(a checkpoint, see `checkpoint.py`) sees even a book that was written anew from the first page to the last.

Version 1, never to be changed:

- An entry's `bytes` are the JSON, with sorted keys at every level, without blanks, in UTF-8, of
  `{at_ms, body, chain, kind, salt, seq, v, zone}`; integers and strings only (in lists and objects), `v` is 1, `at_ms` is
  UTC milliseconds, `seq` counts from 1 without gaps within its chain, `salt` is 16 random bytes in hex (so that a digest
  shown alone cannot be guessed open). Fields of `body` that have their default are left out.
- `link = SHA-256("cuadra-journal-1" ‖ previous link ‖ SHA-256(bytes))`. The link before the first entry is
  `SHA-256("cuadra-journal-1" ‖ zone ‖ "/" ‖ chain)`, so that a chain of digests alone is bound to its zone and chain.

Bytes are kept and verified as they were stored and never encoded again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from controller.entries import KIND_OF, KINDS, Body, Chain
from controller.errors import BrokenPromise

VERSION: Final = 1
PREFIX: Final = b"cuadra-journal-1"
SALT_BYTES: Final = 16


class Head(NamedTuple):
    """Where a chain ends. seq 0: it has no entry yet."""

    seq: int
    link: bytes


class Addition(NamedTuple):
    """A fact to be added to a chain. at_ms: UTC, by the writer's clock."""

    chain: Chain
    at_ms: int
    body: Body


class Row(NamedTuple):
    """An entry as it is stored. data: its `bytes`; digest: their SHA-256, where an entry is shown by that alone, without `data`."""

    seq: int
    data: bytes
    link: bytes
    digest: bytes = b""


class Entry(NamedTuple):
    """An entry, read."""

    zone: str
    chain: Chain
    seq: int
    at_ms: int
    kind: str
    body: Body
    link: bytes


class _Written(Struct, frozen=True):
    at_ms: int
    body: Body | msgspec.Raw
    chain: str
    kind: str
    salt: str
    seq: int
    v: int
    zone: str


class _Read(Struct, frozen=True):
    at_ms: int
    body: msgspec.Raw
    chain: Chain
    kind: str
    salt: str
    seq: int
    v: Literal[1]
    zone: str


_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What msgspec raises over bytes that are no entry."""
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode
_DECODE: Final = msgspec.json.Decoder(_Read).decode
_BODIES: Final = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


def genesis(zone: str, chain: Chain) -> Head:
    """Where a chain without entries ends."""
    return Head(0, hashlib.sha256(PREFIX + f"{zone}/{chain}".encode()).digest())


def digest(data: bytes) -> bytes:
    """By what an entry with these bytes can be shown alone."""
    return hashlib.sha256(data).digest()


def link_after(previous: bytes, own: bytes) -> bytes:
    """The link of the entry with the digest `own`, after an entry with link `previous`."""
    return hashlib.sha256(PREFIX + previous + own).digest()


def append(zone: str, heads: Mapping[Chain, Head], batch: Sequence[Addition], salts: bytes) -> tuple[list[tuple[Chain, Row]], dict[Chain, Head]]:
    """The rows that `batch` becomes after `heads`, and the heads afterwards; `heads` is left as it is.

    salts: 16 fresh random bytes an addition.
    Raises BrokenPromise when an addition holds what no entry of its kind may hold.
    """
    new = dict(heads)
    rows: list[tuple[Chain, Row]] = []
    hexed = salts.hex()
    for n, (chain, at_ms, body) in enumerate(batch):
        kind = KIND_OF[type(body)]
        seq, previous = new[chain]
        salt = hexed[n * 32:n * 32 + 32]
        try:
            encoded_body = _ENCODE(body)
            _BODIES[kind].decode(encoded_body)
        except _UNREADABLE as fault:
            raise BrokenPromise(
                f"entry of kind {kind}: {fault}; "
                "expected integers and texts as controller/entries has them; nothing was written"
            ) from fault
        written = _ENCODE(_Written(at_ms, msgspec.Raw(encoded_body), chain.value, kind, salt, seq + 1, VERSION, zone))
        head = Head(seq + 1, link_after(previous, digest(written)))
        rows.append((chain, Row(head.seq, written, head.link)))
        new[chain] = head
    return rows, new


def decode(row: Row) -> Entry:
    """The entry in a stored row.

    Raises BrokenPromise when its bytes are no entry that this version knows.
    """
    try:
        read = _DECODE(row.data)
        body = _BODIES[read.kind].decode(read.body)
    except _UNREADABLE as fault:
        raise BrokenPromise(f"journal entry {row.seq}: cannot be read ({fault}); run `cuadra journal verify`") from fault
    except KeyError as fault:
        raise BrokenPromise(
            f"journal entry {row.seq}: of kind {fault}, which this version does not know; "
            "run the version that wrote it, or a newer one"
        ) from fault
    return Entry(read.zone, read.chain, read.seq, read.at_ms, read.kind, body, row.link)


class Break(StrEnum):
    """What can be wrong with a chain."""

    CHANGED = "changed"        # an entry and its link do not fit
    MISSING = "missing"        # entries were dropped, or the first ones are not there
    MOVED = "moved"            # an entry stands where another belongs
    REPEATED = "repeated"      # a second entry with the same number
    TRUNCATED = "truncated"    # it ends before a checkpoint that was taken of it
    FORKED = "forked"          # it fits in itself, and is not the chain of which the checkpoint was taken


class Finding(NamedTuple):
    """One break. seq: the first entry that it concerns."""

    broken: Break
    seq: int
    text: str


class Verdict(NamedTuple):
    """What a verification found. head: the last entry that there is; findings empty: the chain is whole."""

    zone: str
    chain: Chain
    entries: int
    head: Head
    findings: tuple[Finding, ...]


def verify(zone: str, chain: Chain, rows: Iterable[Row], known: Iterable[Head] = ()) -> Verdict:
    """Check a whole chain, streaming; every break is found and named, not only the first.

    known: heads from checkpoints of this chain that somebody has kept.
    """
    checker = _Checker(zone, chain)
    wanted: dict[int, list[Head]] = {}
    for head in known:
        wanted.setdefault(head.seq, []).append(head)
    findings: list[Finding] = []
    count = 0
    for row in rows:
        count += 1
        findings += checker.check(row)
        for head in wanted.pop(row.seq, ()):
            if head.link != row.link:
                text = f"entry {row.seq} is not the one that the checkpoint was taken of: this chain was written anew"
                findings.append(Finding(Break.FORKED, row.seq, text))
    end = checker.head
    for seq in sorted(wanted):
        if seq > end.seq:
            findings.append(Finding(Break.TRUNCATED, end.seq + 1, f"the chain ends at entry {end.seq}; the checkpoint was taken at entry {seq}"))
        else:
            findings.append(Finding(Break.MISSING, seq, f"entry {seq}, of which a checkpoint was taken, is not there"))
    return Verdict(zone, chain, count, end, tuple(findings))


def read_chain(zone: str, chain: Chain, rows: Iterable[Row], after: Head) -> Iterator[Entry]:
    """The entries that follow `after`, verified while they are read.

    Raises BrokenPromise at the first break.
    """
    checker = _Checker(zone, chain, after)
    for row in rows:
        for finding in checker.check(row):
            raise BrokenPromise(f"journal of zone {zone}, {chain} chain: {finding.text}; run `cuadra journal verify` and restore it from a copy")
        yield decode(row)


class _Checker:
    """Where a verification stands: the entry before, by its stored link, so that one break is not reported as thousands."""

    def __init__(self, zone: str, chain: Chain, after: Head | None = None) -> None:
        self._zone = zone
        self._chain = chain
        self.head = genesis(zone, chain) if after is None else after

    def check(self, row: Row) -> Iterator[Finding]:
        expected = self.head.seq + 1
        before, after_gap = self.head, row.seq != expected
        if row.seq > expected:
            gap = f"entry {expected} is" if row.seq == expected + 1 else f"entries {expected} to {row.seq - 1} are"
            yield Finding(Break.MISSING, expected, f"{gap} missing")
        elif row.seq < expected:
            yield Finding(Break.REPEATED, row.seq, f"entry {row.seq} stands there a second time, after entry {self.head.seq}")
        self.head = Head(row.seq, row.link)
        if row.data or not row.digest:
            try:
                read = _DECODE(row.data)
            except _UNREADABLE as fault:
                yield Finding(Break.CHANGED, row.seq, f"entry {row.seq} was changed: it is no longer an entry ({fault})")
                return
            if (read.zone, read.chain, read.seq) != (self._zone, self._chain, row.seq):
                yield Finding(Break.MOVED, row.seq, f"where entry {row.seq} belongs stands entry {read.seq} of zone {read.zone}, {read.chain} chain")
                return
        # What is shown is what is hashed: a digest that stands beside it could be anybody's word.
        if not after_gap and row.link != link_after(before.link, digest(row.data) if row.data else row.digest):
            yield Finding(Break.CHANGED, row.seq, f"entry {row.seq} was changed: it does not fit its link")
