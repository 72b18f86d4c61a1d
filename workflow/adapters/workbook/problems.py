"""The 问题清单 sheet that opens a returned workbook."""

from __future__ import annotations

from workflow.adapters.workbook.styles import Styles

SHEET = "问题清单"


def problem_styles(styles: Styles) -> dict[str, int]:
    return {}
