"""What the mailbox and the relay have in common: encryption off this machine, and failures in words."""

from __future__ import annotations

import imaplib
import ipaddress
import re
import smtplib
import socket
import ssl
from typing import Literal

from workflow.domain.errors import Fault, Refused, system_words

Security = Literal["none", "starttls", "tls"]

_BLANKS = re.compile(r"\s+")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or address; nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_encryption(security: Security, host: str, where: str) -> None:
    """Refuse a connection that would carry mail or a password over a network in the clear."""
    if security == "none" and not is_loopback(host):
        raise Refused(Fault(where, "未加密的连接只能用于本机", "请改用 tls 或 starttls"))


def words(error: BaseException) -> str:
    """What went wrong on the network, on one line, in an office's words where there are any."""
    if isinstance(error, ConnectionRefusedError):
        return "对方拒绝连接"
    if isinstance(error, TimeoutError):
        return "对方没有回应"
    if isinstance(error, socket.gaierror):
        return "找不到该主机，域名不能解析"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"服务器证书未通过验证，代码 {error.verify_code}"
    if isinstance(error, ssl.SSLError):
        return "加密连接没有建立，对方不支持加密或者协议不符"
    if isinstance(error, smtplib.SMTPServerDisconnected | EOFError | ConnectionError) or (
        isinstance(error, imaplib.IMAP4.abort) and str(error).startswith("socket error")
    ):
        return "连接被对方断开"
    if isinstance(error, OSError) and error.errno and not isinstance(error, smtplib.SMTPException):
        return system_words(error)
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    return one_line(said) or type(error).__name__


def one_line(said: bytes | str) -> str:
    """A server's words on one line."""
    return _BLANKS.sub(" ", said.decode("utf-8", "replace") if isinstance(said, bytes) else said).strip()
