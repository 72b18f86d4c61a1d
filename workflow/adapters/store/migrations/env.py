"""Runs inside the transaction that `Database.migrate` has begun, or (for developers) on the URL given with -x url=…"""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from workflow.adapters.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    connection = create_engine(context.get_x_argument(as_dictionary=True)["url"]).connect()
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
