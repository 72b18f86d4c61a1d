from __future__ import annotations

import base64
import binascii
import email.errors
import email.header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.adapters.mail import headers
from workflow.adapters.mail.mime import parse


@pytest.mark.parametrize(
    ("raw", "head", "body"),
    [
        (b"A: 1\r\n\r\nx\r\n\r\ny", b"A: 1", b"x\r\n\r\ny"),
        (b"A: 1\n\nx\r\n\r\ny", b"A: 1", b"x\r\n\r\ny"),
        (b"A: 1\r\n\nx", b"A: 1", b"x"),
        (b"A: 1\n\r\nx\n\n", b"A: 1", b"x\n\n"),
        (b"A: 1\r\n\r\n", b"A: 1", b""),
        (b"A: 1\r\nB: 2\r\n", b"A: 1\r\nB: 2\r\n", b""),
        (b"\r\nA: 1\r\n\r\nx", b"", b"\r\nA: 1\r\n\r\nx"),
        (b"\nx", b"", b"\nx"),
        (b"", b"", b""),
    ],
)
def test_the_header_ends_at_the_first_empty_line_however_its_lines_end(
    raw: bytes, head: bytes, body: bytes
) -> None:
    assert headers.split(raw) == (head, body)
    assert headers.head(raw) == head


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x"]), max_size=8).map(b"".join))
def test_line_ends_are_made_bare_as_by_replacing_each(data: bytes) -> None:
    assert headers.unix_lines(data) == data.replace(b"\r\n", b"\n")


WORDS = st.builds(
    lambda charset, letter, octets, cut: f"=?{charset}?{letter}?{base64.b64encode(octets).decode()[cut:]}?=",
    st.sampled_from(["utf-8", "UTF-8", "gb2312", "gbk"]),
    st.sampled_from("bB"),
    st.one_of(st.binary(max_size=7), st.text("河南省abc回复", max_size=4).map(str.encode)),
    st.sampled_from([0, 0, 0, 1]),
)


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([" ", "\t", "  ", ""]))
@example(["=?utf-8?b?5rKz5Y0=?=", "=?utf-8?b?lw==?="], " ")
def test_encoded_words_are_read_as_the_standard_library_reads_them(words: list[str], between: str) -> None:
    value = between.join(words)
    try:
        chunks = email.header.decode_header(value)
    except (email.errors.HeaderParseError, binascii.Error, ValueError):
        chunks = [(value, None)]
    said = [c if isinstance(c, str) else headers.decode_bytes(c, charset or "") for c, charset in chunks]
    if all(charset or isinstance(chunk, str) for chunk, charset in chunks):
        assert headers.decode_words(value) == "".join(said)


@pytest.mark.parametrize("encoding", [b"uuencode", b"x-uuencode", b"X-UUE", b"uue"])
def test_a_file_in_uuencode_is_read_whatever_its_encoding_is_called(encoding: bytes) -> None:
    raw = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nx\r\n--b\r\n'
        b'Content-Disposition: attachment; filename="a.xls"\r\nContent-Transfer-Encoding: '
        + encoding
        + b"\r\n\r\n"
        b"begin 644 a.xls\r\n" + binascii.b2a_uu(b"PK\x03\x04") + b"`\r\nend\r\n--b--\r\n"
    )
    [file] = parse(raw).attachments
    assert (file.name, file.data) == ("a.xls", b"PK\x03\x04")
