"""The rows of a reviewer's workbook before they are decided on: repeated rows, verdicts in words, comments on cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from workflow.domain.form import Form
from workflow.domain.lifecycle import CaseState, NotAllowed, PackageState
from workflow.domain.submission import Decision
from workflow.process.packages import APPROVE, GRANT, REFUSE, RETURN
from workflow.process.situation import Situation


class Outdated(NotAllowed):
    """A row of a workbook that says no longer how things stand: its reviewer needs a new one."""


def sorted_out(
    decisions: tuple[Decision, ...],
) -> tuple[list[Decision], dict[tuple[str, str], str]]:
    """The rows without mere repetitions, and why units with rows that differ are refused, by unit and form."""
    rows: dict[tuple[str, str], list[Decision]] = {}
    wanted = []
    for decision in decisions:
        others = rows.setdefault((decision.unit, decision.form), [])
        alike = any(replace(other, sheet=decision.sheet, row=decision.row) == decision for other in others)
        if not (alike and decision.unit):
            others.append(decision)
            wanted.append(decision)
    reasons = {}
    for key, several in rows.items():
        if len(several) < 2 or not key[0]:
            continue
        if {APPROVE, RETURN} <= {decision.verdict for decision in several}:
            reasons[key] = "同一单位既填“通过”又填“退回”，请只保留一个审核结论"
        else:
            places = "、".join(str(decision.row) for decision in several)
            reasons[key] = f"同一单位出现在第{places}行，所填内容不一致，请只保留一行"
    return wanted, reasons


def already_so(decision: Decision, situation: Situation) -> bool:
    """Whether a row asks for what is so already, as it does in a workbook that is sent again with more decisions in it."""
    campaign = situation.campaign.id if situation.campaign else ""
    if decision.form:
        case = situation.cases.get((campaign, decision.unit, decision.form))
        wanted = {APPROVE: CaseState.APPROVED, RETURN: CaseState.RETURNED}.get(decision.verdict)
        return case is not None and case.state is wanted and case.newest == decision.version_no
    package = situation.packages.get((campaign, decision.unit))
    wanted_states = _SETTLED.get(decision.verdict, ())
    return (
        package is not None and decision.version_no in {0, package.version} and package.state in wanted_states
    )


#: Where a package stands once it is as a verdict asks.
_SETTLED = {
    APPROVE: (PackageState.ACCEPTED,),
    RETURN: (PackageState.RETURNED,),
    GRANT: (PackageState.RETURNED,),
    REFUSE: (PackageState.REPORTED, PackageState.ACCEPTED),
}


def check_verdict(decision: Decision, said: str, choices: tuple[str, ...]) -> None:
    """A verdict is one of the words of the dropdown; nothing else is guessed at."""
    if decision.verdict not in choices:
        typed = f"“{decision.verdict}”" if decision.verdict else "空白"
        raise NotAllowed(f"审核结论为{typed}，应选“{APPROVE}”或“{RETURN}”")
    if decision.verdict == RETURN and not said:
        raise NotAllowed("退回须在审核意见栏写明问题和修改要求")


def fields_of(form: Form, remarks: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Comments on indicators by field, and those on other cells. A heading stands for the one field that bears it."""
    labels = Counter(field.label for field in form.fields)
    by_label = {field.label: field.name for field in form.fields if labels[field.label] == 1}
    fields: dict[str, str] = {}
    rest: dict[str, str] = {}
    for column, words in remarks.items():
        name = column if column in form.by_name else by_label.get(column, "")
        if name and form.cell_of(name):
            fields[name] = words
        else:
            rest[column] = words
    return fields, rest


def with_remarks(note: str, remarks: Mapping[str, str]) -> str:
    """A note with the comments on a row's other cells behind it, so that no word of a reviewer is lost."""
    return "；".join([*([note] if note else []), *(f"{about}：{words}" for about, words in remarks.items())])
