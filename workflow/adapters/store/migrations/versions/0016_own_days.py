"""Campaigns with days of their own: a one-off collection beside the quarters"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("calendar", sa.Text(), server_default="", nullable=False))
