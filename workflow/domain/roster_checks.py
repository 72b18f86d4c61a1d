"""What must hold of a roster before it is taken, and what staff should look at though it is taken.

Faults refuse the whole roster, all of them at once; queries stand on staff's list. Rows come as text with their row
number in the sheet, so that each fault says where it is.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import SUPERIORS, Contact, Role, Roster, Unit, UnitKind

UNIT_SHEET, CONTACT_SHEET = "单位", "人员"


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A row of the 单位 sheet as it stands, blanks as ''."""

    row: int
    code: str
    name: str
    kind: str
    superior: str
    suspended: str = ""
    window: str = ""
    note: str = ""
    sheet: str = UNIT_SHEET

    @property
    def place(self) -> str:
        return f"{self.sheet}!第{self.row}行" if self.sheet else f"第{self.row}行"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A row of the 人员 sheet as it stands. A day is a date where the cell held one, else its text."""

    row: int
    unit: str
    role: str
    name: str
    office: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    since: dt.date | str = ""
    until: dt.date | str = ""

    @property
    def place(self) -> str:
        return f"{CONTACT_SHEET}!第{self.row}行"


def build_roster(
    units: Sequence[UnitRow], contacts: Sequence[ContactRow]
) -> tuple[Roster, tuple[Fault, ...]]:
    """The roster of these rows and the queries on it; raises Refused with every fault."""
    faults: list[Fault] = []
    rows = _by_code(units, faults)
    built = {code: unit for code, row in rows.items() if (unit := _unit(row, faults)) is not None}
    faults += _tree_faults(rows, built)
    people = [person for row in contacts if (person := _contact(row, rows, faults)) is not None]
    if faults:
        raise Refused(faults)
    roster = Roster(built, tuple(people))
    return roster, (*_shared_addresses(contacts, roster), *_vacancies(rows, roster))


# --- units ---------------------------------------------------------------------------------------------------------

_CODE = re.compile(r"[0-9A-Za-z]{6,20}")
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]+)?[Ee]\+?[0-9]+")
_WINDOW = re.compile(r"([0-9]{1,2})日?\s*[-—–－~至到]+\s*([0-9]{1,2})日?")
_LONGEST_NAME = 60
#: RFC 5321 section 4.5.3.1.1.
_LONGEST_LOCAL_PART = 64
#: Controls and marks that turn the writing direction: in a name they only hide something.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_YES, _NO = frozenset({"是", "Y", "y"}), frozenset({"", "否", "N", "n"})


def _by_code(units: Iterable[UnitRow], faults: list[Fault]) -> dict[str, UnitRow]:
    rows: dict[str, UnitRow] = {}
    for row in units:
        fault = _code_fault(row.place, "单位代码", row.code)
        if fault is not None:
            faults.append(fault)
        elif row.code in rows:
            what = f"单位代码{row.code}（{row.name}）与第{rows[row.code].row}行（{rows[row.code].name}）重复"
            faults.append(Fault(row.place, what, "请删去其中一行，或者改正代码"))
        else:
            rows[row.code] = row
    return rows


def _code_fault(place: str, column: str, code: str) -> Fault | None:
    if not code:
        return Fault(place, f"没有填写{column}", "请填写，或者删去这一行")
    if _SCIENTIFIC.fullmatch(code):
        remedy = "请把该列设为文本格式后重新填写完整代码"
        return Fault(place, f"{column}“{code}”被Excel改成了科学计数法，末几位已经丢失", remedy)
    if not _CODE.fullmatch(code):
        return Fault(place, f"{column}“{code}”不合要求", "代码由6至20位数字或字母组成，中间不留空格")
    return None


def _unit(row: UnitRow, faults: list[Fault]) -> Unit | None:
    before = len(faults)
    if not row.name:
        faults.append(Fault(row.place, f"单位{row.code}没有填写单位名称", "请填写"))
    elif len(row.name) > _LONGEST_NAME or _UNPRINTABLE.search(row.name):
        what = f"单位{row.code}的单位名称过长，或者含有换行等不可见字符"
        faults.append(Fault(row.place, what, f"请填写不超过{_LONGEST_NAME}个字的名称，不换行"))
    if row.kind not in _KINDS:
        what = f"不认识的单位类型“{row.kind}”" if row.kind else "没有填写单位类型"
        faults.append(Fault(row.place, what, f"可用的有：{'、'.join(_KINDS)}"))
    if row.suspended not in _YES | _NO:
        faults.append(Fault(row.place, f"暂停招生“{row.suspended}”看不懂", "请填“是”或“否”"))
    window = _window(row, faults)
    if len(faults) > before:
        return None
    kind = UnitKind(row.kind)
    return Unit(row.code, row.name, kind, row.superior, row.suspended in _YES, window, row.note)


_KINDS = tuple(kind.value for kind in UnitKind)


def _window(row: UnitRow, faults: list[Fault]) -> tuple[int, int] | None:
    if not row.window:
        return None
    match = _WINDOW.fullmatch(row.window)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= 28:
        what = f"审核窗口“{row.window}”看不懂"
        faults.append(Fault(row.place, what, "请写成“1至5日”的样子，前后两日都在1至28之间"))
        return None
    return int(match[1]), int(match[2])


def _tree_faults(rows: Mapping[str, UnitRow], built: Mapping[str, Unit]) -> Iterator[Fault]:
    for row in rows.values():
        yield from _superior_faults(row, rows)
    yield from _circles(rows)
    roots = [unit for unit in built.values() if unit.kind is UnitKind.PROVINCE]
    if not roots:
        what = f"没有“{UnitKind.PROVINCE}”"
        yield Fault(UNIT_SHEET, what, "请加上省级教育行政部门一行，上级单位代码留空")
    for unit in roots[1:]:
        what = f"有不止一个“{UnitKind.PROVINCE}”（{roots[0].name}、{unit.name}）"
        yield Fault(rows[unit.code].place, what, "只能有一个，请改正单位类型或者删去多余的一行")


def _superior_faults(row: UnitRow, rows: Mapping[str, UnitRow]) -> Iterator[Fault]:
    allowed = SUPERIORS[UnitKind(row.kind)] if row.kind in _KINDS else None
    if not row.superior:
        if allowed:
            yield Fault(row.place, f"{row.name}没有填写上级单位代码", _allowed_words(allowed))
        return
    above = rows.get(row.superior)
    if above is None:
        fault = _code_fault(row.place, "上级单位代码", row.superior)
        what = f"{row.name}的上级单位代码{row.superior}在名册中没有"
        yield fault or Fault(row.place, what, "请改正代码，或者在“单位”表中补上该单位")
    elif allowed is not None and not allowed:
        yield Fault(row.place, f"{row.kind}（{row.name}）之上没有单位", "请把上级单位代码留空")
    elif allowed and above.kind in _KINDS and UnitKind(above.kind) not in allowed:
        what = f"{above.kind}（{above.name}）不能是{row.kind}（{row.name}）的上级"
        yield Fault(row.place, what, _allowed_words(allowed))


def _allowed_words(allowed: frozenset[UnitKind]) -> str:
    return f"上级单位应为：{'、'.join(kind for kind in UnitKind if kind in allowed)}"


def _circles(rows: Mapping[str, UnitRow]) -> Iterator[Fault]:
    """Each circle once, told at its first row."""
    done: set[str] = set()
    for code in rows:
        path: dict[str, None] = {}
        while code in rows and code not in done and code not in path:
            path[code] = None
            code = rows[code].superior
        if code in path:
            circle = list(path)[list(path).index(code) :]
            first = min(circle, key=lambda one: rows[one].row)
            at = circle.index(first)
            names = [rows[one].name or one for one in (*circle[at:], *circle[:at], first)]
            what = f"隶属关系成了一个圈：{' → '.join(names)}"
            yield Fault(rows[first].place, what, "请改正其中一个单位的上级单位代码")
        done.update(path)


# --- contacts ------------------------------------------------------------------------------------------------------

_ROLES = tuple(role.value for role in Role)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_DAY = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})日?")


def _contact(row: ContactRow, units: Mapping[str, UnitRow], faults: list[Fault]) -> Contact | None:
    before = len(faults)
    if row.unit not in units:
        fault = _code_fault(row.place, "单位代码", row.unit)
        what = f"{row.name}的单位代码{row.unit}在“{UNIT_SHEET}”表中没有"
        faults.append(fault or Fault(row.place, what, "请改正代码，或者补上该单位"))
    if row.role not in _ROLES:
        what = f"不认识的角色“{row.role}”" if row.role else "没有填写角色"
        faults.append(Fault(row.place, what, f"可用的有：{'、'.join(_ROLES)}"))
    if not row.name:
        faults.append(Fault(row.place, "没有填写姓名", "请填写；职位空缺的，请删去这一行"))
    elif len(row.name) > _LONGEST_NAME or _UNPRINTABLE.search(row.name):
        faults.append(Fault(row.place, "姓名过长，或者含有换行等不可见字符", "请改正"))
    faults += _email_faults(row)
    since = _day(row, "生效日期", row.since, faults)
    until = _day(row, "失效日期", row.until, faults)
    if since is not None and until is not None and until <= since:
        faults.append(
            Fault(row.place, f"{row.name}的失效日期不晚于生效日期", "请改正日期；失效日期当日起不再担任")
        )
    if len(faults) > before:
        return None
    return Contact(
        row.unit,
        Role(row.role),
        row.name,
        row.office,
        row.phone,
        row.mobile,
        row.email,
        since or dt.date.min,
        until,
    )


def _email_faults(row: ContactRow) -> Iterator[Fault]:
    if not row.email:
        return
    if not row.email.isascii():
        what = f"电子邮箱“{row.email}”含有中文或全角字符"
        yield Fault(row.place, what, "请用半角英文字母、数字和符号重新填写")
    elif not _EMAIL.fullmatch(row.email) or len(row.email.partition("@")[0]) > _LONGEST_LOCAL_PART:
        what = f"“{row.email}”不是电子邮箱地址"
        yield Fault(row.place, what, "请写成 name@example.org 的样子，一格只填一个；没有的请留空")


def _day(row: ContactRow, column: str, value: dt.date | str, faults: list[Fault]) -> dt.date | None:
    if isinstance(value, dt.date):
        return value
    if not value:
        return None
    match = _DAY.fullmatch(value)
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3])) if match else _no_day()
    except ValueError:
        faults.append(Fault(row.place, f"{column}“{value}”不是日期", "请写成 2026-10-01 的样子"))
        return None


def _no_day() -> dt.date:
    raise ValueError


# --- queries -------------------------------------------------------------------------------------------------------


def _vacancies(rows: Mapping[str, UnitRow], roster: Roster) -> Iterator[Fault]:
    held: dict[str, set[Role]] = {}
    addressed: set[str] = set()
    for contact in roster.contacts:
        held.setdefault(contact.unit, set()).add(contact.role)
        if contact.email:
            addressed.add(contact.unit)
    for code, unit in roster.units.items():
        place, roles = rows[code].place, held.get(code, set())
        if Role.ADMINISTRATOR not in roles:
            yield Fault(place, f"{unit.name}没有管理员", "请补报；在此之前信件由上级管理员转交")
        elif code not in addressed:
            yield Fault(place, f"{unit.name}没有电子邮箱", "信件由上级管理员转交；如有邮箱请补报")
        if unit.kind.reports and Role.REVIEWER not in roles:
            yield Fault(place, f"{unit.name}没有审核员", "请补报；空缺期间数据不经审核，到期自动上报")
        if unit.kind.reports and Role.INSPECTOR not in roles:
            yield Fault(place, f"{unit.name}没有视察员", "请补报")


def _shared_addresses(contacts: Iterable[ContactRow], roster: Roster) -> Iterator[Fault]:
    """Each address of several units, at the first row that holds it."""
    sharers: dict[str, dict[str, str]] = {}
    for contact in contacts:
        if contact.email:
            sharers.setdefault(contact.email.lower(), {}).setdefault(contact.unit, contact.place)
    for email, codes in sharers.items():
        if len(codes) > 1:
            names = "、".join(roster.units[code].name for code in list(codes)[:4])
            more = f"等{len(codes)}个单位" if len(codes) > 4 else f"{len(codes)}个单位"
            what = f"电子邮箱{email}由{names}{more}共用"
            yield Fault(
                next(iter(codes.values())), what, "属实的不必处理，系统按识别码区分单位；填错的请改正"
            )
