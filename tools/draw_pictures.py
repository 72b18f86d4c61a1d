"""Pictures of what people receive, drawn from a demo's workspace with LibreOffice and pdftoppm.

`make demo`, then `python -m tools.draw_pictures demo docs/pictures`: the first pages of a stamped form, of a return with
its list of findings, and of the provincial consolidated workbook; and of a county's copy, filled with made-up figures,
the page with the repeating table and the sheet 自查 with faults and without.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workflow.adapters.mail.mime import parse
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.stamp import stamp
from workflow.demo.figures import plausible
from workflow.demo.filling import facts, spoil
from workflow.domain.form import Value
from workflow.domain.submission import CopyIdentity

#: What to draw: the picture's name, a word of the letter's subject, the page of the workbook.
LETTERS = (("stamped", "关于报送", 1), ("returned-list", "退回修改", 1), ("returned-form", "退回修改", 2))
#: A page is told by its number, or by words that stand on it and on none before.
Page = int | str
TABLE_PAGE, CHECK_PAGE = "六、本年信息化重点项目", "自查表"
DPI = 80
_UNIT, _CODE, _SEED, _DAY = "示例县教育局", "410199", 7, dt.date(2026, 12, 28)


def copies(form: Path) -> Iterator[tuple[str, bytes, Page]]:
    """A county's copy filled in, right and wrong, so that LibreOffice works out its 自查 sheet."""
    compiled = compile_form(form.read_bytes(), form.name)
    known = facts(compiled.form, _UNIT, _CODE)
    before = plausible(compiled.form, _SEED, known, None, _DAY - dt.timedelta(days=92))
    right = plausible(compiled.form, _SEED, known, before, _DAY)
    wrong: dict[str, Value] = {
        name: value
        for name, value in spoil(compiled.form, right, _SEED).items()
        if not isinstance(value, dt.time)
    }
    identity = CopyIdentity("2026Q4", _CODE, compiled.form.id, compiled.form.version, 1, "HZ-1" + "A" * 16)
    printed = {"单位名称": _UNIT, "填报期": "2026年第四季度", "截止日期": "2026年12月31日"}
    for name, answers, page in (
        ("form-table", right, TABLE_PAGE),
        ("selfcheck-green", right, CHECK_PAGE),
        ("selfcheck-red", wrong, CHECK_PAGE),
    ):
        yield name, stamp(compiled, identity, printed, answers, before), page


def workbooks(workspace: Path) -> Iterator[tuple[str, bytes, Page]]:
    """The workbooks to draw, by the picture's name, with the page wanted."""
    letters = [parse(path.read_bytes()) for path in sorted((workspace / "outbox" / "letters").rglob("*.eml"))]
    for name, subject, page in LETTERS:
        yield (
            name,
            next(
                letter.attachments[0].data
                for letter in letters
                if subject in letter.subject and letter.attachments and "中小学" in letter.attachments[0].name
            ),
            page,
        )
    book = max((workspace / "outbox" / "consolidated").rglob("410000_*.xlsx"), key=lambda path: path.name)
    for name, page in (("consolidated-cover", 1), ("consolidated-rows", 3)):
        yield name, book.read_bytes(), page
    yield from copies(workspace / "templates" / "forms" / "department.xlsx")


def _page_with(words: str, pdf: Path) -> int:
    """The first page on which the words stand."""
    text = subprocess.run(["pdftotext", pdf, "-"], check=True, capture_output=True, text=True).stdout
    pages = ["".join(page.split()) for page in text.split("\f")]
    return next(number for number, page in enumerate(pages, start=1) if words in page)


def draw(name: str, data: bytes, page: Page, target: Path, place: Path) -> None:
    """One page of a workbook as PNG."""
    source = place / f"{name}.xlsx"
    source.write_bytes(data)
    office = ("soffice", f"-env:UserInstallation={(place / 'profile').as_uri()}", "--headless")
    subprocess.run(
        [*office, "--convert-to", "pdf", "--outdir", place, source], check=True, capture_output=True
    )
    if isinstance(page, str):
        page = _page_with(page, place / f"{name}.pdf")
    pages = ("-f", str(page), "-l", str(page), "-singlefile")
    subprocess.run(
        ["pdftoppm", "-r", str(DPI), *pages, "-png", place / f"{name}.pdf", target / name], check=True
    )


def main(workspace: Path, target: Path) -> int:
    """Draw them all."""
    if not (shutil.which("soffice") and shutil.which("pdftoppm")):
        print("needs LibreOffice and poppler-utils: tools/install-servers.sh installs them", file=sys.stderr)
        return 2
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for name, data, page in workbooks(workspace):
            draw(name, data, page, target, Path(place))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
