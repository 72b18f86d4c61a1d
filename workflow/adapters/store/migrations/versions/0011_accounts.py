"""Accounts on their way, and the names of units in the old system"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_standings",
        sa.Column("unit", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("names", sa.Text(), server_default="", nullable=False),
        sa.Column("listed_at", sa.String(length=27), nullable=True),
        sa.Column("letter", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=True),
        sa.Column("confirmed_at", sa.String(length=27), nullable=True),
        sa.Column("confirmed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("rung", sa.Text(), server_default="", nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_account_standings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "aliases",
        sa.Column("alias", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("alias", "unit", name=op.f("pk_aliases")),
        sqlite_with_rowid=False,
    )
