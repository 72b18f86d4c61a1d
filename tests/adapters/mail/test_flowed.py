"""format=flowed in replies (RFC 3676): lines put together, quotations told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.adapters.mail.flowed import rejoined
from workflow.adapters.mail.mime import parse, quoted_above


@pytest.mark.parametrize(
    ("text", "delsp", "wanted"),
    [
        # Soft breaks, with and without the blank before them.
        ("Nothing has \nchanged.", False, "Nothing has changed."),
        ("本季度 \n无变化。", True, "本季度无变化。"),
        ("A hard break\nstays", False, "A hard break\nstays"),
        # An empty line, and one of a blank that was stuffed, end a paragraph or go on with it.
        ("one \n\ntwo", False, "one \ntwo"),
        # Stuffed blanks: a line that begins with one, with From, or with what looks like a quotation and is the writer's own.
        (" From here", False, "From here"),
        ("  indented", False, " indented"),
        (" > is my own", False, " > is my own"),
        # A quotation is put together by itself, whatever depth it has.
        ("> quoted \n> text", False, "> quoted text"),
        (">> deep \n>> er\n> shallow", False, ">> deep er\n> shallow"),
        # A soft break does not reach over to another depth.
        ("> quoted \nown words", False, "> quoted \nown words"),
        ("own \n> quoted", False, "own \n> quoted"),
        ("> a \n>> b", False, "> a \n>> b"),
        # The line above a signature is never a soft break, and nothing flows into it.
        ("确认 \n-- \n某某小学", False, "确认 \n-- \n某某小学"),
        ("> x\n> -- \n> y", False, "> x\n> -- \n> y"),
    ],
)
def test_lines_are_put_together_as_they_were_written(text: str, delsp: bool, wanted: str) -> None:
    assert rejoined(text, delsp=delsp) == wanted


@pytest.mark.parametrize("quotes", ["", '"'])
@pytest.mark.parametrize(
    "header", ["format=flowed; delsp=yes", "delsp=yes; FORMAT=Flowed", "format=flowed;delsp=YES"]
)
def test_a_reply_that_says_so_is_read_so(header: str, quotes: str) -> None:
    said = header.replace("=flowed", f"={quotes}flowed{quotes}")
    body = "我校核实后 \r\n确认 \r\n。\r\n\r\n> 请核 \r\n> 实\r\n"
    raw = f"Content-Type: text/plain; charset=utf-8; {said}\r\n\r\n{body}".encode()
    assert quoted_above(parse(raw).text) == "我校核实后确认。"


def test_a_reply_that_does_not_say_so_keeps_its_lines() -> None:
    raw = "Content-Type: text/plain; charset=utf-8\r\n\r\n我校 \r\n确认\r\n".encode()
    assert parse(raw).text.splitlines() == ["我校 ", "确认"]


def test_one_read_by_the_standard_library_is_no_other() -> None:
    odd = b'Content-Disposition: inline; filename="\xb1\xa8.txt\r\n'  # a raw name, which the fast parser is not trusted with
    raw = odd + "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n确 \r\n认".encode()
    assert parse(raw).text in {"确认", ""}


@given(st.text(alphabet="ab> -\n", max_size=60), st.booleans())
def test_no_sign_but_blanks_is_lost_or_changes_its_side_of_the_quotation(text: str, delsp: bool) -> None:
    def signs(lines: str, *, quoted: bool) -> str:
        found = [line for line in lines.split("\n") if line.startswith(">") is quoted]
        return "".join("".join(found).replace(" ", "").replace("\n", "").split())

    joined = rejoined(text, delsp=delsp)
    for quoted in (True, False):
        # Of a quotation its marks are written once for each joined line.
        assert signs(joined, quoted=quoted).replace(">", "") == signs(text, quoted=quoted).replace(">", "")
