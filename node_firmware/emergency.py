"""The block's emergency as the node knows it: its own calls, and what the gateway says of the incident."""

from collections.abc import Callable
from typing import Final, NamedTuple

from controller.messages import Boot, IncidentState, LightState, PressRef, SirenOff
from node_firmware.gestures import Situation

ALARM_MS: Final = 30 * 60_000
"""Without a word from the gateway, the alarm after an own call is over after so long: then a tap asks again."""
RECEIVED_MS_MIN: Final = 60_000
"""A call that was received late is shown as received for at least so long."""
CALLS_MAX: Final = 256

_TAKEN: Final = frozenset({LightState.TAKEN, LightState.ON_SCENE})
_OVER: Final = frozenset({LightState.NONE, LightState.CLOSED})


class Call(NamedTuple):
    """An own audible call for help in this emergency."""

    ref: PressRef
    input: str
    made_at_ms: int


class Emergency:
    """What is open, and which press a later word is about."""

    def __init__(self) -> None:
        self.rev = 0
        self.received: set[str] = set()
        """Inputs whose call the gateway has; cleared when the emergency is over."""
        self._incident: IncidentState | None = None
        self._came_at_ms = 0
        self._alarm_until_ms: int | None = None
        self._calls: dict[PressRef, Call] = {}
        self._silent_calls: dict[str, PressRef] = {}

    @property
    def light(self) -> LightState:
        """What the gateway says."""
        return LightState.NONE if self._incident is None else self._incident.state

    def called(self, name: str, ref: PressRef, made_at_ms: int, now_ms: int) -> None:
        """An audible call was made here."""
        self._alarm_until_ms = now_ms + ALARM_MS
        self._calls[ref] = Call(ref, name, made_at_ms)
        if len(self._calls) > CALLS_MAX:
            del self._calls[next(iter(self._calls))]

    def still_called(self, boot: Boot, off: SirenOff, waits: Callable[[PressRef], bool]) -> bool:
        """The gateway did not know of a call of this boot when it said that all is over."""
        return any(ref.boot == boot and (ref.seq > off.last_seq or (ref.seq in off.missing and waits(ref))) for ref in self._calls)

    def called_silently(self, name: str, ref: PressRef) -> None:
        """A silent call was made; only a cancel at the same input will ever name it."""
        self._silent_calls[name] = ref

    def call_received(self, name: str, now_ms: int) -> None:
        """The gateway has a call of this input."""
        self.received.add(name)
        self._alarm_until_ms = max(self._alarm_until_ms or 0, now_ms + RECEIVED_MS_MIN)

    def told(self, state: IncidentState, now_ms: int, *, calls_waiting: bool) -> None:
        """The gateway says how far the incident is. An end that it says before it has our calls does not end them."""
        self.rev = state.rev
        self._incident, self._came_at_ms = state, now_ms
        if state.state in _OVER and not calls_waiting:
            self._end()

    def pass_time(self, now_ms: int, *, calls_waiting: bool) -> None:
        """End an alarm that nobody has spoken of for long."""
        due = self.next_at_ms(calls_waiting=calls_waiting)
        if due is not None and due <= now_ms:
            self._end()

    def next_at_ms(self, *, calls_waiting: bool) -> int | None:
        """When `pass_time` has something to do. Calls that wait, and an open incident, have no end of their own."""
        if calls_waiting or self.light not in _OVER:
            return None
        return self._alarm_until_ms

    def situation(self, now_ms: int, *, calls_waiting: bool, siren: bool, test_mode: bool, reopen_s: int) -> Situation:
        """What is going on; siren: it sounds in earnest."""
        if self.light in _TAKEN:
            return Situation.TAKEN
        if self.light is LightState.OPEN or self._alarm_until_ms is not None or calls_waiting or siren:
            return Situation.ALARM
        if test_mode:
            return Situation.TEST
        incident = self._incident
        if incident is not None and incident.state is LightState.CLOSED:
            closed_ms = (incident.closed_s_ago or 0) * 1000 + now_ms - self._came_at_ms
            if closed_ms <= reopen_s * 1000:
                return Situation.JUST_CLOSED
        return Situation.REST

    @property
    def incident_press(self) -> PressRef | None:
        """The press that opened the incident, also when it has just been closed; else this node's own last call."""
        if self._incident is not None and self._incident.press is not None:
            return self._incident.press
        return next(reversed(self._calls), None)

    def taken_back(self, name: str) -> PressRef | None:
        """What a cancel at this audible input takes back: its own last call, else the press that opened the incident.

        Its own comes first, so that the mistake of one hand never ends the emergency of another.
        """
        own = [call.ref for call in self._calls.values() if call.input == name]
        return own[-1] if own else self.incident_press

    def taken_back_silently(self, name: str) -> PressRef | None:
        """What a cancel at this silent input takes back: its own last call in this life, if there is one."""
        return self._silent_calls.get(name)

    def cancel_silences(self, name: str, began_ms: int, cancel_s: int) -> bool:
        """A cancel that began then at this input is in time, and nobody else's call is in this emergency."""
        own = [call for call in self._calls.values() if call.input == name]
        if not own or len(own) < len(self._calls) or began_ms - own[-1].made_at_ms > cancel_s * 1000:
            return False
        opened_by = None if self._incident is None or self._incident.state in _OVER else self._incident.press
        return opened_by is None or opened_by in self._calls

    def _end(self) -> None:
        self._alarm_until_ms = None
        self._calls.clear()
        self.received.clear()
