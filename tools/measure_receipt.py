"""Measures the printed 负责人回执表: `python -m tools.measure_receipt` prints the numbers of workflow/adapters/scan/geometry.py.

The blank form is printed with LibreOffice; the ruling lines are the rows and columns of pixels that are nearly all black.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import zxingcpp

from workflow.adapters.workbook.receipt import stamp_receipt
from workflow.domain.roster import Unit, UnitKind

DPI = 300
_MM = 25.4 / DPI


@dataclass(frozen=True)
class Measured:
    """In mm from the table's upper left corner, which itself is at `origin` on the sheet."""

    origin: tuple[float, float]
    upright: tuple[float, ...]
    across: tuple[float, ...]
    code: tuple[tuple[float, float], ...]


def measure(pdf: bytes) -> Measured:
    """The lines and the code on the first page of a printed form."""
    document = pdfium.PdfDocument(pdf)
    page = np.squeeze(document[0].render(scale=DPI / 72, grayscale=True).to_numpy())
    document.close()
    dark = page < 140
    across = _centres(dark.mean(axis=1) > 0.7)
    upright = _centres(dark[round(across[0] / _MM) : round(across[-1] / _MM)].mean(axis=0) > 0.8)
    left, top = upright[0], across[0]
    at = zxingcpp.read_barcodes(np.ascontiguousarray(page))[0].position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    return Measured(
        (round(left, 2), round(top, 2)),
        tuple(round(x - left, 2) for x in upright),
        tuple(round(y - top, 2) for y in across),
        tuple((round(point.x * _MM - left, 1), round(point.y * _MM - top, 1)) for point in corners),
    )


def _centres(marked: np.ndarray) -> Sequence[float]:
    """The middles of runs of marked pixels, in mm."""
    places = np.flatnonzero(marked)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
    return [(float(run.mean()) + 0.5) * _MM for run in runs]


def main() -> int:
    """Prints the form and its measures."""
    unit = Unit("000000", "", UnitKind.CITY, "410000")
    with tempfile.TemporaryDirectory() as place:
        workbook = Path(place) / "receipt.xlsx"
        workbook.write_bytes(stamp_receipt(unit, "2026Q4", "HZ-" + "A" * 17))
        profile = f"-env:UserInstallation={(Path(place) / 'profile').as_uri()}"
        command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", place, str(workbook)]
        subprocess.run(command, check=True, capture_output=True, timeout=150)
        print(measure(workbook.with_suffix(".pdf").read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
