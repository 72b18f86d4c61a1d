"""The ministry's list of accounts as it is handed on: a workbook with columns of its own names, perhaps under a password."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

from python_calamine import CalamineError, load_workbook

from workflow.adapters.workbook.account_table import AccountColumns
from workflow.adapters.workbook.roster_cells import cell, heading, headings
from workflow.adapters.workbook.unlock import unlock
from workflow.domain.account_checks import AccountRow
from workflow.domain.errors import Fault, Refused
from workflow.domain.unit_codes import short_division

#: Without these there is no list; of the unit's code and name one is enough.
_REQUIRED = ("account", "password")
#: An initial password may be of blanks and noughts: it is handed on as it stands.
_AS_IT_STANDS = "password"


def is_locked(data: bytes) -> bool:
    """Whether a list can only be opened with a password: an encrypted workbook is an OLE file that is no .xls."""
    return data.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in data


def read_accounts(data: bytes, name: str, columns: AccountColumns, password: str = "") -> list[AccountRow]:
    """The rows of every sheet that is headed as a list; raises Refused when there is none, or it can't be opened."""
    if is_locked(data):
        opened = unlock(data, [password])
        if opened is None:
            raise Refused(Fault(name, "打开密码不对", "请核对教育部另行告知的打开密码"))
        data, _ = opened
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError:
        remedy = "请用Excel或WPS打开，另存为“Excel 工作簿（*.xlsx）”"
        raise Refused(Fault(name, "不是可以读取的工作簿", remedy)) from None
    words = columns.model_dump()
    wanted = {heading(said): attribute for attribute, said in words.items()}
    rows: list[AccountRow] = []
    nearest: set[str] = set()
    headed = False
    for sheet in book.sheet_names:
        lines = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        head, places = headings(lines, wanted)
        if len(places) > len(nearest):
            nearest = set(places)
        if _missing(places):
            continue
        headed = True
        rows.extend(_rows(lines[head + 1 :], head + 2, places, f"{name} {sheet}"))
    if not headed:
        lacking = "、".join(words[attribute] for attribute in _missing(nearest))
        remedy = "名称不同的，请在 config.toml 的 [accounts.columns] 中对应"
        raise Refused(Fault(name, f"没有账号清单：表头缺少{lacking}", remedy))
    if not rows:
        raise Refused(Fault(name, "清单中没有账号", "请核对文件"))
    return rows


def _missing(places: Mapping[str, int] | set[str]) -> list[str]:
    unit = [] if {"code", "name"} & set(places) else ["code"]
    return [*unit, *(attribute for attribute in _REQUIRED if attribute not in places)]


def _rows(
    lines: Sequence[Sequence[object]], first: int, places: Mapping[str, int], sheet: str
) -> Iterator[AccountRow]:
    for number, line in enumerate(lines, start=first):
        raw = {key: line[at] if at < len(line) else "" for key, at in places.items()}
        said = {key: str(cell(value, key)) for key, value in raw.items() if key != _AS_IT_STANDS}
        typed = raw[_AS_IT_STANDS]
        numeric = isinstance(typed, int | float) and not isinstance(typed, bool)
        password = typed if isinstance(typed, str) else str(cell(typed, _AS_IT_STANDS))
        if password.strip() or any(said.values()):
            yield AccountRow(
                f"{sheet} 第{number}行", number, short_division(said.get("code", "")), said.get("name", ""),
                said.get("role", ""), said["account"], password if password.strip() else "", said.get("former", ""),
                numeric,
            )  # fmt: skip
