"""format=flowed (RFC 3676): a text whose lines were broken softly, put together again, its quotations told apart."""

from __future__ import annotations

_SIGNATURE = "-- "


def rejoined(text: str, *, delsp: bool) -> str:
    """The text with its soft line breaks taken out and without stuffed blanks (section 4.4), each line of a quotation behind as many
    `>` as it is deep (4.5). With `delsp` the blank before a soft break goes too (4.3), as Chinese text needs it. A soft break
    counts only between lines of one depth, and `-- ` is never one.
    """
    kept: list[str] = []
    open_, depth = False, 0
    for line in text.split("\n"):
        quoted = len(line) - len(line.lstrip(">"))
        said = line[quoted:]
        stuffed = said.startswith(" ")
        said = said[1:] if stuffed else said
        signature = said == _SIGNATURE
        if open_ and quoted == depth and not signature:
            kept[-1] += said
        else:
            # A stuffed blank stays before what would look like a quotation and is the writer's own.
            own = not quoted and said.startswith(">")
            kept.append(">" * quoted + " " * bool(quoted) + said if not own else f" {said}")
        open_ = said.endswith(" ") and not signature
        depth = quoted
        if open_ and delsp:
            kept[-1] = kept[-1][:-1]
    return "\n".join(kept)
