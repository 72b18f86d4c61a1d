"""A first definition for a workbook that has tags but no definition sheets: names from the tags, the rest guessed.

The words beside a tag tell its label, and the label its type. The workbook itself stays as it is, drawings and all: only
the four definition sheets are added to its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from lxml import etree

from workflow.adapters.workbook.book import Book
from workflow.adapters.workbook.definition import DEFINITION_SHEETS
from workflow.adapters.workbook.field_sheet import FIELD_HEADINGS
from workflow.adapters.workbook.master import Member, archive
from workflow.adapters.workbook.package import MAIN, NotAWorkbook, Package
from workflow.adapters.workbook.shared_strings import Strings
from workflow.adapters.workbook.stamp import xml_text
from workflow.adapters.workbook.styles import Styles
from workflow.adapters.workbook.tags import EXPLANATION
from workflow.adapters.workbook.worksheet import TAG, Worksheet
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import RESERVED, Aggregate, FieldType, Prefill, column_letters

__all__ = ["draft_form"]

_TYPES: tuple[tuple[FieldType, str], ...] = (
    (FieldType.DATE, r"日期|年月日"),
    (FieldType.PHONE, r"电话|手机|联系方式"),
    (FieldType.EMAIL, r"邮箱|电子邮件|[Ee]-?mail"),
    (FieldType.YES_NO, r"是否|有无"),
    (FieldType.PERCENT, r"率$|率[（(]|比例|占比|百分比|[%％]"),
    (FieldType.INTEGER, r"数$|数[（(]|人次$"),
    (FieldType.DECIMAL, r"金额|经费|费用?$|收入|支出|面积|带宽|总量|总值|万元"),
    (FieldType.INTEGER, r"数量|人次|总数|人数|台数|个数|课时"),
)
_COUNTED = frozenset(
    "人 名 个 台 套 间 所 册 本 次 人次 起 课时 门 项 件 条 辆 部 班 户 座 张 份 天 家 期".split()
)
_MEASURED = frozenset(
    "元 万元 亿元 Mbps Gbps Kbps M G GB TB 平方米 ㎡ m² 米 公里 亩 吨 度 小时 千瓦时 万人次 万人 万册".split()
)
_UNIT_BEHIND = re.compile(r"[（(]\s*(?:单位[:：]\s*)?([^（()）]{1,6})\s*[）)]\s*$")
_NUMBERING = re.compile(r"[\s（(]*(?:[0-9]+|[一二三四五六七八九十]+)[\s.、．）)]*")
_NUMBER_OF_FORM = re.compile(r"表\s*号\s*[:：]\s*(\S+)")
_ISSUER = re.compile(r"制\s*(?:表|定)\s*机\s*关\s*[:：]\s*(\S+)")
_REACH = 40


@dataclass
class _Draft:
    """What was guessed so far: the rows of the 字段 and 选项 sheets, by field and list."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    title: str = ""
    number: str = ""
    issuer: str = ""


def draft_form(data: bytes, name: str, identifier: str) -> bytes:
    """The workbook with a first definition; `name` is its file's name, `identifier` the form's id. Raises Refused where there
    is no tag, or a definition already.
    """
    try:
        draft = _read(Package.open(data), name)
        return _written(Package.open(data), draft, identifier)
    except NotAWorkbook as error:
        raise Refused(Fault(name, str(error), "请用 Excel 或 WPS 打开，另存为 xlsx 后再试")) from error


def _read(package: Package, name: str) -> _Draft:
    book = Book(package)
    entries = book.sheets()
    there = [entry.name for entry in entries if entry.name in DEFINITION_SHEETS]
    if there:
        raise Refused(
            Fault(f"{name} {there[0]}", "已有定义表", "请直接修改定义表，再用 huizhi form check 检查")
        )
    part = book.related("sharedStrings")
    strings = Strings(package.tree(part) if part else etree.Element(f"{{{MAIN}}}sst"))
    draft = _Draft()
    for entry in entries:
        if entry.kind == "worksheet" and entry.state == "visible":
            _read_sheet(draft, Worksheet(package, entry, strings))
    if not draft.fields:
        raise Refused(
            Fault(
                name, "没有 {{字段名}} 标记", "请先在各答案单元格中写上标记，例如 {{在校生数}}，再运行本命令"
            )
        )
    for reserved, kind in RESERVED.items():
        row = draft.fields.setdefault(reserved, {"字段": reserved, "标签": reserved})
        row |= {"类型": kind.value, "汇总": "", "预填": "", "计量单位": "", "选项": ""}
        row["必填"] = "否" if kind is FieldType.YES_NO else "是"
    return draft


def _read_sheet(draft: _Draft, sheet: Worksheet) -> None:
    texts = sheet.spread_texts()
    for _, _, text in sheet.texts():
        draft.title = draft.title or ("" if "{{" in text else text.strip())
        draft.number = draft.number or _first(_NUMBER_OF_FORM, text)
        draft.issuer = draft.issuer or _first(_ISSUER, text)
    dropdowns = [(areas, source.split(",")) for areas, source in sheet.lists()]
    for row, column, text in sheet.texts():
        match = TAG.fullmatch(text.strip())
        if match is None or match[1] or match[2] in draft.fields or EXPLANATION.fullmatch(match[2]):
            continue
        listed = [choices for areas, choices in dropdowns if any(area.holds(row, column) for area in areas)]
        choices = [choice.strip() for choice in listed[0] if choice.strip()] if listed else []
        draft.fields[match[2]] = _guess(draft, match[2], texts, (row, column), choices)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match and "{{" not in match[1] else ""


def _guess(
    draft: _Draft,
    name: str,
    texts: Mapping[tuple[int, int], str],
    place: tuple[int, int],
    choices: Sequence[str],
) -> dict[str, str]:
    """A row of the 字段 sheet for the tag at a place."""
    label = _label(texts, place) or name
    unit = _unit(label, texts, place)
    kind = _type(f"{label} {name}" if label != name else name, unit)
    if choices:
        kind = FieldType.YES_NO if set(choices) == {"是", "否"} else FieldType.CHOICE
        if kind is FieldType.CHOICE:
            draft.choices[name] = list(dict.fromkeys(choices))
    own_name = kind is FieldType.TEXT and re.search(r"(?:学校|单位|机构).*名称$", label)
    row = {"字段": name, "标签": label, "类型": kind.value, "必填": "是"}
    row["选项"] = name if kind is FieldType.CHOICE else ""
    row["计量单位"] = unit if kind.is_number and kind is not FieldType.PERCENT else ""
    row["汇总"] = {
        FieldType.INTEGER: Aggregate.SUM,
        FieldType.DECIMAL: Aggregate.SUM,
        FieldType.PERCENT: Aggregate.MEAN,
        FieldType.YES_NO: Aggregate.COUNT_YES,
    }.get(kind, Aggregate.NONE)
    row["预填"] = Prefill.UNIT_NAME if own_name and "." not in name else Prefill.LAST_PERIOD
    if kind.is_number:
        row |= {"最小值": "0"}
    if kind is FieldType.PERCENT:
        row |= {"最大值": "1"}
    return row


def _label(texts: Mapping[tuple[int, int], str], place: tuple[int, int]) -> str:
    """The words for a tag: to its left, else above; both, in a table whose rows have several tags side by side."""
    row, column = place
    left, tags = "", 0
    for at in range(column - 1, max(column - _REACH, 0), -1):
        text = texts.get((row, at), "")
        if "{{" in text:
            tags += text.strip() != texts[place].strip()
        elif _is_label(text):
            left = text
            break
    above = next(
        (
            texts[at, column]
            for at in range(row - 1, max(row - _REACH, 0), -1)
            if _is_label(texts.get((at, column), ""))
        ),
        "",
    )
    beside = next(
        (
            text
            for at in range(column + 1, column + _REACH)
            if (text := texts.get((row, at), "").strip()) not in {"", texts[place].strip()}
        ),
        "",
    )
    if "." in texts[place]:  # a column of a repeating table: whatever stands to its left is a row's number
        return _clean(above)
    if left and above and (tags or "{{" in beside):
        return f"{_clean(left)}：{_clean(above)}"
    return _clean(left or above)


def _is_label(text: str) -> bool:
    bare = text.strip()
    if not bare or "{{" in bare or bare in _COUNTED or bare in _MEASURED or bare in {"%", "—", "/", "√"}:
        return False
    return not _NUMBERING.fullmatch(bare)


def _clean(text: str) -> str:
    """A label without its number in front, a colon behind and line breaks."""
    words = re.sub(r"\s+", "", text)
    words = re.sub(r"^其中[:：]", "", words)
    words = re.sub(r"^(?:[0-9]+|[一二三四五六七八九十]+)[.、．]", "", words)
    return words.strip("：:*＊")


def _unit(label: str, texts: Mapping[tuple[int, int], str], place: tuple[int, int]) -> str:
    behind = _UNIT_BEHIND.search(label)
    beside = [texts.get((place[0], place[1] + step), "").strip() for step in (1, -1, 2)]
    known = [behind[1]] if behind else []
    return next((word for word in (*known, *beside) if word in _COUNTED or word in _MEASURED), "")


def _type(words: str, unit: str) -> FieldType:
    for kind, pattern in _TYPES:
        if any(re.search(pattern, word) for word in words.split(" ")):
            return kind
    if unit in _COUNTED:
        return FieldType.INTEGER
    return FieldType.DECIMAL if unit in _MEASURED else FieldType.TEXT


def _written(package: Package, draft: _Draft, identifier: str) -> bytes:
    book = Book(package)
    styles_part = book.related("styles")
    head, body = _looks(Styles(package.tree(styles_part))) if styles_part else (0, 0)
    settings = [
        ("表单标识", identifier),
        ("表单名称", draft.title),
        ("版本", "1"),
        ("适用单位类型", ""),
        ("表号", draft.number),
        ("制表机关", draft.issuer),
    ]
    headings = tuple(FIELD_HEADINGS)
    tables: dict[str, list[Sequence[str]]] = {
        "设置": [("项目", "值"), *settings],
        "字段": [headings, *([row.get(one, "") for one in headings] for row in draft.fields.values())],
        "选项": [
            ("选项组", "选项"),
            *((name, one) for name, listed in draft.choices.items() for one in listed),
        ],
        "规则": [("编号", "类别", "公式", "提示")],
    }
    for number, (name, rows) in enumerate(tables.items(), start=1):
        content = _sheet(name, rows, head, body)
        book.add_sheet(name, f"xl/worksheets/huizhi-definition{number}.xml", content.encode())
    return archive([Member.deflated(part, content) for part, content in package.finish().items()])


def _looks(styles: Styles) -> tuple[int, int]:
    """The cell formats of headings and of what stands below: text, so that a formula stays what was typed."""
    bold = styles.font('<b/><sz val="11"/><name val="宋体"/><charset val="134"/>')
    plain = styles.font('<sz val="11"/><name val="宋体"/><charset val="134"/>')
    words = {"numFmtId": "49", "borderId": "0", "applyNumberFormat": "1", "applyFont": "1", "applyFill": "1"}
    fill = str(styles.fill("FFE1E9F3"))
    return (
        styles.cell_format({**words, "fontId": str(bold), "fillId": fill}),
        styles.cell_format({**words, "fontId": str(plain), "fillId": "0"}),
    )


_WIDTHS = {"标签": 30, "约束": 30, "约束提示": 30, "相关条件": 26, "公式": 60, "提示": 50, "值": 50}
_LISTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "字段": {
        "类型": tuple(FieldType),
        "必填": ("是", "否"),
        "汇总": tuple(one for one in Aggregate if one),
        "预填": tuple(one for one in Prefill if one),
    },
    "规则": {"类别": ("逻辑校验", "经验校验")},
}


def _sheet(name: str, rows: Sequence[Sequence[str]], head: int, body: int) -> str:
    """A definition sheet's XML: headings that stay in sight, texts, dropdowns for what has few values."""
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{_WIDTHS.get(word, 14)}" style="{body}" customWidth="1"/>'
        for at, word in enumerate(rows[0], start=1)
    )
    written = "".join(
        f'<row r="{number}">{"".join(_cells(number, row, head if number == 1 else body))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    lists = [
        f'<dataValidation type="list" allowBlank="1" showErrorMessage="1" sqref="{_column(rows[0], word)}">'
        f'<formula1>"{",".join(values)}"</formula1></dataValidation>'
        for word, values in _LISTS.get(name, {}).items()
    ]
    checks = f'<dataValidations count="{len(lists)}">{"".join(lists)}</dataValidations>' if lists else ""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
        'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>{written}</sheetData>{checks}</worksheet>"
    )


def _column(headings: Sequence[str], word: str) -> str:
    letters = column_letters(headings.index(word) + 1)
    return f"{letters}2:{letters}1000"


def _cells(number: int, row: Sequence[str], look: int) -> Iterator[str]:
    for at, text in enumerate(row, start=1):
        if text:
            ref = quoteattr(f"{column_letters(at)}{number}")
            inner = f'<is><t xml:space="preserve">{xml_text(text)}</t></is>'
            yield f'<c r={ref} s="{look}" t="inlineStr">{inner}</c>'
