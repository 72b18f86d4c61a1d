"""What a batch of events changes in the projections, and how that is written: one statement for each table."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from workflow.adapters.store import tables as t
from workflow.adapters.store.campaign_rows import opened_campaigns
from workflow.adapters.store.database import chunks, insert, insert_many, upsert
from workflow.adapters.store.roster_rows import PeopleChange, RosterChange
from workflow.adapters.store.rows import account_row, case_row, package_row
from workflow.domain.accounts import AccountStanding
from workflow.domain.errors import Conflict
from workflow.domain.lifecycle import Case, Package
from workflow.domain.roster import UnitKind

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass
class Batch:
    """What a batch changes. `cases` and `packages` are those it may touch, as they are so far; the touched ones come with
    the last event that did.
    """

    cases: dict[Key, Case]
    packages: dict[Key, Package]
    touched_cases: dict[Key, int] = field(default_factory=dict)
    touched_packages: dict[Key, int] = field(default_factory=dict)
    inserts: dict[Table, list[Row]] = field(default_factory=lambda: defaultdict(list))
    returned: list[Row] = field(default_factory=list)
    approved: list[Row] = field(default_factory=list)
    owned: list[Row] = field(default_factory=list)
    disowned: list[Row] = field(default_factory=list)
    letters: list[Row] = field(default_factory=list)
    untried: list[Row] = field(default_factory=list)
    pauses: list[Row] = field(default_factory=list)
    accepted: list[Row] = field(default_factory=list)
    failures: dict[str, Row | None] = field(default_factory=dict)
    retaken: list[tuple[Row, list[Row], bool]] = field(default_factory=list)
    confirmed: list[Row] = field(default_factory=list)
    affiliated: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    roster: RosterChange | None = None
    accounts: dict[str, AccountStanding] = field(default_factory=dict)
    touched_accounts: set[str] = field(default_factory=set)
    aliases: dict[tuple[str, str], Row] = field(default_factory=dict)
    people: list[PeopleChange] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        """Write everything in an order that the foreign keys allow, and updates last."""
        if opened := self.inserts.pop(t.campaigns, []):
            insert_many(connection, t.campaigns, opened)
        if self.roster is not None:
            self.roster.write(connection)
        for change in self.people:
            change.write(connection)
        cases, packages = self.touched_cases.items(), self.touched_packages.items()
        upsert(connection, t.cases, [{**case_row(self.cases[key]), "changed": seq} for key, seq in cases])
        upsert(
            connection,
            t.packages,
            [{**package_row(self.packages[key]), "changed": seq} for key, seq in packages],
        )
        _spread(connection, [(key[0], key[1], seq) for key, seq in (*cases, *packages)])
        for table in t.PROJECTIONS:
            fresh = self.inserts.get(table)
            if fresh and table is t.sightings:
                # Seen again at the same place is no news.
                connection.execute(insert(connection, table).on_conflict_do_nothing(), fresh)
            elif fresh:
                insert_many(connection, table, fresh)
        upsert(connection, t.pauses, list({row["relay"]: row for row in self.pauses}.values()))
        accounts = [account_row(self.accounts[unit]) for unit in sorted(self.touched_accounts)]
        upsert(connection, t.account_standings, accounts)
        _keep_aliases(connection, list(self.aliases.values()))
        for message, attachments, released in self.retaken:
            _retake(connection, message, attachments, released)
        _note_failures(connection, self.failures)
        for statement, rows in (
            (_mark_returned, self.returned),
            (_mark_approved, self.approved),
            (_mark_owned, self.owned),
            (_mark_disowned, self.disowned),
            (_move_letter, self.letters),
            (_forget_attempt, self.untried),
            (_accept_receipt, self.accepted),
            (_confirm_book, self.confirmed),
            (_decide_affiliation, self.affiliated),
            (_close_problem, self.closed),
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
_mark_owned = (
    update(t.submissions)
    .where(*_of_submission())
    .values(unregistered=False, confirmed_at=bindparam("_at", type_=t.submissions.c.confirmed_at.type))
)
_mark_disowned = update(t.submissions).where(*_of_submission()).values(disowned=True)
_move_letter = (
    update(t.letters)
    .where(t.letters.c.id == bindparam("_id"))
    .values(
        state=bindparam("_state"),
        attempts=t.letters.c.attempts + bindparam("_tries"),
        not_before=bindparam("_until"),
        reply=bindparam("_reply"),
        events=bindparam("_events"),
        blame=bindparam("_blame"),
    )
)
_forget_attempt = delete(t.attempts).where(
    t.attempts.c.letter == bindparam("_letter"), t.attempts.c.number == bindparam("_number")
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


_confirm_book = (
    update(t.books)
    .where(
        t.books.c.campaign == bindparam("_campaign"),
        t.books.c.unit == bindparam("_unit"),
        t.books.c.version == bindparam("_version"),
    )
    .values(seq=bindparam("_seq"))
)
_close_problem = (
    update(t.problems)
    .where(t.problems.c.number == bindparam("_number"))
    .values(
        closed_at=bindparam("_at"),
        closed_by=bindparam("_by"),
        answer=bindparam("_answer"),
        by_roster=bindparam("_roster"),
    )
)
_decide_affiliation = (
    update(t.affiliations)
    .where(t.affiliations.c.number == bindparam("_number"))
    .values(
        state=bindparam("_state"),
        decided_by=bindparam("_by"),
        decided_at=bindparam("_at"),
        answer=bindparam("_answer"),
        since=bindparam("_since"),
    )
)
_mark_changed = (
    update(t.packages)
    .where(t.packages.c.campaign == bindparam("_campaign"), t.packages.c.unit == bindparam("_unit"))
    .values(changed=bindparam("_seq"))
)
_REPORTING = [kind.value for kind in UnitKind if kind.reports]


def _spread(connection: Connection, touched: Iterable[tuple[str, str, int]]) -> None:
    """Mark the packages above what was touched as changed, up to the root, in the tree of the campaign's own period: a
    few units however large the tree is.
    """
    by_campaign: dict[str, list[tuple[str, int]]] = {}
    for campaign, unit, seq in touched:
        by_campaign.setdefault(campaign, []).append((unit, seq))
    marks: dict[tuple[str, str], int] = {}
    days = {one.id: one.period.last_day for one in opened_campaigns(connection)} if by_campaign else {}
    for campaign, units in by_campaign.items():
        above = _above(connection, {unit for unit, _ in units}, days[campaign])
        for unit, seq in units:
            code = unit
            while code in above:
                kind, superior = above[code]
                if kind in _REPORTING:
                    marks[campaign, code] = max(seq, marks.get((campaign, code), 0))
                code = superior
    rows = [{"_campaign": key[0], "_unit": key[1], "_seq": seq} for key, seq in sorted(marks.items())]
    if rows:
        connection.execute(_mark_changed, rows)


def _keep_aliases(connection: Connection, rows: list[Row]) -> None:
    """A name that is known already is no news."""
    if rows:
        connection.execute(insert(connection, t.aliases).on_conflict_do_nothing(), rows)


def _note_failures(connection: Connection, failures: dict[str, Row | None]) -> None:
    """Messages that broke, or broke again; None for one that has its outcome."""
    columns = t.failures.c
    done = [sha for sha, row in failures.items() if row is None]
    for piece in chunks(done):
        connection.execute(delete(t.failures).where(columns.message.in_(piece)))
    upsert(connection, t.failures, [{"message": sha, **row} for sha, row in failures.items() if row])


def _above(connection: Connection, wanted: set[str], day: dt.date) -> dict[str, tuple[str, str]]:
    """Kind and superior of these units and of all above them, as the tree is on a day."""
    above: dict[str, tuple[str, str]] = {}
    columns = t.unit_versions.c
    holds = (columns.since <= day, columns.until > day)
    while wanted:
        for piece in chunks(sorted(wanted)):
            query = select(columns.code, columns.kind, columns.superior).where(
                columns.code.in_(piece), *holds
            )
            for code, kind, superior in connection.execute(query):
                above[code] = (kind, superior)
        wanted = {superior for _, superior in above.values() if superior} - above.keys() - wanted
    return above


def _retake(connection: Connection, message: Row, attachments: list[Row], released: bool) -> None:
    """A message that had failed, or that staff released, is taken anew; any other has its outcome already."""
    columns = t.messages.c
    whole = update(t.messages).where(columns.sha == message["sha"])
    done = connection.execute(
        (whole if released else whole.where(columns.bucket == "failed")).values(message)
    )
    if done.rowcount != 1:
        raise Conflict(f"message {message['sha']} has its outcome already")
    connection.execute(delete(t.attachments).where(t.attachments.c.message == message["sha"]))
    if attachments:
        connection.execute(t.attachments.insert(), attachments)
