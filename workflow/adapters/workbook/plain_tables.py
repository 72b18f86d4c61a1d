"""Tables that others hand on: the filled sheets of a workbook, or a text file in whichever encoding an office program wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from python_calamine import CalamineError, load_workbook

from workflow.domain.errors import Fault, Refused


def tables(data: bytes, name: str) -> Sequence[tuple[str, Sequence[Sequence[object]]]]:
    """The sheets that have any lines, each by its name and from its cell A1 on; a text file is one without a name. Raises
    Refused for what can't be read and for what is empty.
    """
    if name.lower().endswith((".csv", ".txt", ".tsv")):
        return [("", _text_lines(data, name))]
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError as error:
        remedy = "请用Excel或WPS打开，另存为“Excel 工作簿（*.xlsx）”或 csv；设有密码的请先取消"
        raise Refused(Fault(name, "不是可以读取的工作簿", remedy)) from error
    found = [
        (sheet, book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)) for sheet in book.sheet_names
    ]
    filled = [(sheet, lines) for sheet, lines in found if lines]
    if not filled:
        raise Refused(Fault(name, "工作簿中没有数据", "请核对文件"))
    return filled


def _text_lines(data: bytes, name: str) -> list[list[str]]:
    text = _decoded(data, name)
    first = text.partition("\n")[0]
    between = max((",", "\t", ";", "，"), key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=between))


def _decoded(data: bytes, name: str) -> str:
    """Text of the encodings that Excel and WPS write: UTF-8 and UTF-16 by their mark, else UTF-8, else GB 18030."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    line = 1
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise Refused(
        Fault(
            f"{name} 第{line}行附近",
            "文字编码不认识，既不是UTF-8也不是GB18030",
            "请用Excel打开，另存为“CSV UTF-8”",
        )
    )
