"""The policies that were put in force, beside the file that a gateway starts from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    """Add their table, empty: the file goes on being what is in force."""
    op.create_table(
        "policy",
        sa.Column("zone", sa.Text, nullable=False), sa.Column("rev", sa.BigInteger, nullable=False, autoincrement=False),
        _text("version"), _text("text"), sa.Column("at_ms", sa.BigInteger, nullable=False, server_default="0"), _text("author"),
        sa.PrimaryKeyConstraint("zone", "rev", name="pk_policy"),
        sqlite_with_rowid=False,
    )
