"""What people send that is not a filled workbook: each ends in its bucket, gets the right answer or none, is kept."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import msoffcrypto.format.ooxml
import openpyxl
import pytest

from tests.journeys.world import (
    COUNTY,
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    Mail,
    World,
    administrator,
    buckets,
    ends,
    letter,
    without,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.office import Office
    from workflow.process.situation import Outcome

STRANGER = "nobody@example.org"


def encrypted(data: bytes) -> bytes:
    target = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(data)).encrypt("password", target)
    return target.getvalue()


def with_macro(data: bytes) -> bytes:
    """A workbook saved as .xlsm with a VBA project inside."""
    source = zipfile.ZipFile(io.BytesIO(data))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            part = source.read(name)
            if name == "[Content_Types].xml":
                part = part.replace(
                    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                )
            archive.writestr(name, part)
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)
    return target.getvalue()


def bomb(data: bytes) -> bytes:
    """A workbook whose first sheet unpacks to a gigabyte of blanks."""
    source = zipfile.ZipFile(io.BytesIO(data))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name == "xl/worksheets/sheet1.xml":
                with archive.open(name, "w", force_zip64=True) as sheet:
                    for _ in range(1024):
                        sheet.write(b" " * 2**20)
            else:
                archive.writestr(name, source.read(name))
    return target.getvalue()


def unrelated() -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["姓名", "电话"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def taken(world: World, *raws: bytes) -> list[Outcome]:
    """Post messages, take them in at once, and check that not one is lost on the way."""
    before = world.app.store.mail_counts().received
    for raw in raws:
        world.post(raw)
    outcomes = world.poll()
    status = world.status()["mail"]
    kept = list((world.folder / "mailbox").rglob("*.eml"))
    assert status["received"] == sum(status["buckets"].values()) == len(kept) == before + len(outcomes)
    assert sum(status["attachments"].values()) >= sum(len(outcome.fates) for outcome in outcomes)
    world.send()
    return outcomes


@pytest.mark.parametrize(
    ("make", "outcome", "said"),
    [
        (lambda data: data[: len(data) // 2], "unreadable", "损坏"),
        (encrypted, "encrypted", "密码"),
        (with_macro, "macro", "宏"),
        (bomb, "hostile", "异常"),
        (lambda data: unrelated(), "foreign", "请在下发给本单位的工作簿中填写"),
        (lambda data: b"\x89PNG\r\n\x1a\n" + data[:4000], "unsupported", "工作簿"),
    ],
    ids=["unreadable", "encrypted", "macro", "bomb", "unrelated", "picture"],
)
def test_a_file_that_cannot_be_used_is_named_in_one_letter_with_what_to_do(
    opened: World, make: object, outcome: str, said: str
) -> None:
    assert callable(make)
    name = "填报.xlsm" if outcome == "macro" else "填报.png" if outcome == "unsupported" else "填报.xlsx"
    outcomes = taken(opened, opened.reply(FIRST, (name, make(opened.filled(FIRST)))))
    assert (buckets(outcomes), ends(outcomes)) == (["submission"], [outcome])
    assert opened.kinds(FIRST) == ["notice", "problem_file"]
    answer = opened.newest(FIRST, "problem_file")
    assert answer.to == administrator(FIRST)
    assert name in answer.text
    assert said in answer.text
    assert opened.status()["cases"] == {"issued": 15}


def test_a_good_workbook_beside_a_bad_file_counts_and_the_bad_one_is_named(opened: World) -> None:
    good = opened.filled(FIRST)
    outcomes = taken(opened, opened.reply(FIRST, ("报送.xlsx", good), ("旧表.xlsx", good[:3000])))
    assert ends(outcomes) == ["accepted", "unreadable"]
    assert opened.kinds(FIRST) == ["notice", "acknowledgement", "problem_file"]
    assert "旧表.xlsx" in opened.newest(FIRST, "problem_file").text


def test_a_message_from_nobody_known_is_kept_for_staff_and_not_answered(opened: World) -> None:
    raw = letter(STRANGER, opened.address, "咨询", "请问怎样填报？", [("表.xlsx", unrelated())])
    outcomes = taken(opened, raw)
    assert (buckets(outcomes), ends(outcomes)) == (["unmatched"], ["foreign"])
    assert opened.status()["mail"]["queued"] == 0
    assert not opened.inbox(STRANGER)


def test_an_empty_reply_is_told_what_is_missing(opened: World) -> None:
    outcomes = taken(opened, opened.reply(FIRST, text=""))
    assert buckets(outcomes) == ["empty"]
    assert opened.kinds(FIRST) == ["notice", "empty_reply"]
    assert opened.newest(FIRST, "empty_reply").to == administrator(FIRST)


@pytest.mark.parametrize(
    ("headers", "subject"),
    [({"Auto-Submitted": "auto-replied"}, ""), ({}, "自动回复：我正在休假"), ({"X-Autoreply": "yes"}, "")],
    ids=["by its header", "by its subject", "by an old header"],
)
def test_a_vacation_reply_is_not_answered(opened: World, headers: dict[str, str], subject: str) -> None:
    outcomes = taken(opened, opened.reply(FIRST, text="本人休假，无变化。", headers=headers, subject=subject))
    assert buckets(outcomes) == ["auto_reply"]
    assert opened.kinds(FIRST) == ["notice"]


def test_a_real_bounce_marks_the_letter_as_failed(world: World) -> None:
    roster = without(world.app.store.roster(), FOURTH)  # type: ignore[arg-type]
    people = [
        contact
        if contact.unit != THIRD
        else type(contact)(THIRD, contact.role, contact.name, email="away@nobody.test")
        for contact in roster.contacts
    ]
    world.import_roster(type(roster)(roster.units, tuple(people)))
    world.open()
    world.send()
    outcomes = taken(world)
    assert buckets(outcomes) == ["bounce"]
    rows = [row for row in world.app.store.letters("2026Q4", THIRD) if row.kind == "notice"]
    assert [row.state.value for row in rows] == ["failed"]
    assert world.status()["mail"]["failed"] == 1
    assert world.kinds(THIRD) == ["notice"]


def append(world: World, raw: bytes) -> None:
    """Put a message into the mailbox as a mail program does that copies it there."""
    with world.servers.imap(world.account) as box:
        box.append("INBOX", "", "", raw)  # type: ignore[arg-type]
    world.servers.postmark(world.account, world.now)


def test_the_same_bytes_in_the_mailbox_twice_are_one_message(opened: World) -> None:
    raw = opened.reply(FIRST, opened.filled(FIRST))
    for _ in range(2):
        append(opened, raw)
    assert buckets(opened.app.poll()) == ["submission"]
    append(opened, raw)
    assert buckets(opened.app.poll()) == []
    assert opened.status()["mail"]["received"] == 1
    assert opened.kinds(FIRST) == ["notice", "acknowledgement"]


def test_a_second_delivery_with_other_trace_headers_is_a_duplicate(opened: World) -> None:
    raw = opened.reply(FIRST, opened.filled(FIRST))
    outcomes = taken(opened, raw, raw)
    assert buckets(outcomes) == ["submission", "duplicate"]
    assert ends(outcomes) == ["accepted", "duplicate"]
    assert opened.kinds(FIRST) == ["notice", "acknowledgement"]
    assert buckets(taken(opened, raw)) == ["duplicate"]


def test_the_same_workbook_in_two_mails_is_one_version(opened: World) -> None:
    data = opened.filled(FIRST)
    outcomes = taken(
        opened, opened.reply(FIRST, data), opened.reply(FIRST, data, text="再发一次，以防没有收到。")
    )
    assert buckets(outcomes) == ["submission", "submission"]
    assert ends(outcomes) == ["accepted", "duplicate"]
    assert len(opened.app.store.submissions("2026Q4", [FIRST])) == 1
    assert opened.kinds(FIRST) == ["notice", "acknowledgement"]


def test_no_change_without_earlier_figures_is_answered_with_the_reason(opened: World) -> None:
    outcomes = taken(opened, opened.reply(FIRST, text="本季度无变化"))
    assert buckets(outcomes) == ["confirmation"]
    assert opened.kinds(FIRST) == ["notice", "no_change_refused"]
    assert opened.status()["cases"] == {"issued": 15}


def test_a_reviewers_workbook_from_another_address_decides_nothing(opened: World) -> None:
    taken(opened, opened.reply(SECOND, opened.filled(SECOND)))
    opened.at("01-02 10:00")
    opened.poll()
    opened.app.tick()
    opened.send()
    raw = opened.decide(COUNTY, "review_request", report=True)
    forged = letter(STRANGER, opened.address, "回复：审核", "审核意见见附件。", list(Mail(raw).files.items()))
    outcomes = taken(opened, forged)
    assert buckets(outcomes) == ["review"]
    assert opened.status()["packages"]["county"] == {"open": 1}
    assert not opened.inbox(STRANGER)
    assert buckets(taken(opened, raw)) == ["review"]
    assert opened.status()["packages"]["county"] == {"reported": 1}


def test_other_office_programs_save_what_reads_the_same(
    opened: World, soffice: Office, tmp_path: Path
) -> None:
    source = tmp_path / "填报.xlsx"
    source.write_bytes(opened.filled(FIRST))
    (tmp_path / "again").mkdir()
    saved = [soffice(source, "xls", tmp_path), soffice(source, "xlsx", tmp_path / "again")]
    answers = {name: value for name, value in opened.answers(FIRST).items() if value is not None}
    for place, path in enumerate(saved):
        outcomes = taken(opened, opened.reply(FIRST, (path.name, path.read_bytes()), text=f"第{place}次"))
        assert ends(outcomes) == ["accepted"]
        version = opened.app.store.submissions("2026Q4", [FIRST])[-1]
        held = opened.app.store.answers([version.id])[version.id].answers
        assert {name: held[name] for name in answers} == answers
    assert len(opened.app.store.submissions("2026Q4", [FIRST])) == len(saved)
