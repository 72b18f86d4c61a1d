"""The codes of a baseline, each against its own format: schools by the ministry's ten digits (学校（机构）标识码), departments by
the six of their division (GB/T 2260, development zones by the statistical codes in the same frame).

The ten digits have no check digit that is published; what is checked is their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from workflow.domain.errors import Fault
from workflow.domain.roster import UnitKind
from workflow.domain.roster_checks import UnitRow

_KINDS = frozenset(kind.value for kind in UnitKind)
_ANY = re.compile(r"[0-9A-Za-z]{6,20}")
_SCHOOL = re.compile(r"[0-9]{10}")
#: By kind the form of a division's code, and how an office says it.
_DIVISIONS: Mapping[UnitKind, tuple[re.Pattern[str], str]] = {
    UnitKind.PROVINCE: (re.compile(r"[1-9][0-9]0000"), "省级代码后四位为0000"),
    UnitKind.CITY: (
        re.compile(r"[1-9][0-9](?!00)[0-9]{2}00|[1-9][0-9]90(?!00)[0-9]{2}"),
        "市级代码后两位为00",
    ),
    UnitKind.COUNTY: (re.compile(r"[1-9][0-9](?!00)[0-9]{2}(?!00)[0-9]{2}"), "县级代码后两位不为00"),
    UnitKind.DIRECT_COUNTY: (re.compile(r"[1-9][0-9](?!00)[0-9]{2}(?!00)[0-9]{2}"), "县级代码后两位不为00"),
}


def short_division(code: str) -> str:
    """A division's code without the six noughts with which twelve-digit codes end."""
    return code[:6] if re.fullmatch(r"[0-9]{6}0{6}", code) else code


def code_faults(rows: Iterable[UnitRow]) -> Iterator[Fault]:
    """Codes that are not of their kind's format. What is no code at all is `roster_checks`' to say."""
    for row in rows:
        if row.kind not in _KINDS or not _ANY.fullmatch(row.code):
            continue
        kind = UnitKind(row.kind)
        if kind in _DIVISIONS:
            pattern, words = _DIVISIONS[kind]
            if not pattern.fullmatch(row.code):
                what = f"{row.name}的代码{row.code}不是{kind}的行政区划代码"
                yield Fault(row.place, what, f"应为6位数字，{words}（GB/T 2260）")
        elif not _SCHOOL.fullmatch(row.code):
            what = f"{row.name}的代码{row.code}不是学校（机构）标识码"
            yield Fault(row.place, what, "应为10位数字，请核对是否少位、多位或混入字母")


def code_queries(rows: Iterable[UnitRow]) -> Iterator[Fault]:
    """Counties under a city to which their codes do not belong, for staff to look at."""
    for row in rows:
        if row.kind == UnitKind.COUNTY and row.code[:4] != row.superior[:4]:
            what = f"{row.name}的代码{row.code}与上级{row.superior}不属同一地市"
            yield Fault(row.place, what, "隶属关系属实的不必处理；代码填错的请改正")
