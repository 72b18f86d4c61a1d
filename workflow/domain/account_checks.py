"""The ministry's list of accounts, checked before anything is handed on: every fault at once, and what a person should look at.

No words here ever show a password: a fault says in which row it stands.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.domain.accounts import Account
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Role, Roster, Unit, UnitKind


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of the list as it was typed; `number_typed` says that Excel holds the password as a number, which has lost its
    leading noughts if it had any.
    """

    place: str
    number: int
    code: str
    name: str
    role: str
    account: str
    password: str = field(repr=False)
    former: str = ""
    number_typed: bool = False


_ONLY_ADMINISTRATOR = "该单位只有管理员账号（管理办法第七、十三条）"


def checked(rows: Sequence[AccountRow], roster: Roster) -> tuple[list[Account], list[Fault]]:
    """The accounts of a list and the queries on it; raises Refused with every fault."""
    faults: list[Fault] = []
    found: list[tuple[AccountRow, Unit]] = []
    by_name: dict[str, list[Unit]] = defaultdict(list)
    for unit in roster.units.values():
        by_name[unit.name].append(unit)
    for row in rows:
        unit_or_fault = _unit(row, roster, by_name)
        if isinstance(unit_or_fault, Fault):
            faults.append(unit_or_fault)
        else:
            found.append((row, unit_or_fault))
        faults.extend(_blank(row))
    faults.extend(_twice(rows))
    of_unit = Counter(unit.code for _, unit in found)
    accounts: list[Account] = []
    for row, unit in found:
        role = _role(row, only=of_unit[unit.code] == 1)
        if isinstance(role, Fault):
            faults.append(role)
        else:
            accounts.append(Account(unit.code, role, row.account, row.password, row.former))
    if faults:
        raise Refused(faults)
    return accounts, [*_queries(found, accounts), *_shared(rows)]


def _unit(row: AccountRow, roster: Roster, by_name: Mapping[str, Sequence[Unit]]) -> Unit | Fault:
    if row.code:
        unit = roster.units.get(row.code)
        if unit is None:
            what = f"名册中没有代码为{row.code}的单位"
            return Fault(row.place, what, "请核对代码；确系新增单位的，先导入名册")
    else:
        named = by_name.get(row.name, ())
        if len(named) != 1:
            what = (
                f"没有单位代码，名册中名为“{row.name}”的单位有{len(named)}个"
                if row.name
                else "没有单位代码和名称"
            )
            return Fault(row.place, what, "请填写单位代码")
        unit = named[0]
    if unit.kind is UnitKind.MINISTRY_UNIVERSITY:
        remedy = "请从清单中删去该行"
        return Fault(row.place, f"{unit.name}的账号由教育部科技司组织发放（管理办法第十三条）", remedy)
    return unit


def _blank(row: AccountRow) -> Iterator[Fault]:
    """Nothing is invented in the place of what is missing."""
    missing = [words for words, value in (("账号", row.account), ("初始密码", row.password)) if not value]
    if missing:
        yield Fault(row.place, f"没有{'和'.join(missing)}", "账号由教育部统一生成，请按教育部清单补齐")


def _twice(rows: Iterable[AccountRow]) -> Iterator[Fault]:
    first: dict[str, AccountRow] = {}
    for row in rows:
        if row.account and first.setdefault(row.account, row) is not row:
            what = f"账号{row.account}与第{first[row.account].number}行重复"
            yield Fault(row.place, what, "账号专人专号（管理办法第十四条），请核对清单")


def _role(row: AccountRow, *, only: bool) -> Role | Fault:
    if not row.role:
        if only:
            return Role.ADMINISTRATOR
        return Fault(row.place, "同一单位有多个账号，没有写明角色", "请填写视察员、审核员或管理员")
    try:
        return Role(row.role)
    except ValueError:
        return Fault(row.place, f"角色“{row.role}”不认识", "应为视察员、审核员或管理员")


def _queries(found: Sequence[tuple[AccountRow, Unit]], accounts: Sequence[Account]) -> Iterator[Fault]:
    for (row, unit), account in zip(found, accounts, strict=True):
        if row.code and row.name and row.name != unit.name:
            yield Fault(
                row.place,
                f"清单写“{row.name}”，名册为“{unit.name}”",
                "按代码发放；代码填错的请改正后重新导入",
            )
        if account.role is not Role.ADMINISTRATOR and not unit.kind.reports:
            yield Fault(
                row.place, f"{unit.name}的{account.role}账号：{_ONLY_ADMINISTRATOR}", "按清单发放，请核对"
            )
        if row.number_typed:
            what = "初始密码在表中是数字，前面的零可能已经丢失"
            yield Fault(row.place, what, "请与教育部清单核对；有误的，将该列设为文本后重新填写导入")
        if row.password != row.password.strip():
            yield Fault(row.place, "初始密码前后有空格", "按清单原样发放，请核对是否多打了空格")
        if row.password == row.account:
            yield Fault(row.place, "初始密码与账号相同", "发放时要求立即修改")


def _shared(rows: Iterable[AccountRow]) -> Iterator[Fault]:
    """One query for each initial password that several accounts have, however many they are."""
    alike: dict[str, list[AccountRow]] = defaultdict(list)
    for row in rows:
        alike[row.password].append(row)
    for same in alike.values():
        if len(same) > 1:
            what = f"自本行起有{len(same)}个账号的初始密码相同（{_numbers([row.number for row in same])}）"
            yield Fault(same[0].place, what, "按清单发放，发放时要求首次登录后立即修改")


def _numbers(numbers: Sequence[int]) -> str:
    """第2、5—9行: at most so many pieces as a line bears."""
    pieces: list[list[int]] = []
    for number in numbers:
        if pieces and number == pieces[-1][1] + 1:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    words = [str(a) if a == b else f"{a}—{b}" for a, b in pieces[:_MOST_PIECES]]
    return f"第{'、'.join(words)}行{'等' if len(pieces) > _MOST_PIECES else ''}"


_MOST_PIECES = 5


def shared_units(accounts: Iterable[Account]) -> frozenset[str]:
    """The units of which an account's initial password is another account's too, or the account's own name."""
    known = list(accounts)
    count = Counter(account.password for account in known)
    return frozenset(
        account.unit for account in known if count[account.password] > 1 or account.password == account.name
    )


def names_digest(accounts: Iterable[Account]) -> str:
    """By which a list that is imported again is known to bring a unit the same accounts: made of roles and names, never of a
    password, which anybody who knows how short it is could find out from its digest.
    """
    lines = sorted(f"{account.role}\t{account.name}\t{account.former}" for account in accounts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
