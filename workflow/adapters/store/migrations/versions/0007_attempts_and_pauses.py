"""When letters were tried, whose fault a failure is, and when a relay refused whoever sends"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letters", sa.Column("blame", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "attempts",
        sa.Column("letter", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("letter", "number", name=op.f("pk_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_attempts_at"), "attempts", ["at"], unique=False)
    _fill()
    op.create_table(
        "pauses",
        sa.Column("relay", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("times", sa.Integer(), server_default="0", nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("relay", name=op.f("pk_pauses")),
        sqlite_with_rowid=False,
    )


def _fill() -> None:
    """The attempts that the ledger tells of already, as a rebuild would make them."""
    connection = op.get_bind()
    tried = connection.execute(
        sa.text("SELECT stream, number, at FROM events WHERE kind = 'letter.attempted'")
    ).all()
    rows = [
        {"letter": row.stream.removeprefix("letter:"), "number": row.number, "at": _utc(row.at)}
        for row in tried
    ]
    if rows:
        connection.execute(
            sa.text("INSERT INTO attempts (letter, number, at) VALUES (:letter, :number, :at)"), rows
        )


def _utc(at: str) -> str:
    return dt.datetime.fromisoformat(at).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
