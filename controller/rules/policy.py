"""The policy: what each kind of press sets going, as data, parsed from TOML and checked whole.

A committee changes this file, not the code. Every decision names the version (a hash of the text) it was made under.
"""

import hashlib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, lru_cache

import msgspec
from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from controller.errors import BadConfig
from controller.messages import InputSettings, KindSettings, Name, Pulse, Settings
from controller.registry import Input, Role
from controller.rules import policy_zones
from controller.rules.mending.fault_kinds import FAULT_KINDS
from controller.rules.policy_kinds import TAMPER, TEST, Kind, Police
from controller.rules.policy_parts import FaultsPolicy, Paces, PolicePolicy, Proof, StormPolicy, Times, VerifyFirstPolicy
from controller.settings_file import convert


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
