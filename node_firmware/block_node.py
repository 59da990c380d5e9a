"""BlockNode: all that one block's node decides. Knows no pin, socket, disk, clock or chance.

What it is made of: `hands.py` tells gestures from raw edges, `gestures.py` says what they mean, `outgoing.py` remembers
what is not receipted, `emergency.py` what is open, `orders.py` what the gateway may command; `siren.py`, `asking.py`,
`lights.py`, `kinds.py`, `tallies.py` and `health.py` do what they are called. Here they are put together.

For the shell: hand in the edges that are known before anything else. Any other input lets time pass at every contact
up to `now`, and a release that comes in after that is too late to undo a hold. An edge lets time pass only up to its
own instant.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from controller.errors import BrokenPromise
from controller.instants import Now
from controller.messages import (
    CANARY,
    DRILL,
    AnyOrder,
    Beat,
    Boot,
    Canary,
    Drill,
    Gesture,
    Kept,
    KindSettings,
    NodeFault,
    Online,
    PressRef,
    SelfTest,
    SirenOff,
    SirenOn,
    SirenTest,
    StrobeOn,
    Tally,
    TestMode,
)
from node_firmware import effects
from node_firmware import inputs as events
from node_firmware.asking import Asking
from node_firmware.beats import Beats
from node_firmware.config import InputPins
from node_firmware.current import Current
from node_firmware.effects import NodeEffect, Sound
from node_firmware.emergency import Emergency
from node_firmware.gestures import WIRE, Hands, Meaning, Situation, meaning
from node_firmware.hands import Button, Seen, Tampered
from node_firmware.health import OF_A_BUTTON, OUTBOX_FILLING, Health, of_buttons
from node_firmware.in_order import InOrder
from node_firmware.inputs import NodeInput
from node_firmware.kinds import TAMPER, TEST, Kinds
from node_firmware.lights import WORD_RECEIVED_SHOWN_MS
from node_firmware.lights import Seen as Shown
from node_firmware.orders import Orders
from node_firmware.outgoing import TAMPERS, Outbox
from node_firmware.panel import Panel
from node_firmware.presses import Presses
from node_firmware.siren import PROVEN_MS, Siren, once_ms
from node_firmware.strobe import Strobe
from node_firmware.tallies import Tallies

SUPPLY_COLLAPSES_MS: Final = 2000
CHECK_IN_RANK: Final = 50
CALLED: Final = frozenset({Situation.ALARM, Situation.TAKEN})
EDGE: Final = ("pressed", "released")


class BlockNode:
    """One block's node, from its process's start to its end.

    inputs, siren_s_max: its wiring and the siren's own limit, from its checked file, as are `kinds`, which hold for
    what the gateway's settings do not name. firmware: the version that it reports. pulse_ms: how long a pulse tries the siren's
    current; None: no sensor is fitted.
    """

    def __init__(
        self, inputs: Mapping[str, InputPins], kinds: Mapping[str, KindSettings], siren_s_max: int, firmware: str, pulse_ms: int | None = None
    ) -> None:
        self._kinds = Kinds(inputs, kinds, siren_s_max)
        self._firmware = firmware
        self._buttons: dict[str, Button] = {}
        self._lines: dict[str, tuple[str, str]] = {}
        for name, pins in inputs.items():
            changeover = pins.released is not None
            self._buttons[name] = Button(changeover=changeover, tamper=pins.tamper)
            lines = [f"{name}.{side}" for side in EDGE] if changeover else [name]
            self._lines.update({line: (name, side) for line, side in zip(lines, EDGE, strict=False)})
        self._siren = Siren(siren_s_max)
        self._current = Current(pulse_ms)
        self._outbox = Outbox()
        self._emergency = Emergency()
        self._health = Health()
        self._boot: Boot = ""
        self._silent_boot: Boot = ""
        self._presses = Presses("", "", self._kinds, self._outbox)
        self._asking = Asking("")
        self._orders = Orders("")
        self._tallies = Tallies()
        self._canaries: dict[PressRef, str] = {}
        self._machine_restarted = True
        self._started_ms = 0
        self._now_ms = 0
        self._linked = False
        self._test_until_ms: int | None = None
        self._strobe = Strobe()
        self._beats = Beats()
        self._panel = Panel()
        self._word_received: dict[str, int] = {}
        self._out = InOrder()
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            events.Edge: self._edge,
            events.Started: self._started,
            events.OutboxOpened: self._opened_late,
            events.PressKept: self._kept,
            events.PressNotKept: self._not_kept,
            events.DiskWell: self._disk_well,
            events.DiskTried: self._disk_tried,
            events.SirenSensed: self._current.sensed,
            events.PressReceipted: self._receipted,
            events.KeysRead: self._keys_read,
            events.LinkUp: self._link_up,
            events.LinkDown: self._link_down,
            events.OrderCame: self._ordered,
            events.IncidentCame: self._told,
            events.SettingsCame: self._settings,
            events.AnswerCame: self._answered,
            events.PowerRead: self._beats.power_read,
            events.GuardSeen: self._guard_seen,
            events.Woken: self._woken,
        }
        self._meanings: Mapping[Meaning, Callable[[str, Seen], None]] = {
            Meaning.PRESS: self._call,
            Meaning.REOPEN: self._reopen,
            Meaning.TEST_PRESS: self._test_press,
            Meaning.ASK: self._ask,
            Meaning.CHIRP: self._chirp,
            Meaning.CAME: self._came,
            Meaning.CANCEL: self._cancel,
            Meaning.FORCED_CANCEL: self._cancel,
            Meaning.CHECK_IN: self._check_in,
            Meaning.NOTHING: self._nothing,
        }

    # --- the door

    def handle(self, event: NodeInput, now: Now) -> list[NodeEffect]:
        """Take one input at `now` and return what to do, in this order.

        The order is a promise: the siren stands first and waits for nothing; each press is handed to the disk before it
        is published; then the answer to the hand; MarkSiren and messages that can wait come last.
        Raises BrokenPromise when `Started` is not the first input, or an edge's line is none of the wiring's.
        """
        if bool(self._boot) == isinstance(event, events.Started):
            raise BrokenPromise(f"node: {type(event).__name__}; expected Started first and once; correct the shell")
        self._out = InOrder()
        self._now_ms = max(self._now_ms, now.monotonic_ms)
        self._pass_time()
        self._handlers[type(event)](event)
        if not isinstance(event, events.Edge | events.Started):
            for name, button in self._buttons.items():
                self._did(name, button.advance(self._now_ms, self._kinds.hold_ms(name)))
        self._try_current()
        if self._linked:
            self._out.presses += self._outbox.due(self._now_ms)
        slow_at_ms = self._outbox.slow_at_ms()
        self._health.slow = slow_at_ms is not None and slow_at_ms <= self._now_ms
        self._health.filling = self._outbox.open_count > OUTBOX_FILLING
        self._strobe.after(self._now_ms, self._out)
        faults = self._faults()
        self._show_lights(faults, aloud=not isinstance(event, events.Started))
        self._beat(faults)
        return self._out.effects()

    def wake_at_ms(self, *, beats: bool = True) -> int | None:
        """When to call handle(Woken()), on the clock of `Now.monotonic_ms`; None when nothing is waiting.

        May lie in the past: then something is due now. Without `beats`: when more than a beat is due, for a world that leaps over
        beats that say nothing new.
        """
        if not self._boot:
            return None
        dues = [button.next_at_ms() for button in self._buttons.values()]
        dues += [
            self._siren.next_at_ms(),
            self._siren.since_ms + PROVEN_MS if self._siren.sounding and self._health.supply else None,
            None if self._health.slow else self._outbox.slow_at_ms(),
            self._asking.next_at_ms(),
            self._current.next_at_ms(),
            self._emergency.next_at_ms(calls_waiting=self._calls_waiting()),
            self._test_until_ms,
            min(self._word_received.values(), default=None),
        ]
        if self._linked:
            dues += [self._outbox.next_at_ms(), self._beats.next_at_ms if beats else None]
        return min((due for due in dues if due is not None), default=None)

    # --- time

    def _pass_time(self) -> None:
        now_ms = self._now_ms
        until_ms = self._siren.next_at_ms()
        if self._siren.sounding and now_ms - self._siren.since_ms >= PROVEN_MS:
            self._health.supply = False
        if until_ms is not None and until_ms <= now_ms:
            self._siren.stop(self._out)
        self._asking.pass_time(now_ms)
        self._emergency.pass_time(now_ms, calls_waiting=self._calls_waiting())
        if self._test_until_ms is not None and self._test_until_ms <= now_ms:
            self._test_until_ms = None
        if self._word_received:
            self._word_received = {name: until for name, until in self._word_received.items() if until > now_ms}

    # --- start

    def _started(self, event: events.Started) -> None:
        self._boot, self._silent_boot = event.boot, event.silent_boot
        self._presses = Presses(event.boot, event.silent_boot, self._kinds, self._outbox)
        self._asking, self._orders = Asking(event.boot), Orders(event.boot)
        self._started_ms = self._now_ms
        self._out.siren.append(effects.StopSiren())
        self._out.rest.append(effects.MarkSiren(on=False))
        self._outbox_opened(event)
        for name, button in self._buttons.items():
            levels = {side: event.lines.get(line, False) for line, (of, side) in self._lines.items() if of == name}
            button.start(pressed=levels["pressed"], released=levels.get("released", False), at_ms=self._now_ms)

    def _outbox_opened(self, event: events.Started | events.OutboxOpened) -> None:
        """Take up what an earlier life left on the disk."""
        self._machine_restarted = event.machine_restarted
        self._tallies.found(event.streams)
        self._health.supply = event.siren_mark_age_ms is not None and event.siren_mark_age_ms <= SUPPLY_COLLAPSES_MS
        self._health.disk = event.disk_fault
        if event.settings is not None and event.settings.rev > self._kinds.rev:
            self._health.settings_refused = self._kinds.take(event.settings)
            self._siren.limit_s = self._kinds.siren_s_max
        found = []
        for waiting in event.waiting:
            press = waiting.press
            secret = self._kinds.secret(press.input, press.kind)
            outgoing = self._outbox.add(press, waiting.made_at_ms, waiting.rank, secret=secret, kept=True, now_ms=self._now_ms)
            if outgoing is None:
                continue
            found.append(outgoing)
            if outgoing.calls and not secret:
                self._emergency.called(press.input, outgoing.ref, waiting.made_at_ms or self._now_ms, self._now_ms)
        if self._linked:
            found.sort(key=lambda outgoing: (outgoing.rank, outgoing.order))
            self._out.presses += [outgoing.publish(self._now_ms) for outgoing in found]

    def _opened_late(self, event: events.OutboxOpened) -> None:
        self._outbox_opened(event)
        if self._linked:
            self._give_birth()

    # --- hands

    def _edge(self, event: events.Edge) -> None:
        if event.line not in self._lines:
            raise BrokenPromise(
                f"node: an edge of line {event.line!r}; expected one of {', '.join(self._lines)}; correct the shell"
            )
        touched, side = self._lines[event.line]
        at_ms = min(event.at_ms, self._now_ms)
        for name, button in self._buttons.items():
            hold_ms = self._kinds.hold_ms(name)
            if name == touched:
                self._did(name, button.level(side, event.active, at_ms, hold_ms))
            else:
                self._did(name, button.advance(at_ms, hold_ms))

    def _did(self, name: str, done: list[Seen | Tampered]) -> None:
        for what in done:
            if isinstance(what, Tampered):
                self._tampered(name, what)
            else:
                test = self._kinds.kind_of(name) == TEST
                self._meanings[meaning(what.hands, self._situation(), self._kinds.audible(name), test=test)](name, what)

    def _call(self, name: str, seen: Seen, gesture: Gesture | None = None, refers_to: PressRef | None = None) -> None:
        """A call for help. For an audible kind the siren comes first; for a silent one nothing shows."""
        kind = self._kinds.kind_of(name)
        audible = self._kinds.audible(name)
        if audible:
            self._sound(kind)
        ref = self._make(name, kind, gesture or WIRE[seen.hands], seen.at_ms, refers_to=refers_to)
        if audible:
            self._emergency.called(name, ref, seen.at_ms, self._now_ms)
            self._answer(name)
        else:
            self._emergency.called_silently(name, ref)

    def _reopen(self, name: str, seen: Seen) -> None:
        self._call(name, seen, Gesture.REOPEN, self._emergency.incident_press)

    def _test_press(self, name: str, seen: Seen) -> None:
        self._sound(TEST, test=True)
        self._make(name, TEST, Gesture.TEST, seen.at_ms)
        self._answer(name)

    def _ask(self, name: str, seen: Seen) -> None:
        ask = self._asking.ask(name, seen.ended_ms, self._now_ms, linked=self._linked)
        if ask is not None:
            self._out.rest.append(effects.Publish(ask))

    def _chirp(self, name: str, _seen: Seen) -> None:
        self._answer(name)

    def _came(self, name: str, seen: Seen) -> None:
        self._make(name, self._kinds.kind_of(name), Gesture.CAME, seen.at_ms, refers_to=self._emergency.incident_press)
        self._answer(name)

    def _cancel(self, name: str, seen: Seen) -> None:
        """Both cancels: they differ in one word of the press and in nothing that a bystander sees or hears."""
        gesture = Gesture.FORCED_CANCEL if seen.hands is Hands.FORCED_CANCEL else Gesture.CANCEL
        kind = self._kinds.kind_of(name)
        if not self._kinds.audible(name):
            self._make(name, kind, gesture, seen.at_ms, refers_to=self._emergency.taken_back_silently(name))
            return
        if self._emergency.cancel_silences(name, seen.began_ms, self._kinds.cancel_s):
            self._siren.stop(self._out)
        self._make(name, kind, gesture, seen.at_ms, refers_to=self._emergency.taken_back(name))
        self._answer(name)

    def _nothing(self, name: str, seen: Seen) -> None:
        """It leaves no trace."""

    def _check_in(self, name: str, seen: Seen) -> None:
        self._make(name, self._kinds.kind_of(name), Gesture.CHECK_IN, seen.at_ms, rank=CHECK_IN_RANK)
        self._answer(name)

    def _tampered(self, name: str, tampered: Tampered) -> None:
        """Told, not sounded, unless the district made the kind audible. What stands is a fault, and shows at an audible button."""
        if self._kinds[TAMPER].audible and not self._kinds.secret(name, TAMPER):
            self._sound(TAMPER)
        self._make(name, TAMPER, tampered.gesture, tampered.at_ms)

    def _make(
        self, name: str, kind: str, gesture: Gesture, at_ms: int, *, refers_to: PressRef | None = None, rank: int | None = None
    ) -> PressRef:
        return self._presses.make(
            name, kind, gesture, at_ms, now_ms=self._now_ms, out=self._out, refers_to=refers_to, rank=rank
        ).ref

    def _answer(self, name: str) -> None:
        self._asking.forget(name)
        self._out.sounds[Sound.CHIRP] = None

    # --- siren

    def _sound(self, kind: str, for_ms: int | None = None, *, test: bool = False) -> None:
        """Sound the kind's pattern, for as long as the siren may if nothing else is said."""
        setting = self._kinds[kind]
        if setting.audible:
            pattern = self._kinds.pattern(kind)
            for_ms = for_ms or (once_ms(pattern) if test else self._siren.limit_s * 1000)
            if not test:
                self._current.disturbed()
            self._siren.sound(pattern, setting.rank, for_ms, self._now_ms, self._out, test=test)

    # --- disk

    def _kept(self, event: events.PressKept) -> None:
        outgoing = self._outbox.kept(event.ref)
        # A silent press must not be the moment at which a fault of the disk visibly ends.
        if outgoing is not None and not outgoing.secret and (self._health.disk or self._outbox.some_refused):
            self._disk_well(event)

    def _not_kept(self, event: events.PressNotKept) -> None:
        outgoing = self._outbox.not_kept(event.ref)
        if outgoing is not None and not outgoing.secret:
            self._health.disk = event.code

    def _disk_well(self, _event: object) -> None:
        self._health.disk = ""
        self._out.presses += self._outbox.keep_again(self._now_ms)

    # --- gateway

    def _receipted(self, event: events.PressReceipted) -> None:
        outgoing = self._outbox.receipted(event.receipt)
        if outgoing is None:
            return
        self._out.rest.append(effects.ForgetPress(outgoing.ref))
        if outgoing.secret:
            return
        canary = self._canaries.pop(outgoing.ref, None)
        if canary is not None:
            self._out.rest.append(effects.Publish(self._orders.done(canary, "" if event.receipt.kept is Kept.RECORDED else "kept unread")))
        self._health.unreadable = event.receipt.kept is not Kept.RECORDED
        if not self._health.unreadable and outgoing.press.gesture not in TAMPERS:
            if outgoing.calls:
                self._emergency.call_received(outgoing.press.input, self._now_ms)
            elif outgoing.press.input in self._buttons:
                self._word_received[outgoing.press.input] = self._now_ms + WORD_RECEIVED_SHOWN_MS

    def _keys_read(self, event: events.KeysRead) -> None:
        self._health.keys = event.well

    def _link_up(self, _event: events.LinkUp) -> None:
        self._linked = True
        self._give_birth()
        self._out.presses += self._outbox.link_up(self._now_ms)
        self._beats.link_up(self._now_ms)

    def _give_birth(self) -> None:
        self._out.presses.append(
            effects.Publish(
                Online(
                    boot=self._boot, online=True, silent_boot=self._silent_boot, firmware=self._firmware,
                    inputs=tuple(self._buttons), settings_rev=self._kinds.rev,
                    machine_restarted=self._machine_restarted,
                )
            )
        )

    def _link_down(self, _event: events.LinkDown) -> None:
        self._linked = False
        self._outbox.link_down()

    def _ordered(self, event: events.OrderCame) -> None:
        order = event.order.order
        why = self._orders.refusal(event.order, self._uptime_s()) or self._orders.impossible(order, self._kinds, self._siren)
        if isinstance(order, SirenTest) and order.for_s and self._situation() in CALLED:
            why = why or "an emergency is open here"
        if isinstance(order, SirenOff) and self._emergency.still_called(self._boot, order, self._outbox.__contains__):
            why = why or "a call made here is not in it"
        if not why and isinstance(order, SelfTest):
            self._out.rest.append(effects.TryDisk(event.order.id))
            return
        if not why and isinstance(order, SirenTest):
            self._sound(TEST, order.for_s * 1000, test=True)
            self._current.listen(event.order.id, self._siren.left_ms(self._now_ms))
            return
        if not why and isinstance(order, Tally):
            self._tally(event.order.id, order)
            return
        if not why and isinstance(order, Canary):
            self._canaries[self._make(CANARY, TEST, Gesture.CANARY, self._now_ms)] = event.order.id
            return
        if not why:
            self._carry_out(order)
        self._out.rest.append(effects.Publish(self._orders.done(event.order.id, why)))

    def _tally(self, ident: str, order: Tally) -> None:
        """Say how many presses were made; what an earlier answer said of lives that are over is settled."""
        forgotten = self._tallies.settled(order.settled)
        if forgotten:
            self._out.rest.append(effects.ForgetStreams(forgotten))
        streams, more = self._tallies.named(ident, self._presses.streams(), self._outbox.waiting())
        self._out.rest.append(effects.Publish(replace(self._orders.done(ident, ""), streams=streams, more=more)))

    def _disk_tried(self, event: events.DiskTried) -> None:
        """The self-test's last part: contacts, guard and keys are watched all the time."""
        found = [event.fault] if event.fault else sorted(f"{fault.code} {fault.subject}" for fault in self._faults())
        self._current.pulse(event.order, ", ".join(found))

    def _try_current(self) -> None:
        """Once all else is decided: a pulse never comes into an alarm, nor near a hand that may be about to give one.

        Of a hand at a silent button nothing may show.
        """
        touched = any(button.touched for name, button in self._buttons.items() if self._kinds.audible(name))
        free = not self._siren.sounding and not touched and self._situation() not in CALLED
        for said in self._current.settle(self._now_ms, self._out, free=free):
            self._out.rest.append(effects.Publish(replace(self._orders.done(said.order, said.why), siren=said.found)))

    def _carry_out(self, order: AnyOrder) -> None:
        match order:
            case SirenOn(kind=kind, for_s=for_s, drill=drill):
                self._sound(kind, for_s * 1000, test=drill)
            case Drill(kind=kind):
                self._presses.make(DRILL, kind, Gesture.DRILL, self._now_ms, now_ms=self._now_ms, out=self._out, drill=True, rank=CHECK_IN_RANK)
            case SirenOff():
                self._siren.stop(self._out)
            case StrobeOn(for_s=for_s):
                self._strobe.flash(for_s, self._now_ms, self._out, sounding=self._siren.sounding)
            case TestMode(for_s=for_s):
                self._test_until_ms = self._now_ms + for_s * 1000 if for_s else None

    def _told(self, event: events.IncidentCame) -> None:
        state = event.state
        if state.boot == self._boot and (state.rev <= self._emergency.rev or state.state is self._emergency.light):
            # Whoever says nothing new has just started, and waits for a beat to know this node's uptime.
            self._beats.wanted()
        if state.boot == self._boot and state.rev > self._emergency.rev:
            self._emergency.told(state, self._now_ms, calls_waiting=self._calls_waiting())

    def _settings(self, event: events.SettingsCame) -> None:
        settings = event.settings
        if settings.boot != self._boot or settings.rev <= self._kinds.rev:
            return
        self._health.settings_refused = self._kinds.take(settings)
        if not self._health.settings_refused:
            self._siren.limit_s = self._kinds.siren_s_max
            self._out.rest.append(effects.KeepSettings(settings))

    def _answered(self, event: events.AnswerCame) -> None:
        self._asking.answered(event.answer, self._now_ms, well=not self._faults())

    def _guard_seen(self, event: events.GuardSeen) -> None:
        self._health.guard = event.up

    def _woken(self, event: events.Woken) -> None:
        """Time has passed: that is all."""

    # --- what it says

    def _uptime_s(self) -> int:
        return (self._now_ms - self._started_ms) // 1000

    def _calls_waiting(self) -> bool:
        return self._outbox.calls_waiting(name for name in self._buttons if self._kinds.audible(name))

    def _situation(self) -> Situation:
        return self._emergency.situation(
            self._now_ms, calls_waiting=self._calls_waiting(), siren=self._siren.in_earnest,
            test_mode=self._test_until_ms is not None, reopen_s=self._kinds.reopen_s,
        )

    def _faults(self) -> set[NodeFault]:
        return self._health.faults().union(of_buttons(self._buttons, self._kinds))

    def _show_lights(self, faults: set[NodeFault], *, aloud: bool) -> None:
        of_node = any(fault.code not in OF_A_BUTTON for fault in faults)
        of_button = {fault.subject for fault in faults if fault.code in OF_A_BUTTON}
        for name in self._buttons:
            seen = None
            if self._kinds.audible(name):
                seen = Shown(
                    calls=self._outbox.shows(name, words=False), words=self._outbox.shows(name, words=True),
                    incident=self._emergency.light, called=name in self._emergency.received,
                    word_received=name in self._word_received, answer=self._asking.shows(name),
                    fault=of_node or name in of_button, test_mode=self._test_until_ms is not None,
                )
            self._panel.show(name, seen, self._out, aloud=aloud)

    def _beat(self, faults: set[NodeFault]) -> None:
        if not self._linked:
            return
        beat = Beat(
            boot=self._boot, uptime_s=self._uptime_s(), incident_rev=self._emergency.rev,
            siren=self._siren.sounding, unsent=self._outbox.open_count, settings_rev=self._kinds.rev,
            faults=tuple(sorted(faults)),
        )
        self._out.rest += map(effects.Publish, self._beats.due(beat, self._now_ms, self._kinds.beat_s))
