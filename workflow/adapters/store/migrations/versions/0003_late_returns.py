"""Late returns: kept for the reviewer to offer and for the next period's copies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "late_returns",
        *(
            sa.Column(key, sa.Text(), autoincrement=False, nullable=False)
            for key in ("campaign", "unit", "form")
        ),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.String(length=27), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("attachment", sa.Text(), server_default="", nullable=False),
        sa.Column("form_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("errors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("registered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("answers", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("campaign", "unit", "form", "seq", name=op.f("pk_late_returns")),
        sqlite_with_rowid=False,
    )
