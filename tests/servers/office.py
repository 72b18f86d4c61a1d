"""LibreOffice and poppler: what a unit's program makes of our files, and what a person would see."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILTERS = {
    "pdf": "pdf:calc_pdf_Export",
    "xlsx": "xlsx:Calc MS Excel 2007 XML",
    "xls": "xls:MS Excel 97",
    "ods": "ods:calc8",
    "html": "html:HTML (StarCalc)",
}


def missing_office() -> str | None:
    """Why LibreOffice can't be used here, or None."""
    return None if shutil.which("soffice") else "LibreOffice is not installed (libreoffice-calc)"


def missing_renderer() -> str | None:
    """Why PDF pages can't be drawn here, or None."""
    return None if shutil.which("pdftoppm") else "pdftoppm is not installed (poppler-utils)"


class Office:
    """LibreOffice with a profile of its own; calling it opens a file and saves it in another format."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def __call__(self, path: Path, kind: str, outdir: Path) -> Path:
        """Convert a spreadsheet to `pdf`, `xlsx`, `xls`, `ods` or `html` in a folder; the new file."""
        return self.many([path], kind, outdir)[0]

    def many(self, paths: Sequence[Path], kind: str, outdir: Path) -> list[Path]:
        """Convert many spreadsheets in one start; the new files in the same order."""
        results = [outdir / f"{path.stem}.{kind}" for path in paths]
        for path, result in zip(paths, results, strict=True):
            if result.resolve() == path.resolve():
                raise ValueError(f"would write over {path}: name another folder")
        outdir.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *("soffice", f"-env:UserInstallation={self._profile.as_uri()}", "--headless", "--norestore"),
                *("--convert-to", FILTERS[kind], "--outdir", str(outdir), *map(str, paths)),
            ],
            capture_output=True,
            text=True,
            timeout=150 + 2 * len(paths),
            check=False,
            stdin=subprocess.DEVNULL,
        )
        # LibreOffice ends with 0 also where it could not read the file.
        for result in results:
            if done.returncode or not result.exists():
                raise RuntimeError(f"LibreOffice made no {result.name}: {done.stdout}{done.stderr}")
        return results


def pictures(pdf: Path, *, dpi: int = 80) -> list[Path]:
    """Draw each page of a PDF beside it as PNG; the pictures in page order."""
    stem = pdf.with_suffix("")
    subprocess.run(["pdftoppm", "-png", "-r", str(dpi), str(pdf), str(stem)], check=True, timeout=150)
    return sorted(pdf.parent.glob(f"{stem.name}-*.png"))
