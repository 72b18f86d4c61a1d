"""Random formulas, most of them sensible, over a few answers of every kind."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.domain.form import Value

ANSWERS: Mapping[str, Value] = {
    "学生数": 1250,
    "教师数": 86,
    "班级数": 0,
    "带宽": 200.5,
    "比例": 0.85,
    "结余": -12.25,
    "零点一": 0.1,
    "零点二": 0.2,
    "名称": "Abc小学",
    "数字样": "3",
    "接入": True,
    "未接入": False,
    "建成日": dt.date(2019, 11, 1),
    "空": None,
    "空二": None,
}
PREVIOUS: Mapping[str, Value] = {
    "学生数": 1200, "教师数": 90, "带宽": 100, "比例": 0.9, "名称": "ABC小学", "建成日": dt.date(2018, 9, 30)
}  # fmt: skip


class Author:
    """Writes random formulas of a given kind."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def formula(self) -> str:
        return self._random.choice([self.number, self.logical, self.logical, self.text])(4)

    def _pick(self, *makers: Callable[[], str]) -> str:
        return self._random.choice(makers)()

    def number(self, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.15:
            return self._pick(self.numeric_cell, self.numeric_cell, self.literal, self.odd_cell)
        return self._pick(
            lambda: f"({self.number(depth - 1)}{self._random.choice('+-*/')}{self.number(depth - 1)})",
            lambda: f"{self.number(depth - 1)}{self._random.choice('+-*/')}{self.number(depth - 1)}",
            lambda: f"-{self.number(0)}^{self._random.choice(['2', '3', '0.5', '50%'])}",
            lambda: f"{self._random.choice(['学生数', '上期(比例)', '结余'])}^-{self._random.choice('12')}",
            lambda: f"({self.logical(0)}+{self.number(depth - 1)})",
            lambda: f"{self.number(0)}%",
            lambda: f"ABS({self.number(depth - 1)})",
            lambda: f"ROUND({self.number(depth - 1)},{self._random.randint(-2, 4)})",
            lambda: f"INT({self.numeric_cell()}/{self._random.choice('248')})",
            lambda: f"MOD({self.numeric_cell()},{self._random.choice(['7', '-7', '班级数', '0.25'])})",
            lambda: (
                f"{self._random.choice(['SUM', 'MAX', 'MIN', 'AVERAGE', 'COUNT', 'COUNTA'])}({self.mixed(depth)})"
            ),
            lambda: f"IF({self.logical(depth - 1)},{self.number(depth - 1)},{self.number(depth - 1)})",
            lambda: f"IFERROR({self.number(depth - 1)},{self.number(0)})",
            lambda: f"LEN({self.text(depth - 1)})",
            lambda: f"VALUE({self._random.choice(['数字样', '名称', '学生数'])})",
        )

    def mixed(self, depth: int) -> str:
        makers = (self.numeric_cell, self.odd_cell, self.odd_cell, lambda: f"{self.number(depth - 1)}+0")
        return ",".join(self._pick(*makers) for _ in range(self._random.randint(1, 5)))

    def logical(self, depth: int) -> str:
        if depth <= 0:
            return self._pick(lambda: "TRUE", lambda: "FALSE", lambda: f"ISBLANK({self.cell()})")
        compared = self._random.choice(["=", "<>", "<", "<=", ">", ">="])
        equal = self._random.choice(["=", "<>"])
        return self._pick(
            lambda: f"{self.number(depth - 1)}{compared}{self.number(depth - 1)}",
            lambda: f"{self.text(depth - 1)}{equal}{self.text(depth - 1)}",
            lambda: f"{self.cell()}{equal}{self.cell()}",
            lambda: f"({self.logical(depth - 1)}){compared}({self.logical(depth - 1)})",
            lambda: f"{self.text(0)}{compared}{self.number(0)}+0",
            lambda: f"AND({self.logical(depth - 1)},{self.cell()},{self.logical(depth - 1)})",
            lambda: f"OR({self.logical(depth - 1)},{self.cell()})",
            lambda: f"NOT({self.logical(depth - 1)})",
            lambda: f"IF({self.logical(depth - 1)},{self.logical(depth - 1)})",
        )

    def text(self, depth: int) -> str:
        if depth <= 0:
            return self._pick(
                lambda: self._random.choice(["名称", "接入", "未接入", "空", "上期(名称)"]),
                lambda: self._random.choice(['"是"', '"否"', '"abc"', '""', '"说""好"""']),
            )
        return self._pick(
            lambda: f"{self.text(depth - 1)}&{self.number(depth - 1)}",
            lambda: f"({self.text(0)}&{self.text(depth - 1)})",
            lambda: f"IF({self.logical(depth - 1)},{self.text(0)},{self.text(0)})",
        )

    def cell(self) -> str:
        return self._random.choice(list(ANSWERS))

    def numeric_cell(self) -> str:
        current = ["学生数", "教师数", "班级数", "带宽", "比例", "结余", "零点一", "零点二", "建成日", "空"]
        before = ["学生数", "教师数", "带宽", "比例", "建成日"]
        return self._pick(
            lambda: self._random.choice(current), lambda: f"上期({self._random.choice(before)})"
        )

    def odd_cell(self) -> str:
        return self._random.choice(["空二", "数字样", "名称", "接入", "空"])

    def literal(self) -> str:
        return self._random.choice(["0", "1", "3", "0.1", "2.675", "1000", "1.5e3", "99.995", '"3"'])
