"""The zones of a made-up district: blocks on a slope, their nodes, who is on duty, and how each member is reached."""

import hashlib
from collections.abc import Mapping
from datetime import time
from functools import lru_cache
from typing import Final, NamedTuple

from controller.authentication import PrivateKey
from controller.records.private import Private
from controller.registry import Block, Contact, District, Input, Member, Node, Registry, Role, Shift, Zone
from node_firmware.config import InputPins
from simulators import demo_keys

NODES: Final = 40
PAIRED: Final = 5
"""Each so-many-th block has two nodes."""
DISTRICT: Final = District("vmt", "Villa María del Triunfo")
ALL_DAY: Final = time(0, 0)
BUTTONS: Final = {"b1": "panic", "m1": "medical", "f1": "fire"}
HIDDEN: Final = {"h1": "violence", "x1": "extortion"}


class Person(NamedTuple):
    """A member as the town knows them: who they are, and by which addresses they are reached, in this order."""

    id: str
    roles: tuple[Role, ...]
    contacts: tuple[tuple[str, str], ...]
    blocks: tuple[str, ...] = ()
    hours: tuple[int, int] = (0, 0)


class Town(NamedTuple):
    """One zone of it. wiring: of each node, by its id. excluded: (node, input) -> members whom it must never reach."""

    zone: str
    people: Mapping[str, Person]
    blocks: Mapping[str, tuple[str, ...]]
    wiring: Mapping[str, Mapping[str, InputPins]]
    excluded: Mapping[tuple[str, str], tuple[str, ...]]

    def block_of(self, node: str) -> str:
        """Where it stands."""
        return next(block for block, nodes in self.blocks.items() if node in nodes)


def town(zone: str, nodes: int = NODES) -> Town:
    """The zone with so many nodes: the same each time."""
    blocks: dict[str, tuple[str, ...]] = {}
    left, number = nodes, 0
    while left:
        number += 1
        here = 2 if number % PAIRED == 0 and left > 1 else 1
        block = f"{zone}b{number:02}"
        blocks[block] = tuple(f"{block}n{place}" for place in range(1, here + 1))
        left -= here
    wiring = {node: _wiring(place) for place, node in enumerate(node for its in blocks.values() for node in its)}
    excluded = {(node, name): (f"{zone}coord",) for place, node in enumerate(wiring) if place % 4 == 1 for name in HIDDEN if name in wiring[node]}
    return Town(zone, {one.id: one for one in _people(zone, list(blocks))}, blocks, wiring, excluded)


def _wiring(place: int) -> dict[str, InputPins]:
    inputs = {"b1": InputPins(pressed=17, released=27, kind="panic", light=22)}
    if place % 2 == 0:
        inputs["m1"] = InputPins(pressed=5, kind="medical", light=6)
    if place % 3 == 0:
        inputs["f1"] = InputPins(pressed=19, kind="fire", light=20)
    if place % 4 < 2:
        inputs["h1"] = InputPins(pressed=16, released=21, kind="violence")
    if place % 5 == 0:
        inputs["x1"] = InputPins(pressed=12, kind="extortion")
    if place % 10 == 3:
        inputs["t1"] = InputPins(pressed=13, kind="test", light=26)
    return inputs


def _people(zone: str, blocks: list[str]) -> list[Person]:
    number = int(hashlib.sha256(zone.encode()).hexdigest()[:6], 16) % 9000 + 1000

    def phone(place: int) -> tuple[str, str]:
        return "sms", f"+5190{number}{place:03}"

    def push(name: str) -> tuple[str, str]:
        return "apprise", f"json://push.example/{zone}/{name}"

    people = [
        Person(f"{zone}coord", (Role.COORDINATOR, Role.TRAINED_VIOLENCE), (phone(1), push("coord"))),
        Person(f"{zone}tech", (Role.TECHNICIAN,), (phone(2),)),
        Person(f"{zone}desk", (Role.POLICE_DESK,), (("dc09", f"dc09://127.0.0.1/{zone}"), phone(3))),
        Person(f"{zone}seren", (Role.SERENAZGO,), (phone(4),)),
        Person(f"{zone}fire", (Role.FIRE_BRIGADE,), (phone(5),)),
        Person(f"{zone}amb", (Role.AMBULANCE,), (phone(6),)),
        Person(f"{zone}vio1", (Role.TRAINED_VIOLENCE,), (phone(7),)),
        Person(f"{zone}vio2", (Role.TRAINED_VIOLENCE,), (push("vio2"), phone(8))),
        Person(f"{zone}ext1", (Role.TRAINED_EXTORTION,), (phone(9),)),
        Person(f"{zone}ext2", (Role.TRAINED_EXTORTION,), (phone(10),)),
    ]
    people += [Person(f"{zone}pat{n}", (Role.PATROL,), (phone(20 + n), phone(40 + n)) if n == 1 else (phone(20 + n),), hours=hours)
               for n, hours in enumerate(((6, 18), (6, 18), (18, 6), (18, 6), (0, 0)), 1)]
    for n, block in enumerate(blocks, 1):
        contacts = (push(f"rep{n}"), phone(60 + n)) if n % 3 == 0 else (phone(60 + n),)
        people.append(Person(f"{zone}rep{n:02}", (Role.REPRESENTATIVE,), contacts, blocks=(block,)))
    return people


def registry(town: Town, private: Private) -> Registry:
    """The town as its gateway knows it; the addresses are put away in `private`."""
    blocks = {block: Block(block, town.zone, f"Mz {block[-2:]}, AA.HH. Virgen de Lourdes", "local comunal") for block in town.blocks}
    nodes = {node: Node(node, town.zone, block, key(node).public) for block, its in town.blocks.items() for node in its}
    inputs: dict[tuple[str, str], Input] = {}
    for node, wiring in town.wiring.items():
        for name, pins in wiring.items():
            inputs[node, name] = Input(node, name, pins.kind, excludes=town.excluded.get((node, name), ()), number=len(inputs) % 999 + 1)
    members, shifts = {}, []
    for person in town.people.values():
        contacts = tuple(Contact(channel, private.put(person.id, channel, address)) for channel, address in person.contacts)
        members[person.id] = Member(person.id, town.zone, person.id.removeprefix(town.zone).capitalize(), person.roles, contacts=contacts)
        starts, ends = (time(hour) for hour in person.hours)
        shifts += [Shift(f"{person.id}-{role.value}", town.zone, person.id, role, starts, ends, blocks=person.blocks) for role in person.roles]
    zone = Zone(town.zone, f"Zona {town.zone[1:]}", DISTRICT.id)
    return Registry(1, f"town-{len(nodes)}", DISTRICT, zone, blocks, nodes, inputs, members, tuple(shifts))


@lru_cache(maxsize=4096)
def key(name: str) -> PrivateKey:
    """The key pair of a node or a gateway: the same in every run, and secret to nobody."""
    return demo_keys.private_key(name)
