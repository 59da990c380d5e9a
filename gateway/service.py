"""The zone's service: wires the parts and owns their lifetimes.

It starts from the journal: the state is folded from it, what was not sent is sent, what was due is due. It ends, to be
started again by systemd, when a promise is broken; everything else it lives through.
"""

import asyncio
import logging
import secrets
import time
from importlib.metadata import version
from typing import Final, NamedTuple

import msgspec

from controller.authentication import PrivateKey
from controller.entries import Chain, NoticeMoved
from controller.errors import BadConfig, BadMessage, CuadraError, Unavailable
from controller.instants import Now
from controller.records import registry_store
from controller.records.checkpoint import Signer
from controller.records.commitments import commitment
from controller.records.private import Private
from controller.records.store import Store
from controller.rules.effects import GiveReceipt, QueueNotice, ReleaseText, SendDown, SendOrder, StopNotice, ZoneEffect
from controller.rules.inputs import (
    CallAnswered,
    ChannelPaced,
    NoticeReported,
    NoticesVanished,
    PartFailed,
    PartRecovered,
    RegistryChanged,
    Started,
    ZoneInput,
)
from controller.rules.picture import picture
from controller.rules.state import ZoneState
from controller.rules.zone import ZoneController
from controller.supervisor import Supervisor
from gateway.broker import Broker
from gateway.callers import Callers
from gateway.channel_life import live
from gateway.channels.apprise import AppriseChannel
from gateway.channels.call import CallChannel
from gateway.channels.cap import CapChannel
from gateway.channels.channel import Channel, ChannelNews, Delivered, Paced, PartState, PickedUp, Pressed, Rang, Vanished, Wrote
from gateway.channels.dc09 import Dc09Channel
from gateway.channels.sms import SmsChannel
from gateway.channels.webhook import WebhookChannel
from gateway.config import GatewayConfig
from gateway.contacts import Contacts
from gateway.decisions import Decisions
from gateway.dispatcher import Dispatcher
from gateway.inbox import Inbox
from gateway.keyring import Keyring
from gateway.outgoing import Outgoing
from gateway.policies import Policies
from gateway.quarantine import Quarantine
from gateway.replies import Replies
from gateway.tellings import Tellings

logger = logging.getLogger(__name__)

REGISTRY_S: Final = 2.0
"""How often the database is asked for a newer registry."""
BROKER_S: Final = 10.0
"""How long the broker may take to be found at the start before it is a fault."""
HOUR_S: Final = 3600
REPORTING_MS: Final = 30 * 86_400_000
"""A SIM that has brought delivery reports within this time is missed when it brings none."""
SALT_BYTES: Final = 16


class Folded(NamedTuple):
    """What the journal says.

    texts: notices that went out by SMS and may still be reported on, with the channel's reference. reporting: modem -> when one of its
    texts was last reported to be delivered (UTC ms).
    """

    state: ZoneState
    texts: dict[str, str]
    reporting: dict[str, int]


class Service:
    """One zone's gateway. `run()` until cancelled."""

    def __init__(self, config: GatewayConfig) -> None:
        """Open everything that must be there: keys, records, registry, policy.

        Raises BadConfig; Unavailable when the database cannot be used now.
        """
        self._config = config
        own = PrivateKey.at(config.keys.gateway)
        self._signer = Signer(own, config.zone)
        self._store = Store.open(config.database, config.zone)
        registry = registry_store.load(self._store.engine, config.zone)
        self._private = Private.open(self._store.engine, config.zone, config.keys.people)
        folded = fold(self._store)
        self._policies = Policies(self._store.engine, config.zone, config.policy, folded.state)
        self._core = ZoneController(config.zone, registry, self._policies.first, folded.state)
        self._contacts = Contacts(self._private, registry)
        self._contacts.take_up([notice.queued.to for notice in folded.state.unsent() if notice.queued.to])
        self._keyring = Keyring(own, registry)
        self._channels = self._make_channels()
        self._broker = Broker(config.broker, config.zone, self._woken_by_broker, self._broker_changed)
        self._outgoing = Outgoing(config.zone, self._keyring, self._broker.publish)
        quarantine = Quarantine(config.keys.gateway.with_name("quarantine"))
        self._decisions = Decisions(self._core, self._store, now, self._carry_out, self._committed, quarantine.put)
        self._inbox = Inbox(self._keyring, self._store, quarantine, self._decisions.put, self._outgoing.give)
        tellings = Tellings(self._core, self._contacts, lambda: now().utc_ms)
        self._dispatcher = Dispatcher(self._channels, tellings.compose, self._decisions.settle, lambda: now().utc_ms)
        self._replies = Replies(self._contacts, self._private, self._decisions.put, quarantine.text_instead, folded.state.written.has_read)
        self._callers = Callers(self._contacts, self._decisions.put)
        self._arrived = asyncio.Event()
        self._expect_reports(folded)
        logger.info("zone %s: gateway key %s, %d nodes, %d members, channels %s", config.zone, own.public, len(registry.nodes),
                    len(registry.members), ", ".join(self._channels))

    async def run(self) -> None:
        """Serve the zone. Raises (in a group) what ended it."""
        self._loop = asyncio.get_running_loop()
        supervisor = Supervisor()
        self._decisions.put(Started(version("cuadra")))
        for heard in self._policies.at_start():
            self._decisions.put(heard)
        self._broker.start()
        self._loop.call_later(BROKER_S, self._say_if_no_broker)
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._decisions.run(), self._take_arrivals(), self._inbox.run(), self._dispatcher.run(),
                             self._watch_registry(), self._commit_hourly()):
                    group.create_task(part)
                for channel in self._channels.values():
                    group.create_task(live(channel, self._news, self._decisions.put))
                supervisor.ready()
        finally:
            supervisor.stopping()
            self._broker.stop()
            self._store.close()

    def log_picture(self) -> None:
        """Log what the rules stand on now, the open chain's part: `cuadra journal replay --json` must give the same."""
        logger.info("zone %s: picture %s", self._config.zone, msgspec.json.encode(picture(self._core.state, Chain.OPEN)).decode())

    def _make_channels(self) -> dict[str, Channel]:
        config, channels = self._config, list[Channel]()
        if config.sms is not None:
            sms = SmsChannel(config.sms)
            channels.append(sms)
            if sms.callers:
                channels.append(CallChannel(sms))
        if config.dc09 is not None:
            channels.append(Dc09Channel(config.dc09, lambda: self._contacts.addresses("dc09")))
        if config.cap is not None:
            channels.append(CapChannel(config.cap))
        if config.apprise is not None:
            channels.append(AppriseChannel(config.apprise))
        if config.webhook is not None:
            channels.append(WebhookChannel(config.webhook))
        return {channel.name: channel for channel in channels}

    def _carry_out(self, effect: ZoneEffect) -> None:
        match effect:
            case GiveReceipt():
                self._outgoing.give(effect)
            case SendOrder():
                self._outgoing.command(effect)
            case SendDown():
                self._outgoing.send(effect)
            case QueueNotice():
                self._dispatcher.queue(effect)
            case StopNotice(notice):
                self._dispatcher.stop(notice)
            case ReleaseText(handle):
                self._replies.release(handle)

    def _committed(self, event: ZoneInput) -> None:
        self._inbox.committed(event)

    # What the broker's thread says.

    def _woken_by_broker(self) -> None:
        self._loop.call_soon_threadsafe(self._arrived.set)

    def _say_if_no_broker(self) -> None:
        if not self._broker.up:
            self._decisions.put(PartFailed("gateway/broker", "down"))

    def _broker_changed(self, up: bool) -> None:
        event = PartRecovered("gateway/broker", "down") if up else PartFailed("gateway/broker", "down")
        self._loop.call_soon_threadsafe(self._decisions.put, event)

    async def _take_arrivals(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._inbox.take(self._broker.take())

    # What channels say.

    def _news(self, news: ChannelNews) -> asyncio.Future[None] | None:
        match news:
            case Delivered(key, delivered, why):
                self._decisions.put(NoticeReported(key, delivered, why))
            case PartState(subject, code, faulty, detail):
                self._decisions.put(PartFailed(subject, code, detail) if faulty else PartRecovered(subject, code))
            case Wrote():
                return self._replies.came(news)
            case Vanished(keys, elsewhere):
                self._decisions.put(NoticesVanished(keys, elsewhere))
            case Paced(channel, per_minute):
                self._decisions.put(ChannelPaced(channel, max(1, round(per_minute)) if per_minute else 0))
            case PickedUp(key):
                self._decisions.put(CallAnswered(key))
            case Pressed(key, digit):
                self._decisions.put(CallAnswered(key, digit))
            case Rang():
                self._callers.came(news)
        return None

    def _expect_reports(self, folded: Folded) -> None:
        sms = self._channels.get("sms")
        if not isinstance(sms, SmsChannel):
            return
        for modem, at_ms in folded.reporting.items():
            if now().utc_ms - at_ms < REPORTING_MS:
                sms.brings_reports(modem)
        for key, ref in folded.texts.items():
            notice = folded.state.notices.get(key)
            if notice is None or notice.queued.channel != "sms":
                continue
            try:
                sms.expect(key, ref, self._contacts.address(notice.queued.member, "sms", int(notice.queued.about.get("contact", "0"))))
            except (BadMessage, CuadraError) as fault:
                if notice.chain is Chain.OPEN:  # who counts these lines must not count silent presses
                    logger.info("notice %s: its delivery report cannot be waited for: %s", key, fault)

    # What time brings.

    async def _watch_registry(self) -> None:
        """Take a newer policy or registry when the database has one."""
        while True:
            await asyncio.sleep(REGISTRY_S)
            try:
                engine, zone = self._store.engine, self._config.zone
                for heard in await asyncio.to_thread(self._policies.news):
                    self._decisions.put(heard)
                if await asyncio.to_thread(registry_store.newest_rev, engine, zone) == self._core.network.registry.rev:
                    continue
                registry = await asyncio.to_thread(registry_store.load, engine, zone)
                await asyncio.to_thread(self._contacts.use, registry)
            except Unavailable:
                # The commits say it already, with a fault of their own.
                continue
            except BadConfig as fault:
                logger.error("the new registry is not used: %s", fault)
                continue
            self._keyring.use(registry)
            self._decisions.put(RegistryChanged(registry))
            logger.info("zone %s: registry revision %d is in force", self._config.zone, registry.rev)

    async def _commit_hourly(self) -> None:
        """At each full hour: the open chain takes in the sealed head, then both heads are signed."""
        while True:
            await asyncio.sleep(HOUR_S - time.time() % HOUR_S)
            committed, opened = commitment(self._store.heads()[Chain.SEALED], secrets.token_bytes(SALT_BYTES))
            await self._decisions.record([(Chain.OPEN, committed), (Chain.SEALED, opened)])
            try:
                await self._decisions.in_writer(self._keep_checkpoints)
            except Unavailable as fault:
                logger.warning("this hour's checkpoints are not kept: %s", fault)

    def _keep_checkpoints(self) -> None:
        at_ms = now().utc_ms
        for chain, head in self._store.heads().items():
            self._store.keep_checkpoint(chain, head.seq, at_ms, self._signer.sign(chain, head, at_ms))


def now() -> Now:
    """The machine's clocks."""
    return Now(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)


def fold(store: Store) -> Folded:
    """The zone's state, from its whole journal, each entry verified on the way.

    Raises BrokenPromise where the journal does not verify; Unavailable.
    """
    state, texts, reporting = ZoneState(), dict[str, str](), dict[str, int]()
    for entry in store.entries():
        state.apply(entry.chain, entry.at_ms, entry.body)
        if isinstance(entry.body, NoticeMoved):
            if entry.body.to == "notified" and "@" in entry.body.ref:
                texts[entry.body.notice] = entry.body.ref
            else:
                ref = texts.pop(entry.body.notice, None)
                if ref is not None and entry.body.to == "delivered":
                    reporting[ref.partition(":")[0]] = entry.at_ms
    return Folded(state, texts, reporting)
