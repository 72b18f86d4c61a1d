"""Writes the four shipped forms to templates/forms/ and checks them.

    python tools/author_forms.py                 the forms themselves
    python tools/author_forms.py --proof DIR     copies with sample answers too, for proof-reading the print

From then on the workbooks are edited as workbooks; this script is the record of how they were first made.
The same contents give the same bytes.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from forms import department, school, university, vocational
from forms.check import faults
from forms.definitions import define
from forms.layout import EXPLANATIONS, PEOPLE, draw, explanations, face, numbering, people
from forms.model import PERSON, RESERVED, Form
from forms.pack import pack
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.workbook import Workbook

FORMS = (school.FORM, vocational.FORM, university.FORM, department.FORM)
FOLDER = Path(__file__).resolve().parent.parent / "templates" / "forms"
PRINTED = {
    "单位名称": "示例县示例单位",
    "单位代码": "4100000000",
    "填报期": "2026年第4季度",
    "任务": "2026Q4",
    "截止日期": "2026年12月31日",
    "副本": "1",
    "令牌": "K1-ABCDE-FGHIJ-KLMNO-PQRST",
}


def build(form: Form) -> Workbook:
    """The form as a workbook: the visible sheets, then the definition sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    # The Normal style's font: Chinese offices have 宋体 11 there, and column widths count its digits.
    # openpyxl has no public way to set it.
    book._fonts = IndexedList([face()])  # noqa: SLF001
    book._named_styles["Normal"].font = face()  # noqa: SLF001
    numbers = numbering(form)
    for page in form.pages:
        draw(book.create_sheet(page.name), form, page, numbers)
    people(book.create_sheet(PEOPLE), form, numbers)
    explanations(book.create_sheet(EXPLANATIONS), form, numbers)
    define(book, form)
    return book


def fill(book: Workbook, form: Form) -> None:
    """Puts the samples in place of the tags and leaves out the definition sheets."""
    answers = {item.name: item.sample for item in (*form.fields(), *form.columns(), *RESERVED, *PERSON)}
    for name in ("设置", "字段", "选项", "规则"):
        book.remove(book[name])
    for sheet in book.worksheets:
        for cells in sheet.iter_rows():
            for cell in cells:
                if not isinstance(cell.value, str):
                    continue
                words = re.sub(r"\{\{@(.+?)\}\}", lambda found: PRINTED[found[1]], cell.value)
                cell.value = answers.get(words[2:-2], "") if words.startswith("{{") else words


def main() -> int:
    """Writes all forms, or says what is wrong and writes none."""
    parser = argparse.ArgumentParser(description="Write the shipped forms.")
    parser.add_argument("--proof", type=Path, help="folder for copies filled with sample answers")
    proof: Path | None = parser.parse_args().proof
    books = [(form, build(form)) for form in FORMS]
    found = [f"{form.id}: {fault}" for form, book in books for fault in faults(form, book)]
    if found:
        print("\n".join(found), file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    for form, book in books:
        (FOLDER / f"{form.id}.xlsx").write_bytes(pack(book, form.name))
        numbers = set(numbering(form).values())
        print(f"{form.id}: {len(form.fields())} indicators, {len(numbers)} numbers, {len(form.rules)} rules")
        if proof is not None:
            proof.mkdir(parents=True, exist_ok=True)
            fill(book, form)
            (proof / f"{form.id}.xlsx").write_bytes(pack(book, form.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
