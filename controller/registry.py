"""The configured network: district, zones, blocks, nodes, inputs, members, shifts. (The design's section 9.)

These are values without I/O: the rules read them. They come from CSV files and the database through
`controller/records/registry_store.py` and `registry_csv.py`. Every id is opaque and never used again. Nothing here is
personal: names, phone numbers, addresses of homes and channel URLs are private; what stands here is a reference
(`..._ref`) that only `controller/records/private.py` can open.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

from controller.messages import Name

PrivateRef = Annotated[str, Meta(pattern="^p-[0-9a-z]{8,32}$", description="the id of a private value")]
PublicKey = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="an X25519 public key in hex")]


EXCLUDED_PATTERN: Final = re.compile(r"^((household|station):)?[a-z0-9][a-z0-9-]{0,31}$")
Excluded = Annotated[str, Meta(pattern=EXCLUDED_PATTERN.pattern, description="a member, household:<id> or station:<id>")]


class Role(StrEnum):
    """What a member does in the network."""

    REPRESENTATIVE = "representative"
    PATROL = "patrol"
    COORDINATOR = "coordinator"
    POLICE_DESK = "police-desk"
    SERENAZGO = "serenazgo"
    FIRE_BRIGADE = "fire-brigade"
    AMBULANCE = "ambulance"
    CIVIL_DEFENCE = "civil-defence"
    TECHNICIAN = "technician"
    TRAINED_VIOLENCE = "trained-violence"
    TRAINED_EXTORTION = "trained-extortion"


class District(Struct, frozen=True):
    """The municipality."""

    id: Name
    name: str
    timezone: str = "America/Lima"
    language: str = "es"

    @property
    def tz(self) -> ZoneInfo:
        """Where its clocks stand."""
        return ZoneInfo(self.timezone)


class Zone(Struct, frozen=True):
    """A part of the district with its own committee and its own gateway."""

    id: Name
    name: str
    district: Name


class Block(Struct, frozen=True):
    """An urban block, addressed the way people on these hills do it."""

    id: Name
    zone: Name
    name: str
    """As the alarm text says it, e.g. `Mz C, AA.HH. Virgen de Lourdes`."""
    meeting_point: str
    landmark: str = ""
    vehicle_point: str = ""
    """The nearest point that a vehicle reaches."""
    latitude: float | None = None
    longitude: float | None = None
    neighbours: tuple[str, ...] = ()
    """Blocks that look out for this one, by list: `b13` of the same zone, `z2/b01` of another."""


class Node(Struct, frozen=True):
    """A Raspberry Pi with inputs and outputs."""

    id: Name
    zone: Name
    block: Name
    public_key: PublicKey


class Input(Struct, frozen=True):
    """A button or contact of a node.

    address_ref: the exact address (lot, floor, house), given only to who has taken the incident.
    excludes: whom a silent press here must never reach, by any way: a member by id, `household:<id>`, `station:<id>`.
    number: by which receivers tell this input from the zone's others, 1 to 999; theirs is a table on paper, so it stays
    the same whatever else changes, and is never given to another input by itself. 0: it has none.
    """

    node: Name
    input: Name
    kind: Name
    address_ref: PrivateRef | None = None
    excludes: tuple[Excluded, ...] = ()
    number: int = 0


class Contact(Struct, frozen=True):
    """One way to reach a member: channel is `sms`, `call`, `dc09`, `cap`, `apprise`, `webhook`; the address is private."""

    channel: Name
    address_ref: PrivateRef


class Member(Struct, frozen=True):
    """A person, or a desk, that is told. Appears to others under the call sign.

    contacts: in the order in which they are preferred. household: who lives under one roof bears one id; station: who serves in
    one, or one desk. A silent input can exclude either as a whole.
    """

    id: Name
    zone: Name
    call_sign: str
    roles: tuple[Role, ...]
    language: str = "es"
    name_ref: PrivateRef | None = None
    contacts: tuple[Contact, ...] = ()
    household: str = ""
    station: str = ""


class OnHolidays(StrEnum):
    """Whether a shift is served on the district's holidays."""

    ALSO = "also"
    NOT = "not"
    ONLY = "only"


HAND_OVER_MAX: Final = 240
"""Minutes; a shift that stays longer is a longer shift."""


class Shift(Struct, frozen=True):
    """When a member is on duty, in what role, and for which blocks.

    weekdays: 1 Monday to 7 Sunday, of the day on which the shift starts; empty: every day.
    starts, ends: local time in the district; an end not after the start lies on the next day (equal: 24 hours).
    blocks: empty for the whole zone. since, until: the first and last day on which it starts.
    dates: where there are any, the only days on which it starts. except_on: days on which it does not start.
    hand_over: for so many minutes after its end it goes on, beside whoever comes then.
    """

    id: Name
    zone: Name
    member: Name
    role: Role
    starts: time
    ends: time
    weekdays: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = ()
    blocks: tuple[Name, ...] = ()
    since: date | None = None
    until: date | None = None
    dates: tuple[date, ...] = ()
    except_on: tuple[date, ...] = ()
    holidays: OnHolidays = OnHolidays.ALSO
    hand_over: Annotated[int, Meta(ge=0, le=HAND_OVER_MAX)] = 0


class Swap(Struct, frozen=True):
    """Another member serves a shift that starts on a day."""

    id: Name
    zone: Name
    shift: Name
    day: date
    member: Name


class Holiday(Struct, frozen=True):
    """A day on which the district rests."""

    day: date
    name: str


class Registry(Struct, frozen=True):
    """The registry of one zone at one revision: what the rules decide from.

    rev rises with each change; version is the hash that decisions name.
    """

    rev: int
    version: str
    district: District
    zone: Zone
    blocks: Mapping[str, Block] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    inputs: Mapping[tuple[str, str], Input] = field(default_factory=dict)
    """By (node, input)."""
    members: Mapping[str, Member] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    swaps: tuple[Swap, ...] = ()
    holidays: tuple[Holiday, ...] = ()


def excluded_members(excludes: Collection[str], members: Iterable[Member]) -> frozenset[str]:
    """Whom an input's exclusions are, by id: members, and everybody of the households and stations among them."""
    return frozenset(
        member.id for member in members
        if member.id in excludes or f"household:{member.household}" in excludes or f"station:{member.station}" in excludes
    )


INPUT_NUMBER_MAX: Final = 999
"""What Contact ID has room for."""

TABLES: Final = ("district", "zones", "blocks", "nodes", "inputs", "members", "shifts", "swaps", "holidays")
"""The CSV files of a registry folder, without `.csv`."""
