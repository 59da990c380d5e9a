"""What a fleet saw of each press, written down as it happens, for a checker that reads only the outside."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

import msgspec
from msgspec import Struct

What = Literal["made", "saved", "not-saved", "sent", "receipted"]


class Seen(Struct, frozen=True, omit_defaults=True):
    """One line of the record. at_us: UTC, microseconds. `sent` is written at the first time only.

    saved: the node's disk has it, so that its light says "saved"; from then on it may not be lost. digest: of its payload,
    with `made`. why: with `not-saved`, what ails the disk; with `receipted`, as what it is kept.
    """

    what: What
    node: str
    boot: str
    seq: int
    at_us: int
    input: str = ""
    kind: str = ""
    digest: str = ""
    why: str = ""


class Record:
    """Lines of JSON, appended to `path`, in the order in which they happened.

    Those of one turn of the event loop go out in one write, before anything later happens: what a process that is killed
    leaves behind is what it knew.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()

    def add(self, seen: Seen) -> None:
        """Write one line."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines += self._encoder.encode(seen)
        self._lines += b"\n"

    def flush(self) -> None:
        """Give what waits to the system."""
        if self._lines and not self._file.closed:
            self._file.write(self._lines)
            self._lines.clear()

    def __enter__(self) -> "Record":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.flush()
        self._file.close()


def read(path: Path) -> Iterator[Seen]:
    """The lines of a record; the last one may have been torn by a kill, and is then left out."""
    decoder = msgspec.json.Decoder(Seen)
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def now_us() -> int:
    """This moment, UTC, in microseconds."""
    return time.time_ns() // 1000
