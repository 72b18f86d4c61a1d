"""Erasing personal payload: what may go, and how it goes from the ledger, its projections and the portable copy alike."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby

from sqlalchemy import Connection, or_, select, text, update

from workflow.adapters.store import tables as t
from workflow.adapters.store.campaign_rows import opened_campaigns
from workflow.adapters.store.database import chunks
from workflow.adapters.store.ledger import Ledger
from workflow.adapters.store.records import LetterState
from workflow.domain.events import PURGED, Event, Ranges
from workflow.domain.retention import KIND_OF_EVENT, Kind
from workflow.domain.submission import WAITING_BUCKETS, WAITING_OUTCOMES, Bucket

#: Letters on their way need their address.
_DONE = (LetterState.SENT.value, LetterState.FAILED.value)


class Erasure(Ledger):
    """What a purge asks and does."""

    def erasable(
        self, before: Mapping[Kind, dt.datetime], campaigns: Collection[str]
    ) -> dict[Kind, list[int]]:
        """The places of the events whose payload is older than `before` of its kind and not needed: mail that waits for a person
        or for another try, letters on their way, the people in force, and answers of or used in `campaigns` stay. A copy of a
        message that goes, or is gone, goes with it, whenever it came.
        """
        found: dict[Kind, list[int]] = {}
        gone = {f"message:{sha}" for sha in self.erased_mail()}
        with self.reading() as connection:
            keep = {*_waiting(connection), *_unsent(connection), *_open_problems(connection)}
            answers = set(_in_use(connection, campaigns))
            roster, people = _roster_in_force(connection), _people_in_force(connection)
            first_of = {f"message:{copy}": f"message:{first}" for copy, first in _copies(connection)}
            columns = t.events.c
            query = (
                select(columns.seq, columns.stream, columns.kind, columns.at, columns.payload)
                .join(t.payloads, t.payloads.c.digest == columns.payload)
                .where(t.payloads.c.body.is_not(None))
                .order_by(columns.seq)
            )
            for seq, stream, event, at, payload in connection.execute(query):
                kind = KIND_OF_EVENT.get(event.partition(".")[0])
                if kind is None or kind not in before:
                    continue
                if dt.datetime.fromisoformat(at) >= before[kind] and first_of.get(stream) not in gone:
                    continue
                if stream in keep or payload in answers:
                    continue
                if kind is Kind.CONTACTS and (seq in people or (stream == "roster" and seq >= roster)):
                    continue
                found.setdefault(kind, []).append(seq)
                gone.add(stream)
        return found

    def erase(self, seqs: Collection[int], record: Event) -> None:
        """Erase payloads with their salts, and append the event that says so with its `ranges` filled in; one transaction, after
        which every projection is what a rebuild would make it. The portable copy follows; `scrub` does what a crash left over.
        """
        with self.writing() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("PRAGMA secure_delete = ON"))  # what is freed is overwritten
            held = connection.execute(
                select(t.events.c.seq).where(t.events.c.payload != "").order_by(t.events.c.seq)
            )
            ranges = Ranges.of(seqs, held.scalars().all())
            for piece in chunks(seqs):
                digests = select(t.events.c.payload).where(t.events.c.seq.in_(piece))
                connection.execute(
                    update(t.payloads).where(t.payloads.c.digest.in_(digests)).values(body=None, salt="")
                )
            data = {**record.data, "ranges": [list(pair) for pair in ranges.pairs]}
            event = Event(record.stream, record.number, PURGED, record.at, record.actor, record.cause, data)
            head, entries = self._written(connection, [event])
            self._project_anew(connection)
        self._reached("committed")
        self._copied(head, entries)
        self.scrub()

    def scrub(self) -> None:
        """Take what was erased out of the portable copy and, on SQLite, out of the write-ahead log."""
        self.copy.scrub()
        if self.engine.dialect.name == "sqlite":
            # Outside of a transaction; one that somebody still reads in leaves it for the next time.
            with self.engine.connect() as connection:
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()  # type: ignore[union-attr]

    def erased_mail(self, messages: Collection[str] | None = None) -> set[str]:
        """Messages whose sender and subject were erased, and copies of these that came later with other trace fields, all or
        those of these: their bytes are to be gone too.
        """
        gone = self._emptied(messages)
        with self.reading() as connection:
            copies = dict(_copies(connection, messages))
        firsts = gone if messages is None else self._emptied(set(copies.values())) if copies else set()
        return gone | {copy for copy, first in copies.items() if first in firsts}

    def _emptied(self, messages: Collection[str] | None) -> set[str]:
        """Messages of whose payload nothing is left."""
        return {
            stream.removeprefix("message:")
            for stream, live in self._payloads("message:", messages)
            if not any(live)
        }

    def erased_letters(self) -> list[str]:
        """The sha256 of the bytes of every letter whose address was erased."""
        gone = {stream.removeprefix("letter:") for stream, live in self._payloads("letter:") if not any(live)}
        with self.reading() as connection:
            rows = connection.execute(select(t.letters.c.id, t.letters.c.sha)).all()
        kept = {sha for known, sha in rows if known not in gone}
        return sorted({sha for known, sha in rows if known in gone} - kept)

    def erased_answers(self, campaign: str, unit: str) -> int:
        """How many versions of a unit's data were erased."""
        columns = t.submissions.c
        query = (
            select(columns.id)
            .join(t.payloads, t.payloads.c.digest == columns.answers)
            .where(columns.campaign == campaign, columns.unit == unit, t.payloads.c.body.is_(None))
        )
        with self.reading() as connection:
            return len(connection.execute(query).all())

    def _payloads(self, prefix: str, names: Collection[str] | None = None) -> list[tuple[str, list[bool]]]:
        """Each stream with a payload, and of each of its payloads whether it is still there."""
        columns = t.events.c
        query = (
            select(columns.stream, t.payloads.c.body.is_not(None))
            .join(t.payloads, t.payloads.c.digest == columns.payload)
            .order_by(columns.stream)
        )
        with self.reading() as connection:
            if names is None:
                rows = list(
                    connection.execute(query.where(columns.stream.startswith(prefix, autoescape=True)))
                )
            else:
                streams = [f"{prefix}{name}" for name in names]
                rows = [
                    row
                    for piece in chunks(streams)
                    for row in connection.execute(query.where(columns.stream.in_(piece)))
                ]
        return [(stream, [bool(live) for _, live in of]) for stream, of in groupby(rows, lambda row: row[0])]


def _copies(connection: Connection, messages: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """Each message in the bucket `duplicate`, or each of these, with the message that it repeats."""
    copy, first = t.messages.alias(), t.messages.alias()
    query = (
        select(copy.c.sha, first.c.sha)
        .join(first, first.c.digest == copy.c.digest)
        .where(copy.c.bucket == Bucket.DUPLICATE.value, first.c.bucket != Bucket.DUPLICATE.value)
    )
    for piece in [None] if messages is None else chunks(messages):
        of = query if piece is None else query.where(copy.c.sha.in_(piece))
        yield from ((one, other) for one, other in connection.execute(of))


def _waiting(connection: Connection) -> Iterator[str]:
    """Messages that wait for a person, or for another try."""
    of_file = select(t.attachments.c.message).where(
        t.attachments.c.outcome.in_([outcome.value for outcome in WAITING_OUTCOMES])
    )
    columns = t.messages.c
    waits = [Bucket.FAILED.value, *(bucket.value for bucket in WAITING_BUCKETS)]
    query = select(columns.sha).where(
        or_(columns.bucket.in_(waits), columns.sha.in_(of_file)),
        columns.sha.not_in(select(t.settlements.c.message)),
    )
    yield from (f"message:{sha}" for sha in connection.execute(query).scalars())


def _unsent(connection: Connection) -> Iterator[str]:
    query = select(t.letters.c.id).where(t.letters.c.state.not_in(_DONE))
    yield from (f"letter:{known}" for known in connection.execute(query).scalars())


def _open_problems(connection: Connection) -> Iterator[str]:
    """Reports that somebody has to answer yet."""
    query = select(t.problems.c.number).where(t.problems.c.closed_at.is_(None))
    yield from (f"problem:{number}" for number in connection.execute(query).scalars())


def _in_use(connection: Connection, campaigns: Collection[str]) -> Iterator[str]:
    """The answers that came in these campaigns, and those that they carry over from earlier ones."""
    carried = select(t.package_rows.c.submission).where(t.package_rows.c.campaign.in_(campaigns))
    columns = t.submissions.c
    query = select(columns.answers).where(or_(columns.campaign.in_(campaigns), columns.id.in_(carried)))
    yield from connection.execute(query).scalars()
    yield from _legacy_in_use(connection, campaigns)
    late = select(t.late_returns.c.answers).where(t.late_returns.c.campaign.in_(campaigns))
    yield from connection.execute(late).scalars()


def _legacy_in_use(connection: Connection, campaigns: Collection[str]) -> Iterator[str]:
    """Phase-one data that these campaigns carry over, and all of a form that fewer than two of them ask for: until the second every
    unit may need what was taken over.
    """
    asked = Counter(form for one in opened_campaigns(connection) if one.id in campaigns for form in one.forms)
    carried = select(t.package_rows.c.submission).where(t.package_rows.c.campaign.in_(campaigns))
    columns = t.legacy_data.c
    twice = [form for form, count in asked.items() if count > 1]
    query = select(columns.answers).where(or_(columns.id.in_(carried), columns.form.not_in(twice)))
    yield from connection.execute(query).scalars()


def _roster_in_force(connection: Connection) -> int:
    """The place of the last event that brought people."""
    columns = t.events.c
    query = select(columns.seq, columns.data).where(columns.stream == "roster", columns.payload != "")
    for seq, data in connection.execute(query.order_by(columns.seq.desc())):
        said = json.loads(data)
        if not said.get("from") or said.get("people"):
            return int(seq)
    return 0


def _people_in_force(connection: Connection) -> set[int]:
    """The places of the events that set a unit's people, the last of each unit since everybody's were brought."""
    columns = t.events.c
    query = select(columns.seq, columns.data).where(
        columns.stream == "contacts", columns.seq > _roster_in_force(connection)
    )
    last = {json.loads(data)["unit"]: seq for seq, data in connection.execute(query.order_by(columns.seq))}
    return set(last.values())
