"""Each night what a node made is held against what is on record: a gap is named and alarmed, agreement is on record too."""

import pytest

from controller.entries import Chain, FaultEnded, FaultRaised, OrderSent, StreamProven, TallyAgreed, TallyGap
from controller.messages import Kept, Stream, Tally
from controller.rules.effects import SendOrder
from controller.rules.inputs import PressSetAside
from controller.rules.proof.counted import joined, parsed, written
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from tests.rules.night import Night, boot_of, registry

DAY_S = 86_400
OPEN, SILENT = boot_of("b12n11"), boot_of("b12n11s")


@pytest.fixture
def night() -> Night:
    night = Night()
    night.births("b12n1")
    night.passes(60)
    return night


def tallies(night: Night) -> int:
    return sum(body.order == "tally" for body in night.bodies(OrderSent))


def loses(night: Night, *streams: Stream) -> None:
    """From now on the node says this."""
    night.tally_answer = lambda _node, _life: streams


def test_a_node_is_asked_once_a_night_and_what_agrees_is_on_record(night: Night) -> None:
    night.press()
    night.press("violence")
    night.press("medical")
    night.passes(3 * DAY_S)
    assert tallies(night) == 3
    assert night.bodies(TallyAgreed, Chain.OPEN)[-1] == TallyAgreed("b12n1", (StreamProven(OPEN, 2),))
    assert night.bodies(TallyAgreed, Chain.SEALED)[-1] == TallyAgreed("b12n1", (StreamProven(SILENT, 1),))
    assert not night.bodies(TallyGap)


def test_a_lost_press_is_named_and_told_and_the_next_night_without_a_loss_ends_it(night: Night) -> None:
    night.press(seq=1)
    night.press(seq=3)
    night.all_read()
    loses(night, Stream(OPEN, 5, waits=((4, 4),)), Stream(SILENT, 0, secret=True))
    night.passes(8 * 3600)
    assert night.bodies(TallyGap, Chain.OPEN) == [TallyGap("b12n1", OPEN, "2 5")]
    assert [(body.subject, body.code) for body in night.bodies(FaultRaised)] == [("node/b12n1", "press-lost:2 5")]
    assert night.reads("tito") == ["fault"]
    night.passes(DAY_S)
    assert len(night.bodies(TallyGap)) == 1, "told once"
    assert len(night.bodies(FaultEnded)) == 1
    night.press(seq=5)
    night.passes(DAY_S)
    assert len(night.bodies(TallyGap)) == 1, "what arrives after all is taken like any other press"


def test_what_waits_is_no_gap(night: Night) -> None:
    night.press(seq=1)
    loses(night, Stream(OPEN, 9, waits=((2, 9),)), Stream(SILENT, 0, secret=True))
    night.passes(8 * 3600)
    assert night.bodies(TallyAgreed, Chain.OPEN)[-1].streams == (StreamProven(OPEN, 9, 8),)


def test_of_a_lost_silent_press_only_its_circle_hears() -> None:
    night = Night(registry(excludes=["vilma"]))
    night.births("b12n2")
    loses(night, Stream(boot_of("b12n21"), 0), Stream(boot_of("b12n21s"), 2, secret=True))
    honest = Night(registry(excludes=["vilma"]))
    honest.births("b12n2")
    for one in (night, honest):
        one.passes(8 * 3600)
    assert night.bodies(TallyGap, Chain.SEALED) == [TallyGap("b12n2", boot_of("b12n21s"), "1-2")]
    assert [body.code for body in night.bodies(FaultRaised, Chain.SEALED)] == ["press-lost:1-2"]
    night.expects(vera="fault")
    assert night.open_side() == honest.open_side()


def test_a_life_that_is_over_and_that_the_node_still_remembers_is_proven_too(night: Night) -> None:
    old = boot_of("b12n10")
    loses(night, Stream(OPEN, 0), Stream(SILENT, 0, secret=True), Stream(old, 2))
    night.passes(8 * 3600)
    assert night.bodies(TallyGap) == [TallyGap("b12n1", old, "1-2")]
    night.passes(DAY_S)
    first, second = [effect for effect in night.done if isinstance(effect, SendOrder) and isinstance(effect.order, Tally)]
    assert second.order == Tally(settled=first.id)


def test_of_a_life_that_the_node_does_not_remember_the_record_itself_shows_the_gap(night: Night) -> None:
    night.press(seq=1)
    night.press(seq=4)
    night.births("b12n1", "2")
    night.passes(8 * 3600)
    assert night.bodies(TallyGap) == [TallyGap("b12n1", OPEN, "2-3")]


def test_a_press_that_was_kept_unread_is_on_record(night: Night) -> None:
    made = night.press()
    night.does(PressSetAside("b12n1", type(made)(OPEN, 2, "b1", "panic", made.gesture), "d" * 32, "why"))
    assert night.receipts()[-1].receipt.kept is Kept.UNREADABLE
    loses(night, Stream(OPEN, 2), Stream(SILENT, 0, secret=True))
    night.passes(8 * 3600)
    assert not night.bodies(TallyGap)


def test_a_node_that_does_not_answer_is_named_after_a_day_until_it_does(night: Night) -> None:
    night.tally_answer = lambda _node, _life: None
    night.passes(30 * 3600)
    assert not night.bodies(FaultRaised)
    night.passes(2 * 3600)
    assert [body.code for body in night.bodies(FaultRaised)] == ["not-proven"]
    night.tally_answer = night.streams
    night.passes(3600)
    assert len(night.bodies(FaultEnded)) == 1


def test_a_restart_asks_nobody_again_and_forgets_no_press(night: Night) -> None:
    night.press()
    night.passes(8 * 3600)
    asked = tallies(night)
    state = ZoneState()
    for chain, at_ms, body in night.entries:
        state.apply(chain, at_ms, body)
    night.zone = ZoneController("z3", night.registry, night.policy, state)
    night.passes(3600)
    assert tallies(night) == asked
    night.passes(DAY_S)
    assert not night.bodies(TallyGap)


def test_runs_are_written_and_read() -> None:
    assert joined([(5, 6), (1, 1), (2, 3), (6, 9)]) == ((1, 3), (5, 9))
    assert parsed(written([(1, 3), (5, 5)])) == [(1, 3), (5, 5)]
