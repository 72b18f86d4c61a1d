"""The relay: letters handed on over one connection, each with an answer that can be trusted.

yagmail makes the connection and logs in. The bytes go over the smtplib connection that it opened, as they were
composed: its own sending builds the message anew, attaches files whose path a text happens to equal, and tries
again by itself where we could not know whether the first letter had gone out.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

import yagmail

from workflow.adapters.mail.connection import Security, one_line, require_encryption, words
from workflow.domain.errors import OutsideFailed
from workflow.domain.refusals import Stage, ends_connection


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where letters are handed in. Without a `user` nobody logs in; `timeout` in seconds counts for each answer, and
    `per_connection` are the letters that one connection carries at most (0: any number).
    """

    host: str
    port: int
    security: Security = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 60.0
    per_connection: int = 0

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
    """The relay's answer to one letter; `reply` is its words on one line, code first; `stage` is where it gave it."""

    state: DeliveryState
    reply: str
    stage: Stage = Stage.RECIPIENT


class _TurnedAway(OutsideFailed):
    """The relay answered and did not let us in."""

    def __init__(self, fault: OutsideFailed, answer: Delivery) -> None:
        super().__init__(fault.fault.where, fault.fault.what, fault.fault.remedy)
        self.answer = answer


class Relay:
    """One connection to the relay, for `with`. It is opened with the first letter, and again when it dropped between
    letters or has carried as many as it may.

    Raises Refused when letters would leave this machine unencrypted, OutsideFailed when the relay can't be reached
    or does not let us in.
    """

    def __init__(self, settings: RelaySettings) -> None:
        require_encryption(settings.security, settings.host, settings.where)
        self._settings = settings
        self._client: yagmail.SMTP | None = None
        self._carried = 0

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
            try:
                client.smtp.quit()
            except (smtplib.SMTPException, OSError):
                client.smtp.close()

    def ready(self) -> Delivery | None:
        """Open the connection where there is none. The relay's answer when it does not let us in, None when letters can
        be handed over; raises OutsideFailed when it can't be reached.
        """
        try:
            self._connection()
        except _TurnedAway as turned_away:
            return turned_away.answer
        return None

    def send(self, envelope_from: str, recipient: str, data: bytes) -> Delivery:
        """Hand one letter over. `data` is a whole message with CRLF line ends.

        A connection that broke before the letter's data began is opened once more; OutsideFailed when that fails
        too. Afterwards nothing is tried again: the answer is then UNKNOWN.
        """
        for value in (envelope_from, recipient):
            if not value.isascii() or any(c in value for c in "\r\n<> "):
                return Delivery(
                    DeliveryState.FAILED, f"553 不是合格的电子邮箱地址：{one_line(value.encode())}"
                )
        refused = self._begin(envelope_from, recipient, len(data))
        answer = self._data(data) if refused is None else refused
        self._carried += 1
        if self._carried == self._settings.per_connection:
            self.close()
        return answer

    def _begin(self, envelope_from: str, recipient: str, size: int) -> Delivery | None:
        """`_envelope`, once more on a new connection where the relay hung up meanwhile or does so with a 421."""
        for last in (False, True):
            try:
                refused = self._envelope(envelope_from, recipient, size)
            except _TurnedAway as turned_away:
                return turned_away.answer
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                self.close()
                if last:
                    fault = f"连接中断（{words(error)}）"
                    raise OutsideFailed(self._settings.where, fault, "信件仍在待发，稍后自动再试") from error
                continue
            if last or refused is None or not refused.reply.startswith("421"):
                return refused
        raise AssertionError("the second attempt always returns or raises")

    def _envelope(self, envelope_from: str, recipient: str, size: int) -> Delivery | None:
        """MAIL and RCPT; the refusal, or None when the relay waits for the data."""
        smtp = self._connection()
        stage = Stage.SENDER
        code, reply = smtp.mail(envelope_from, [f"size={size}"] if smtp.has_extn("size") else [])
        if code == 250:
            stage = Stage.RECIPIENT
            code, reply = smtp.rcpt(recipient)
            if code in {250, 251}:
                return None
        refused = _refusal(code, reply, stage)
        self._reset(refused)
        return refused

    def _data(self, data: bytes) -> Delivery:
        """DATA and the message, byte for byte but for the dots that the protocol itself doubles (RFC 5321, 4.5.2).

        Only when the connection breaks after the message began nobody knows whether the relay has it.
        """
        smtp = self._connection()
        stage = Stage.DATA
        try:
            code, reply = smtp.docmd("data")
            if code == 354:
                stage = Stage.END
                smtp.send(_with_dots(data))
                code, reply = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            broken = f"交付中连接中断（{words(error)}）"
            state = DeliveryState.UNKNOWN if stage is Stage.END else DeliveryState.DEFERRED
            return Delivery(state, broken, stage)
        if code == 250:
            return Delivery(DeliveryState.SENT, _answer(code, reply), stage)
        refused = _refusal(code, reply, stage)
        self._reset(refused)
        return refused

    def _reset(self, refused: Delivery) -> None:
        """Get ready for the next letter; after 421 the relay has hung up, and some want another connection."""
        smtp = self._connection()
        try:
            if not ends_connection(refused.reply) and smtp.rset()[0] == 250:
                return
        except (smtplib.SMTPException, OSError):
            pass
        self.close()

    def _connection(self) -> smtplib.SMTP:
        if self._client is None:
            self._client = self._open()
            self._carried = 0
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
        opened = False
        try:
            with self._reported():
                client.login()
                client.smtp.ehlo_or_helo_if_needed()
            opened = True
        finally:
            client.is_closed = True  # closing is ours, in `close`, not yagmail's when it is collected
            if not opened and client.smtp is not None:
                client.smtp.close()
        return client

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn every way in which connecting and logging in can fail into OutsideFailed."""
        where = self._settings.where
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._turned_away(error) from error
        except ssl.SSLError as error:
            raise OutsideFailed(where, f"加密连接失败（{words(error)}）", "请核对端口和加密方式") from error
        except smtplib.SMTPNotSupportedError as error:
            raise OutsideFailed(where, "不支持所要求的加密或登录方式", "请核对端口和加密方式") from error
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise OutsideFailed(where, f"连接不上（{words(error)}）", "请核对地址、端口和网络") from error

    def _turned_away(self, error: smtplib.SMTPResponseException) -> _TurnedAway:
        where, said = self._settings.where, _answer(error.smtp_code, error.smtp_error)
        if isinstance(error, smtplib.SMTPAuthenticationError):
            fault = OutsideFailed(where, f"登录被拒绝（{said}）", "请核对发信账号和授权码")
            return _TurnedAway(fault, _refusal(error.smtp_code, error.smtp_error, Stage.LOGIN))
        stage = Stage.GREETING if isinstance(error, smtplib.SMTPConnectError) else Stage.HELLO
        fault = OutsideFailed(where, f"不接受连接（{said}）", "请稍后再试，或向邮件服务商了解原因")
        return _TurnedAway(fault, _refusal(error.smtp_code, error.smtp_error, stage))


def _with_dots(data: bytes) -> bytes:
    """A message as it goes over the wire after DATA."""
    dots = b"." if data.startswith(b".") else b""
    end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
    return dots + data.replace(b"\r\n.", b"\r\n..") + end


def _refusal(code: int, reply: bytes | str, stage: Stage) -> Delivery:
    """4xx may go through later, 5xx never will; a code that is neither is a broken answer: later."""
    state = DeliveryState.FAILED if 500 <= code <= 599 else DeliveryState.DEFERRED
    return Delivery(state, _answer(code, reply), stage)


def _answer(code: int, reply: bytes | str) -> str:
    return f"{code} {one_line(reply)}"
