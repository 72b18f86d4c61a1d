"""What is worth knowing of a workbook as a whole: who sent it, that its layout was changed, that it had a password.

The notes stand beside those on cells, for the reviewer; the remarks are for whoever sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workflow.domain.campaign import SHANGHAI
from workflow.domain.checks import Examination
from workflow.domain.matching import Sender
from workflow.domain.submission import Finding, Reading, Submission
from workflow.domain.trust import Act, Effect, level, may

#: On data from an address that is not the unit's own.
UNREGISTERED = "发件地址"
#: On data whose sheet 人员信息 says otherwise than the roster.
PERSON = "人员信息"
#: On data that were found by their labels.
LAYOUT = "工作簿版式"
#: On data from a file with a password.
LOCKED = "打开密码"
OPENED = "有，已用登记的密码打开"


def noted(seen: Examination, reading: Reading, who: Sender, person: str = "") -> Examination:
    """The examination with the notes on the whole workbook; `person` is what its sheet 人员信息 will change."""
    notes = dict(seen.notes)
    if person:
        notes[PERSON] = person
    if not who.registered:
        notes[UNREGISTERED] = "未登记"
    elif may(level(who.address, who.said, registered=True, tied=True), Act.DATA) is Effect.NOTED:
        notes[UNREGISTERED] = "已登记，未通过发件人验证"
    if reading.by_labels:
        notes[LAYOUT] = f"有改动，{len(reading.moved)}项按标签读取"
    if reading.unlocked:
        notes[LOCKED] = OPENED
    return replace(seen, notes=notes)


def sent_by(notes: Mapping[str, str], version: Submission | None) -> Mapping[str, str]:
    """A version's notes, once its unit has confirmed a stranger's workbook as its own."""
    if version is None or version.confirmed_at is None:
        return notes
    day = version.confirmed_at.astimezone(SHANGHAI)
    return {**notes, UNREGISTERED: f"已由登记地址确认（{day.year}年{day.month}月{day.day}日）"}


def remarks(reading: Reading) -> list[str]:
    """The same for the letter that acknowledges it."""
    said = []
    if reading.unlocked:
        said.append("工作簿设有打开密码，已用登记的密码打开；我方发出的工作簿不带密码")
    if (
        reading.by_labels and reading.moved
    ):  # a table's rows that count from behind a blank one have not moved
        said.append(f"{LAYOUT}有改动，{len(reading.moved)}项按标签读取，请核对")
    return said


def finding_rows(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    """The findings as a letter lists them."""
    return [
        {
            "cell": f.cell,
            "label": f.label,
            "found": f.found,
            "message": f.message,
            "severity": f.severity.value,
        }
        for f in findings
    ]
