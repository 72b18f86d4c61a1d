"""When a package was returned, from which its reminders are planned"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LAST = sa.text(
    "SELECT p.campaign, p.unit, e.at FROM packages p"
    " JOIN events e ON e.stream = 'package:' || p.campaign || '/' || p.unit"
    " WHERE p.state = 'returned' AND e.number = p.events"
)


def upgrade() -> None:
    op.add_column("packages", sa.Column("returned_at", sa.String(length=27), nullable=True))
    connection = op.get_bind()
    for campaign, unit, at in connection.execute(_LAST).all():
        moment = dt.datetime.fromisoformat(at).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        connection.execute(
            sa.text("UPDATE packages SET returned_at = :at WHERE campaign = :campaign AND unit = :unit"),
            {"at": moment, "campaign": campaign, "unit": unit},
        )
