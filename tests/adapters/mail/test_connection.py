"""What went wrong on the network, in the office's words and without a library's English."""

from __future__ import annotations

import errno
import imaplib
import smtplib
import socket
import ssl

import pytest

from workflow.adapters.mail.connection import words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "对方拒绝连接"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "连接被对方断开"),
        (TimeoutError("timed out"), "对方没有回应"),
        (socket.gaierror(-2, "Name or service not known"), "找不到该主机，域名不能解析"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "网络不通"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "加密连接没有建立，对方不支持加密或者协议不符"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), "连接被对方断开"),
        (imaplib.IMAP4.abort("socket error: EOF"), "连接被对方断开"),
    ],
)  # fmt: skip
def test_a_failure_of_the_network_is_said_in_chinese(error: Exception, said: str) -> None:
    assert words(error) == said


def test_a_servers_own_words_are_passed_on_as_they_are() -> None:
    assert words(imaplib.IMAP4.error(b"[ALERT] Unsafe Login. Please contact kefu@188.com")) == (
        "[ALERT] Unsafe Login. Please contact kefu@188.com"
    )
