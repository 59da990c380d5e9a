"""The node's outbox through power cuts: a press whose light said "saved" is there when the power is back."""

from random import Random

import pytest

from controller.messages import PressRef
from node_firmware.effects import ForgetPress
from node_firmware.inputs import PressKept, PressNotKept
from tests.node.test_outbox import BOOT, Desk, keep, press
from tests.power.conftest import MakeDisk
from tests.power.vfs import Disk, Left

PRESSES = 8


class Life:
    """What one life of an outbox answered before its power went."""

    def __init__(self, disk: Disk, seqs: range) -> None:
        self.kept: set[int] = set()
        self.forgotten: set[int] = set()
        desk = Desk(disk.folder, disk.connect)
        for seq in seqs:
            desk.outbox.put(keep(seq))
            answer = desk.answer()
            while not isinstance(answer, PressKept | PressNotKept):
                answer = desk.answer()
            if isinstance(answer, PressKept):
                self.kept.add(answer.ref.seq)
            if seq % 3 == 0:
                self.forgotten.add(seq - 1)
                desk.outbox.put(ForgetPress(PressRef(BOOT, seq - 1)))
        disk.cut()
        desk.close()


def found_after(disk: Disk, left: Left) -> set[int]:
    """The presses that are there when the power is back; fails when anything is torn."""
    disk.back(left)
    desk = Desk(disk.folder, disk.connect)
    desk.close()
    assert desk.found.disk_fault == ""
    assert not list(disk.folder.glob("outbox.damaged-*"))
    for waiting in desk.found.waiting:
        assert waiting.press == press(waiting.press.seq)
    return {waiting.press.seq for waiting in desk.found.waiting}


def operations(disk: Disk) -> tuple[int, set[int]]:
    Life(disk, range(1, PRESSES + 1))
    return disk.operations, set(disk.syncs)


@pytest.mark.whole
@pytest.mark.parametrize("left", Left)
def test_what_was_said_to_be_saved_is_there_wherever_the_power_goes(make_disk: MakeDisk, left: Left, seed: int) -> None:
    count, syncs = operations(make_disk())
    assert len(syncs) > PRESSES
    cuts = [(at, False) for at in range(1, count + 1)] + [(at, True) for at in sorted(syncs)]
    for at, done in cuts:
        disk = make_disk(seed + at)
        disk.cut_at(at, done=done)
        life = Life(disk, range(1, PRESSES + 1))
        found = found_after(disk, left)
        assert life.kept - life.forgotten <= found, f"cut at {at} of {count}, done: {done}"
        assert found <= set(range(1, PRESSES + 1))


def test_a_life_of_power_cuts_loses_no_saved_press(make_disk: MakeDisk, seed: int) -> None:
    disk, random = make_disk(seed), Random(seed)
    saved: set[int] = set()
    forgotten: set[int] = set()
    for turn in range(40):
        disk.cut_at(disk.operations + random.randint(1, 70))
        life = Life(disk, range(1 + turn * PRESSES, 1 + (turn + 1) * PRESSES))
        saved |= life.kept
        forgotten |= life.forgotten
        assert saved - forgotten <= found_after(disk, random.choice(list(Left))), f"turn {turn}"
    assert len(saved) > 20, "too few presses to prove anything"


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
def test_an_outbox_that_does_not_sync_each_commit_is_found_out(make_disk: MakeDisk, mode: str) -> None:
    disk = make_disk()
    disk.checkpoint_pages = 1000  # a checkpoint would sync what the commits have not
    disk.rewrite = lambda statement: statement.replace("synchronous = FULL", f"synchronous = {mode}")
    life = Life(disk, range(1, PRESSES + 1))
    assert life.kept == set(range(1, PRESSES + 1))
    assert life.kept - life.forgotten - found_after(disk, Left.NOTHING), "this disk must be able to show a loss"
