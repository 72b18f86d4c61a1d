"""What is inside a message that is signed as a whole: CMS SignedData (RFC 5652 section 5), as S/MIME sends it (RFC 8551).

Only the content is taken out; the signature proves nothing here. Both lengths of BER are read, as Outlook writes one and others
the other.
"""

from __future__ import annotations

from collections.abc import Iterator

#: The content types of such a part; `x-` is older.
SIGNED_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
#: The content types of a signature that lies beside what it signs: nobody's file.
SIGNATURE_TYPES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_OBJECT_ID, _OCTETS, _OCTETS_IN_PIECES, _CONTENT = 0x06, 0x04, 0x24, 0xA0
_DEEPEST, _MOST = 8, 200_000


def signed_content(data: bytes) -> bytes | None:
    """The content that a SignedData holds; None for anything else, and for a signature without its content."""
    try:
        kind, wrapped = _children(_only(data))[:2]
        if kind != (_OBJECT_ID, _SIGNED_DATA) or wrapped[0] != _CONTENT:
            return None
        parts = _children(_only(wrapped[1]))
        inner = _children(parts[2][1])  # behind the version and the digests' names
        if len(inner) < 2 or inner[1][0] != _CONTENT:
            return None
        return b"".join(_octets(inner[1][1], 0))
    except (ValueError, IndexError):
        return None


def _octets(data: bytes, depth: int) -> Iterator[bytes]:
    """The bytes of an OCTET STRING, whole or in pieces."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    for tag, value in _children(data):
        if tag == _OCTETS:
            yield value
        elif tag == _OCTETS_IN_PIECES:
            yield from _octets(value, depth + 1)
        else:
            raise ValueError("no octets")


def _only(data: bytes) -> bytes:
    return _children(data)[0][1]


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that lie one behind the other in some bytes: tag and content. Raises ValueError, IndexError."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data) and data[at : at + 2] != b"\0\0":
        tag, start, end, at = _element(data, at)
        found.append((tag, data[start:end]))
        if len(found) > _MOST:
            raise ValueError("too many elements")
    return found


def _element(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Tag, begin and end of the content, and where the next element begins."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:  # as long as it takes: up to two noughts
        end, depth, steps = start, 0, 0
        while True:
            steps += 1
            if steps > _MOST:
                raise ValueError("too many elements")
            if data[end : end + 2] == b"\0\0":
                if depth == 0:
                    return tag, start, end, end + 2
                depth -= 1
                end += 2
            else:
                inner, begin = _length(data, end)
                if inner is None:
                    depth += 1
                    end = begin
                else:
                    end = begin + inner
    said, start = _length(data, at)
    end = start + (said or 0)
    if end > len(data):
        raise ValueError("cut off")
    return tag, start, end, end


def _length(data: bytes, at: int) -> tuple[int | None, int]:
    """The length of an element's content (None: not said), and where it begins."""
    length = data[at + 1]
    if length < 0x80:
        return length, at + 2
    if length == 0x80:
        return None, at + 2
    count = length & 0x7F
    if count > 8:
        raise ValueError("no length")
    return int.from_bytes(data[at + 2 : at + 2 + count], "big"), at + 2 + count
