"""The one place where events become rows. `rebuild` replays the same code, so that it ends in the same rows.

A batch is folded in memory (a case or a package is read once, evolved by `domain.replay`, written once) and then goes
out as one statement for each table (`batch`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from workflow.adapters.store import tables as t
from workflow.adapters.store.account_rows import on_account, standings_in
from workflow.adapters.store.batch import Batch, Key, Row
from workflow.adapters.store.campaign_rows import campaign_row
from workflow.adapters.store.copy import Entry
from workflow.adapters.store.database import chunks
from workflow.adapters.store.letter_rows import on_letter, on_relay
from workflow.adapters.store.problem_rows import on_problem
from workflow.adapters.store.receipt_rows import on_receipt
from workflow.adapters.store.roster_rows import people_change, roster_change
from workflow.adapters.store.rows import case_of, package_of
from workflow.domain.events import Event, canonical
from workflow.domain.lifecycle import Case, Package
from workflow.domain.replay import case_after, instant, package_after
from workflow.domain.submission import Bucket


def project(connection: Connection, entries: Sequence[Entry]) -> None:
    """Bring the projections up to the last of these entries, which follow those already projected. A baseline ends a
    piece: what comes before it and after it belongs to different trees, in whichever pieces it is projected.
    """
    piece: list[Entry] = []
    for entry in entries:
        if entry.event.kind.startswith("roster.") and piece:
            _project(connection, piece)
            piece = []
        piece.append(entry)
    _project(connection, piece)


def _project(connection: Connection, entries: Sequence[Entry]) -> None:
    batch = Batch(
        _cases(connection, _keys(entries, "case:")), _packages(connection, _keys(entries, "package:")),
        accounts=standings_in(connection, {unit for (unit,) in _keys(entries, "account:")}),
    )  # fmt: skip
    for entry in entries:
        handler = _HANDLERS.get(entry.event.kind.partition(".")[0])
        if handler is None:
            raise ValueError(f"unknown kind of event: {entry.event.kind}")
        handler(batch, entry)
    batch.write(connection)


def _keys(entries: Sequence[Entry], prefix: str) -> set[Key]:
    return {
        tuple(entry.event.stream.removeprefix(prefix).split("/"))
        for entry in entries
        if entry.event.stream.startswith(prefix)
    }


def _cases(connection: Connection, keys: Collection[Key]) -> dict[Key, Case]:
    columns = t.cases.c
    found: dict[Key, Case] = {}
    # One campaign at a time: a plain IN over units uses the key in both databases, a row value does not in SQLite.
    for campaign in {key[0] for key in keys}:
        for units in chunks([key[1] for key in keys if key[0] == campaign]):
            query = t.cases.select().where(columns.campaign == campaign, columns.unit.in_(units))
            for row in connection.execute(query):
                case = case_of(row)
                found[case.campaign, case.unit, case.form] = case
    return found


def _packages(connection: Connection, keys: Collection[Key]) -> dict[Key, Package]:
    columns = t.packages.c
    found: dict[Key, Package] = {}
    for campaign in {key[0] for key in keys}:
        for units in chunks([key[1] for key in keys if key[0] == campaign]):
            query = t.packages.select().where(columns.campaign == campaign, columns.unit.in_(units))
            for row in connection.execute(query):
                package = package_of(row)
                found[package.campaign, package.unit] = package
    return found


def _on_campaign(batch: Batch, entry: Entry) -> None:
    batch.inserts[t.campaigns].append(campaign_row(entry))


def _on_case(batch: Batch, entry: Entry) -> None:
    event = entry.event
    key = tuple(event.stream.removeprefix("case:").split("/"))
    case = batch.cases[key] = case_after(batch.cases.get(key), event)
    batch.touched_cases[key] = entry.seq
    of_case = {"campaign": case.campaign, "unit": case.unit, "form": case.form}
    if "token" in event.data:
        batch.inserts[t.copies].append({**of_case, "token": case.token, "copy": case.copy})
    match event.kind:
        case "case.submitted":
            batch.inserts[t.submissions].append({**of_case, **_submission(entry)})
        case "case.returned":
            if number := event.data.get("returned_number", case.number):
                batch.returned.append(_marked(case, number))
        case "case.approved":
            batch.approved.append(_marked(case, event.data.get("number", case.number)))
        case "case.confirmed":
            batch.owned.append({**_marked(case, event.data["number"]), "_at": event.at})
        case "case.disowned":
            batch.disowned.append(_marked(case, event.data["number"]))


def _marked(case: Case, number: int) -> Row:
    return {"_campaign": case.campaign, "_unit": case.unit, "_form": case.form, "_number": number}


def _submission(entry: Entry) -> Row:
    data = entry.event.data
    return {
        "id": data["submission"],
        "seq": entry.seq,
        "form_version": data["form_version"],
        "number": data["number"],
        "received_at": dt.datetime.fromisoformat(data["received_at"]),
        "message": data.get("message", ""),
        "attachment": data.get("attachment", ""),
        "answers": entry.payload,
        "errors": data.get("errors", 0),
        "queries": data.get("queries", 0),
        "no_change": data.get("no_change", False),
        "unregistered": data.get("unregistered", False),
    }


def _on_package(batch: Batch, entry: Entry) -> None:
    event = entry.event
    key = tuple(event.stream.removeprefix("package:").split("/"))
    package = batch.packages[key] = package_after(batch.packages.get(key), event)
    batch.touched_packages[key] = entry.seq
    if event.kind not in {"package.reported", "package.auto_reported"}:
        return
    for unit, form, origin, submission, number in event.data.get("rows", ()):
        batch.inserts[t.package_rows].append(
            {
                "campaign": package.campaign,
                "package": package.unit,
                "version": package.version,
                "unit": unit,
                "form": form,
                "seq": entry.seq,
                "origin": origin,
                "submission": submission or "",
                "number": number,
            }
        )


def _on_roster(batch: Batch, entry: Entry) -> None:
    batch.roster = roster_change(entry)


def _on_contacts(batch: Batch, entry: Entry) -> None:
    batch.people.append(people_change(entry))


def _on_affiliation(batch: Batch, entry: Entry) -> None:
    event, data = entry.event, entry.event.data
    number = int(event.stream.removeprefix("affiliation:"))
    if event.kind == "affiliation.requested":
        batch.inserts[t.affiliations].append(
            {
                "number": number,
                **{key: data[key] for key in ("unit", "old", "new")},
                "state": "requested",
                "asked_by": event.actor,
                "asked_at": event.at,
                "note": data.get("note", ""),
            }
        )
        return
    since = data.get("from")
    batch.affiliated.append(
        {
            "_number": number,
            "_state": event.kind.removeprefix("affiliation."),
            "_by": event.actor,
            "_at": event.at,
            "_answer": data.get("note", ""),
            "_since": dt.date.fromisoformat(since) if since else None,
        }
    )


def _on_message(batch: Batch, entry: Entry) -> None:
    event = entry.event
    sha = event.stream.removeprefix("message:")
    sighting = event.data if event.kind == "message.seen" else event.data.get("sighting")
    if sighting:
        places = {key: sighting[key] for key in ("account", "folder", "uidvalidity", "uid")}
        batch.inserts[t.sightings].append({**places, "message": sha})
    if event.kind == "message.seen":
        return
    personal = _personal(entry)
    if event.kind == "message.failed":
        batch.failures[sha] = _failure(event, personal)
        return
    if event.data["bucket"] == Bucket.FAILED.value:
        batch.failures[sha] = _failure(event, personal)
    elif event.number > 1:
        batch.failures[sha] = None
    message = {
        "sha": sha,
        "seq": entry.seq,
        "digest": event.data.get("digest", ""),
        "bucket": event.data["bucket"],
        "received_at": dt.datetime.fromisoformat(event.data["received_at"]),
        "campaign": event.data.get("campaign") or "",
        "unit": event.data.get("unit") or "",
        **{key: personal.get(key, "") for key in ("sender", "subject", "message_id")},
    }
    attachments = _attachments(sha, event, personal)
    if event.number == 1:
        batch.inserts[t.messages].append(message)
        batch.inserts[t.attachments].extend(attachments)
    else:
        batch.retaken.append((message, attachments, event.data.get("released", False)))


def _failure(event: Event, personal: Mapping[str, Any]) -> Row:
    until = event.data.get("not_before")
    return {
        "tries": event.data.get("tries", 1),
        "tried_at": event.at,
        "not_before": instant(until) if until else None,
        "fault": personal.get("fault", ""),
    }


def _attachments(sha: str, event: Event, personal: Mapping[str, Any]) -> list[Row]:
    names = personal.get("names", ())
    return [
        {
            "message": sha,
            "place": attachment["index"],
            "sha": attachment["sha"],
            "name": names[place] if place < len(names) else "",
            "outcome": attachment["outcome"],
            **{key: attachment.get(key) or "" for key in ("campaign", "unit", "form", "reason")},
            "findings": canonical(attachment.get("findings")),
        }
        for place, attachment in enumerate(event.data.get("attachments", ()))
    ]


def _on_step(batch: Batch, entry: Entry) -> None:
    campaign, _, key = entry.event.stream.removeprefix("step:").partition("/")
    detail = canonical(entry.event.data.get("detail"))
    batch.inserts[t.steps].append(
        {"campaign": campaign, "key": key, "done_at": entry.event.at, "detail": detail}
    )


def _on_late(batch: Batch, entry: Entry) -> None:
    event = entry.event
    campaign, unit, form, *_ = event.stream.removeprefix("late:").split("/")
    batch.inserts[t.late_returns].append(
        {
            "campaign": campaign,
            "unit": unit,
            "form": form,
            "seq": entry.seq,
            "received_at": dt.datetime.fromisoformat(event.data["received_at"]),
            **{key: event.data.get(key, "") for key in ("message", "attachment")},
            "form_version": event.data.get("form_version", 0),
            "errors": event.data.get("errors", 0),
            "registered": event.data.get("registered", False),
            "answers": entry.payload,
        }
    )


def _on_legacy(batch: Batch, entry: Entry) -> None:
    event, data = entry.event, entry.event.data
    unit, _, form = event.stream.removeprefix("legacy:").partition("/")
    batch.inserts[t.legacy_data].append(
        {
            "unit": unit,
            "form": form,
            "number": event.number,
            "seq": entry.seq,
            "id": data["submission"],
            "form_version": data["form_version"],
            "taken_at": event.at,
            "file": data["file"],
            "sha": data["sha"],
            "answers": entry.payload,
        }
    )


def _on_book(batch: Batch, entry: Entry) -> None:
    event = entry.event
    campaign, _, unit = event.stream.removeprefix("book:").partition("/")
    if event.kind == "book.confirmed":
        row = {
            "_campaign": campaign,
            "_unit": unit,
            "_version": event.data["version"],
            "_seq": event.data["seq"],
        }
        batch.confirmed.append(row)
        return
    batch.inserts[t.books].append(
        {
            "campaign": campaign,
            "unit": unit,
            **{key: event.data[key] for key in ("version", "token", "sha", "path")},
            "cut_off": instant(event.data.get("cut_off")),
            "made_at": event.at,
            "seq": event.data.get("seq", 0),
        }
    )


def _on_staff(batch: Batch, entry: Entry) -> None:
    event = entry.event
    batch.inserts[t.staff_queries].append(
        {
            "number": event.number,
            "at": event.at,
            "data": canonical(event.data),
            "personal": canonical(_personal(entry)),
        }
    )


def _on_quarantine(batch: Batch, entry: Entry) -> None:
    event = entry.event
    sha, act = event.stream.removeprefix("quarantine:"), event.kind.partition(".")[2]
    said = {key: event.data.get(key, "") for key in ("unit", "note")}
    row = {"message": sha, "number": event.number, "act": act, "by": event.actor, "at": event.at, **said}
    batch.inserts[t.settlements].append(row)


def _on_review(batch: Batch, entry: Entry) -> None:
    """A decision held, confirmed or denied has no row: its letter's reply finds the stream by the letter's id."""


def _on_sender(batch: Batch, entry: Entry) -> None:
    """Nor has our question whether a stranger's workbook is its unit's, or the answer: what it changed is the case's."""


def _on_purge(batch: Batch, entry: Entry) -> None:
    """What was erased shows in the rows of its own events; that a change of people was filed, in its stream."""


_HANDLERS: Mapping[str, Callable[[Batch, Entry], None]] = {
    "roster": _on_roster,
    "account": on_account,
    "contacts": _on_contacts,
    "affiliation": _on_affiliation,
    "problem": on_problem,
    "campaign": _on_campaign,
    "case": _on_case,
    "package": _on_package,
    "message": _on_message,
    "letter": on_letter,
    "relay": on_relay,
    "step": _on_step,
    "late": _on_late,
    "legacy": _on_legacy,
    "receipt": on_receipt,
    "book": _on_book,
    "staff": _on_staff,
    "review": _on_review,
    "sender": _on_sender,
    "quarantine": _on_quarantine,
    "filing": _on_purge,
    "purge": _on_purge,
}


def _personal(entry: Entry) -> Mapping[str, Any]:
    return entry.event.personal or {}
