"""`cuadra node run` on a machine that is broken in the ways named: `python -m tests.node.broken_node FILE PINS FAULTS DISK`.

FAULTS: a comma-separated list of `dns` (the name server never answers) and `clock` (the wall clock jumps about).
DISK: a file whose text says what ails the disk at this moment: `well`, `slow` (a commit takes 5 s), `hung`, `full`, `read-only`.
"""

import asyncio
import random
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from controller import logs
from node_firmware import commands, service

SLOW_S = 5.0


class SickDisk:
    """A connection to a database on a disk that does what the file says."""

    def __init__(self, path: str, says: Path) -> None:
        self._says = says
        # What is read in memory-backed storage is not on the disk.
        self._sick = not path.startswith("/dev/shm")
        self._suffer("connect")
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Iterator[Any]:
        self._suffer(statement)
        return self._connection.execute(statement, parameters)

    def close(self) -> None:
        self._connection.close()

    def _suffer(self, statement: str) -> None:
        if not self._sick:
            return
        while (ailment := self._says.read_text()) == "hung":
            time.sleep(0.05)
        if ailment == "slow" and statement == "COMMIT":
            time.sleep(SLOW_S)
        elif ailment == "full" and statement.startswith(("INSERT", "COMMIT")):
            raise refusal("database or disk is full", sqlite3.SQLITE_FULL)
        elif ailment == "read-only" and not statement.startswith("SELECT"):
            raise refusal("attempt to write a readonly database", sqlite3.SQLITE_READONLY)


def refusal(text: str, code: int) -> sqlite3.OperationalError:
    """As SQLite itself raises it."""
    fault = sqlite3.OperationalError(text)
    fault.sqlite_errorcode = code
    return fault


def _mute_name_server() -> None:
    """Numeric addresses need no name server; names wait for ever."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 (as the real one takes anything)
        while isinstance(host, str) and not host.replace(".", "").isdecimal():
            time.sleep(60)
        return real(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


def main() -> None:
    file, pins, faults, disk = sys.argv[1:]
    if "dns" in faults:
        _mute_name_server()
    if "clock" in faults:
        time.time_ns = lambda: random.randrange(0, 4 * 10**18)
    listener = logs.start(verbose=True)
    try:
        asyncio.run(service.run(commands.read(Path(file), pins), connect=lambda path: SickDisk(path, Path(disk))))
    finally:
        listener.stop()


if __name__ == "__main__":
    main()
