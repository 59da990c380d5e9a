"""One life of a zone's gateway: its own parts as `gateway/service.py` wires them, over a virtual broker, disk, clock and channels."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from controller.authentication import PrivateKey
from controller.entries import Chain
from controller.instants import Now
from controller.messages import Channel as Wire
from controller.records.commitments import commitment
from controller.registry import Registry
from controller.rules.effects import GiveReceipt, QueueNotice, Record, ReleaseText, SendDown, SendOrder, StopNotice, ZoneEffect
from controller.rules.inputs import NodeBeat, NoticeReported, PartFailed, PartRecovered, Started, ZoneInput
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from gateway.broker import Arrival
from gateway.channels.channel import Channel, PartState, Telling
from gateway.channels.channel import Wrote as TextCame
from gateway.contacts import Contacts
from gateway.decisions import Decisions
from gateway.dispatcher import Dispatcher
from gateway.inbox import Inbox
from gateway.keyring import Keyring
from gateway.outgoing import Outgoing
from gateway.quarantine import Quarantine
from gateway.replies import Replies
from gateway.service import fold
from gateway.tellings import Tellings
from simulators.world.broker import Broker, Message
from simulators.world.leaping import Leaping
from simulators.world.leaps import Leaps
from simulators.world.records import Disk, Entry, Records

UP_MS: Final = 5_000_000
"""What the machine's steady clock shows when the world begins."""
BROKER_MS: Final = 10_000
AGAIN_MS: Final = 3000
HOUR_MS: Final = 3_600_000


class GatewayWitness(Protocol):
    """Who watches a gateway from outside."""

    def gateway_started(self, life: "GatewayHere") -> None:
        """It has folded the journal, and decides."""
        ...

    def gateway_took(self, life: "GatewayHere", event: ZoneInput, effects: list[ZoneEffect]) -> None:
        """The rules were given this, and decided that."""
        ...

    def committed(self, entries: list[Entry]) -> None:
        """These are on its disk."""
        ...

    def gateway_does(self, life: "GatewayHere", effect: ZoneEffect) -> None:
        """It carries this out."""
        ...

    def tries(self, life: "GatewayHere", effect: QueueNotice, telling: Telling) -> None:
        """A channel is given this."""
        ...

    def gateway_broke(self, life: "GatewayHere", fault: BaseException) -> None:
        """It has ended by itself."""
        ...


class GatewayHere:
    """From its start to its end. Notices are tried by `channels`, which outlive it."""

    def __init__(
        self, loop: Leaping, zone: str, registry: Registry, policy: Policy, key: PrivateKey, disk: Disk, broker: Broker,
        channels: dict[str, Channel], utc_ms: Callable[[], int], witness: GatewayWitness, leaps: Leaps,
    ) -> None:
        self.loop, self.zone, self.alive = loop, zone, True
        self._broker, self._utc_ms, self._witness, self._leaps = broker, utc_ms, witness, leaps
        self.disk = disk
        self.records: Records = disk.open(witness.committed)
        private = disk.private(self.records.store)
        folded = fold(self.records.store)
        self.core = ZoneController(zone, registry, policy, folded.state)
        contacts = Contacts(private, registry)
        contacts.take_up([notice.queued.to for notice in folded.state.unsent() if notice.queued.to])
        keyring = Keyring(key, registry)
        self.outgoing = Outgoing(zone, keyring, self._publish)
        quarantine = Quarantine(disk.quarantine)
        self.decisions = Decisions(self, self.records, self.now, self._carry_out, self._committed, quarantine.put)
        self.inbox = Inbox(keyring, self.records, quarantine, self.decisions.put, self._repeats_receipt)
        tellings = Tellings(self.core, contacts, utc_ms)
        self.dispatcher = Dispatcher(channels, lambda effect: self._compose(tellings, effect), self.decisions.settle, utc_ms)
        self.replies = Replies(contacts, private, self.decisions.put, quarantine.text_instead, folded.state.written.has_read)
        self._tasks: list[asyncio.Task[None]] = []
        self._linked = False
        leaps.begin(self.core)
        witness.gateway_started(self)
        self.decisions.put(Started("world"))
        for part in (self.decisions.run(), self.inbox.run(), self.dispatcher.run(), self._commit_hourly()):
            self._run(part)
        self.loop.in_ms(AGAIN_MS // 10, self._link)
        self.loop.in_ms(BROKER_MS, self._say_if_no_broker)

    def now(self) -> Now:
        """The machine's clocks."""
        return Now(UP_MS + self.loop.now_ms, self._utc_ms())

    def kill(self, *, lands: bool) -> None:
        """`kill -9`."""
        if not self.alive:
            return
        self.alive = False
        self._broker.unsubscribe()
        self.records.killed(lands=lands)
        for task in self._tasks:
            task.cancel()
        self._leaps.end()

    def _run(self, part: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(part)
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self.alive and not task.cancelled():
            fault = task.exception()
            if fault is not None:
                self._witness.gateway_broke(self, fault)

    # The core, as `Decisions` sees it.

    def handle(self, event: ZoneInput, now: Now) -> list[ZoneEffect]:
        """Decide; what nodes have said meanwhile by beating as before is heard first."""
        heard = self._leaps.catch_up(event, now)
        effects = self.core.handle(event, now)
        if heard:
            effects = sorted([*heard, *effects], key=lambda effect: not isinstance(effect, Record))
        if effects:
            self._leaps.decided(event, effects)
        elif isinstance(event, NodeBeat):
            self._leaps.said_nothing(event)
        self._witness.gateway_took(self, event, effects)
        return effects

    def wake_at_ms(self) -> int | None:
        """When the core wants to be woken."""
        return self.core.wake_at_ms()

    def _carry_out(self, effect: ZoneEffect) -> None:
        if not self.alive:
            return
        self._witness.gateway_does(self, effect)
        match effect:
            case GiveReceipt():
                self.outgoing.give(effect)
            case SendOrder():
                self.outgoing.command(effect)
            case SendDown():
                self.outgoing.send(effect)
            case QueueNotice():
                self.dispatcher.queue(effect)
            case StopNotice(notice):
                self.dispatcher.stop(notice)
            case ReleaseText(handle):
                self.replies.release(handle)

    def _committed(self, event: ZoneInput) -> None:
        self.inbox.committed(event)

    def _repeats_receipt(self, effect: GiveReceipt) -> None:
        if self.alive:
            self._witness.gateway_does(self, effect)
            self.outgoing.give(effect)

    def _compose(self, tellings: Tellings, effect: QueueNotice) -> Telling:
        telling = tellings.compose(effect)
        self._witness.tries(self, effect, telling)
        return telling

    # Broker and channels.

    def _link(self) -> None:
        if not self.alive:
            return
        if self._broker.up and not self._linked:
            self._linked = True
            self.decisions.put(PartRecovered("gateway/broker", "down"))
            self._broker.subscribe(self._arrived)
        elif not self._broker.up and self._linked:
            self._linked = False
            self.decisions.put(PartFailed("gateway/broker", "down"))
        self._leaps.linked = self._linked

    def broker_changed(self) -> None:
        """It has died, or is back: the gateway finds that out."""
        if self.alive:
            self._leaps.linked = self._linked and self._broker.up
            self.loop.in_ms(AGAIN_MS if self._broker.up else 50, self._link)

    def _say_if_no_broker(self) -> None:
        if self.alive and not self._linked:
            self.decisions.put(PartFailed("gateway/broker", "down"))

    def _arrived(self, arrival: Arrival) -> None:
        if self.alive:
            self.inbox.take([arrival])

    def _publish(self, topic: str, payload: bytes, _wire: Wire, mac: str) -> None:
        if self._broker.up and self._linked:
            self._broker.send_down(Message(topic, payload, mac))

    def reported(self, key: str, *, delivered: bool, why: str = "") -> None:
        """A channel says what became of a text."""
        if self.alive:
            self.decisions.put(NoticeReported(key, delivered, why))

    def part(self, state: PartState) -> None:
        """A channel says how it is."""
        if self.alive:
            event = PartFailed(state.subject, state.code, state.detail) if state.faulty else PartRecovered(state.subject, state.code)
            self.decisions.put(event)

    def text_came(self, text: TextCame) -> asyncio.Future[None]:
        """A text that a modem keeps until what comes back is done."""
        return self.replies.came(text)

    async def _commit_hourly(self) -> None:
        while True:
            await asyncio.sleep((HOUR_MS - self._utc_ms() % HOUR_MS) / 1000)
            committed, opened = commitment(self.records.store.heads()[Chain.SEALED], secrets.token_bytes(16))
            await self.decisions.record([(Chain.OPEN, committed), (Chain.SEALED, opened)])


