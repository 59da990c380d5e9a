"""What the tables beside the journal say, as a fold over its entries: incidents, notices, nodes, faults.

Each entry changes columns of rows; later changes win. No entry is decided anew here, and nothing is counted, so that
folding an entry twice is folding it once.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Table

from controller import entries
from controller.entries import Body, Chain
from controller.records import tables

Value = str | int
Changes = dict[tuple[str, str], dict[str, Value]]
"""By table and the row's id: which columns have which value now."""

KEYS: Final[dict[str, Table]] = {
    "incident": tables.INCIDENT, "notice": tables.NOTICE, "node_state": tables.NODE_STATE, "fault": tables.FAULT,
}
"""The projections; the id of their rows is the key's second column."""

_TAKEN: Final = "taken"
_CLOSED: Final = "closed"


def fold(changes: Changes, chain: Chain, at_ms: int, body: Body) -> None:
    """Add to `changes` what the entry `body` changes."""
    step = _STEPS.get(type(body))
    if step is not None:
        for table, row, columns in step(chain, at_ms, body):
            known = changes.get((table, row))
            if known is None:
                changes[table, row] = columns
            else:
                known.update(columns)


_Change = tuple[str, str, dict[str, Value]]


def _opened(chain: Chain, at_ms: int, body: entries.IncidentOpened) -> Iterable[_Change]:
    yield "incident", body.incident, {
        "chain": chain.value, "block": body.block, "kind": body.kind, "code": body.code, "node": body.node, "input": body.input,
        "state": "opened", "silent": body.silent, "drill": body.drill, "late": body.late,
        "pressed_from_at_ms": body.pressed_from_at_ms, "pressed_to_at_ms": body.pressed_to_at_ms,
        "opened_at_ms": at_ms, "moved_at_ms": at_ms,
    }


def _joined(_chain: Chain, _at_ms: int, body: entries.IncidentJoined) -> Iterable[_Change]:
    if body.kind:
        yield "incident", body.incident, {"kind": body.kind}


def _moved(_chain: Chain, at_ms: int, body: entries.IncidentMoved) -> Iterable[_Change]:
    columns: dict[str, Value] = {"state": body.to, "by": body.by, "moved_at_ms": at_ms, "closed_at_ms": 0}
    if body.to == _TAKEN:
        columns |= {"taken_by": body.by, "taken_at_ms": at_ms}
    if body.to == _CLOSED:
        columns |= {"closed_at_ms": at_ms, "step_due_at_ms": 0}
    if body.outcome:
        columns["outcome"] = body.outcome
    yield "incident", body.incident, columns


def _step(_chain: Chain, _at_ms: int, body: entries.StepSet) -> Iterable[_Change]:
    yield "incident", body.incident, {"step": body.step, "step_due_at_ms": body.due_at_ms}


def _steps_ended(_chain: Chain, _at_ms: int, body: entries.StepsEnded) -> Iterable[_Change]:
    yield "incident", body.incident, {"step_due_at_ms": 0}


def _queued(chain: Chain, at_ms: int, body: entries.NoticesQueued) -> Iterable[_Change]:
    for notice in body.notices:
        yield "notice", notice.id, {
            "chain": chain.value, "incident": body.incident, "fault": body.fault, "member": notice.member, "channel": notice.channel,
            "template": notice.template, "reason": notice.reason, "priority": notice.priority, "number": notice.number,
            "state": "queued", "queued_at_ms": at_ms, "moved_at_ms": at_ms,
        }


def _notice_moved(_chain: Chain, at_ms: int, body: entries.NoticeMoved) -> Iterable[_Change]:
    columns: dict[str, Value] = {"state": body.to, "why": _text(body.why), "moved_at_ms": at_ms, "due_at_ms": body.due_at_ms}
    if body.attempt:
        columns["attempt"] = body.attempt
    if body.ref:
        columns["ref"] = _text(body.ref)
    yield "notice", body.notice, columns


def _judged(_chain: Chain, _at_ms: int, body: entries.IncidentJudged) -> Iterable[_Change]:
    yield "incident", body.incident, {"outcome": body.outcome}


def _merged(_chain: Chain, _at_ms: int, body: entries.IncidentMerged) -> Iterable[_Change]:
    if body.kind:
        yield "incident", body.into, {"kind": body.kind}


def _pressed(chain: Chain, at_ms: int, body: entries.PressRecorded) -> Iterable[_Change]:
    if chain is Chain.OPEN:
        yield "node_state", body.node, {"pressed_at_ms": at_ms}


def _came(_chain: Chain, at_ms: int, body: entries.NodeCame) -> Iterable[_Change]:
    yield "node_state", body.node, {
        "boot": body.boot, "firmware": _text(body.firmware), "settings_rev": body.settings_rev, "online": 1, "came_at_ms": at_ms,
    }


def _went(_chain: Chain, at_ms: int, body: entries.NodeWent) -> Iterable[_Change]:
    yield "node_state", body.node, {"online": 0, "went_at_ms": at_ms}


def _asked(_chain: Chain, at_ms: int, body: entries.NodeAskedRecorded) -> Iterable[_Change]:
    yield "node_state", body.node, {"asked_at_ms": at_ms, "answered_ok": body.ok}


def _fault(chain: Chain, at_ms: int, body: entries.FaultRaised) -> Iterable[_Change]:
    yield "fault", body.fault, {
        "chain": chain.value, "subject": _text(body.subject), "code": body.code, "detail": _text(body.detail), "raised_at_ms": at_ms,
        "ended_at_ms": 0,
    }


def _fault_ended(_chain: Chain, at_ms: int, body: entries.FaultEnded) -> Iterable[_Change]:
    yield "fault", body.fault, {"ended_at_ms": at_ms}


def _text(text: str) -> str:
    """PostgreSQL's texts cannot hold a NUL, which a node or a modem may send; the journal's bytes keep it."""
    return text.replace("\x00", "\ufffd")


_STEPS: Final[dict[type, Callable[..., Iterable[_Change]]]] = {
    entries.IncidentOpened: _opened,
    entries.IncidentJoined: _joined,
    entries.IncidentMoved: _moved,
    entries.IncidentJudged: _judged,
    entries.IncidentMerged: _merged,
    entries.StepSet: _step,
    entries.StepsEnded: _steps_ended,
    entries.NoticesQueued: _queued,
    entries.NoticeMoved: _notice_moved,
    entries.PressRecorded: _pressed,
    entries.NodeCame: _came,
    entries.NodeWent: _went,
    entries.NodeAskedRecorded: _asked,
    entries.FaultRaised: _fault,
    entries.FaultEnded: _fault_ended,
}
