from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mail.scripted import scripted
from tests.servers.running import free_port
from workflow.adapters.mail.mime import compose, parse
from workflow.adapters.mail.smtp import DeliveryState, Relay, RelaySettings
from workflow.domain.errors import OutsideFailed, Refused

if TYPE_CHECKING:
    from tests.servers.mail import MailServers

US = "huizhi@huizhi.test"


def letter(to: str, number: int = 1) -> bytes:
    return compose(
        sender=("回执", US),
        to=("李某", to),
        subject="请填写表格",
        text="请填写附件。\n.\n一行只有一点",
        html="",
        attachments=[("表.xlsx", b"PK")],
        message_id=f"<l{number}@huizhi.test>",
        date=dt.datetime(2026, 10, 8, 9, tzinfo=dt.UTC),
        headers={"X-Huizhi-Letter": f"L{number}"},
    )


def relay(servers: MailServers) -> Relay:
    return Relay(RelaySettings(servers.smtp_host, servers.smtp_port, "none"))


def test_many_letters_go_over_one_connection_and_arrive_as_they_were(mailboxes: MailServers) -> None:
    with relay(mailboxes) as connection:
        answers = [connection.send(US, "a@school.test", letter("a@school.test", n)) for n in range(5)]
    assert {answer.state for answer in answers} == {DeliveryState.SENT}
    assert answers[0].reply.startswith("250 ")
    mailboxes.wait_for("units", 5)
    arrived = {parse(raw).letter: raw for raw in mailboxes.messages("units")}
    assert sorted(arrived) == [f"L{n}" for n in range(5)]
    head, _, body = letter("a@school.test", 3).partition(b"Content-Type:")
    assert body.replace(b"\r\n", b"\n") in arrived["L3"].replace(b"\r\n", b"\n")
    assert parse(arrived["L3"]).text == parse(head + b"Content-Type:" + body).text


def test_an_unknown_recipient_comes_back_as_a_bounce_of_the_letter(mailboxes: MailServers) -> None:
    with relay(mailboxes) as connection:
        assert connection.send(US, "gone@nobody.test", letter("gone@nobody.test")).state is DeliveryState.SENT
    mailboxes.wait_for("huizhi", 1)
    [raw] = mailboxes.messages("huizhi")
    read = parse(raw)
    assert read.auto == "bounce"
    assert read.bounce is not None
    assert read.bounce.original_message_id == "<l1@huizhi.test>"
    assert read.bounce.recipients == ("gone@nobody.test",)
    assert read.bounce.permanent
    assert read.letter == ""


def test_a_relay_that_went_away_between_letters_is_called_again(mailboxes: MailServers) -> None:
    with relay(mailboxes) as connection:
        connection.send(US, "a@school.test", letter("a@school.test", 1))
        with mailboxes.relay_down():
            pass
        assert connection.send(US, "a@school.test", letter("a@school.test", 2)).state is DeliveryState.SENT
        with mailboxes.relay_down(), pytest.raises(OutsideFailed, match="对方拒绝连接"):
            connection.send(US, "a@school.test", letter("a@school.test", 3))
        assert connection.send(US, "a@school.test", letter("a@school.test", 3)).state is DeliveryState.SENT
    mailboxes.wait_for("units", 3)


def test_a_relay_that_is_not_there_is_told_in_words() -> None:
    with pytest.raises(OutsideFailed, match=r"发信服务器 127.0.0.1:.*连接不上.*对方拒绝连接"):
        Relay(RelaySettings("127.0.0.1", free_port(), "none")).__enter__()


def test_letters_do_not_leave_this_machine_unencrypted() -> None:
    for host in ("mail.henan.test", "192.0.2.7", "0.0.0.0"):
        with pytest.raises(Refused, match="未加密的连接只能用于本机"):
            Relay(RelaySettings(host, 25, "none"))
    Relay(RelaySettings("mail.henan.test", 587, "starttls"))
    Relay(RelaySettings("::1", 25, "none"))


def answering(**replies: bytes | None):
    """An SMTP server: the reply to each verb, and `body` to the end of the data."""
    usual = {"EHLO": b"250-x\r\n250 SIZE 1000\r\n", "DATA": b"354 go\r\n", "body": b"250 2.0.0 queued\r\n"}
    table = usual | replies

    def answer(line: bytes) -> bytes | None:
        if line == b".":
            return table["body"]
        verb = line[:4].decode("ascii", "replace").upper()
        if verb.isalpha() and verb in {"EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}:
            return table.get(verb, b"250 ok\r\n")
        return b""

    return answer


@pytest.mark.parametrize(
    ("replies", "state", "reply"),
    [
        ({"RCPT": b"450 4.2.0 greylisted\r\n"}, "deferred", "450 4.2.0 greylisted"),
        ({"RCPT": b"550-5.1.1 unknown\r\n550 user\r\n"}, "failed", "550 5.1.1 unknown user"),
        ({"MAIL": b"552 too large\r\n"}, "failed", "552 too large"),
        ({"MAIL": b"421 busy\r\n"}, "deferred", "421 busy"),
        ({"DATA": b"451 later\r\n"}, "deferred", "451 later"),
        ({"body": b"554 DT:SPM spam\r\n"}, "failed", "554 DT:SPM spam"),
        ({"body": b"452 full\r\n"}, "deferred", "452 full"),
        ({"body": None}, "unknown", "交付中连接中断"),
        ({"DATA": None}, "deferred", "交付中连接中断"),
    ],
)
def test_each_answer_of_a_relay_has_its_meaning(
    replies: dict[str, bytes | None], state: str, reply: str
) -> None:
    with (
        scripted(b"220 x\r\n", answering(**replies)) as server,
        Relay(RelaySettings("127.0.0.1", server.port, "none", timeout=5)) as connection,
    ):
        answer = connection.send(US, "a@school.test", b"Subject: x\r\n\r\nx\r\n")
        assert (answer.state.value, answer.reply.partition("（")[0]) == (state, reply)
        # the next letter is not harmed by this one
        again = connection.send(US, "a@school.test", b"Subject: x\r\n\r\nx\r\n")
        assert again.state is answer.state


def test_a_relay_that_says_good_bye_to_an_idle_connection_is_called_again() -> None:
    said = iter([b"250 ok\r\n", b"421 idle too long\r\n", b"250 ok\r\n"])
    usual = answering()

    def answer(line: bytes) -> bytes | None:
        return next(said) if line.startswith(b"mail") else usual(line)

    with (
        scripted(b"220 x\r\n", answer) as server,
        Relay(RelaySettings("127.0.0.1", server.port, "none", timeout=5)) as connection,
    ):
        assert connection.send(US, "a@school.test", b"\r\nx\r\n").state is DeliveryState.SENT
        assert connection.send(US, "a@school.test", b"\r\nx\r\n").state is DeliveryState.SENT
        assert server.connections == 2


def test_nothing_is_sent_twice_after_its_data_began() -> None:
    with (
        scripted(b"220 x\r\n", answering(body=None)) as server,
        Relay(RelaySettings("127.0.0.1", server.port, "none", timeout=5)) as connection,
    ):
        assert connection.send(US, "a@school.test", b"\r\nx\r\n").state is DeliveryState.UNKNOWN
        assert server.heard.count(b"data") == 1


def test_a_refused_login_is_told_without_the_password() -> None:
    def answer(line: bytes) -> bytes:
        return b"250-x\r\n250 AUTH PLAIN\r\n" if line.lower().startswith(b"ehlo") else b"535 5.7.8 wrong\r\n"

    with scripted(b"220 x\r\n", answer) as server:
        settings = RelaySettings("127.0.0.1", server.port, "none", "huizhi", "secret-word", timeout=5)
        with pytest.raises(OutsideFailed, match=r"登录被拒绝（535 5.7.8 wrong）") as failed:
            Relay(settings).__enter__()
    assert "secret-word" not in str(failed.value)
    assert "secret-word" not in repr(settings)


def test_starttls_that_the_relay_lacks_is_told() -> None:
    with (
        scripted(b"220 x\r\n", answering()) as server,
        pytest.raises(OutsideFailed, match="不支持所要求的加密"),
    ):
        Relay(RelaySettings("127.0.0.1", server.port, "starttls", timeout=5)).__enter__()


@pytest.mark.parametrize("recipient", ["a@x.test\r\nRCPT TO:<b@x.test>", "李@x.test", "a b@x.test"])
def test_an_address_that_is_none_never_reaches_the_relay(recipient: str) -> None:
    with (
        scripted(b"220 x\r\n", answering()) as server,
        Relay(RelaySettings("127.0.0.1", server.port, "none", timeout=5)) as connection,
    ):
        assert connection.send(US, recipient, b"x").state is DeliveryState.FAILED
        assert not any(line.startswith(b"rcpt") for line in server.heard)
