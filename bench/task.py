"""What the two scripts know of the form and the units: plain lists, as their authors would keep them in a file."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.domain.form import Aggregate, FieldType, Form
from workflow.domain.roster import Roster


@dataclass(frozen=True)
class Question:
    """A field: where it stands and what must hold."""

    name: str
    label: str
    sheet: str
    row: int
    column: int
    type: str
    required: bool
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    summed: bool

    @property
    def number(self) -> bool:
        return self.type in {"整数", "小数", "百分比"}


@dataclass(frozen=True)
class Task:
    """Where the mail is, what is asked, who reports to whom (`offices`: code → name; `school_of`: code → superiors)."""

    host: str
    port: int
    user: str
    password: str
    questions: tuple[Question, ...]
    offices: Mapping[str, str]
    above: Mapping[str, Sequence[str]]
    names: Mapping[str, str]
    out: str

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Task:
        said = json.loads(path.read_text(encoding="utf-8"))
        questions = tuple(Question(**{**q, "choices": tuple(q["choices"])}) for q in said.pop("questions"))
        return cls(**said, questions=questions)


def task_of(form: Form, roster: Roster, port: int, user: str, password: str, out: Path) -> Task:
    questions = []
    for field in form.fields:
        if field.explains:
            continue
        slot = form.slot_of[field.name]
        least, most = (b if isinstance(b, int | float) else None for b in (field.minimum, field.maximum))
        questions.append(
            Question(
                field.name, field.label, slot.sheet, slot.row, slot.column, field.type.value,
                field.required and not field.relevant, least, most, field.choices, field.aggregate is Aggregate.SUM,
            )
        )  # fmt: skip
    schools = [unit for unit in roster.units.values() if not unit.kind.reports]
    offices = {unit.code: unit.name for unit in roster.units.values() if unit.kind.reports}
    above = {unit.code: [office.code for office in roster.above(unit.code)] for unit in schools}
    names = {unit.code: unit.name for unit in schools}
    return Task("127.0.0.1", port, user, password, tuple(questions), offices, above, names, str(out))


def faults(questions: Sequence[Question], answers: Mapping[str, Any]) -> list[str]:
    """Required, a number, in its range, one of the choices, a date, a telephone number: in plain Python."""
    found = []
    for q in questions:
        value = answers.get(q.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            fault = "必填" if q.required else ""
        else:
            fault = _wrong_number(q, value) if q.number else _wrong_word(q, value)
        if fault:
            found.append(f"{q.label}：{fault}")
    return found


def _wrong_number(q: Question, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "应为数字"
    if q.type == FieldType.INTEGER.value and value != int(value):
        return "应为整数"
    if q.minimum is not None and value < q.minimum:
        return f"小于{q.minimum}"
    return f"大于{q.maximum}" if q.maximum is not None and value > q.maximum else ""


def _wrong_word(q: Question, value: Any) -> str:
    if q.type == FieldType.YES_NO.value:
        return "" if value in {"是", "否"} else "应为是或否"
    if q.type == FieldType.CHOICE.value:
        return "" if value in q.choices else "不在选项中"
    if q.type == FieldType.DATE.value:
        return "" if isinstance(value, dt.date) else "应为日期"
    if q.type == FieldType.PHONE.value and not re.fullmatch(r"(0\d{2,3}-?)?\d{7,8}|1\d{10}", str(value)):
        return "不是电话号码"
    return ""
