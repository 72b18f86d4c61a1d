"""What a shipped form is made of, and short constructors that keep the content modules readable.

The words are those of `docs/forms.md`: types, aggregates and prefills are kept in Chinese, as on the sheet.
`sample` is a plausible answer: it proves that ranges, patterns and choices can be met, and fills the
proof copies.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | float | dt.date


PART = "其中："
"""Opens the printed label of a figure that is part of the one above it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One answer: a row of the 字段 sheet and an answer cell. `wide` gives the answer the hint's room too."""

    name: str
    label: str
    kind: str
    sample: Value
    unit: str = ""
    hint: str = ""
    required: bool = True
    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: str = ""
    constraint: str = ""
    message: str = ""
    relevant: str = ""
    choices: str = ""
    aggregate: str = ""
    prefill: str = "上期"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """One row of the table of information systems: whether it is used, and the level that built it."""

    label: str
    used: Field
    level: Field
    hint: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A sub-heading within a module, such as （一）宽带网络校校通."""

    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A row of column titles that departs from the sheet's own, from this row to the end of the module."""

    titles: tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A repeating table with `rows` drawn rows; its columns are named `表.列`, each over the columns of its span."""

    name: str
    columns: tuple[tuple[str, Field], ...]
    rows: int


Entry = Field | System | Heading | Columns | Table


@dataclass(frozen=True, slots=True)
class Module:
    """One of the four modules, or the basic figures: a band and its rows."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One visible sheet, laid out to fill one A4 page."""

    name: str
    modules: tuple[Module, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A cross-field rule: a row of the 规则 sheet."""

    id: str
    kind: str
    formula: str
    message: str


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form, ready to be written as a workbook."""

    id: str
    name: str
    title: str
    version: int
    kinds: tuple[str, ...]
    number: str
    subject: str
    pages: tuple[Page, ...]
    choices: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]

    def fields(self) -> tuple[Field, ...]:
        """The indicators in the order of their cells, without the reserved fields."""
        found: list[Field] = []
        for page in self.pages:
            for module in page.modules:
                for entry in module.entries:
                    if isinstance(entry, Field):
                        found.append(entry)
                    elif isinstance(entry, System):
                        found += [entry.used, entry.level]
        return tuple(found)

    def columns(self) -> tuple[Field, ...]:
        """The columns of the repeating tables."""
        entries = (entry for page in self.pages for module in page.modules for entry in module.entries)
        return tuple(item for entry in entries if isinstance(entry, Table) for _, item in entry.columns)


RESERVED: tuple[Field, ...] = (
    Field("无变化", "本季度数据无变化", "是否", "否", required=False, aggregate="计是", prefill=""),
    Field("单位负责人", "单位负责人", "文本", "张某某"),
    Field("填表人", "填表人", "文本", "李某某"),
    Field("联系电话", "联系电话", "电话", "0371-55550123"),
    Field("填表日期", "填表日期", "日期", dt.date(2026, 12, 28), minimum="2019-11-01", prefill=""),
)


PERSON: tuple[Field, ...] = (
    Field(
        "管理员姓名", "管理员姓名", "文本", "李某某", hint="本单位管理员", required=False, prefill="名册.管理员姓名"
    ),
    Field(
        "管理员办公电话", "办公电话", "电话", "0371-55550123", hint="区号-号码", required=False,
        prefill="名册.管理员办公电话",
    ),
    Field(
        "管理员手机号码", "手机号码", "电话", "19900000123", hint="11位数字", required=False,
        prefill="名册.管理员手机号码",
    ),
    Field(
        "管理员电子邮箱", "电子邮箱", "邮箱", "liyou@example.org", hint="收发本系统邮件的邮箱", required=False,
        prefill="名册.管理员电子邮箱",
    ),
    Field("管理员变动", "原负责人是否变动", "是否", "否", hint="换人的选“是”", required=False, prefill=""),
)  # fmt: skip
"""The sheet 人员信息 (article 14), of which no figure is made."""


# The columns of a table read better by position than by name, hence PLR0917 below.
def amount(
    name: str,
    label: str,
    unit: str,
    hint: str,
    sample: float,
    top: float,
    *,
    least: float = 0,
    within: str = "",
    of: str = "",
    relevant: str = "",
    aggregate: str = "合计",
) -> Field:
    """A decimal from `least` to `top`; `within` names a field it may not exceed, `of` its label."""
    return Field(
        name,
        label,
        "小数",
        sample,
        unit,
        hint,
        minimum=least,
        maximum=top,
        constraint=f"={name}<={within}" if within else "",
        message=f"“{label.removeprefix(PART)}”不应大于“{of or within}”。" if within else "",
        relevant=relevant,
        aggregate=aggregate,
    )


def count(
    name: str,
    label: str,
    unit: str,
    hint: str,
    sample: int,
    top: int,
    *,
    within: str = "",
    of: str = "",
    relevant: str = "",
    aggregate: str = "合计",
) -> Field:
    """A whole number from 0 to `top`; the rest as for `amount`."""
    number = amount(
        name, label, unit, hint, sample, top, within=within, of=of, relevant=relevant, aggregate=aggregate
    )
    return replace(number, kind="整数")


def share(name: str, label: str, hint: str, sample: float, relevant: str = "") -> Field:
    """A percent, stored as a ratio from 0 to 1."""
    return Field(
        name, label, "百分比", sample, "%", hint, minimum=0, maximum=1, relevant=relevant, aggregate="平均"
    )


def yes(
    name: str, label: str, hint: str = "选“是”或“否”", *, relevant: str = "", sample: str = "是"
) -> Field:
    """A yes or no; the levels above count the 是."""
    return Field(name, label, "是否", sample, "", hint, relevant=relevant, aggregate="计是")


def pick(
    name: str, label: str, choices: str, sample: str, hint: str = "从下拉列表中选择", *, relevant: str = ""
) -> Field:
    """One of a list of the 选项 sheet."""
    return Field(name, label, "单选", sample, "", hint, choices=choices, relevant=relevant)


def text(
    name: str,
    label: str,
    sample: str,
    hint: str = "",
    *,
    pattern: str = "",
    prefill: str = "上期",
    relevant: str = "",
    required: bool = True,
    wide: bool = False,
    kind: str = "文本",
) -> Field:
    """Words, a code, a phone number or an address."""
    return Field(
        name,
        label,
        kind,
        sample,
        "",
        hint,
        required,
        pattern=pattern,
        prefill=prefill,
        relevant=relevant,
        wide=wide,
    )


def day(
    name: str, label: str, sample: dt.date, hint: str, *, relevant: str = "", required: bool = True
) -> Field:
    """A day, not before the century's first."""
    return Field(
        name,
        label,
        "日期",
        sample,
        "",
        hint,
        required,
        minimum="2000-01-01",
        maximum="2035-12-31",
        relevant=relevant,
    )


def system(stem: str, label: str, hint: str, level: str) -> System:
    """A row of the systems table; the level is asked only where the system is used."""
    used = yes(f"{stem}使用", f"{label}：是否使用", sample="是" if level else "否")
    built = pick(f"{stem}级别", f"{label}：建设级别", "建设级别", level, relevant=f'={stem}使用="是"')
    return System(label, used, built, hint)


def logic(number: int, formula: str, message: str) -> Rule:
    """A 逻辑校验: what fails it is an error."""
    return Rule(f"L{number:02d}", "逻辑校验", formula, message)


def query(number: int, formula: str, message: str) -> Rule:
    """A 经验校验: what fails it is corrected or explained."""
    return Rule(f"J{number:02d}", "经验校验", formula, message)


def steady(number: int, name: str, label: str, ratio: float) -> Rule:
    """A 经验校验 on the change since last quarter; without a last value there is nothing to compare."""
    limit = f"{ratio:g}"
    return query(
        number,
        f"=OR(上期({name})=0,ABS({name}-上期({name}))<=上期({name})*{limit})",
        f"“{label}”与上期相差超过{ratio:.0%}，请核对；确有变动的，请说明原因。",
    )


def adds_up(stems: tuple[str, ...], total: str) -> str:
    """The formula that `total` is at least the number of systems in use."""
    return f"={total}>=" + "+".join(f'IF({stem}使用="是",1,0)' for stem in stems)


SYSTEM_COLUMNS = Columns(("序号", "系统名称", "是否使用", "建设级别", "填写说明"))
