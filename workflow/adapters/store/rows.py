"""Rows of the tables as records of the domain, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from sys import intern
from typing import Any

from sqlalchemy import RowMapping

from workflow.adapters.store.records import (
    AttachmentRow,
    LetterRow,
    LetterState,
    MadeBook,
    MessageRow,
    ReceiptRow,
    StoredAnswers,
)
from workflow.domain.accounts import AccountStanding
from workflow.domain.events import decode_value
from workflow.domain.lifecycle import Case, CaseState, Package, PackageState
from workflow.domain.merge import Origin, Standing
from workflow.domain.roster import Contact, Level, Role, Unit, UnitKind
from workflow.domain.submission import AttachmentOutcome, Bucket, Submission

# Looked up tens of thousands of times for one tree, which an enumeration's own way takes its time for.
_KINDS = {kind.value: kind for kind in UnitKind}
_ROLES = {role.value: role for role in Role}


def case_of(row: Sequence[Any]) -> Case:
    """A case from its table's columns in order."""
    campaign, unit, form, state, *rest, _changed = row
    return Case(campaign, unit, form, CaseState(state), *rest)


def package_of(row: Sequence[Any]) -> Package:
    """A package from its table's columns in order."""
    campaign, unit, level, state, auto, version, reported_at, by, before, *rest, _changed = row
    return Package(
        campaign,
        unit,
        Level(level),
        PackageState(state),
        auto,
        version,
        reported_at,
        by,
        PackageState(before) if before else None,
        *rest,
    )


def submission_of(row: Any) -> Submission:
    """A submission from a row of its table."""
    return Submission(
        row.id,
        row.campaign,
        row.unit,
        row.form,
        row.form_version,
        row.number,
        row.received_at,
        row.message,
        row.attachment,
        row.answers,
        row.errors,
        row.queries,
        row.returned,
        row.approved,
        row.no_change,
        row.unregistered,
        row.confirmed_at,
        row.disowned,
    )


def stored_answers(personal: Mapping[str, Any], version: int = 0) -> StoredAnswers:
    """A version's answers as its payload has them."""
    # Most values stand for themselves; a province's answers are millions of them, under a few hundred names.
    answers = {
        intern(field): decode_value(value) if value.__class__ is dict else value
        for field, value in personal.get("answers", {}).items()
    }
    return StoredAnswers(answers, personal.get("notes", {}), personal.get("moved", {}), version)


def standing_of(row: Any) -> Standing:
    """A frozen row of a report."""
    return Standing(row.unit, row.form, Origin(row.origin), row.submission, row.number)


def unit_of(row: Sequence[Any]) -> Unit:
    """A unit from its table's columns in order."""
    code, _since, _until, _position, name, kind, superior, suspended, first, last, note = row
    window = None if first is None else (first, last)
    return Unit(code, name, _KINDS[kind], superior, suspended, window, note)


def contact_of(row: Sequence[Any]) -> Contact:
    """A contact from its table's columns in order."""
    _, unit, role, *rest = row
    return Contact(unit, _ROLES[role], *rest)


def letter_of(row: Any) -> LetterRow:
    """A letter from a row of its table."""
    return LetterRow(
        row.id,
        row.kind,
        row.campaign,
        row.unit,
        row.form,
        row.priority,
        row.sha,
        row.message_id,
        row.to,
        row.name,
        row.subject,
        LetterState(row.state),
        row.attempts,
        row.queued_at,
        row.not_before,
        row.reply,
        row.events,
        row.blame,
    )


def message_of(row: Sequence[Any]) -> MessageRow:
    """A message from its table's columns in order."""
    sha, _, digest, bucket, *rest = row
    return MessageRow(sha, digest, Bucket(bucket), *rest)


def attachment_of(row: Any) -> AttachmentRow:
    """An attachment from a row of its table."""
    return AttachmentRow(
        row.message,
        row.place,
        row.sha,
        row.name,
        AttachmentOutcome(row.outcome),
        row.campaign,
        row.unit,
        row.form,
        json.loads(row.findings),
        row.reason,
    )


def receipt_of(row: Sequence[Any]) -> ReceiptRow:
    """A part of a 回执表 from its table's columns in order."""
    return ReceiptRow(*row)


def book_of(row: Sequence[Any]) -> MadeBook:
    """A consolidated workbook from its table's columns in order."""
    return MadeBook(*row)


def case_row(case: Case) -> dict[str, Any]:
    """A case as its table's columns."""
    return {
        "campaign": case.campaign,
        "unit": case.unit,
        "form": case.form,
        "state": case.state.value,
        "copy": case.copy,
        "token": case.token,
        "number": case.number,
        "returns": case.returns,
        "due": case.due,
        "note": case.note,
        "events": case.events,
        "disowned": case.disowned,
    }


def package_row(package: Package) -> dict[str, Any]:
    """A package as its table's columns."""
    return {
        "campaign": package.campaign,
        "unit": package.unit,
        "level": package.level.value,
        "state": package.state.value,
        "auto": package.auto,
        "version": package.version,
        "reported_at": package.reported_at,
        "by": package.by,
        "before": package.before.value if package.before else None,
        "due": package.due,
        "note": package.note,
        "events": package.events,
        "returned_at": package.returned_at,
    }


#: The letter's own state is joined to what the table has.
_OF_LETTER = frozenset({"bounced", "address"})
_OF_ACCOUNTS = tuple(field.name for field in fields(AccountStanding) if field.name not in _OF_LETTER)


def account_of(row: RowMapping, letter: str = "", address: str = "") -> AccountStanding:
    """Where a unit's accounts stand, with the state and the address of the letter that carries them."""
    said = {name: row[name] for name in _OF_ACCOUNTS}
    return AccountStanding(**said, bounced=letter == LetterState.FAILED, address=address)


def account_row(standing: AccountStanding) -> dict[str, Any]:
    """The same as its table's columns."""
    return {name: getattr(standing, name) for name in _OF_ACCOUNTS}
