"""The table of rectangles is what LibreOffice prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.measure_receipt import measure
from workflow.adapters.scan.geometry import ACROSS, CODE, PLACES, UPRIGHT
from workflow.adapters.workbook.receipt import HEADINGS, stamp_receipt
from workflow.domain.roster import Role, Unit, UnitKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.office import Office


def test_the_cells_lie_where_the_form_prints_them(soffice: Office, tmp_path: Path) -> None:
    workbook = tmp_path / "receipt.xlsx"
    unit = Unit("410100", "示例市教育局", UnitKind.CITY, "410000")
    workbook.write_bytes(stamp_receipt(unit, "2026Q4", "HZ-1ABCDEFGHIJKLMNOP"))
    printed = measure(soffice(workbook, "pdf", tmp_path / "pdf").read_bytes())
    assert printed.upright == pytest.approx(UPRIGHT, abs=0.15)
    assert printed.across == pytest.approx(ACROSS, abs=0.15)
    for corner, expected in zip(printed.code, CODE, strict=True):
        assert corner == pytest.approx(expected, abs=0.3)


def test_rows_and_columns_are_in_the_order_of_the_form() -> None:
    assert [place.row for place in PLACES.values()] == [
        row for row, _ in enumerate(Role, 1) for _ in range(7)
    ]
    for (_, column), place in PLACES.items():
        assert HEADINGS[place.column].replace("\n", "") == column.value
