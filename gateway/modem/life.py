"""A modem's life: what state it is in, as a table, and what is said of it to the zone.

| state | who moves it on | what a crash leaves |
| --- | --- | --- |
| STARTING | the driver: opens the port, talks it through its set-up | nothing |
| READY | whatever goes wrong | texts handed over are with the network |
| SEARCHING | the network, or the driver's restart after `no_network_restart_s` | nothing |
| SIM | a person: a SIM, a PIN, a service centre, credit | nothing |
| HUNG | the driver: restarts it, again and again, ever more slowly | nothing |
| UNPLUGGED | a person: the plug | nothing |

Beside the state stand conditions under which it still works (`weak-signal`, `memory-full`, `garbled`, `no-digits`, `texts-vanish`, `credit`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gateway.channels.channel import PartState


class State(StrEnum):
    """Where a modem is."""

    STARTING = "starting"
    READY = "ready"
    SEARCHING = "searching"
    SIM = "sim"
    HUNG = "hung"
    UNPLUGGED = "unplugged"


class Event(StrEnum):
    """What happens to it."""

    OPENED = "opened"            # its port is there
    REGISTERED = "registered"    # set up, and a network has taken it
    NO_NETWORK = "no-network"    # set up, and no network has
    SIM_REFUSED = "sim-refused"  # no SIM, a PIN or PUK wanted, no service centre
    SILENT = "silent"            # three time-outs in a row
    GONE = "gone"                # its port is not there


class Condition(StrEnum):
    """What is wrong with it while it works."""

    WEAK_SIGNAL = "weak-signal"
    MEMORY_FULL = "memory-full"
    GARBLED = "garbled"
    NO_DIGITS = "no-digits"
    TEXTS_VANISH = "texts-vanish"
    CREDIT = "credit"


NEXT: Final[Mapping[tuple[State, Event], State]] = {
    (State.STARTING, Event.OPENED): State.STARTING,
    (State.STARTING, Event.REGISTERED): State.READY,
    (State.STARTING, Event.NO_NETWORK): State.SEARCHING,
    (State.STARTING, Event.SIM_REFUSED): State.SIM,
    (State.STARTING, Event.SILENT): State.HUNG,
    (State.STARTING, Event.GONE): State.UNPLUGGED,
    (State.READY, Event.REGISTERED): State.READY,
    (State.READY, Event.NO_NETWORK): State.SEARCHING,
    (State.READY, Event.SIM_REFUSED): State.SIM,
    (State.READY, Event.SILENT): State.HUNG,
    (State.READY, Event.GONE): State.UNPLUGGED,
    (State.SEARCHING, Event.OPENED): State.SEARCHING,  # opened again after a restart: the fault stands until it is registered
    (State.SEARCHING, Event.REGISTERED): State.READY,
    (State.SEARCHING, Event.NO_NETWORK): State.SEARCHING,
    (State.SEARCHING, Event.SIM_REFUSED): State.SIM,
    (State.SEARCHING, Event.SILENT): State.HUNG,
    (State.SEARCHING, Event.GONE): State.UNPLUGGED,
    (State.SIM, Event.OPENED): State.SIM,
    (State.SIM, Event.REGISTERED): State.READY,
    (State.SIM, Event.NO_NETWORK): State.SEARCHING,
    (State.SIM, Event.SIM_REFUSED): State.SIM,
    (State.SIM, Event.SILENT): State.HUNG,
    (State.SIM, Event.GONE): State.UNPLUGGED,
    (State.HUNG, Event.OPENED): State.HUNG,  # a port that opens has not answered yet
    (State.HUNG, Event.REGISTERED): State.READY,
    (State.HUNG, Event.NO_NETWORK): State.SEARCHING,
    (State.HUNG, Event.SIM_REFUSED): State.SIM,
    (State.HUNG, Event.SILENT): State.HUNG,
    (State.HUNG, Event.GONE): State.UNPLUGGED,
    (State.UNPLUGGED, Event.OPENED): State.STARTING,
    (State.UNPLUGGED, Event.GONE): State.UNPLUGGED,
}
FAULT_OF: Final[Mapping[State, str]] = {
    State.SEARCHING: "no-network",
    State.SIM: "sim",
    State.HUNG: "hung",
    State.UNPLUGGED: "unplugged",
}
"""What a state is called when it is reported. STARTING says nothing: it ends by itself, one way or the other."""


class Life:
    """One modem's state and conditions; each change gives what is to be said, once."""

    def __init__(self, name: str) -> None:
        self.subject = f"modem/{name}"
        self.state = State.STARTING
        self.conditions: frozenset[Condition] = frozenset()
        self._said = ""

    def handle(self, event: Event, detail: str = "") -> list[PartState]:
        """Move on. STARTING after a fault keeps the fault standing until the modem has shown that it works.

        Raises ValueError, changing nothing, for an event that cannot happen in this state.
        """
        following = NEXT.get((self.state, event))
        if following is None:
            raise ValueError(f"{self.subject} is {self.state.value}; {event.value} cannot happen then")
        self.state = following
        fault = FAULT_OF.get(following, "")
        if following is State.STARTING or fault == self._said:
            return []
        news = [PartState(self.subject, self._said, faulty=False)] if self._said else []
        if fault:
            news.append(PartState(self.subject, fault, faulty=True, detail=detail))
        self._said = fault
        return news

    def observe(self, condition: Condition, present: bool, detail: str = "") -> list[PartState]:
        """Note whether a condition holds."""
        if present == (condition in self.conditions):
            return []
        self.conditions = self.conditions ^ {condition}
        return [PartState(self.subject, condition.value, faulty=present, detail=detail if present else "")]
