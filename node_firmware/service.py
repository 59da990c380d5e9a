"""The node's service: wires pins, core, outbox and link, and owns their lifetimes.

One event loop, and on it one door: `Service.feed` hands an input to the core and does what comes back, in its order,
before anything else runs. What may wait for disk or network is put into a queue of its own and answers with an input.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from controller.authentication import PrivateKey
from controller.errors import CuadraError
from controller.messages import Boot, Online
from controller.supervisor import Supervisor
from node_firmware import clock, effects, sensors
from node_firmware.block_node import BlockNode
from node_firmware.config import NodeConfig
from node_firmware.disk import Connect, connect_sqlite
from node_firmware.effects import NodeEffect
from node_firmware.guarding import Guarding
from node_firmware.inputs import GuardSeen, KeysRead, NodeInput, OutboxOpened, SirenSensed, Started, Woken
from node_firmware.link import Link
from node_firmware.outbox import Found, Outbox
from node_firmware.pins import Pins, open_factory

logger = logging.getLogger(__name__)

DISK_PATIENCE_S: Final = 2.0
"""How long the start waits for the outbox: a button must sound the siren also while the disk hangs."""
SENSORS_S: Final = 30.0
KEYS_S: Final = 10.0
"""How often key, password and certificate are tried again while one of them cannot be used."""
STOP_S: Final = 2.0
SLOW: Final = "disk-slow"


class Service:
    """One life of one node. Made and used on the event loop's thread."""

    def __init__(self, config: NodeConfig, connect: Connect, supervisor: Supervisor) -> None:
        self._config = config
        self._supervisor = supervisor
        self._loop = asyncio.get_running_loop()
        self._boot: Boot = os.urandom(16).hex()
        self._silent_boot: Boot = os.urandom(16).hex()
        pulse_ms = config.siren.pulse_ms if config.siren.sense is not None else None
        self._node = BlockNode(config.inputs, config.kinds, config.siren.s_max, version("cuadra"), pulse_ms)
        self._started = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # The pins first: opening them switches the siren off, whatever else then goes wrong.
        self._pins = Pins(config, open_factory(config.pins), self._edges_came)
        self._outbox = Outbox(config.data, self._from_outbox, connect)
        self._link: Link | None = None

    async def run(self) -> None:
        """Live until SIGTERM or SIGINT.

        Raises what the core raised, after the siren is off: whoever started the process starts a fresh life.
        """
        for sign in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(sign, self._end)
        guarding = Guarding(self._config.pins, self._config.siren, lambda up: self.feed(GuardSeen(up)))
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start()
            tasks += [asyncio.create_task(part) for part in (guarding.run(), self._be_linked(), self._read_sensors())]
            for task in tasks:
                task.add_done_callback(self._part_ended)
            self._supervisor.ready()
            await self._ended
        finally:
            self._supervisor.stopping()
            if self._timer is not None:
                self._timer.cancel()
            self._started = False
            self._pins.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._outbox.stop(STOP_S)

    def feed(self, event: NodeInput | None) -> None:
        """Hand the core an input and do what it says. Edges that are known by now go first; None: they alone."""
        if not self._started:
            return
        try:
            edges = self._pins.edges
            while edges:
                self._handle(edges.popleft())
            if event is not None:
                self._handle(event)
            self._set_timer()
        except Exception as fault:  # whatever it is, this life's state cannot be trusted any more
            logger.critical("service: the core or a pin failed at %s; ending this life", type(event).__name__)
            self._started = False
            if not self._ended.done():
                self._ended.set_exception(fault)

    async def _start(self) -> None:
        opened: asyncio.Future[Found] = self._loop.create_future()

        def answer(found: Found) -> None:
            self._loop.call_soon_threadsafe(self._opened, opened, found)

        self._outbox.start(answer)
        await asyncio.wait([opened], timeout=DISK_PATIENCE_S)
        if opened.done():
            found = opened.result()
        else:
            logger.error("service: the disk has not answered for %.0f s; starting without it", DISK_PATIENCE_S)
            found = Found(disk_fault=SLOW)
        # The levels hold all that the edges so far have told; what comes from here on is told after them.
        self._pins.edges.clear()
        started = Started(
            boot=self._boot,
            silent_boot=self._silent_boot,
            lines=self._pins.levels(),
            settings=found.settings,
            waiting=found.waiting,
            machine_restarted=found.machine_restarted,
            siren_mark_age_ms=found.siren_mark_age_ms,
            disk_fault=found.disk_fault,
            streams=found.streams,
        )
        self._handle(started)
        self._started = True
        # Not how many presses wait: silent ones are among them.
        logger.info("service: boot %s, pins by %s", self._boot, self._config.pins.driver)
        self.feed(None)

    def _opened(self, opened: "asyncio.Future[Found]", found: Found) -> None:
        if not opened.done() and not self._started:
            opened.set_result(found)
        elif self._started:
            self._opened_late(found)

    def _opened_late(self, found: Found) -> None:
        """The disk hung at the start and answers now."""
        logger.warning("service: the disk answers now")
        self.feed(OutboxOpened(found.settings, found.waiting, found.machine_restarted, found.siren_mark_age_ms, found.disk_fault, found.streams))

    def _edges_came(self) -> None:
        self.feed(None)

    def _from_outbox(self, event: NodeInput) -> None:
        self._loop.call_soon_threadsafe(self.feed, event)

    def _handle(self, event: NodeInput) -> None:
        for effect in self._node.handle(event, clock.now()):
            self._do(effect)

    def _do(self, effect: NodeEffect) -> None:
        match effect:
            case effects.SoundSiren(pattern, for_ms):
                self._pins.sound(pattern, for_ms)
            case effects.StopSiren():
                self._pins.silence()
            case effects.SenseSiren(order, pulse, for_ms):
                self._pins.sense(lambda found: self.feed(SirenSensed(order, found)), pulse=pulse, for_ms=for_ms)
            case effects.FlashStrobe(for_ms):
                self._pins.flash(for_ms)
            case (effects.KeepPress() | effects.ForgetPress() | effects.ForgetStreams() | effects.KeepSettings() | effects.MarkSiren()
                  | effects.TryDisk()):
                self._outbox.put(effect)
            case effects.PublishPress(press, age_ms, rank):
                if self._link is not None:
                    self._link.publish(press, age_ms=age_ms, rank=rank)
            case effects.Publish(message):
                if self._link is not None:
                    self._link.publish(message)
            case effects.SetLight(name, light):
                self._pins.show(name, light)
            case effects.Play(sound):
                self._pins.buzz(sound)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wake_at_ms = self._node.wake_at_ms()
        if wake_at_ms is not None:
            wait_s = max(0, wake_at_ms - clock.boottime_ms()) / 1000
            # One more: a timer that fires a fraction of a millisecond early would find nothing due and turn in circles.
            self._timer = self._loop.call_later(wait_s + 0.001, self.feed, Woken())

    async def _be_linked(self) -> None:
        """A button sounds the siren without the files that the link needs: they are looked for until they are good."""
        said = ""
        while self._link is None:
            try:
                self._link = await asyncio.to_thread(self._make_link)
            except Exception as fault:  # whatever is wrong with a file, or with what a library makes of it
                if said != str(fault):
                    said = str(fault)
                    logger.error("service: no link until this is corrected: %s", fault)
                self.feed(KeysRead(False))
                await asyncio.sleep(KEYS_S)
        self.feed(KeysRead(True))
        await self._link.run()

    def _make_link(self) -> Link:
        """Reads the disk, which may hang: in a thread."""
        key = PrivateKey.at(self._config.identity.key_file).shared_with(self._config.identity.gateway_public_key)
        return Link(self._config, key, Online(self._boot, online=False), self.feed)

    async def _read_sensors(self) -> None:
        while True:
            self.feed(await asyncio.to_thread(sensors.read))
            await asyncio.sleep(SENSORS_S)

    def _part_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and not self._ended.done():
            fault = task.exception()
            if fault is not None:
                self._ended.set_exception(fault)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


async def run(config: NodeConfig, connect: Connect = connect_sqlite, environment: Mapping[str, str] = os.environ) -> None:
    """Be the node until SIGTERM or SIGINT; the siren is off when this returns or raises.

    connect: how the outbox's database is opened. environment: where systemd says how it is to be told.
    Raises Unavailable when its pins cannot be had.
    """
    try:
        await Service(config, connect, Supervisor(environment)).run()
    except CuadraError:
        raise
    except Exception:
        logger.critical("service: this life has failed", exc_info=True)
        raise
