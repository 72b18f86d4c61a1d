"""Versions from strangers that their unit has confirmed as its own, or said that they are not"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    no, none = sa.text("false"), sa.text("0")
    op.add_column("submissions", sa.Column("confirmed_at", sa.String(length=27)))
    op.add_column("submissions", sa.Column("disowned", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("cases", sa.Column("disowned", sa.Integer(), server_default=none, nullable=False))
