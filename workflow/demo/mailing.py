"""Mail as people write it: a line or two, our letter quoted below in the manner of their mail program, files attached."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

from workflow.demo.addresses import SYSTEM
from workflow.domain.message import Attachment
from workflow.domain.submission import AttachmentOutcome, Bucket


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the system's as somebody received it; `sender` is the system's address."""

    to: str
    subject: str
    message_id: str
    text: str
    files: tuple[Attachment, ...]
    at: dt.datetime
    sender: str = SYSTEM


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that a simulated person sent, and where it must end."""

    sender: str
    message_id: str
    raw: bytes
    bucket: Bucket
    outcomes: tuple[AttachmentOutcome, ...] = ()


XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_TYPES = {
    "xlsx": XLSX,
    "xlsm": ("application", "vnd.ms-excel.sheet.macroEnabled.12"),
    "jpg": ("image", "jpeg"),
}


def reply(
    letter: Letter,
    at: dt.datetime,
    words: str,
    files: Sequence[tuple[str, bytes]] = (),
    *,
    number: int,
    sender: str = "",
    headers: Sequence[tuple[str, str]] = (),
) -> tuple[str, bytes]:
    """An answer to a letter: its Message-ID and bytes. `number` makes the id and chooses the mail program."""
    text = f"{words}\n\n{quotation(letter, number)}"
    message = write(sender or letter.to, f"Re: {letter.subject}", text, at, files, number, letter.sender)
    message["In-Reply-To"] = letter.message_id
    message["References"] = letter.message_id
    for name, value in headers:
        message[name] = value
    return str(message["Message-ID"]), message.as_bytes(policy=SMTP)


def write(
    sender: str,
    subject: str,
    text: str,
    at: dt.datetime,
    files: Sequence[tuple[str, bytes]],
    number: int,
    to: str = SYSTEM,
) -> EmailMessage:
    """A message to the system's mailbox."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = email.utils.format_datetime(at)
    message["Message-ID"] = f"<demo.{number}@{sender.rpartition('@')[2]}>"
    message.set_content(text)
    for name, data in files:
        maintype, subtype = _TYPES.get(name.rpartition(".")[2], ("application", "octet-stream"))
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    return message


def quotation(letter: Letter, number: int) -> str:
    """A letter quoted in the manner of the mail program that `number` chooses."""
    return _QUOTATIONS[number % len(_QUOTATIONS)](letter)


def _as_qq(letter: Letter) -> str:
    return (
        "------------------ 原始邮件 ------------------\n"
        f'发件人: "huizhi" <{letter.sender}>;\n发送时间: {letter.at:%Y年%m月%d日 %H:%M}\n收件人: "{letter.to}";\n'
        f"主题: {letter.subject}\n\n{letter.text}"
    )


def _as_163(letter: Letter) -> str:
    quoted = "\n".join(f"> {line}" for line in letter.text.splitlines())
    return f"在 {letter.at:%Y-%m-%d %H:%M:%S}，“huizhi” <{letter.sender}> 写道：\n{quoted}"


def _as_outlook(letter: Letter) -> str:
    return (
        f"发件人: {letter.sender}\n发送时间: {letter.at:%Y年%m月%d日 %H:%M}\n收件人: {letter.to}\n"
        f"主题: {letter.subject}\n\n{letter.text}"
    )


_QUOTATIONS = (_as_qq, _as_163, _as_outlook)


def bounce(to: str, sender: str, content: bytes, now: dt.datetime) -> bytes:
    """The notice of failed delivery (RFC 3464) that a provider sends for a mailbox which is no more."""
    domain = to.rpartition("@")[2]
    headers = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    number = hashlib.sha256(content).hexdigest()[:16]
    lines = (
        f"Return-Path: <>\r\nReceived: from mail.{domain} by mail.huizhi.test; {email.utils.format_datetime(now)}\r\n"
        f"From: Mail Delivery System <MAILER-DAEMON@{domain}>\r\nTo: {sender}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {email.utils.format_datetime(now)}\r\n"
        f"Message-ID: <{number}@{domain}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="dsn"\r\n\r\n'
        "--dsn\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"<{to}>: mailbox unavailable (550 5.1.1 user unknown)\r\n\r\n"
        "--dsn\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mail.{domain}\r\n\r\nFinal-Recipient: rfc822; {to}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n"
        "--dsn\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    )
    return lines.encode() + headers + b"\r\n\r\n--dsn--\r\n"
