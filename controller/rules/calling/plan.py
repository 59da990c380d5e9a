"""A ring's time budget: who is told by which channel so that all are told in time, at the pace that the channels have.

A GSM modem takes 6 to 30 texts a minute: 1,600 people on one SIM take hours. So whoever can be reached another way leaves the
slow one to those who have nothing else, and a deadline that no plan can meet is found before somebody presses.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from controller.registry import Member
from controller.rules.telling import Way


class Load(Struct, frozen=True):
    """What one channel has to carry: so many notices, so many of them there before, at so many a minute."""

    channel: str
    notices: int
    before: int
    per_minute: int

    @property
    def done_s(self) -> float:
        """When the last one is through."""
        return (self.before + self.notices) * 60 / self.per_minute

    def __str__(self) -> str:
        before = f"{self.before} waiting + " if self.before else ""
        return f"{self.channel}: {before}{self.notices} at {self.per_minute} a minute = {self.done_s:.0f} s"


class Plan(Struct, frozen=True):
    """How a ring is told. ways: in the order of the members. out_of_reach: who has none of the channels."""

    ways: tuple[Way, ...]
    loads: tuple[Load, ...]
    out_of_reach: tuple[str, ...]

    @property
    def done_s(self) -> float:
        """When the last of them is told."""
        return max((load.done_s for load in self.loads), default=0.0)

    def __str__(self) -> str:
        return "; ".join(map(str, self.loads)) or "nobody"


def plan(
    members: Sequence[Member], channels: Collection[str], per_minute: Mapping[str, int], within_s: int, before: Mapping[str, int],
) -> Plan:
    """Give each member a way: the preferred one where it is in time, else the one that is through soonest.

    Those with one way alone come first, so that no other takes their place. per_minute: what each channel carries; before: what
    waits there already and goes first.
    """
    allowed = {member.id: list(dict.fromkeys(one.channel for one in member.contacts if one.channel in channels)) for member in members}
    carried: Counter[str] = Counter()
    chosen: dict[str, str] = {}

    def done_s(channel: str) -> float:
        return (before.get(channel, 0) + carried[channel] + 1) * 60 / per_minute[channel]

    for member in sorted(members, key=lambda member: len(allowed[member.id]) > 1):
        own = allowed[member.id]
        if own:
            preferred = own[0]
            channel = preferred if done_s(preferred) <= within_s else min(own, key=done_s)
            chosen[member.id] = channel
            carried[channel] += 1
    for member in reversed(members):
        # Whoever has a spare way makes room where it is too full for others.
        if member.id not in chosen:
            continue
        channel = chosen[member.id]
        if done_s(channel) - 60 / per_minute[channel] > within_s:
            spare = next((other for other in allowed[member.id] if done_s(other) <= within_s), None)
            if spare is not None:
                carried[channel] -= 1
                carried[spare] += 1
                chosen[member.id] = spare
    return Plan(
        tuple(Way(member.id, chosen[member.id]) for member in members if member.id in chosen),
        tuple(Load(channel, carried[channel], before.get(channel, 0), per_minute[channel]) for channel in sorted(+carried)),
        tuple(member.id for member in members if member.id not in chosen),
    )
