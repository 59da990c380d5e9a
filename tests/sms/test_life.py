"""A modem's life as a table: every state with every event is a step or a refusal."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.channel import PartState
from gateway.modem.life import FAULT_OF, NEXT, Condition, Event, Life, State

REFUSED = {
    (State.READY, Event.OPENED),
    (State.UNPLUGGED, Event.REGISTERED),
    (State.UNPLUGGED, Event.NO_NETWORK),
    (State.UNPLUGGED, Event.SIM_REFUSED),
    (State.UNPLUGGED, Event.SILENT),
}


@pytest.mark.parametrize(("state", "event"), itertools.product(State, Event))
def test_each_step_is_in_the_table_or_refused(state: State, event: Event) -> None:
    life = Life("sim1")
    life.state = state
    if (state, event) in REFUSED:
        with pytest.raises(ValueError, match=event.value):
            life.handle(event)
        assert life.state is state
    else:
        life.handle(event)
        assert life.state is NEXT[state, event]


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_what_is_said_adds_up_to_the_state(events: list[Event]) -> None:
    """A fault begins once and ends once, at most one stands, and when the modem is ready none does."""
    life, standing = Life("sim1"), set[str]()
    for event in events:
        if (life.state, event) not in NEXT:
            continue
        for news in life.handle(event, "why"):
            assert (news.code in standing) != news.faulty
            (standing.add if news.faulty else standing.discard)(news.code)
        assert len(standing) <= 1
        if life.state is State.READY:
            assert not standing
        elif life.state in FAULT_OF:
            assert standing == {FAULT_OF[life.state]}


def test_a_replugged_modem_is_well_only_when_it_has_shown_it() -> None:
    life = Life("sim1")
    assert life.handle(Event.GONE, "no device") == [PartState("modem/sim1", "unplugged", faulty=True, detail="no device")]
    assert life.handle(Event.OPENED) == []
    assert life.handle(Event.REGISTERED) == [PartState("modem/sim1", "unplugged", faulty=False)]


def test_a_condition_is_said_at_its_changes() -> None:
    life = Life("sim1")
    assert life.observe(Condition.WEAK_SIGNAL, present=False) == []
    assert life.observe(Condition.WEAK_SIGNAL, present=True, detail="-99 dBm") == [
        PartState("modem/sim1", "weak-signal", faulty=True, detail="-99 dBm")
    ]
    assert life.observe(Condition.WEAK_SIGNAL, present=True, detail="-101 dBm") == []
    assert life.observe(Condition.WEAK_SIGNAL, present=False) == [PartState("modem/sim1", "weak-signal", faulty=False)]
