"""Versions from addresses that are not the unit's own"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "submissions",
        sa.Column("unregistered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
