"""What no person wrote. A notice that a real Postfix makes is read in test_relay.py."""

from __future__ import annotations

import pytest

from workflow.adapters.mail.mime import parse

RETURNED = b"Message-ID: <l1@huizhi.test>\r\nX-Huizhi-Letter: L1\r\nSubject: letter\r\n"


def report(
    action: str, status: str, *, subject: str = "Undelivered Mail", returned: bytes = RETURNED
) -> bytes:
    return (
        (
            f"Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@relay.test>\r\nSubject: {subject}\r\n"
            "Auto-Submitted: auto-replied\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
            "--r\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
            "--r\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; relay.test\r\n\r\n"
            "Final-Recipient: rfc822; Gone@school.test\r\n"
            f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {status} unknown\r\n\r\n"
        ).encode()
        + b"--r\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        + returned
        + b"\r\n--r--\r\n"
    )


def test_a_failure_report_is_a_permanent_bounce_of_our_letter() -> None:
    read = parse(report("failed", "5.1.1"))
    assert read.auto == "bounce"
    assert read.bounce is not None
    assert read.bounce.original_message_id == "<l1@huizhi.test>"
    assert read.bounce.recipients == ("gone@school.test",)
    assert read.bounce.permanent
    assert "could not be delivered" in read.bounce.text
    assert read.attachments == ()


def test_a_report_with_the_whole_letter_back_names_its_id() -> None:
    raw = report("failed", "5.1.1").replace(b"text/rfc822-headers", b"message/rfc822")
    bounce = parse(raw.replace(RETURNED, RETURNED + b"\r\nbody")).bounce
    assert bounce is not None
    assert bounce.original_message_id == "<l1@huizhi.test>"


def test_a_delay_is_not_permanent() -> None:
    read = parse(report("delayed", "4.4.1", subject="Delayed Mail (still being retried)"))
    assert read.bounce is not None
    assert read.bounce.recipients == ("gone@school.test",)
    assert not read.bounce.permanent


@pytest.mark.parametrize("action", ["delivered", "relayed"])
def test_good_news_is_no_bounce(action: str) -> None:
    read = parse(report(action, "2.0.0", subject="Mail Delivery Status Report"))
    assert (read.auto, read.bounce) == ("auto_reply", None)


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("postmaster@qq.example", "来自qq.example的退信"),
        ("Postmaster@163.example", "系统退信/Systems bounce"),
        ("MAILER-DAEMON@x.test", "failure notice"),
        ("Mail Delivery Subsystem <MAILER-DAEMON>", "Returned mail: see transcript"),
    ],
)
def test_a_provider_s_own_notice_is_a_bounce(sender: str, subject: str) -> None:
    raw = (
        f"From: {sender}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "抱歉，您的邮件被退回来了。\n收件人 gone@school.test 不存在。\n\nMessage-ID: <l1@huizhi.test>\n"
    ).encode()
    read = parse(raw)
    assert read.auto == "bounce"
    assert read.bounce is not None
    assert read.bounce.recipients == ("gone@school.test",)
    assert read.bounce.original_message_id == "<l1@huizhi.test>"
    assert read.bounce.permanent


def test_a_read_receipt_for_a_notice_of_failure_is_no_bounce() -> None:
    raw = (
        b"From: postmaster@school.test\r\nSubject: Read: Undelivered Mail\r\n"
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="r"\r\n\r\n'
        b"--r\r\nContent-Type: text/plain\r\n\r\nread by a@school.test\r\n"
        b"--r\r\nContent-Type: message/disposition-notification\r\n\r\n"
        b"Final-Recipient: rfc822;a@school.test\r\nDisposition: manual-action; displayed\r\n--r--\r\n"
    )
    read = parse(raw)
    assert (read.auto, read.bounce, read.attachments) == ("read_receipt", None, ())


def test_a_person_who_writes_of_returned_mail_is_no_bounce() -> None:
    read = parse(
        "From: a@school.test\r\nSubject: 退信：Undelivered Mail\r\n\r\n<gone@school.test>: 550 unknown".encode()
    )
    assert (read.auto, read.bounce) == ("", None)


def test_a_postmaster_who_writes_himself_is_no_bounce() -> None:
    read = parse("From: postmaster@school.test\r\nSubject: 报送表格\r\n\r\n请查收".encode())
    assert (read.auto, read.bounce) == ("", None)


@pytest.mark.parametrize(
    "line",
    [
        *("Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "X-Autoreply: yes"),
        *("Precedence: auto_reply", "Subject: 自动回复: 【HZ-1】", "Subject: =?utf-8?B?6Ieq5Yqo5Zue5aSN?="),
        *(
            "Subject: Automatic reply: x",
            "Subject: Auto-Reply: x",
            "Subject: Out of Office",
            "X-Autorespond: x",
        ),
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=x",
    ],
)
def test_an_automatic_reply_is_told(line: str) -> None:
    assert parse(f"From: a@school.test\r\n{line}\r\n\r\nx".encode()).auto == "auto_reply"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "Auto-Submitted: no",
            "X-Auto-Response-Suppress: All",
            "Precedence: bulk",
            "Subject: Re: 自动回复: 表",
        ),
        *("Subject: 关于自动回复", "X-Autoreply: no", "Return-Path: <>"),
    ],
)
def test_a_person_s_mail_is_not_automatic(line: str) -> None:
    assert parse(f"From: a@school.test\r\n{line}\r\n\r\nx".encode()).auto == ""


def test_a_file_outweighs_an_automatic_subject() -> None:
    raw = "Subject: 自动回复: 表\r\nContent-Type: application/x; name=a.xls\r\n\r\nx".encode()
    assert parse(raw).auto == ""
