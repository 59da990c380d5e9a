"""What a taking takes back, and what goes before everything else, with the real rules and the real dispatcher on one slow modem."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from controller.instants import Now
from controller.messages import Gesture, Press, digest_of, encode
from controller.registry import Role
from controller.rules.effects import QueueNotice, StopNotice
from controller.rules.inputs import MemberWrote, NoticeTried, PressArrived, Started, Woken, ZoneInput
from controller.rules.policy import Policy
from controller.rules.zone import ZoneController
from gateway.channels.channel import Telling
from gateway.dispatcher import Dispatcher
from tests.gateway.facts import until
from tests.gateway.test_dispatcher import Line
from tests.rules.night import BEGAN_MS, MEMBERS, POLICY, SHIFTS, UP_MS, always, boot_of, member, registry

COORDINATORS = [f"c{n}" for n in range(20)]
WITHIN_S = 3.0


class Zone:
    """A zone whose one modem is sending to the first of those on duty when the wider ring is due."""

    def __init__(self) -> None:
        people = [*(one for one in MEMBERS if one.id not in {"elva", "desk"}), *(member(name, Role.COORDINATOR) for name in COORDINATORS)]
        shifts = [*SHIFTS, *(always(name, Role.COORDINATOR) for name in COORDINATORS)]
        self.core = ZoneController("z3", registry(members=people, shifts=shifts), Policy.parse(POLICY))
        self.modem = Line("sms")
        self.modem.timeout_s = 30
        self.dispatcher = Dispatcher({"sms": self.modem}, self.compose, self.settle, lambda: self.now.utc_ms)
        self.s = 0
        self.queued: dict[str, QueueNotice] = {}
        self.does(Started("1.0"))

    @property
    def now(self) -> Now:
        return Now(UP_MS + self.s * 1000, BEGAN_MS + self.s * 1000)

    def does(self, event: ZoneInput) -> None:
        for effect in self.core.handle(event, self.now):
            match effect:
                case QueueNotice(notice=notice):
                    self.queued[notice.id] = effect
                    self.dispatcher.queue(effect)
                case StopNotice(notice=ident):
                    self.dispatcher.stop(ident)
                case _:
                    pass

    def compose(self, effect: QueueNotice) -> Telling:
        return Telling(effect.notice.id, effect.attempt, effect.notice.number, "address", "text", "title", "es")

    async def settle(self, outcome: NoticeTried) -> None:
        self.does(outcome)

    def writes(self, name: str, text: str) -> None:
        self.does(MemberWrote("sms", name, text, None, None, ""))

    def sent(self) -> list[tuple[str, str]]:
        return [(self.queued[key].notice.member, self.queued[key].notice.template) for key in self.modem.sent]


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    running = asyncio.create_task(zone.dispatcher.run())
    zone.modem.open.clear()
    press = Press(boot_of("b12n11"), 1, "b1", "panic", Gesture.HOLD)
    zone.does(PressArrived("b12n1", press, digest_of(encode(press)), 0))
    await until(lambda: zone.modem.sent)
    zone.s = 120
    zone.does(Woken())
    yield zone
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_taking_stops_the_wider_ring_within_three_seconds_and_the_ring_on_duty_goes_on(zone: Zone) -> None:
    assert sum(one.notice.reason == "ESCALATED" for one in zone.queued.values()) == 21
    began = time.monotonic()
    zone.writes("rosa", "1")
    zone.modem.open.set()
    await until(lambda: ("juan", "taken") in zone.sent(), WITHIN_S)
    assert time.monotonic() - began < WITHIN_S
    assert {name for name, template in zone.sent() if template == "alarm"} <= {"rosa", "juan"}, "nobody of the wider ring"
    assert ("juan", "alarm") in zone.sent(), "the ring on duty is called until enough go"


async def test_weapons_are_out_to_everybody_who_knows_within_five_seconds_before_all_that_waits(zone: Zone) -> None:
    zone.writes("juan", "4")
    zone.modem.open.set()
    await until(lambda: ("rosa", "armed") in zone.sent(), 5)
    before = zone.sent()[1:zone.sent().index(("rosa", "armed"))]
    assert all(template == "armed" for _, template in before), "but for what was under way, nothing went before it"
