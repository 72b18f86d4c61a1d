"""The tags of the visible sheets: `{{在校生数}}` is an answer cell, `{{@单位名称}}` a text that the system prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workflow.adapters.workbook.definition import Definition
from workflow.adapters.workbook.worksheet import TAG, Worksheet
from workflow.domain.form import EXPLAINS, Field, FieldType, Severity, column_letters

PRINTED = ("单位名称", "单位代码", "填报期", "任务", "截止日期", "副本", "令牌")

#: The cell in which a unit explains a query; behind it a field or the number of a 经验校验.
EXPLANATION = re.compile(r"说明\s*[:：]\s*(.*)")

#: A tag typed with the braces of a Chinese keyboard, or with one brace on either side.
_ALMOST = re.compile(r"[{｛]{1,2}\s*@?\s*([^{}｛｝]*?)\s*[}｝]{1,2}")


@dataclass(frozen=True, slots=True)
class TaggedCell:
    """A cell with tags: either one field's answer (`field`) or a text with printed tags (`printed`)."""

    sheet: str
    row: int
    column: int
    field: str
    printed: tuple[str, ...]

    @property
    def cell(self) -> str:
        return f"{self.sheet}!{column_letters(self.column)}{self.row}"


def find_tags(found: Definition, sheets: Iterable[Worksheet]) -> list[TaggedCell]:
    """Every cell with tags, in reading order; what is wrong with them goes to the definition's faults."""
    cells: list[TaggedCell] = []
    for sheet in sheets:
        cells.extend(_tags_of(found, sheet))
    _compare(found, cells)
    return cells


def _tags_of(found: Definition, sheet: Worksheet) -> Iterator[TaggedCell]:
    for row, column, text in sheet.texts():
        if "{{" not in text and "}}" not in text and not _almost(found, text):
            continue
        place = f"{sheet.entry.name}!{column_letters(column)}{row}"
        tags = TAG.findall(text)
        if sheet.entry.state != "visible":
            found.fault(place, "标记写在隐藏的工作表里", "请移到可见的工作表，或者删去")
        elif (
            not tags or "{{" in TAG.sub("", text) or "}}" in TAG.sub("", text) or not all(w for _, w in tags)
        ):
            found.fault(
                place,
                f"标记“{text[:40]}”写得不完整",
                "请写成 {{字段名}} 或 {{@令牌}} 的样子，用英文的花括号，两边各两个",
            )
        elif all(mark for mark, _ in tags):
            unknown = [word for _, word in tags if word not in PRINTED]
            for word in unknown:
                known = "、".join(f"{{{{@{one}}}}}" for one in PRINTED)
                found.fault(place, f"没有“{{{{@{word}}}}}”这个系统标记", f"可用的有：{known}")
            if not unknown:
                yield TaggedCell(sheet.entry.name, row, column, "", tuple(word for _, word in tags))
        elif len(tags) > 1 or TAG.fullmatch(text.strip()) is None:
            found.fault(
                place,
                f"答案标记“{text[:40]}”没有独占一个单元格",
                "一个单元格只写一个 {{字段名}}，不加其他文字",
            )
        elif explained := EXPLANATION.fullmatch(tags[0][1]):
            yield TaggedCell(sheet.entry.name, row, column, f"{EXPLAINS}{explained[1]}", ())
        else:
            if sheet.is_hidden((row, column)):
                found.query(
                    place, f"“{tags[0][1]}”写在隐藏的行或列里，单位看不到", "请取消隐藏，或者移到看得见的地方"
                )
            yield TaggedCell(sheet.entry.name, row, column, tags[0][1], ())


def _almost(found: Definition, text: str) -> bool:
    """Whether a text was meant for the tag of something that there is."""
    match = _ALMOST.fullmatch(text.strip())
    return match is not None and (match[1] in found.rows or match[1] in PRINTED)


def _compare(found: Definition, cells: list[TaggedCell]) -> None:
    """Tags against fields: each field once, each tag known, and the token printed."""
    seen: dict[str, str] = {}
    for cell in cells:
        if not cell.field:
            continue
        if cell.field in seen:
            found.fault(cell.cell, f"字段“{cell.field}”的标记重复，{seen[cell.field]} 已有", "请删去一处")
        elif cell.field.startswith(EXPLAINS):
            _open_explanation(found, cell)
        elif cell.field not in found.rows:
            found.fault(cell.cell, f"“字段”表中没有字段“{cell.field}”", "请在“字段”表中补上，或者改正标记")
        seen.setdefault(cell.field, cell.cell)
    for name, row in found.rows.items():
        if name not in seen:
            found.fault(
                f"字段!A{row}", f"字段“{name}”没有填写位置", f"请在可见工作表的单元格中写上 {{{{{name}}}}}"
            )
    if not any("令牌" in cell.printed for cell in cells):
        found.fault("可见工作表", "没有 {{@令牌}}", "请在某个可见单元格中写上，例如表末一行小字")


def _open_explanation(found: Definition, cell: TaggedCell) -> None:
    """Make an explanation cell 说明 a text that nobody has to fill, of a field or of a 经验校验."""
    subject = cell.field.removeprefix(EXPLAINS)
    labels = {item.name: item.label for item in found.fields}
    asked = {rule.id for rule in found.rules if rule.severity is Severity.QUERY}
    if subject in asked:
        found.explanations.append(Field(cell.field, f"经验校验{subject}说明", FieldType.TEXT))
    elif subject in labels:
        found.explanations.append(Field(cell.field, f"{labels[subject]}说明", FieldType.TEXT))
    elif subject not in found.rows:
        what = f"“{{{{说明:{subject}}}}}”：没有“{subject}”这个字段或经验校验编号"
        found.fault(cell.cell, what, "请写字段名，或者“规则”表中类别为经验校验的编号")
