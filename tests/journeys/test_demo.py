"""The demo's whole quarter, smaller: everything that was planned has happened, and the figures are those in the mail."""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from workflow.app import App
from workflow.cli import main
from workflow.demo import roster as places
from workflow.demo.people import Behaviour
from workflow.demo.play import BEFORE, QUARTER, Summary, play
from workflow.domain.errors import Refused
from workflow.domain.lifecycle import Case, CaseState
from workflow.domain.merge import Origin, Standing
from workflow.domain.submission import Submission

ROOT = Path(__file__).parents[2]
UNITS = 40

AUTOMATIC = {
    places.SILENT_COUNTY, places.STRANGER_COUNTY, places.VACANT_COUNTY, places.SLOW_CITY, places.SILENT_UNIVERSITY,
}  # fmt: skip
#: Levels whose 审核员 approves what has come in time.
REVIEWED = {
    places.PROVINCE, places.FAST_CITY, places.SLOW_CITY, places.SMALL_CITY, places.DIRECT_COUNTY, places.FAST_UNIVERSITY,
    places.CAREFUL_COUNTY, places.FASTEST_COUNTY,
}  # fmt: skip


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return play(tmp_path_factory.mktemp("demo") / "demo", seed=3, units=UNITS)


@pytest.fixture(scope="module")
def app(summary: Summary) -> Iterator[App]:
    app = App(summary.workspace)
    yield app
    app.close()


def test_status_adds_up_on_the_command_line_after_the_play(summary: Summary) -> None:
    program = "import sys; from workflow.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "--workspace", str(summary.workspace), "status", "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    status = json.loads(said.stdout)
    mail = status["mail"]
    raws = list((summary.workspace / "mailbox").rglob("*.eml"))
    assert status["campaign"] == QUARTER
    assert status["now"].startswith("2027-01-16T00:10")
    assert mail["received"] == sum(mail["buckets"].values()) == len(raws)
    assert mail["received"] == summary.posted + summary.bounced
    assert sum(status["cases"].values()) == sum(status["origins"].values()) == UNITS
    assert mail["queued"] == 0
    assert status["next"] == []


def test_doctor_says_that_the_servers_of_the_demo_have_ended(
    summary: Summary, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(summary.workspace), "doctor"]) == 0
    said = capsys.readouterr()
    assert "内置的收发信服务器已随演示结束而停止" in said.out
    assert "不通过" not in said.err


def test_nobody_is_reminded_at_an_address_where_a_letter_failed(summary: Summary, app: App) -> None:
    dead = [letter for letter in app.store.letters(QUARTER) if letter.state == "failed"]
    assert {letter.kind for letter in dead} == {"notice"}
    relayed = [letter for letter in app.store.letters(QUARTER) if letter.kind == "reminder"]
    assert not {letter.to for letter in relayed} & {letter.to for letter in dead}
    matters = [str(query.personal.get("matter", "")) for query in app.store.staff_queries()]
    for letter in dead:
        told = sum("地址无效" in words and letter.to in words for words in matters)
        assert told == 2  # once in each quarter


def test_every_unit_ended_as_it_behaved(summary: Summary, app: App) -> None:
    cases = {case.unit: case for case in app.store.cases(QUARTER)}
    standings = {unit: row for (unit, _), row in app.store.standings(QUARTER).items()}
    roster = app.store.roster()
    assert roster is not None
    assert set(summary.behaviours.values()) == set(Behaviour)
    wrong = []
    for code, behaviour in summary.behaviours.items():
        reviewed = roster.package_of(code).code in REVIEWED
        ended = _end(cases[code], standings[code])
        if ended not in _wanted(behaviour, reviewed=reviewed):
            wrong.append((code, behaviour.value, *ended))
    assert wrong == []


def _end(case: Case, standing: Standing) -> tuple[CaseState, Origin, int]:
    return case.state, standing.origin, case.number


def _wanted(behaviour: Behaviour, *, reviewed: bool) -> set[tuple[CaseState, Origin, int]]:
    good = (CaseState.APPROVED, Origin.APPROVED) if reviewed else (CaseState.SUBMITTED, Origin.NOT_REVIEWED)
    silent = {(CaseState.ISSUED, Origin.MISSING, 0), (CaseState.ISSUED, Origin.CARRIED_OVER, 0)}
    match behaviour:
        case Behaviour.NEVER | Behaviour.LATE:
            return silent
        case Behaviour.BOUNCED | Behaviour.REFUSED:
            return {(CaseState.ISSUED, Origin.MISSING, 0)}
        case Behaviour.UNCORRECTED:
            return {(CaseState.RETURNED, Origin.WITH_ERRORS, 1)}
        case Behaviour.UNMOVED:
            return {(CaseState.RETURNED, Origin.RETURNED_UNCORRECTED, 1)}
        case Behaviour.NO_CHANGE:
            return {(good[0], Origin.NO_CHANGE, 1)}
        case Behaviour.CORRECTED | Behaviour.TWICE | Behaviour.REVIEWED:
            return {(*good, 2)}
        case _:
            return {(*good, 1)}


def test_levels_whose_reviewer_did_not_report_went_up_by_themselves(app: App) -> None:
    packages = {package.unit: package for package in app.store.packages(QUARTER)}
    assert {code for code, package in packages.items() if package.auto} == AUTOMATIC
    assert all(package.locked for package in packages.values())
    assert all(package.auto for package in app.store.packages(BEFORE))


def test_letters_to_addresses_that_are_no_more_failed(summary: Summary, app: App) -> None:
    dead = {code for code, b in summary.behaviours.items() if b in {Behaviour.BOUNCED, Behaviour.REFUSED}}
    failed = {letter.unit for letter in app.store.letters(QUARTER) if letter.state == "failed"}
    assert failed == dead


def test_receipts_are_tracked_part_by_part(app: App) -> None:
    parts: dict[str, set[str]] = {}
    for row in app.store.receipts(QUARTER):
        parts.setdefault(row.unit, set()).add(row.part)
    assert places.SLOW_CITY not in parts
    assert parts[places.SILENT_UNIVERSITY] == {"scan"}
    assert parts[places.FAST_CITY] == {"scan", "electronic"}


def test_an_earlier_demo_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("somebody's own", encoding="utf-8")
    with pytest.raises(Refused):
        play(tmp_path, units=UNITS)
    assert (tmp_path / "letters.txt").read_text(encoding="utf-8") == "somebody's own"


# --- the figures, once more, without any of our readers ----------------------------------------------------------


@dataclass(frozen=True)
class Definition:
    """A form as its own workbook says: where each answer stands, its type and how it is totalled."""

    cells: Mapping[str, tuple[str, int, int]]
    rules: Mapping[str, tuple[str, str, str]]  # field → (label, type, aggregate)


def test_the_provincial_totals_are_the_sum_of_the_workbooks_in_the_archived_mail(
    summary: Summary, app: App
) -> None:
    province = next(path for path in summary.books if path.name.startswith(places.PROVINCE))
    totals = openpyxl.load_workbook(province)
    files = dict(_archived_files(summary.workspace / "mailbox"))
    submissions = {s.id: s for period in (BEFORE, QUARTER) for s in app.store.submissions(period)}
    compared = 0
    for form in ("school", "vocational", "university", "department"):
        definition = _definition(summary.workspace / "templates" / "forms" / f"{form}.xlsx")
        rows = [s for (_, of), s in app.store.standings(QUARTER).items() if of == form and s.submission]
        answers = [_answered(app, submissions, files, s.submission, definition) for s in rows]
        printed = _province_row(totals, definition)
        for name, (label, kind, rule) in definition.rules.items():
            if rule:
                assert printed[label] == pytest.approx(_figure(answers, name, kind, rule)), (form, name)
                compared += 1
    assert compared > 150


def _archived_files(mailbox: Path) -> Iterator[tuple[str, bytes]]:
    """Every attached file of the archived mail, by its sha256."""
    for path in mailbox.rglob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for part in message.walk():
            if part.get_filename():
                data = part.get_payload(decode=True)
                assert isinstance(data, bytes)
                yield hashlib.sha256(data).hexdigest(), data


def _answered(
    app: App,
    submissions: Mapping[str, Submission],
    files: Mapping[str, bytes],
    name: str,
    definition: Definition,
) -> dict[str, Any]:
    """What a version says: its own workbook, or for a 无变化 confirmation in words that of the period before."""
    version = submissions[name]
    if version.attachment:
        return _answers(files[version.attachment], definition)
    assert version.no_change
    assert "无变化" in _words(app.files.mail(version.message))
    before = submissions[app.store.standings(BEFORE)[version.unit, version.form].submission]
    return {**_answers(files[before.attachment], definition), "无变化": "是"}


def _words(raw: bytes) -> str:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text = message.get_body(("plain",))
    assert text is not None
    return re.split(r"\n(?:-{5,}|在 \d|发件人)", str(text.get_content()))[0]


def _definition(path: Path) -> Definition:
    book = openpyxl.load_workbook(path)
    cells = {}
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if found := re.fullmatch(r"\{\{([^@}]+)\}\}", str(cell.value or "").strip()):
                    cells[found[1].strip()] = (sheet.title, cell.row, cell.column)
    head, *rows = book["字段"].iter_rows(values_only=True)
    place = {str(words): n for n, words in enumerate(head)}
    rules = {
        str(row[place["字段"]]): (
            _heading(row[place["字段"]], row[place["标签"]], row[place["计量单位"]]), str(row[place["类型"]]), str(row[place["汇总"]] or "")
        )
        for row in rows if row[place["字段"]]
    }  # fmt: skip
    return Definition(cells, rules)


def _heading(name: Any, label: Any, unit: Any) -> str:
    """The heading over a field's totals; a column of a table has the table's name in front."""
    table, dot, _ = str(name).partition(".")
    words = f"{table} {label}" if dot else str(label)
    return f"{words}（{unit}）" if unit else words


def _answers(data: bytes, definition: Definition) -> dict[str, Any]:
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    found: dict[str, Any] = {
        name: book[sheet].cell(row, column).value for name, (sheet, row, column) in definition.cells.items()
    }
    for name in found:
        if "." in name:
            found[name] = list(_column(book, name, definition))
    return found


def _column(book: openpyxl.Workbook, name: str, definition: Definition) -> Iterator[Any]:
    """What stands in a table's column: in its numbered rows, and under the same heading on the page 续表."""
    sheet, row, column = definition.cells[name]
    number = 1
    while str(book[sheet].cell(row, 1).value) == str(number):
        yield book[sheet].cell(row, column).value
        row, number = row + 1, number + 1
    heading = definition.rules[name][0].partition(" ")[2]
    for cells in book["续表"].iter_cols(min_row=5):
        if cells[0].value == heading:
            yield from (cell.value for cell in cells[1:])


def _province_row(book: openpyxl.Workbook, definition: Definition) -> dict[str, Any]:
    """The totals of the whole province by heading: from the 汇总 sheet that has this form's headings."""
    wanted = {label for label, _, rule in definition.rules.values() if rule}
    for sheet in book.worksheets:
        columns: dict[str, int] = {}
        for row in sheet.iter_rows():
            words = {str(cell.value).replace("\n", ""): cell.column for cell in row if cell.value is not None}
            if wanted <= words.keys() and sheet.title.startswith("汇总"):
                columns = words
            elif columns and places.PROVINCE in words:
                return {label: sheet.cell(row[0].row, columns[label]).value for label in wanted}
    raise AssertionError(f"no sheet of totals has {sorted(wanted)[:3]}…")


def _figure(rows: list[dict[str, Any]], name: str, kind: str, rule: str) -> float | None:
    values = [row.get(name) for row in rows]
    if "." in name:
        values = [value for row in rows for value in row.get(name) or ()]
    if kind == "是否":
        said = [value for value in values if value in {"是", "否"}]
        return said.count("是") if said else None
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if not numbers:
        return None
    figures = {
        "合计": sum(numbers),
        "平均": sum(numbers) / len(numbers),
        "最大": max(numbers),
        "最小": min(numbers),
    }
    return figures[rule]
