"""A node without its wires: the real `BlockNode`, a card, a connection, and eyes and ears for what the block notices.

A node that has nothing to do but beat, on a calm line, to a gateway that knows what it says, is not woken for its beats: see `leaps.py`.
"""

import random
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from controller import messages
from controller.authentication import Direction, PairKey
from controller.errors import BadMessage
from controller.instants import Now
from controller.messages import CHANNELS, Beat, DownMessage, Online, Topic, UpMessage
from node_firmware import effects, inputs
from node_firmware.block_node import BlockNode
from node_firmware.config import InputPins, default_kinds
from node_firmware.effects import Light, NodeEffect
from node_firmware.inputs import NodeInput, Woken
from simulators.world.broker import NOTICED_MS, Air, Broker, Message, Session
from simulators.world.card import Card
from simulators.world.leaping import Leaping

UTC_WRONG_MS: Final = 86_400_000
"""A Raspberry Pi's clock shows anything; nothing may depend on it."""
PROCESS_MS: Final = 2500
MACHINE_MS: Final = 25_000
AGAIN_MS: Final = 2500

_AS_INPUT: Final[dict[type[DownMessage], Callable[..., NodeInput]]] = {
    messages.Receipt: inputs.PressReceipted, messages.Order: inputs.OrderCame, messages.IncidentState: inputs.IncidentCame,
    messages.Settings: inputs.SettingsCame, messages.Answer: inputs.AnswerCame,
}


class NodeWitness(Protocol):
    """Who watches a node from outside."""

    def node_did(self, node: "NodeHere", event: NodeInput, done: list[NodeEffect]) -> None:
        """It took an input and did this; the world has not yet."""
        ...

    def node_died(self, node: "NodeHere") -> None:
        """Its process is gone."""
        ...


class Beating:
    """A beat that says nothing new, repeated: from when (world's ms), how often, and in how much time it is over there."""

    def __init__(self, beat: Beat, at_ms: int, every_ms: int, takes_ms: int, uptime_0_ms: int) -> None:
        self.beat, self.at_ms, self.every_ms, self.takes_ms, self._uptime_0_ms = beat, at_ms, every_ms, takes_ms, uptime_0_ms
        self.handed = 0
        """The how-manieth after the first one the gateway has been given."""

    def sent_by(self, now_ms: int) -> int:
        """How many more were sent by then."""
        return max(0, (now_ms - self.at_ms) // self.every_ms)

    def arrived_by(self, now_ms: int) -> int:
        """How many more had arrived by then."""
        return max(0, (now_ms - self.takes_ms - self.at_ms) // self.every_ms)

    def arrives_ms(self, number: int) -> int:
        """When the how-manieth arrives."""
        return self.at_ms + number * self.every_ms + self.takes_ms

    def nth(self, number: int) -> tuple[Beat, int]:
        """That one, and when it arrives."""
        at_ms = self.at_ms + number * self.every_ms
        return msgspec.structs.replace(self.beat, uptime_s=(at_ms - self._uptime_0_ms) // 1000), at_ms + self.takes_ms


class Leapt(Protocol):
    """Who gives the gateway the beats that are leapt over: see `leaps.py`."""

    def may(self, node: "NodeHere", beat: Beat) -> bool:
        """Whether the gateway knows all that beats in the words of this one say."""
        ...

    def begun(self, node: "NodeHere", beating: Beating) -> None:
        """They are no longer sent."""
        ...

    def stopped(self, node: "NodeHere", beating: Beating) -> None:
        """They are sent again."""
        ...


class NodeHere:
    """One node of the world."""

    def __init__(
        self, loop: Leaping, zone: str, node: str, wiring: dict[str, InputPins], key: PairKey, broker: Broker, witness: NodeWitness, seed: str,
        leaps: "Leapt",
    ) -> None:
        self.loop, self.zone, self.node, self.wiring = loop, zone, node, wiring
        self._key, self._broker, self._witness, self._leaps = key, broker, witness, leaps
        self._chance = random.Random(f"{seed}/{node}")
        self._boots = random.Random(f"{seed}/{node}/boots")
        self.air = Air(loop, random.Random(f"{seed}/{node}/air"))
        self.card = Card(loop, random.Random(f"{seed}/{node}/card"))
        self.closed: set[str] = set()
        """Inputs at which a finger is."""
        self.lights: dict[str, Light] = {}
        self.siren_until_ms: int | None = None
        self.cut_after_siren: tuple[int, int] | None = None
        """(ms after the siren starts, for how long): when power goes next."""
        self.core: BlockNode | None = None
        self.boot = self.silent_boot = ""
        self.beating: Beating | None = None
        self.inputs_taken = 0
        self._kernel = 0
        self._machine_on_ms = 0
        self._started_ms = 0
        self._life = 0
        self._session: Session | None = None
        self._timer: object = None
        self._powered = True
        self._last_beat: tuple[Beat, int] | None = None

    # Life and power.

    def power_on(self) -> None:
        """The machine starts, and on it the process."""
        self._powered = True
        self._kernel += 1
        self._machine_on_ms = self.loop.now_ms - 10_000
        self._later(MACHINE_MS if self._kernel > 1 else 0, self._start)

    def power_off(self) -> None:
        """Everything that was not synced is gone."""
        self._powered = False
        self._die()

    def kill(self) -> None:
        """`kill -9`; systemd starts it again."""
        if self._powered and self.core is not None:
            self._die()

    def start_again(self) -> None:
        """Systemd does."""
        if self._powered and self.core is None:
            self._later(PROCESS_MS, self._start)

    @property
    def alive(self) -> bool:
        """Its process runs."""
        return self.core is not None

    @property
    def siren(self) -> bool:
        """It sounds now."""
        return self.siren_until_ms is not None and self.siren_until_ms > self.loop.now_ms

    def clock_ms(self, at_ms: int | None = None) -> int:
        """Its own clock, CLOCK_BOOTTIME."""
        return (self.loop.now_ms if at_ms is None else at_ms) - self._machine_on_ms

    def _later(self, ms: int, call: Callable[[int], None]) -> None:
        self._life += 1
        self.loop.in_ms(ms, call, self._life)

    def _start(self, life: int) -> None:
        if life != self._life or not self._powered:
            return
        self.core = BlockNode(self.wiring, default_kinds(), 180, "world")
        self.boot, self.silent_boot = (f"{self._boots.getrandbits(128):032x}" for _ in range(2))
        self._started_ms = self.loop.now_ms
        found = self.card.opened(self._kernel, self.clock_ms, self._from_card(life))
        self.handle(inputs.Started(self.boot, self.silent_boot, self._levels(), self.card.settings, found.waiting, found.machine_restarted,
                                   found.siren_mark_age_ms, "disk-full" if self.card.full else "", found.streams))
        self._connect(life)

    def _from_card(self, life: int) -> Callable[[NodeInput], None]:
        return lambda event: self.handle(event) if life == self._life else None

    def _die(self) -> None:
        self._life += 1
        if self.core is not None:
            self._stop_leaping()
            self._witness.node_died(self)
        self.core = None
        self.card.lose_unsynced()
        self.siren_until_ms = None
        self.lights.clear()
        if self._session is not None:
            # The process's end closes the socket; that of the machine tells nobody.
            if self._powered and not self.air.cut:
                self.loop.in_ms(self.air.calm_ms, self._broker.vanished_at_once, self._session)
            else:
                self._broker.vanished(self._session)
            self._session = None

    # The line.

    def _connect(self, life: int) -> None:
        if life != self._life or self.core is None or self._session is not None:
            return
        if not self._broker.up:
            self._broker.waiting.append(lambda: self._try_again(life))
            return
        if self.air.cut:
            self._try_again(life, self.air.cut_until_ms - self.loop.now_ms)
            return
        will = self._message(Online(self.boot, online=False), None)
        session = Session(self.node, self.air, will, self._take, lambda: self._lost(life))
        self._session = session
        self._broker.connect(session)
        self.handle(inputs.LinkUp())

    def _lost(self, life: int) -> None:
        if life == self._life and self._session is not None:
            self._session = None
            self.handle(inputs.LinkDown())
            self._try_again(life)

    def _try_again(self, life: int, in_ms: int = 0) -> None:
        self.loop.in_ms(in_ms + self._chance.randrange(200, AGAIN_MS), self._connect, life)

    def cut(self, for_ms: int) -> None:
        """Nothing passes for so long. Who notices connects again when it does."""
        self._wake_up()
        self.air.cut_until_ms = max(self.air.cut_until_ms, self.loop.now_ms + for_ms)
        session = self._session
        if session is not None and for_ms > NOTICED_MS:
            self._broker.vanished(session)
            self.loop.in_ms(NOTICED_MS, self._noticed, session, self._life)

    def _noticed(self, session: Session, life: int) -> None:
        if self._session is session:
            self._lost(life)

    def weather(self, lost: int, repeated: int, late_ms: int) -> None:
        """From now on the air is like this."""
        self._wake_up()
        self.air.lost, self.air.repeated, self.air.late_ms = lost, repeated, late_ms

    def _message(self, message: UpMessage, age_ms: int | None) -> Message:
        topic = str(messages.topic_of(message, self.zone, self.node))
        payload, age = messages.encode(message), "" if age_ms is None else str(age_ms)
        return Message(topic, payload, self._key.mac(Direction.UP, topic, age, payload), age)

    def _send(self, message: UpMessage, age_ms: int | None = None) -> None:
        session = self._session
        if session is not None:
            self.air.carry(self._broker.hear, session, self._message(message, age_ms), self.loop.now_ms)

    def _take(self, message: Message) -> None:
        try:
            name = Topic.parse(message.topic).name
            self._key.check(message.mac, Direction.DOWN, message.topic, message.age, message.payload)
            said = messages.decode(name, message.payload)
        except BadMessage:
            return
        if self.core is not None and CHANNELS[name].struct in _AS_INPUT:
            self.handle(_AS_INPUT[type(said)](said))  # type: ignore[index]  # what comes down is a DownMessage

    # The core.

    def finger(self, name: str, closed: bool) -> None:
        """A finger is at the button, or leaves it."""
        pins = self.wiring[name]
        if closed:
            self.closed.add(name)
        else:
            self.closed.discard(name)
        if self.core is None:
            return
        at = self.clock_ms()
        if pins.released is None:
            self.handle(inputs.Edge(name, closed, at))
        elif closed:
            self.handle(inputs.Edge(f"{name}.released", False, at))
            self.handle(inputs.Edge(f"{name}.pressed", True, at))
        else:
            self.handle(inputs.Edge(f"{name}.pressed", False, at))
            self.handle(inputs.Edge(f"{name}.released", True, at))

    def _levels(self) -> dict[str, bool]:
        levels: dict[str, bool] = {}
        for name, pins in self.wiring.items():
            if pins.released is None:
                levels[name] = name in self.closed
            else:
                levels |= {f"{name}.pressed": name in self.closed, f"{name}.released": name not in self.closed}
        return levels

    def handle(self, event: NodeInput) -> None:
        """Give it an input and do what it says."""
        self._stop_leaping()
        self._handle(event, self.loop.now_ms)
        self._set_timer()

    def _handle(self, event: NodeInput, at_ms: int) -> None:
        if self.core is None:
            return
        self.inputs_taken += 1
        now = Now(self.clock_ms(at_ms), at_ms + UTC_WRONG_MS)
        done = self.core.handle(event, now)
        self._witness.node_did(self, event, done)
        life = self._life
        for effect in done:
            self._do(effect)
            if life != self._life:
                return

    def _do(self, effect: NodeEffect) -> None:
        match effect:
            case effects.SoundSiren(for_ms=for_ms):
                silent = not self.siren
                self.siren_until_ms = self.loop.now_ms + for_ms
                if silent and self.cut_after_siren is not None:
                    ms, for_ms = self.cut_after_siren
                    self.cut_after_siren = None
                    self.loop.in_ms(ms, self._collapse, for_ms)
            case effects.StopSiren():
                self.siren_until_ms = None
            case effects.SetLight(input=name, light=light):
                self.lights[name] = light
            case effects.PublishPress(press=press, age_ms=age_ms):
                self._send(press, age_ms)
            case effects.Publish(message=Beat() as beat):
                self._last_beat = beat, self.loop.now_ms
                self._send(beat)
            case effects.Publish(message=message):
                self._send(message)
            case effects.Play() | effects.FlashStrobe() | effects.SenseSiren():
                pass
            case _:
                self.card.put(effect)

    def _collapse(self, for_ms: int) -> None:
        self.power_off()
        self.loop.in_ms(for_ms, self.power_back)

    def power_back(self) -> None:
        """The cut is over, if it is not on already."""
        if not self._powered:
            self.power_on()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()  # type: ignore[attr-defined]  # a handle
            self._timer = None
        if self.core is None:
            return
        due = self.core.wake_at_ms()
        if due is None:
            return
        rest = self.core.wake_at_ms(beats=False)
        if self._last_beat is not None and (rest is None or rest > due) and self.loop.now_ms == self._last_beat[1] and self._session is not None \
                and self.air.calm and self._broker.up and self._leaps.may(self, self._last_beat[0]):
            beat, at_ms = self._last_beat
            self.beating = Beating(beat, at_ms, due - self.clock_ms(at_ms), self.air.calm_ms, self._started_ms)
            self._leaps.begun(self, self.beating)
            due = rest
        if due is not None:
            self._timer = self.loop.at_ms(max(self.loop.now_ms, due + self._machine_on_ms), self._woken, self._life)

    def _woken(self, life: int) -> None:
        if life == self._life:
            self.handle(Woken())

    # Beats.

    def _stop_leaping(self) -> None:
        """Something happens: the beats that were leapt over have been sent, and the core knows it."""
        beating = self.beating
        if beating is None:
            return
        self.beating = None
        self._leaps.stopped(self, beating)
        now_ms = self.loop.now_ms
        sent = beating.sent_by(now_ms)
        if not sent:
            return
        # The last one lets the core's clock of beats stand where it would; those still on their way arrive by themselves.
        at_ms = beating.at_ms + sent * beating.every_ms
        if self.core is not None:
            core_now = Now(self.clock_ms(at_ms), at_ms + UTC_WRONG_MS)
            done = self.core.handle(Woken(), core_now)
            self._witness.node_did(self, Woken(), done)
        on_its_way = beating.arrived_by(now_ms) < sent
        if on_its_way and self._session is not None:
            beat, arrives_ms = beating.nth(sent)
            self.loop.at_ms(max(now_ms, arrives_ms), self._broker.hear, self._session, self._message(beat, None), at_ms)

    def _wake_up(self) -> None:
        """What its beats are worth changes: they are no longer leapt over."""
        if self.beating is not None:
            self._stop_leaping()
            self._set_timer()

    def stir(self) -> None:
        """The gateway wants to hear it itself."""
        self._wake_up()

