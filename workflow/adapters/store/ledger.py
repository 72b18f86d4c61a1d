"""The ledger: one locked appender extends the hash chain, projects, commits, and then completes the portable copy."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.copy import Entry, LedgerCopy, Tail
from workflow.adapters.store.database import Database, chunks, insert_many
from workflow.adapters.store.projections import project
from workflow.adapters.store.records import LedgerCheck
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused
from workflow.domain.events import PURGED, Event, Ranges, canonical, chained_hash, personal_digest

_PIECE = 1000
#: What JSON gives back as it was.
_PLAIN = frozenset({str, int, bool, type(None)})


class Ledger(Database):
    """Appending to the ledger and proving it. `reached` is told of the point between the commit and the copy, where
    the contract tests stop the process.
    """

    def __init__(self, url: str, ledger_folder: Path, reached: Callable[[str], None]) -> None:
        super().__init__(url)
        self.copy = LedgerCopy(ledger_folder)
        self._reached = reached

    def migrate(self) -> None:
        """Bring the tables up to date, and the portable copy if a crash left it behind."""
        super().migrate()
        with self.reading() as connection:
            head = _head(connection)
            behind = self.copy.tail().seq < head.seq and _disagreement(connection, self.copy, head) is None
        if behind:
            self.copy.complete(head.seq, self._entries_after)

    def append(self, events: Sequence[Event], unchanged: Mapping[str, int] | None = None) -> None:
        """Write events and what follows from them in one transaction.

        `unchanged` names streams that the decision rests on with the last number that it saw: when one of them has
        moved on, the decision is out of date.

        Raises Conflict then and when somebody else wrote first, NotAllowed for an event that a case's or package's state does
        not allow, OutsideFailed when the database can't be written; the database is then untouched. OutsideFailed
        about the copy alone means that the events are in the database: the next append completes the copy.
        """
        if not events:
            return
        with self.writing() as connection:
            head, entries = self._written(connection, events, unchanged)
        self._reached("committed")
        self._copied(head, entries)

    def _written(
        self, connection: Connection, events: Sequence[Event], unchanged: Mapping[str, int] | None = None
    ) -> tuple[Tail, list[Entry]]:
        """Write events and what follows from them; where the ledger ended before, and they as it keeps them."""
        head = _head(connection)
        if self.copy.tail() != head:
            if disagreement := _disagreement(connection, self.copy, head):
                raise OutsideFailed(
                    "台账副本", disagreement, "请用 huizhi ledger verify 核对后执行 huizhi rebuild"
                )
            self.copy.complete(head.seq, lambda seq: _entries_after(connection, seq))
        if unchanged and _last_numbers(connection, unchanged) != dict(unchanged):
            raise Conflict("a stream that the decision rests on has moved on")
        _check_numbers(connection, events)
        entries = _chain(head, events)
        _insert(connection, entries)
        project(connection, entries)
        return head, entries

    def _copied(self, head: Tail, entries: Sequence[Entry]) -> None:
        self.copy.complete(
            entries[-1].seq, lambda seq: entries if seq == head.seq else self._entries_after(seq)
        )

    def _project_anew(self, connection: Connection) -> None:
        """Make every projection again from the ledger as it stands."""
        for table in reversed(t.PROJECTIONS):
            connection.execute(delete(table))
        seq = 0
        while entries := _entries_after(connection, seq):
            project(connection, entries)
            seq = entries[-1].seq

    def head(self) -> tuple[int, str]:
        """How many events there are, and the hash of the last one."""
        with self.reading() as connection:
            head = _head(connection)
        return head.seq, head.hash

    def next_numbers(self, streams: Collection[str]) -> dict[str, int]:
        """The last number of each stream, 0 for one that does not exist yet."""
        with self.reading() as connection:
            return _last_numbers(connection, streams)

    def verify_ledger(self, known: tuple[int, str] | None = None) -> LedgerCheck:
        """Recompute the whole chain, and hold it against the portable copy's end and a `known` earlier head."""
        marks = {}
        missing: list[int] = []
        purged = Ranges()
        tail = self.copy.tail()  # before the database is read: it only grows
        for seq, hash_, source in ((tail.seq, tail.hash, "台账副本"), (*(known or (0, "")), "已知链头")):
            if seq:
                marks[seq] = (hash_, source)
        last = Tail()
        with self.reading() as connection, closing(_stream(connection)) as entries:
            for entry in entries:
                fault = _entry_fault(last, entry)
                if fault is None and entry.seq in marks and marks[entry.seq][0] != entry.hash:
                    fault = f"第 {entry.seq} 条与{marks[entry.seq][1]}不符，台账被整体改写过"
                if fault is not None:
                    return LedgerCheck(last.seq, last.hash, fault)
                if entry.payload and entry.personal is None:
                    missing.append(entry.seq)
                if entry.event.kind == PURGED:
                    purged = purged.with_more(entry.event.data["ranges"])
                last = Tail(entry.seq, entry.hash)
        lost = sum(seq not in purged for seq in missing)
        for seq, (_, source) in marks.items():
            if seq > last.seq:
                return LedgerCheck(
                    last.seq, last.hash, f"台账被截短：{source}有 {seq} 条，数据库只有 {last.seq} 条"
                )
        return LedgerCheck(last.seq, last.hash, erased=len(missing) - lost, lost=lost)

    def verify_copy(self) -> str | None:
        """Hold the whole portable copy against its own chain and the database's head; the first fault in words."""
        last = Tail()
        try:
            for entry in self.copy.entries():
                if fault := _entry_fault(last, entry):
                    return fault
                last = Tail(entry.seq, entry.hash)
            left = self.copy.unscrubbed()
        except Refused as refused:
            return str(refused)
        if left:
            return f"副本中还有 {left} 条应当清除的个人信息，请再运行 huizhi purge"
        with self.reading() as connection:
            head = _head(connection)
        return None if last == head else f"副本有 {last.seq} 条，数据库有 {head.seq} 条"

    def export(self, folder: Path) -> None:
        """Write, or bring up to date, a portable copy in another folder."""
        copy = LedgerCopy(folder)
        with self.reading() as connection:
            head = _head(connection)
            if disagreement := _disagreement(connection, copy, head):
                raise Refused(Fault(str(folder), disagreement, "请导出到空文件夹"))
        copy.complete(head.seq, self._entries_after)

    def rebuild(self, folder: Path) -> None:
        """Empty the ledger and all projections and replay a portable copy. Refused, and nothing is changed, when the
        copy's chain does not hold or the workspace's own copy is another ledger's or longer.
        """
        last = Tail()
        with self.writing() as connection:
            for table in (*reversed(t.PROJECTIONS), *reversed(t.LEDGER)):
                connection.execute(delete(table))
            for entries in _pieces(LedgerCopy(folder).entries()):
                for entry in entries:
                    if fault := _entry_fault(last, entry):
                        raise Refused(Fault(str(folder), fault, "请换一份完整的台账副本"))
                    last = Tail(entry.seq, entry.hash)
                _insert(connection, entries)
                project(connection, entries)
            if disagreement := _disagreement(connection, self.copy, last):
                raise Refused(Fault("本工作区的台账副本", disagreement, "请先将其移走"))
        self.copy.complete(last.seq, self._entries_after)

    def _entries_after(self, seq: int) -> list[Entry]:
        with self.reading() as connection:
            return _entries_after(connection, seq)


def _head(connection: Connection) -> Tail:
    query = select(t.events.c.seq, t.events.c.hash).order_by(t.events.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return Tail(row.seq, row.hash) if row else Tail()


def _disagreement(connection: Connection, copy: LedgerCopy, head: Tail) -> str | None:
    """Why a copy is not this ledger up to some event; None when it is."""
    tail = copy.tail()
    if tail.seq > head.seq:
        return f"台账副本有 {tail.seq} 条，数据库只有 {head.seq} 条"
    if tail.seq == 0:
        return None
    found = connection.execute(select(t.events.c.hash).where(t.events.c.seq == tail.seq)).scalar()
    return None if found == tail.hash else f"台账副本与数据库在第 {tail.seq} 条上不是同一本台账"


def _check_numbers(connection: Connection, events: Sequence[Event]) -> None:
    """Each event must follow its stream's last one; the unique key behind it stays the last word."""
    last = _last_numbers(connection, [event.stream for event in events])
    for event in events:
        if event.number != last[event.stream] + 1:
            raise Conflict(f"{event.stream}: event {event.number} does not follow {last[event.stream]}")
        last[event.stream] = event.number


def _last_numbers(connection: Connection, streams: Collection[str]) -> dict[str, int]:
    columns = t.events.c
    found = dict.fromkeys(streams, 0)
    for piece in chunks(streams):
        query = select(columns.stream, func.max(columns.number)).where(columns.stream.in_(piece))
        found.update(
            (stream, number) for stream, number in connection.execute(query.group_by(columns.stream))
        )
    return found


def _chain(head: Tail, events: Iterable[Event]) -> list[Entry]:
    """Events as they follow the head, each as its JSON will be read again: a tuple is a list from here on."""
    seq, last = head.seq, head.hash
    entries = []
    for given in events:
        if given.at.tzinfo is None:
            raise ValueError(f"{given.stream}: an event's time needs its zone")
        data = canonical(given.data)
        personal = None if given.personal is None else canonical(given.personal)
        # Not `replace`, which takes as long as all the rest for so many events.
        event = Event(
            given.stream, given.number, given.kind, given.at, given.actor, given.cause, _read_again(given.data, data),
            None if personal is None else _read_again(given.personal, personal),
        )  # fmt: skip
        salt = secrets.token_hex(16) if personal is not None else ""
        payload = personal_digest(salt, personal)
        seq += 1
        last = chained_hash(last, event, data, payload)
        entries.append(Entry(seq, event, data, payload, salt, personal, last))
    return entries


def _read_again(given: Mapping[str, Any] | None, spelt: str) -> Any:
    """What reading the JSON of a mapping gives."""
    if given.__class__ is dict and all(
        name.__class__ is str and value.__class__ in _PLAIN for name, value in given.items()
    ):
        return given
    return json.loads(spelt)


def _insert(connection: Connection, entries: Sequence[Entry]) -> None:
    payloads = [
        {"digest": entry.payload, "salt": entry.salt, "body": entry.personal}
        for entry in entries
        if entry.payload
    ]
    if payloads:
        insert_many(connection, t.payloads, payloads)
    rows = [
        {
            "seq": entry.seq,
            "stream": entry.event.stream,
            "number": entry.event.number,
            "kind": entry.event.kind,
            "at": entry.event.at.isoformat(),
            "actor": entry.event.actor,
            "cause": entry.event.cause,
            "data": entry.data,
            "payload": entry.payload,
            "hash": entry.hash,
        }
        for entry in entries
    ]
    insert_many(connection, t.events, rows)


def _entry_fault(last: Tail, entry: Entry) -> str | None:
    """What is wrong with an entry that should follow `last`; Chinese."""
    event = entry.event
    if entry.seq != last.seq + 1:
        return f"第 {last.seq + 1} 条缺失"
    if entry.personal is not None and personal_digest(entry.salt, entry.personal) != entry.payload:
        return f"第 {entry.seq} 条（{event.stream}）的个人信息内容被改动过"
    if chained_hash(last.hash, event, entry.data, entry.payload) != entry.hash:
        return f"第 {entry.seq} 条（{event.stream}）的内容被改动过，或前面有记录被改动"
    return None


def _select() -> Select[Any]:
    return (
        select(t.events, t.payloads.c.salt, t.payloads.c.body)
        .outerjoin(t.payloads, t.payloads.c.digest == t.events.c.payload)
        .order_by(t.events.c.seq)
    )


def _entries_after(connection: Connection, seq: int) -> list[Entry]:
    query = _select().where(t.events.c.seq > seq).limit(_PIECE)
    return [_entry(row) for row in connection.execute(query)]


def _stream(connection: Connection) -> Generator[Entry, None, None]:
    with connection.execution_options(yield_per=_PIECE).execute(_select()) as rows:
        for row in rows:
            yield _entry(row)


def _entry(row: Any) -> Entry:
    event = Event(
        row.stream,
        row.number,
        row.kind,
        dt.datetime.fromisoformat(row.at),
        row.actor,
        row.cause,
        json.loads(row.data),
        None if row.body is None else json.loads(row.body),
    )
    return Entry(row.seq, event, row.data, row.payload, row.salt or "", row.body, row.hash)


def _pieces(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    piece = []
    for entry in entries:
        piece.append(entry)
        if len(piece) == _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece
