"""Where everything stands on the printed 负责人回执表, in mm, from the upper left corner of its table.

Measured on what LibreOffice prints (`python -m tools.measure_receipt`); a test prints the form again and compares. Other
programs print the columns up to 15 % narrower and all alike, with the rows and the code as they are, so a table is found by
its proportions and only its rows are held to mm.
"""

from __future__ import annotations

from dataclasses import dataclass

from workflow.domain.receipt import Cell, Column
from workflow.domain.roster import Role

Point = tuple[float, float]

#: The ruling lines: nine upright, five across.
UPRIGHT = (0.0, 19.13, 45.08, 69.76, 115.44, 156.80, 191.38, 223.47, 275.33)
ACROSS = (0.0, 14.05, 30.14, 46.31, 62.40)
WIDTH, HEIGHT = UPRIGHT[-1], ACROSS[-1]
#: The code without its quiet zone, from its upper left corner clockwise.
CODE: tuple[Point, Point, Point, Point] = ((230.8, 91.1), (262.9, 91.1), (262.9, 123.2), (230.8, 123.2))
#: The line 教育行政部门/高校（盖章）：单位, across which the seal is pressed.
NAME_LINE = (0.0, -22.0, 165.0, -5.0)
#: The whole printed page as far as anybody writes or stamps on it.
PAGE = (-10.8, -62.0, 286.0, 130.0)


@dataclass(frozen=True, slots=True)
class Place:
    """A cell by its place in the grid: the row and column of ruling lines before it."""

    row: int
    column: int


PLACES: dict[Cell, Place] = {
    (role, column): Place(row, place)
    for row, role in enumerate(Role, 1)
    for place, column in enumerate(Column, 1)
}
