"""Reported problems become rows."""

from __future__ import annotations

from workflow.adapters.store import tables as t
from workflow.adapters.store.batch import Batch
from workflow.adapters.store.copy import Entry
from workflow.domain.problems import problem_of


def on_problem(batch: Batch, entry: Entry) -> None:
    """A problem reported or closed."""
    event = entry.event
    if event.kind == "problem.reported":
        said = problem_of(event)
        batch.inserts[t.problems].append(
            {
                "number": said.number, "kind": said.kind.value, "unit": said.unit, "reporter": said.reporter,
                "owner": said.owner, "reported_at": said.reported_at, "due": said.due, "name": said.name,
                "code": said.code, "superior": said.superior, "was_name": said.was[0], "was_superior": said.was[1],
                "message": said.message, "sender": said.sender, "words": said.words,
            }
        )  # fmt: skip
        return
    number = int(event.stream.removeprefix("problem:"))
    note = event.data.get("note", "")
    batch.closed.append(
        {
            "_number": number,
            "_at": event.at,
            "_by": event.actor,
            "_answer": note,
            "_roster": event.data.get("how") == "roster",
        }
    )
