"""What a relay's answer means: the reply tables of the providers, and what nobody has heard before."""

from __future__ import annotations

import pytest

from workflow.domain.refusals import Stage, Verdict, address_is_bad, ends_connection, verdict

#: stage, reply, what is to be done.
TABLE = """
recipient | 450 4.2.0 <a@school.test>: Recipient address rejected: Greylisted, see http://postgrey.test | later
recipient | 451 4.7.1 Greylisting in action, please come back in 00:04:52                            | later
recipient | 450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents it | later
recipient | 452 4.2.2 The recipient's inbox is out of storage space                                  | later
recipient | 552 5.2.2 mailbox full                                                                   | later
end       | 452 4.3.1 Insufficient system storage                                                    | later
end       | 451 DT:SPM ,please try again                                                             | later
recipient | 450 MI:DMC                                                                               | later
recipient | 421 RP:DRC                                                                               | later
recipient | 550 5.1.1 <spam-daily-limit@school.test>: Recipient address rejected: User unknown       | address
recipient | 550 Mailbox not found. http://service.mail.qq.test                                       | address
recipient | 550 Invalid User                                                                         | address
recipient | 550 User suspended                                                                       | address
recipient | 550 User not found: gone@qq.test                                                         | address
recipient | 550 5.4.4 Domain not found                                                               | address
end       | 550 5.1.1 no such user                                                                   | address
recipient | 553 不是合格的电子邮箱地址：李@x.test                                                         | address
recipient | 550 denied                                                                               | unclear
recipient | 550 Mailbox unavailable or access denied                                                 | unclear
end       | 554 DT:SPM 163 smtp10                                                                    | unclear
end       | 550 Mail content denied                                                                  | unclear
end       | 554 5.0.0 transaction failed                                                             | unclear
end       | 552 Requested mail action aborted: exceeded mailsize limit                               | letter
sender    | 552 5.3.4 message size exceeds fixed limit                                               | letter
end       | 552 Illegal Attachment                                                                   | letter
end       | 550 Sender frequency limited                                                             | busy
recipient | 550 Ip frequency limited                                                                 | busy
recipient | 550 Domain frequency limited                                                             | busy
recipient | 550 Suspected bounce attacks                                                             | busy
sender    | 451 MI:SFQ 163 smtp7                                                                     | busy
recipient | 451 RP:QRC                                                                               | busy
greeting  | 421 HL:IFC                                                                               | busy
greeting  | 554 no service here                                                                      | busy
hello     | 421 busy                                                                                 | busy
sender    | 421 4.3.0 try later                                                                      | busy
sender    | 452 4.3.1 Insufficient system storage                                                    | busy
end       | 550 too many mails                                                                       | busy
login     | 454 4.7.0 Temporary authentication failure                                               | busy
recipient | 550 RP:TRC                                                                               | today
sender    | 554 MI:STC                                                                               | today
sender    | 550 5.4.5 Daily user sending limit exceeded                                              | today
end       | 550 too many mails today                                                                 | today
login     | 535 Error: authentication failed                                                         | access
login     | 535 Login Fail. Please enter your authorization code to login                            | access
sender    | 553 authentication is required                                                           | access
sender    | 530 5.7.0 Must issue a STARTTLS command first                                            | access
sender    | 550 User in blacklist                                                                    | access
recipient | 554 5.7.1 <a@school.test>: Relay access denied                                           | access
recipient | 553 Requested action not taken: Local user only                                          | access
end       | 554 DT:SUM                                                                               | access
end       | 550 MI:SPF                                                                               | access
"""
ROWS = [[part.strip() for part in line.split("|")] for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("stage", "reply", "meaning"), ROWS, ids=[f"{row[0]} {row[1][:30]}" for row in ROWS])
def test_each_reply_has_its_meaning(stage: str, reply: str, meaning: str) -> None:
    assert verdict(Stage(stage), reply) is Verdict(meaning)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("words", ["frequency limited", "RP:TRC", "too many mails today", "Ip in blacklist"])
def test_a_throttle_never_blames_an_address_or_a_letter(stage: Stage, words: str) -> None:
    for code in (421, 450, 451, 550, 554):
        assert verdict(stage, f"{code} {words}").of_account or f"{code}{words}".startswith("4")
        assert verdict(stage, f"{code} {words}") not in {Verdict.ADDRESS, Verdict.LETTER}


def test_a_refusal_for_now_is_never_for_good() -> None:
    for words in ("user unknown", "message too large", "spam", ""):
        for stage in Stage:
            assert verdict(stage, f"450 {words}") in {Verdict.LATER, Verdict.BUSY}


def test_some_answers_ask_for_another_connection() -> None:
    assert ends_connection("421 4.7.0 idle too long")
    assert ends_connection("450 MI:DMC")
    assert not ends_connection("450 4.2.0 greylisted")


def test_a_bounce_for_too_many_letters_says_nothing_about_the_address() -> None:
    assert address_is_bad("550 5.1.1 user unknown")
    assert address_is_bad("邮件无法送达")
    assert not address_is_bad("host mx.qq.test said: 550 Domain frequency limited")
    assert not address_is_bad("554 DT:SPM")
    assert address_is_bad("收件人不存在，或者邮件被对方判断为垃圾邮件")
