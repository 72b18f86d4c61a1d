from __future__ import annotations

import base64
import datetime as dt
import email.message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflow.adapters.mail import tree
from workflow.adapters.mail.mime import parse

GBK_NAME = "测试.xls".encode("gbk")


def message(*lines: bytes | str, body: bytes = b"") -> bytes:
    head = [line.encode() if isinstance(line, str) else line for line in lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def with_part(*lines: bytes, data: bytes = b"\x00\x01\x02") -> bytes:
    """A message with one file whose part has these headers."""
    part = b"\r\n".join((*lines, b"Content-Transfer-Encoding: base64", b"", base64.encodebytes(data)))
    return message(
        'Content-Type: multipart/mixed; boundary="b"',
        body=b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\n" + part + b"\r\n--b--\r\n",
    )


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Disposition: attachment; filename*=gb18030''%B2%E2%CA%D4.xls",),
        (b"Content-Disposition: attachment; filename*=utf-8'zh'%E6%B5%8B%E8%AF%95.xls",),
        (
            b"Content-Disposition: attachment;\r\n filename*0*=gbk''%B2%E2;\r\n filename*1*=%CA%D4;\r\n filename*2=.xls",
        ),
        (b'Content-Type: application/octet-stream; name="=?gb18030?B?suLK1C54bHM=?="',),
        (b'Content-Type: application/octet-stream; name="=?GB2312?B?suLK1C54bHM=?="',),
        # a character split between two encoded words, as some programs do
        (b'Content-Type: application/octet-stream;\r\n name="=?gbk?B?sg==?=\r\n =?gbk?B?4srULnhscw==?="',),
        (b'Content-Type: application/octet-stream; name="' + GBK_NAME + b'"',),
        (b'Content-Disposition: attachment; filename="' + GBK_NAME + b'"',),
        (b'Content-Disposition: attachment; filename="' + "测试.xls".encode() + b'"',),
        (b'Content-Disposition: attachment; filename="C:\\\\form\\\\' + GBK_NAME + b'"',),
    ],
    ids=range(10),
)
def test_a_chinese_file_name_is_read_however_it_is_written(lines: tuple[bytes, ...]) -> None:
    [attachment] = parse(with_part(*lines)).attachments
    assert attachment.name == "测试.xls"
    assert attachment.data == b"\x00\x01\x02"


@pytest.mark.parametrize(
    "lines",
    [
        b'Content-Type: application/octet-stream; name="=?big5?B?'
        + base64.b64encode("測試.xls".encode("big5"))
        + b'?="',
        b"Content-Disposition: attachment; filename*=big5''"
        + "".join(f"%{byte:02X}" for byte in "測試.xls".encode("big5")).encode(),
    ],
    ids=["2047", "2231"],
)
def test_a_file_name_in_big5_that_says_so_is_read(lines: bytes) -> None:
    [attachment] = parse(with_part(lines)).attachments
    assert attachment.name == "測試.xls"


def test_a_name_beyond_gb2312_that_claims_to_be_gb2312_is_read() -> None:
    name = base64.b64encode("㛃镕镇.xls".encode("gb18030")).decode()
    read = parse(with_part(f'Content-Type: application/x; name="=?gb2312?B?{name}?="'.encode()))
    assert read.attachments[0].name == "㛃镕镇.xls"


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("李某 <a@SCHOOL.test>", "a@school.test", "李某"),
        ("=?gb2312?B?wO7Esw==?= <A@school.test>", "A@school.test", "李某"),
        ('"李某，信息中心" <a@school.test>', "a@school.test", "李某，信息中心"),
        ('"a@school.test" <a@school.test>', "a@school.test", "a@school.test"),
        ("a@school.test <a@school.test>", "a@school.test", "a@school.test"),
        ("a@school.test (李某)", "a@school.test", ""),
        # the name decodes to another address and stays a name
        ("=?utf-8?B?PGJvc3NAaGVuYW4udGVzdD4=?= <a@school.test>", "a@school.test", "<boss@henan.test>"),
        ("boss@henan.test <a@school.test>", "", "boss@henan.test"),
        ("a@school.test, b@school.test", "", "a@school.test, b@school.test"),
        ("教研组: a@school.test;", "", "教研组: a@school.test;"),
        ("a@school.test)boss@henan.test", "", "a@school.test)boss@henan.test"),
        ("<a@school.test> <b@school.test>", "", ""),
        ("李某", "", "李某"),
        ("", "", ""),
    ],
)
def test_the_sender_is_one_address_or_none(value: str, address: str, name: str) -> None:
    read = parse(message(f"From: {value}"))
    assert (read.sender, read.sender_name) == (address, name)
    raw_gbk = parse(message(b"From: " + value.encode("gbk")))
    assert (raw_gbk.sender, raw_gbk.sender_name) == (address, name)


def test_two_from_headers_are_no_sender() -> None:
    assert parse(message("From: a@school.test", "From: a@school.test")).sender == ""


def test_the_headers_are_decoded_on_one_line() -> None:
    read = parse(
        message(
            "Message-ID: <r1@school.test>",
            "In-Reply-To: <l3@huizhi.test>",
            "References: <l1@huizhi.test>",
            " <l2@huizhi.test> <l3@huizhi.test>",
            "To: =?utf-8?B?5Zue5omn?= <Huizhi@HUIZHI.test>, b@school.test",
            "Subject: =?gbk?B?suLK1A==?=",
            " =?utf-8?B?5rWL6K+V?= HZ-1",
            "Date: Thu, 8 Oct 2026 09:00:00 +0800",
            "X-Huizhi-Letter: L7",
            "Authentication-Results: mx.henan.test;",
            "\tdmarc=pass",
            "Authentication-Results: old.test; dmarc=none",
        )
    )
    assert read.message_id == "<r1@school.test>"
    assert read.in_reply_to == ("<l3@huizhi.test>", "<l2@huizhi.test>", "<l1@huizhi.test>")
    assert read.to == ("Huizhi@huizhi.test", "b@school.test")
    assert read.subject == "测试测试 HZ-1"
    assert read.date == dt.datetime(2026, 10, 8, 1, tzinfo=dt.UTC)
    assert read.letter == "L7"
    assert read.auth_results == ("mx.henan.test;\tdmarc=pass".replace("\t", " "), "old.test; dmarc=none")


@pytest.mark.parametrize("date", ["昨天", "Thu, 99 Oct 2026 09:00:00", "", "1 Jan 0000 00:00:00 +9999"])
def test_a_date_that_is_none_is_left_open(date: str) -> None:
    assert parse(message(f"Date: {date}")).date is None


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "utf-8", "us-ascii", "", "x-unknown"])
def test_text_in_any_chinese_charset_is_read(charset: str) -> None:
    for encoding in ("gb18030", "utf-8") if charset in {"", "us-ascii", "x-unknown"} else (charset,):
        raw = message(f"Content-Type: text/plain; charset={charset}", body="无变化".encode(encoding))
        assert parse(raw).text == "无变化"


def test_html_alone_gives_text_with_lines_and_without_styles() -> None:
    html = (
        "<html><head><style>p {color: red}</style><title>标题</title></head><body><p>无变化</p>"
        "<div>谢谢&nbsp;您<br>李某</div><script>x()</script>末尾"
        "<blockquote><p>原来的信</p></blockquote></body></html>"
    )
    read = parse(message("Content-Type: text/html; charset=utf-8", body=html.encode()))
    assert [line for line in read.text.splitlines() if line] == [
        *("无变化", "谢谢 您", "李某", "末尾", ">", "原来的信"),
    ]
    assert read.html == html


def test_an_alternative_gives_its_plain_text_and_its_html() -> None:
    both = MIMEMultipart("alternative")
    both.attach(MIMEText("文本", "plain", "utf-8"))
    both.attach(MIMEText("<p>网页</p>", "html", "gbk"))
    read = parse(both.as_bytes())
    assert (read.text, read.html, read.attachments) == ("文本", "<p>网页</p>", ())


def forwarded(inner: bytes, header: bytes = b"Content-Type: message/rfc822") -> bytes:
    return message(
        "Subject: Fw",
        'Content-Type: multipart/mixed; boundary="outer"',
        body=b"--outer\r\nContent-Type: text/plain\r\n\r\nfyi\r\n--outer\r\n"
        + header
        + b"\r\n\r\n"
        + inner
        + b"\r\n--outer--\r\n",
    )


@pytest.mark.parametrize("header", [b"Content-Type: message/rfc822", b'Content-Type: text/x; name="a.eml"'])
def test_files_of_a_forwarded_message_count_and_its_text_does_not(header: bytes) -> None:
    inner = with_part(b'Content-Type: application/octet-stream; name="' + GBK_NAME + b'"')
    read = parse(forwarded(inner, header))
    assert [(a.index, a.name, a.data) for a in read.attachments] == [(0, "测试.xls", b"\x00\x01\x02")]
    assert read.text == "fyi"


@pytest.mark.parametrize(
    ("lines", "inline"),
    [
        ((b"Content-ID: <logo@x>", b"Content-Disposition: inline"), True),
        ((b"Content-ID: <logo@x>",), False),  # the text shows nothing of it
        ((b"Content-Disposition: inline",), True),
        ((b"Content-Disposition: inline; filename=photo.jpg",), False),
        ((b"Content-Disposition: attachment; filename=scan.jpg", b"Content-ID: <scan@x>"), False),
    ],
)
def test_a_picture_of_the_text_is_told_from_a_picture_that_was_sent(
    lines: tuple[bytes, ...], inline: bool
) -> None:
    [attachment] = parse(with_part(b"Content-Type: image/jpeg", *lines)).attachments
    assert attachment.inline is inline


def test_a_picture_that_the_html_shows_is_inline_without_a_disposition() -> None:
    raw = message(
        'Content-Type: multipart/related; boundary="b"',
        body=b'--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:sig@x">\r\n'
        b"--b\r\nContent-Type: image/png; name=sig.png\r\nContent-ID: <sig@x>\r\n\r\nPNG\r\n--b--\r\n",
    )
    assert [a.inline for a in parse(raw).attachments] == [True]


def test_a_workbook_sent_inline_is_a_file() -> None:
    raw = with_part(b"Content-Type: application/vnd.ms-excel", b"Content-Disposition: inline; filename=a.xls")
    assert [a.inline for a in parse(raw).attachments] == [False]


def test_broken_base64_gives_what_can_be_read() -> None:
    raw = with_part(b"Content-Type: application/x; name=a.xls").replace(b"AAEC", b"AA!EC")
    [attachment] = parse(raw).attachments
    assert (attachment.name, attachment.data) == ("a.xls", b"\x00\x01\x02")


def test_a_cut_off_message_keeps_its_file() -> None:
    raw = with_part(b"Content-Type: application/x; name=a.xls", data=b"x" * 3000)
    [attachment] = parse(raw[: len(raw) // 2]).attachments
    assert attachment.name == "a.xls"
    assert attachment.data.startswith(b"xxx")


def test_both_parsers_see_the_same_tree() -> None:
    raw = forwarded(with_part(b"Content-Type: application/x; name=a.xls", b"Content-ID: <c@x>"))
    fast = tree.read(raw)
    slow = tree._from_standard(email.message_from_bytes(raw), 0)
    seen = [(p.content_type, p.name, p.content_id, p.charset, p.disposition) for p in fast.walk()]
    assert seen == [(p.content_type, p.name, p.content_id, p.charset, p.disposition) for p in slow.walk()]
    assert next(p for p in fast.walk() if p.name).data == next(p for p in slow.walk() if p.name).data


def test_messages_within_messages_without_end_are_read_so_far() -> None:
    raw = b"hello"
    for _ in range(400):
        raw = b"Content-Type: message/rfc822\r\n\r\n" + raw
    assert parse(raw).attachments == ()


def storable(raw: bytes) -> bool:
    """Whether every text of the message goes into a database."""
    read = parse(raw)
    texts = [read.subject, read.sender, read.sender_name, *read.to, read.text, read.html, read.message_id]
    texts += [read.letter, *read.in_reply_to, *read.auth_results, *(a.name for a in read.attachments)]
    return b"\0" not in "".join(texts).encode()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    assert storable(raw)


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape", "utf-16", "idna", "\0"])
def test_an_odd_charset_gives_text_that_can_be_kept(charset: str) -> None:
    body = b"\\ud800 \\q +2AA- \0 \xd8\x00"
    assert storable(message(f"Content-Type: text/plain; charset={charset}", body=body))
    assert storable(
        message(f"Subject: =?{charset}?B?XHVkODAwAA==?= \\ud800", f"From: =?{charset}?Q?\\ud800?= <a@x>")
    )
    assert storable(message(f"Content-Type: application/x; name*={charset}''%5Cud800%00"))


M = 1_000_000
ENDLESS = {
    "encoded words": b"Subject: " + b"=?x?q?" * (M // 6),
    "encoded words in From": b"From: " + b"=?x?q?" * (M // 6),
    "comments in comments": b"To: " + b"(" * M,
    "recipients": b"To: " + b"a@b.test," * (M // 9),
    "parameters": b"Content-Transfer-Encoding: x-uu\nContent-Type: multipart/x; " + b'a=";' * (M // 4),
    "pieces of a name": b"Content-Transfer-Encoding: x-uu\nContent-Disposition: x; " + b"a*1*=x;" * (M // 7),
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * (M // 5),
    "HTML": b"Content-Type: text/html\n\n" + b"<div>" * (M // 5),
    "a notice": b"Return-Path: <>\nSubject: failure notice\n\n" + b"a@b.test " * (M // 9),
    "quoted names": b"From: " + b'"\\' * (M // 2),
    "a date": b"Date: " + b"1 " * (M // 2),
}


@pytest.mark.timeout(5)
@pytest.mark.parametrize("raw", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_megabyte_of_malice_is_read_in_good_time(raw: bytes) -> None:
    assert storable(raw)
    assert storable(raw + b"\n\nbody")


FRAGMENTS = [
    *(b"From: ", b"Subject: =?gbk?B?suL?=", b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--"),
    *(b"Content-Type: message/rfc822", b"Content-Type: multipart/report; report-type=delivery-status"),
    *(b"Content-Type: message/delivery-status", b"Content-Transfer-Encoding: base64", b"AAEC", b"\xb2\xe2"),
    *(b"Content-Transfer-Encoding: x-uuencode", b"begin 644 a", b"Content-Type: text/html", b"<p><!--<![x"),
    *(b"Return-Path: <>", b"From: mailer-daemon@x.test", b"Action: failed", b"Final-Recipient: rfc822; a@b"),
    *(b"Content-Disposition: attachment; filename*0*=gbk''%B2; filename*=\"", b"Date: 1 Jan", b"\x00", b""),
    *(b"Content-Type: text/plain; charset*=x''y", b"Message-ID: <", b" folded", b"Content-ID: \xff"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
@example(
    [b"Content-Type: message/rfc822", b"Content-Type: multipart/mixed; boundary=b", b"\xb2\xe2"], b"\n\n"
)
def test_any_jumble_of_headers_and_parts_is_a_message(lines: list[bytes], end: bytes) -> None:
    raw = end.join(lines)
    assert storable(raw)
    assert storable(b"Return-Path: <>\n" + raw)
    slow = tree._from_standard(email.message_from_bytes(raw), 0)
    assert isinstance(slow, tree.Part)
