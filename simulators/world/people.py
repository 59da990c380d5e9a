"""Members with their phones: who answers, who sleeps, who lies, who writes what nobody can read; and the ways that lead to them."""

import asyncio
import random
from collections.abc import Callable
from typing import Final, Literal

from controller.rules.effects import QueueNotice
from gateway.channels.channel import Delivered, Never, Outcome, PartState, Report, Sent, Telling, TryLater
from gateway.channels.channel import Wrote as TextCame
from simulators.world.gateway import GatewayHere
from simulators.world.leaping import Leaping
from simulators.world.town import Person, Town

Mood = Literal["awake", "slow", "asleep", "liar", "garbler"]
CALLS: Final = frozenset({"FIRST", "ESCALATED", "REPEAT_DUE", "LOOK", "POLICE", "CALL", "WELFARE"})
ASKS: Final = frozenset({"ASKED"})
PACE_MS: Final = {"sms": 2500, "apprise": 400, "dc09": 300, "webhook": 300, "cap": 500, "call": 20_000}
HANDS: Final = {"sms": 1, "apprise": 4, "dc09": 2, "webhook": 8, "cap": 2, "call": 1}
PARTS: Final = {"sms": "modem/sim1", "dc09": "receiver/police"}
GARBAGE: Final = ("quien es", "ok", "?", "no entiendo que es esto", "8", "11111", "voy o no voy")


class Phones:
    """What is delivered, and what people do about it."""

    def __init__(self, loop: Leaping, town: Town, seed: str, delivered: Callable[[str, str, Telling, QueueNotice], None],
                 wrote: Callable[[str, str], None]) -> None:
        """delivered: a person (or a stranger's number) has this by this channel. wrote: a person writes this, from their phone."""
        self._loop, self._town, self._seed = loop, town, seed
        self._delivered, self._wrote = delivered, wrote
        self._of = {address: person for person in town.people.values() for _, address in person.contacts}
        self._busy: set[tuple[str, str]] = set()
        self.well = False
        """The faults are over: everybody is awake."""
        chance = random.Random(f"{seed}/{town.zone}/moods")
        moods: list[Mood] = ["awake", "awake", "awake", "slow", "asleep", "asleep", "liar", "garbler"]
        self.moods: dict[str, Mood] = {name: chance.choice(moods) for name in town.people}

    def deliver(self, telling: Telling, channel: str, effect: QueueNotice) -> None:
        """It is on the phone, or the machine, behind its address."""
        person = self._of.get(telling.address)
        self._delivered(person.id if person is not None else telling.address, channel, telling, effect)
        if person is not None and channel in {"sms", "apprise"}:
            self._react(person, telling, effect)

    def _react(self, person: Person, telling: Telling, effect: QueueNotice) -> None:
        if telling.event is None or effect.notice.reason not in CALLS | ASKS:
            return
        code = telling.event.code
        chance = random.Random(f"{self._seed}/{person.id}/{telling.key}")
        mood = "awake" if self.well else self.moods[person.id]
        if effect.notice.reason in ASKS:
            if mood != "asleep" and chance.random() < (1 if self.well else 0.6):
                self._writes(person, chance, 60, f"2 {code}")
            return
        if (person.id, code) in self._busy and not self.well and chance.random() < 0.8:
            return
        self._busy.add((person.id, code))
        match mood:
            case "awake" if self.well or chance.random() < 0.7:
                goes_s = self._writes(person, chance, 60, f"{chance.choice(['1', '1', 'voy'])} {code}")
                there_s = goes_s + self._writes(person, chance, 500, f"{chance.choice(['2', 'llegue'])} {code}", goes_s)
                self._writes(person, chance, 900, f"{chance.choice(['3', '5', '5'])} {code}", there_s)
            case "slow":
                self._writes(person, chance, 1500, "1")
            case "liar":
                after = 0
                for word in chance.sample(["1", "3", "4", "0", "2", "9", "3"], 5):
                    after += self._writes(person, chance, 40, f"{word} {code}", after)
            case "garbler":
                self._writes(person, chance, 60, chance.choice(GARBAGE))
            case _:
                pass

    def _writes(self, person: Person, chance: random.Random, typical_s: int, text: str, after_s: int = 0) -> int:
        in_s = int(typical_s * chance.uniform(0.3, 1.7)) + 1
        self._loop.in_ms((after_s + in_s) * 1000, self._wrote, person.id, text)
        return in_s

    def address(self, person: str) -> str:
        """The phone that somebody writes from."""
        known = self._town.people.get(person)
        return next((address for channel, address in known.contacts if channel == "sms"), "") if known is not None else "+51987654321"


class Way:
    """A channel of the gateway as a stand-in: it has a pace, and moods."""

    def __init__(self, loop: Leaping, name: str, phones: Phones, seed: str, effect_of: Callable[[str], QueueNotice],
                 report: Callable[[Delivered], None]) -> None:
        self.name = name
        self.concurrency = HANDS[name]
        self.timeout_s = 90.0
        self.attempts_max = 5
        self.mood = ""
        self._loop, self._phones, self._effect_of, self._report = loop, phones, effect_of, report
        self._chance = random.Random(f"{seed}/{name}")
        self._sent = 0

    async def send(self, telling: Telling) -> Outcome:
        """Try once, as the mood is."""
        mood, effect = self.mood, self._effect_of(telling.key)
        try:
            match mood:
                case "hung":
                    await asyncio.sleep(100_000)
                case "stuck":
                    await asyncio.sleep(0.1)
                    return TryLater("nothing goes this way now", stuck=True)
                case "failing":
                    await asyncio.sleep(1)
                    return TryLater("the network is busy")
                case "refusing":
                    await asyncio.sleep(1)
                    return Never("this number does not exist")
                case _:
                    await asyncio.sleep(PACE_MS[self.name] / 1000)
        except asyncio.CancelledError:
            # Whoever is killed while it goes out does not know whether it went.
            if mood != "hung" and self._chance.random() < 0.5:
                self._goes(telling, effect, mood)
            raise
        self._goes(telling, effect, mood)
        self._sent += 1
        return Sent(f"{self.name}:{self._sent}")

    async def run(self, report: Report) -> None:
        """It lives with the world."""

    def _goes(self, telling: Telling, effect: QueueNotice, mood: str) -> None:
        if mood == "mute":
            return
        takes_ms = self._chance.randrange(1000, 6000) if self.name == "sms" else 50
        self._loop.in_ms(takes_ms, self._phones.deliver, telling, self.name, effect)
        if self.name == "sms" and mood != "unreported":
            self._loop.in_ms(takes_ms + 500, self._report, Delivered(telling.key, delivered=True))

    def part(self) -> PartState | None:
        """What it says of itself."""
        subject = PARTS.get(self.name)
        return PartState(subject, "no-network", faulty=self.mood == "stuck") if subject is not None else None


class Mailbox:
    """The texts that have come and are not on record yet: a gateway that starts reads them again."""

    def __init__(self, loop: Leaping) -> None:
        self._loop = loop
        self._texts: dict[str, TextCame] = {}
        self._number = 0
        self._gateway: GatewayHere | None = None

    def __len__(self) -> int:
        return len(self._texts)

    def came(self, address: str, text: str) -> None:
        """Somebody has written."""
        self._number += 1
        origin = f"{self._number}"
        self._texts[origin] = TextCame("sms", address, text, origin)
        self._give(origin)

    def read_by(self, gateway: GatewayHere | None) -> None:
        """A gateway has started (or, None, ended)."""
        self._gateway = gateway
        if gateway is not None:
            for origin in list(self._texts):
                self._give(origin)

    def _give(self, origin: str) -> None:
        gateway = self._gateway
        if gateway is not None and gateway.alive:
            future = gateway.text_came(self._texts[origin])
            future.add_done_callback(lambda done: self._done(gateway, origin, done))

    def _done(self, gateway: GatewayHere, origin: str, done: "asyncio.Future[None]") -> None:
        if done.cancelled() or not gateway.alive:
            return
        self._texts.pop(origin, None)
