"""Messages on which the program broke, and when they are tried again"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("message", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.String(length=27), nullable=False),
        sa.Column("not_before", sa.String(length=27), nullable=True),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_failures")),
        sqlite_with_rowid=False,
    )
    _fill()


def _fill() -> None:
    """Those that the ledger tells of already, as a rebuild would make them: tried once, when they came."""
    connection = op.get_bind()
    failed = connection.execute(
        sa.text("SELECT m.sha, e.at FROM messages m JOIN events e ON e.seq = m.seq WHERE m.bucket = 'failed'")
    ).all()
    rows = [{"message": row.sha, "at": _utc(row.at)} for row in failed]
    if rows:
        connection.execute(
            sa.text("INSERT INTO failures (message, tries, tried_at) VALUES (:message, 1, :at)"), rows
        )


def _utc(at: str) -> str:
    return dt.datetime.fromisoformat(at).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
