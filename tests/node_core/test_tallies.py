"""What a node says of its presses: both streams of this life, and those of earlier lives until they are settled."""

from controller.messages import STREAMS_MAX, Canary, Done, Drill, Gesture, Order, PressRef, SirenOn, Stream, Tally
from node_firmware import effects, inputs
from node_firmware.tallies import Tallies
from tests.node_core.block import OPEN_BOOT, SILENT_BOOT, Block


def test_both_streams_are_named_with_what_waits(block: Block) -> None:
    block.links().presses("panic").presses("hidden").presses("panic")
    block.receipts(block.made()[0])
    assert block.orders(Tally()).streams == (
        Stream(OPEN_BOOT, 2, waits=((2, 2),)), Stream(SILENT_BOOT, 1, secret=True, waits=((1, 1),)))


def test_an_earlier_life_is_named_until_its_answer_is_settled(block: Block) -> None:
    block.presses("panic")
    waiting = block.made()[0]
    block.restarts(1, streams=(Stream(OPEN_BOOT, 3), Stream("d" * 32, 2, secret=True))).links()
    boot = f"{1:032x}"

    def tally(ident: str, settled: str = "") -> Done:
        block.gives(inputs.OrderCame(Order(ident, boot, Tally(settled), 10**6)))
        return block.published(Done)[-1]

    assert tally("o1").streams[2:] == (Stream(OPEN_BOOT, 3, waits=((1, 1),)), Stream("d" * 32, 2, secret=True))
    assert tally("o2", settled="another").streams[2:] != ()
    assert not block.seen(effects.ForgetStreams)
    assert tally("o3", settled="o2").streams[2:] == (Stream(OPEN_BOOT, 3, waits=((1, 1),)),), "what waits is not settled"
    assert block.seen(effects.ForgetStreams) == [effects.ForgetStreams(("d" * 32,))]
    block.receipts(waiting)
    assert tally("o4").streams[2:] == (Stream(OPEN_BOOT, 3),)
    assert tally("o5", settled="o4").streams[2:] == ()


def test_what_does_not_fit_comes_later_and_is_no_gap() -> None:
    tallies = Tallies()
    tallies.found(Stream(f"{n:032x}", 1) for n in range(STREAMS_MAX))
    own = [Stream(OPEN_BOOT, 2 * STREAMS_MAX + 9)]
    waits = [(PressRef(OPEN_BOOT, 2 * n), False) for n in range(1, STREAMS_MAX + 5)]
    streams, more = tallies.named("o1", own, waits)
    assert more
    assert len(streams) == STREAMS_MAX
    assert streams[0].last == 2 * STREAMS_MAX, "of the rest nothing is said"


def test_a_canary_is_a_test_press_without_a_sound_and_is_answered_when_it_is_receipted(block: Block) -> None:
    block.links().forgets()
    block.gives(inputs.OrderCame(Order("o9", OPEN_BOOT, Canary(), 10**6)))
    [made] = block.made()
    assert (made.input, made.kind, made.gesture) == ("canary", "test", Gesture.CANARY)
    assert not block.published(Done)
    block.receipts(made)
    assert block.published(Done) == [Done(OPEN_BOOT, "o9", done=True)]
    assert not block.shown(), "nobody in the block sees or hears it"
    block.passes(60_000)
    assert not block.shown()


def test_a_drills_press_is_marked_and_neither_seen_nor_heard_and_a_hand_goes_on_as_ever(block: Block) -> None:
    block.links().forgets()
    assert block.orders(Drill("panic")).done
    [made] = block.made()
    assert (made.drill, made.input, made.gesture, made.kind) == (True, "drill", Gesture.DRILL, "panic")
    block.receipts(made)
    assert not block.shown()
    assert not block.orders(Drill("flood"), "o2").done, "a kind that is not known here"
    block.presses("panic")
    assert block.siren_sounds()
    assert [press.drill for press in block.made()] == [True, False]


def test_a_drills_siren_gives_way_to_an_emergency(block: Block) -> None:
    block.links()
    assert block.orders(SirenOn("fire", 60, drill=True)).done
    assert block.siren_sounds()
    patterns = [effect.pattern for effect in block.seen(effects.SoundSiren)]
    block.presses("panic")
    assert block.seen(effects.SoundSiren)[-1].pattern not in patterns
    assert block.orders(SirenOn("fire", 60, drill=True), "o2").done
    assert block.seen(effects.SoundSiren)[-1].pattern not in patterns, "it never disturbs one"
