"""Every table of the records: the design's section 7.

The journal is the truth; `press`, `incident`, `notice`, `node_state` and `fault` are its projections, changed in the same
transaction as the entries they fold. Every key starts with the zone, so that zones can share a database or be parted.
Times are UTC milliseconds; 0 means "not yet" and an empty text "none", so that no reader meets NULL where a number belongs.
No name, phone, address, channel URL or free text stands anywhere but in `private.ciphertext`.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

METADATA: Final = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(referred_table_name)s", "ix": "ix_%(column_0_N_label)s"}
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _key(name: str, kind: Any = Text) -> Column[Any]:  # noqa: ANN401 (any SQL type)
    return Column(name, kind, nullable=False, autoincrement=False, info={"key": True})


def _table(name: str, *parts: Any) -> Table:  # noqa: ANN401 (columns, constraints and indexes)
    keys = [part.name for part in parts if isinstance(part, Column) and "key" in part.info]
    # Clustered by its key: one tree to write instead of two.
    return Table(name, METADATA, *parts, PrimaryKeyConstraint(*keys), sqlite_with_rowid=False)


JOURNAL: Final = _table(
    "journal",
    _key("zone"), _key("chain"), _key("seq", BigInteger),
    Column("bytes", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
)
"""The two chains, verbatim: see `journal.py`."""

PRESS: Final = _table(
    "press",
    _key("zone"), _key("node"), _key("boot"), _key("seq", BigInteger), _key("digest"),
    _text("chain"), _number("journal_seq"),
)
"""Which presses are on record: what the inbox asks. The digest is part of the key, since another body is another press."""

INCIDENT: Final = _table(
    "incident",
    _key("zone"), _key("incident"),
    _text("chain"), _text("block"), _text("kind"), _text("code"), _text("node"), _text("input"),
    _text("state"), _text("by"), _text("outcome"), _text("taken_by"),
    _number("silent"), _number("drill"), _number("late"),
    _number("pressed_from_at_ms"), _number("pressed_to_at_ms"),
    _number("opened_at_ms"), _number("moved_at_ms"), _number("taken_at_ms"), _number("closed_at_ms"),
    _number("step"), _number("step_due_at_ms"),
    Index(None, "zone", "block", "closed_at_ms"),
    Index(None, "zone", "closed_at_ms"),
)
"""closed_at_ms 0: still open. step_due_at_ms 0: no step is due."""

NOTICE: Final = _table(
    "notice",
    _key("zone"), _key("notice"),
    _text("chain"), _text("incident"), _text("fault"), _text("member"), _text("channel"), _text("template"), _text("reason"),
    _number("priority"), _number("number"),
    _text("state"), _number("attempt"), _text("ref"), _text("why"),
    _number("queued_at_ms"), _number("moved_at_ms"), _number("due_at_ms"),
    Index(None, "zone", "incident"),
)

NODE_STATE: Final = _table(
    "node_state",
    _key("zone"), _key("node"),
    _text("boot"), _text("firmware"), _number("settings_rev"), _number("online"),
    _number("came_at_ms"), _number("went_at_ms"), _number("pressed_at_ms"), _number("asked_at_ms"), _number("answered_ok"),
)
"""From open entries alone: a silent press leaves no trace here."""

FAULT: Final = _table(
    "fault",
    _key("zone"), _key("fault"),
    _text("chain"), _text("subject"), _text("code"), _text("detail"), _number("raised_at_ms"), _number("ended_at_ms"),
)
"""ended_at_ms 0: it lasts."""

CHECKPOINT: Final = _table(
    "checkpoint",
    _key("zone"), _key("chain"), _key("seq", BigInteger), _key("at_ms", BigInteger),
    Column("note", Text, nullable=False),
)
"""The signed notes that the gateway made: see `checkpoint.py`."""

PRIVATE: Final = _table(
    "private",
    _key("zone"), _key("id"),
    _text("person"), _text("kind"),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("lookup_hmac", LargeBinary, nullable=True),
    Index(None, "zone", "lookup_hmac"),
    Index(None, "zone", "person"),
)
"""The one place for what is personal: see `private.py`."""


def _kept() -> tuple[Column[Any], ...]:
    """What every row of the registry bears: the revision of its last change, by whom and from where, and since when it is no more."""
    return _number("rev"), _text("author"), _text("origin"), _number("retired_rev")


DISTRICT: Final = _table("district", _key("zone"), _text("id"), _text("name"), _text("timezone"), _text("language"), *_kept())
"""Once a zone: a gateway's database holds its own zone and the district around it."""

ZONE: Final = _table("zone", _key("zone"), _text("name"), _text("district"), *_kept())

BLOCK: Final = _table(
    "block",
    _key("zone"), _key("id"),
    _text("name"), _text("meeting_point"), _text("landmark"), _text("vehicle_point"),
    Column("latitude", Float(53), nullable=True), Column("longitude", Float(53), nullable=True), _text("neighbours"),
    *_kept(),
)

NODE: Final = _table(
    "node",
    _key("zone"), _key("id"), _text("block"), _text("public_key"), *_kept(),
    ForeignKeyConstraint(["zone", "block"], ["block.zone", "block.id"]),
)

INPUT: Final = _table(
    "input",
    _key("zone"), _key("node"), _key("id"), _text("kind"), _text("address_ref"), _text("excludes"), _number("number"), *_kept(),
    ForeignKeyConstraint(["zone", "node"], ["node.zone", "node.id"]),
)
"""excludes: whom, with blanks between, in order. number: at receivers; a retired input keeps its own, so that nobody gets it by chance."""

MEMBER: Final = _table(
    "member",
    _key("zone"), _key("id"), _text("call_sign"), _text("roles"), _text("language"), _text("name_ref"), _text("household"), _text("station"),
    *_kept(),
)

CONTACT: Final = _table(
    "contact",
    _key("zone"), _key("member"), _key("position", Integer), _text("channel"), _text("address_ref"), *_kept(),
    ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"]),
)

SHIFT: Final = _table(
    "shift",
    _key("zone"), _key("id"), _text("member"), _text("role"), _text("starts"), _text("ends"), _text("weekdays"), _text("blocks"),
    _text("since"), _text("until"), _text("dates"), _text("except_on"), _text("holidays"), _number("hand_over"), *_kept(),
    ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"]),
)

SWAP: Final = _table(
    "swap",
    _key("zone"), _key("id"), _text("shift"), _text("day"), _text("member"), *_kept(),
    ForeignKeyConstraint(["zone", "shift"], ["shift.zone", "shift.id"]),
    ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"]),
)

HOLIDAY: Final = _table("holiday", _key("zone"), _key("day"), _text("name"), *_kept())
"""Once a zone, as the district is."""

REGISTRY_REVISION: Final = _table(
    "registry_revision",
    _key("zone"), _key("rev", BigInteger), _text("version"), _number("at_ms"), _text("author"),
)

POLICY: Final = _table(
    "policy",
    _key("zone"), _key("rev", BigInteger), _text("version"), _text("text"), _number("at_ms"), _text("author"),
)
"""The policies that were put: see `policy_store.py`. Which one is in force the journal says."""
