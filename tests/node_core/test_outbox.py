"""Sent until receipted, the most serious first, with an honest age; and what the beats say of it."""

import time
from itertools import pairwise

from controller.messages import Beat, Gesture, Kept, Online, Press, PressRef, Receipt, Settings, digest_of, encode
from node_firmware import effects, inputs
from node_firmware.config import default_kinds
from node_firmware.effects import Light
from tests.node_core.block import OPEN_BOOT, SILENT_BOOT, Block


def test_it_is_sent_again_with_growing_pauses_until_it_is_receipted(block: Block) -> None:
    block.links().closes("panic").passes(1000).opens("panic").passes(100_000)
    press = block.made()[0]
    sent = [at for at, _ in block.sends(press)]
    pauses = [later - earlier for earlier, later in pairwise(sent)]
    assert [round(pause / 1000) for pause in pauses] == [1, 2, 4, 8, 16, 30, 30]
    assert [age for _, age in block.sends(press)] == [at - sent[0] for at in sent]
    block.receipts(press)
    block.forgets().passes(100_000)
    assert not block.sends(press)


def test_without_a_link_nothing_is_sent_and_with_it_all_at_once(block: Block) -> None:
    for name in ("medical", "hidden", "fire", "panic"):
        block.presses(name)
    block.forgets().passes(3_600_000)
    assert not block.seen(effects.PublishPress)
    block.forgets().links()
    sent = block.seen(effects.PublishPress)
    assert [effect.press.input for effect in sent] == ["hidden", "fire", "panic", "medical"]
    assert isinstance(block.history[0][1], effects.Publish)
    assert isinstance(block.published(Online)[0], Online)


def test_a_new_press_does_not_wait_for_earlier_receipts(block: Block) -> None:
    block.links().presses("panic")
    block.closes("medical").forgets().passes(1000)
    assert "medical" in [effect.press.input for effect in block.seen(effects.PublishPress)]


def test_a_receipt_counts_only_with_the_digest_of_the_very_press(block: Block) -> None:
    block.links().presses("panic").presses("fire")
    panic, fire = block.made()
    digest = digest_of(encode(panic))
    block.forgets()
    for wrong in (
        Receipt("0" * 32, Kept.RECORDED, panic.boot, panic.seq),
        Receipt(digest, Kept.RECORDED, fire.boot, fire.seq),
        Receipt(digest, Kept.RECORDED, "d" * 32, panic.seq),
    ):
        block.gives(inputs.PressReceipted(wrong))
    assert not block.seen(effects.ForgetPress)
    block.gives(inputs.PressReceipted(Receipt(digest, Kept.RECORDED)))
    assert block.seen(effects.ForgetPress) == [effects.ForgetPress(PressRef(panic.boot, panic.seq))]
    block.receipts(panic)
    assert len(block.seen(effects.ForgetPress)) == 1


def test_a_receipt_that_is_faster_than_the_disk_settles_it(block: Block) -> None:
    block.disk = None
    block.links().presses("panic")
    press = block.made()[0]
    block.receipts(press)
    block.forgets().gives(inputs.PressKept(PressRef(press.boot, press.seq)))
    assert not block.history


def test_after_a_restart_the_age_goes_on_and_after_a_reboot_there_is_none(block: Block) -> None:
    block.presses("panic").passes(10_000)
    made_at_ms = block.seen(effects.KeepPress)[0].made_at_ms
    block.restarts().forgets().links()
    assert block.seen(effects.PublishPress)[0].age_ms == block.now_ms - made_at_ms
    press = block.made()
    assert not press, "what is on disk is not written again"
    waiting = tuple(inputs.WaitingPress(kept.press, None, kept.rank) for kept in block.stored.values())
    block.restarts(2, waiting=waiting, machine_restarted=True).forgets().links()
    assert block.seen(effects.PublishPress)[0].age_ms is None
    assert block.published(Online)[0].machine_restarted


def test_a_patrols_check_in_is_sent_last_also_after_a_restart(block: Block) -> None:
    block.checks_in("panic").presses("medical")
    block.restarts().links()
    assert [effect.press.gesture for effect in block.seen(effects.PublishPress)[-2:]] == [Gesture.HOLD, Gesture.CHECK_IN]


def test_a_disk_that_answers_late_brings_what_it_held(block: Block) -> None:
    held = tuple(
        inputs.WaitingPress(Press("e" * 32, seq, name, kind, Gesture.HOLD), None, default_kinds()[kind].rank)
        for seq, name, kind in ((1, "medical", "medical"), (2, "panic", "panic"), (3, "hidden", "violence"))
    )
    kept = Settings("f" * 32, 7, default_kinds(), {}, siren_s_max=30)
    block.restarts(disk_fault="disk-slow", waiting=()).links()
    assert block.faults() == {"disk-slow"}
    block.forgets().passes(3000).gives(inputs.OutboxOpened(kept, held))
    assert [effect.press.input for effect in block.seen(effects.PublishPress)] == ["hidden", "panic", "medical"]
    assert block.light("medical") is Light.SAVED
    assert not block.passes(3000).faults()
    assert (block.beat().settings_rev, block.beat().unsent) == (7, 2)
    sent = len(block.seen(effects.PublishPress))
    block.gives(inputs.OutboxOpened(kept, held))
    assert len(block.seen(effects.PublishPress)) == sent, "the same presses are the same presses"


def test_a_disk_that_answers_late_tells_that_the_supply_collapsed(block: Block) -> None:
    block.restarts(disk_fault="disk-slow", waiting=()).links().passes(3000)
    block.gives(inputs.OutboxOpened(siren_mark_age_ms=1500))
    assert block.passes(3000).faults() == {"supply-collapses-under-siren"}


def test_a_disk_that_answers_late_tells_that_only_the_process_was_restarted(block: Block) -> None:
    block.restarts(disk_fault="disk-slow", waiting=(), machine_restarted=True).links().passes(3000)
    assert block.published(Online)[-1].machine_restarted
    block.gives(inputs.OutboxOpened(machine_restarted=False))
    assert not block.published(Online)[-1].machine_restarted


def test_the_births_and_beats_say_what_is_so(block: Block) -> None:
    block.presses("panic").presses("hidden").links()
    birth = block.published(Online)[0]
    assert (birth.boot, birth.silent_boot, birth.online, birth.machine_restarted) == (OPEN_BOOT, SILENT_BOOT, True, True)
    block.gives(inputs.PowerRead(mains=False, battery_mv=12_600, signal_dbm=-70, temperature_c=31))
    beat = block.passes(3000).beat()
    assert (beat.siren, beat.unsent, beat.mains, beat.battery_mv, beat.signal_dbm) == (True, 1, False, 12_600, -70)


def test_beats_come_at_their_pace_and_sooner_with_news_but_never_as_a_flood(linked: Block) -> None:
    linked.forgets().passes(100_000)
    assert len(linked.published(Beat)) == 5
    linked.forgets()
    for up in (False, True) * 20:
        linked.gives(inputs.GuardSeen(up))
        linked.passes(100)
    assert 1 <= len(linked.published(Beat)) <= 3
    linked.gives(inputs.LinkDown())
    linked.forgets().passes(100_000)
    assert not linked.history


def test_too_many_open_presses_are_a_fault_and_silent_ones_never() -> None:
    def waiting(name: str, kind: str) -> tuple[inputs.WaitingPress, ...]:
        return tuple(
            inputs.WaitingPress(Press("e" * 32, seq, name, kind, Gesture.HOLD), None, 1) for seq in range(1, 1202)
        )

    block = Block().starts(waiting=waiting("hidden", "violence")).links()
    assert not block.faults()
    assert block.beat().unsent == 0
    block = Block().starts(waiting=waiting("panic", "panic")).links()
    assert block.faults() == {"outbox-filling"}
    assert block.beat().unsent == 1201


def test_a_day_without_network_costs_each_press_the_same() -> None:
    """Growing eight times, the work grows about eight times: nothing in it is quadratic."""

    def seconds(number: int) -> float:
        waiting = tuple(
            inputs.WaitingPress(Press("e" * 32, seq, "panic", "panic", Gesture.HOLD), 0, 1) for seq in range(1, number + 1)
        )
        block = Block()
        began = time.process_time()
        block.starts(waiting=waiting).links()
        block.passes(60_000)
        for kept in waiting:
            block.receipts(kept.press)
        assert block.passes(30_000).beat().unsent == 0
        return time.process_time() - began

    seconds(100)
    small, large = seconds(500), seconds(4000)
    assert large < 8 * small * 3, f"{small:.3f} s for 500, {large:.3f} s for 4,000"
