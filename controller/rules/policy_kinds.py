"""The policy, what one kind of press sets going: its rings, its siren, the police, and who may see it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from controller.messages import Name, Pulse
from controller.registry import Role

ChannelName = Literal["sms", "call", "dc09", "cap", "apprise", "webhook"]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]
TEST: Final = "test"
TAMPER: Final = "tamper"
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
