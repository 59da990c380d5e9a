"""The policy, what holds for every kind: the police's lines, times, whom faults reach, storms, what is verified first, proof, paces."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from controller.registry import Role
from controller.rules.policy_kinds import ChannelName

ACCEPT_S: Final = 90
"""How long the police have to accept by a line of which the policy says nothing else."""


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
HourOfDay = Annotated[int, Meta(ge=8, le=19)]


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
    siren_hour: HourOfDay | None = None
    """By day alone: when each siren sounds for a test, every siren_days, for siren_s; without it none does."""
    siren_days: Annotated[int, Meta(ge=7, le=366)] = 30
    siren_s: Annotated[int, Meta(ge=5, le=60)] = 60


PerMinute = Annotated[int, Meta(ge=1, le=60_000)]


class Paces(Struct, frozen=True, forbid_unknown_fields=True):
    """How many notices a minute each channel takes, as long as it has not been measured: what plans are made from."""

    sms: PerMinute = 12
    call: PerMinute = 2
    dc09: PerMinute = 120
    cap: PerMinute = 120
    apprise: PerMinute = 900
    webhook: PerMinute = 900
