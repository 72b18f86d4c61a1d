"""Decisions given on the command line: the same acts as in a reviewer's workbook, with `--by` and `--note` on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.campaign import Campaign
from workflow.domain.consultation import NO_TALK, Talk
from workflow.domain.contacts import people_named, unusable
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.lifecycle import NotAllowed, PackageAct
from workflow.domain.matching import key_of
from workflow.domain.receipt_standing import ELECTRONIC, ReceiptStanding, lacking
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.submission import ReviewReading
from workflow.process import reviews
from workflow.process.appoint import STREAM as CONTACTS
from workflow.process.appoint import Decided as Appointed
from workflow.process.appoint import from_receipt
from workflow.process.correspondence import Secretariat
from workflow.process.gather import decided_in, require_campaign, require_roster, running, whole
from workflow.process.level_report import report_as_said, report_level
from workflow.process.packages import GRANT, REFUSE, ministry
from workflow.process.receipts import receipt_stream
from workflow.process.reviews import Review
from workflow.process.situation import Outcome, Policy, Situation


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a reviewer's workbook: rows applied and refused, and whether the level was reported."""

    applied: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    reported: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """What an accepted 回执表 did to the roster: from which day people are registered, whether anything changed, and whether
    its electronic copy could be read at all.
    """

    since: dt.date
    changed: bool
    read: bool


@dataclass(frozen=True)
class Decisions:
    """Staff's hand on the two machines. Each call is one transaction; raises Refused with the one reason why not. `campaign`
    is the one that is meant; '' where only one is running.
    """

    store: Store
    secretariat: Secretariat
    policy: Policy
    forms: Callable[[], Mapping[str, Form]]
    campaign: str = ""

    def approve(self, code: str, by: str, note: str, at: dt.datetime, *, package: bool = False) -> None:
        """Approve a unit's data, or accept the package that it reported."""
        self._decide(code, reviews.APPROVE, by, note, at, package)

    def send_back(
        self, code: str, by: str, note: str, at: dt.datetime, *, package: bool = False, talk: Talk = NO_TALK
    ) -> None:
        """Return a unit's data for correction, or the package that it reported, with the 沟通确认 of article 20."""
        if not note:
            raise Refused(Fault(f"退回 {code}", "没有写明理由", "请用 --note 写明问题和修改要求"))
        if talk != NO_TALK and not package:
            said = "--talked-to、--talked-at、--means、--due"
            raise Refused(
                Fault(f"退回 {code}", f"{said} 只用于退回上报数据", "请加 --package 或者去掉这些选项")
            )
        self._decide(code, reviews.RETURN, by, note, at, package, talk)

    def _decide(
        self,
        code: str,
        verdict: str,
        by: str,
        note: str,
        at: dt.datetime,
        package: bool,
        talk: Talk = NO_TALK,
    ) -> None:
        roster, campaign, unit = self._known(code)
        if package and unit.kind.reports and not unit.superior:
            self._ministry(roster, campaign, unit, verdict, by, note, at, talk)
            return
        level = roster.units[unit.superior] if package and unit.superior else roster.package_of(code)
        review = self._review(roster, level, by, at)
        situation = self._situation(roster, campaign, [level, unit])
        try:
            if package:
                outcome = reviews.decide_on_package(review, code, verdict, note, situation, talk)
            else:
                case = situation.case_of(code)
                if case is None:
                    raise NotAllowed("该单位在本期没有填报任务")
                outcome = reviews.decide_on_case(review, case, verdict, note, situation)
        except NotAllowed as reason:
            raise Refused(Fault(f"{unit.name}（{code}）", str(reason))) from reason
        self._apply(roster, outcome, situation.seen(outcome))

    def _ministry(
        self,
        roster: Roster,
        campaign: Campaign,
        unit: Unit,
        verdict: str,
        by: str,
        note: str,
        at: dt.datetime,
        talk: Talk,
    ) -> None:
        """The ministry's word on what the province or a 部属高校 reported, recorded by somebody registered there; a return
        of what the level has asked to withdraw is the ministry's consent. The ministry's paper stands in the note, and a
        沟通确认 is recorded where one is given.
        """
        self._registers(roster, unit, by, at)
        package = self.store.packages(campaign.id, [unit.code])[0]
        review = Review(unit, f"教育部（{by}登记）", at, "cli")
        try:
            outcome = ministry(review, package, verdict, note, campaign, self.policy, talk)
        except NotAllowed as reason:
            raise Refused(Fault(f"{unit.name}（{unit.code}）", str(reason))) from reason
        self._apply(roster, outcome)

    def report(self, code: str, by: str, at: dt.datetime, note: str = "") -> None:
        """Report a level upward in its reviewer's name, with a note on record."""
        roster, campaign, unit = self._known(code)
        if not unit.kind.reports:
            raise Refused(
                Fault(f"{unit.name}（{code}）", "不是上报层级", "请填写县、市、高校或省级单位的代码")
            )
        review = self._review(roster, unit, by, at)
        situation = self._situation(roster, campaign, [unit])
        outcome, reason = report_level(review, situation, note)
        if reason:
            raise Refused(Fault(f"{unit.name}（{code}）", reason))
        self._apply(roster, outcome, situation.seen(outcome))

    def withdraw(self, code: str, by: str, note: str, at: dt.datetime, what: PackageAct) -> None:
        """A 撤报申请: requested by the level, or granted or refused by the level above (article 19)."""
        roster, campaign, unit = self._known(code)
        packages = self.store.packages(campaign.id, [code])
        if not packages:
            raise Refused(
                Fault(f"{unit.name}（{code}）", "不是上报层级", "请填写县、市、高校或省级单位的代码")
            )
        if not note:
            raise Refused(Fault(f"撤报 {code}", "没有写明理由", "请用 --note 写明"))
        if what is not PackageAct.REQUEST_WITHDRAWAL and not unit.superior:
            verdict = GRANT if what is PackageAct.GRANT_WITHDRAWAL else REFUSE
            self._ministry(roster, campaign, unit, verdict, by, note, at, NO_TALK)
            return
        deciding = unit
        if what is not PackageAct.REQUEST_WITHDRAWAL:
            deciding = roster.units[unit.superior]
        review = self._review(roster, deciding, by, at)
        situation = self._situation(roster, campaign, [deciding, unit])
        try:
            if what is PackageAct.REQUEST_WITHDRAWAL:
                outcome = reviews.act(packages[0], what, review, {"by": review.by, "note": note})
            else:
                granted = what is PackageAct.GRANT_WITHDRAWAL
                outcome = reviews.decide_on_withdrawal(review, packages[0], note, situation, granted=granted)
        except NotAllowed as reason:
            raise Refused(Fault(f"{unit.name}（{code}）", str(reason))) from reason
        self._apply(roster, outcome, situation.seen(outcome))

    def apply_book(self, reading: ReviewReading, by: str, at: dt.datetime) -> Decided:
        """A reviewer's workbook handed over as a file: each row applied or refused, then the report if it says so."""
        book = self.store.book_by_token(reading.token)
        open_now = {campaign.id: campaign for campaign in running(self.store)}
        campaign = open_now.get(book.campaign) if book else None
        campaign = campaign or require_campaign(self.store)
        roster = require_roster(self.store, campaign)
        if key_of(reading.token) in self.policy.retired:
            raise Refused(Fault("汇总表", "所用的编号密钥已停用", "请使用停用后重新生成的工作簿"))
        if book is None or (reading.level_unit and book.unit != reading.level_unit):
            raise Refused(Fault("汇总表", "不是本系统发出的审核汇总表", "请使用审核通知所附的工作簿"))
        if book.campaign != campaign.id:
            raise Refused(Fault("汇总表", reviews.another_quarter(book, campaign)))
        level = roster.units[book.unit]
        review = self._review(roster, level, by, at)
        gathered = self._situation(roster, campaign, [level])
        outcome, applied, refused = reviews.apply_decisions(review, reading.decisions, gathered)
        situation = gathered.after(outcome)
        done, reported, reasons = report_as_said(review, reading.report, situation, refused)
        outcome, refused = outcome + done, [*refused, *reasons]
        self._apply(roster, outcome, gathered.seen(outcome))
        return Decided(applied, refused, reported)

    def accept_receipt(
        self, code: str, by: str, note: str, at: dt.datetime, since: dt.date | None = None
    ) -> Registered:
        """Staff have laid scan and electronic copy of 附件2 side by side and accept them: whom the copy names is registered
        from a day on, today unless `since` is given.
        """
        roster, campaign, unit = self._known(code)
        standing = self.store.receipt_standings(campaign.id, [code]).get(code, ReceiptStanding())
        where, day = f"{unit.name}（{code}）", since or at.date()
        if missing := lacking(standing):
            raise Refused(Fault(where, f"回执表尚缺{'和'.join(missing)}", "收齐后再办理"))
        typed = standing.newest(ELECTRONIC)
        answers = typed.answers if typed else None
        wrong = unusable(people_named(answers, unit.kind), self.policy.own_address) if answers else ()
        if wrong:
            raise Refused(Fault(where, what, "请单位更正电子版后再次发送") for what in wrong)
        stream = receipt_stream(campaign.id, code)
        numbers = self.store.next_numbers([stream, CONTACTS])
        accepted = {"by": by, "note": note}
        number = numbers[stream] + 1
        events = [Event(stream, number, "receipt.accepted", at, by, "cli", accepted)]
        decided = Appointed(by, at, f"{stream}#{number}")
        changed = from_receipt(roster, numbers[CONTACTS], code, standing, day, decided)
        self.store.append([*events, *([changed] if changed else [])])
        return Registered(day, changed is not None, answers is not None)

    def _known(self, code: str) -> tuple[Roster, Campaign, Unit]:
        campaign = self._meant()
        roster = require_roster(self.store, campaign)
        if code not in roster.units:
            raise Refused(Fault(f"单位代码 {code}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
        return roster, campaign, roster.units[code]

    def _meant(self) -> Campaign:
        """The campaign that is decided in; raises Refused where it is not said which of several."""
        known = running(self.store)
        if len(known) < 2 or self.campaign:
            return require_campaign(self.store, self.campaign)
        names = "、".join(campaign.id for campaign in known)
        raise Refused(
            Fault("--campaign", f"有{len(known)}个任务正在进行：{names}", "请用 --campaign 写明是哪个任务")
        )

    def _review(self, roster: Roster, level: Unit, by: str, at: dt.datetime) -> Review:
        """Who decides must be a registered 审核员 of the level (article 8); a vacancy is not filled by anybody else."""
        people = roster.people(level.code, Role.REVIEWER, at.date())
        if not people:
            raise Refused(Fault(level.name, "没有登记审核员，不能审核上报", "请先在名册中登记审核员"))
        if by not in {person.name for person in people}:
            names = "、".join(person.name for person in people)
            raise Refused(Fault(f"--by {by}", f"不是{level.name}登记的审核员", f"登记的审核员为：{names}"))
        own = frozenset(person.email.lower() for person in people if person.name == by and person.email)
        return Review(level, f"{level.name}审核员{by}", at, "cli", by, own)

    def _registers(self, roster: Roster, unit: Unit, by: str, at: dt.datetime) -> None:
        """Who records the ministry's word is somebody of the level's own: its 审核员 or 管理员."""
        day = at.date()
        people = [
            p.name
            for role in (Role.REVIEWER, Role.ADMINISTRATOR)
            for p in roster.people(unit.code, role, day)
        ]
        if by not in people:
            names = "、".join(dict.fromkeys(people)) or "（没有登记）"
            raise Refused(
                Fault(f"--by {by}", f"不是{unit.name}登记的审核员或者管理员", f"登记的人员为：{names}")
            )

    def _situation(self, roster: Roster, campaign: Campaign, levels: Iterable[Unit]) -> Situation:
        units = {unit.code for level in levels for unit in decided_in(roster, level.code)}
        return whole(self.store, roster, self.policy, campaign, self.forms(), units, with_answers=True)

    def _apply(self, roster: Roster, outcome: Outcome, seen: Mapping[str, int] | None = None) -> None:
        letters = self.secretariat.queue(outcome.letters, roster)
        self.store.append([*outcome.events, *letters], seen)
