"""What a copy's 自查 sheet says, recalculated by LibreOffice, against what the server says of the very same copy.

Random forms (rules, constraints, ranges, required and conditional fields) and random returns, right and wrong, with and
without last quarter's data. Where the two differ on purpose, and so are not compared here:

* A value in the wrong spelling (`100Mbps`, `2019.11.1`, √) is understood by the server; 自查 asks for it to be mended.
* A constraint that names a cell with a value of the wrong type: 自查 says nothing, the server takes that cell for blank.
* A relevance that names such a cell reads it as it stands; the server takes it for blank.
* A workbook in which nothing is filled in: the server says that one thing, 自查 also lists what is missing.
* Patterns, and telephone numbers and addresses beyond their coarsest faults, are for the server alone.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import TYPE_CHECKING

import openpyxl

from tests.adapters.workbook.forms import IDENTITY, PRINTED, SETTINGS, by_openpyxl, tables
from tests.journeys.test_rules_against_libreoffice import Author
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.selfcheck import SHEET
from workflow.adapters.workbook.selfcheck_list import Check, checks_of
from workflow.adapters.workbook.stamp import stamp
from workflow.domain import rules
from workflow.domain.campaign import midnight
from workflow.domain.checks import Examination, examine
from workflow.domain.form import RESERVED, FieldType, Form, Severity, cell_name, split_cell
from workflow.domain.submission import CellError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.servers.office import Office
    from workflow.adapters.workbook.master import CompiledForm
    from workflow.domain.form import Value
    from workflow.domain.submission import RawValue

SEED, FORMS, COPIES = 534, 8, 10
TYPES = {
    **dict.fromkeys(("学生数", "教师数", "班级数"), FieldType.INTEGER),
    **dict.fromkeys(("带宽", "结余", "零点一", "零点二", "空", "空二"), FieldType.DECIMAL),
    **dict.fromkeys(("名称", "数字样"), FieldType.TEXT),
    **dict.fromkeys(("接入", "未接入"), FieldType.YES_NO),
    "比例": FieldType.PERCENT,
    "建成日": FieldType.DATE,
}
#: A repeating table: its columns and the rules over them. One row is drawn, three more stand on the page 续表.
COLUMNS = {
    "设备.名称": FieldType.TEXT,
    "设备.数量": FieldType.INTEGER,
    "设备.在用": FieldType.INTEGER,
    "设备.购置": FieldType.DATE,
}
ROWS = 4
OVER_COLUMNS = (
    "=SUM(设备.数量)>=学生数",
    "=COUNTA(设备.名称)>2",
    "=MAX(设备.数量,上期(学生数))<=1000",
    "=SUM(设备.数量)>=SUM(上期(设备.数量))",
    "=IFERROR(AVERAGE(设备.数量),0)>10",
    "=COUNT(上期(设备.在用))<=COUNT(设备.在用,1)",
    "=IFERROR(SUM(上期(设备.数量))/COUNT(设备.购置),0)>=10",
    "=MIN(设备.购置)<建成日",
)
VALUES: Mapping[FieldType, tuple[Value, ...]] = {
    FieldType.INTEGER: (0, 1, 3, 12, 86, 1250, -4),
    FieldType.DECIMAL: (0, 0.1, 0.2, 0.3, 2.675, 100, 200.5, -12.25, 1000000),
    FieldType.PERCENT: (0, 0.1, 0.5, 0.85, 1),
    FieldType.DATE: (dt.date(2018, 9, 30), dt.date(2019, 11, 1), dt.date(2026, 12, 31)),
    FieldType.YES_NO: (True, False),
    FieldType.TEXT: ("Abc小学", "ABC小学", "示例中学", "3"),
    FieldType.PHONE: ("0371-55550000",),
}
WRONG: Mapping[FieldType, RawValue | CellError] = {
    **dict.fromkeys((FieldType.INTEGER, FieldType.DECIMAL, FieldType.PERCENT), "约三十"),
    FieldType.DATE: "去年秋天",
    FieldType.YES_NO: "也许",
    FieldType.TEXT: CellError("#DIV/0!"),
    FieldType.PHONE: "5555",
}
SUMMARY = ReturnSummary("示例县第一小学", "2026年第四季度", midnight(dt.date(2027, 1, 4)), "", 1)
CONTENT = {"cell-error", "below-minimum", "above-maximum"}


class Quarter:
    """Makes forms and returns, each from its own seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._author = Author(seed)

    def form(self) -> CompiledForm:
        fields = [self._row(name, kind) for name, kind in TYPES.items()]
        fields += [self._row(name, kind, plain=True) for name, kind in RESERVED.items()]
        columns = [self._column(name, kind) for name, kind in COLUMNS.items()]
        written = [
            (
                f"R{number}",
                self._random.choice(list(Severity)).value,
                "=" + self._author.logical(3),
                f"第{number}条。",
            )
            for number in range(12)
        ]
        written.append(("R98", "经验校验", "=" + self._author.number(2), "结果是数字。"))
        written.append(("R99", "逻辑校验", "=" + self._author.text(2), "结果是文字。"))
        page = {f"B{row}": f"{{{{{one['字段']}}}}}" for row, one in enumerate(fields[:9], start=2)}
        page["A1"] = "{{@令牌}}"
        more = {f"C{row}": f"{{{{{one['字段']}}}}}" for row, one in enumerate(fields[9:], start=2)}
        asked = [rule[0] for rule in written if rule[1] == "经验校验"][::2]
        more |= {f"D{row}": f"{{{{说明:{rule}}}}}" for row, rule in enumerate(asked, start=2)}
        more["E2"] = "{{说明：学生数}}"
        more |= {f"{column}30": f"{{{{{name}}}}}" for column, name in zip("BCDE", COLUMNS, strict=True)}
        more |= {f"{column}29": name for column, name in zip("BCDE", COLUMNS, strict=True)}
        for number, formula in enumerate(self._random.sample(OVER_COLUMNS, 5)):
            kind = self._random.choice(list(Severity)).value
            written.append((f"T{number}", kind, formula, f"表格第{number}条。"))
        pages = {"基本 '情况": page, "其他": more}
        definitions = tables((*fields, *columns), (), written, {**SETTINGS, "行数：设备": ROWS})
        return compile_form(by_openpyxl(pages, definitions), "school")

    def _column(self, name: str, kind: FieldType) -> dict[str, object]:
        row: dict[str, object] = {"字段": name, "标签": name[3:], "类型": kind.value}
        row["必填"] = self._random.choice(["是", "否"])
        row["预填"] = self._random.choice(["上期", ""])
        if name == "设备.数量":
            row |= {"最小值": 0, "约束": "=设备.数量<=学生数", "约束提示": "数量的约束。"}
        if name == "设备.在用":
            row |= {
                "约束": "=AND(设备.在用<=设备.数量,LEN(设备.名称)<9,MAX(设备.数量)<1000)",
                "约束提示": "在用的约束。",
            }
        if name == "设备.购置" and self._random.random() < 0.6:
            row["相关条件"] = "=设备.数量>0"
        return row

    def _row(self, name: str, kind: FieldType, *, plain: bool = False) -> dict[str, object]:
        row: dict[str, object] = {"字段": name, "标签": f"{name}〈{kind}〉", "类型": kind.value}
        row["必填"] = self._random.choice(["是", "否"])
        if plain:
            return row
        if kind.is_number and self._random.random() < 0.5:
            row |= {"最小值": 0, "最大值": self._random.choice([1, 100, 2000])}
        if kind is FieldType.DATE and self._random.random() < 0.5:
            row["最小值"] = "2019-01-01"
        if self._random.random() < 0.4:
            row |= {"约束": "=" + self._author.logical(2), "约束提示": f"{name}的约束。"}
        if self._random.random() < 0.3:
            row["相关条件"] = "=" + self._author.logical(2)
        if self._random.random() < 0.8:
            row["预填"] = "上期"
        return row

    def answers(self, form: Form) -> dict[str, Value]:
        blank = self._random.choice([0.05, 0.3, 0.9])
        given: dict[str, Value] = {}
        for item in form.fields:
            if self._random.random() > blank:
                given[item.name] = self._random.choice(VALUES[item.type])
        return given

    def _shuffle(self, given: dict[str, Value]) -> None:
        """The rows of the table in another order."""
        order = self._random.sample(range(1, ROWS + 1), ROWS)
        former = dict(given)
        for name in COLUMNS:
            for row, other in enumerate(order, start=1):
                given[cell_name(name, row)] = former.get(cell_name(name, other))

    def copy(self, compiled: CompiledForm) -> tuple[bytes, Mapping[str, Value] | None]:
        form, previous = compiled.form, None
        if self._random.random() < 0.7:
            previous = self.answers(form)
        given = self.answers(form)
        if previous is not None and self._random.random() < 0.3:
            given = {**previous, "无变化": True}
            if self._random.random() < 0.5:
                self._shuffle(given)
            if self._random.random() < 0.3:
                given["学生数"] = 7
            if self._random.random() < 0.2:
                given["设备.2.数量"] = 7
        if self._random.random() < 0.6:
            return stamp(compiled, IDENTITY, PRINTED, given, previous), previous
        leant = frozenset().union(
            *(rules.names(rules.parse(item.relevant)) for item in form.fields if item.relevant)
        )
        raw: dict[str, RawValue | CellError] = dict(given)
        for item in form.fields:
            if item.name not in leant and self._random.random() < 0.15:
                raw[item.name] = WRONG[item.type]
        return annotate(compiled, IDENTITY, PRINTED, raw, (), SUMMARY, previous), previous


def expected(
    form: Form, check: Check, seen: Examination, broken: set[str], previous: Mapping[str, Value] | None
) -> str:
    """What the 自查 sheet must say of a check, by the server's own findings."""
    codes = {(finding.code, finding.field) for finding in seen.findings}
    spoken = {code for code, _ in codes}
    claim = seen.answers.get("无变化") is True
    if check.kind == "claim":
        fails = spoken & {"no-change-without-data", "no-change-but-changed"}
        return "—" if not claim else "请改正" if fails else "通过"
    if check.kind == "said":
        return "—" if claim else "请改正" if "nothing-filled" in spoken else "通过"
    if seen.no_change:
        return "—"
    own = {slot.field for slot in form.slots if slot.sheet == check.subject and not split_cell(slot.field)}
    if check.subject == "设备.":
        own = {slot.field for slot in form.slots if split_cell(slot.field)}
    match check.kind:
        case "missing":
            fails = {field for code, field in codes if code == "required" and field in own}
        case "needless":
            fails = {field for code, field in codes if code == "irrelevant" and field in own}
        case "content":
            fails = {f for code, f in codes if f in own and (code in CONTENT or code.startswith("not-"))}
        case "column":
            fails = {
                f
                for code, f in codes
                if code == "constraint" and (split_cell(f) or "")[:1] == (check.subject,)
            }
        case _:
            return _by_formula(form, check, seen, broken, previous)
    return "请改正" if fails else "通过"


def _by_formula(
    form: Form, check: Check, seen: Examination, broken: set[str], previous: Mapping[str, Value] | None
) -> str:
    if any(name in broken for name in check.fields):
        return "—"
    if check.kind == "rule":
        if any(one.message == check.words for one in seen.explained):
            return "已说明"
        fails = any(one.code == "rule" and one.message.startswith(check.words) for one in seen.findings)
    else:
        fails = any((one.code, one.field) == ("constraint", check.subject) for one in seen.findings)
    if fails:
        return "请核实" if check.is_query else "请改正"
    if check.kind == "constraint":
        item = form.by_name[check.subject]
        asked = (
            not item.relevant or rules.holds(rules.parse(item.relevant), seen.answers, previous) is not False
        )
        if seen.answers.get(item.name) is None or not asked:
            return "—"
    return "通过" if rules.holds(rules.parse(check.formula), seen.answers, previous) else "—"


def summary(seen: Examination) -> str:
    """What stands on top of the sheet."""
    if seen.no_change:
        return "已确认本季度数据无变化，可以报送"
    if not seen.findings:
        return "全部通过，可以报送"
    if not seen.errors:
        return f"没有须改正的问题，还有 {seen.queries} 处须核实"
    return f"还有 {seen.errors} 处须改正" + (f"、{seen.queries} 处须核实" if seen.queries else "")


def test_the_selfcheck_of_every_copy_says_what_the_server_says(soffice: Office, tmp_path: Path) -> None:
    sources, cases = [], []
    for number in range(FORMS):
        quarter = Quarter(SEED + number)
        compiled = quarter.form()
        for place in range(COPIES):
            data, previous = quarter.copy(compiled)
            path = tmp_path / f"copy-{number}-{place}.xlsx"
            path.write_bytes(data)
            sources.append(path)
            cases.append((compiled.form, data, previous))
    said: list[str] = []
    of_kind: Counter[tuple[str, str]] = Counter()
    differing: list[str] = []
    for path, (form, data, previous) in zip(
        soffice.many(sources, "xlsx", tmp_path / "recalculated"), cases, strict=True
    ):
        raw = read_file(data, path.name, {(form.id, form.version): form}).answers
        seen = examine(form, raw, previous)
        broken = {f.field for f in seen.findings if f.code == "cell-error" or f.code.startswith("not-")}
        broken |= {cell[0] for name in broken if (cell := split_cell(name))}
        empty = any(finding.code == "nothing-filled" for finding in seen.findings)
        book = openpyxl.load_workbook(path, data_only=True)
        results = {row[0]: row[4] for row in book[SHEET].iter_rows(min_row=7, values_only=True)}
        for place, check in enumerate(checks_of(form), start=1):
            if empty and check.kind != "said":
                continue
            wanted = expected(form, check, seen, broken, previous)
            said.append(wanted)
            of_kind[f"{check.kind} {check.subject}"[:8].strip(), wanted] += 1
            if results[place] != wanted:
                differing.append(f"{path.name} {check}: ours {wanted}, theirs {results[place]}")
        total = summary(seen)
        if not empty and not broken and book[SHEET]["A4"].value != total:
            differing.append(f"{path.name}: ours {total}, theirs {book[SHEET]['A4'].value}")
    assert not differing, "\n".join(differing)
    # Every outcome must occur often, or the agreement would say nothing.
    assert all(said.count(word) > 100 for word in ("通过", "请改正", "请核实", "—")), len(said)
    assert said.count("已说明") > 20, len(said)
    assert min(of_kind["column 设", word] for word in ("通过", "请改正")) > 10, of_kind
    assert min(of_kind["rule T" + str(at), word] for at in range(2) for word in ("通过", "—")) > 3, of_kind
    assert min(of_kind["claim 无变", word] for word in ("通过", "请改正")) > 3, of_kind
