"""Reading what was taken over from the old system 一期数据."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import LegacyTrace
from workflow.adapters.store.rows import stored_answers
from workflow.domain.merge import Origin, Standing


class LegacyQueries(Database):
    """What pre-filling and tracing ask about phase-one data. `units=None` means all units."""

    def legacy_standings(self, units: Collection[str] | None = None) -> dict[tuple[str, str], Standing]:
        """What was last taken over for each unit, by (unit, form), as far as it was not erased."""
        columns = t.legacy_data.c
        query = (
            select(columns.unit, columns.form, columns.id, columns.number)
            .join(t.payloads, t.payloads.c.digest == columns.answers)
            .where(t.payloads.c.body.is_not(None))
            .order_by(columns.seq)
        )
        with self.reading() as connection:
            if units is None:
                rows = list(connection.execute(query))
            else:
                pieces = chunks(sorted(set(units)))
                rows = [row for p in pieces for row in connection.execute(query.where(columns.unit.in_(p)))]
        return {
            (unit, form): Standing(unit, form, Origin.LEGACY, id_, number) for unit, form, id_, number in rows
        }

    def legacy_trace(self, unit: str, field: str) -> list[LegacyTrace]:
        """Where a field's value in the old system's files stood, the last taken over behind."""
        columns = t.legacy_data.c
        query = (
            select(t.legacy_data, t.payloads.c.body, t.events.c.actor)
            .join(t.payloads, t.payloads.c.digest == columns.answers)
            .join(t.events, t.events.c.seq == columns.seq)
            .where(columns.unit == unit, t.payloads.c.body.is_not(None))
            .order_by(columns.seq)
        )
        found = []
        with self.reading() as connection:
            for row in connection.execute(query):
                kept = stored_answers(json.loads(row.body))
                if field in kept.answers:
                    cell = kept.moved.get(field, "")
                    found.append(
                        LegacyTrace(
                            row.id, row.taken_at, row.actor, row.file, row.sha, cell, kept.answers[field]
                        )
                    )
        return found

    def former_names(self) -> dict[str, frozenset[str]]:
        """Every name that each unit ever had on the roster, by code."""
        columns = t.unit_versions.c
        found: dict[str, set[str]] = {}
        with self.reading() as connection:
            for code, name in connection.execute(select(columns.code, columns.name).distinct()):
                found.setdefault(code, set()).add(name)
        return {code: frozenset(names) for code, names in found.items()}
