"""The policy: what each kind of press sets going, as data, parsed from TOML and checked whole.

A committee changes this file, not the code. Every decision names the version (a hash of the text) it was made under.
"""

import hashlib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field, to_builtins
from msgspec.structs import replace

from controller.errors import BadConfig
from controller.messages import InputSettings, KindSettings, Name, Pulse, Settings
from controller.registry import Input, Role
from controller.rules import policy_zones
from controller.rules.mending.fault_kinds import FAULT_KINDS
from controller.settings_file import convert

ChannelName = Literal["sms", "call", "dc09", "cap", "apprise", "webhook"]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]

TEST: Final = "test"
TAMPER: Final = "tamper"
ACCEPT_S: Final = 90
"""How long the police have to accept by a line of which the policy says nothing else."""
CONTINUOUS_MS: Final = 20_000
"""A tone as long as this without a pause is what people run from a tsunami or an earthquake for."""


class Police(StrEnum):
    """When the police are told."""

    IMMEDIATELY = "immediately"
    AFTER_VERIFICATION = "after-verification"    # a second press, or a member's word
    NEVER = "never"


class Visible(StrEnum):
    """Who may see an incident of a kind on pages."""

    CIRCLE = "circle"      # its circle alone
    DUTY = "duty"          # who is told of it, and who is on duty for its block
    MEMBERS = "members"    # every member of the zone
    PUBLIC = "public"      # everybody, without the house


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One ring of people: who is told, so long after the opening, while nobody has taken it.

    on_duty: only those on a shift for the block now; else everybody with the role. channels: those allowed, each member by
    the first of their contacts that is among them. within_s: by when all of the ring must be told, 0 leaves it open; members with
    several ways are then told by one that is in time. everybody: with it the whole zone is told, once, after everybody else.
    heard_s: when nobody of it has answered in any way by then, the next step is taken at once; 0: it has its time. until: what ends
    its calls; left out: `enough` for the first step, `taken` for the others.
    """

    after_s: Seconds
    roles: tuple[Role, ...]
    channels: tuple[ChannelName, ...] = ("sms", "apprise", "webhook")
    on_duty: bool = True
    within_s: Seconds = 0
    everybody: bool = False
    heard_s: Seconds = 0
    until: Literal["taken", "enough", "on-scene"] | None = None

    def until_at(self, place: int) -> str:
        """What ends its calls when it is the step at `place`, from 0."""
        return self.until or ("taken" if place else "enough")


class Codes(Struct, frozen=True, forbid_unknown_fields=True):
    """How machines are told: Contact ID and SIA codes (DC-09, section 7 of its facts), CAP category, event and severity."""

    cid: Annotated[str, Meta(pattern="^[0-9B-F]{3}$")]
    sia: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    restore_sia: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    cap_category: Literal["Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"] = "Security"
    cap_event: str = ""
    severity: Literal["Extreme", "Severe", "Moderate", "Minor"] = "Severe"


class Neighbours(Struct, frozen=True, forbid_unknown_fields=True):
    """What the blocks beside one that calls do: those on its list, and those of its zone within so many metres.

    strobe: they flash, without a sound. tell: the roles that are told, of those on duty there.
    """

    strobe: bool = True
    tell: tuple[Role, ...] = ()
    within_m: Annotated[int, Meta(ge=0, le=5000)] = 0
    channels: tuple[ChannelName, ...] = ("sms", "apprise", "webhook")


class Kind(Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of press sets going.

    rank: how serious; 0 is told first. group: presses of kinds of one group in one block within the join window are one
    emergency. enough: how many must have taken it before the ring on duty is left in peace. repeat_s: the pace at which
    the last step is repeated. cancel_s: how long a cancel stops the escalation.
    in_pairs: a lone taker is told to wait for a second. late_police_s: of a press that arrives late the police are told so long after
    it came, unless somebody is there by then; left out: as of any other. neighbours: what the blocks beside
    it do; left out: nothing.
    circle: for a silent kind, the roles that may know of it at all; empty for every other kind. visible: who may see it on pages;
    left out: its circle, or the zone's members.
    """

    audible: bool
    rank: Annotated[int, Meta(ge=0, le=99)]
    codes: Codes
    steps: tuple[Step, ...]
    group: Name = "street"
    hold_ms: Annotated[int, Meta(ge=200, le=10_000)] = 1000
    pattern: tuple[Pulse, ...] = ()
    police: Police = Police.NEVER
    siren: bool = False
    enough: Annotated[int, Meta(ge=1, le=20)] = 1
    repeat_s: Annotated[int, Meta(ge=30, le=3600)] = 180
    cancel_s: Annotated[int, Meta(ge=0, le=600)] = 30
    circle: tuple[Role, ...] = ()
    visible: Visible | None = None
    in_pairs: bool = False
    late_police_s: Seconds | None = None
    neighbours: Neighbours | None = None

    @property
    def silent(self) -> bool:
        """Only its circle may know of it, and its records are sealed."""
        return bool(self.circle)

    @property
    def seen_by(self) -> Visible:
        """Who may see it on pages."""
        return self.visible or (Visible.CIRCLE if self.silent else Visible.MEMBERS)

    def faults(self) -> Iterable[str]:
        """What the types cannot say; each begins with the field."""
        if self.audible and not self.pattern:
            yield "pattern: empty; expected the siren's on and off times in ms, since the kind is audible; add e.g. [[700, 300]]"
        if not self.audible and self.siren:
            yield "siren: true; expected false, since the kind is silent: a siren would tell the aggressor; correct one of the two"
        if not self.audible and self.neighbours is not None:
            yield "neighbours: set; expected none, since the kind is silent; remove it"
        if not self.audible and self.pattern:
            yield "pattern: set; expected none, since the kind is silent; remove it"
        for pulse in self.pattern:
            if pulse.on_ms <= 0 or pulse.off_ms <= 0 or pulse.on_ms > CONTINUOUS_MS:
                yield f"pattern: {list(pulse)}; expected times above 0, on at most {CONTINUOUS_MS}: a continuous tone means an earthquake; correct it"
        if not self.steps:
            yield "steps: none; expected at least one, or somebody's press would reach no one; add one"
        elif self.steps[0].after_s != 0:
            yield f"steps, #1 after_s: {self.steps[0].after_s}; expected 0: the first ring is told at once; correct it"
        for n, (earlier, later) in enumerate(zip(self.steps, self.steps[1:], strict=False), 2):
            if later.after_s <= earlier.after_s:
                yield f"steps, #{n} after_s: {later.after_s}; expected more than the {earlier.after_s} of the step before; correct the order"
            elif earlier.heard_s >= later.after_s - earlier.after_s:
                yield (f"steps, #{n - 1} heard_s: {earlier.heard_s}; expected less than the {later.after_s - earlier.after_s} s until the next step, "
                       "which is taken then in any case; correct it, or leave it out")
        if self.steps and self.steps[-1].heard_s:
            yield f"steps, #{len(self.steps)} heard_s: {self.steps[-1].heard_s}; expected none at the last step, which repeats; remove it"
        if self.silent and self.audible:
            yield "circle: set; expected none, since the kind is audible; correct one of the two"
        if self.silent and self.seen_by is not Visible.CIRCLE:
            yield f"visible: {self.seen_by.value!r}; expected \"circle\", since the kind is silent: nobody else may see one; correct it"
        if not self.silent and self.seen_by is Visible.CIRCLE:
            yield "visible: \"circle\"; expected another, since the kind has no circle; add the circle, or say who may see it"
        for n, step in enumerate(self.steps, 1):
            for role in step.roles:
                if self.silent and role not in self.circle:
                    yield f"steps, #{n} roles: {role.value!r} is not in the kind's circle; expected one of {', '.join(self.circle)}; correct it"
            if not step.roles:
                yield f"steps, #{n} roles: none; expected at least one role; add one"
            if self.silent and step.everybody:
                yield f"steps, #{n} everybody: true; expected false, since the kind is silent: only its circle may know; correct it"
            if not step.channels:
                yield f"steps, #{n} channels: none; expected at least one channel; add one"


class PolicePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Who the police are, and their lines in the order in which they are tried. Of a silent press only those of its circle are told.

    accept_s: by line, how long a named person there has to accept before the next line is tried. public_number: what whoever goes
    is told to call when none has accepted, and again after again_s, then at a slackening pace.
    public_numbers: further emergency numbers; no machine dials one of them all unless agreement names the document that allows it.
    """

    roles: tuple[Role, ...] = (Role.POLICE_DESK,)
    channels: tuple[ChannelName, ...] = ("dc09", "cap", "webhook", "sms")
    accept_s: dict[ChannelName, Annotated[int, Meta(ge=10, le=3600)]] = {}
    again_s: Annotated[int, Meta(ge=60, le=3600)] = 300
    public_number: Annotated[str, Meta(pattern="^[0-9 +*#-]{1,15}$")] = "105"
    public_numbers: tuple[Annotated[str, Meta(pattern="^[0-9]{2,15}$")], ...] = ("105", "106", "112", "115", "116", "117", "911")
    agreement: Annotated[str, Meta(max_length=200)] = ""

    def accept_s_of(self, channel: str) -> int:
        """How long a person has to accept by this line."""
        return next((s for line, s in self.accept_s.items() if line == channel), ACCEPT_S)


class Times(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for every kind.

    late_after_s: a press surely older than this is told without sirens. join_s: how long after its last press an incident
    takes further ones in. taken_s: taken and nobody on scene for so long: asked again. on_scene_s: how often whoever is on
    scene is asked how it goes. report_s: a text that no delivery report has followed by then goes the member's other way, too; 0: it
    does not. siren_s: how long a siren sounds. late_beats: so many missed beats make a node late; many_late: so many late nodes at
    once are one fault of the zone. fault_quiet_s: that a fault is mended is told when it has stayed away so long; one that comes back
    sooner is not told again. nobody_ahead_s: that nobody will be on duty is told so long before; 0: not at all.
    outage_nodes: so many nodes that lose their mains together are one power cut.
    battery_h: a battery that is low sooner after the mains went is weak. idle_days: a button's first press after so long is told to whoever mends;
    0: never. flap_times: a fault that has come so often within flap_s comes and goes: it is told once, until it has kept still half as long.
    """

    late_after_s: Annotated[int, Meta(ge=60, le=86_400)] = 600
    join_s: Annotated[int, Meta(ge=30, le=86_400)] = 1800
    taken_s: Annotated[int, Meta(ge=60, le=86_400)] = 900
    reopen_s: Annotated[int, Meta(ge=60, le=7200)] = 1800
    siren_s: Annotated[int, Meta(ge=5, le=900)] = 180
    beat_s: Annotated[int, Meta(ge=1, le=3600)] = 20
    fault_repeat_s: Annotated[int, Meta(ge=600, le=604_800)] = 86_400
    fault_quiet_s: Annotated[int, Meta(ge=0, le=86_400)] = 600
    on_scene_s: Annotated[int, Meta(ge=60, le=86_400)] = 600
    report_s: Annotated[int, Meta(ge=0, le=3600)] = 90
    late_beats: Annotated[int, Meta(ge=2, le=100)] = 3
    many_late: Annotated[int, Meta(ge=2, le=10_000)] = 5
    nobody_ahead_s: Annotated[int, Meta(ge=0, le=604_800)] = 21_600
    battery_h: Annotated[int, Meta(ge=1, le=168)] = 12
    idle_days: Annotated[int, Meta(ge=0, le=3650)] = 180
    flap_times: Annotated[int, Meta(ge=2, le=20)] = 4
    flap_s: Annotated[int, Meta(ge=600, le=86_400)] = 3600
    outage_nodes: Annotated[int, Meta(ge=2, le=10_000)] = 3


class FaultChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What a district changes of one fault's row: who hears of it, after how long, and how often they are reminded."""

    roles: tuple[Role, ...] = ()
    after_s: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    repeat_s: Annotated[int, Meta(ge=600, le=2_592_000)] | None = None


class FaultsPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told that something needs mending; `urgent` ones (nobody can be told, the record cannot be kept) go to both.

    block_roles: who hears what a block's own people can mend; roster_roles: who hears that nobody will be on duty. of: by
    the key of a fault's row (`node/late`), what is changed of it.
    """

    roles: tuple[Role, ...] = (Role.TECHNICIAN,)
    urgent_roles: tuple[Role, ...] = (Role.TECHNICIAN, Role.COORDINATOR)
    block_roles: tuple[Role, ...] = (Role.REPRESENTATIVE,)
    roster_roles: tuple[Role, ...] = (Role.COORDINATOR,)
    channels: tuple[ChannelName, ...] = ("sms", "apprise", "webhook")
    of: dict[str, FaultChange] = {}


class StormPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """When more blocks than this call within a minute, what calls a member further is collected into a summary every summary_s."""

    blocks: Annotated[int, Meta(ge=2, le=1000)] = 5
    summary_s: Annotated[int, Meta(ge=10, le=300)] = 30


class VerifyFirstPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """When an input that was faulty so often in so many days is verified first; a committee's decision holds for days_max at most."""

    times: Annotated[int, Meta(ge=1, le=20)] = 2
    within_days: Annotated[int, Meta(ge=1, le=365)] = 30
    days_max: Annotated[int, Meta(ge=1, le=365)] = 90


Hour = Annotated[int, Meta(ge=0, le=23)]


class Proof(Struct, frozen=True, forbid_unknown_fields=True):
    """When the network proves that it works. Hours are of the district's clock.

    tally_hour: when each node is asked how many presses it made, to be held against the record.
    """

    tally_hour: Hour = 3
    canary_hour: Hour | None = None
    """When a test press is sent each day through a node to the police's machine and a member's phone; without it none is."""
    canary_roles: tuple[Role, ...] = (Role.TECHNICIAN,)
    """Whose phones take turns in that."""
    walk_days: Annotated[int, Meta(ge=1, le=366)] = 30
    """An input that no hand has tried for so long is somebody's to try: the block's representative is reminded."""
    walk_grace_days: Annotated[int, Meta(ge=1, le=90)] = 7
    """So long after the reminder it is a fault; the reminder comes again at that pace."""
    walk_hour: Hour = 10
    """When that is looked at."""


PerMinute = Annotated[int, Meta(ge=1, le=60_000)]


class Paces(Struct, frozen=True, forbid_unknown_fields=True):
    """How many notices a minute each channel takes, as long as it has not been measured: what plans are made from."""

    sms: PerMinute = 12
    call: PerMinute = 2
    dc09: PerMinute = 120
    cap: PerMinute = 120
    apprise: PerMinute = 900
    webhook: PerMinute = 900


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    kinds: dict[Name, Kind]
    forced: Name = "extortion"
    """The silent kind that a forced cancel raises."""
    times: Times = field(default_factory=Times)
    police: PolicePolicy = field(default_factory=PolicePolicy)
    faults_to: FaultsPolicy = field(default_factory=FaultsPolicy)
    proof: Proof = field(default_factory=Proof)
    verify_first: VerifyFirstPolicy = field(default_factory=VerifyFirstPolicy)
    paces: Paces = field(default_factory=Paces)
    storm: StormPolicy = field(default_factory=StormPolicy)

    def faults(self) -> Iterable[str]:
        for name, kind in self.kinds.items():
            for fault in kind.faults():
                yield f"[kinds.{name}] {fault}"
        for needed in (TEST, TAMPER):
            if needed not in self.kinds:
                yield f"[kinds.{needed}]: missing; expected it, since nodes send presses of this kind by themselves; add it"
        if self.forced not in self.kinds or self.kinds[self.forced].audible:
            yield f"forced: {self.forced!r}; expected a silent kind: its circle is told when somebody cancels under threat; correct it"
        for name in self.faults_to.of.keys() - FAULT_KINDS.keys():
            yield f"[faults_to.of.{name!r}]: no such fault; expected one of {', '.join(FAULT_KINDS)}; correct it"
        patterns: dict[tuple[Pulse, ...], str] = {}
        for name, kind in self.kinds.items():
            if kind.pattern:
                if kind.pattern in patterns:
                    yield (f"[kinds.{name}] pattern: the same as of {patterns[kind.pattern]}; expected one of its own, so that "
                           "ears tell them apart; change it")
                patterns[kind.pattern] = name
            yield from self._group_faults(name, kind)

    def _group_faults(self, name: str, kind: Kind) -> Iterable[str]:
        if kind.silent and kind.police is not Police.NEVER and not set(kind.circle) & set(self.police.roles):
            yield (f"[kinds.{name}] police: {kind.police.value!r}, and none of [police] roles is in the kind's circle; expected one of "
                   f"{', '.join(self.police.roles)} there, or \"never\": nobody outside the circle is told; correct one of the two")
        if kind.silent and name in (TEST, TAMPER):
            yield f"[kinds.{name}] circle: set; expected none, since nodes send presses of this kind by themselves, openly; remove it"
        if not kind.silent and not kind.audible and name != TAMPER:
            yield f"[kinds.{name}] circle: none; expected the roles that may know of a silent press; add them"
        for other, its in self.kinds.items():
            if other != name and its.group == kind.group and not (kind.audible and its.audible and TEST not in (name, other)):
                yield (f"[kinds.{name}] group: {kind.group!r}, as {other}; expected a group of its own: a silent press joined to "
                       "another would be revealed, and a test is no emergency; correct it")


class Policy:
    """A policy that was checked whole: the district's, or one zone's own.

    text: as it was written; version: the first 16 hex digits of its SHA-256, the same for every zone.
    """

    def __init__(self, text: str, file: _File, zone: str = "", zones: Mapping[str, _File] | None = None) -> None:
        self._file = file
        self._district = file
        self._zones = dict(zones or {})
        if zone in self._zones:
            self._file = file = self._zones[zone]
        self.text = text
        self.zone = zone
        self.version = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.kinds: Mapping[str, Kind] = file.kinds
        self.kept: frozenset[str] = frozenset()
        """Those of them that are an earlier policy's."""
        self.forced = file.forced
        self.times = file.times
        self.police = file.police
        self.faults_to = file.faults_to
        self.verify_first = file.verify_first
        self.storm = file.storm
        self.proof = file.proof
        self.paces: Mapping[str, int] = to_builtins(file.paces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and (other.text, other.zone) == (self.text, self.zone)

    def __hash__(self) -> int:
        return hash(self.text)

    @classmethod
    def parse(cls, text: str, where: str = "policy", zone: str = "") -> "Policy":
        """Read a policy's TOML; `where` begins each fault. zone: whose policy it is to be; empty: the district's.

        Raises BadConfig with every fault of it, of every zone's part too.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            raise BadConfig([f"{where}: cannot be read as TOML ({fault}); correct that place"]) from fault
        district, zones = policy_zones.checked(data, where, lambda table, path: convert(table, _File, path))
        return cls(text, district, zone, zones)

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that it has something of their own for."""
        return tuple(self._zones)

    def for_zone(self, zone: str) -> "Policy":
        """What it says for this zone."""
        return self if zone == self.zone else Policy(self.text, self._district, zone, self._zones)

    def keeping(self, earlier: Iterable["Policy"]) -> "Policy":
        """This policy with the silent kinds of earlier ones, the newest last, that it does not know itself.

        What was a secret of its circle stays one until policy or registry is corrected: a hidden button must not sound a siren.
        """
        kept = {name: replace(kind, group=f"{name} (kept)") for one in earlier for name, kind in one.kinds.items()
                if kind.silent and name not in self.kinds}
        if not kept:
            return self
        wider = Policy(self.text, replace(self._file, kinds={**kept, **self.kinds}))
        wider.zone, wider._district, wider._zones = self.zone, self._district, self._zones
        wider.kept = self.kept | kept.keys()
        return wider

    def is_silent(self, kind: str) -> bool:
        """Whether a press of this kind is a secret of its own circle."""
        return kind != TAMPER and not self.kind(kind).audible

    def tells(self, kind: str, roles: Collection[Role], channels: Collection[str]) -> bool:
        """Whether a press of this kind is told to members with these roles and ways to reach them, before anybody verifies it."""
        its = self.kind(kind)
        lists = [(step.roles, step.channels) for step in its.steps]
        if its.police is Police.IMMEDIATELY:
            lists.append((self.police.roles, self.police.channels))
        known = set(roles) & set(its.circle) if its.silent else set(roles)
        return any(known.intersection(told) and set(channels).intersection(by) for told, by in lists)

    def kind(self, name: str) -> Kind:
        """The kind of that name; for one that no policy knows (an older node's) what holds for panic, or the most serious one."""
        found = self.kinds.get(name)
        return found if found is not None else self._unknown

    @cached_property
    def _unknown(self) -> Kind:
        open_kinds = (kind for name, kind in self.kinds.items() if not kind.silent and name not in (TEST, TAMPER))
        return self.kinds.get("panic") or min(open_kinds, key=lambda kind: kind.rank, default=self.kinds[TAMPER])

    def settings(self, boot: str, rev: int, inputs: Iterable[Input]) -> Settings:
        """What a node with these inputs must know, for its life `boot`."""
        known = {each.input: InputSettings(each.kind) for each in inputs if each.kind in self.kinds}
        times = self.times
        return Settings(boot, rev, self.node_kinds, known, times.siren_s, times.beat_s, self.kind("panic").cancel_s, times.reopen_s)

    @cached_property
    def node_kinds(self) -> dict[str, KindSettings]:
        """What nodes must know of the kinds."""
        return {
            name: KindSettings(audible=kind.audible, rank=kind.rank, hold_ms=kind.hold_ms, pattern=kind.pattern)
            for name, kind in self.kinds.items()
        }


@lru_cache(maxsize=64)
def earlier(text: str, zone: str) -> Policy | None:
    """A policy that was in force in a zone, as the journal has it; None when it cannot be read any more.

    What a later version of Cuadra would not let in any more stays what it was: its silent kinds are still somebody's secret.
    """
    try:
        district, zones = policy_zones.checked(tomllib.loads(text), "policy", lambda table, _: msgspec.convert(table, _File))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, BadConfig):
        return None
    return Policy(text, district, zone, zones)
