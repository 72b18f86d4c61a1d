"""Where a person's own words end and the letter that they answer begins."""

from __future__ import annotations

import re

from workflow.adapters.mail.footers import without_footers

_TITLE = (
    "原始邮件|回复的原邮件|原邮件|转发的?邮件(?:信息)?|回复邮件(?:信息)?|原始信息"
    "|Original Message|Original|Forwarded message|Reply message"
)
_FROM = r"[ \t\u00a0|*>]*(?:发件人|寄件者|寄件人|From)[ \t\u00a0|*]*[:：|]"
_THEN = r"[ \t\u00a0|*>]*(?:发送时间|发送日期|发送|日期|时间|收件人|抄送|主题|Sent|Date|To|Cc|Subject)[ \t\u00a0|*]*[:：|]"

#: The marks of QQ Mail, 163, Foxmail, Outlook, iPhone, Gmail and Thunderbird, each from the start of its line.
_MARKS = (
    # ------------------ 原始邮件 ------------------ · ---- 回复的原邮件 ---- · -----Original Message-----
    rf"[ \t\u00a0>|]*[-—_=*]{{2,}}[ \t\u00a0]*(?:{_TITLE})[ \t\u00a0]*[-—_=*]{{2,}}",
    # 在 2026-10-08 09:12:33，"某人" <a@example.org> 写道： (possibly broken over two lines)
    r"[ \t\u00a0>]*(?:在|于)[ \t\u00a0]*\d{4}[^\n]{0,200}(?:\n[^\n]{0,200})?写道[ \t]*[:：]",
    # At 2026-10-08 09:12:33, "…" <…> wrote: · On Thu, Oct 8, 2026 … wrote:
    r"[ \t\u00a0>]*(?:At|On)[ \t][^\n]{0,200}\d{4}[^\n]{0,200}(?:\n[^\n]{0,200})?wrote[ \t]*:",
    # 某人 <a@example.org> 于2026年10月8日周四 09:12写道：
    r"[^\n]{0,120}于[ \t]*\d{4}年[^\n]{0,120}(?:\n[^\n]{0,80})?写道[ \t]*[:：]",
    # Outlook and Foxmail: 发件人: … and, on one of the lines after it, another field of that letter
    rf"{_FROM}[^\n]*(?:\n[^\n]*){{0,3}}?\n{_THEN}",
    r">",
    # "-- ", alone on its line, above a signature (RFC 3676 section 4.3); some programs cut its blank off
    r"--[ \t]*$",
)
_QUOTATION = re.compile("^(?:" + "|".join(_MARKS) + ")", re.MULTILINE | re.IGNORECASE)
_RULE = re.compile(r"(?:\n|\A)[ \t\u00a0]*[-_—=*]{3,}[ \t\u00a0]*\Z")


def quoted_above(text: str) -> str:
    """The words above the quotation of an earlier letter; all of them when nothing is quoted.

    A rule drawn above the quotation and what programs add (`footers`) are left out. What is written below a quotation is not
    found: whoever asks for a plain word must not take it from our own letter.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    mark = _QUOTATION.search(text)
    own = (text[: mark.start()] if mark else text).strip()
    return without_footers(_RULE.sub("", own).rstrip())
