"""Each input's number at receivers: kept with it, where it was its rank among the zone's inputs."""

from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER_MAX = 999
_INPUT = sa.table("input", sa.column("zone"), sa.column("node"), sa.column("id"), sa.column("retired_rev"), sa.column("number"))


def upgrade() -> None:
    """Add it; the inputs that there are keep the numbers which receivers have had from them."""
    op.add_column("input", sa.Column("number", sa.BigInteger, nullable=False, server_default="0"))
    live = op.get_bind().execute(sa.select(_INPUT.c.zone, _INPUT.c.node, _INPUT.c.id).where(_INPUT.c.retired_rev == 0)).all()
    for _, inputs in groupby(sorted(tuple(row) for row in live), key=lambda row: row[0]):
        for number, (zone, node, name) in enumerate(inputs, 1):
            if number <= NUMBER_MAX:
                own = (_INPUT.c.zone == zone) & (_INPUT.c.node == node) & (_INPUT.c.id == name)
                op.execute(sa.update(_INPUT).where(own).values(number=number))
