"""One zone of the world: its nodes, broker, gateway, phones, and the plan's events as they come."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from controller.entries import Chain
from controller.rules.effects import QueueNotice, ZoneEffect
from controller.rules.inputs import ZoneInput
from controller.rules.picture import picture
from controller.rules.policy import Policy
from gateway.channels.channel import Channel, Delivered, Telling
from gateway.service import fold
from simulators.world import plan as plans
from simulators.world import town as towns
from simulators.world.broker import Broker
from simulators.world.gateway import GatewayHere
from simulators.world.leaping import Leaping
from simulators.world.leaps import Leaps
from simulators.world.node import NodeHere
from simulators.world.people import Mailbox, Phones, Way
from simulators.world.promises import Broken, Witness
from simulators.world.records import Disk
from simulators.world.town import Town

BEGAN_UTC_MS: Final = 1_790_043_240_000
"""2026-09-21 21:14 in Lima."""
WAYS: Final = ("sms", "apprise", "dc09")
GATEWAY_MS: Final = 2000
LOOK_MS: Final = 30_000
TOUCHES: Final[dict[plans.Touch, tuple[int, ...]]] = {
    "hold": (1600,), "jabs": (200, 300, 200, 300, 200), "tap": (180,), "brush": (45,),
    "cancel": (150, 250, 150, 4000, 150, 250, 150, 4000, 150, 250, 150),
    "forced": (150, 250, 150, 4000, 150, 250, 150, 4000, 150, 250, 600),
    "check-in": (150, 250, 150, 4000, 150, 4000, 150, 250, 150),
}
"""How long the finger is down, up, down, ..., ms."""


class ZoneHere:
    """It runs from its making on."""

    def __init__(self, loop: Leaping, town: Town, policy: Policy, seed: str, folder: Path, found: Callable[[Broken], None], *, leaps: bool) -> None:
        self.loop, self.town, self.policy = loop, town, policy
        self.witness = Witness(loop, town, policy, found)
        self._skew_ms = 0
        self.broker = Broker(loop)
        self.disk = Disk(loop, folder, town.zone, seed)
        self.nodes: dict[str, NodeHere] = {}
        self.leaps = Leaps(loop, self.nodes, on=leaps)
        self._key = towns.key(f"gateway-{town.zone}")
        self.mailbox = Mailbox(loop)
        self.phones = Phones(loop, town, seed, self.witness.delivered, self._writes)
        self._effects: dict[str, QueueNotice] = {}
        self.ways: dict[str, Way] = {
            name: Way(loop, name, self.phones, f"{seed}/{town.zone}", self._effects.__getitem__, self._reported) for name in WAYS}
        self._channels: dict[str, Channel] = dict(self.ways)
        self.witness.utc_offset_ms = BEGAN_UTC_MS
        store = self.disk.open(lambda _: None).store
        self.registry = towns.registry(town, self.disk.private(store))
        store.close()
        for node, wiring in town.wiring.items():
            pair = towns.key(node).shared_with(self._key.public)
            self.nodes[node] = NodeHere(loop, town.zone, node, dict(wiring), pair, self.broker, self.witness, seed, self.leaps)
        self.gateway: GatewayHere | None = None
        self._down_until_ms = 0
        self.inputs_taken = 0
        self._starts()
        for place, here in enumerate(self.nodes.values()):
            loop.in_ms(1000 + 137 * place % 20_000, here.power_on)
        loop.in_ms(LOOK_MS, self._look)

    def utc_ms(self) -> int:
        """What the gateway's clock on the wall shows."""
        return BEGAN_UTC_MS + self.loop.now_ms + self._skew_ms

    def _starts(self) -> None:
        if self.gateway is not None or self.loop.now_ms < self._down_until_ms:
            return
        if self.disk.hangs_until_ms > self.loop.now_ms or self.disk.full_until_ms > self.loop.now_ms:
            # Its database cannot be opened for writing: systemd tries again.
            self.loop.in_ms(GATEWAY_MS, self._starts)
            return
        self.gateway = GatewayHere(self.loop, self.town.zone, self.registry, self.policy, self._key, self.disk, self.broker, self._channels,
                                   self.utc_ms, self._watched(), self.leaps)
        for way in self.ways.values():
            state = way.part()
            if state is not None and state.faulty:
                self.gateway.part(state)
        self.mailbox.read_by(self.gateway)

    def _watched(self) -> "_Watched":
        return _Watched(self.witness, self)

    def note_input(self) -> None:
        """The gateway's core took one."""
        self.inputs_taken += 1

    def note_try(self, effect: QueueNotice) -> None:
        """A channel is about to get it."""
        self._effects[effect.notice.id] = effect

    def _reported(self, news: Delivered) -> None:
        if self.gateway is not None:
            self.gateway.reported(news.key, delivered=news.delivered, why=news.why)

    def _writes(self, person: str, text: str) -> None:
        address = self.phones.address(person)
        if address:
            self.witness.says(f"{person} writes: {text}")
            self.mailbox.came(address, text)

    def _look(self) -> None:
        self.loop.in_ms(LOOK_MS, self._look)
        if self.disk.full_until_ms > self.loop.now_ms or self.disk.hangs_until_ms > self.loop.now_ms:
            self.witness.gateway_well_since_ms = self.loop.now_ms
        self.witness.looks()

    # What the plan brings.

    def happens(self, event: plans.AnyEvent) -> None:
        """It does now."""
        for_ms = event.for_ms
        match event:
            case plans.Hand():
                if event.cut_ms >= 0:
                    self.nodes[event.node].cut_after_siren = (event.cut_ms, max(1000, for_ms))
                self._touch(event.node, event.input, event.touch)
            case plans.PowerCut(node=node):
                self.witness.says(f"{node} has no power for {for_ms / 1000:.0f} s")
                self.nodes[node].power_off()
                self.loop.in_ms(for_ms, self.nodes[node].power_back)
            case plans.NodeKilled(node=node):
                self.witness.says(f"the process of {node} is killed")
                self.nodes[node].kill()
                self.loop.in_ms(min(for_ms, 5000), self.nodes[node].start_again)
            case plans.CardFull(node=node, slow=slow):
                self.witness.says(f"the card of {node} is {'slow' if slow else 'full'} for {for_ms / 1000:.0f} s")
                self._card(node, slow, on=True)
                self.loop.in_ms(for_ms, lambda: self._card(node, slow, on=False))
            case plans.LinkCut(node=node):
                self.witness.says(f"nothing passes between {node} and the broker for {for_ms / 1000:.0f} s")
                self.nodes[node].cut(for_ms)
            case plans.Weather():
                self._weather(event)
            case plans.BrokerGone(forgets=forgets):
                if self.broker.up:
                    self.witness.says(f"the broker is gone for {for_ms / 1000:.0f} s{' and forgets' if forgets else ''}")
                    self.broker.dies(forgets=forgets)
                    self._broker_changed()
                    self.loop.in_ms(for_ms, self._broker_back)
            case plans.GatewayKilled(lands=lands):
                self._gateway_dies(for_ms, lands=lands)
            case plans.RecordsFull(hangs=hangs):
                self.witness.says(f"the gateway's disk {'hangs' if hangs else 'is full'} for {for_ms / 1000:.0f} s")
                if hangs:
                    self.disk.hangs_until_ms = max(self.disk.hangs_until_ms, self.loop.now_ms + for_ms)
                else:
                    self.disk.full_until_ms = max(self.disk.full_until_ms, self.loop.now_ms + for_ms)
            case plans.ClockSet(by_s=by_s):
                self.witness.says(f"the gateway's clock is set by {by_s} s")
                self._skew_ms += by_s * 1000
                self.witness.utc_offset_ms += by_s * 1000
                self.witness.clock_jumps_ms += abs(by_s) * 1000
            case plans.Trouble(channel=channel, mood=mood):
                self.witness.says(f"the way {channel} is {mood} for {for_ms / 1000:.0f} s")
                self._mood(channel, mood)
                self.loop.in_ms(for_ms, self._mood, channel, "")
            case plans.Wrote(person=person, text=text):
                self._writes(person, text)

    def faults_end(self) -> None:
        """From now on all is well, and everybody is awake."""
        self.witness.says("the faults have stopped")
        self.phones.well = True

    def _touch(self, node: str, name: str, touch: plans.Touch) -> None:
        self.witness.says(f"somebody at {node} {name}: {touch}")
        at_ms, down = 0, True
        for ms in TOUCHES[touch]:
            self.loop.in_ms(at_ms, self._finger, node, name, down)
            at_ms, down = at_ms + ms, not down
        self.loop.in_ms(at_ms, self._finger, node, name, False)

    def _finger(self, node: str, name: str, down: bool) -> None:
        self.witness.touched(node, name)
        self.nodes[node].finger(name, down)

    def _card(self, node: str, slow: bool, *, on: bool) -> None:
        card = self.nodes[node].card
        if slow:
            card.slow = on
        else:
            card.full = on

    def _weather(self, event: plans.Weather) -> None:
        whom = list(self.nodes.values()) if not event.node else [self.nodes[event.node]]
        self.witness.says(f"bad air at {event.node or 'every node'} for {event.for_ms / 1000:.0f} s: {event.lost} % lost, {event.repeated} % twice, "
                          f"up to {event.late_ms} ms late")
        for node in whom:
            node.weather(event.lost, event.repeated, event.late_ms)
            self.loop.in_ms(event.for_ms, node.weather, 0, 0, 0)

    def _broker_changed(self) -> None:
        if self.gateway is not None:
            self.gateway.broker_changed()
        if not self.broker.up:
            for node in self.nodes.values():
                node.stir()

    def _broker_back(self) -> None:
        self.broker.comes_back()
        self._broker_changed()

    def _gateway_dies(self, for_ms: int, *, lands: bool) -> None:
        if self.gateway is None:
            return
        landed = ", and what it was writing is on the disk" if lands else ""
        self.witness.says(f"the gateway is killed{landed}; it starts again in {for_ms / 1000:.0f} s")
        gateway, self.gateway = self.gateway, None
        gateway.kill(lands=lands)
        self.witness.gateway_gone()
        self.mailbox.read_by(None)
        self._down_until_ms = self.loop.now_ms + max(GATEWAY_MS, for_ms)
        self.loop.in_ms(max(GATEWAY_MS, for_ms), self._starts)

    def _mood(self, channel: str, mood: str) -> None:
        way = self.ways[channel]
        before = way.part()
        way.mood = mood
        state = way.part()
        if state is not None and state != before and self.gateway is not None:
            self.gateway.part(state)

    def ends(self) -> None:
        """Everything must have come right. Raises Broken."""
        self.witness.ends(list(self.nodes.values()), len(self.mailbox))
        if self.gateway is None:
            raise self.witness.breaks("the world", "the gateway has not come back")
        folded = fold(self.gateway.records.store).state
        for chain in Chain:
            if picture(folded, chain) != picture(self.gateway.core.state, chain):
                raise self.witness.breaks("the record is the state", f"the {chain.value} chain, folded, is not what the gateway stands on")

    def closes(self) -> None:
        """It is over."""
        if self.gateway is not None:
            self.gateway.kill(lands=False)


class _Watched:
    """The witness, with the zone's own counting."""

    def __init__(self, witness: Witness, zone: ZoneHere) -> None:
        self._witness, self._zone = witness, zone
        self.gateway_started = witness.gateway_started
        self.committed = witness.committed
        self.gateway_does = witness.gateway_does
        self.gateway_broke = witness.gateway_broke

    def gateway_took(self, life: GatewayHere, event: ZoneInput, effects: list[ZoneEffect]) -> None:
        """Count it."""
        self._zone.note_input()
        self._witness.gateway_took(life, event, effects)

    def tries(self, life: GatewayHere, effect: QueueNotice, telling: Telling) -> None:
        """Remember what a telling is made of."""
        self._zone.note_try(effect)
        self._witness.tries(life, effect, telling)
