"""Mail as people write it: a line or two, our letter quoted below in the manner of their mail program, files attached."""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

from workflow.demo.servers import SYSTEM
from workflow.domain.message import Attachment
from workflow.domain.submission import AttachmentOutcome, Bucket


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the system's as somebody received it."""

    to: str
    subject: str
    message_id: str
    text: str
    files: tuple[Attachment, ...]
    at: dt.datetime


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
    quoted = _QUOTATIONS[number % len(_QUOTATIONS)](letter)
    message = write(sender or letter.to, f"Re: {letter.subject}", f"{words}\n\n{quoted}", at, files, number)
    message["In-Reply-To"] = letter.message_id
    message["References"] = letter.message_id
    for name, value in headers:
        message[name] = value
    return str(message["Message-ID"]), message.as_bytes(policy=SMTP)


def write(
    sender: str, subject: str, text: str, at: dt.datetime, files: Sequence[tuple[str, bytes]], number: int
) -> EmailMessage:
    """A message to the system's mailbox."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = SYSTEM
    message["Subject"] = subject
    message["Date"] = email.utils.format_datetime(at)
    message["Message-ID"] = f"<demo.{number}@{sender.rpartition('@')[2]}>"
    message.set_content(text)
    for name, data in files:
        maintype, subtype = _TYPES.get(name.rpartition(".")[2], ("application", "octet-stream"))
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    return message


def _as_qq(letter: Letter) -> str:
    return (
        "------------------ 原始邮件 ------------------\n"
        f'发件人: "huizhi" <{SYSTEM}>;\n发送时间: {letter.at:%Y年%m月%d日 %H:%M}\n收件人: "{letter.to}";\n'
        f"主题: {letter.subject}\n\n{letter.text}"
    )


def _as_163(letter: Letter) -> str:
    quoted = "\n".join(f"> {line}" for line in letter.text.splitlines())
    return f"在 {letter.at:%Y-%m-%d %H:%M:%S}，“huizhi” <{SYSTEM}> 写道：\n{quoted}"


def _as_outlook(letter: Letter) -> str:
    return (
        f"发件人: {SYSTEM}\n发送时间: {letter.at:%Y年%m月%d日 %H:%M}\n收件人: {letter.to}\n"
        f"主题: {letter.subject}\n\n{letter.text}"
    )


_QUOTATIONS = (_as_qq, _as_163, _as_outlook)
