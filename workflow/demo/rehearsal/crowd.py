"""The people of a rehearsal: every unit's clerk and every level's 审核员, each with a habit drawn from the rates.

They read letters and plan what they will do; a workbook is filled only when its time has come, by stamping our own copy
with answers, so that thousands of people cost little.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from workflow.adapters.workbook.master import CompiledForm
from workflow.adapters.workbook.stamp import stamp
from workflow.demo.addresses import End
from workflow.demo.mailing import Letter
from workflow.demo.rehearsal.composing import answer
from workflow.demo.rehearsal.figures import Figures
from workflow.demo.rehearsal.post import Written
from workflow.demo.rehearsal.rates import Rates
from workflow.demo.rehearsal.reviewing import review
from workflow.domain.campaign import Campaign, midnight
from workflow.domain.form import Value
from workflow.domain.letters import LetterKind
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.submission import CopyIdentity
from workflow.process.correspondence import printed_texts

RETURN_NOTE = "与有关统计数据不一致，请核实后重新报送"
_HOUR = dt.timedelta(hours=1)


class Habit(StrEnum):
    """How a unit's clerk answers; the values are the rates' names."""

    RIGHT = "right"
    SILENT = "silent"
    LATE = "late"
    WRONG = "wrong"
    NO_CHANGE = "no_change"
    TWICE = "twice"
    UNKNOWN_SENDER = "unknown_sender"
    EMPTY = "empty"


class Manner(StrEnum):
    """How a level's 审核员 works."""

    REPORTS = "reports"
    NO_REPORT = "no_report"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter with what it is about: its kind, the unit, and the copy that it carries or asks for."""

    letter: Letter
    kind: str
    unit: str
    identity: CopyIdentity | None


@dataclass
class Clerk:
    """A unit's clerk. `place` tells the answers that it has; `sent` how often it has sent a workbook."""

    unit: Unit
    compiled: CompiledForm
    habit: Habit
    place: int
    had: bool
    automatic: bool
    sent: int = 0


@dataclass(order=True, slots=True)
class _Errand:
    """Something to be done at a moment; `number` keeps the order among equals."""

    at: dt.datetime
    number: int
    work: Callable[[dt.datetime], Written | None] = field(compare=False)


def draw_had(roster: Roster, rates: Rates) -> frozenset[str]:
    """The units that have data of last period."""
    share, seed = rates.units.had_data, rates.seed
    return frozenset(code for code in roster.units if random.Random(f"{seed}/had/{code}").random() < share)


class Crowd:
    """Everybody. `places` numbers the units; `had` are those with data of last period."""

    def __init__(
        self,
        rates: Rates,
        roster: Roster,
        campaign: Campaign,
        compiled: Mapping[str, CompiledForm],
        figures: Figures,
        had: Collection[str],
        places: Mapping[str, int],
    ) -> None:
        self._rates, self._roster, self._campaign, self._figures = rates, roster, campaign, figures
        self._errands: list[_Errand] = []
        self._numbers = iter(range(1, 10**9))
        self._dead = _dead(roster, rates)
        forms = {kind: made for made in compiled.values() for kind in made.form.kinds}
        self.clerks = {
            unit.code: self._clerk(unit, forms[unit.kind], places[unit.code], had=unit.code in had)
            for unit in roster.units.values()
            if unit.kind in forms
        }
        self.manners = {
            unit.code: self._manner(unit.code) for unit in roster.units.values() if unit.kind.reports
        }
        self._reviewed: Counter[str] = Counter()
        self._reported: set[str] = set()

    def ends(self, address: str) -> End:
        """What becomes of mail to an address."""
        return self._dead.get(address.lower(), End.DELIVERED)

    def due(self, until: dt.datetime) -> list[Written]:
        """What people send by a moment, in the order of their times."""
        written = []
        while self._errands and self._errands[0].at <= until:
            errand = heapq.heappop(self._errands)
            message = errand.work(errand.at)
            if message is not None:
                written.append(message)
        return written

    def read(self, mails: Iterable[Mail]) -> None:
        """Read letters and plan."""
        for mail in mails:
            books = [file for file in mail.letter.files if "版" in file.name]
            if books and self._roster.is_reviewer(mail.letter.to, mail.unit, mail.letter.at.date()):
                self._on_book(mail, books[0].data)
            elif mail.unit in self.clerks:
                self._on_letter(self.clerks[mail.unit], mail)

    # clerks

    def _clerk(self, unit: Unit, compiled: CompiledForm, place: int, *, had: bool) -> Clerk:
        chance = random.Random(f"{self._rates.seed}/{unit.code}")
        drawn, habit = chance.random(), Habit.RIGHT
        for name, share in self._rates.units.kinds().items():
            if drawn < share:
                habit = Habit(name)
                break
            drawn -= share
        automatic = chance.random() < self._rates.units.auto_reply
        return Clerk(unit, compiled, habit, place, had, automatic)

    def _on_letter(self, clerk: Clerk, mail: Mail) -> None:
        chance = random.Random(f"{self._rates.seed}/{mail.letter.message_id}/{clerk.unit.code}")
        units, at = self._rates.units, mail.letter.at
        if mail.kind == LetterKind.NOTICE:
            self._on_notice(clerk, mail, chance)
        elif mail.kind == LetterKind.RETURNED and mail.identity:
            if chance.random() < units.corrected:
                self._plan(_office_hour(at, chance, units.correct_days), self._fill(clerk, mail, again=True))
        elif mail.kind in {LetterKind.EMPTY_REPLY, LetterKind.NO_CHANGE_REFUSED} and mail.identity:
            self._plan(_office_hour(at, chance, (1, 2)), self._fill(clerk, mail))
        elif mail.kind == LetterKind.REMINDER and mail.identity and clerk.habit is Habit.SILENT:
            moved = not clerk.sent and chance.random() < units.reminded
            if moved:
                self._plan(_office_hour(at, chance, (1, 2)), self._fill(clerk, mail))

    def _on_notice(self, clerk: Clerk, mail: Mail, chance: random.Random) -> None:
        at = _office_hour(mail.letter.at, chance, self._rates.units.answer_days)
        if clerk.automatic:
            words = "您好，来信已收到，我正在外出，回来后答复。"
            self._plan(mail.letter.at + _HOUR / 4, self._words(mail, words, automatic=True))
        match clerk.habit:
            case Habit.SILENT:
                pass
            case Habit.LATE:
                closes = self._campaign.window(self._roster.package_of(clerk.unit.code)).closes
                self._plan(closes + chance.randint(8, 30) * _HOUR, self._fill(clerk, mail))
            case Habit.NO_CHANGE:
                self._plan(at, self._words(mail, chance.choice(("无变化", "本季度数据无变化，特此确认。"))))
            case Habit.EMPTY:
                self._plan(at, self._words(mail, "已填好，请查收附件，谢谢！"))
            case Habit.WRONG:
                self._plan(at, self._fill(clerk, mail, wrong=True))
            case Habit.TWICE:
                self._plan(at, self._fill(clerk, mail))
                self._plan(at + dt.timedelta(days=3), self._fill(clerk, mail, again=True))
            case _:
                self._plan(at, self._fill(clerk, mail))

    def _fill(
        self, clerk: Clerk, mail: Mail, *, wrong: bool = False, again: bool = False
    ) -> Callable[[dt.datetime], Written | None]:
        """The unit's copy filled in and sent back."""

        def work(at: dt.datetime) -> Written | None:
            identity = mail.identity
            if identity is None:
                return None
            form = clerk.compiled.form
            answers = self._figures.now(form, clerk.unit, clerk.place, at.date(), had=clerk.had, again=again)
            if wrong:
                answers = cast("dict[str, Value]", self._figures.wrong(form, answers, clerk.place))
            book = stamp(
                clerk.compiled, identity, printed_texts(clerk.unit, self._campaign, identity), answers
            )
            clerk.sent += 1
            unknown = clerk.habit is Habit.UNKNOWN_SENDER
            sender = f"geren{clerk.unit.code}@geren.test" if unknown else ""
            name = f"{form.title}_{clerk.unit.name}_{identity.campaign}.xlsx"
            return self._reply(
                mail.letter, at, f"{clerk.unit.name}数据已填好，请查收。", [(name, book)], sender
            )

        return work

    def _words(self, mail: Mail, words: str, *, automatic: bool = False) -> Callable[[dt.datetime], Written]:
        headers = [("Auto-Submitted", "auto-replied")] if automatic else []
        return lambda at: self._reply(mail.letter, at, words, [], "", headers)

    # reviewers

    def _manner(self, code: str) -> Manner:
        drawn = random.Random(f"{self._rates.seed}/reviewer/{code}").random()
        silent = self._rates.reviewers.silent
        if drawn < silent:
            return Manner.SILENT
        return Manner.NO_REPORT if drawn < silent + self._rates.reviewers.no_report else Manner.REPORTS

    def _on_book(self, mail: Mail, book: bytes) -> None:
        """A level's workbook: decided when it comes first; once more when something was sent back then."""
        manner, first = self.manners.get(mail.unit, Manner.SILENT), mail.unit not in self._reviewed
        if manner is Manner.SILENT or mail.unit in self._reported or self._reviewed[mail.unit] > 1:
            return
        self._reviewed[mail.unit] += 1
        chance = random.Random(f"{self._rates.seed}/{mail.letter.message_id}")
        at = mail.letter.at + 6 * _HOUR
        if first:
            at = _office_hour(mail.letter.at, chance, self._rates.reviewers.answer_days)

        def note(code: str) -> str:
            unit = self._roster.units.get(code)
            mine = unit is not None and not unit.kind.reports
            back = first and mine and chance.random() < self._rates.reviewers.sends_back
            return RETURN_NOTE if back else ""

        def work(when: dt.datetime) -> Written:
            filled, back = review(book, note, report=manner is Manner.REPORTS)
            if manner is Manner.REPORTS and not back:
                self._reported.add(mail.unit)
            name = next(file.name for file in mail.letter.files if "版" in file.name)
            return self._reply(mail.letter, when, "审核意见见附件。", [(name, filled)], "")

        self._plan(at, work)

    # both

    def _plan(self, at: dt.datetime, work: Callable[[dt.datetime], Written | None]) -> None:
        heapq.heappush(self._errands, _Errand(at, next(self._numbers), work))

    def _reply(
        self,
        letter: Letter,
        at: dt.datetime,
        words: str,
        files: list[tuple[str, bytes]],
        sender: str,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Written:
        who = sender or letter.to
        return Written(who, answer(letter, at, words, files, next(self._numbers), who, headers), at)


def _office_hour(after: dt.datetime, chance: random.Random, days: tuple[int, int]) -> dt.datetime:
    """Some time between eight and six on one of the days after a letter, but not before it."""
    day = after.date() + dt.timedelta(days=chance.randint(*days))
    at = midnight(day) + dt.timedelta(minutes=chance.randint(8 * 60, 18 * 60))
    return max(at, after + _HOUR)


def _dead(roster: Roster, rates: Rates) -> dict[str, End]:
    """The addresses of 管理员 that are no more: half are refused by the relay, half bounce afterwards."""
    found: dict[str, End] = {}
    for contact in roster.contacts:
        if contact.role is not Role.ADMINISTRATOR or not contact.email:
            continue
        chance = random.Random(f"{rates.seed}/address/{contact.email.lower()}")
        if chance.random() < rates.units.dead_address:
            found[contact.email.lower()] = chance.choice((End.REFUSED, End.BOUNCED))
    return found
