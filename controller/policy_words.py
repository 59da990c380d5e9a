"""An explained press in words: the timeline that `cuadra policy explain` prints, in the reader's language through the catalogue."""

from collections.abc import Iterator
from datetime import datetime

from controller.registry import Registry
from controller.rules.beforehand.explain import Explained, Told
from controller.rules.policy import Policy
from controller.rules.policy_kinds import TEST
from controller.texts import FALLBACK, LANGUAGES, catalogue


def reserved(language: str) -> str:
    """What stands before what only a silent kind's circle may see."""
    return catalogue(language if language in LANGUAGES else FALLBACK)["explain.reserved"]


def timeline(found: Explained, registry: Registry, policy: Policy, block: str, language: str) -> Iterator[str]:
    """Line by line: what the press is, who is told when by what and why, and how it goes on."""
    words = catalogue(language if language in LANGUAGES else FALLBACK)
    kind, where = policy.kind(found.kind), registry.blocks[block]
    yield words["explain.head"].format(kind=found.kind, block=block, name=where.name, zone=registry.zone.id,
                                       at=_moment(found.at_ms, registry, words), policy=policy.version, registry=registry.version[:12])
    if kind.audible and found.kind != TEST:
        yield _line(found, 0, registry, found.node, "", words["explain.own_siren"])
    for one in found.told:
        if one.siren:
            yield _line(found, one.s, registry, " ".join(one.siren), "", words["explain.siren"].format(s=policy.times.siren_s))
            continue
        member = registry.members[one.member]
        roles = ", ".join(words.get(f"role.{role}", role) for role in member.roles)
        yield _line(found, one.s, registry, f"{one.member} ({member.call_sign}; {roles})", one.channel, _why(one, registry, words))
    if not any(one.member for one in found.told):
        yield f"  {words['explain.nobody']}"
    if found.steady_s:
        yield f"  {words['explain.steady'].format(s=found.steady_s)}"
    if found.kind != TEST:
        yield f"  {words[f'explain.police.{kind.police.value}']}"
        yield f"  {words['explain.enough'].format(n=kind.enough)}"
        yield f"  {words['explain.cancel'].format(s=kind.cancel_s)}"
    yield f"  {words[f'explain.visible.{kind.seen_by.value}']}"


def _line(found: Explained, s: int, registry: Registry, who: str, channel: str, why: str) -> str:
    at = datetime.fromtimestamp(found.at_ms / 1000 + s, registry.district.tz)
    return f"  +{s:>4} s  {at:%H:%M:%S}  {who}  {channel + '  ' if channel else ''}{why}"


def _why(one: Told, registry: Registry, words: dict[str, str]) -> str:
    came_on = one.reason == "FIRST" and not one.ring
    reason = words["explain.came_on"] if came_on else words.get(f"explain.{one.reason}", one.reason)
    said = [reason.format(ring=one.ring)]
    if one.past:
        said.append(words["explain.past"].format(n=one.past))
    if one.ring and one.duty is None:
        said.append(words["explain.everybody"])
    elif one.duty is not None:
        since, until = one.duty
        if not since and not until:
            said.append(words["explain.duty.always"])
        else:
            began, ended = (_moment(at_ms, registry, words) if at_ms else "..." for at_ms in one.duty)
            said.append(words["explain.duty"].format(since=began, until=ended))
    return "; ".join(said)


def _moment(at_ms: float, registry: Registry, words: dict[str, str]) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, registry.district.tz)
    return f"{words['days'].split()[at.weekday()]} {at:%H:%M}"
