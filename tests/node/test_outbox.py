"""The outbox on its disk, through the standard library's SQLite and through APSW alike."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import apsw
import pytest

from controller.messages import Gesture, InputSettings, KindSettings, Press, PressRef, Settings, Stream, encode
from node_firmware import disk, outbox
from node_firmware.disk import Connect
from node_firmware.effects import ForgetPress, KeepPress, KeepSettings, MarkSiren
from node_firmware.inputs import DiskWell, NodeInput, PressKept, PressNotKept, WaitingPress
from node_firmware.outbox import Found, Outbox
from tests.node.broken_node import refusal

BOOT = "a" * 32


def press(seq: int) -> Press:
    return Press(BOOT, seq, "b1", "panic", Gesture.HOLD)


def keep(seq: int, made_at_ms: int = 5) -> KeepPress:
    return KeepPress(press(seq), made_at_ms, 1)


class Desk:
    """An outbox and what it has answered."""

    def __init__(self, folder: Path, connect: Connect) -> None:
        self.answers: SimpleQueue[NodeInput] = SimpleQueue()
        self.outbox = Outbox(folder, self.answers.put, connect)
        found: SimpleQueue[Found] = SimpleQueue()
        self.outbox.start(found.put)
        self.found = found.get(timeout=10)

    def answer(self, within_s: float = 10) -> NodeInput:
        return self.answers.get(timeout=within_s)

    def close(self) -> None:
        self.outbox.stop(5)


@pytest.fixture(params=["sqlite3", "apsw"])
def connect(request: pytest.FixtureRequest) -> Connect:
    return disk.connect_sqlite if request.param == "sqlite3" else apsw.Connection


@pytest.fixture
def desk(tmp_path: Path, connect: Connect) -> Iterator[Callable[[], Desk]]:
    """Opens the same outbox, again after the one before was closed."""
    made: list[Desk] = []

    def open_it() -> Desk:
        if made:
            made[-1].close()
        made.append(Desk(tmp_path / "data", connect))
        return made[-1]

    yield open_it
    made[-1].close()


def test_a_press_is_there_after_a_restart_with_its_age_and_gone_when_forgotten(desk: Callable[[], Desk]) -> None:
    first = desk()
    assert first.found == Found()
    for seq in (1, 2):
        first.outbox.put(keep(seq))
        assert first.answer() == PressKept(PressRef(BOOT, seq))
    first.outbox.put(ForgetPress(PressRef(BOOT, 1)))
    assert desk().found == Found(waiting=(WaitingPress(press(2), 5, 1),), machine_restarted=False, streams=(Stream(BOOT, 2),))


def test_the_row_holds_the_exact_bytes(desk: Callable[[], Desk], tmp_path: Path) -> None:
    opened = desk()
    opened.outbox.put(keep(1))
    opened.answer()
    opened.close()
    row = sqlite3.connect(tmp_path / "data" / "outbox.sqlite").execute("SELECT payload, made_at_ms, rank FROM press").fetchone()
    assert row == (encode(press(1)), 5, 1)


def test_after_a_restart_of_the_machine_presses_have_no_age(desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk()
    first.outbox.put(keep(1))
    first.answer()
    first.close()
    monkeypatch.setattr(outbox, "kernel_boot_id", lambda: "another")
    assert desk().found == Found(waiting=(WaitingPress(press(1), None, 1),), machine_restarted=True, streams=(Stream(BOOT, 1),))


def test_a_supply_that_collapses_under_the_siren_leaves_its_mark(desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk()
    first.outbox.put(MarkSiren(on=True))
    first.outbox.put(keep(1))
    first.answer()
    first.close()
    assert desk().found.siren_mark_age_ms is None  # the machine lives
    again = desk()
    again.outbox.put(MarkSiren(on=True))
    again.outbox.put(keep(2))
    again.answer()
    again.close()
    monkeypatch.setattr(outbox, "kernel_boot_id", lambda: "another")
    age_ms = desk().found.siren_mark_age_ms
    assert age_ms is not None
    assert age_ms < 2000
    assert desk().found.siren_mark_age_ms is None  # told once


def test_a_siren_that_was_switched_off_leaves_none(desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk()
    first.outbox.put(MarkSiren(on=True))
    first.outbox.put(MarkSiren(on=False))
    first.close()
    monkeypatch.setattr(outbox, "kernel_boot_id", lambda: "another")
    assert desk().found.siren_mark_age_ms is None


def test_settings_are_kept(desk: Callable[[], Desk]) -> None:
    settings = Settings(BOOT, 3, {"panic": KindSettings(True)}, {"b1": InputSettings("panic")})
    opened = desk()
    opened.outbox.put(KeepSettings(settings))
    assert desk().found.settings == settings


def test_a_damaged_database_is_set_aside_and_what_can_be_read_of_it_goes_on(desk: Callable[[], Desk], tmp_path: Path) -> None:
    opened = desk()
    for seq in range(1, 301):
        opened.outbox.put(keep(seq))
    for _ in range(300):
        opened.answer()
    opened.close()
    path = tmp_path / "data" / "outbox.sqlite"
    content = bytearray(path.read_bytes())
    holding = [at for at in range(0, len(content), 4096) if b'"seq":' in content[at : at + 4096]]
    middle = holding[len(holding) // 2]
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    again = desk()
    saved = {waiting.press.seq for waiting in again.found.waiting}
    assert len(saved) > 150
    assert again.found.disk_fault == ""
    assert list(path.parent.glob("outbox.damaged-*"))
    again.outbox.put(keep(999))
    assert again.answer() == PressKept(PressRef(BOOT, 999))
    assert {waiting.press.seq for waiting in desk().found.waiting} == saved | {999}


def test_what_is_read_of_a_damaged_database_is_not_counted_in_the_log(
    desk: Callable[[], Desk], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = []
    for presses in (1, 2):
        opened = desk()
        for seq in range(1, presses + 1):
            opened.outbox.put(keep(seq))
            opened.answer()
        opened.close()
        caplog.clear()
        disk.salvage(tmp_path / "data" / "outbox.sqlite", disk.connect_sqlite)
        said.append(caplog.messages)
    assert said[0] == said[1] != []


def test_a_file_that_is_no_database_is_set_aside(desk: Callable[[], Desk], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "outbox.sqlite").write_bytes(b"rubbish" * 3000)
    opened = desk()
    assert opened.found == Found()
    opened.outbox.put(keep(1))
    assert opened.answer() == PressKept(PressRef(BOOT, 1))


class Disk:
    """A disk that can be made to fail and to wait; counts commits."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.commits = 0
        self.free = threading.Event()
        self.free.set()

    def connect(self, path: str) -> "Through":
        if self.fault is not None and not path.startswith("/dev/shm"):
            raise self.fault
        return Through(self, path)


class Through:
    def __init__(self, of: Disk, path: str) -> None:
        self._of = of
        self._real = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Iterator[Any]:
        if statement == "COMMIT":
            self._of.free.wait(10)
            if self._of.fault is not None:
                raise self._of.fault
            self._of.commits += 1
        return self._real.execute(statement, parameters)

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refusal("database or disk is full", sqlite3.SQLITE_FULL), "disk-full"),
        (refusal("attempt to write a readonly database", sqlite3.SQLITE_READONLY), "disk-read-only"),
        (OSError(28, "No space left on device"), "disk-full"),
        (OSError(30, "Read-only file system"), "disk-read-only"),
        (refusal("disk I/O error", sqlite3.SQLITE_IOERR), "disk-damaged"),
        (apsw.FullError("full"), "disk-damaged"),  # an error without its result code
    ],
)
def test_a_disk_that_refuses_is_named_and_tried_again_until_it_is_well(
    tmp_path: Path, fault: Exception, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    sick = Disk()
    desk = Desk(tmp_path, sick.connect)
    sick.fault = fault
    desk.outbox.put(keep(1))
    assert desk.answer() == PressNotKept(PressRef(BOOT, 1), code)
    with pytest.raises(Empty):
        desk.answer(within_s=0.3)  # tried again, and told once
    sick.fault = None
    assert [desk.answer(), desk.answer()] == [PressKept(PressRef(BOOT, 1)), DiskWell()]
    desk.close()


def test_a_folder_that_the_node_may_not_write_is_read_only_and_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cannot_open = refusal("unable to open database file", sqlite3.SQLITE_CANTOPEN)
    assert disk.fault_code(cannot_open, tmp_path / "outbox.sqlite") == "disk-damaged"
    # Root may write everything, whatever the modes say: the system's answer is put in its place.
    monkeypatch.setattr(os, "access", lambda path, mode: not (path == tmp_path and mode == os.W_OK))
    assert disk.fault_code(cannot_open, tmp_path / "outbox.sqlite") == "disk-read-only"


def test_presses_that_wait_together_share_one_commit_and_each_has_its_answer(tmp_path: Path) -> None:
    slow = Disk()
    desk = Desk(tmp_path, slow.connect)
    before = slow.commits
    slow.free.clear()
    for seq in range(1, 51):
        desk.outbox.put(keep(seq))
    slow.free.set()
    assert [desk.answer() for _ in range(50)] == [PressKept(PressRef(BOOT, seq)) for seq in range(1, 51)]
    assert slow.commits - before <= 2
    desk.close()


def test_putting_never_waits_for_the_disk(tmp_path: Path) -> None:
    hung = Disk()
    desk = Desk(tmp_path, hung.connect)
    hung.free.clear()
    for seq in range(1, 1001):
        desk.outbox.put(keep(seq))
    # All were put while the disk hung: had one waited for it, this line would never have been reached.
    assert desk.answers.empty()
    hung.free.set()
    assert isinstance(desk.answer(), PressKept)
    desk.close()
