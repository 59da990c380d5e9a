"""Single dates, exceptions, holidays, swaps and hand-over of shifts; neighbours of blocks; households and stations of members."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXTS = (("block", "neighbours"), ("member", "household"), ("member", "station"), ("shift", "dates"), ("shift", "except_on"), ("shift", "holidays"))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _kept() -> tuple[sa.Column[int] | sa.Column[str], ...]:
    return _number("rev"), _text("author"), _text("origin"), _number("retired_rev")


def upgrade() -> None:
    """Add them, empty: every shift goes on as it was."""
    for table, column in _TEXTS:
        op.add_column(table, _text(column))
    op.add_column("shift", _number("hand_over"))
    op.create_table(
        "swap",
        sa.Column("zone", sa.Text, nullable=False), sa.Column("id", sa.Text, nullable=False), _text("shift"), _text("day"), _text("member"), *_kept(),
        sa.PrimaryKeyConstraint("zone", "id", name="pk_swap"),
        sa.ForeignKeyConstraint(["zone", "shift"], ["shift.zone", "shift.id"], name="fk_swap_shift"),
        sa.ForeignKeyConstraint(["zone", "member"], ["member.zone", "member.id"], name="fk_swap_member"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holiday",
        sa.Column("zone", sa.Text, nullable=False), sa.Column("day", sa.Text, nullable=False), _text("name"), *_kept(),
        sa.PrimaryKeyConstraint("zone", "day", name="pk_holiday"),
        sqlite_with_rowid=False,
    )
