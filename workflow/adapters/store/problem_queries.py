"""Reading the problems with the roster that units reported."""

from __future__ import annotations

from sqlalchemy import select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database
from workflow.domain.problems import Problem, ProblemKind


class ProblemQueries(Database):
    """What is asked about reported problems."""

    def problems(self) -> list[Problem]:
        """Every report, in the order in which they came."""
        with self.reading() as connection:
            rows = connection.execute(select(t.problems).order_by(t.problems.c.number)).mappings()
            return [
                Problem(
                    row["number"], ProblemKind(row["kind"]), row["unit"], row["reporter"], row["owner"],
                    row["reported_at"], row["due"], row["name"], row["code"], row["superior"],
                    (row["was_name"], row["was_superior"]), row["message"], row["sender"], row["words"],
                    row["closed_at"], row["closed_by"], row["answer"],
                    row["by_roster"],
                )
                for row in rows
            ]  # fmt: skip
