"""Whom a silent input excludes, checked where it is set: nobody by mistake, and never everybody."""

from collections.abc import Collection, Mapping

from controller.records.private import PHONE_KINDS
from controller.records.registry_cells import Line
from controller.records.registry_draft import Draft
from controller.registry import excluded_members
from controller.rules.policy import Policy


def check(line: Line, draft: Draft, policy: Policy | None, channels: Mapping[str, Collection[str]], kind: str, excludes: Collection[str]) -> None:
    """Name what is wrong with the kind and the exclusions of an input. channels: by what each member is reached."""
    known = {word for one in draft.members.values() for word in (one.id, f"household:{one.household}", f"station:{one.station}")}
    for one in excludes:
        if one not in known:
            sort = one.partition(":")[0] if ":" in one else "id"
            line.fault("excludes", f"ids, households and stations of members of zone {draft.zone.id}", "correct it, or fill it in in members.csv",
                       found=f"found {'an' if sort == 'id' else 'a'} {sort} that no member has")
    out = excluded_members(excludes, draft.members.values())
    if policy is not None and kind and kind not in policy.kinds:
        # The rules would tell it as panic: whoever mistypes a silent kind would have it sound.
        line.fault("kind", f"one of the policy's kinds: {', '.join(policy.kinds)}", "correct it, or add the kind to the policy")
    elif policy is not None and policy.kind(kind).silent and not _told(draft, policy, channels, kind, out):
        if excludes:
            line.fault("excludes", f"somebody to be left who is told of {kind}", "exclude fewer, or add members first",
                       found="found exclusions that leave nobody")
        else:
            line.fault("kind", "a kind of which somebody is told, or a member with a contact in its circle", "add members first",
                       found=f"found {kind!r}, of which the policy tells none of the zone's members")
    for member in _shares(draft, policy, kind, out):
        line.fault("excludes", "members who share no address with anybody who may know of it", f"exclude {member}, too, or give each their own",
                   found=f"found one with an address of {member}, who is told")


def _told(draft: Draft, policy: Policy, channels: Mapping[str, Collection[str]], kind: str, out: Collection[str]) -> list[str]:
    """The members who are told of a press of this kind."""
    return [member.id for member in draft.members.values() if member.id not in out and policy.tells(kind, member.roles, channels[member.id])]


def _shares(draft: Draft, policy: Policy | None, kind: str, out: Collection[str]) -> list[str]:
    """The members of a silent kind's circle whose texts an excluded member would read."""
    if policy is None or not policy.kind(kind).silent:
        return []
    theirs = {_where(*contact) for member in out for contact in draft.contacts.get(member, ())}
    circle = set(policy.kind(kind).circle)
    return [member.id for member in draft.members.values()
            if member.id not in out and circle.intersection(member.roles)
            and theirs.intersection(_where(*contact) for contact in draft.contacts.get(member.id, ()))]


def _where(channel: str, address: str) -> tuple[str, str]:
    """Where a contact reaches somebody: texts and calls reach the same phone."""
    return "phone" if channel in PHONE_KINDS else channel, address
