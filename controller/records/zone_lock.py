"""Only one gateway writes a zone: the lock it holds while it may. Who holds it is said to whoever comes second."""

import fcntl
import hashlib
import logging
import os
import socket
import time
from pathlib import Path

from sqlalchemy import Connection

from controller.errors import Unavailable

logger = logging.getLogger(__name__)


class FileLock:
    """The lock of a zone in a SQLite file: beside it, held as long as this process lives and no longer."""

    def __init__(self, database: Path, zone: str) -> None:
        """Take it.

        Raises Unavailable, naming the holder, when somebody else has it, or when the file cannot be made.
        """
        path = database.with_name(f"{database.name}.{zone}.lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise Unavailable(f"{path}: cannot be opened ({fault.strerror}); expected a folder this user may write") from fault
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            holder = os.read(self._descriptor, 200).decode(errors="replace").strip() or "a process that has not said who it is"
            os.close(self._descriptor)
            raise Unavailable(
                f"database {database}: zone {zone} is being written by {holder}; expected one gateway a zone; stop that one first"
            ) from fault
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {since} UTC\n".encode())
        except OSError as fault:
            logger.warning("%s: held, but cannot say by whom (%s)", path, fault.strerror)

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


def lock_zone(connection: Connection, zone: str) -> None:
    """Take the lock of a zone in PostgreSQL, for as long as this very connection lives.

    So whoever writes holds it, and who loses the server loses it too. Raises Unavailable, naming the holder, when
    somebody else has it.
    """
    key = int.from_bytes(hashlib.sha256(f"cuadra-zone/{zone}".encode()).digest()[:8], "big", signed=True)
    if connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (key,)).scalar():
        return
    found = connection.exec_driver_sql(
        "SELECT a.pid, a.client_addr, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ((%s::bigint >> 32) & 4294967295)::oid"
        " AND l.objid = (%s::bigint & 4294967295)::oid AND l.objsubid = 1", (key, key),
    ).first()
    holder = f"server process {found[0]} (client {found[1] or 'on the server itself'}, since {found[2]})" if found else "somebody who has just gone"
    raise Unavailable(f"zone {zone} is being written by {holder}; expected one gateway a zone; stop that one first")
