"""What the mailbox and the relay have in common: encryption off this machine, and failures in words."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from workflow.domain.errors import Fault, Refused

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
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    return one_line(said) or type(error).__name__


def one_line(said: bytes | str) -> str:
    """A server's words on one line."""
    return _BLANKS.sub(" ", said.decode("utf-8", "replace") if isinstance(said, bytes) else said).strip()
