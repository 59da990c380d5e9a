"""A chain as a file that anybody can verify without the database: JSON Lines, an entry a line.

Each line is `{"zone", "chain", "seq", "link"}` and either `"entry"`, the entry's bytes as a text (its UTF-8 is what was hashed),
or `"digest"`, their SHA-256: so the sealed chain can be handed over, and verified, without being shown. Digest and link in hex.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from controller.entries import Chain
from controller.errors import BadMessage
from controller.messages import Name
from controller.records import journal
from controller.records.journal import Row


class Line(Struct, frozen=True, omit_defaults=True):
    """A line of the file."""

    zone: Name
    chain: Chain
    seq: int
    link: str
    entry: str = ""
    digest: str = ""


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Line).decode


def line_of(zone: str, chain: Chain, row: Row, *, shown: bool) -> bytes:
    """The row's line, without a line break; not shown: by its digest alone."""
    if shown:
        return _ENCODE(Line(zone, chain, row.seq, row.link.hex(), entry=row.data.decode()))
    return _ENCODE(Line(zone, chain, row.seq, row.link.hex(), digest=journal.digest(row.data).hex()))


def read(path: Path) -> tuple[str, Chain, Iterator[Row]]:
    """The zone and chain of the file's first line, and all its rows, read as they are asked for.

    Raises BadMessage, naming the line, when it is no such file, or a line is of another chain.
    """
    rows = _rows(path)
    first = next(rows, None)
    if first is None:
        raise BadMessage(f"{path}: empty; expected the lines that `cuadra journal export` writes")
    return first.zone, first.chain, _row_of(path, first, rows)


def _row_of(path: Path, first: Line, rest: Iterable[Line]) -> Iterator[Row]:
    yield _row(path, 1, first)
    for number, line in enumerate(rest, 2):
        if (line.zone, line.chain) != (first.zone, first.chain):
            raise BadMessage(f"{path}, line {number}: an entry of zone {line.zone}, {line.chain} chain; expected one chain a file")
        yield _row(path, number, line)


def _row(path: Path, number: int, line: Line) -> Row:
    try:
        return Row(line.seq, line.entry.encode(), bytes.fromhex(line.link), bytes.fromhex(line.digest))
    except ValueError as fault:
        raise BadMessage(f"{path}, line {number}: link or digest is not in hex ({fault}); take the file from who exported it") from fault


def _rows(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    yield _DECODE(text)
                except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
                    raise BadMessage(f"{path}, line {number}: {fault}; expected a line that `cuadra journal export` writes") from fault
    except OSError as fault:
        raise BadMessage(f"{path}: cannot be read ({fault.strerror}); correct the path") from fault
