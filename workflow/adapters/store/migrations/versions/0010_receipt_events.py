"""What was read of each part of a 负责人回执表, and what holding the parts against each other gave"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "receipt_events",
        sa.Column("campaign", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "unit", "number", name=op.f("pk_receipt_events")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    kept = sa.text(
        "SELECT e.stream, e.number, e.kind, e.at, e.data, p.body FROM events e"
        " LEFT JOIN payloads p ON p.digest = e.payload WHERE e.stream LIKE 'receipt:%' ORDER BY e.seq"
    )
    for stream, number, kind, at, data, personal in connection.execute(kept).all():
        campaign, _, unit = stream.removeprefix("receipt:").partition("/")
        moment = dt.datetime.fromisoformat(at).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        row = {"campaign": campaign, "unit": unit, "number": number, "kind": kind, "at": moment}
        connection.execute(table.insert(), [{**row, "data": data, "personal": personal or "{}"}])
