"""The outbox: presses that are not receipted, the gateway's settings and the siren's mark, on the SD card.

SQLite in WAL mode, `synchronous=FULL`, one connection in exclusive locking mode. A rollback journal syncs three to four
times a commit, a WAL once, which on an SD card is most of the time that a press waits for its "saved", and its frames bear
checksums: what a power cut tore is left out whole. Exclusive locking needs no shared memory file. What it costs: a
WAL on a read-only file system cannot be opened, so that it is then copied into memory-backed storage and read there;
the same way reads a damaged one.

One thread owns the connection. What waits for it together is written in one commit; a press never waits for more than
the commit under way. Forgetting, settings and the siren's mark join the next press's commit or, when none comes within
20 ms, have one of their own. What could not be written stays in memory and is tried again.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from msgspec import Struct

from controller import messages
from controller.errors import BadMessage
from controller.messages import Press, PressRef, Settings, Stream
from node_firmware import disk
from node_firmware.clock import boottime_ms, kernel_boot_id
from node_firmware.disk import Connect, Connection, Contents
from node_firmware.effects import ForgetPress, ForgetStreams, KeepPress, KeepSettings, MarkSiren, TryDisk
from node_firmware.inputs import DiskTried, DiskWell, NodeInput, PressKept, PressNotKept, WaitingPress

logger = logging.getLogger(__name__)

JOIN_S: Final = 0.02
RETRY_S: Final = 5.0
ALIVE_S: Final = 0.5
"""How often a siren that has just been switched on is marked as still sounding, and (`ALIVE_FOR_MS`) for how long."""
ALIVE_FOR_MS: Final = 3000

STREAMS_KEPT: Final = 64
"""Of so many lives with a press it is remembered how far they came, until a tally has settled it."""
_CAME_TO: Final = "INSERT INTO stream VALUES (?, ?, ?) ON CONFLICT (boot) DO UPDATE SET last = max(last, excluded.last)"


class Found(Struct, frozen=True):
    """What the outbox held at the start: the parts of `Started` that it knows. disk_fault: empty when it can write."""

    settings: Settings | None = None
    waiting: tuple[WaitingPress, ...] = ()
    machine_restarted: bool = True
    siren_mark_age_ms: int | None = None
    disk_fault: str = ""
    streams: tuple[Stream, ...] = ()


Job = KeepPress | ForgetPress | ForgetStreams | KeepSettings | MarkSiren | TryDisk


class Outbox:
    """The node's disk. Every method returns at once; the work is its thread's.

    folder: made if it is not there. answer: called on the outbox's thread with each input for the core. connect: how the
    database is opened.
    """

    def __init__(self, folder: Path, answer: Callable[[NodeInput], None], connect: Connect = disk.connect_sqlite) -> None:
        self.path = folder / "outbox.sqlite"
        self._answer = answer
        self._connect = connect
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._kernel = kernel_boot_id()
        self._connection: Connection | None = None
        self._fault = ""
        self._pending: dict[object, Job] = {}
        self._refused: set[PressRef] = set()
        self._marked_at_ms: int | None = None
        # A daemon: a disk that hangs does not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._found: Callable[[Found], None] = lambda _: None

    def start(self, found: Callable[[Found], None]) -> None:
        """Open it; `found` is called once, on the outbox's thread, with what it held."""
        self._found = found
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have it written. A press is answered with PressKept once its commit is synced, else with PressNotKept."""
        self._jobs.put(job)

    def stop(self, wait_s: float) -> None:
        """Write what waits and close; at most `wait_s` is waited for it."""
        self._jobs.put(None)
        self._thread.join(wait_s)

    def _run(self) -> None:
        found = self._open_first()
        self._fault = found.disk_fault
        self._found(found)
        going_on = True
        while going_on:
            going_on = self._next_batch()
            if self._pending or self._fault or self._marked_at_ms is not None:
                self._write()
        self._close()

    def _next_batch(self) -> bool:
        """Take in whatever waits, or wait for the next; False at the end."""
        going_on, wait = True, self._idle_s()
        while True:
            try:
                job = self._jobs.get(timeout=wait) if wait != 0 else self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                going_on = False
                break
            self._take(job)
            # A press is written now, with whatever waits beside it; what can wait gives a press the time to join it.
            wait = 0 if any(isinstance(pending, KeepPress) for pending in self._pending.values()) else JOIN_S
        if self._marked_at_ms is not None and boottime_ms() - self._marked_at_ms > ALIVE_FOR_MS:
            self._marked_at_ms = None
        return going_on

    def _idle_s(self) -> float | None:
        if self._marked_at_ms is not None:
            return ALIVE_S
        return RETRY_S if self._fault else None

    def _take(self, job: Job) -> None:
        if isinstance(job, KeepPress):
            self._pending[PressRef(job.press.boot, job.press.seq)] = job
        elif isinstance(job, ForgetPress):
            # One that never reached the disk is forgotten by not being written.
            self._pending[job.ref] = job
        elif isinstance(job, MarkSiren):
            self._marked_at_ms = boottime_ms() if job.on else None
            self._pending[MarkSiren] = job
        elif isinstance(job, TryDisk):
            self._pending[job.order] = job
        elif isinstance(job, ForgetStreams):
            self._pending[job.boots] = job
        else:
            self._pending[KeepSettings] = job

    def _write(self) -> None:
        jobs = list(self._pending.values())
        try:
            connection = self._connection or self._reopen()
            disk.execute(connection, "BEGIN IMMEDIATE")
            try:
                for job in jobs:
                    self._apply(connection, job)
                self._put_fact(connection, "alive_at_ms", str(boottime_ms()).encode())
                disk.execute(connection, "COMMIT")
            except BaseException:
                with contextlib.suppress(Exception):  # the first fault is the one to tell
                    disk.execute(connection, "ROLLBACK")
                raise
        except Exception as fault:  # sqlite3's, APSW's and the system's errors have nothing in common
            self._failed(fault, jobs)
            return
        self._pending.clear()
        self._refused.clear()
        for job in jobs:
            if isinstance(job, KeepPress):
                self._answer(PressKept(PressRef(job.press.boot, job.press.seq)))
            elif isinstance(job, TryDisk):
                self._answer(DiskTried(job.order, ""))
        if self._fault:
            logger.info("outbox: %s can be written again", self.path)
            self._fault = ""
            self._answer(DiskWell())

    def _failed(self, fault: Exception, jobs: Iterable[Job]) -> None:
        code = disk.fault_code(fault, self.path)
        if code != self._fault:
            logger.error("outbox: %s cannot be written (%s: %s); it is kept in memory and tried again", self.path, code, fault)
        self._fault = code
        for job in jobs:
            if isinstance(job, KeepPress):
                ref = PressRef(job.press.boot, job.press.seq)
                if ref not in self._refused:
                    self._refused.add(ref)
                    self._answer(PressNotKept(ref, code))
            elif isinstance(job, TryDisk):
                del self._pending[job.order]
                self._answer(DiskTried(job.order, code))
        # A connection that has seen a full, vanished or remounted disk is not trusted to notice that it is well again.
        self._close()
        if disk.is_damage(fault):
            self._begin_anew(disk.salvage(self.path, self._connect))

    def _apply(self, connection: Connection, job: Job) -> None:
        if isinstance(job, KeepPress):
            press = job.press
            row = (press.boot, press.seq, messages.encode(press), job.made_at_ms, self._kernel, job.rank)
            disk.execute(connection, "INSERT OR REPLACE INTO press VALUES (?, ?, ?, ?, ?, ?)", row)
            disk.execute(connection, _CAME_TO, (press.boot, press.seq, int(job.secret)))
        elif isinstance(job, ForgetStreams):
            for boot in job.boots:
                disk.execute(connection, "DELETE FROM stream WHERE boot = ?", (boot,))
        elif isinstance(job, ForgetPress):
            disk.execute(connection, "DELETE FROM press WHERE boot = ? AND seq = ?", (job.ref.boot, job.ref.seq))
        elif isinstance(job, MarkSiren):
            if job.on:
                self._put_fact(connection, "siren_on_at_ms", str(boottime_ms()).encode())
            else:
                disk.execute(connection, "DELETE FROM fact WHERE name = 'siren_on_at_ms'")
        elif isinstance(job, TryDisk):
            self._put_fact(connection, "tried_at_ms", str(boottime_ms()).encode())
        else:
            self._put_fact(connection, "settings", messages.encode(job.settings))

    @staticmethod
    def _put_fact(connection: Connection, name: str, value: bytes) -> None:
        disk.execute(connection, "INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    # --- opening

    def _open_first(self) -> Found:
        fault_name = ""
        try:
            contents = disk.read(self._reopen())
            self._begin_life(Contents([], {}))
        except Exception as fault:  # as above
            fault_name = disk.fault_code(fault, self.path)
            logger.error("outbox: %s cannot be opened for writing (%s: %s)", self.path, fault_name, fault)
            self._close()
            contents = disk.salvage(self.path, self._connect)
            if disk.is_damage(fault) and self._begin_anew(contents):
                fault_name = ""
        return self._as_found(contents, fault_name)

    def _begin_anew(self, contents: Contents) -> bool:
        """Set the damaged database aside and begin a new one with what could be read of it; False when that failed."""
        try:
            self._set_aside()
            self._reopen()
            self._begin_life(contents)
        except Exception as fault:  # as above
            logger.error("outbox: no new database can be begun either (%s)", fault)
            self._close()
            return False
        return True

    def _begin_life(self, contents: Contents) -> None:
        """Write `contents`, and that this life of this machine uses the database; proves that it can be written."""
        connection = self._connection or self._reopen()
        disk.execute(connection, "BEGIN IMMEDIATE")
        for row in contents.presses:
            disk.execute(connection, "INSERT OR REPLACE INTO press VALUES (?, ?, ?, ?, ?, ?)", row)
        for stream in contents.streams:
            disk.execute(connection, _CAME_TO, stream)
        disk.execute(connection, "DELETE FROM stream WHERE rowid NOT IN (SELECT rowid FROM stream ORDER BY rowid DESC LIMIT ?)", (STREAMS_KEPT,))
        facts = {**contents.facts, "kernel": self._kernel.encode(), "alive_at_ms": str(boottime_ms()).encode()}
        for name, value in facts.items():
            self._put_fact(connection, name, value)
        # Each life begins with the siren off.
        disk.execute(connection, "DELETE FROM fact WHERE name = 'siren_on_at_ms'")
        disk.execute(connection, "COMMIT")

    def _reopen(self) -> Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connection = self._connect(str(self.path))
        disk.execute(connection, "PRAGMA locking_mode = EXCLUSIVE")
        disk.execute(connection, "PRAGMA journal_mode = WAL")
        disk.execute(connection, "PRAGMA synchronous = FULL")
        for statement in disk.SCHEMA:
            disk.execute(connection, statement)
        disk.sync_folder(self.path.parent)
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):  # a broken connection may not even close
                self._connection.close()
            self._connection = None

    def _set_aside(self) -> None:
        aside = self.path.with_name(f"outbox.damaged-{boottime_ms()}")
        logger.error("outbox: %s is damaged; set aside as %s, a new one is begun", self.path, aside.name)
        for suffix in ("", "-wal", "-journal"):
            part = Path(f"{self.path}{suffix}")
            with contextlib.suppress(FileNotFoundError):
                part.rename(f"{aside}{suffix}")

    def _as_found(self, contents: Contents, fault: str) -> Found:
        facts = contents.facts
        restarted = facts.get("kernel", b"").decode() != self._kernel
        age = None
        if restarted and "siren_on_at_ms" in facts and "alive_at_ms" in facts:
            age = max(0, int(facts["alive_at_ms"]) - int(facts["siren_on_at_ms"]))
        waiting, unreadable = [], ""
        for _boot, _seq, payload, made_at_ms, kernel, rank in contents.presses:
            try:
                press = messages.decode("up/press", bytes(payload))
            except BadMessage as bad:
                unreadable = str(bad)
                continue
            if isinstance(press, Press):
                waiting.append(WaitingPress(press, made_at_ms if kernel == self._kernel else None, rank))
        if unreadable:
            # Once, however many: silent ones may be among them.
            logger.error("outbox: what this version cannot read stays where it is (%s)", unreadable)
        streams = tuple(Stream(boot, last, bool(secret)) for boot, last, secret in contents.streams[-STREAMS_KEPT:])
        return Found(_settings(facts), tuple(waiting), restarted, age, fault, streams)


def _settings(facts: dict[str, bytes]) -> Settings | None:
    if "settings" not in facts:
        return None
    try:
        settings = messages.decode("down/settings", bytes(facts["settings"]))
    except BadMessage as bad:
        logger.error("outbox: the kept settings cannot be read (%s); the file's hold until the gateway's come", bad)
        return None
    return settings if isinstance(settings, Settings) else None


