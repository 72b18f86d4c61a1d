"""Chasing 催报: what every address is told on a day, gathered into one letter, and how it goes out exactly once.

A day's letters are keyed by address and day and queued piece by piece between two steps of the ledger, `gathering` and
`gathered`; the steps that they stand for are done with the second. After a crash in between, who has a letter of the
unfinished day is not told again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from workflow.adapters.store import MadeBook, Store
from workflow.domain.campaign import Campaign, midnight
from workflow.domain.deadlines import Due, Owed, gathered_key, gathering_key
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.ladder import COHORTS, Cohort, Rung, level_above, report_owed
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, is_counted
from workflow.domain.privacy import number_for, sight
from workflow.domain.problems import Problem
from workflow.domain.receipt_standing import doubts, lacking
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.domain.workdays import OFFICE_OPENS
from workflow.process.correspondence import Secretariat
from workflow.process.receipts import ASKED
from workflow.process.reminders import Picture, ReceiptOwed, Row, Sheet, calls, words
from workflow.process.situation import SYSTEM

#: Letters written and committed together: a score of megabytes. Each commit waits for the disk, which others are writing to.
PIECE = 2000
#: So many lines of a list take as long as a letter.
_LINES = 3
_OWES_REPLY = frozenset({Cohort.NO_REPLY, Cohort.UNCORRECTED})


@dataclass(frozen=True)
class Chase:
    """What chasing works with. `book` makes a level's newest consolidated workbook, as of a moment; `piece` letters are
    written and committed together.
    """

    store: Store
    secretariat: Secretariat
    forms: Callable[[], Mapping[str, Form]]
    book: Callable[[Unit, dt.datetime], MadeBook]
    piece: int = PIECE

    def gather(
        self,
        dues: Sequence[Due],
        now: dt.datetime,
        campaign: Campaign,
        roster: Roster,
        silent: Collection[str],
    ) -> None:
        """Queue what is due today, one letter to an address, and note the steps as done."""
        steps = self.store.steps(campaign.id)
        picture = self._picture(now, campaign, roster, silent)
        earlier = _unfinished(steps, picture.day)
        sheets = self._sheets([due for due in dues if not due.skipped], picture, earlier)
        queries = list(calls(picture, sheets.values()))
        if sheets and gathering_key(picture.day) not in steps:
            self.store.append([_step(campaign, gathering_key(picture.day), now)])
        pieces = _pieces(self._orders(sheets.values(), picture), self.piece)
        with closing(self.secretariat.queue_ahead(pieces, roster)) as queued:
            for events in queued:
                self.store.append(events)
        ends = [_step(campaign, due.key, due.at, _OVERTAKEN if due.skipped else "") for due in dues]
        if sheets:
            ends.append(_step(campaign, gathered_key(picture.day), now))
        ends += [_step(campaign, gathered_key(day), now, "并入次日") for day in earlier]
        last = self.store.next_numbers(["staff"])["staff"] if queries else 0
        self.store.append([*ends, *(replace(q, number=n) for n, q in enumerate(queries, last + 1))])

    def _picture(
        self, now: dt.datetime, campaign: Campaign, roster: Roster, silent: Collection[str]
    ) -> Picture:
        packages = {
            package.unit: package for package in self.store.packages(campaign.id)
            if not package.locked and package.unit not in silent
        }  # fmt: skip
        owing: dict[str, list[Case]] = {}
        for case in self.store.cases(campaign.id):
            unit = roster.units.get(case.unit)
            if unit is not None and case.state in COHORTS and is_counted(case, unit):
                package = roster.package_of(case.unit).code
                if package in packages:
                    owing.setdefault(package, []).append(case)
        return Picture(campaign, roster, now, packages, owing)

    def _sheets(
        self, dues: Iterable[Due], picture: Picture, earlier: Collection[dt.date]
    ) -> dict[str, Sheet]:
        """What each address is told, by address in small letters. Of a day that a crash left unfinished, those who had
        its letter are not told again.
        """
        told = {day: self._told(picture, day) for day in earlier}
        sheets: dict[str, Sheet] = {}
        for due in dues:
            had = next((told[day] for day in earlier if due.at.date() <= day), frozenset[str]())
            for to, fill in self._tell(due, picture):
                address = to.email.lower()
                if address not in had:
                    fill(sheets.setdefault(address, Sheet(to)))
        return sheets

    def _told(self, picture: Picture, day: dt.date) -> frozenset[str]:
        keys = {
            _letter_key(picture.campaign, contact.email, day): contact.email.lower()
            for contact in picture.roster.contacts if contact.email
        }  # fmt: skip
        ids = {_id(key): address for key, address in keys.items()}
        return frozenset(ids[known] for known in self.store.letter_exists(ids.keys()))

    def _tell(self, due: Due, picture: Picture) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
        match due.owed:
            case Owed.REMINDER:
                return _own_matters(picture)
            case Owed.RECEIPT_REMINDER:
                return self._receipts(picture)
            case Owed.PHONE_LIST:
                return _lists(picture, Rung.ADMINISTRATOR, picture.cases)
            case Owed.REVIEW_REMINDER:
                return self._review(picture, due.package)
            case Owed.ESCALATION:
                assert due.rung is not None
                return _escalated(picture, due.rung, due.package)
            case Owed.PROBLEM:
                assert due.rung is not None
                return self._problems(picture, due.rung, due.package, due.at)
            case _:
                raise ValueError(due.key)

    def _problems(
        self, picture: Picture, rung: Rung, owner: str, at: dt.datetime
    ) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
        """Every problem with the roster that is open and waits for its owner since the step or longer."""
        level = picture.roster.units[owner]
        steps = [Rung.ADMINISTRATOR, rung]
        waiting = [
            one for one in self.store.problems()
            if one.open and one.owner == owner and (rung is Rung.ADMINISTRATOR or one.overdue(at))
        ]  # fmt: skip
        for told in dict.fromkeys(steps):
            if waiting and (to := _on_rung(picture, told, level)) is not None:
                yield to, _problem_filler(told, owner, waiting)

    def _receipts(self, picture: Picture) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
        """What each unit still owes of 附件2: a part that has not come, or what is wrong with those that have."""
        receipt_due = picture.campaign.receipt_due
        assert receipt_due is not None
        standings = self.store.receipt_standings(picture.campaign.id)
        until = midnight(receipt_due + dt.timedelta(days=1))
        for unit in picture.roster.units.values():
            if unit.kind not in ASKED:
                continue
            standing = standings.get(unit.code)
            missing, wrong = lacking(standing), doubts(standing) if standing else []
            to = picture.roster.recipient(unit.code, Role.ADMINISTRATOR, picture.day)
            if (missing or wrong) and to is not None:
                said = ["回执表缺" + "和".join(missing)] if missing else []
                row = Row(unit, "；".join([*said, *wrong]), until)
                yield to, _receipt_filler(row, ReceiptOwed(tuple(missing), tuple(wrong)))

    def _review(self, picture: Picture, package: str) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
        """The cohort 尚未审核: rows that wait for the level's decision, with the newest workbook."""
        roster, unit = picture.roster, picture.roster.units[package]
        to = roster.recipient(package, Role.REVIEWER, picture.day)
        if (
            to is None
            or package not in picture.packages
            or not roster.people(package, Role.REVIEWER, picture.day)
        ):
            return
        closes = picture.closes(package)
        rows = [
            Row(roster.units[case.unit], Cohort.NOT_REVIEWED.value, closes)
            for case in picture.owing.get(package, ())
            if COHORTS[case.state] is Cohort.NOT_REVIEWED
        ]
        rows.append(Row(unit, report_owed(picture.packages[package]).value, closes))
        book = self.book(unit, picture.now)

        def fill(sheet: Sheet) -> None:
            sheet.own.update({(row.unit.code, row.matter): row for row in rows})
            sheet.books.append(book)

        yield to, fill

    def _orders(self, sheets: Iterable[Sheet], picture: Picture) -> Iterator[LetterOrder]:
        forms = self.forms()
        of_kind = {kind: form for form in forms.values() for kind in form.kinds}
        at = midnight(picture.day) + OFFICE_OPENS
        for sheet in sheets:
            unit, form, title, token = sheet.to.unit, "", "", ""
            if len(sheet.own) == len(sheet.cases) == 1 and not sheet.lists and not sheet.problems:
                case = sheet.cases[0]
                unit, form, token = case.unit, case.form, case.token
                title = forms[form].title if form in forms else ""
            elif sheet.books:
                token = sheet.books[0].token
            if not form and (known := of_kind.get(picture.roster.units[unit].kind)):
                form = known.id
            kind, context = words(sheet, picture, title)
            enclosures = tuple(KeptFile(book.path.rpartition("/")[2], book.path) for book in sheet.books)
            yield LetterOrder(
                kind, picture.campaign.id, unit, form, sheet.to, at, gathered_key(picture.day), context, enclosures,
                token, key=_letter_key(picture.campaign, sheet.to.email, picture.day),
            )  # fmt: skip


_OVERTAKEN = "已由后一次通知代替"


def _step(campaign: Campaign, key: str, at: dt.datetime, detail: str = "") -> Event:
    return Event(f"step:{campaign.id}/{key}", 1, "step.done", at, SYSTEM, "", {"detail": detail})


def _letter_key(campaign: Campaign, address: str, day: dt.date) -> str:
    return f"chase\n{campaign.id}\n{address.lower()}\n{day}"


def _id(key: str) -> str:
    nobody = Recipient("", "", "", Role.ADMINISTRATOR)
    return LetterOrder(
        LetterKind.REMINDER, "", "", "", nobody, dt.datetime.min.replace(tzinfo=dt.UTC), "", key=key
    ).id


def _unfinished(steps: Collection[str], today: dt.date) -> list[dt.date]:
    """Days before today whose letters began to go out and did not end."""
    days = {dt.date.fromisoformat(key.partition("/")[2]) for key in steps if key.startswith("gathering/")}
    return sorted(day for day in days if day < today and gathered_key(day) not in steps)


def _own_matters(picture: Picture) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
    """The cohorts 尚未报送 and 退回后尚未重新报送, to the units themselves."""
    for case in picture.cases:
        if COHORTS[case.state] in _OWES_REPLY:
            to = picture.roster.recipient(case.unit, Role.ADMINISTRATOR, picture.day)
            if to is not None:
                yield to, _own_filler(case, _case_row(picture, case))


def _own_filler(case: Case, row: Row) -> Callable[[Sheet], None]:
    def fill(sheet: Sheet) -> None:
        if (row.unit.code, row.matter) not in sheet.own:
            sheet.cases.append(case)
        sheet.own[row.unit.code, row.matter] = row

    return fill


def _receipt_filler(row: Row, owed: ReceiptOwed) -> Callable[[Sheet], None]:
    def fill(sheet: Sheet) -> None:
        sheet.own[row.unit.code, row.matter] = row
        sheet.receipts[row.unit.code] = owed

    return fill


def _case_row(picture: Picture, case: Case, rung: Rung | None = None) -> Row:
    """What a unit owes: to itself, or with whom to ring up to who is on a rung of the level that urges it."""
    unit = picture.roster.units[case.unit]
    due = case.due or picture.campaign.reply_due
    name, phone = _whom_to_ring(picture, case.unit, Role.ADMINISTRATOR, rung) if rung else ("", "")
    matter = COHORTS[case.state].value
    if rung and _out_of_reach(picture, case.unit):
        matter += "（登记的邮箱收不到信）"
    return Row(unit, matter, due, name, phone)


def _out_of_reach(picture: Picture, code: str) -> bool:
    """Whether a unit has addresses and letters arrive at none of them."""
    people = picture.roster.people(code, Role.ADMINISTRATOR, picture.day)
    emails = [person.email.lower() for person in people if person.email]
    return bool(emails) and all(email in picture.roster.bad for email in emails)


def _whom_to_ring(picture: Picture, code: str, role: Role, rung: Rung) -> tuple[str, str]:
    """Name and telephone of whoever holds a role, else of the unit's 管理员, as who is on that rung sees them."""
    people = picture.roster.people(code, role, picture.day)
    people = people or picture.roster.people(code, Role.ADMINISTRATOR, picture.day)
    if not people:
        return "", ""
    level = level_above(picture.roster, code)
    sees = sight(picture.roster, level.code if level else code, code, rung.role)
    numbers = "、".join(number for number in (people[0].phone, people[0].mobile) if number)
    return people[0].name, number_for(sees, numbers)


def _lists(
    picture: Picture, rung: Rung, cases: Iterable[Case]
) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
    """The units that owe a reply, to whoever chases them at the level above."""
    whom: dict[str, Recipient | None] = {}
    for case in cases:
        if COHORTS[case.state] in _OWES_REPLY:
            level = level_above(picture.roster, case.unit)
            if level is not None:
                if level.code not in whom:
                    whom[level.code] = _on_rung(picture, rung, level)
                if (to := whom[level.code]) is not None:
                    yield to, _list_filler(rung, level, _case_row(picture, case, rung))


def _escalated(
    picture: Picture, rung: Rung, package: str
) -> Iterator[tuple[Recipient, Callable[[Sheet], None]]]:
    """A package not reported, to the level above it, with what its members owe to the level that chases them."""
    if package not in picture.packages:
        return
    roster, cases = picture.roster, picture.owing.get(package, ())
    yield from _lists(picture, rung, cases)
    level = level_above(roster, package)
    if level is None and rung is Rung.INSPECTOR:
        level = roster.units[package]  # at the top its own 视察员 is the last who can be told
    if level is not None:
        unreviewed = sum(COHORTS[case.state] is Cohort.NOT_REVIEWED for case in cases)
        matter = report_owed(picture.packages[package]).value + (
            f"，{unreviewed}个单位{Cohort.NOT_REVIEWED}" if unreviewed else ""
        )
        name, phone = _whom_to_ring(picture, package, Role.REVIEWER, rung)
        closes = picture.closes(package)
        if (to := _on_rung(picture, rung, level)) is not None:
            row = Row(roster.units[package], matter, closes, name, phone)
            yield to, _list_filler(rung, level, row)


def _on_rung(picture: Picture, rung: Rung, level: Unit) -> Recipient | None:
    """The person on this rung of a level; nobody stands in for one who is not registered."""
    if not picture.roster.people(level.code, rung.role, picture.day):
        return None
    return picture.roster.recipient(level.code, rung.role, picture.day)


def _list_filler(rung: Rung, level: Unit, row: Row) -> Callable[[Sheet], None]:
    def fill(sheet: Sheet) -> None:
        sheet.lists.setdefault((rung, level.code), {})[row.unit.code, row.matter] = row

    return fill


def _problem_filler(rung: Rung, owner: str, waiting: list[Problem]) -> Callable[[Sheet], None]:
    def fill(sheet: Sheet) -> None:
        sheet.problems[rung, owner] = waiting

    return fill


def _pieces(orders: Iterable[LetterOrder], size: int) -> Iterator[list[LetterOrder]]:
    piece: list[LetterOrder] = []
    weight = 0
    for order in orders:
        piece.append(order)
        weight += 1 + sum(len(listed["rows"]) for listed in order.context.get("lists", ())) // _LINES
        if weight >= size:
            yield piece
            piece, weight = [], 0
    if piece:
        yield piece
