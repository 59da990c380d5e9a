"""A journal entry in plain words: one line for whoever reads the book, ids only."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from controller import entries
from controller.entries import Body


def moment(at_ms: int) -> str:
    """A time as it is read in lists: UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def tell(body: Body) -> str:
    """What the entry says, on one line; what a stranger sent cannot steer the terminal."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in _WORDS.get(type(body), _plain)(body))


def _press(body: entries.PressRecorded) -> str:
    pressed = moment(body.pressed_from_at_ms)
    if body.pressed_to_at_ms != body.pressed_from_at_ms:
        pressed = f"between {pressed} and {moment(body.pressed_to_at_ms)}"
    marks = "".join(f" ({mark})" for mark, so in (("drill", body.drill), ("late", body.late)) if so)
    conflict = f"; the same number came before with another body, {body.conflicts_with}" if body.conflicts_with else ""
    incident = f" incident {body.incident}" if body.incident else ""
    return f"{body.node} {body.input}: {body.kind} pressed ({body.gesture}), {pressed}: {body.meaning}{incident}{marks}{conflict}"


def _notices(body: entries.NoticesQueued) -> str:
    told = ", ".join(f"{notice.member or 'an unknown sender'} by {notice.channel} ({notice.reason})" for notice in body.notices)
    about = f"incident {body.incident}" if body.incident else f"fault {body.fault}" if body.fault else "an answer"
    return f"{about}: to be told: {told}"


def _opened(body: entries.IncidentOpened) -> str:
    marks = "".join(f" ({mark})" for mark, so in (("silent", body.silent), ("drill", body.drill), ("late", body.late)) if so)
    return f"incident {body.incident} opened: {body.kind} in {body.block}, code {body.code}{marks}"


def _joined(body: entries.IncidentJoined) -> str:
    return f"incident {body.incident}: joined by press {body.seq} of {body.node}{f', now {body.kind}' if body.kind else ''}"


def _moved(body: entries.IncidentMoved) -> str:
    return f"incident {body.incident}: {body.to} by {body.by}{_by(body.channel)}{f', {body.outcome}' if body.outcome else ''}"


def _noted(body: entries.IncidentNoted) -> str:
    return f"incident {body.incident}: {body.by} says {body.meaning}{_by(body.channel)}"


def _judged(body: entries.IncidentJudged) -> str:
    return f"incident {body.incident}: was {body.outcome}, says {body.by}{_by(body.channel)}"


def _offered(body: entries.IncidentOffered) -> str:
    return f"incident {body.incident}: {body.giver} would hand it over to {body.to}, says {body.by}{_by(body.channel)}"


def _merged(body: entries.IncidentMerged) -> str:
    now = f", now {body.kind}" if body.kind else ""
    return f"incident {body.incident}: goes on as {body.into}{now}, by {body.by}{_by(body.channel)}"


def _split(body: entries.IncidentSplit) -> str:
    return f"incident {body.incident}: press {body.seq} of {body.node} becomes {body.into}, by {body.by}{_by(body.channel)}"


def _verify_first(body: entries.VerifyFirstSet) -> str:
    until = f" until {moment(body.until_at_ms)}" if body.until_at_ms else ""
    return f"{body.node} {body.input}: verified first{until} ({body.cause}), by {body.by}{_by(body.channel)}"


def _measured(body: entries.IncidentMeasured) -> str:
    times = (("heard", body.heard_ms), ("taken", body.taken_ms), ("reached", body.on_scene_ms), ("accepted by the police", body.police_ms))
    said = ", ".join(f"{what} after {ms // 1000} s" if ms >= 0 else f"never {what}" for what, ms in times)
    return f"incident {body.incident}: {said}"


def _notice(body: entries.NoticeMoved) -> str:
    attempt = f" at attempt {body.attempt}" if body.attempt else ""
    again = f", again at {moment(body.due_at_ms)}" if body.due_at_ms else ""
    return f"notice {body.notice}: {body.to}{attempt}{f', {body.why}' if body.why else ''}{again}"


def _reply(body: entries.ReplyReceived) -> str:
    about = f" about incident {body.incident}" if body.incident else ""
    return f"{body.member or 'an unknown sender'} wrote by {body.channel}{about}: {body.meaning}"


def _came(body: entries.NodeCame) -> str:
    return f"{body.node} came, firmware {body.firmware or 'not said'}{'' if body.machine_restarted else ' (its process alone was restarted)'}"


def _order(body: entries.OrderSent) -> str:
    about = f" for incident {body.incident}" if body.incident else ""
    return f"{body.node}: order {body.order} sent by {body.by}{about}"


def _answered(body: entries.OrderAnswered) -> str:
    return f"{body.node}: order {body.id} {'done' if body.done else 'refused'}{f', {body.why}' if body.why else ''}"


def _asked(body: entries.NodeAskedRecorded) -> str:
    return f"{body.node} {body.input}: asked, answered {'all well' if body.ok else 'fault'}{f', {body.why}' if body.why else ''}"


def _fault(body: entries.FaultRaised) -> str:
    return f"fault {body.fault}: {body.subject} {body.code}{f' ({body.detail})' if body.detail else ''}"


def _exclusions(body: entries.ExclusionsInForce) -> str:
    said = "; ".join(f"{one.node} {one.input} never {' '.join(one.members)}" for one in body.exclusions)
    return f"exclusions in force: {said or 'none'}"


def _bad(body: entries.BadMessageKept) -> str:
    more = f", and {body.suppressed} more like it" if body.suppressed else ""
    return f"bad message ({body.sort}) on {body.topic}, {body.size} bytes: {body.why}{more}"


def _plain(body: Body) -> str:
    return ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(body).items())


def _by(channel: str) -> str:
    return f" by {channel}" if channel else ""


_WORDS: Final[dict[type[Body], Callable[[Any], str]]] = {
    entries.PressRecorded: _press,
    entries.IncidentOpened: _opened,
    entries.IncidentJoined: _joined,
    entries.IncidentMoved: _moved,
    entries.IncidentNoted: _noted,
    entries.IncidentJudged: _judged,
    entries.IncidentOffered: _offered,
    entries.IncidentMerged: _merged,
    entries.IncidentSplit: _split,
    entries.IncidentLooked: lambda body: f"incident {body.incident}: {body.by} looked at it{_by(body.channel)}",
    entries.IncidentMeasured: _measured,
    entries.StormCame: lambda body: f"a storm: {body.blocks} blocks have called within a minute",
    entries.StormWent: lambda _: "the storm is over",
    entries.VerifyFirstSet: _verify_first,
    entries.VerifyFirstEnded: lambda body: f"{body.node} {body.input}: verified first no more, by {body.by}{_by(body.channel)}",
    entries.StepSet: lambda body: f"incident {body.incident}: step {body.step} is due at {moment(body.due_at_ms)}",
    entries.TimerSet: lambda body: f"timer {body.timer} of {body.subject} " + (f"rings at {moment(body.due_at_ms)}" if body.due_at_ms else "is over"),
    entries.StepsEnded: lambda body: f"incident {body.incident}: no further step is due",
    entries.NoticesQueued: _notices,
    entries.NoticeMoved: _notice,
    entries.ReplyReceived: _reply,
    entries.NodeCame: _came,
    entries.NodeWent: lambda body: f"{body.node} went: the broker lost it",
    entries.SilentLifeCame: lambda body: f"{body.node} came (the life of its silent presses)",
    entries.OrderSent: _order,
    entries.OrderAnswered: _answered,
    entries.NodeAskedRecorded: _asked,
    entries.FaultRaised: _fault,
    entries.FaultEnded: lambda body: f"fault {body.fault} ended",
    entries.BatterySeen: lambda body: f"{body.node}: battery {body.mv} mV, {'on mains' if body.mains else 'without mains'}",
    entries.OutageSpread: lambda body: f"power cut {body.fault}: no mains in {' '.join(body.blocks)}",
    entries.BadMessageKept: _bad,
    entries.RegistryInForce: lambda body: f"registry in force: revision {body.rev}, {body.version[:12]}",
    entries.PolicyInForce: lambda body: f"policy in force: {body.version[:12]}",
    entries.ExclusionsInForce: _exclusions,
    entries.GatewayStarted: lambda body: f"gateway started, version {body.version}",
    entries.PaceMeasured: lambda body: f"{body.channel} accepts {body.per_minute} notices a minute",
    entries.SealedCommitted: lambda body: f"the sealed chain is held by {body.commitment[:12]}",
    entries.CommitmentOpened: lambda body: f"a commitment to entry {body.seq} is opened",
}
