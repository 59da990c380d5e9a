"""`cuadra journal replay`: fold a zone's journal, and print what its rules stand on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from controller.entries import Chain
from controller.errors import BadConfig
from controller.journal_options import ChainOption, DatabaseOption, ZoneOption, entries_of, opened
from controller.records.words import moment
from controller.rules.picture import Picture, picture
from controller.rules.state import ZoneState


def replay(
    database_url: DatabaseOption,
    zone: ZoneOption = None,
    chain: ChainOption = Chain.OPEN,
    at: Annotated[str | None, typer.Option("--at", help="As it stood then, a UTC time such as 2026-09-22T02:14:00; else as it stands now.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The whole picture, on one line.")] = False,
) -> None:
    """Print the open incidents, timers, pending notices, faults and nodes that the journal folds to: what the gateway stands on.

    It would start from the same. Nothing is decided again. The running gateway logs its own, of the open chain, on SIGUSR1.
    """
    until_ms = _instant(at) if at is not None else None
    engine, zone = opened(database_url, zone)
    state = ZoneState()
    for one in Chain:
        for entry in entries_of(engine, zone, one):
            if until_ms is None or entry.at_ms <= until_ms:
                state.apply(one, entry.at_ms, entry.body)
    seen = picture(state, chain)
    if json:
        typer.echo(msgspec.json.encode(seen).decode())
        return
    for line in _lines(zone, seen):
        typer.echo(line)


def _instant(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise BadConfig([f"--at {text!r}: no time; expected one such as 2026-09-22T02:14:00 (UTC); correct it"]) from fault
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _lines(zone: str, seen: Picture) -> Iterator[str]:
    yield f"zone {zone}, {seen.chain.value} chain: registry {seen.registry[:12] or 'none'}, policy {seen.policy or 'none'}"
    yield f"{len(seen.incidents)} open incidents"
    for one in seen.incidents:
        marks = "".join(f", {mark}" for mark, so in (("drill", one.drill), ("late", one.late), ("taken back", one.cancelled)) if so)
        going = f", by {' '.join(one.takers)}" if one.takers else ""
        due = f"; step {one.step} due {moment(one.due_at_ms)}" if one.due_at_ms is not None else ""
        what = f"{one.kind} in {one.block}, opened {moment(one.opened_at_ms)}, {one.state}{going}{marks}"
        yield f"  {one.id} {one.code}  {what}, {one.presses} presses{due}"
    yield f"{len(seen.timers)} timers"
    for timer in seen.timers:
        yield f"  {timer.timer} of {timer.subject} rings {moment(timer.due_at_ms)}"
    yield f"{len(seen.pending)} other things pending"
    for each in seen.pending:
        until = f", {moment(each.until_at_ms)}" if each.until_at_ms else ""
        yield f"  {each.what} {each.subject}{until}: {each.detail}"
    yield f"{len(seen.notices)} pending notices"
    for notice in seen.notices:
        due = f", not before {moment(notice.due_at_ms)}" if notice.due_at_ms else ", with a summary" if notice.held else ""
        who = notice.member or "an unknown sender"
        yield f"  {notice.id}  {notice.template} to {who} by {notice.channel} ({notice.reason}), try {notice.attempt}{due}"
    yield f"{len(seen.faults)} faults"
    for fault in seen.faults:
        yield f"  {fault.subject} {fault.code}, since {moment(fault.raised_at_ms)}{f': {fault.detail}' if fault.detail else ''}"
    yield f"{len(seen.nodes)} nodes"
    for node in seen.nodes:
        test = f", in test mode since {moment(node.test_mode_since_ms)}" if node.test_mode_since_ms else ""
        yield f"  {node.node}  life {node.boot[:8] or 'unknown'} since {moment(node.came_at_ms)}{', gone' if node.gone else ''}{test}"
