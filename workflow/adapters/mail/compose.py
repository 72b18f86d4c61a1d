"""A letter made into bytes: the same letter always gives the same bytes, so that it can be sent again as it was."""

from __future__ import annotations

import binascii
import datetime as dt
import email.utils
import functools
import hashlib
import re
import struct
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence

from workflow.domain.errors import Fault, Refused

_WIDTH = 76
#: Bytes to an encoded word, `=?utf-8?B?` + 4 characters for each 3 + `?=`: it fits a line behind ` name="`.
_WORD = 42
_CRLF = b"\r\n"
#: Up to here a part is a text, and its lines are cut at once.
_LONG = 40_000

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")

#: Written by `compose` itself; a caller can't give them again.
_OWN_FIELDS = frozenset(
    {
        *(
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "mime-version",
            "content-type",
            "bcc",
            "cc",
            "sender",
        ),
        *("content-transfer-encoding", "content-disposition", "auto-submitted", "x-auto-response-suppress"),
    }
)

#: Named here and not asked of `mimetypes`, whose answers differ from machine to machine.
CONTENT_TYPES: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "png": "image/png",
    "jpg": "image/jpeg",
}


def compose(
    *,
    sender: tuple[str, str],
    to: tuple[str, str],
    subject: str,
    text: str,
    html: str,
    attachments: Sequence[tuple[str, bytes]],
    message_id: str,
    date: dt.datetime,
    headers: Mapping[str, str],
) -> bytes:
    """Make a letter: `sender` and `to` are (name, address), `attachments` (file name, bytes), `headers` further
    fields such as X-Huizhi-Letter, In-Reply-To and References.

    Line ends are CRLF and every byte is ASCII, so any relay carries it. Line breaks and other control characters
    in a name, a subject or a field become blanks. Raises Refused for an address or a Message-ID that is none,
    ValueError for a naive `date` or a field that `compose` writes itself.
    """
    if date.tzinfo is None:
        raise ValueError("a letter's date must carry its zone")
    if not _ID.fullmatch(message_id):
        raise Refused(
            Fault(f"信件编号 {_clean(message_id)}", "不是合格的 Message-ID", "应为 <编号@域名> 的样子")
        )
    top = (
        f"From: {_mailbox(*sender)}\r\nTo: {_mailbox(*to)}\r\nSubject: {_unstructured(subject)}\r\n"
        f"Date: {email.utils.format_datetime(date)}\r\nMessage-ID: {message_id}\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
    )
    for name, value in headers.items():
        if not _is_further(name):
            raise ValueError(f"not a further header field: {name!r}")
        top += f"{name}: {_unstructured(value)}\r\n"

    seed = hashlib.sha256(message_id.encode()).hexdigest()
    body = _alternative(text, html, f"=_a{seed[:24]}")
    if attachments:
        body = _container(
            "mixed", f"=_m{seed[:24]}", [body, *(_file(name, data) for name, data in attachments)]
        )
    return top.encode("ascii") + body


@functools.lru_cache(maxsize=64)
def _is_further(name: str) -> bool:
    """Whether a caller may give this field."""
    return _FIELD_NAME.fullmatch(name) is not None and name.lower() not in _OWN_FIELDS


def _alternative(text: str, html: str, boundary: str) -> bytes:
    if not html:
        return _text("plain", text)
    return _container("alternative", boundary, [_text("plain", text), _text("html", html)])


def _container(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Header and body of a multipart. No part can hold the boundary: base64 has no `_`, and headers are ours."""
    opening = f"--{boundary}\r\n".encode()
    return b"".join(
        (
            f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode(),
            *(piece for part in parts for piece in (opening, part, _CRLF)),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _text(kind: str, content: str) -> bytes:
    lines = "\r\n".join(content.splitlines()) + "\r\n"
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + _base64(lines.encode("utf-8", "replace"))
    )


def _file(name: str, data: bytes) -> bytes:
    name = _clean(name).replace("/", "_").replace("\\", "_").replace('"', "'") or "attachment"
    content_type = CONTENT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    if _PLAIN_NAME.fullmatch(name):
        old, new = name, f'filename="{name}"'
    else:
        # Old programs know only the encoded word in `name`, which RFC 2047 forbids and everybody reads.
        old, new = "\r\n ".join(_words(name)), f"filename*=utf-8''{urllib.parse.quote(name, safe='')}"
    return (
        f'Content-Type: {content_type};\r\n name="{old}"\r\n'
        f"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n {new}\r\n\r\n"
    ).encode("ascii") + _base64(data)


def _base64(data: bytes) -> bytes:
    encoded = binascii.b2a_base64(data, newline=False)
    if len(encoded) > _LONG:
        return _CRLF.join([encoded[at : at + _WIDTH] for at in range(0, len(encoded), _WIDTH)])
    return _CRLF.join(_lines(len(encoded)).unpack(encoded))


@functools.lru_cache(maxsize=2048)
def _lines(length: int) -> struct.Struct:
    """How so many characters are cut into lines: texts come in few lengths, and one call cuts one whole."""
    return struct.Struct(f"{_WIDTH}s" * (length // _WIDTH) + f"{length % _WIDTH}s" * (length % _WIDTH > 0))


def _clean(value: str) -> str:
    if value.isalnum():
        return value  # as most names are
    return _CONTROLS.sub(" ", value).strip()


@functools.lru_cache(maxsize=1024)
def _mailbox(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address) or ".." in address or len(address) > 254:
        raise Refused(Fault(f"电子邮箱 {_clean(address)}", "不是合格的电子邮箱地址", "请在名册或设置中改正"))
    name = _clean(name)
    if not name:
        return address
    if _PLAIN_NAME.fullmatch(name):
        return f'"{name}" <{address}>'
    return "\r\n ".join((*_words(name), f"<{address}>"))


def _unstructured(value: str) -> str:
    """A field's value: folded when it is ASCII, in encoded words when it is not."""
    value = _clean(value)
    if len(value) < _WIDTH - 16 and value.isascii() and " " not in value and "=?" not in value:
        return value  # as a number or an id is
    if not value.isascii() or "=?" in value or any(len(word) > 900 for word in value.split(" ")):
        return "\r\n ".join(_words(value))
    lines = [""]
    for word in value.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _WIDTH - 16:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(line for line in lines if line)


def _words(value: str) -> Iterator[str]:
    """The encoded words of a text; no character is split between two."""
    encoded = value.encode("utf-8", "replace")
    start = 0
    while start < len(encoded):
        end = start + _WORD
        # A byte 10xxxxxx goes on with the character before it.
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        yield _word(encoded[start:end])
        start = end


def _word(piece: bytes) -> str:
    return f"=?utf-8?B?{binascii.b2a_base64(piece, newline=False).decode('ascii')}?="
