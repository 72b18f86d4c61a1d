"""Where in the ledger a case, a package and a consolidated workbook stand"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("cases", "changed"), ("packages", "changed"), ("books", "seq")):
        op.add_column(table, sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))
    for table in ("letters", "package_rows"):
        op.create_index(f"ix_{table}_unit", table, ["unit"])
    # What happened before is not known package by package: every workbook counts as out of date once.
    op.execute("UPDATE packages SET changed = (SELECT COALESCE(MAX(seq), 0) FROM events)")
