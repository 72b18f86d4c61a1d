"""The relay: letters handed on over one connection, each with an answer that can be trusted.

yagmail makes the connection and logs in. The bytes go over the smtplib connection that it opened, as they were
composed: its own sending builds the message anew, attaches files whose path a text happens to equal, and tries
again by itself where we could not know whether the first letter had gone out.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

import yagmail

from workflow.adapters.mail.connection import Security, one_line, require_encryption, words
from workflow.domain.errors import OutsideFailed


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where letters are handed in. Without a `user` nobody logs in; `timeout` in seconds counts for each answer."""

    host: str
    port: int
    security: Security = "tls"
    user: str = ""
    password: str = ""
    timeout: float = 60.0

    @property
    def where(self) -> str:
        return f"发信服务器 {self.host}:{self.port}"


class DeliveryState(StrEnum):
    """What became of a letter: `UNKNOWN` when the connection broke while it was being handed over."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The relay's answer to one letter; `reply` is its words on one line, code first."""

    state: DeliveryState
    reply: str


class Relay:
    """One connection to the relay, for `with`. It is opened with the first letter and once more when it dropped
    between letters.

    Raises Refused when letters would leave this machine unencrypted, OutsideFailed when the relay can't be reached
    or refuses the log-in.
    """

    def __init__(self, settings: RelaySettings) -> None:
        require_encryption(settings.security, settings.host, settings.where)
        self._settings = settings
        self._client: yagmail.SMTP | None = None

    def __enter__(self) -> Self:
        self._connection()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say good-bye to the relay; a connection that is already gone is no failure."""
        client, self._client = self._client, None
        if client is not None and client.smtp is not None:
            client.is_closed = True  # yagmail would close again when it is collected
            try:
                client.smtp.quit()
            except (smtplib.SMTPException, OSError):
                client.smtp.close()

    def send(self, envelope_from: str, recipient: str, data: bytes) -> Delivery:
        """Hand one letter over. `data` is a whole message with CRLF line ends.

        A connection that broke before the letter's data began is opened once more; OutsideFailed when that fails
        too. Afterwards nothing is tried again: the answer is then UNKNOWN.
        """
        for value in (envelope_from, recipient):
            if not value.isascii() or any(c in value for c in "\r\n<> "):
                return Delivery(DeliveryState.FAILED, f"553 不是合格的邮件地址：{one_line(value.encode())}")
        try:
            refused = self._envelope(envelope_from, recipient, len(data))
        except (smtplib.SMTPServerDisconnected, OSError):
            self.close()
            try:
                refused = self._envelope(envelope_from, recipient, len(data))
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                self.close()
                raise OutsideFailed(
                    self._settings.where, f"连接中断（{words(error)}）", "信件仍在待发，稍后自动再试"
                ) from error
        if refused is not None:
            return refused
        return self._data(data)

    def _envelope(self, envelope_from: str, recipient: str, size: int) -> Delivery | None:
        """MAIL and RCPT; the refusal, or None when the relay waits for the data."""
        smtp = self._connection()
        smtp.ehlo_or_helo_if_needed()
        options = [f"size={size}"] if smtp.has_extn("size") else []
        for code, reply in (smtp.mail(envelope_from, options), smtp.rcpt(recipient)):
            if code not in {250, 251}:
                self._reset(code)
                return _refusal(code, reply)
        return None

    def _data(self, data: bytes) -> Delivery:
        smtp = self._connection()
        try:
            code, reply = smtp.data(data)
        except smtplib.SMTPDataError as error:
            self._reset(error.smtp_code)
            return _refusal(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Delivery(DeliveryState.UNKNOWN, f"交付中连接中断（{words(error)}）")
        if code == 250:
            return Delivery(DeliveryState.SENT, _answer(code, reply))
        self._reset(code)
        return _refusal(code, reply)

    def _reset(self, code: int) -> None:
        """Get ready for the next letter; after 421 the relay has hung up."""
        smtp = self._connection()
        try:
            if code != 421 and smtp.rset()[0] == 250:
                return
        except (smtplib.SMTPException, OSError):
            pass
        self.close()

    def _connection(self) -> smtplib.SMTP:
        if self._client is None:
            self._client = self._open()
        connection: smtplib.SMTP = self._client.smtp
        return connection

    def _open(self) -> yagmail.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        further = {"context": context} if settings.security == "tls" else {}
        client = yagmail.SMTP(
            user={settings.user: settings.user},  # to a bare name it would add @gmail.com
            password=settings.password,
            host=settings.host,
            port=settings.port,
            smtp_ssl=settings.security == "tls",
            smtp_starttls={"context": context} if settings.security == "starttls" else False,
            smtp_skip_login=not settings.user,
            soft_email_validation=False,
            timeout=settings.timeout,
            **further,
        )
        client.is_closed = True
        try:
            client.login()
        except smtplib.SMTPAuthenticationError as error:
            fault = f"登录被拒绝（{_answer(error.smtp_code, error.smtp_error)}）"
            raise OutsideFailed(settings.where, fault, "请核对发信账号和授权码") from error
        except ssl.SSLError as error:
            raise OutsideFailed(
                settings.where, f"加密连接失败（{error.reason}）", "请核对端口和加密方式"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise OutsideFailed(
                settings.where, "不支持所要求的加密或登录方式", "请核对端口和加密方式"
            ) from error
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise OutsideFailed(
                settings.where, f"连接不上（{words(error)}）", "请核对地址、端口和网络"
            ) from error
        client.is_closed = True
        return client


def _refusal(code: int, reply: bytes | str) -> Delivery:
    """4xx may go through later, 5xx never will; a code that is neither is a broken answer: later."""
    state = DeliveryState.FAILED if 500 <= code <= 599 else DeliveryState.DEFERRED
    return Delivery(state, _answer(code, reply))


def _answer(code: int, reply: bytes | str) -> str:
    return f"{code} {one_line(reply)}"
