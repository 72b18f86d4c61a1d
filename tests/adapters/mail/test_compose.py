from __future__ import annotations

import datetime as dt
import email
import email.policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.adapters.mail.mime import compose, parse
from workflow.domain.errors import Refused

GOLDEN = Path(__file__).parent / "golden" / "letter.eml"
LETTER: dict[str, Any] = {
    "sender": ("回执（教育信息化填报）", "huizhi@huizhi.test"),
    "to": ("李某", "a@school.test"),
    "subject": "【HZ-1ABCDEFGHIJKLMNOP】关于报送2026年第四季度教育信息化基本情况的通知",
    "text": "某某小学：\n\n请填写附件并回复本邮件。",
    "html": "<p>某某小学：</p><p>请填写附件并回复本邮件。</p>",
    "attachments": [
        (
            "教育信息化基本情况表（某某市某某县某某镇中心小学）2026年第四季度.xlsx",
            b"PK\x03\x04" + bytes(range(256)),
        ),
        ("notes.txt", b"x"),
    ],
    "message_id": "<L1.2026Q4@huizhi.test>",
    "date": dt.datetime(2026, 10, 8, 9, tzinfo=dt.timezone(dt.timedelta(hours=8))),
    "headers": {
        "X-Huizhi-Letter": "L1",
        "In-Reply-To": "<r1@school.test>",
        "References": " ".join(f"<r{n}@school.test>" for n in range(8)),
    },
}


def letter(**changes: Any) -> bytes:
    return compose(**{**LETTER, **changes})


def test_a_letter_has_exactly_these_bytes() -> None:
    assert letter() == GOLDEN.read_bytes()


def test_a_letter_is_seven_bit_with_crlf_and_short_lines() -> None:
    lines = letter(attachments=[("表" * 60 + ".xlsx", b"\xff" * 5000)]).split(b"\r\n")
    assert all(line.isascii() and b"\n" not in line and b"\r" not in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert all(len(line) <= 78 for line in lines if b"filename*" not in line and b"vnd." not in line)


def test_what_was_composed_reads_back() -> None:
    read = parse(letter())
    assert (read.sender, read.sender_name) == ("huizhi@huizhi.test", "回执（教育信息化填报）")
    assert (read.to, read.subject) == (("a@school.test",), LETTER["subject"])
    assert (read.date, read.message_id, read.letter) == (LETTER["date"], LETTER["message_id"], "L1")
    assert read.in_reply_to[:3] == ("<r1@school.test>", "<r7@school.test>", "<r6@school.test>")
    assert (read.text.strip(), read.html.strip()) == (LETTER["text"], LETTER["html"])
    assert [(a.name, a.data) for a in read.attachments] == LETTER["attachments"]
    assert [a.content_type for a in read.attachments] == [
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/octet-stream",
    ]
    assert read.auto == "auto_reply"


def test_the_standard_library_finds_no_defect_and_the_same_names() -> None:
    message = email.message_from_bytes(letter(), policy=email.policy.default)
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert [part.get_filename() for part in message.iter_attachments()] == [
        n for n, _ in LETTER["attachments"]
    ]
    # what a program that knows no RFC 2231 shows
    workbook = list(email.message_from_bytes(letter()).walk())[4]
    assert workbook["Content-Type"].count("=?utf-8?B?") == 3
    assert [part.get_content_type() for part in message.walk()][:4] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html"),
    ]


def test_a_letter_of_text_alone_has_one_part() -> None:
    message = email.message_from_bytes(letter(html="", attachments=[]))
    assert message.get_content_type() == "text/plain"


nasty = st.text(max_size=80) | st.sampled_from(
    ["a\r\nBcc: x@evil.test", "\n\nbody", "x\u2028y", '"', "=?utf-8?B?QQ==?="]
)


@given(name=nasty, subject=nasty, file=nasty, value=nasty, text=st.text(max_size=200))
def test_no_value_breaks_out_of_its_place(name: str, subject: str, file: str, value: str, text: str) -> None:
    raw = letter(
        sender=(name, "huizhi@huizhi.test"),
        subject=subject,
        text=text,
        attachments=[(file, b"x")],
        headers={"X-Note": value},
    )
    message = email.message_from_bytes(raw)
    assert raw.isascii()
    assert message.keys() == [
        *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"),
        *("X-Auto-Response-Suppress", "X-Note", "Content-Type"),
    ]
    read = parse(raw)
    assert read.sender == "huizhi@huizhi.test"
    assert len(read.attachments) == 1


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "a b@x.test", "a@x.test\r\nBcc: b@x.test", "李@x.test", "a@x.test>", "a..b@x.test"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="不是合格的电子邮箱地址"):
        letter(to=("李某", address))
    with pytest.raises(Refused, match="不是合格的电子邮箱地址"):
        letter(sender=("回执", address))


@pytest.mark.parametrize("message_id", ["", "x@y", "<x>", "<x@y>\r\nBcc: z", "<x y@z>"])
def test_what_is_no_message_id_is_refused(message_id: str) -> None:
    with pytest.raises(Refused, match="Message-ID"):
        letter(message_id=message_id)


@pytest.mark.parametrize("name", ["Bcc", "from", "X: y", "X\r\nY", "", "Auto-Submitted"])
def test_a_field_of_the_composer_s_own_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="header field"):
        letter(headers={name: "x"})


def test_a_date_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="zone"):
        letter(date=dt.datetime(2026, 10, 8, 9))  # noqa: DTZ001
