"""Units from when until when, which former codes they go on from, and requests to change an affiliation"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEPT = ("code", "position", "name", "kind", "superior", "suspended", "window_first", "window_last", "note")


def upgrade() -> None:
    versions = op.create_table(
        "unit_versions",
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("superior", sa.Text(), server_default="", nullable=False),
        sa.Column("suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("window_first", sa.Integer(), nullable=True),
        sa.Column("window_last", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("code", "since", name=op.f("pk_unit_versions")),
    )
    connection = op.get_bind()
    units = sa.table("units", *(sa.column(name) for name in _KEPT))
    always = {"since": dt.date.min, "until": dt.date.max}
    rows = [
        {**row, "suspended": bool(row["suspended"]), **always}
        for row in connection.execute(sa.select(units)).mappings()
    ]
    if rows:
        connection.execute(versions.insert(), rows)
    op.drop_table("units")
    op.create_table(
        "successions",
        sa.Column("old", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("new", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("old", "new", name=op.f("pk_successions")),
    )
    op.create_table(
        "affiliations",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.String(length=27), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_affiliations")),
    )
    op.create_index(op.f("ix_affiliations_unit"), "affiliations", ["unit"], unique=False)
