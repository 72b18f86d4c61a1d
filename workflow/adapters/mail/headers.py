"""Header fields of a message: found, unfolded and decoded, whatever the sender's program made of them.

Addresses are read before encoded words are decoded, never after: a decoded display name may hold anything, even
something that looks like an address.
"""

from __future__ import annotations

import binascii
import datetime as dt
import email.errors
import email.header
import email.utils
import functools
import re
from collections.abc import Iterator

_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)(?:\n|\Z)")
_BARE_RETURN = re.compile(rb"\r(?!\n)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDR_SPEC = r"[^\s@<>()\[\]\",;:\\]+@[^\s@<>()\[\]\",;:\\]+"
_ADDRESS = re.compile(_ADDR_SPEC)
#: One mailbox that can be read in one way only. Possessive, so that a hostile header can't make it try again.
_MAILBOX = re.compile(
    r'(?P<name>(?:"(?:[^"\\]|\\.)*+"|=\?[^?\s]*+\?[bBqQ]\?[^?]*+\?=|[^<>"@,;:])*+)<\s*+'
    rf"(?P<address>{_ADDR_SPEC})\s*+>|(?P<bare>{_ADDR_SPEC})(?:\s*+\([^()]*+\))?"
)
_REPEATED = re.compile(rf'[\s"\']*+({_ADDR_SPEC}?)[\s"\']*+<({_ADDR_SPEC})>')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|=\?[^?\s]*\?[bBqQ]\?[^?]*\?=')
_ID = re.compile(r"<[^<>\s]+>")

#: What is read of a header, in bytes, and what is decoded of its words, in characters: the standard library's
#: readers take quadratic time, so a megabyte of header would stop the intake.
_LONGEST, _LONGEST_WORDS = 64_000, 8_000

#: Nothing but words in base64, all of one charset.
_BASE64 = r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_PLAIN_WORDS = re.compile(rf"=\?([^?*\s]+)\?[bB]\?{_BASE64}\?=(?:\s++=\?\1\?[bB]\?{_BASE64}\?=)*+", re.ASCII)
_WORD = re.compile(r"\?[bB]\?([A-Za-z0-9+/=]*)\?=")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
#: ASCII as declared tells nothing: programs write it above 8-bit text. The others are codecs, but no charsets.
_NO_CHARSET = re.compile(r"(?i)(us-)?ascii|unknown-8bit|.*escape|idna|punycode|undefined|mbcs|oem")
#: Chinese programs say gb2312 and mean whatever GBK holds; GB18030 contains both.
_CHINESE = re.compile(r"(?i)(x-)?(gb[_-]?(2312|18030)(-80|-1980)?|gbk|cp936|euc-cn|hz-gb.*)")


def head(raw: bytes) -> bytes:
    """The header block of a message; all of it where no empty line follows."""
    return raw[: _ends(raw)[0]]


def split(raw: bytes) -> tuple[bytes, bytes]:
    """The header block and the body of a message; all is header where no empty line follows."""
    end, begin = _ends(raw)
    return raw[:end], raw[begin:]


def _ends(raw: bytes) -> tuple[int, int]:
    """Where the header block ends and where the body begins."""
    if raw.startswith((b"\r\n", b"\n")):
        return 0, 0
    # Two searches for plain bytes: the second ends where the first found something, commonly after a kilobyte.
    at, width = raw.find(b"\n\r\n"), 3
    bare = raw.find(b"\n\n", 0, at + 1 if at >= 0 else len(raw))
    if bare >= 0:
        at, width = bare, 2
    if at < 0:
        return len(raw), len(raw)
    return at - 1 if raw[at - 1 : at] == b"\r" else at, at + width


def unix_lines(data: bytes) -> bytes:
    """Bytes with a bare LF in the place of every CR LF."""
    # Dropping single bytes is twice as fast as replacing pairs, and nearly every message has no return that stands alone.
    return data.replace(b"\r\n", b"\n") if _BARE_RETURN.search(data) else data.translate(None, b"\r")


def fields(block: bytes) -> Iterator[tuple[str, bytes]]:
    """The fields of a header block in their order: lower-cased name, unfolded value. Other lines are passed over."""
    for match in _FIELD.finditer(block.replace(b"\r\n", b"\n")):
        yield match[1].decode("ascii").lower(), match[2].replace(b"\n", b"").strip()


def beside_fields(block: bytes) -> bytes:
    """What a header block holds beside its fields, but for an mbox's From line; empty in a correct message."""
    rest = _FIELD.sub(b"", block.replace(b"\r\n", b"\n")).strip()
    return b"" if rest.startswith(b"From ") else rest


def decode_bytes(data: bytes, charset: str = "") -> str:
    """Text from bytes: as `charset` says, else UTF-8, else GB18030, what is still wrong replaced."""
    if not charset and data.isascii() and b"\0" not in data:
        return data.decode("ascii")  # as most headers are; UTF-8 says the same
    named = _codec(charset)
    for candidate in (named, "utf-8", "gb18030"):
        if candidate:
            try:
                return storable(data.decode(candidate))
            except (LookupError, UnicodeError, ValueError):
                continue
    try:
        return storable(data.decode(named or "utf-8", "replace"))
    except (LookupError, UnicodeError, ValueError):
        return storable(data.decode("utf-8", "replace"))


@functools.lru_cache(maxsize=256)
def _codec(charset: str) -> str:
    """The codec that reads what bears this charset's name; '' where the name tells nothing."""
    named = "gb18030" if _CHINESE.fullmatch(charset.strip()) else charset.strip()
    return "" if _NO_CHARSET.fullmatch(named) else named


def storable(text: str) -> str:
    """Text without what no database takes: NUL, and halves of a surrogate pair, which some codecs give."""
    return _UNSTORABLE.sub("\ufffd", text)


@functools.lru_cache(maxsize=1024)  # every reply names our own mailbox
def decode_words(value: str) -> str:
    """A header's text with its encoded words decoded; adjacent words that split a character are put together."""
    if "=?" not in value or len(value) > _LONGEST_WORDS:
        return value
    if words := _PLAIN_WORDS.fullmatch(value):
        # As every program writes names and subjects; the standard library comes to the same, four times as slowly.
        octets = b"".join(map(binascii.a2b_base64, _WORD.findall(value)))
        return decode_bytes(octets, words[1].lower())
    try:
        chunks = email.header.decode_header(value)
    except (email.errors.HeaderParseError, binascii.Error, ValueError):
        return value
    return "".join(
        chunk if isinstance(chunk, str) else _unescape(chunk) if not charset else decode_bytes(chunk, charset)
        for chunk, charset in chunks
    )


def _unescape(chunk: bytes) -> str:
    # The standard library turns the words between encoded ones into raw-unicode-escape.
    try:
        return storable(chunk.decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        return decode_bytes(chunk)


def one_line(value: str) -> str:
    """Text without control characters, blanks at its ends or line breaks."""
    return _CONTROLS.sub(" ", value).strip()


def text(value: bytes) -> str:
    """A header's value as a reader sees it, on one line."""
    return one_line(decode_words(decode_bytes(value)))


def mailboxes(value: bytes) -> tuple[tuple[str, str], ...]:
    """The (name, address) pairs of an address header; nothing from a group, '' for what can't be an address."""
    decoded = one_line(decode_bytes(value[:_LONGEST]))
    if single := _MAILBOX.fullmatch(decoded):
        return (_pair(single["name"] or "", single["address"] or single["bare"]),)
    if not decoded or ":" in _QUOTED.sub("", decoded):
        return ()
    try:
        pairs = email.utils.getaddresses([decoded])
    except (RecursionError, IndexError):  # comments within comments without end
        return ()
    return tuple(
        _pair(name, address if _ADDRESS.fullmatch(address) else "")
        for name, address in pairs
        if name or address
    )


def sender(values: list[bytes]) -> tuple[str, str]:
    """Address and name of the one sender; an address of '' when the headers name none or more than one.

    Stricter than for recipients: what two programs could read as two different addresses is none, unless the
    name before the address repeats it.
    """
    if len(values) != 1:
        return "", ""
    decoded = one_line(decode_bytes(values[0][:_LONGEST]))
    if single := _MAILBOX.fullmatch(decoded):
        name, address = _pair(single["name"] or "", single["address"] or single["bare"])
        return address, name
    repeated = _REPEATED.fullmatch(decoded)
    if repeated and repeated[1].lower() == repeated[2].lower():
        return _pair("", repeated[2])[1], repeated[1]
    return "", decode_words(decoded.partition("<")[0]).strip(' "')


def _pair(name: str, address: str) -> tuple[str, str]:
    local, at, domain = address.rpartition("@")
    name = name.strip()
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return one_line(decode_words(name)), f"{local}{at}{domain.lower()}"


def ids(value: bytes) -> list[str]:
    """The message ids of a header, each with its angle brackets."""
    return _ID.findall(one_line(decode_bytes(value[:_LONGEST])))


def moment(value: bytes) -> dt.datetime | None:
    """The Date header with its zone (UTC where it names none), or None when it can't be read."""
    try:
        found = email.utils.parsedate_to_datetime(decode_bytes(value[:200]))
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
