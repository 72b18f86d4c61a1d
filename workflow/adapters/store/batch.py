"""What a batch of events changes in the projections, and how that is written: one statement for each table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, update

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import insert, upsert
from workflow.adapters.store.rows import case_row, package_row
from workflow.domain.errors import Conflict
from workflow.domain.lifecycle import Case, Package

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass
class Batch:
    """What a batch changes. `cases` and `packages` are those it may touch, as they are so far."""

    cases: dict[Key, Case]
    packages: dict[Key, Package]
    touched_cases: dict[Key, None] = field(default_factory=dict)
    touched_packages: dict[Key, None] = field(default_factory=dict)
    inserts: dict[Table, list[Row]] = field(default_factory=lambda: defaultdict(list))
    returned: list[Row] = field(default_factory=list)
    approved: list[Row] = field(default_factory=list)
    letters: list[Row] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    retaken: list[tuple[Row, list[Row]]] = field(default_factory=list)
    roster: tuple[list[Row], list[Row]] | None = None

    def write(self, connection: Connection) -> None:
        """Write everything in an order that the foreign keys allow, and updates last."""
        if self.roster is not None:
            units, contacts = self.roster
            for table, rows in ((t.units, units), (t.contacts, contacts)):
                connection.execute(delete(table))
                if rows:
                    connection.execute(table.insert(), rows)
        upsert(connection, t.cases, [case_row(self.cases[key]) for key in self.touched_cases])
        upsert(connection, t.packages, [package_row(self.packages[key]) for key in self.touched_packages])
        for table in t.PROJECTIONS:
            fresh = self.inserts.get(table)
            if fresh and table is t.sightings:
                # Seen again at the same place is no news.
                connection.execute(insert(connection, table).on_conflict_do_nothing(), fresh)
            elif fresh:
                connection.execute(table.insert(), fresh)
        for message, attachments in self.retaken:
            _retake(connection, message, attachments)
        for statement, rows in (
            (_mark_returned, self.returned),
            (_mark_approved, self.approved),
            (_move_letter, self.letters),
            (_accept_receipt, self.accepted),
        ):
            if rows:
                connection.execute(statement, rows)


def _of_submission() -> tuple[Any, ...]:
    columns = t.submissions.c
    return (
        columns.campaign == bindparam("_campaign"),
        columns.unit == bindparam("_unit"),
        columns.form == bindparam("_form"),
        columns.number == bindparam("_number"),
    )


_mark_returned = update(t.submissions).where(*_of_submission()).values(returned=True)
_mark_approved = update(t.submissions).where(*_of_submission()).values(approved=True)
_move_letter = (
    update(t.letters)
    .where(t.letters.c.id == bindparam("_id"))
    .values(
        state=bindparam("_state"),
        attempts=t.letters.c.attempts + bindparam("_tries"),
        not_before=bindparam("_until"),
        reply=bindparam("_reply"),
        events=bindparam("_events"),
    )
)
_accept_receipt = (
    update(t.receipts)
    .where(
        t.receipts.c.campaign == bindparam("_campaign"),
        t.receipts.c.unit == bindparam("_unit"),
        t.receipts.c.number < bindparam("_number"),
        t.receipts.c.accepted_by == "",
    )
    .values(accepted_by=bindparam("_by"), accepted_at=bindparam("_at"), note=bindparam("_note"))
)


def _retake(connection: Connection, message: Row, attachments: list[Row]) -> None:
    """A message that had failed is taken anew; one that had not has its outcome already."""
    columns = t.messages.c
    done = connection.execute(
        update(t.messages).where(columns.sha == message["sha"], columns.bucket == "failed").values(message)
    )
    if done.rowcount != 1:
        raise Conflict(f"message {message['sha']} has its outcome already")
    connection.execute(delete(t.attachments).where(t.attachments.c.message == message["sha"]))
    if attachments:
        connection.execute(t.attachments.insert(), attachments)
