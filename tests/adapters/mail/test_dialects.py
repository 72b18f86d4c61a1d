"""Notices and robots in the dialects of real servers, written from the structure of each, with invented addresses."""

from __future__ import annotations

import pytest

from workflow.adapters.mail.mime import parse
from workflow.domain.message import Message

GONE, OURS = "gone@school.test", "huizhi@office.test"
LETTER = "0123456789abcdef01234567"
ID = f"<{LETTER}@office.test>"
BACK = f"Message-ID: {ID}\r\nX-Huizhi-Letter: {LETTER}\r\nFrom: {OURS}\r\nTo: {GONE}\r\nSubject: notice\r\n"


def plain(sender: str, subject: str, body: str, *more: str) -> bytes:
    lines = [f"From: {sender}", f"To: {OURS}", f"Subject: {subject}", *more]
    return ("\r\n".join(lines) + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body).encode()


def mixed(sender: str, subject: str, body: str, part: str, back: str = BACK, *more: str) -> bytes:
    lines = [f"From: {sender}", f"To: {OURS}", f"Subject: {subject}", *more]
    head = "\r\n".join(lines) + '\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    text = f"--b\r\nContent-Type: text/html; charset=gb18030\r\n\r\n<p>{body}</p>\r\n"
    return head.encode() + text.encode("gb18030") + f"--b\r\n{part}\r\n\r\n{back}\r\n--b--\r\n".encode()


def report(sender: str, subject: str, body: str, status: str, kind: str = "delivery-status") -> bytes:
    return (
        f"From: {sender}\r\nTo: {OURS}\r\nSubject: {subject}\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        f"--b\r\nContent-Type: message/{kind}\r\n\r\n{status}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{BACK}\r\nbody\r\n--b--\r\n"
    ).encode()


def status(action: str, code: str, said: str) -> str:
    return (
        f"Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; {GONE}\r\nAction: {action}\r\nStatus: {code}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n"
    )


FAILED = {
    "Postfix": report("MAILER-DAEMON@mx.test", "Undelivered Mail Returned to Sender", "I'm sorry to have to inform you",
                      status("failed", "5.1.1", "550 5.1.1 User unknown")),
    "Exchange": report("postmaster@mx.test", "Undeliverable: 通知", f"Delivery has failed to these recipients:\r\n{GONE}",
                       status("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")),
    "Exchange in Chinese": report("Microsoft Outlook <x@mx.test>", "未能送达: 通知", f"无法将邮件传递给以下收件人：{GONE}",
                                  status("failed", "5.1.1", "550 5.1.1 not found")),
    "sendmail": report("Mail Delivery Subsystem <MAILER-DAEMON>", "Returned mail: see transcript for details",
                       "The following addresses had permanent fatal errors", status("failed", "5.1.1", "550 User unknown")),
    "qmail": plain("MAILER-DAEMON@mx.test", "failure notice",
                   f"Hi. This is the qmail-send program at mx.test.\r\nI'm afraid I wasn't able to deliver your message to the "
                   f"following addresses.\r\n\r\n<{GONE}>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
                   f"--- Below this line is a copy of the message.\r\n\r\n{BACK}\r\nbody"),
    "Exim": plain("Mail Delivery System <Mailer-Daemon@mx.test>", "Mail delivery failed: returning message to sender",
                  f"This message was created automatically by mail delivery software.\r\n\r\n  {GONE}\r\n    Unrouteable address"
                  f"\r\n\r\n------ This is a copy of the message\r\n\r\n{BACK}", f"X-Failed-Recipients: {GONE}"),
    "163, 126, yeah": mixed("Postmaster@163.test", "系统退信/Systems bounce",
                            f"抱歉，您的邮件被退回来了……<br>收件人：{GONE}<br>退信原因：550 User not found 收件人不存在",
                            'Content-Type: message/rfc822; name="orig.eml"'),
    "NetEase, the letter as a file": mixed("Postmaster@163.test", "系统退信", f"发件人：{OURS}<br>收件人：{GONE}<br>用户不存在",
                                           'Content-Type: application/octet-stream; name="bounce.eml"'),
    "QQ and Foxmail": mixed("PostMaster@qq.test", "来自qq.test的退信",
                            f"很抱歉，你于今天发给 {GONE} 的邮件被退回。退信原因：收件邮箱不存在",
                            "Content-Type: text/rfc822-headers"),
    "exmail": plain("MAILER-DAEMON@exmail.test", "系统退信", f"您的邮件无法发送至 {GONE}\r\n550 Mailbox not found\r\n原邮件信息\r\n{BACK}"),
    "Coremail": report("postmaster@coremail.test", "系统退信", f"你的邮件未能投递到下列收件人：{GONE}",
                       status("failed", "5.0.0", "550 User unknown")),
    "Aliyun": plain("System <system@aliyun.test>", "邮件投递失败通知", f"尊敬的用户：您发送的邮件投递失败。收件人：{GONE}\r\n{BACK}",
                    "Auto-Submitted: auto-replied"),
    "Sina": plain("mailer-daemon@sina.test", "退信通知", f"您的信件没有投递成功。\r\n<{GONE}>: 550 #5.1.0 Address rejected.\r\n{BACK}"),
    "a gateway without an address": plain("邮件系统", "退信：您的邮件未送达", f"{GONE} 地址不存在\r\n{BACK}"),
    "our own letter id alone": plain("MAILER-DAEMON@mx.test", "failure notice", f"{GONE}: user unknown\r\nX-Huizhi-Letter: {LETTER}"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", FAILED)
def test_a_failure_is_found_with_its_recipient_and_letter(dialect: str) -> None:
    read = parse(FAILED[dialect])
    assert read.bounce is not None
    assert (read.auto, read.bounce.recipients, read.bounce.permanent) == ("bounce", (GONE,), True)
    assert ID in {read.bounce.original_message_id, f"<{read.bounce.letter}@office.test>"}
    assert not read.bounce.full


FULL = {
    "Postfix": report("MAILER-DAEMON@mx.test", "Undelivered Mail Returned to Sender", "x",
                      status("failed", "5.2.2", "552 5.2.2 Mailbox full")),
    "Exchange": report("postmaster@mx.test", "Undeliverable: x", "The recipient's mailbox is full",
                       status("failed", "5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver quota exceeded")),
    "163": plain("Postmaster@163.test", "系统退信", f"收件人：{GONE}\r\n退信原因：收件人邮箱已满\r\n{BACK}"),
    "QQ": plain("PostMaster@qq.test", "来自qq.test的退信", f"{GONE} 邮箱空间不足，无法接收\r\n{BACK}"),
    "qmail": plain("MAILER-DAEMON@mx.test", "failure notice", f"<{GONE}>:\r\nThe user is over quota\r\n\r\n{BACK}"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", FULL)
def test_a_full_mailbox_is_told_from_one_that_is_gone(dialect: str) -> None:
    bounce = parse(FULL[dialect]).bounce
    assert bounce is not None
    assert (bounce.recipients, bounce.permanent, bounce.full) == ((GONE,), True, True)


DELAYED = {
    "Postfix": report("MAILER-DAEMON@mx.test", "Delayed Mail (still being retried)", "x", status("delayed", "4.4.1", "timed out")),
    "Exchange": report("postmaster@mx.test", "Delivery delayed: x", "x", status("delayed", "4.4.7", "400 4.4.7 delayed")),
    "Coremail": plain("postmaster@coremail.test", "邮件投递延迟通知 delivery status", f"{GONE} 暂时无法投递，系统将继续尝试\r\n{BACK}"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DELAYED)
def test_a_delay_is_nothing_lost(dialect: str) -> None:
    bounce = parse(DELAYED[dialect]).bounce
    assert bounce is not None
    assert not bounce.permanent


RECEIPTS = {
    "RFC 8098": report("a@school.test", "Read: x", "read", "Disposition: manual-action; displayed", "disposition-notification"),
    "Outlook": report("a@school.test", "已读: 2026年第四季度", "您的邮件已于今天阅读", "Disposition: displayed", "disposition-notification"),
    "163": plain("a@163.test", "已读：2026年第四季度教育信息化数据", "您发送的邮件已于2026年12月3日被阅读。"),
    "QQ": plain("a@qq.test", "阅读回执：填报通知", "这是一封已读回执，您的邮件已被打开。"),
    "Foxmail": plain("a@foxmail.test", "Read: notice", "Your message was read on 3 December 2026."),
}  # fmt: skip


@pytest.mark.parametrize("dialect", RECEIPTS)
def test_a_read_receipt_is_told(dialect: str) -> None:
    assert parse(RECEIPTS[dialect]).auto == "read_receipt"


VACATIONS = {
    "RFC 3834": plain("a@school.test", "Re: x", "away", "Auto-Submitted: auto-replied (vacation)"),
    "Exchange": plain("a@school.test", "自动答复: 通知", "我正在休假", "X-Auto-Response-Suppress: All"),
    "163": plain("a@163.test", "自动回复:Re:通知", "您好，您的邮件我已收到。"),
    "QQ": plain("a@qq.test", "自动回复: 通知", "您的邮件我已收到，会尽快回复"),
    "a filter": plain("a@school.test", "[自动回复]通知", "收到"),
    "a list that holds mail for its moderator": plain("list@school.test", "Your message awaits", "x", "X-List-Administrivia: yes"),
    "an old autoresponder": plain("a@school.test", "x", "x", "X-Autogenerated: Reply"),
}  # fmt: skip


@pytest.mark.parametrize("dialect", VACATIONS)
def test_an_automatic_answer_is_told(dialect: str) -> None:
    assert parse(VACATIONS[dialect]).auto == "auto_reply"


PEOPLE = {
    "a receipt of our own kind": plain("a@school.test", "负责人回执表", "已盖章，请查收"),
    "who says that it was read": plain("a@school.test", "已读：收到", "好的，我们尽快报送"),
    "who tells of a returned workbook": plain("a@school.test", "回复：退回修改", "退回的表已改好"),
    "a message through a list": plain("a@school.test", "报送", "无变化\r\n_____\r\nlist mailing list", "Precedence: list", "List-Id: <l.test>"),
    "who answers a return and whose From cannot be read": plain("张三", "回复：退回修改", "已改好"),
    "a system's keeper who answers a return": plain("系统管理员 <a@school.test>", "回复：退回修改", "已改好"),
    "who writes of a full mailbox": plain("a@school.test", "邮箱已满", "我校邮箱已满，请发到 b@school.test"),
}  # fmt: skip


@pytest.mark.parametrize("who", PEOPLE)
def test_a_person_stays_a_person(who: str) -> None:
    read: Message = parse(PEOPLE[who])
    assert (read.auto, read.bounce) == ("", None)
