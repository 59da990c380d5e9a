"""A call for help: siren, order of effects, second presses, faults of hands and wires."""

from typing import Any, get_args

import pytest

from controller import messages
from controller.errors import BrokenPromise
from controller.instants import Now
from controller.messages import (
    AnyOrder,
    Beat,
    Done,
    Gesture,
    InputSettings,
    KindSettings,
    LightState,
    NodeFault,
    Order,
    PressRef,
    Pulse,
    SelfTest,
    Settings,
    SirenOff,
    SirenOn,
    SirenTest,
)
from node_firmware import effects, inputs
from node_firmware.block_node import BlockNode
from node_firmware.config import InputPins, default_kinds
from node_firmware.effects import Light, Sound
from tests.node_core.block import OPEN_BOOT, SHOWN, SILENT_BOOT, WIRING, Block

NOT_MEASURED = messages.SirenFound.NOT_MEASURED


def test_a_held_button_sounds_the_siren_before_anything_is_written_or_sent(block: Block) -> None:
    block.disk = None
    block.forgets().closes("panic").passes(999)
    assert not block.history
    block.passes(1)
    [answer] = [answer for answer in block.answers if answer]
    assert [type(effect) for effect in answer] == [
        effects.SoundSiren, effects.KeepPress, effects.PublishPress, effects.Play, effects.MarkSiren,
    ]
    assert answer[0] == effects.SoundSiren(default_kinds()["panic"].pattern, 180_000)
    assert answer[2].age_ms == 0  # type: ignore[union-attr]  # the list above says which effect it is


def test_the_siren_stops_at_its_limit_and_the_next_press_sounds_it_again(block: Block) -> None:
    block.presses("panic").passes(178_000)
    assert block.siren_sounds()
    block.passes(2000)
    assert not block.siren_sounds()
    assert block.seen(effects.MarkSiren)[-1] == effects.MarkSiren(on=False)
    block.presses("panic")
    assert block.siren_sounds()


def test_presses_during_an_alarm_are_merged_kept_published_and_answered(block: Block) -> None:
    block.presses("panic").passes(1000).forgets()
    for name in ("panic", "medical", "panic"):
        block.presses(name)
    assert len(block.made()) == len(block.seen(effects.PublishPress)) == 3
    assert block.sounds().count(Sound.CHIRP) == 3
    assert not block.seen(effects.SoundSiren)
    assert block.light("medical") is Light.SAVED


def test_a_more_serious_kind_changes_the_pattern_but_not_the_limit(block: Block) -> None:
    block.presses("medical").passes(100_000).forgets().presses("panic")
    [sound] = block.seen(effects.SoundSiren)
    assert sound.pattern == default_kinds()["panic"].pattern
    block.passes(300_000)
    assert block.siren_longest_ms <= 180_000


def test_a_press_prolongs_a_short_siren_that_was_ordered(linked: Block) -> None:
    linked.orders(SirenOn("panic", 10))
    linked.passes(5000).presses("panic").passes(20_000)
    assert linked.siren_sounds()


def test_two_buttons_at_once_are_two_presses_and_the_siren_stands_first(block: Block) -> None:
    block.closes("panic").closes("fire").forgets().passes(1000)
    [answer] = [answer for answer in block.answers if answer and isinstance(answer[0], effects.SoundSiren)]
    assert [type(effect) for effect in answer[1:5]] == [effects.KeepPress, effects.PublishPress] * 2


def test_a_silent_press_shows_nothing_at_all(block: Block) -> None:
    block.links().forgets().presses("hidden").passes(100)
    assert [type(effect) for _, effect in block.history] == [effects.KeepPress, effects.PublishPress]
    assert block.made()[0].boot == SILENT_BOOT
    assert block.passes(20_000).beat().unsent == 0


def test_silent_and_open_presses_count_apart(block: Block) -> None:
    for name in ("panic", "hidden", "panic", "hidden"):
        block.presses(name)
    assert [(press.boot, press.seq) for press in block.made()] == [
        (OPEN_BOOT, 1), (SILENT_BOOT, 1), (OPEN_BOOT, 2), (SILENT_BOOT, 2),
    ]


def test_a_stuck_button_is_a_fault_and_one_press(linked: Block) -> None:
    linked.closes("panic").passes(61_000)
    linked.incident(LightState.NONE).passes(3000)
    assert NodeFault("stuck", "panic") in linked.beat().faults
    assert linked.light("panic") is Light.FAULT
    assert linked.light("fire") is Light.REST
    linked.passes(600_000)
    assert len(linked.made()) == 1
    linked.opens("panic").passes(3000)
    assert not linked.faults()
    assert linked.light("panic") is Light.REST


def test_a_stuck_silent_button_is_no_fault_that_others_read(linked: Block) -> None:
    linked.closes("hidden").passes(600_000)
    assert len(linked.made()) == 1
    assert not linked.faults()


@pytest.mark.parametrize(("name", "boot"), [("panic", OPEN_BOOT), ("hidden", SILENT_BOOT)])
def test_cut_and_shorted_wires_are_told_and_not_sounded(linked: Block, name: str, boot: str) -> None:
    linked.edge(f"{name}.released", False)
    linked.passes(10_000)
    linked.edge(f"{name}.released", True)
    linked.passes(5000)
    linked.edge(f"{name}.pressed", True)
    linked.passes(10_000)
    assert [(press.kind, press.gesture, press.boot) for press in linked.made()] == [
        ("tamper", Gesture.CUT, boot), ("tamper", Gesture.SHORTED, boot),
    ]
    assert not linked.seen(effects.Play) + linked.seen(effects.SoundSiren)


@pytest.mark.parametrize(("levels", "code"), [((("released", False),), "cut"), ((("pressed", True),), "shorted")])
def test_a_button_that_stands_cut_or_shorted_is_a_fault_until_it_is_mended(
    linked: Block, levels: tuple[tuple[str, bool], ...], code: str
) -> None:
    """It cannot call: no self-test passes, no tap at another button is answered well, and the light there says so."""
    for side, level in levels:
        linked.edge(f"panic.{side}", level)
    linked.passes(5000)
    assert linked.made() == [linked.made()[0]], "told as tampering, once"
    assert linked.beat().faults == (NodeFault(code, "panic"),)
    assert linked.orders(SelfTest()) == Done(OPEN_BOOT, "o1", done=False, why=f"{code} panic", siren=NOT_MEASURED)
    assert (linked.light("panic"), linked.light("fire")) == (Light.FAULT, Light.REST)
    linked.taps("fire").passes(1000).answers_ask()
    assert linked.light("fire") is Light.ANSWER_FAULT
    for side, level in levels:
        linked.edge(f"panic.{side}", not level)
    linked.passes(5000)
    assert not linked.faults()
    assert linked.light("panic") is Light.REST
    assert linked.orders(SelfTest(), "o2").done


def test_a_wire_that_changes_from_cut_to_shorted_and_back_is_named_as_it_is(linked: Block) -> None:
    linked.edge("panic.released", False)
    linked.passes(5000)
    linked.edge("panic.pressed", True)
    linked.edge("panic.released", True)
    assert linked.passes(5000).faults() == {"shorted"}
    linked.edge("panic.pressed", False)
    linked.edge("panic.released", False)
    assert linked.passes(5000).faults() == {"cut"}


@pytest.mark.parametrize("level", [("released", False), ("pressed", True)])
def test_the_wires_of_a_silent_button_show_in_nothing_that_others_read(level: tuple[str, bool]) -> None:
    said = []
    for hidden in (False, True):
        block = Block().starts().links()
        block.gateway = True
        if hidden:
            block.edge(f"hidden.{level[0]}", level[1])
        block.passes(60_000).taps("fire").passes(1000).answers_ask()
        block.orders(SelfTest())
        block.passes(60_000)
        assert len(block.made()) == hidden
        said.append([(at_ms, effect) for at_ms, effect in block.history if isinstance(effect, (effects.Publish, *SHOWN))])
    assert said[0] == said[1]


def test_an_opened_case_is_told(linked: Block) -> None:
    linked.edge("case", False)
    linked.passes(300)
    assert [(press.input, press.kind, press.gesture) for press in linked.made()] == [("case", "tamper", Gesture.OPENED)]
    assert not linked.siren_sounds()


def test_the_siren_is_off_after_every_start(block: Block) -> None:
    block.presses("panic")
    block.restarts()
    assert block.answers[-1][0] == effects.StopSiren()
    assert not block.siren_sounds()


def test_a_supply_that_collapses_under_the_siren_is_named_until_it_carries_one(block: Block) -> None:
    block.restarts(siren_mark_age_ms=1500, machine_restarted=True)
    block.gateway = True
    block.links()
    assert block.faults() == {"supply-collapses-under-siren"}
    block.presses("panic").passes(5000)
    assert block.faults() == {"supply-collapses-under-siren"}
    block.passes(7000)
    assert not block.faults()


def test_a_machine_that_died_later_than_two_seconds_after_siren_on_is_not_accused(block: Block) -> None:
    block.restarts(siren_mark_age_ms=2001, machine_restarted=True).links()
    assert not block.faults()



# --- orders


def test_orders_sound_and_silence_the_siren(linked: Block) -> None:
    assert linked.orders(SirenOn("fire", 30), "o1").done
    assert linked.siren_sounds()
    assert linked.orders(SirenOff(), "o2").done
    assert not linked.siren_sounds()
    linked.orders(SirenOn("fire", 900), "o3")
    linked.passes(181_000)
    assert not linked.siren_sounds(), "the node's own limit"


def test_after_siren_off_a_press_is_still_answered(linked: Block) -> None:
    linked.presses("panic")
    assert linked.orders(SirenOff(last_seq=1)).done
    assert not linked.siren_sounds()
    linked.forgets().presses("panic")
    assert linked.siren_sounds()
    assert Sound.CHIRP in linked.sounds()


def test_the_end_of_one_emergency_does_not_silence_a_call_that_the_gateway_had_not_heard_of(block: Block) -> None:
    """A mistake, its cancel and a call in earnest were made without a link; then the gateway hears of them one by one."""
    block.presses("panic").cancels("panic")
    assert not block.siren_sounds()
    block.passes(5000).presses("panic").links()
    mistake, cancel, call = block.made()
    block.receipts(mistake)
    block.receipts(cancel)
    assert not block.orders(SirenOff(cancel.seq), "o1").done
    block.receipts(call)
    assert not block.orders(SirenOff(cancel.seq), "o2").done
    assert block.siren_sounds()
    assert block.orders(SirenOff(call.seq), "o3").done
    assert not block.siren_sounds()


def test_a_call_that_still_waits_behind_a_more_serious_one_is_not_silenced(block: Block) -> None:
    block.links().presses("medical").presses("panic")
    medical, panic = block.made()
    block.receipts(panic)
    assert not block.orders(SirenOff(panic.seq, missing=(medical.seq,)), "o1").done
    block.receipts(medical)
    assert block.orders(SirenOff(panic.seq), "o2").done


def test_calls_that_the_gateway_knows_of_and_cannot_receipt_yet_do_not_keep_the_siren_on(block: Block) -> None:
    block.links().presses("panic").presses("fire")
    assert block.orders(SirenOff(last_seq=2)).done
    assert not block.siren_sounds()
    assert len(block.stored) == 2, "they are sent on until they are receipted"


def test_an_order_that_somebody_withheld_is_refused(linked: Block) -> None:
    linked.passes(60_000)
    withheld_s = linked.beat().uptime_s + 25
    linked.passes(3_600_000).forgets()
    late = linked.orders(SirenOn("panic", 900), uptime_s_max=withheld_s)
    assert (late.done, late.why.split(":")[0]) == (False, "late")
    assert not linked.seen(effects.SoundSiren)
    assert linked.orders(SirenOn("panic", 900), "o2", uptime_s_max=withheld_s + 3600).done


def test_a_gateway_that_says_what_is_known_hears_the_uptime_at_once(linked: Block) -> None:
    linked.passes(3000).forgets().incident(LightState.NONE)
    assert [beat.uptime_s for beat in linked.published(Beat)] == [3]
    linked.incident(LightState.CLOSED)
    linked.passes(2000).forgets()
    linked.gives(inputs.IncidentCame(messages.IncidentState(OPEN_BOOT, 1, LightState.NONE)))
    assert [beat.uptime_s for beat in linked.published(Beat)] == [5], "also when what it says now is another state, but no newer one"


def test_a_recorded_order_is_refused(linked: Block) -> None:
    linked.orders(SirenOn("panic", 5))
    linked.passes(6000).forgets()
    again = linked.orders(SirenOn("panic", 5))
    assert not again.done
    assert "repeated" in again.why
    assert not linked.seen(effects.SoundSiren)


@pytest.mark.parametrize("order", [SirenOn("panic", 5), SirenOff(), messages.TestMode(60), SirenTest()])
def test_an_order_for_another_boot_is_refused(linked: Block, order: AnyOrder) -> None:
    linked.presses("panic").forgets()
    done = linked.orders(order, boot="d" * 32)
    assert (done.boot, done.done) == (OPEN_BOOT, False)
    assert [type(effect) for _, effect in linked.history] == [effects.Publish]


@pytest.mark.parametrize("kind", ["violence", "unheard-of"])
def test_a_siren_of_a_silent_or_unknown_kind_is_refused(linked: Block, kind: str) -> None:
    done = linked.orders(SirenOn(kind, 5))
    assert not done.done
    assert kind in done.why
    assert not linked.siren_sounds()


def test_a_siren_test_is_short_and_never_disturbs_an_emergency(linked: Block) -> None:
    assert linked.orders(SirenTest(), "o1").done
    linked.passes(1001)
    assert not linked.siren_sounds()
    linked.presses("panic")
    assert not linked.orders(SirenTest(), "o2").done


def test_a_self_test_makes_no_sound_and_is_answered_when_the_disk_has_written(linked: Block) -> None:
    linked.forgets()
    assert linked.orders(SelfTest()) == Done(OPEN_BOOT, "o1", done=True, siren=NOT_MEASURED)
    assert not linked.shown()


@pytest.mark.parametrize("code", ["disk-full", "disk-read-only"])
def test_a_self_test_fails_on_a_sick_disk(linked: Block, code: str) -> None:
    linked.disk = code
    assert linked.orders(SelfTest()) == Done(OPEN_BOOT, "o1", done=False, why=code, siren=NOT_MEASURED)


def test_a_self_test_on_a_disk_that_hangs_is_not_answered(linked: Block) -> None:
    linked.disk = None
    linked.gives(inputs.OrderCame(Order("o1", OPEN_BOOT, SelfTest(), 100)))
    linked.passes(60_000)
    assert not linked.published(Done)


def test_a_self_test_names_what_the_node_knows_to_be_broken(linked: Block) -> None:
    linked.gives(inputs.GuardSeen(up=False))
    assert linked.orders(SelfTest()).why == "guard-down node"


# --- settings


def test_settings_are_taken_kept_and_in_force(linked: Block) -> None:
    kinds = default_kinds()
    kinds["panic"] = KindSettings(audible=True, rank=1, hold_ms=2000, pattern=kinds["fire"].pattern)
    linked.settings(rev=3, kinds=kinds, siren_s_max=60)
    assert [effect.settings.rev for effect in linked.seen(effects.KeepSettings)] == [3]
    linked.closes("panic").passes(1999)
    assert not linked.siren_sounds()
    linked.passes(1)
    assert linked.seen(effects.SoundSiren) == [effects.SoundSiren(kinds["fire"].pattern, 60_000)]
    assert linked.passes(2000).beat().settings_rev == 3


@pytest.mark.parametrize("siren_s_max", [60, 300])
def test_the_sirens_limit_of_the_settings_wins_over_the_files(linked: Block, siren_s_max: int) -> None:
    linked.settings(siren_s_max=siren_s_max)
    linked.presses("panic")
    assert linked.seen(effects.SoundSiren)[0].for_ms == siren_s_max * 1000


def test_settings_for_another_boot_or_of_an_old_rev_change_nothing(linked: Block) -> None:
    linked.settings(rev=5)
    linked.forgets()
    linked.settings(rev=5, siren_s_max=5)
    linked.settings(rev=4, siren_s_max=5)
    linked.settings(rev=6, siren_s_max=5, boot="d" * 32)
    assert not linked.seen(effects.KeepSettings)
    assert linked.passes(30_000).faults() == set()


def test_settings_that_would_make_the_node_deaf_or_mute_are_refused_whole(linked: Block) -> None:
    kinds = default_kinds()
    mute = KindSettings(audible=True, rank=1)
    endless = KindSettings(audible=True, rank=1, pattern=(Pulse(500, 0),))
    refused: tuple[dict[str, Any], ...] = (
        {"inputs": {"panic": InputSettings("unheard-of")}},
        {"inputs": {"panic": InputSettings("test")}},
        {"inputs": {"panic": InputSettings("tamper")}},
        {"kinds": {**kinds, "panic": mute}},
        {"kinds": {**kinds, "panic": endless}},
    )
    for rev, said in enumerate(refused, start=2):
        linked.settings(rev=rev, **said)
        linked.passes(3000)
        assert not linked.seen(effects.KeepSettings)
        assert linked.beat().settings_rev == 0
        assert linked.beat().faults == (NodeFault("settings-refused", "panic"),)
    linked.presses("panic")
    assert linked.siren_sounds()
    linked.settings(rev=9)
    assert not linked.passes(3000).faults()


def test_kept_settings_hold_after_a_restart_without_any_gateway(block: Block) -> None:
    kept = Settings("f" * 32, 7, default_kinds(), {}, siren_s_max=30)
    block.restarts(settings=kept).presses("panic")
    assert block.seen(effects.SoundSiren)[0].for_ms == 30_000


# --- the door


def test_every_input_has_an_answer(linked: Block) -> None:
    said: dict[type, inputs.NodeInput] = {
        inputs.Edge: inputs.Edge("fire", True, 0), inputs.PressKept: inputs.PressKept(PressRef(OPEN_BOOT, 9)),
        inputs.PressNotKept: inputs.PressNotKept(PressRef(OPEN_BOOT, 9), "disk-full"),
        inputs.PressReceipted: inputs.PressReceipted(messages.Receipt("0" * 32, messages.Kept.RECORDED)),
        inputs.OrderCame: inputs.OrderCame(messages.Order("o", OPEN_BOOT, SirenOff(), 100)),
        inputs.IncidentCame: inputs.IncidentCame(messages.IncidentState(OPEN_BOOT, 1, LightState.NONE)),
        inputs.SettingsCame: inputs.SettingsCame(Settings(OPEN_BOOT, 1, {}, {})),
        inputs.AnswerCame: inputs.AnswerCame(messages.Answer(OPEN_BOOT, "x", True)),
        inputs.GuardSeen: inputs.GuardSeen(True), inputs.KeysRead: inputs.KeysRead(True), inputs.DiskTried: inputs.DiskTried("o", ""),
        inputs.SirenSensed: inputs.SirenSensed("o", NOT_MEASURED),
    }
    for sort in get_args(inputs.NodeInput):
        if sort is not inputs.Started:
            linked.gives(said[sort] if sort in said else sort())



def test_started_comes_first_and_once() -> None:
    node = BlockNode(WIRING, default_kinds(), 180, "1")
    assert node.wake_at_ms() is None
    with pytest.raises(BrokenPromise, match="expected Started first"):
        node.handle(inputs.LinkUp(), Now(0, 0))
    node.handle(inputs.Started("a" * 32, "b" * 32, {}), Now(0, 0))
    with pytest.raises(BrokenPromise, match="expected Started first"):
        node.handle(inputs.Started("a" * 32, "b" * 32, {}), Now(0, 0))
    with pytest.raises(BrokenPromise, match="expected one of"):
        node.handle(inputs.Edge("panic", True, 0), Now(0, 0))


def test_an_input_of_an_unknown_kind_is_refused_at_once() -> None:
    with pytest.raises(BrokenPromise, match="unheard-of"):
        BlockNode({"b1": InputPins(pressed=17, kind="unheard-of")}, default_kinds(), 180, "1")
