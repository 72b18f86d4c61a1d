"""What comes packed together, in archives, in forwarded mail or in one workbook: each ends as if it had been attached by itself."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import io
import json
from email.message import EmailMessage
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.adapters.workbook.damage import rarred, seven_zipped, zipped
from tests.journeys.test_command_line import Office
from tests.journeys.world import CITY, COUNTY, FIRST, POINT, SECOND, Ran, administrator
from workflow.demo.files import sealed_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open(receipt_due=dt.date(2026, 12, 20))
    yield office
    office.close()


def ends(ran: Ran) -> list[tuple[str, str, str]]:
    rows = [one for line in ran.lines for one in json.loads(line)["attachments"]]
    return [(one["name"], one["outcome"], one["unit"]) for one in rows]


def without_marks(data: bytes) -> bytes:
    """Copied into a new workbook whose title and 表号 were cut off: only the printed token tells."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for at, sheet in enumerate(list(book)):
        if sheet.sheet_state != "visible" or sheet.title == "自查":
            del book[sheet.title]
        else:
            sheet.title = f"Sheet{at + 1}"
            sheet["A1"], sheet["A2"] = None, None
    book.custom_doc_props.props.clear()
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("pack", [zipped, seven_zipped, rarred])
def test_copies_that_only_their_token_tells_count_in_an_archive_of_several(
    office: Office, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    files = {"一.xlsx": without_marks(office.filled(FIRST)), "二.xlsx": without_marks(office.filled(SECOND))}
    assert ends(office.ingest(office.reply(COUNTY, ("各校.zip", pack(files))))) == [
        ("各校.zip", "ignored", ""),
        ("各校.zip/一.xlsx", "accepted", FIRST),
        ("各校.zip/二.xlsx", "accepted", SECOND),
    ]


def test_a_workbook_a_receipt_and_its_scan_in_one_archive_each_end_as_if_attached(office: Office) -> None:
    receipt = next(data for name, data in office.newest(CITY, "notice").files.items() if "回执表" in name)
    files = {
        "季报.xlsx": office.filled(CITY),
        "回执表.xlsx": receipt,
        "回执表盖章.pdf": sealed_page(receipt, "PDF"),
    }
    assert ends(office.ingest(office.reply(CITY, ("郑州.zip", zipped(files))))) == [
        ("郑州.zip", "ignored", ""),
        ("郑州.zip/季报.xlsx", "accepted", CITY),
        ("郑州.zip/回执表.xlsx", "matched", CITY),
        ("郑州.zip/回执表盖章.pdf", "matched", CITY),
    ]
    kept = {path.name.partition("-")[0]: path for path in office.app.files.receipt_files("2026Q4", CITY)}
    assert (kept["scan"].read_bytes(), kept["scan"].suffix) == (files["回执表盖章.pdf"], ".pdf")
    assert (kept["electronic"].read_bytes(), kept["electronic"].suffix) == (receipt, ".xlsx")


def test_a_receipt_alone_in_an_archive_is_kept_by_itself(office: Office) -> None:
    receipt = next(data for name, data in office.newest(CITY, "notice").files.items() if "回执表" in name)
    assert ends(office.ingest(office.reply(CITY, ("回执.zip", zipped({"回执表.xlsx": receipt})))))[1:] == [
        ("回执.zip/回执表.xlsx", "matched", CITY)
    ]
    [kept] = office.app.files.receipt_files("2026Q4", CITY)
    assert kept.read_bytes() == receipt
    scan = office.reply(
        CITY, ("扫描.zip", zipped({"扫描.pdf": sealed_page(receipt, "PDF")})), text="补扫描件"
    )
    assert ends(office.ingest(scan))[1:] == [("扫描.zip/扫描.pdf", "matched", CITY)]


def test_a_photograph_beside_a_workbook_is_no_fault_and_one_alone_is_named(office: Office) -> None:
    photograph = b"\xff\xd8\xff\xe0" + bytes(64)
    files = {"季报.xlsx": office.filled(FIRST), "照片.jpg": photograph}
    assert ends(office.ingest(office.reply(FIRST, ("表.zip", zipped(files)))))[1:] == [
        ("表.zip/季报.xlsx", "accepted", FIRST),
        ("表.zip/照片.jpg", "ignored", ""),
    ]
    assert office.kinds(FIRST) == ["notice", "acknowledgement"]
    alone = office.reply(SECOND, ("表.zip", zipped({"照片.jpg": photograph})))
    assert ends(office.ingest(alone))[1:] == [("表.zip/照片.jpg", "unsupported", "")]
    assert "表.zip/照片.jpg" in office.newest(SECOND, "problem_file").text


# -- several units


def test_several_workbooks_in_one_mail_each_count_for_their_unit(office: Office) -> None:
    first, second = office.filled(FIRST), office.filled(SECOND)
    files = [("一.xlsx", first), ("二.xlsx", second), ("又一.xlsx", first)]
    assert ends(office.ingest(office.reply(COUNTY, *files))) == [
        ("一.xlsx", "accepted", FIRST),
        ("二.xlsx", "accepted", SECOND),
        ("又一.xlsx", "duplicate", FIRST),
    ]
    assert [office.kinds(unit)[1:] for unit in (FIRST, SECOND)] == [["acknowledgement"], ["acknowledgement"]]


def with_sheets_of(own: bytes, other: bytes) -> bytes:
    """A workbook into which the visible sheets of another were copied, numbered as Excel and WPS number them."""
    book, source = (openpyxl.load_workbook(io.BytesIO(data)) for data in (own, other))
    for sheet in source:
        if sheet.sheet_state == "visible":
            target = book.create_sheet(f"{sheet.title} (2)")
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value is not None:
                        target.cell(cell.row, cell.column, cell.value).number_format = cell.number_format
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def test_a_central_school_that_copies_its_teaching_points_sheets_beside_its_own_reports_both(
    office: Office,
) -> None:
    both = with_sheets_of(office.filled(SECOND), office.filled(POINT))
    assert ends(office.ingest(office.reply(SECOND, ("中心校.xlsx", both)))) == [
        ("中心校.xlsx", "ignored", ""),
        ("中心校.xlsx/基本情况", "accepted", SECOND),
        ("中心校.xlsx/基本情况 (2)", "accepted", POINT),
    ]
    again = office.ingest(office.reply(SECOND, ("中心校.xlsx", both), text="再发一次"))
    assert [end for _, end, _ in ends(again)] == ["ignored", "duplicate", "duplicate"]


def test_sheets_of_a_unit_that_the_sender_does_not_speak_for_wait_for_a_person(office: Office) -> None:
    both = with_sheets_of(office.filled(FIRST), office.filled(SECOND))
    ran = office.ingest(office.reply(FIRST, ("表.xlsx", both)))
    assert [(end, unit) for _, end, unit in ends(ran)] == [
        ("ignored", ""),
        ("accepted", FIRST),
        ("foreign", ""),
    ]
    assert office.app.store.submissions("2026Q4", [SECOND]) == []


# -- forwarded


def forward(raw: bytes, subject: str) -> EmailMessage:
    """A mail with another enclosed as it came, as mail programs forward 作为附件转发."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = administrator(COUNTY), "huizhi@huizhi.test", subject
    message["Message-ID"] = f"<{abs(hash(raw))}@county.test>"
    message.set_content("转发学校的报表，请查收")
    message.add_attachment(email.message_from_bytes(raw, policy=email.policy.SMTP))
    return message


def test_a_workbook_in_a_forwarded_message_counts_for_its_unit(office: Office) -> None:
    raw = office.reply(FIRST, ("填报.xlsx", office.filled(FIRST)), sender="teacher@example.org")
    assert ends(office.ingest(forward(raw, "转发").as_bytes())) == [("填报.xlsx", "accepted", FIRST)]
    [version] = office.app.store.submissions("2026Q4", [FIRST])
    assert not version.unregistered
    assert office.newest(FIRST, "acknowledgement").to == administrator(COUNTY)


def test_a_workbook_in_a_forwarded_forwarded_message_and_one_saved_as_a_file_count_too(
    office: Office,
) -> None:
    inner = forward(office.reply(FIRST, ("填报.xlsx", office.filled(FIRST))), "转发")
    assert ends(office.ingest(forward(inner.as_bytes(), "再转发").as_bytes())) == [
        ("填报.xlsx", "accepted", FIRST)
    ]
    saved = office.reply(SECOND, ("报送.xlsx", office.filled(SECOND)))
    ran = office.ingest(office.reply(COUNTY, ("转发.eml", saved)))
    assert [(end, unit) for _, end, unit in ends(ran)][-1] == ("accepted", SECOND)
