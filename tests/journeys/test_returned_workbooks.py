"""Workbooks on their real way back: moved, zipped for several units, pasted into the mail, under a wrong name, forwarded."""

from __future__ import annotations

import io
import json
from email.message import EmailMessage
from typing import TYPE_CHECKING

import openpyxl

from tests.adapters.workbook.damage import page, tnef, zipped
from tests.journeys.test_bad_input import taken
from tests.journeys.world import COUNTY, FIRST, SECOND, administrator, buckets, ends

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.journeys.world import World


def changed(data: bytes, change: Callable[[openpyxl.Workbook], object]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def pasted(book: openpyxl.Workbook) -> None:
    """Into a new workbook: sheets have other names, what is hidden is gone, rows came in."""
    for at, sheet in enumerate(list(book)):
        if sheet.sheet_state != "visible":
            del book[sheet.title]
        else:
            sheet.title = f"Sheet{at + 1}"
    book.custom_doc_props.props.clear()
    book["Sheet1"].insert_rows(12, 2)


def test_a_pasted_copy_with_moved_rows_under_a_wrong_name_counts_and_the_unit_is_told(opened: World) -> None:
    answers = opened.answers(FIRST)
    data = changed(opened.filled(FIRST, answers), pasted)
    outcomes = taken(opened, opened.reply(FIRST, ("季报.pdf", data)))
    assert ends(outcomes) == ["accepted"]
    assert "按标签读取" in opened.newest(FIRST, "acknowledgement").text
    [version] = opened.app.store.submissions("2026Q4", [FIRST])
    kept = opened.app.store.answers([version.id])[version.id].answers
    assert {name: kept.get(name) for name, value in answers.items() if value is not None} == {
        name: value for name, value in answers.items() if value is not None
    }


def test_a_county_that_zips_for_its_schools_gets_an_answer_for_each(opened: World, tmp_path: Path) -> None:
    archive = zipped({f"{code}/季报表.xlsx": opened.filled(code) for code in (FIRST, SECOND)})
    raw = opened.reply(COUNTY, ("各校报表.zip", archive), ("winmail.dat", tnef({"a.jpg": b"\xff\xd8\xff"})))
    outcomes = taken(opened, raw)
    [outcome] = outcomes
    fates = [(fate.name, fate.outcome.value, fate.unit) for fate in outcome.fates]
    assert fates == [
        ("各校报表.zip", "ignored", ""),
        ("winmail.dat", "ignored", ""),
        ("各校报表.zip/季报表.xlsx", "accepted", FIRST),
        ("各校报表.zip/季报表.xlsx", "accepted", SECOND),
        ("winmail.dat/a.jpg", "ignored", ""),  # a picture beside workbooks
    ]
    for code in (FIRST, SECOND):
        assert opened.newest(code, "acknowledgement").to == administrator(COUNTY)
    assert opened.status()["cases"] == {"issued": 13, "submitted": 2}
    (tmp_path / "各校报表.zip").write_bytes(archive)
    lines = opened.huizhi("check", "--json", tmp_path / "各校报表.zip").lines
    assert [(json.loads(line)["outcome"], json.loads(line)["unit"]) for line in lines] == [
        ("accepted", FIRST),
        ("accepted", SECOND),
    ]


def test_a_form_pasted_into_the_mail_counts_like_a_file(opened: World) -> None:
    asked = opened.newest(FIRST, "notice")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        administrator(FIRST),
        opened.address,
        f"回复：{asked.subject}",
    )
    message["In-Reply-To"], message["Message-ID"] = asked.message_id, "<pasted@county.test>"
    message.set_content("表在正文里")
    message.add_alternative(page(opened.filled(FIRST)).decode(), subtype="html")
    outcomes = taken(opened, message.as_bytes())
    assert (buckets(outcomes), ends(outcomes)) == (["submission"], ["accepted"])
    assert outcomes[0].fates[0].name == "邮件正文中的表格"
    assert "正文" in opened.newest(FIRST, "acknowledgement").text


def test_a_pasted_copy_from_a_stranger_waits_for_a_person(opened: World) -> None:
    data = changed(opened.filled(FIRST), pasted)
    outcomes = taken(opened, opened.reply(FIRST, data, sender="nobody@example.org"))
    assert (buckets(outcomes), ends(outcomes)) == (["quarantined"], ["foreign"])
    assert opened.status()["cases"] == {"issued": 15}
