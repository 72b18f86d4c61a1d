"""What a contact was set by: the roster's file, or a 回执表 or 人员信息 sheet that an import of the file does not undo"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("source", sa.Text(), server_default="", nullable=False))
