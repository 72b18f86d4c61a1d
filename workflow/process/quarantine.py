"""What waits for a person: messages tied to no unit, files not opened. Staff look, and release or delete, with a record.

Released, a message is taken in again as if its unit had sent it, at the time at which it came. Deleted, its bytes are removed
from `mailbox/`; the ledger keeps that it came, how it ended and who removed it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from workflow.adapters.files import Files
from workflow.adapters.mail.mime import parse
from workflow.adapters.store import AttachmentRow, MessageRow, Settlement, Store
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.matching import only_unit, sender, token_of
from workflow.domain.message import Message
from workflow.domain.roster import Role, Roster
from workflow.domain.submission import TAKEN_OUTCOMES
from workflow.process.arrival import Released
from workflow.process.gather import require_campaign, require_roster
from workflow.process.intake import Intake
from workflow.process.release import fate_of
from workflow.process.situation import Outcome

#: What is needed to name a message; its sha has 64.
LEAST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits, or waited, for a person: its files with how they ended, and what was decided."""

    message: MessageRow
    files: tuple[AttachmentRow, ...]
    settled: tuple[Settlement, ...] = ()


@dataclass(frozen=True)
class Quarantine:
    """Staff's hand on what waits. Each act is one transaction; raises Refused with the reason why not."""

    store: Store
    files: Files
    intake: Intake

    def waiting(self, *, settled: bool = False) -> list[Waiting]:
        """What waits, the oldest first; with `settled` also what has been decided on."""
        messages = self.store.waiting()
        shas = [message.sha for message in messages]
        files, decided = self.store.attachments_of(shas), self.store.settlements(shas)
        found = [Waiting(one, tuple(files[one.sha]), tuple(decided.get(one.sha, ()))) for one in messages]
        return [one for one in found if settled or not one.settled]

    def named(self, start: str) -> Waiting:
        """The one message whose sha256 begins so."""
        digits = start.strip().lower()
        found = [one for one in self.waiting(settled=True) if one.message.sha.startswith(digits)]
        if len(digits) >= LEAST_DIGITS and len(found) == 1:
            return found[0]
        what = "对应的邮件不止一封" if len(found) > 1 else "待处置的邮件中没有这一封"
        remedy = f"请用 huizhi quarantine list 查看编号，至少写前{LEAST_DIGITS}位"
        raise Refused(Fault(f"邮件编号 {start}", what, remedy))

    def content(self, one: Waiting) -> Message | None:
        """The message as it came, None where it has been deleted or erased."""
        if any(act.act == "deleted" for act in one.settled) or self.store.erased_mail([one.message.sha]):
            return None
        return parse(self.files.mail(one.message.sha))

    def release(self, start: str, unit: str, by: str, note: str, at: dt.datetime) -> tuple[str, Outcome]:
        """Take a message in again as a unit's: the one named, else the one that its thread or its sender means. The unit's code
        and what came of it.
        """
        require_campaign(self.store)
        one, roster = self._open(start, by, note, at)
        code = unit or self._meant(one, roster)
        if code not in roster.units:
            remedy = "请用 huizhi roster show 查看代码"
            raise Refused(Fault(f"单位代码 {code}", "名册中没有这个单位", remedy))
        if roster.recipient(code, Role.ADMINISTRATOR, one.message.received_at.date()) is None:
            raise Refused(Fault(f"单位代码 {code}", "该单位及其上级没有可用的邮箱，无法答复", "请先更正名册"))
        kept = tuple(fate_of(row) for row in one.files if row.outcome in TAKEN_OUTCOMES)
        data = {"unit": code, "note": note}
        record = Event(
            f"quarantine:{one.message.sha}", 1, "quarantine.released", at, by, one.message.sha, data
        )
        return code, self.intake.release(one.message, Released(code, kept), record)

    def delete(self, start: str, by: str, note: str, at: dt.datetime) -> None:
        """Remove a message's bytes. What has been used stays."""
        one, _ = self._open(start, by, note, at)
        if any(row.outcome in TAKEN_OUTCOMES for row in one.files):
            raise Refused(Fault(f"邮件 {one.message.sha[:12]}", "其中有已经采用的文件，不能删除"))
        sha = one.message.sha
        event = Event(f"quarantine:{sha}", 1, "quarantine.deleted", at, by, sha, {"note": note})
        self.store.append([event])
        self.files.remove_mail(sha)

    def _open(self, start: str, by: str, note: str, at: dt.datetime) -> tuple[Waiting, Roster]:
        """The message, where it is not settled yet and whoever decides may."""
        one, roster = self.named(start), require_roster(self.store)
        if one.settled:
            done = one.settled[-1]
            word = {"released": "放行", "deleted": "删除"}[done.act]
            raise Refused(Fault(f"邮件 {one.message.sha[:12]}", f"已由{done.by}于{done.at:%Y-%m-%d}{word}"))
        if not note:
            raise Refused(Fault(f"邮件 {one.message.sha[:12]}", "没有写明理由", "请用 --note 写明核对情况"))
        tops = [unit.code for unit in roster.units.values() if unit.superior not in roster.units]
        people = {who.name for code in tops for role in Role for who in roster.people(code, role, at.date())}
        if by not in people:
            remedy = "请填写名册上省级登记人员的姓名"
            raise Refused(Fault(f"--by {by}", "不是省级登记的人员", remedy))
        return one, roster

    def _meant(self, one: Waiting, roster: Roster) -> str:
        """The unit that the message means by itself."""
        message = parse(self.files.mail(one.message.sha))
        codes = list(self._by_marks(message, one))
        who = sender(roster, message.sender, one.message.received_at.date())
        only = only_unit(roster, who)
        codes += [only.code] if only and not codes else []
        if len(set(codes)) == 1:
            return codes[0]
        what = "看不出是哪个单位的" if not codes else "不止一个单位"
        raise Refused(Fault(f"邮件 {one.message.sha[:12]}", what, "请用 --unit 写明单位代码"))

    def _by_marks(self, message: Message, one: Waiting) -> Iterator[str]:
        """The units that its files, its subject and the letter that it answers name, the first of these that names any."""
        units = [row.unit for row in one.files if row.unit and row.outcome not in TAKEN_OUTCOMES]
        if units:
            yield from units
        elif token := token_of(message):
            yield from (case.unit for case, _ in self.store.cases_by_token([token]).values())
        else:
            answered = self.store.letters_by_message_id(list(islice(message.in_reply_to, 20)))
            yield from (row.unit for row in answered.values())
