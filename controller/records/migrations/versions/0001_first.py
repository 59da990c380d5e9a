"""The first tables: both chains, their projections, people apart, the registry."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    """Make them."""
    op.create_table("block",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("name"), _text("meeting_point"), _text("landmark"), _text("vehicle_point"),
        sa.Column("latitude", sa.Float(precision=53), nullable=True),
        sa.Column("longitude", sa.Float(precision=53), nullable=True),
        _number("rev"), _text("author"), _text("origin"), _number("retired_rev"),
        sa.PrimaryKeyConstraint("zone", "id", name=op.f("pk_block")),
        sqlite_with_rowid=False,
    )
    op.create_table("checkpoint",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("zone", "chain", "seq", "at_ms", name=op.f("pk_checkpoint")),
        sqlite_with_rowid=False,
    )
    op.create_table("district",
        sa.Column("zone", sa.Text, nullable=False),
        _text("id"), _text("name"), _text("timezone"), _text("language"), _number("rev"), _text("author"),
        _text("origin"), _number("retired_rev"),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_district")),
        sqlite_with_rowid=False,
    )
    op.create_table("fault",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("fault", sa.Text, nullable=False),
        _text("chain"), _text("subject"), _text("code"), _text("detail"), _number("raised_at_ms"),
        _number("ended_at_ms"),
        sa.PrimaryKeyConstraint("zone", "fault", name=op.f("pk_fault")),
        sqlite_with_rowid=False,
    )
    op.create_table("incident",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("incident", sa.Text, nullable=False),
        _text("chain"), _text("block"), _text("kind"), _text("code"), _text("node"), _text("input"), _text("state"),
        _text("by"), _text("outcome"), _text("taken_by"), _number("silent"), _number("drill"), _number("late"),
        _number("pressed_from_at_ms"), _number("pressed_to_at_ms"), _number("opened_at_ms"), _number("moved_at_ms"),
        _number("taken_at_ms"), _number("closed_at_ms"), _number("step"), _number("step_due_at_ms"),
        sa.PrimaryKeyConstraint("zone", "incident", name=op.f("pk_incident")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_incident_zone_incident_block_incident_closed_at_ms"), "incident", ["zone", "block", "closed_at_ms"], unique=False)
    op.create_index(op.f("ix_incident_zone_incident_closed_at_ms"), "incident", ["zone", "closed_at_ms"], unique=False)
    op.create_table("journal",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("zone", "chain", "seq", name=op.f("pk_journal")),
        sqlite_with_rowid=False,
    )
    op.create_table("member",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("call_sign"), _text("roles"), _text("language"), _text("name_ref"), _number("rev"), _text("author"),
        _text("origin"), _number("retired_rev"),
        sa.PrimaryKeyConstraint("zone", "id", name=op.f("pk_member")),
        sqlite_with_rowid=False,
    )
    op.create_table("node_state",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        _text("boot"), _text("firmware"), _number("settings_rev"), _number("online"), _number("came_at_ms"),
        _number("went_at_ms"), _number("pressed_at_ms"), _number("asked_at_ms"), _number("answered_ok"),
        sa.PrimaryKeyConstraint("zone", "node", name=op.f("pk_node_state")),
        sqlite_with_rowid=False,
    )
    op.create_table("notice",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        _text("chain"), _text("incident"), _text("fault"), _text("member"), _text("channel"), _text("template"),
        _text("reason"), _number("priority"), _number("number"), _text("state"), _number("attempt"), _text("ref"),
        _text("why"), _number("queued_at_ms"), _number("moved_at_ms"), _number("due_at_ms"),
        sa.PrimaryKeyConstraint("zone", "notice", name=op.f("pk_notice")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notice_zone_notice_incident"), "notice", ["zone", "incident"], unique=False)
    op.create_table("press",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("boot", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        _text("chain"), _number("journal_seq"),
        sa.PrimaryKeyConstraint("zone", "node", "boot", "seq", "digest", name=op.f("pk_press")),
        sqlite_with_rowid=False,
    )
    op.create_table("private",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("person"), _text("kind"),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("lookup_hmac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("zone", "id", name=op.f("pk_private")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_private_zone_private_lookup_hmac"), "private", ["zone", "lookup_hmac"], unique=False)
    op.create_index(op.f("ix_private_zone_private_person"), "private", ["zone", "person"], unique=False)
    op.create_table("registry_revision",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False, autoincrement=False),
        _text("version"), _number("at_ms"), _text("author"),
        sa.PrimaryKeyConstraint("zone", "rev", name=op.f("pk_registry_revision")),
        sqlite_with_rowid=False,
    )
    op.create_table("zone",
        sa.Column("zone", sa.Text, nullable=False),
        _text("name"), _text("district"), _number("rev"), _text("author"), _text("origin"), _number("retired_rev"),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_zone")),
        sqlite_with_rowid=False,
    )
    op.create_table("contact",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        _text("channel"), _text("address_ref"), _number("rev"), _text("author"), _text("origin"),
        _number("retired_rev"),
        sa.ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"], name=op.f("fk_contact_member")),
        sa.PrimaryKeyConstraint("zone", "member", "position", name=op.f("pk_contact")),
        sqlite_with_rowid=False,
    )
    op.create_table("node",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("block"), _text("public_key"), _number("rev"), _text("author"), _text("origin"),
        _number("retired_rev"),
        sa.ForeignKeyConstraint(["zone", "block"], ["block.zone", "block.id"], name=op.f("fk_node_block")),
        sa.PrimaryKeyConstraint("zone", "id", name=op.f("pk_node")),
        sqlite_with_rowid=False,
    )
    op.create_table("shift",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("member"), _text("role"), _text("starts"), _text("ends"), _text("weekdays"), _text("blocks"),
        _text("since"), _text("until"), _number("rev"), _text("author"), _text("origin"), _number("retired_rev"),
        sa.ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"], name=op.f("fk_shift_member")),
        sa.PrimaryKeyConstraint("zone", "id", name=op.f("pk_shift")),
        sqlite_with_rowid=False,
    )
    op.create_table("input",
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        _text("kind"), _text("address_ref"), _text("excludes"), _number("rev"), _text("author"), _text("origin"),
        _number("retired_rev"),
        sa.ForeignKeyConstraint(["zone", "node"], ["node.zone", "node.id"], name=op.f("fk_input_node")),
        sa.PrimaryKeyConstraint("zone", "node", "id", name=op.f("pk_input")),
        sqlite_with_rowid=False,
    )
