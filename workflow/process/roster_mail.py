"""What mail says about the roster (articles 9–12, section 四 of the notice): a request for another superior and the common
superior's answer, 暂停招生 and 恢复招生, and problems that are reported. In words above the quotation, or in cells of a workbook.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from workflow.adapters.store.records import LetterRow
from workflow.domain.affiliation import sides
from workflow.domain.answers import Understood, understand
from workflow.domain.errors import Refused
from workflow.domain.letters import LetterKind
from workflow.domain.matching import speaks_for, trust_in
from workflow.domain.problems import (
    ProblemKind,
    codes_in,
    reported,
)
from workflow.domain.registry import Registry
from workflow.domain.roster import Contact, Role, Roster, Unit
from workflow.domain.submission import AttachmentOutcome, Bucket, Reading, ReadOutcome
from workflow.domain.trust import Act, Effect, level, may
from workflow.domain.wishes import (
    PROBLEM_FIELD,
    SUSPENDED_FIELD,
    agrees,
    moved_unit,
    new_superiors,
    reason_of,
    wishes_move,
    wishes_suspension,
)
from workflow.process import moves
from workflow.process.moves import DECIDING
from workflow.process.problem_reports import report
from workflow.process.replaced import moved
from workflow.process.said import Said, answer, people_of, reasons_of
from workflow.process.situation import Outcome, Situation
from workflow.process.trust import UNPROVEN, tied

_NOT_MARKED = frozenset({"", "None", "否", "False", "无"})
_WRITE_SO = "请写明其名称或单位代码，如“申请变更隶属关系，应隶属××区教育局（410199）”"


def speaks(words: str) -> bool:
    """Whether words ask for something about the roster, or report a problem with it."""
    return wishes_move(words) or wishes_suspension(words) is not None or reported(words) is not None


def concerns(words: str, readings: Iterable[Reading], letters: Iterable[LetterRow], roster: Roster) -> bool:
    """Whether a message needs the registry for its decision; `letters` are those of ours that it answers."""
    if any(row.kind == LetterKind.AFFILIATION_REQUEST for row in letters) or speaks(words):
        return True
    return any(_says_something(reading, roster) for reading in readings)


def _says_something(reading: Reading, roster: Roster) -> bool:
    if reading.outcome is not ReadOutcome.ANSWERS:
        return False
    unit = roster.units.get(reading.identity.unit) if reading.identity else None
    marked = str(reading.answers.get(SUSPENDED_FIELD)).strip() not in _NOT_MARKED
    problem = str(reading.answers.get(PROBLEM_FIELD) or "").strip()
    return marked or bool(problem) or (unit is not None and unit.suspended)


def heard(said: Said, situation: Situation) -> Outcome | None:
    """What comes of words about the roster; None where they say nothing of it."""
    registry = situation.registry
    if registry is None or situation.campaign is None:
        return None
    answered = (situation.letters.get(known) for known in said.message.in_reply_to)
    question = next((row for row in answered if row and row.kind == LetterKind.AFFILIATION_REQUEST), None)
    if said.who.replaced and (question is not None or wishes_move(said.words)):
        return _former(said, question.unit if question else said.who.units[0], situation)
    if question is not None and said.who.registered:
        return _decided(said, question.unit, registry, situation)
    if said.who.registered:
        if wishes_move(said.words) and (asked := _asked(said, registry, situation)) is not None:
            return asked
        wish = wishes_suspension(said.words)
        if wish is not None:
            return _marked(said, registry, situation, lift=not wish)
    kind = reported(said.words)
    return report(said, kind, said.words, registry, situation) if kind is not None else None


def beside(said: Said, situation: Situation) -> Outcome:
    """The same of words above files that have an end of their own, where it has an effect; the message stays what its files are."""
    done = heard(said, situation) if said.who.registered and speaks(said.words) else None
    return replace(done, bucket=None) if done is not None and done.events else Outcome()


def in_cells(said: Said, taken: Outcome, reading: Reading, situation: Situation) -> Outcome:
    """What a workbook that was accepted, as `taken`, says of the roster: 暂停招生 of a school by its own 管理员, and 名册问题."""
    registry, outcome = situation.registry, Outcome()
    fate = next((one for one in taken.fates if one.outcome is AttachmentOutcome.ACCEPTED), None)
    if registry is None or fate is None or fate.unit not in registry.roster.units:
        return outcome
    situation = situation.after(taken)
    form, unit = situation.forms.get(fate.form), registry.roster.units[fate.unit]
    own = people_of(said.who, {unit.code}, (Role.ADMINISTRATOR,))
    if form is None or not own or said.who.replaced or not speaks_for(situation.roster, said.who, unit.code):
        return outcome
    trust = trust_in(situation.roster, said.who, unit.code, tied=True)
    field = form.by_name.get(SUSPENDED_FIELD)
    said_so = understand(field, reading.answers.get(SUSPENDED_FIELD)) if field else None
    wish = said_so.value if isinstance(said_so, Understood) else None
    # What the copy was filled in with from last quarter is no statement of this one.
    earlier = situation.earlier.get((unit.code, form.id))
    if earlier is not None and earlier.answers.get(SUSPENDED_FIELD) == wish:
        wish = None
    if (
        isinstance(wish, bool) and wish is not unit.suspended and not unit.kind.reports
        and may(trust, Act.NO_CHANGE) is Effect.COUNTS
    ):  # fmt: skip
        note = f"报送工作簿填写“本学年是否暂停招生：{'是' if wish else '否'}”"
        outcome += _mark(replace(said, words=note), unit, own[0], registry, situation, lift=not wish)
    problem = str(reading.answers.get(PROBLEM_FIELD) or "").strip()
    if problem and PROBLEM_FIELD in form.by_name:
        kind = reported(problem) or ProblemKind.OTHER
        outcome += report(said, kind, problem, registry, situation)
    return replace(outcome, bucket=None)


# --- another superior ---------------------------------------------------------------------------------------------------


def _asked(said: Said, registry: Registry, situation: Situation) -> Outcome | None:
    """A request of either side (article 11). None where the words are rather a report that names no superior."""
    roster = registry.roster
    own = [code for code in said.who.units if code in roster.units]
    if said.thread and speaks_for(roster, said.who, said.thread[1]):
        own = [said.thread[1], *(code for code in own if said.thread[1] not in own)]
    codes = moved_unit(said.words, roster, own)
    if said.thread and said.thread[1] in codes:
        codes = [said.thread[1]]
    if len(codes) != 1:
        if all(roster.units[code].kind.reports for code in own) and not codes:
            why = "没有写明是哪所学校变更隶属关系，请写明学校名称或代码；教育行政部门的隶属关系以基准数据为准"
        else:
            names = "、".join(f"{roster.units[code].name}（{code}）" for code in codes)
            why = f"涉及不止一所学校（{names}），请一校一函，写明学校代码"
        return _rejected(said, own[0] if own else "", [why], situation)
    unit = roster.units[codes[0]]
    targets = new_superiors(said.words, roster, unit)
    if len(targets) != 1:
        if not targets and reported(said.words) is ProblemKind.WRONG_SUPERIOR:
            return None
        names = "、".join(roster.units[code].name for code in targets)
        why = (
            f"写到不止一个上级单位（{names}），{_WRITE_SO}"
            if targets
            else f"没有写明应隶属的上级单位，{_WRITE_SO}"
        )
        return _rejected(said, unit.code, [why], situation)
    both = sides(unit, targets[0])
    people = people_of(said.who, both, DECIDING)
    known = any(tied(said.message, code, situation) for code in both)
    trust = level(said.who.address, said.who.said, registered=bool(people), tied=known)
    if people and may(trust, Act.WITHDRAWAL) is not Effect.COUNTS:
        return _rejected(said, unit.code, [UNPROVEN[trust]], situation)
    by = (people or said.who.contacts)[0].name
    try:
        event, _ = moves.ask(registry, unit, targets[0], said.deed(by), may=bool(people))
    except Refused as refused:
        return _rejected(said, unit.code, reasons_of(refused), situation)
    return Outcome((event,), bucket=Bucket.REQUEST)


def _decided(said: Said, code: str, registry: Registry, situation: Situation) -> Outcome:
    """The common superior's answer to our letter about a request."""
    asked, unit = registry.waiting(code), registry.roster.units.get(code)
    if asked is None or unit is None:
        return _rejected(said, code, ["该申请已经办结，不重复办理"], situation)
    decides = moves.decider(registry, asked)
    people = people_of(said.who, {decides.code} if decides else (), DECIDING)
    trust = level(said.who.address, said.who.said, registered=bool(people), tied=True)
    agree = agrees(said.words)
    note = reason_of(said.words)
    if people and may(trust, Act.DECISION) is not Effect.COUNTS:
        return _rejected(said, code, [UNPROVEN[trust]], situation)
    if agree is None:
        return _rejected(said, code, ["回复首行没有写明“同意”或“不同意”，没有办理"], situation)
    if not agree and not note:
        return _rejected(said, code, ["不同意变更的，请写明理由后重新回复"], situation)
    by = (people or said.who.contacts)[0].name
    since = max(said.day, registry.last_change or said.day)
    deed = replace(said.deed(by), note=note)
    try:
        _, events = moves.decide(registry, unit, deed, since, agree=agree, may=bool(people))
    except Refused as refused:
        return _rejected(said, code, reasons_of(refused), situation)
    return Outcome(tuple(events), bucket=Bucket.REQUEST)


def _former(said: Said, code: str, situation: Situation) -> Outcome:
    return _rejected(said, code, [_not_now(said, situation)], situation)


def _not_now(said: Said, situation: Situation) -> str:
    """Why somebody whose address another took the place of brings nothing about any more."""
    return moved(said.who, said.who.units[0], situation.roster, said.day).partition("，请")[0] + "，没有办理"


def _rejected(said: Said, code: str, reasons: list[str], situation: Situation) -> Outcome:
    """A request or an answer that cannot be taken: the reasons to who wrote, once a day for each unit."""
    unit = situation.roster.units.get(code)
    context: dict[str, Any] = {
        "stage": "rejected", "school_code": code, "school_name": unit.name if unit else "", "reasons": reasons, "old_name": "", "new_name": "",
        "decider_name": "", "since": None, "note": "", "asked_by": "", "asked_at": said.at,
    }  # fmt: skip
    letter = answer(LetterKind.AFFILIATION_RESULT, said, code, context, situation)
    return Outcome(letters=letter, bucket=Bucket.REQUEST)


# --- 暂停招生 -----------------------------------------------------------------------------------------------------------


def _marked(said: Said, registry: Registry, situation: Situation, *, lift: bool) -> Outcome:
    """暂停招生 or 恢复招生 in a school's own words."""
    roster = registry.roster
    own = [c for c in said.who.contacts if c.role is Role.ADMINISTRATOR and c.unit in roster.units]
    own = [c for c in own if not roster.units[c.unit].kind.reports]
    named = [said.thread[1]] if said.thread else codes_in(said.words)
    meant = [c for c in own if c.unit in named] or own
    if said.who.replaced:
        return _not_marked(said, said.who.units[0], [_not_now(said, situation)], situation, lift=lift)
    if len({c.unit for c in meant}) != 1:
        names = "、".join(roster.units[c.unit].name for c in own)
        why = (
            f"你登记为{names}的管理员，请写明是哪所学校（写学校代码）" if own
            else "“暂停招生”由学校管理员维护（管理办法第十一条），请由该校登记的邮箱回复"
        )  # fmt: skip
        return _not_marked(said, said.who.units[0], [why], situation, lift=lift)
    unit = roster.units[meant[0].unit]
    trust = trust_in(situation.roster, said.who, unit.code, tied=tied(said.message, unit.code, situation))
    if may(trust, Act.NO_CHANGE) is not Effect.COUNTS:
        return _not_marked(said, unit.code, [UNPROVEN[trust]], situation, lift=lift)
    return _mark(said, unit, meant[0], registry, situation, lift=lift)


def _mark(
    said: Said, unit: Unit, person: Contact, registry: Registry, situation: Situation, *, lift: bool
) -> Outcome:
    since = registry.earliest(said.day)
    try:
        event = moves.mark(registry, unit, said.deed(person.name), since, lift=lift, may=True)
    except Refused as refused:
        return _not_marked(said, unit.code, reasons_of(refused), situation, lift=lift)
    case = situation.case_of(unit.code)
    context = {
        "lifted": lift,
        "since": since,
        "counted": case is not None and case.number > 0,
        "asked": case is not None,
        "reasons": [],
    }
    letter = answer(LetterKind.SUSPENSION, said, unit.code, context, situation)
    return Outcome((event,), letter, bucket=Bucket.REQUEST)


def _not_marked(said: Said, code: str, reasons: list[str], situation: Situation, *, lift: bool) -> Outcome:
    context = {"lifted": lift, "since": None, "counted": False, "asked": True, "reasons": reasons}
    return Outcome(
        letters=answer(LetterKind.SUSPENSION, said, code, context, situation), bucket=Bucket.REQUEST
    )
