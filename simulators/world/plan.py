"""What will happen, drawn before it does: hands at buttons, and everything that can break, each with its moment.

A plan is a list of events that stand by themselves: any of them can be left out, and nothing else changes, since whoever acts
in the world draws from a chance of their own. That is what makes a broken promise's story short.
"""

import random
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from simulators.world.town import Town

HOUR_MS: Final = 3_600_000
Touch = Literal["hold", "jabs", "tap", "cancel", "forced", "check-in", "brush"]


class Event(Struct, frozen=True, tag=True, kw_only=True):
    """Something that happens in a zone. at_ms: since the beginning of the world. for_ms: how long it lasts, for what lasts."""

    zone: str
    at_ms: int
    for_ms: int = 0


class Hand(Event, frozen=True):
    """Somebody is at a button. cut_ms: the node's power goes so long after its siren has started; -1: it stays."""

    node: str
    input: str
    touch: Touch
    cut_ms: int = -1


class PowerCut(Event, frozen=True):
    """A node has no power."""

    node: str


class NodeKilled(Event, frozen=True):
    """A node's process is killed; its machine runs on."""

    node: str


class CardFull(Event, frozen=True):
    """A node's card takes no more, or (slow) takes seconds for each write."""

    node: str
    slow: bool = False


class LinkCut(Event, frozen=True):
    """Nothing passes between a node and the broker."""

    node: str


class Weather(Event, frozen=True):
    """Messages of a node (or of all) are lost, repeated, late, and so in another order. Odds in hundredths."""

    node: str
    lost: int
    repeated: int
    late_ms: int


class BrokerGone(Event, frozen=True):
    """The broker is dead. forgets: what it kept is gone."""

    forgets: bool = False


class GatewayKilled(Event, frozen=True):
    """The gateway's process is killed. lands: what it was committing is on the disk, though nobody was told."""

    lands: bool = False


class RecordsFull(Event, frozen=True):
    """The gateway's disk takes no more, or (hangs) answers only at the end of it."""

    hangs: bool = False


class ClockSet(Event, frozen=True):
    """The gateway's clock on the wall jumps."""

    by_s: int


class Trouble(Event, frozen=True):
    """A way of telling is in a mood: `stuck` (says so), `failing`, `mute` (accepts, and nothing arrives), `unreported`, `hung`, `refusing`."""

    channel: str
    mood: Literal["stuck", "failing", "mute", "unreported", "hung", "refusing"]


class Wrote(Event, frozen=True):
    """A member, or a stranger, writes without being asked."""

    person: str
    text: str


AnyEvent = Hand | PowerCut | NodeKilled | CardFull | LinkCut | Weather | BrokerGone | GatewayKilled | RecordsFull | ClockSet | Trouble | Wrote


class Plan(Struct, frozen=True):
    """A whole run. hours: with faults; after them all is well for `rest_ms`, and everything must come right. nodes: a zone's."""

    seed: str
    zones: tuple[str, ...]
    hours: float
    nodes: int
    events: tuple[AnyEvent, ...]
    trouble: float = 1.0
    rest_ms: int = 4 * HOUR_MS

    @property
    def ends_ms(self) -> int:
        """When the faults stop."""
        return int(self.hours * HOUR_MS)


def encode(plan: Plan) -> bytes:
    """As a file holds it."""
    return msgspec.json.format(msgspec.json.encode(plan))


def decode(data: bytes) -> Plan:
    """Read back. Raises msgspec.ValidationError."""
    return msgspec.json.decode(data, type=Plan)


PER_HOUR: Final = {"emergencies": 0.35, "fingers": 0.25, "node": 0.5, "links": 0.35, "gateway": 0.2, "channels": 0.15, "texts": 0.1}
"""How much happens in a zone, an hour: every night is a bad one."""


def draw(seed: str, towns: list[Town], hours: float, trouble: float = 1.0) -> Plan:
    """The plan of a seed. trouble: how many times as much happens."""
    events: list[AnyEvent] = []
    for town in towns:
        for draws in (_hands, _node, _links, _gateway, _channels, _texts):
            chance = random.Random(f"{seed}/{town.zone}/{draws.__name__}")
            events += draws(chance, town, hours, trouble)
    events.sort(key=lambda event: event.at_ms)
    return Plan(seed, tuple(town.zone for town in towns), hours, sum(len(nodes) for nodes in towns[0].blocks.values()), tuple(events), trouble)


def _times(chance: random.Random, per_hour: float, hours: float) -> list[int]:
    """Moments, without memory: sometimes many in a row."""
    at, found = 60_000.0, list[int]()
    while True:
        at += chance.expovariate(per_hour / HOUR_MS)
        if at >= hours * HOUR_MS:
            return found
        found.append(int(at))


def _spell(chance: random.Random, *typical_s: float) -> int:
    return int(chance.choice(typical_s) * 1000 * chance.uniform(0.2, 1.8))


def _hands(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    """Emergencies, each in one block: a press, often more of them, sometimes taken back; and idle fingers."""
    found: list[AnyEvent] = []
    zone = town.zone
    for at_ms in _times(chance, PER_HOUR["emergencies"] * trouble, hours):
        block = chance.choice(list(town.blocks))
        nodes = town.blocks[block]
        silent = chance.random() < 0.3
        at = at_ms
        for place in range(chance.choice([1, 1, 1, 2, 3, 6])):
            node = nodes[0] if place == 0 else chance.choice(nodes)
            inputs = [name for name, pins in town.wiring[node].items() if (pins.kind in {"violence", "extortion"}) is silent and pins.kind != "test"]
            if not inputs:
                continue
            name = chance.choice(inputs)
            cut_ms = chance.randrange(501) if chance.random() < 0.08 and not silent else -1
            found.append(Hand(zone=zone, at_ms=at, node=node, input=name, touch="jabs" if chance.random() < 0.2 else "hold", cut_ms=cut_ms,
                              for_ms=_spell(chance, 30, 300, 1800) if cut_ms >= 0 else 0))
            follow = chance.random()
            if follow < 0.12:
                touch: Touch = "forced" if chance.random() < 0.3 else "cancel"
                found.append(Hand(zone=zone, at_ms=at + _spell(chance, 8, 15, 60), node=node, input=name, touch=touch))
            elif follow < 0.2:
                found.append(Hand(zone=zone, at_ms=at + _spell(chance, 300, 1200), node=node, input=name, touch="tap"))
            at += 20_000 + _spell(chance, 20, 120, 1500)
    for at_ms in _times(chance, PER_HOUR["fingers"] * trouble, hours):
        node = chance.choice(list(town.wiring))
        found.append(Hand(zone=zone, at_ms=at_ms, node=node, input=chance.choice(list(town.wiring[node])),
                          touch=chance.choice(["tap", "brush", "check-in", "tap"])))
    return found


def _node(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    found: list[AnyEvent] = []
    makes: list[Callable[..., AnyEvent]] = [PowerCut, NodeKilled, CardFull, CardFull]
    for at_ms in _times(chance, PER_HOUR["node"] * trouble, hours):
        node = chance.choice(list(town.wiring))
        make = chance.choice(makes)
        more: dict[str, Any] = {"slow": chance.random() < 0.5} if make is CardFull else {}
        found.append(make(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 5, 60, 900), node=node, **more))
    return found


def _links(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    found: list[AnyEvent] = []
    for at_ms in _times(chance, PER_HOUR["links"] * trouble, hours):
        which = chance.random()
        node = chance.choice(list(town.wiring))
        if which < 0.4:
            found.append(LinkCut(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 5, 40, 600, 7200), node=node))
        elif which < 0.9:
            alone = which < 0.7
            found.append(Weather(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 60, 600, 1800), node=node if alone else "",
                                 lost=chance.choice([0, 10, 40, 80] if alone else [0, 5, 20]), repeated=chance.choice([0, 10, 50]),
                                 late_ms=chance.choice([0, 300, 3000, 20_000])))
        else:
            found.append(BrokerGone(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 3, 60, 1200), forgets=chance.random() < 0.5))
    return found


def _gateway(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    found: list[AnyEvent] = []
    for at_ms in _times(chance, PER_HOUR["gateway"] * trouble, hours):
        which = chance.random()
        if which < 0.55:
            found.append(GatewayKilled(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 3, 3, 60, 1200), lands=chance.random() < 0.5))
        elif which < 0.85:
            found.append(RecordsFull(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 1, 10, 300, 1800), hangs=chance.random() < 0.5))
        else:
            found.append(ClockSet(zone=town.zone, at_ms=at_ms, by_s=chance.choice([-7200, -600, -30, 30, 600, 7200])))
    # What is rare alone is likely together: a process is killed again soon after, or while its disk is full.
    again = [event.at_ms + _spell(chance, 2, 10, 60) for event in found if chance.random() < 0.3]
    return found + [GatewayKilled(zone=town.zone, at_ms=at_ms, for_ms=3000, lands=chance.random() < 0.5) for at_ms in again]


def _channels(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    return [Trouble(zone=town.zone, at_ms=at_ms, for_ms=_spell(chance, 30, 600, 3600), channel=chance.choice(["sms", "sms", "dc09", "apprise"]),
                    mood=chance.choice(["stuck", "failing", "mute", "unreported", "hung", "refusing"]))
            for at_ms in _times(chance, PER_HOUR["channels"] * trouble, hours)]


def _texts(chance: random.Random, town: Town, hours: float, trouble: float) -> list[AnyEvent]:
    words = ["1", "2", "3", "0", "9", "voy", "hola", "quien es", "1 K7F3", "prueba " + next(iter(town.wiring))]
    return [Wrote(zone=town.zone, at_ms=at_ms, person=chance.choice([*town.people, "stranger"]), text=chance.choice(words))
            for at_ms in _times(chance, PER_HOUR["texts"] * trouble, hours)]
