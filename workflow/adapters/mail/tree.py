"""The parts of a message: a tree of its containers, texts, files and messages within it.

Two programs read it. fast-mail-parser takes nearly everything, thirty times as fast; the standard library takes what
that refuses or may have got wrong: broken base64, raw 8-bit names, characters split between encoded words,
uuencode, containers without an end.
"""

from __future__ import annotations

import email
import email.message
import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import fast_mail_parser

from workflow.adapters.mail import headers
from workflow.adapters.mail.signed import SIGNED_TYPES, signed_content

#: Messages within messages are followed so far; what is nested deeper stays closed.
DEPTH = 12

# Hostile messages: both parsers take quadratic time for encoded words or parameters without end, and a part is an
# object however little is in it. No honest message comes near; below the first bound none can do harm.
_SMALL = 60_000
_MOST_PARTS = 20_000
_MOST_WORDS = 5_000
_LONGEST_FIELD = 8_000
_PARAMETERS = re.compile(rb"(?im)^content-[a-z-]+:[^\n]*(?:\n[ \t][^\n]*)*")

_CHARSET = re.compile(r"(?i);\s*charset\s*=\s*\"?([^\s\";]+)")
_FLOWED = re.compile(r"(?i);\s*format\s*=\s*\"?flowed\b")
_DELSP = re.compile(r"(?i);\s*delsp\s*=\s*\"?yes\b")
_DOUBTFUL_NAME = re.compile(r"[\x80-\u024f\u02c6\u02dc\u2010-\u203a\u20ac\u2122\ufffd]|=\?")
#: Of a part's Content-Transfer-Encoding.
_UUENCODE = re.compile(r"(?i)\s*(x-)?uu")


@dataclass(frozen=True, slots=True)
class Part:
    """A node of the tree. `data` is decoded, empty for a container that holds parts; `children` of a message/rfc822 part is its one
    message, and `data` that message's bytes. `flowed` and `delsp` are what a plain text says of its line breaks (RFC 3676).
    """

    content_type: str
    charset: str = ""
    name: str = ""
    disposition: str = ""
    content_id: str = ""
    data: bytes = b""
    children: tuple[Part, ...] = field(default=())
    flowed: bool = False
    delsp: bool = False

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the message's order."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def read(raw: bytes) -> Part:
    """The tree of a message, what is signed as a whole opened; a text of everything when its structure can't be read at all."""
    root = _read(raw)
    return _opened(root, 0) if any(part.content_type in SIGNED_TYPES for part in root.walk()) else root


def _opened(part: Part, depth: int) -> Part:
    """A tree with the content of each CMS SignedData in the place of its bytes, so far."""
    if part.content_type in SIGNED_TYPES and depth < DEPTH:
        inner = signed_content(part.data)
        if inner is not None:
            return Part("multipart/signed", children=(_opened(_read(inner), depth + 1),))
    if not part.children:
        return part
    return replace(part, children=tuple(_opened(child, depth) for child in part.children))


def _read(raw: bytes) -> Part:
    if len(raw) > _SMALL:
        if _too_many_parts(raw):
            return Part("text/plain", data=headers.split(raw)[1])
        if _too_many_words(raw):
            raw = raw.replace(b"=?", b"=_")
    try:
        return _from_fast(fast_mail_parser.parse_email_tree(raw), 0)
    except (_Doubtful, fast_mail_parser.ParseError):
        pass
    except BaseException as panic:  # a Rust panic does not derive from Exception and has no public class
        if type(panic).__name__ != "PanicException":
            raise
    try:
        return _from_standard(email.message_from_bytes(_PARAMETERS.sub(_cut, raw)), 0)
    # What the standard library raises over hostile messages; its own issues list no fewer.
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return Part("text/plain", data=headers.split(raw)[1])


# Base64 has neither sign, and looking for a single one passes over it in no time; counting pairs does not.
def _too_many_parts(raw: bytes) -> bool:
    at = 0
    for _ in range(_MOST_PARTS):
        sign = raw.find(b"-", at)
        at = raw.find(b"\n", sign)  # one to a line is enough
        if sign < 0 or at < 0:
            return False
    return raw.count(b"\n--") > _MOST_PARTS


def _too_many_words(raw: bytes) -> bool:
    at = -1
    for _ in range(_MOST_WORDS):
        at = raw.find(b"?", at + 1)
        if at < 0:
            return False
    return raw.count(b"=?") > _MOST_WORDS


def _cut(field: re.Match[bytes]) -> bytes:
    return field[0][:_LONGEST_FIELD]


class _Doubtful(Exception):
    """The fast parser may have got this message wrong."""


def _from_fast(node: fast_mail_parser.PyMimePart, depth: int) -> Part:
    if depth > DEPTH * 4:
        raise _Doubtful
    name, content_type = node.filename or "", node.content_type.lower()
    if name and _DOUBTFUL_NAME.search(name):
        raise _Doubtful
    children = tuple([_from_fast(child, depth + 1) for child in node.children])
    if content_type.startswith("multipart/") and not children:
        raise _Doubtful
    charset, flowed, delsp = ("", False, False) if children else _declared(node, content_type)
    return Part(
        content_type,
        charset,
        _bare(name) if name else "",
        (node.disposition or "").lower(),
        node.content_id or "",
        node.content or b"",
        children,
        flowed,
        delsp,
    )


def _declared(node: fast_mail_parser.PyMimePart, content_type: str) -> tuple[str, bool, bool]:
    """The charset that the header of a leaf declares, where it is a text, and whether it flows (RFC 3676)."""
    charset, flowed, delsp = "", False, False
    for name, values in node.headers.items():
        said = name.lower()
        if said == "content-transfer-encoding" and any(_UUENCODE.match(value) for value in values):
            raise _Doubtful
        if said == "content-type" and not charset and content_type.startswith("text/"):
            found = _CHARSET.search(values[0]) if values else None
            charset = found[1] if found else ""
            if values and content_type == "text/plain":
                flowed, delsp = bool(_FLOWED.search(values[0])), bool(_DELSP.search(values[0]))
    return charset, flowed, delsp


def _from_standard(message: email.message.Message, depth: int) -> Part:
    _decode_raw_headers(message)
    content_type = message.get_content_type()
    payload = message.get_payload() if message.is_multipart() else []
    inner = [part for part in payload if isinstance(part, email.message.Message)]
    children: tuple[Part, ...] = ()
    if content_type.startswith("message/") and inner:
        data = b"\n".join(map(_bytes, inner))  # before the children's headers are changed
    elif inner:
        data = b""
    else:
        decoded = message.get_payload(decode=True)
        data = decoded if isinstance(decoded, bytes) else b""
    if depth <= DEPTH * 4 and content_type != "message/delivery-status":
        children = tuple(_from_standard(part, depth + 1) for part in inner)
    return Part(
        content_type,
        str(_parameter(message, "charset", "content-type") or "") if content_type.startswith("text/") else "",
        _bare(_file_name(message)),
        str(message.get("Content-Disposition", "")).partition(";")[0].strip().lower(),
        str(message.get("Content-ID", "")).strip().strip("<>"),
        data,
        children,
        content_type == "text/plain" and _says(message, "format") == "flowed",
        content_type == "text/plain" and _says(message, "delsp") == "yes",
    )


def _bytes(message: email.message.Message) -> bytes:
    """A message's bytes; none where the standard library can't write what it has read, a container of 8-bit text."""
    try:
        return bytes(message)
    except UnicodeEncodeError:
        return b""


def _decode_raw_headers(message: email.message.Message) -> None:
    """Put text in the place of raw 8-bit header values, which the standard library can't read."""
    for name, value in list(message.raw_items()):
        if not value.isascii():
            plain = headers.decode_bytes(value.encode("ascii", "surrogateescape"))
            message.replace_header(name, plain)


def _file_name(message: email.message.Message) -> str:
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        value = _parameter(message, parameter, header)
        if isinstance(value, tuple):  # RFC 2231: charset, language, bytes as Latin-1 text
            charset, _, octets = value
            return headers.decode_bytes(octets.encode("latin-1", "replace"), charset or "")
        if value:
            return headers.decode_words(email.utils.unquote(str(value)))
    return ""


def _parameter(
    message: email.message.Message, name: str, header: str
) -> str | tuple[str | None, str | None, str] | None:
    try:
        return message.get_param(name, None, header)
    except (TypeError, ValueError, LookupError, AttributeError):  # contradictory RFC 2231 pieces
        return None


def _says(message: email.message.Message, parameter: str) -> str:
    """A parameter of the Content-Type, in small letters."""
    return str(_parameter(message, parameter, "content-type") or "").strip().lower()


def _bare(name: str) -> str:
    """A file's own name: no folders, no control characters."""
    return headers.one_line(name).replace("\\", "/").rpartition("/")[2].strip()
