"""Pictures of what people receive, drawn from a demo's workspace with LibreOffice and pdftoppm.

`make demo`, then `python -m tools.draw_pictures demo docs/pictures`: the first pages of a stamped form, of a return with
its list of findings, and of the provincial consolidated workbook.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workflow.adapters.mail.mime import parse

#: What to draw: the picture's name, a word of the letter's subject, the page of the workbook.
LETTERS = (("stamped", "关于报送", 1), ("returned-list", "退回修改", 1), ("returned-form", "退回修改", 2))
DPI = 80


def workbooks(workspace: Path) -> Iterator[tuple[str, bytes, int]]:
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


def draw(name: str, data: bytes, page: int, target: Path, place: Path) -> None:
    """One page of a workbook as PNG."""
    source = place / f"{name}.xlsx"
    source.write_bytes(data)
    office = ("soffice", f"-env:UserInstallation={(place / 'profile').as_uri()}", "--headless")
    subprocess.run(
        [*office, "--convert-to", "pdf", "--outdir", place, source], check=True, capture_output=True
    )
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
