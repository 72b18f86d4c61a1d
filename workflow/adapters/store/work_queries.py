"""Reading the work: campaigns, cases, packages, submissions, reports, steps, receipts, workbooks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select, Table, func, select, tuple_

from workflow.adapters.store import tables as t
from workflow.adapters.store.campaign_rows import campaign_of, opened_campaigns
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import MadeBook, StaffQuery, StoredAnswers, TraceRow
from workflow.adapters.store.rows import (
    book_of,
    case_of,
    package_of,
    standing_of,
    stored_answers,
    submission_of,
)
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event, decode_findings
from workflow.domain.form import split_cell
from workflow.domain.legacy import LEGACY
from workflow.domain.lifecycle import Case, Package
from workflow.domain.merge import Standing
from workflow.domain.submission import Finding, Submission


class WorkQueries(Database):
    """What the processes and the desk ask about the work. `units=None` means all units."""

    def campaign(self, campaign: str) -> Campaign | None:
        with self.reading() as connection:
            row = connection.execute(t.campaigns.select().where(t.campaigns.c.id == campaign)).first()
        return campaign_of(row) if row else None

    def campaigns(self) -> list[Campaign]:
        """All campaigns in the order in which they were opened."""
        with self.reading() as connection:
            return opened_campaigns(connection)

    def cases(self, campaign: str, units: Collection[str] | None = None) -> list[Case]:
        """Cases ordered by unit and form."""
        order = (t.cases.c.unit, t.cases.c.form)
        return [case_of(row) for row in self._of_units(t.cases, campaign, units, order)]

    def cases_by_token(self, tokens: Collection[str]) -> dict[str, tuple[Case, int]]:
        """The case as it is now and the number of the copy, by every token that was ever issued."""
        found = {}
        with self.reading() as connection:
            for piece in chunks(tokens):
                query = (
                    select(t.cases, t.copies.c.token.label("asked"), t.copies.c.copy.label("issued"))
                    .join_from(t.copies, t.cases)
                    .where(t.copies.c.token.in_(piece))
                )
                for *row, token, copy in connection.execute(query):
                    found[token] = (case_of(row), copy)
        return found

    def packages(self, campaign: str, units: Collection[str] | None = None) -> list[Package]:
        """Packages ordered by unit."""
        return [package_of(row) for row in self._of_units(t.packages, campaign, units, (t.packages.c.unit,))]

    def package_rows(self, campaign: str, package: str, version: int | None = None) -> list[Standing]:
        """What a report of a package froze, by unit and form; of its last report when `version` is None."""
        columns = t.package_rows.c
        mine = (columns.campaign == campaign, columns.package == package)
        wanted: Any = version
        if version is None:
            wanted = select(func.max(columns.version)).where(*mine).scalar_subquery()
        query = t.package_rows.select().where(*mine, columns.version == wanted)
        with self.reading() as connection:
            return [
                standing_of(row) for row in connection.execute(query.order_by(columns.unit, columns.form))
            ]

    def standings(
        self, campaign: str, units: Collection[str] | None = None
    ) -> dict[tuple[str, str], Standing]:
        """How each unit's form stood in the last report that holds it, of whichever package, by (unit, form)."""
        rows = t.package_rows.c
        query = (
            t.package_rows.select()
            .join_from(t.package_rows, t.packages)
            .where(rows.campaign == campaign, rows.version == t.packages.c.version)
            .order_by(rows.seq)
        )
        with self.reading() as connection:
            if units is None:
                found = list(connection.execute(query))
            else:
                pieces = chunks(sorted(set(units)))
                found = [r for p in pieces for r in connection.execute(query.where(rows.unit.in_(p)))]
        found.sort(key=lambda row: row.seq)
        return {(row.unit, row.form): standing_of(row) for row in found}

    def submissions(self, campaign: str, units: Collection[str] | None = None) -> list[Submission]:
        """All versions that stand, ordered by unit, form and number: one that its unit disowned is none of its data."""
        columns = t.submissions.c
        order = (columns.unit, columns.form, columns.number)
        rows = self._of_units(t.submissions, campaign, units, order)
        return [submission_of(row) for row in rows if not row.disowned]

    def answers(self, submissions: Collection[str]) -> dict[str, StoredAnswers]:
        """The answers by submission id. A submission whose personal payload was erased is left out."""
        found: dict[str, StoredAnswers] = {}
        columns = t.submissions.c
        with self.reading() as connection:
            for piece in chunks(submissions):
                query = (
                    select(columns.id, columns.form_version, t.payloads.c.body)
                    .join(t.payloads, t.payloads.c.digest == columns.answers)
                    .where(columns.id.in_(piece), t.payloads.c.body.is_not(None))
                )
                for id_, version, body in connection.execute(query):
                    found[id_] = stored_answers(json.loads(body), version)
            taken = t.legacy_data.c
            for piece in chunks([known for known in submissions if known.startswith(f"{LEGACY}/")]):
                query = (
                    select(taken.id, taken.form_version, t.payloads.c.body)
                    .join(t.payloads, t.payloads.c.digest == taken.answers)
                    .where(taken.id.in_(piece), t.payloads.c.body.is_not(None))
                )
                for id_, version, body in connection.execute(query):
                    found[id_] = stored_answers(json.loads(body), version)
        return found

    def findings(self, submissions: Collection[str]) -> dict[str, list[Finding]]:
        """The findings by submission id, in the order of the check; every known id is there."""
        found = {}
        columns = t.submissions.c
        with self.reading() as connection:
            for piece in chunks(submissions):
                query = (
                    select(columns.id, t.events.c.data, t.payloads.c.body)
                    .join(t.events, t.events.c.seq == columns.seq)
                    .outerjoin(t.payloads, t.payloads.c.digest == columns.answers)
                    .where(columns.id.in_(piece))
                )
                for id_, data, body in connection.execute(query):
                    personal = json.loads(body) if body else {}
                    listed = json.loads(data).get("findings", ())
                    found[id_] = decode_findings(listed, personal.get("found", {}))
        return found

    def steps(self, campaign: str) -> set[str]:
        """The keys of the calendar's steps that are done."""
        with self.reading() as connection:
            query = select(t.steps.c.key).where(t.steps.c.campaign == campaign)
            return set(connection.execute(query).scalars())

    def reminded(self, campaign: str, units: Collection[str]) -> dict[str, int]:
        """How many reminders about each of the units were queued; a unit without any is left out."""
        columns = t.letters.c
        found: dict[str, int] = {}
        with self.reading() as connection:
            for piece in chunks(sorted(set(units))):
                query = select(columns.unit, func.count()).where(
                    columns.unit.in_(piece), columns.campaign == campaign, columns.kind == "reminder"
                )
                found.update(connection.execute(query.group_by(columns.unit)).all())
        return found

    def package_marks(self, campaign: str) -> dict[str, int]:
        """The last event of anything in each package or below it, by the package's unit."""
        query = select(t.packages.c.unit, t.packages.c.changed).where(t.packages.c.campaign == campaign)
        with self.reading() as connection:
            return dict(connection.execute(query).all())

    def touched(self, campaign: str, units: Collection[str], seq: int) -> set[tuple[str, str]]:
        """The (unit, form) of the cases among the units that something happened to after an event."""
        columns = t.cases.c
        found: set[tuple[str, str]] = set()
        with self.reading() as connection:
            for piece in chunks(sorted(set(units))):
                query = select(columns.unit, columns.form).where(
                    columns.campaign == campaign, columns.unit.in_(piece), columns.changed > seq
                )
                found.update((row.unit, row.form) for row in connection.execute(query))
        return found

    def report_places(self, packages: Collection[Package]) -> dict[str, int]:
        """Where in the ledger the last report of each package stands, by its unit; those never reported are left out."""
        columns = t.events.c
        units = {package.stream: package.unit for package in packages if package.version}
        found: dict[str, int] = {}
        with self.reading() as connection:
            for piece in chunks(sorted(units)):
                query = select(columns.stream, func.max(columns.seq)).where(
                    columns.stream.in_(piece), columns.kind.in_(("package.reported", "package.auto_reported"))
                )
                for stream, seq in connection.execute(query.group_by(columns.stream)):
                    found[units[stream]] = seq
        return found

    def told(self, streams: Collection[str]) -> dict[str, list[Event]]:
        """Each stream's events with their personal payload; None where there was none or it has been erased."""
        columns = t.events.c
        found: dict[str, list[Event]] = {}
        with self.reading() as connection:
            for piece in chunks(sorted(set(streams))):
                query = (
                    select(t.events, t.payloads.c.body)
                    .outerjoin(t.payloads, t.payloads.c.digest == columns.payload)
                    .where(columns.stream.in_(piece))
                    .order_by(columns.seq)
                )
                for row in connection.execute(query):
                    at, personal = (
                        dt.datetime.fromisoformat(row.at),
                        json.loads(row.body) if row.body else None,
                    )
                    found.setdefault(row.stream, []).append(
                        Event(
                            row.stream, row.number, row.kind, at, row.actor, row.cause, json.loads(row.data), personal
                        )
                    )  # fmt: skip
        return found

    def histories(self, streams: Collection[str]) -> dict[str, list[tuple[int, Event]]]:
        """Each stream's events with their places in the ledger, without personal payload."""
        columns = t.events.c
        found: dict[str, list[tuple[int, Event]]] = {}
        with self.reading() as connection:
            for piece in chunks(sorted(set(streams))):
                query = t.events.select().where(columns.stream.in_(piece)).order_by(columns.seq)
                for row in connection.execute(query):
                    at = dt.datetime.fromisoformat(row.at)
                    event = Event(
                        row.stream, row.number, row.kind, at, row.actor, row.cause, json.loads(row.data)
                    )
                    found.setdefault(row.stream, []).append((row.seq, event))
        return found

    def books(self, campaign: str) -> dict[str, MadeBook]:
        """The last consolidated workbook of every unit that has one."""
        columns = t.books.c
        last = select(columns.unit, func.max(columns.version)).where(columns.campaign == campaign)
        query = t.books.select().where(
            columns.campaign == campaign,
            tuple_(columns.unit, columns.version).in_(last.group_by(columns.unit)),
        )
        with self.reading() as connection:
            return {row.unit: book_of(row) for row in connection.execute(query)}

    def book(self, campaign: str, unit: str) -> MadeBook | None:
        """The last consolidated workbook of a unit."""
        columns = t.books.c
        query = t.books.select().where(columns.campaign == campaign, columns.unit == unit)
        return self._book(query.order_by(columns.version.desc()).limit(1))

    def book_by_token(self, token: str) -> MadeBook | None:
        return self._book(t.books.select().where(t.books.c.token == token))

    def staff_queries(self) -> list[StaffQuery]:
        """Staff's list, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(t.staff_queries.select().order_by(t.staff_queries.c.number)).all()
        return [
            StaffQuery(row.number, row.at, json.loads(row.data), json.loads(row.personal)) for row in rows
        ]

    def trace_rows(self, campaign: str, unit: str, field: str) -> list[TraceRow]:
        """Every version in which the unit answered the field, newest last, with what brought it; of a repeating table's
        column (`设备.数量`) the cells of each version, row by row.
        """
        columns = t.submissions.c
        query = (
            select(t.submissions, t.payloads.c.body, t.messages.c.sender, t.messages.c.subject)
            .join(t.payloads, t.payloads.c.digest == columns.answers)
            .outerjoin(t.messages, t.messages.c.sha == columns.message)
            .where(columns.campaign == campaign, columns.unit == unit, t.payloads.c.body.is_not(None))
            .order_by(columns.seq)
        )
        with self.reading() as connection:
            rows = connection.execute(query).all()
            names = {
                (row.message, row.sha): row.name
                for piece in chunks([row.message for row in rows])
                for row in connection.execute(
                    t.attachments.select().where(t.attachments.c.message.in_(piece))
                )
            }
        found = []
        for row in rows:
            stored = stored_answers(json.loads(row.body))
            name = names.get((row.message, row.attachment), "")
            found += [_traced(row, stored, cell, name) for cell in _asked_for(field, stored)]
        return found

    def _book(self, query: Select[Any]) -> MadeBook | None:
        with self.reading() as connection:
            row = connection.execute(query).first()
        return book_of(row) if row else None

    def _of_units(
        self, table: Table, campaign: str, units: Collection[str] | None, order: tuple[Any, ...]
    ) -> Iterator[Any]:
        """Rows of a campaign's units, in order within the whole answer."""
        query = table.select().where(table.c.campaign == campaign).order_by(*order)
        with self.reading() as connection:
            if units is None:
                yield from connection.execute(query)
                return
            for piece in chunks(sorted(set(units))):
                yield from connection.execute(query.where(table.c.unit.in_(piece)))


def _asked_for(field: str, stored: StoredAnswers) -> list[str]:
    """A field, or the cells of a table's column in the order of their rows, as far as they were answered."""
    if field in stored.answers:
        return [field]
    cells = [(cell[1], name) for name in stored.answers if (cell := split_cell(name)) and cell[0] == field]
    return [name for _, name in sorted(cells)]


def _traced(row: Any, stored: StoredAnswers, field: str, name: str) -> TraceRow:
    return TraceRow(
        field=field,
        submission=row.id,
        form=row.form,
        form_version=row.form_version,
        number=row.number,
        received_at=row.received_at,
        value=stored.answers[field],
        note=stored.notes.get(field, ""),
        cell=stored.moved.get(field, ""),
        message=row.message,
        sender=row.sender or "",
        subject=row.subject or "",
        attachment=row.attachment,
        attachment_name=name,
        returned=row.returned,
        approved=row.approved,
        disowned=row.disowned,
    )
