"""A workspace in a folder with the little province in it, and the calendar at work: a real store, real letters."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.domain.offices import ROSTER, UNITS, form_of, number
from workflow.adapters.files import Files
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.store import MadeBook, Store
from workflow.adapters.workdays import workdays
from workflow.domain.campaign import DEFAULT_WINDOWS, SHANGHAI, Period
from workflow.domain.deadlines import Schedule
from workflow.domain.events import Event
from workflow.domain.form import Prefill
from workflow.domain.roster import Contact, Roster, UnitKind
from workflow.process.correspondence import Letterhead, Secretariat
from workflow.process.decisions import Decisions
from workflow.process.gather import require_campaign
from workflow.process.situation import Policy
from workflow.process.tick import Done, Tick

if TYPE_CHECKING:
    from workflow.adapters.workbook.master import CompiledForm
    from workflow.domain.form import Form
    from workflow.domain.roster import Unit
    from workflow.domain.submission import Answers

TEMPLATES = LetterTemplates(Path(__file__).parents[2] / "templates" / "letters")
FORMS: dict[str, Form] = {
    "school": form_of(number("学生", prefill=Prefill.LAST_PERIOD)),
    "office": form_of(number("学生"), name="office", kinds=tuple(kind for kind in UnitKind if kind.reports)),
}
WINDOWS = {level.value: list(days) for level, days in DEFAULT_WINDOWS.items()}


def form_for(unit: str) -> str:
    return "office" if UNITS[unit].kind.reports else "school"


def imported(roster: Roster, at: dt.datetime) -> Event:
    units = [
        {"code": u.code, "name": u.name, "kind": u.kind.value, "superior": u.superior} for u in roster.units.values()
    ]  # fmt: skip
    return Event("roster", 1, "roster.imported", at, "系统", data={"units": units}, personal={"contacts": [_person(c) for c in roster.contacts]})  # fmt: skip


def _person(contact: Contact) -> dict[str, str]:
    return {
        "unit": contact.unit, "role": contact.role.value, "name": contact.name, "phone": contact.phone,
        "mobile": contact.mobile, "email": contact.email,
    }  # fmt: skip


@dataclass
class Letter:
    """A queued letter as its reader sees it."""

    to: str
    kind: str
    subject: str
    text: str
    files: list[str]
    at: dt.datetime


@dataclass
class Office:
    """The workspace. `moved` collects what the calendar did."""

    folder: Path
    roster: Roster = ROSTER
    period: Period = field(default_factory=lambda: Period(2026, 4))
    schedule: Schedule = field(default_factory=lambda: Schedule(workdays=workdays()))
    receipt_due: str | None = None

    def __post_init__(self) -> None:
        self.store = Store(f"sqlite:///{self.folder}/state.db", self.folder / "ledger")
        self.store.migrate()
        self.files = Files(self.folder)
        self.letterhead = Letterhead("回执", "own@office.test", "示例省教育厅", "联系方式：0371-55550000")
        self.numbers: dict[str, int] = {}
        self.book_version = 1

    def close(self) -> None:
        self.store.close()

    @property
    def campaign(self) -> str:
        return self.period.id

    def open(self, at: dt.datetime) -> None:
        """The campaign as `launch` leaves it: every unit asked."""
        opened = {
            "forms": dict.fromkeys(FORMS, "a" * 64),
            "windows": WINDOWS,
            "receipt_due": self.receipt_due,
        }
        events = [
            imported(self.roster, at),
            self._next(f"campaign:{self.campaign}", "campaign.opened", at, opened),
        ]
        for unit in self.roster.units.values():
            if unit.kind.reports:
                level = {"level": unit.kind.level.value}
                events.append(self._next(f"package:{self.campaign}/{unit.code}", "package.opened", at, level))
            events.append(self._next(self._case(unit.code), "case.planned", at))
            token = {"copy": 1, "token": f"HZ-{unit.code}"}
            events.append(self._next(self._case(unit.code), "case.issued", at, token))
        self.store.append(events)

    def submit(self, at: dt.datetime, *units: str) -> None:
        for unit in units:
            data = {
                "submission": f"{self.campaign}/{unit}/{form_for(unit)}/1", "number": 1, "form_version": 2,
                "received_at": at.isoformat(),
            }  # fmt: skip
            self.store.append(
                [self._next(self._case(unit), "case.submitted", at, data, personal={"answers": {"学生": 1}})]
            )

    def send_back(self, at: dt.datetime, due: dt.datetime, unit: str) -> None:
        self.submit(at, unit)
        data = {"due": due.isoformat(), "note": "", "by": "系统校验", "returned_number": 1}
        self.store.append([self._next(self._case(unit), "case.returned", at, data)])

    def report(self, at: dt.datetime, *units: str) -> None:
        for unit in units:
            data = {"by": "审核员", "as_of": at.isoformat(), "rows": []}
            self.store.append([self._next(f"package:{self.campaign}/{unit}", "package.reported", at, data)])

    def late(
        self, at: dt.datetime, unit: str, *, registered: bool = True, answers: Answers | None = None
    ) -> None:
        """A workbook of the unit comes after its level has reported."""
        data = {"received_at": at.isoformat(), "message": "c" * 64, "registered": registered}
        stream = f"late:{self.campaign}/{unit}/{form_for(unit)}/{at:%d%H%M}/0"
        personal = {"answers": {"学生": 7} if answers is None else dict(answers)}
        self.store.append([Event(stream, 1, "late.kept", at, "系统", data=data, personal=personal)])

    def polled(self, at: dt.datetime) -> None:
        from workflow.adapters.store import Cursor

        self.store.save_cursor("own", "INBOX", Cursor(1, 1, at))

    def tick(self, at: dt.datetime) -> Done:
        return self.calendar().run(at)

    def calendar(self, store: Store | None = None, piece: int = 1000) -> Tick:
        store = store or self.store
        return Tick(
            store,
            self.secretariat(store),
            Policy("own@office.test"),
            self.schedule,
            lambda: FORMS,
            self._book,
            piece,
        )

    def secretariat(self, store: Store) -> Secretariat:
        return Secretariat(
            self.letterhead, TEMPLATES, self.files, self._no_form,
            lambda name: require_campaign(self.store, name), store.letter_exists, beside=0,
        )  # fmt: skip

    def decisions(self) -> Decisions:
        """Staff's hand on the two machines."""
        self.numbers.clear()  # what is decided writes events of its own
        return Decisions(
            self.store, self.secretariat(self.store), Policy("own@office.test"), lambda _=None: FORMS
        )

    def letters(self, kind: str = "reminder") -> list[Letter]:
        """Every queued letter of a kind, by age."""
        found = []
        for row in self.store.letters(self.campaign):
            if kind not in ("", row.kind):
                continue
            message = email.message_from_bytes(self.files.letter(row.sha), policy=email.policy.default)
            body = message.get_body(("plain",))
            assert body is not None
            files = [part.get_filename() or "" for part in message.iter_attachments()]
            found.append(Letter(row.to, row.kind, row.subject, body.get_content(), files, row.queued_at))
        return found

    def staff(self) -> list[str]:
        return [str(q.data.get("matter") or q.personal.get("matter", "")) for q in self.store.staff_queries()]

    def _book(self, unit: Unit, now: dt.datetime) -> MadeBook:
        path = self.files.write_book(f"{self.campaign}/{unit.code}-1.xlsx", b"PK-a-workbook")
        return MadeBook(
            self.campaign, unit.code, self.book_version, f"HZ-BOOK{unit.code}", "b" * 64, path, now, now
        )

    def _no_form(self, form: str) -> CompiledForm:
        raise AssertionError(form)

    def append(self, stream: str, *events: tuple[str, dict[str, Any]]) -> None:
        """Write events of a stream, by kind and data."""
        at = on(12, 2)
        self.store.append([self._next(stream, kind, at, data) for kind, data in events])

    def _case(self, unit: str) -> str:
        return f"case:{self.campaign}/{unit}/{form_for(unit)}"

    def _next(
        self, stream: str, kind: str, at: dt.datetime, data: dict[str, Any] | None = None, **more: Any
    ) -> Event:
        self.numbers[stream] = (
            self.store.next_numbers([stream])[stream] if stream not in self.numbers else self.numbers[stream]
        )
        self.numbers[stream] += 1
        return Event(stream, self.numbers[stream], kind, at, "系统", data=data or {}, **more)


def on(month: int, day: int, hour: int = 10, minute: int = 0) -> dt.datetime:
    """A moment of 2026, or of January 2027."""
    return dt.datetime(2027 if month == 1 else 2026, month, day, hour, minute, tzinfo=SHANGHAI)
