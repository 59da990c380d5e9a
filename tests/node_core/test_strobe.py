"""A neighbour's emergency: the strobe flashes, and nothing sounds."""

from controller.messages import SirenOff, SirenOn, StrobeOn
from node_firmware import effects
from tests.node_core.block import Block


def flashes(block: Block) -> list[int]:
    """How long each flashing was to last, in ms."""
    found = block.seen(effects.FlashStrobe)
    block.forgets()
    return [one.for_ms for one in found]


def test_the_strobe_flashes_without_a_sound_and_ends_on_a_word(linked: Block) -> None:
    linked.forgets()
    assert linked.orders(StrobeOn(180)).done
    assert not linked.siren_sounds()
    assert not linked.seen(effects.SoundSiren)
    assert not linked.seen(effects.MarkSiren)
    assert flashes(linked) == [180_000]
    assert linked.orders(StrobeOn(0), "o2").done
    assert flashes(linked) == [0]


def test_an_own_siren_takes_the_strobe_and_gives_it_back(linked: Block) -> None:
    linked.orders(StrobeOn(600))
    linked.forgets()
    linked.orders(SirenOn("panic", 60), "o2")
    assert linked.siren_sounds()
    assert flashes(linked) == []
    linked.passes(20_000)
    linked.orders(SirenOff(), "o3")
    assert not linked.siren_sounds()
    assert flashes(linked) == [580_000]


def test_a_neighbour_s_end_never_puts_out_what_flashes_beside_the_own_siren(linked: Block) -> None:
    linked.orders(SirenOn("panic", 60))
    linked.forgets()
    linked.orders(StrobeOn(600), "o2")
    linked.orders(StrobeOn(0), "o3")
    assert linked.siren_sounds()
    assert flashes(linked) == []
    linked.orders(SirenOff(), "o4")
    assert flashes(linked) == [], "the neighbour's is over, too"


def test_a_press_here_sounds_all_the_same(linked: Block) -> None:
    linked.orders(StrobeOn(600))
    linked.presses("panic")
    assert linked.siren_sounds()
