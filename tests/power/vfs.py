"""A disk that forgets: an SQLite VFS under which what was not synced may be gone after a power cut.

The files lie in a real folder and hold what the programs see. Beside them the disk keeps what a sync has made durable, and
in order what came after it. At a power cut nothing works any more until the power is back; then each file holds what was
durable and, of the rest, nothing or a random choice of sectors. A file's sync does not make its name durable, a sync of
the folder does; until then a new file may be gone and a deleted one back. (Folder syncs that a program does itself are not seen.)
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Final
from weakref import WeakSet

import apsw

SECTOR: Final = 512
_PATIENCE_S: Final = 30.0
_JOURNALS: Final = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class Left(Enum):
    """What a power cut leaves of what was not synced."""

    NOTHING = "nothing"
    SOME_SECTORS = "some sectors"


Change = tuple[int, bytes] | int
"""A write (offset, data) or a truncation to a size."""


class _Known:
    """One file. named: its name is durable. durable: its content as last synced; since: what came after, in order."""

    def __init__(self, durable: bytes, *, named: bool) -> None:
        self.named = named
        self.durable = durable
        self.since: list[Change] = []


class Disk:
    """A folder on a disk of its own. One at a time has a folder; `close` when done.

    folder: made if it is not there. seed: of what a power cut leaves.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.name = f"disk-{id(self)}"
        self.operations = 0
        """Writes, truncations, syncs and deletions so far."""
        self.syncs: list[int] = []
        """The numbers of those that were syncs."""
        self.full = False
        self.read_only = False
        self.off = False
        self.checkpoint_pages = 6
        """After how many pages of WAL a commit checkpoints: few, so that cuts fall into checkpoints too."""
        self.rewrite: Callable[[str], str] = lambda statement: statement
        """Given each statement of `connect`'s connections: a test that wants a worse program changes one here."""
        self.stalling = threading.Event()
        """Set while an operation stalls."""
        self._random = Random(seed)
        self._files: dict[str, _Known] = {}
        self._deleted: dict[str, _Known] = {}
        self._connections: WeakSet[apsw.Connection] = WeakSet()
        self._cut_at: tuple[int, bool] | None = None
        self._stall: tuple[str, float] | None = None
        self._released = threading.Event()
        self._vfs = _Vfs(self)

    def close(self) -> None:
        """Forget the disk; its connections are closed before."""
        self._vfs.unregister()

    def connect(self, path: str) -> "Connection":
        """A connection in autocommit, as the outbox takes it."""
        return Connection(self, path)

    # --- what befalls it

    def cut_at(self, operation: int, *, done: bool = False) -> None:
        """The power goes at that operation: before it has had its effect, or (`done`) after, before it is answered."""
        self._cut_at = (operation, done)

    def cut(self) -> None:
        """The power goes now: every operation fails until it is back."""
        self.off = True

    def back(self, left: Left) -> None:
        """The power is back. What was connected before the cut is dead."""
        for connection in list(self._connections):
            with contextlib.suppress(apsw.Error):  # it has no disk to close on
                connection.close(True)
        for path in self._files | self._deleted:
            content = self._after_cut(path, left)
            if content is None:
                Path(path).unlink(missing_ok=True)
            else:
                Path(path).write_bytes(content)
        for shared in self.folder.glob("*-shm"):
            shared.unlink()
        self._files.clear()
        self._deleted.clear()
        self._cut_at = None
        self.off = False

    def stall(self, operation: str, for_s: float) -> None:
        """The next `operation` ("write" or "sync") takes so long, or until `release`."""
        self._released.clear()
        self._stall = (operation, for_s)

    def release(self) -> None:
        """A stall ends now."""
        self._stall = None
        self._released.set()

    def _after_cut(self, path: str, left: Left) -> bytes | None:
        some = left is Left.SOME_SECTORS
        known, deleted = self._files.get(path), self._deleted.get(path)
        if known is None or not (known.named or (some and self._random.random() < 0.5)):
            known = None if some and self._random.random() < 0.5 else deleted
        if known is None:
            return None
        content = bytearray(known.durable)
        for change in known.since if some else ():
            if not isinstance(change, int):
                self._scatter(content, *change)
            elif self._random.random() < 0.5:
                del content[change:]
                content.extend(bytes(change - len(content)))
        return bytes(content)

    def _scatter(self, content: bytearray, offset: int, data: bytes) -> None:
        at = 0
        while at < len(data):
            end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
            if self._random.random() < 0.5:
                content.extend(bytes(max(0, offset + end - len(content))))
                content[offset + at : offset + end] = data[at:end]
            at = end

    # --- what the VFS and the connections ask

    def opened_by(self, connection: apsw.Connection) -> apsw.Connection:
        self._connections.add(connection)
        return connection

    def holds(self, path: str) -> bool:
        return Path(path).parent == self.folder

    def opened(self, path: str) -> None:
        """About to be opened, perhaps made."""
        if path not in self._files:
            there = Path(path)
            self._files[path] = _Known(there.read_bytes() if there.exists() else b"", named=there.exists())

    def changes(self, path: str, change: Change) -> None:
        self._files[path].since.append(change)

    def deleted(self, path: str) -> None:
        known = self._files.pop(path)
        if known.named:
            self._deleted.setdefault(path, known)

    def synced(self, path: str) -> None:
        known = self._files[path]
        known.durable, known.since = Path(path).read_bytes(), []

    def folder_synced(self) -> None:
        """Names that were made are there from now on, and those that were deleted gone."""
        self._deleted.clear()
        for known in self._files.values():
            known.named = True

    def operation(self, kind: str, code: int) -> bool:
        """Count one; True when the power goes right after it. Raises the error `code` without power."""
        self.fail_if(self.off, code)
        self.operations += 1
        if kind == "sync":
            self.syncs.append(self.operations)
        if self._stall is not None and self._stall[0] == kind:
            _, for_s = self._stall
            self._stall = None
            self.stalling.set()
            self._released.wait(min(for_s, _PATIENCE_S))
            self.stalling.clear()
        if self._cut_at is not None and self.operations >= self._cut_at[0]:
            self.off = True
            if self._cut_at[1]:
                return True
        self.fail_if(self.off, code)
        return False

    @staticmethod
    def fail_if(wrong: bool, code: int) -> None:
        if wrong:
            raise apsw.exception_for(code)


class Connection:
    """An APSW connection on a disk, as `node_firmware.disk.Connection`."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self.apsw = disk.opened_by(apsw.Connection(path, vfs=disk.name))
        self.apsw.execute(f"PRAGMA wal_autocheckpoint = {disk.checkpoint_pages}")

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> apsw.Cursor:
        """Run one statement."""
        return self.apsw.execute(self._disk.rewrite(statement), parameters)

    def close(self) -> None:
        """Give the file back."""
        self.apsw.close()


# SQLite's own names follow.


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(disk.name, base="")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 (SQLite's name)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._disk.holds(path):
            return apsw.VFSFile("", name, flags)
        self._disk.fail_if(self._disk.off, apsw.SQLITE_CANTOPEN)
        if self._disk.read_only and flags[0] & apsw.SQLITE_OPEN_READWRITE:
            self._disk.fail_if(not Path(path).exists(), apsw.SQLITE_CANTOPEN)
            flags[0] = flags[0] & ~(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE) | apsw.SQLITE_OPEN_READONLY
        self._disk.opened(path)
        return _File(self._disk, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 (SQLite's name)
        if not self._disk.holds(filename) or not Path(filename).exists():
            super().xDelete(filename, syncdir)
            return
        self._disk.fail_if(self._disk.read_only, apsw.SQLITE_IOERR_DELETE)
        self._disk.opened(filename)
        self._disk.operation("delete", apsw.SQLITE_IOERR_DELETE)
        super().xDelete(filename, False)
        self._disk.deleted(filename)
        if syncdir:
            self._disk.folder_synced()


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, path: str, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._path = path
        # As SQLite's own unix VFS does: the first sync of a journal that may be new syncs the folder too.
        self._folder_too = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _JOURNALS)
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 (SQLite's name)
        self._disk.fail_if(self._disk.off, apsw.SQLITE_IOERR_READ)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: ANN401, N802 (a buffer has no name before 3.12; SQLite's name)
        self._disk.fail_if(self._disk.off, apsw.SQLITE_IOERR_WRITE)
        self._disk.fail_if(self._disk.read_only, apsw.SQLITE_READONLY)
        self._disk.fail_if(self._disk.full, apsw.SQLITE_FULL)
        self._disk.changes(self._path, (offset, bytes(data)))
        self._disk.operation("write", apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 (SQLite's name)
        self._disk.fail_if(self._disk.read_only, apsw.SQLITE_READONLY)
        self._disk.operation("truncate", apsw.SQLITE_IOERR_TRUNCATE)
        self._disk.changes(self._path, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 (SQLite's name; a full sync and a plain one are alike here)
        last = self._disk.operation("sync", apsw.SQLITE_IOERR_FSYNC)
        self._disk.synced(self._path)
        if self._folder_too:
            self._disk.folder_synced()
            self._folder_too = False
        self._disk.fail_if(last, apsw.SQLITE_IOERR_FSYNC)
