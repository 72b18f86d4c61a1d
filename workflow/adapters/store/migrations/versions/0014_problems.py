"""Problems with the roster that units reported"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_WORDS = (
    "unit", "reporter", "owner", "name", "code", "superior", "was_name", "was_superior", "message", "sender", "words",
    "closed_by", "answer",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "problems",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.String(length=27), nullable=False),
        sa.Column("due", sa.String(length=27), nullable=False),
        sa.Column("closed_at", sa.String(length=27), nullable=True),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in _WORDS),
        sa.Column("by_roster", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_problems")),
    )
