"""A unit's answer 确认 or 非本单位报送 to our question whether a stranger's workbook is its own (docs/trust.md).

Confirmed, a version is the unit's own from then on, and a workbook that was not taken is taken over from the kept mail as if it
had come from the registered address. Disowned, a version is none, and the one before it stands again. Each workbook is answered
once; the answer settles those that its letter listed and no others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from workflow.adapters.store.records import LetterRow
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState
from workflow.domain.matching import FilesAnswered, Sender, speaks_for, trust_in
from workflow.domain.replay import case_after
from workflow.domain.roster import Recipient
from workflow.domain.submission import AttachmentOutcome, Bucket, Submission
from workflow.domain.trust import Act, Effect, may
from workflow.process.arrival import Arrival, Asked, AskedFile
from workflow.process.returns import return_due
from workflow.process.situation import SYSTEM, CaseKey, Outcome, Situation
from workflow.process.trust import UNPROVEN

#: How a message that is taken over is decided on: as any that such a sender wrote.
Take = Callable[[Arrival, Situation, Sender], Outcome]

AGAIN = "此件已经答复过，不重复办理"
UNNAMED = "来函列有多件，请写明是哪几件，如“确认1”“非本单位报送2”，或者写“全部确认”"
_FOREIGN = "来信地址不是该单位登记的邮箱，请由登记的邮箱答复"
_PAST = "该填报期已经结束，不再变动"
_LOCKED = "所在层级的数据已经上报，不能再变动；确需更正的，用登记的邮箱重新报送，由审核员提出撤报申请"


@dataclass(frozen=True, slots=True)
class End:
    """What became of one workbook that was answered about: in words, and whether that is final."""

    words: str
    outcome: Outcome = field(default_factory=Outcome)
    final: bool = True


@dataclass(frozen=True)
class Reply:
    """The answer: its message, its sender, and the letter that it answers."""

    arrival: Arrival
    who: Sender
    letter: LetterRow
    take: Take

    @property
    def at(self) -> dt.datetime:
        return self.arrival.received_at


def settle(
    reply: Reply, asked: Asked, said: FilesAnswered, situation: Situation
) -> Outcome:  # fmt: skip
    """Carry out an answer, workbook by workbook in the order of the letter, and tell who answered what came of each."""
    rows: list[dict[str, object]] = []
    done: list[dict[str, str]] = []
    total = Outcome()
    for place, file in enumerate(asked.files, start=1):
        if place not in said.confirmed | said.denied:
            continue
        own = place in said.confirmed
        end = _refused(reply, file, situation) or (_confirm if own else _deny)(reply, file, situation)
        total += end.outcome
        situation = situation.after(end.outcome)
        unit = situation.roster.units.get(file.unit)
        rows.append(
            {"unit_name": unit.name if unit else file.unit, "received_at": file.received_at, "own": own, "words": end.words}
        )  # fmt: skip
        if end.final:
            answer = "confirmed" if own else "denied"
            done.append({"message": file.message, "unit": file.unit, "answer": answer, "end": end.words})
    if done:
        record = Event(
            f"sender:{reply.letter.id}", asked.number + 1, "sender.answered", reply.at, SYSTEM, reply.arrival.sha,
            {"files": done},
        )  # fmt: skip
        total += Outcome((record,))
    bucket = Bucket.REQUEST if said.confirmed and not said.denied else Bucket.PROBLEM
    letters = (*total.letters, _answer(reply, rows, UNNAMED if said.unnamed else ""))
    return replace(total, letters=letters, bucket=bucket, fates=())


def _refused(reply: Reply, file: AskedFile, situation: Situation) -> End | None:
    """The one reason for which nothing is done about a workbook, None when something can be."""
    roster, campaign = situation.roster, situation.campaign
    if file.answered:
        return End(AGAIN, final=False)
    if file.unit not in roster.units or not speaks_for(roster, reply.who, file.unit):
        return End(_FOREIGN, final=False)
    trust = trust_in(roster, reply.who, file.unit, tied=True)
    if may(trust, Act.ASSENT) is not Effect.COUNTS:
        return End(UNPROVEN[trust], final=False)
    if campaign is None or reply.letter.campaign != campaign.id:
        return End(_PAST)
    return None


def _too_late(reply: Reply, file: AskedFile, situation: Situation) -> bool:
    package = situation.package_above(file.unit)
    return bool(package and package.locked) or reply.at >= situation.closes(file.unit)


def _confirm(reply: Reply, file: AskedFile, situation: Situation) -> End:
    """The workbook is the unit's own."""
    if _too_late(reply, file, situation):
        return End(_LOCKED)
    if file.held:
        return _take_over(reply, file, situation)
    key = _key(file, situation)
    versions = situation.submissions.get(key, ())
    open_ = [one for one in versions if one.message == file.message and one.unregistered]
    if not open_:
        return End(f"该工作簿没有计入：{file.ended}" if file.ended else "该工作簿没有计入")
    total = _owned(reply, key, open_, situation)
    number = open_[-1].number
    words = f"第{number}次报送已确认为本单位报送，由审核员按正常报送审核"
    if later := [one.number for one in versions if one.number > number]:
        own = "" if situation.submissions[key][-1].unregistered else "由登记的邮箱"
        words += f"；其后又{own}收到第{later[-1]}次报送，以第{later[-1]}次为准"
    return End(words, total)


def _owned(reply: Reply, key: CaseKey, versions: Iterable[Submission], situation: Situation) -> Outcome:
    """The events by which versions become the unit's own."""
    case, total = situation.cases[key], Outcome(rests_on=_rests_on(key, situation))
    for version in versions:
        data = {"number": version.number, "message": version.message}
        event = Event(
            case.stream, case.events + 1, "case.confirmed", reply.at, SYSTEM, reply.arrival.sha, data
        )
        case = case_after(case, event)
        own = replace(version, unregistered=False, confirmed_at=reply.at)
        total += Outcome((event,), cases=(case,), submissions=(own,))
    return total


def _take_over(reply: Reply, file: AskedFile, situation: Situation) -> End:
    """A workbook that was not taken: decided on again as if who confirms had sent it, unless it would replace a newer one."""
    key = _key(file, situation)
    newer = [
        one
        for one in situation.submissions.get(key, ())
        if one.received_at > file.received_at and not one.unregistered
    ]
    if newer:
        return End(f"其后你单位已经报送第{newer[-1].number}次，旧的不能顶替新的；需要更正的，请重新报送")
    if file.arrival is None:
        return End(file.gone)
    # The workbook alone: whoever confirms it has not seen what a stranger wrote above it.
    taken = reply.take(replace(file.arrival, words=""), situation, reply.who)
    released = file.arrival.released
    known = {fate.index for fate in released.kept} if released else set()
    fates = [fate for fate in taken.fates if fate.index not in known]
    letters = tuple(one for one in taken.letters if one.kind is not LetterKind.ACKNOWLEDGEMENT)
    total = replace(taken, letters=letters, fates=(), bucket=None)
    versions = taken.submissions[-1:]
    if versions:
        total += _owned(reply, key, versions, situation.after(taken))
    else:
        why = next((fate.reason for fate in fates if fate.reason), "")
        return End(f"该工作簿没有采用：{why}" if why else "该工作簿没有采用", total)
    words = f"已经采用，作为你单位第{versions[-1].number}次报送"
    if any(fate.outcome is AttachmentOutcome.RETURNED for fate in fates):
        words += "；校验有问题，退回修改的函另发"
    return End(words, total)


def _deny(reply: Reply, file: AskedFile, situation: Situation) -> End:
    """The workbook is not the unit's: a version made of it, and of what strangers sent since, is none; staff look into it."""
    unit = situation.roster.units[file.unit]
    key = _key(file, situation)
    total, words = Outcome(), "该工作簿没有采用，原有数据不变；已转工作人员核查"
    if not file.held:
        versions = situation.submissions.get(key, ())
        first = next((one.number for one in versions if one.message == file.message), None)
        if first is not None and any(one.confirmed_at for one in versions if one.message == file.message):
            return End("该工作簿此前已确认为本单位报送，请重新报送以作更正", final=False)
        if first is None:
            words = "该工作簿没有计入；已转工作人员核查"
        elif _too_late(reply, file, situation):
            words = f"{_LOCKED}；已转工作人员核查"
        else:
            strange = [one for one in versions if one.unregistered and one.number >= first]
            total, stands = _disowned(reply, key, strange, situation)
            words = f"该数据不再计入，{stands}；已转工作人员核查"
    matter = f"{unit.name}（{unit.code}）：答复未登记地址{file.received_at:%Y-%m-%d %H:%M}发来的工作簿非本单位报送。{words}"
    query = Event(
        "staff", 0, "staff.query", reply.at, SYSTEM, reply.arrival.sha, {"unit": unit.code}, {"matter": matter}
    )  # fmt: skip
    return End(words, total + Outcome((query,)))


def _disowned(
    reply: Reply, key: CaseKey, strange: Sequence[Submission], situation: Situation
) -> tuple[Outcome, str]:
    """The events by which versions are none, the newest first, and what then stands."""
    total = Outcome(rests_on=_rests_on(key, situation))
    for version in reversed(strange):
        case = situation.cases[key]
        rest = [one for one in situation.submissions[key] if one.number != version.number]
        data = {"number": version.number, **_standing(case, version, rest, reply.at, situation)}
        event = Event(
            case.stream, case.events + 1, "case.disowned", reply.at, SYSTEM, reply.arrival.sha, data
        )
        one = Outcome(
            (event,), cases=(case_after(case, event),), submissions=(replace(version, disowned=True),)
        )
        total, situation = total + one, situation.after(one)
    newest = situation.cases[key].newest
    return total, f"以第{newest}次报送为准" if newest else "该单位作为未报送处理，请用登记的邮箱报送"


def _standing(
    case: Case, version: Submission, rest: Sequence[Submission], at: dt.datetime, situation: Situation
) -> dict[str, object]:
    """What of a case stands when a version is none: the number, the state and what goes with it."""
    if version.number != case.newest:
        due = case.due.isoformat() if case.due else None
        return {"standing": case.newest, "state": case.state.value, "due": due, "note": case.note}
    before = rest[-1] if rest else None
    if before is None:
        return {"standing": 0, "state": CaseState.ISSUED.value}
    if before.returned or before.errors:
        due = return_due(situation, case.unit, at).isoformat()
        return {"standing": before.number, "state": CaseState.RETURNED.value, "due": due}
    state = CaseState.APPROVED if before.approved else CaseState.SUBMITTED
    return {"standing": before.number, "state": state.value}


def _answer(reply: Reply, rows: Sequence[dict[str, object]], unnamed: str) -> LetterOrder:
    """What came of each, to the address that answered; a replay is told each thing once."""
    letter, who = reply.letter, reply.who
    contact = next((one for one in who.contacts if one.unit == letter.unit), who.contacts[0])
    to = Recipient(who.address, contact.name, contact.unit, contact.role)
    told = "\n".join(str(row["words"]) for row in rows) + unnamed
    return LetterOrder(
        LetterKind.SENDER_ANSWERED, letter.campaign, letter.unit, letter.form, to, reply.at, reply.arrival.sha,
        {"items": rows, "unnamed": unnamed}, reply_to=reply.arrival.message.message_id,
        key=f"answered\n{letter.id}\n{who.address.lower()}\n{told}",
    )  # fmt: skip


def _key(file: AskedFile, situation: Situation) -> CaseKey:
    campaign = situation.campaign
    assert campaign is not None
    case = situation.case_of(file.unit)
    return (campaign.id, file.unit, case.form if case else file.form)


def _rests_on(key: CaseKey, situation: Situation) -> frozenset[str]:
    package = situation.package_above(key[1])
    return frozenset({package.stream}) if package else frozenset()
