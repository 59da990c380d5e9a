"""A block's node in virtual time: hands, disk, gateway and eyes, as the stories need them."""

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeVar

from controller.instants import Now
from controller.messages import (
    Answer,
    AnyOrder,
    Ask,
    Beat,
    Done,
    IncidentState,
    InputSettings,
    Kept,
    LightState,
    Order,
    Press,
    PressRef,
    Receipt,
    Settings,
    SirenFound,
    digest_of,
    encode,
)
from node_firmware import effects, inputs
from node_firmware.block_node import BlockNode
from node_firmware.config import InputPins, default_kinds
from node_firmware.effects import Light, NodeEffect, Sound

OPEN_BOOT, SILENT_BOOT = "a" * 32, "b" * 32
WIRING: Mapping[str, InputPins] = {
    "panic": InputPins(pressed=17, released=27, kind="panic", light=22),
    "fire": InputPins(pressed=5, kind="fire", light=6),
    "medical": InputPins(pressed=23, kind="medical"),
    "hidden": InputPins(pressed=16, released=20, kind="violence"),
    "case": InputPins(pressed=21, kind="tamper", tamper=True),
}
SHOWN = (effects.SoundSiren, effects.StopSiren, effects.FlashStrobe, effects.MarkSiren, effects.SetLight, effects.Play)
"""What somebody in the block sees, hears or could measure."""
E = TypeVar("E")


class Block:
    """Carries out what the node says, as a shell would, with a disk and a gateway that can be told to misbehave."""

    def __init__(
        self, wiring: Mapping[str, InputPins] = WIRING, *, siren_s_max: int = 180, at_ms: int = 1_000_000, pulse_ms: int | None = None
    ) -> None:
        self.wiring = wiring
        self.siren_s_max = siren_s_max
        self.pulse_ms = pulse_ms
        self.now_ms = at_ms
        self._coming: deque[inputs.NodeInput] = deque()
        self.current = SirenFound.DREW     # what the sensor at the siren shows, half a tenth of a second after its time
        self.sensing: list[tuple[int, str]] = []
        self.disk: str | None = "well"     # "well", a fault's code, or None: it does not answer
        self.gateway = False               # receipts what it is sent
        self.history: list[tuple[int, NodeEffect]] = []
        self.answers: list[list[NodeEffect]] = []
        self.lights: dict[str, Light] = {}
        self.siren_until_ms: int | None = None
        self.siren_on_since_ms: int | None = None
        self.siren_longest_ms = 0
        self.stored: dict[PressRef, inputs.WaitingPress] = {}
        self.rev = 0
        self.pressed_lines = {name for name, pins in wiring.items() if pins.tamper}
        self.node = BlockNode(wiring, default_kinds(), siren_s_max, "1.0", pulse_ms)

    # --- life

    def starts(self, **said: Any) -> "Block":  # noqa: ANN401 - fields of a struct
        boots = {"boot": OPEN_BOOT, "silent_boot": SILENT_BOOT}
        self.gives(inputs.Started(lines=self.levels(), **{**boots, **said}))
        return self

    def restarts(self, number: int = 1, **said: Any) -> "Block":  # noqa: ANN401 - fields of a struct
        """The process dies and comes back, with what is on the disk."""
        self._siren_off()
        self.lights.clear()
        self.sensing.clear()
        self.node = BlockNode(self.wiring, default_kinds(), self.siren_s_max, "1.0", self.pulse_ms)
        boots = {"boot": f"{number:032x}", "silent_boot": f"{number + 500:032x}"}
        return self.starts(**{**boots, "waiting": tuple(self.stored.values()), "machine_restarted": False, **said})

    def levels(self) -> dict[str, bool]:
        levels = {}
        for name, pins in self.wiring.items():
            closed = name in self.pressed_lines
            if pins.released is None:
                levels[name] = closed
            else:
                levels |= {f"{name}.pressed": closed, f"{name}.released": not closed}
        return levels

    def gives(self, event: inputs.NodeInput) -> list[NodeEffect]:
        """One input, and then all that the disk and the gateway answer at once."""
        done = self.node.handle(event, Now(self.now_ms, 0))
        self.answers.append(done)
        for effect in done:
            self.history.append((self.now_ms, effect))
        for effect in done:
            self._carry_out(effect)
        while self._coming:
            self.gives(self._coming.popleft())
        return done

    def _carry_out(self, effect: NodeEffect) -> None:
        match effect:
            case effects.SoundSiren(for_ms=for_ms):
                if self.siren_on_since_ms is None:
                    self.siren_on_since_ms = self.now_ms
                self.siren_until_ms = self.now_ms + for_ms
            case effects.StopSiren():
                self._siren_off()
            case effects.SetLight(input=name, light=light):
                self.lights[name] = light
            case effects.SenseSiren(order=order, for_ms=for_ms):
                self.sensing.append((self.now_ms + for_ms + 50, order))
            case effects.TryDisk(order=order) if self.disk is not None:
                self._coming.append(inputs.DiskTried(order, "" if self.disk == "well" else self.disk))
            case effects.KeepPress(press=press, made_at_ms=made_at_ms, rank=rank) if self.disk is not None:
                ref = PressRef(press.boot, press.seq)
                if self.disk == "well":
                    self.stored[ref] = inputs.WaitingPress(press, made_at_ms, rank)
                    self._coming.append(inputs.PressKept(ref))
                else:
                    self._coming.append(inputs.PressNotKept(ref, self.disk))
            case effects.PublishPress(press=press) if self.gateway:
                self._coming.append(inputs.PressReceipted(_receipt(press, Kept.RECORDED)))
            case effects.ForgetPress(ref=ref):
                self.stored.pop(ref, None)

    def _siren_off(self) -> None:
        if self.siren_on_since_ms is not None:
            self.siren_longest_ms = max(self.siren_longest_ms, self.now_ms - self.siren_on_since_ms)
        self.siren_until_ms = self.siren_on_since_ms = None

    # --- time and hands

    def passes(self, ms: int) -> "Block":
        """Virtual time, waking the node exactly when it asks for it."""
        end_ms = self.now_ms + ms
        steps = 0
        while True:
            woken_ms = self.node.wake_at_ms()
            due = min((at_ms for at_ms in (woken_ms, *(at_ms for at_ms, _ in self.sensing)) if at_ms is not None), default=None)
            if due is None or due > end_ms:
                break
            steps = steps + 1 if due <= self.now_ms else 0
            assert steps < 5, f"the node asks to be woken at {due}, again and again"
            self.now_ms = max(self.now_ms, due)
            sensed = [order for at_ms, order in self.sensing if at_ms <= self.now_ms]
            self.sensing = [one for one in self.sensing if one[0] > self.now_ms]
            for order in sensed:
                self.gives(inputs.SirenSensed(order, self.current))
            if due == woken_ms:
                self.gives(inputs.Woken())
        self.now_ms = end_ms
        return self

    def edge(self, line: str, active: bool) -> None:
        self.gives(inputs.Edge(line, active, self.now_ms))

    def closes(self, name: str) -> "Block":
        self.pressed_lines.add(name)
        if self.wiring[name].released is None:
            self.edge(name, True)
        else:
            self.edge(f"{name}.released", False)
            self.edge(f"{name}.pressed", True)
        return self

    def opens(self, name: str) -> "Block":
        self.pressed_lines.discard(name)
        if self.wiring[name].released is None:
            self.edge(name, False)
        else:
            self.edge(f"{name}.pressed", False)
            self.edge(f"{name}.released", True)
        return self

    def presses(self, name: str, ms: int = 1500, then: int = 300) -> "Block":
        return self.closes(name).passes(ms).opens(name).passes(then)

    def taps(self, name: str, *lengths: int, gap: int = 250) -> "Block":
        for length in lengths or (150,):
            self.presses(name, length, gap)
        return self

    def cancels(self, name: str, last: int = 150) -> "Block":
        return self.taps(name, 150, 150).passes(4000).taps(name, 150, 150).passes(4000).taps(name, 150, last)

    def checks_in(self, name: str) -> "Block":
        return self.taps(name, 150, 150).passes(4000).taps(name, 150).passes(4000).taps(name, 150, 150)

    # --- gateway

    def links(self) -> "Block":
        self.gives(inputs.LinkUp())
        return self

    def receipts(self, press: Press, kept: Kept = Kept.RECORDED) -> None:
        self.gives(inputs.PressReceipted(_receipt(press, kept)))

    def incident(self, state: LightState, **said: Any) -> "Block":  # noqa: ANN401 - fields of a struct
        self.rev += 1
        self.gives(inputs.IncidentCame(IncidentState(**{"boot": OPEN_BOOT, "rev": self.rev, "state": state, **said})))
        return self

    def orders(self, order: AnyOrder, order_id: str = "o1", boot: str = OPEN_BOOT, *, uptime_s_max: int = 10**6) -> Done:
        self.gives(inputs.OrderCame(Order(order_id, boot, order, uptime_s_max)))
        return self.published(Done)[-1]

    def settings(self, rev: int = 1, **said: Any) -> None:  # noqa: ANN401 - fields of a struct
        base: dict[str, Any] = {
            "boot": OPEN_BOOT, "kinds": default_kinds(),
            "inputs": {name: InputSettings(pins.kind) for name, pins in self.wiring.items() if not pins.tamper},
        }
        self.gives(inputs.SettingsCame(Settings(rev=rev, **{**base, **said})))

    def answers_ask(self, ok: bool = True) -> None:
        self.gives(inputs.AnswerCame(Answer(OPEN_BOOT, self.published(Ask)[-1].id, ok)))

    # --- eyes

    def seen(self, sort: type[E]) -> list[E]:
        return [effect for _, effect in self.history if isinstance(effect, sort)]

    def shown(self) -> list[tuple[int, NodeEffect]]:
        return [(at_ms, effect) for at_ms, effect in self.history if isinstance(effect, SHOWN)]

    def published(self, sort: type[E]) -> list[E]:
        return [effect.message for effect in self.seen(effects.Publish) if isinstance(effect.message, sort)]

    def made(self) -> list[Press]:
        """Each press once, in the order in which they were made."""
        return list(dict.fromkeys(effect.press for effect in self.seen(effects.KeepPress)))

    def sends(self, press: Press) -> list[tuple[int, int | None]]:
        return [(at, e.age_ms) for at, e in self.history if isinstance(e, effects.PublishPress) and e.press == press]

    def sounds(self) -> list[Sound]:
        return [effect.sound for effect in self.seen(effects.Play)]

    def beat(self) -> Beat:
        return self.published(Beat)[-1]

    def faults(self) -> set[str]:
        return {fault.code for fault in self.beat().faults}

    def light(self, name: str) -> Light:
        return self.lights[name]

    def siren_sounds(self) -> bool:
        return self.siren_until_ms is not None

    def forgets(self) -> "Block":
        """Only what comes from here on is looked at."""
        self.history.clear()
        self.answers.clear()
        return self


def _receipt(press: Press, kept: Kept) -> Receipt:
    return Receipt(digest_of(encode(press)), kept, press.boot, press.seq)
