"""What formulas mean, as tables of a formula and its value over `ANSWERS` and `PREVIOUS`.

Whatever evaluates formulas is held to them: `domain.rules` in tests/domain/test_rules.py, and `adapters.frames` beside it in
tests/adapters/test_frames.py.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from workflow.domain.rules import ExcelError

if TYPE_CHECKING:
    from workflow.domain.form import Value

ANSWERS: dict[str, Value] = {
    "三": 3,
    "负二": -2,
    "半": 0.5,
    "文字": "abc",
    "数字样": "3",
    "接入": True,
    "未接入": False,
    "建成日": dt.date(2026, 12, 31),
    "空": None,
    "表.列": 7,
}
PREVIOUS: dict[str, Value] = {"三": 2, "空": None}

#: How tightly operators bind, and what may be written in several ways.
PRECEDENCE: list[tuple[str, object]] = [
    ("=1+2*3", 7),
    ("(1+2)*3", 9),
    ("10-3-2", 5),
    ("2^3^2", 64),
    ("-2^2", 4),
    ("0-2^2", -4),
    ("2^-1", 0.5),
    ("--3", 3),
    ("50%", 0.5),
    ("200%%", 0.02),
    ("4^50%", 2),
    ("-2%", -0.02),
    ('"a"&1+2', "a3"),
    ("1&2=12", False),
    ("1<2<3", False),
    ("1=1=TRUE", True),
    (".5+1.", 1.5),
    ("1.5e3", 1500),
    ('"说""好"""', '说"好"'),
    ("true", True),
    ("if(TRUE,1,2)", 1),
    (" = SUM ( 三 , 1 ) ", 4),
    ("表.列+1", 8),
    ("+文字", "abc"),
]

#: A blank is 0, "" and FALSE, whatever it stands beside.
BLANKS: list[tuple[str, object]] = [
    ("空=0", True),
    ('空=""', True),
    ("空=FALSE", True),
    ("空=没有这个字段", True),
    ("空<1", True),
    ("空+1", 1),
    ('空&"x"', "x"),
    ("空", 0),
    ("ISBLANK(空)", True),
    ("ISBLANK(三)", False),
    ("ISBLANK(1/0)", False),
    ("ISBLANK(IF(TRUE,空))", True),
    ("LEN(空)", 0),
    ("NOT(空)", True),
    ('IF(空,"有","无")', "无"),
    ("VALUE(空)", 0),
]

#: An answer is what stands in its cell.
IN_CELLS: list[tuple[str, object]] = [
    ('接入="是"', True),
    ('未接入="否"', True),
    ("接入=TRUE", False),
    ('接入&"的"', "是的"),
    ("COUNTA(接入,未接入)", 2),
    ("COUNT(接入)", 0),
    ("接入+1", ExcelError.VALUE),
    ("IF(接入,1,2)", ExcelError.VALUE),
    ("建成日", 46387),
    ("建成日+1>建成日", True),
    ('建成日=VALUE("2026-12-31")', True),
    ('建成日=VALUE("2026年12月31日")', True),
    ('建成日-"2026/12/30"', 1),
]

#: Fifteen digits, texts without case, number before text before logical value.
COMPARISONS: list[tuple[str, object]] = [
    ("0.1+0.2=0.3", True),
    ("0.1+0.2<=0.3", True),
    ("0.1+0.2>0.3", False),
    ("0.5-0.4-0.1=0", True),
    ("SUM(0.1,0.2,-0.3)=0", True),
    ("1.00000000000001=1", False),
    ("1.000000000000001=1", True),
    ("123456789012345=123456789012346", False),
    ('"ABC"="abc"', True),
    ('文字="ABC"', True),
    ('"Ａ"="ａ"', True),
    ('"É"="é"', True),
    ('"3"=3', False),
    ('"0">999', True),
    ('TRUE>"文字"', True),
    ('"a"<"B"', True),
    ("-0.0=0", True),
]

#: Texts that spell numbers are numbers; the first error is the result.
ARITHMETIC: list[tuple[str, object]] = [
    ('"3"+1', 4),
    ("数字样*2", 6),
    ('"1,234"+0', 1234),
    ('"12,34"+0', ExcelError.VALUE),
    ('"85%"+0', 0.85),
    ('" -1.5e2 "+0', -150),
    ('""+1', ExcelError.VALUE),
    ('"三"+1', ExcelError.VALUE),
    ('"TRUE"+1', ExcelError.VALUE),
    ('"2026-02-30"+0', ExcelError.VALUE),
    ("TRUE+TRUE", 2),
    ("1/0", ExcelError.DIV0),
    ("1/空", ExcelError.DIV0),
    ("10^308*10", ExcelError.NUM),
    ("9^9^9^9", ExcelError.NUM),
    ("(-8)^0.5", ExcelError.NUM),
    ("0^0", ExcelError.NUM),
    ("0^-1", ExcelError.DIV0),
    ("SUM(10^308,10^308)", ExcelError.NUM),
    ("1/0+文字*2", ExcelError.DIV0),
    ("文字*2+1/0", ExcelError.VALUE),
    ("(1/0)=(1/0)", ExcelError.DIV0),
    ('1/0&"x"', ExcelError.DIV0),
]

#: One branch only; an error in AND and OR is never hidden.
LOGIC: list[tuple[str, object]] = [
    ("IF(TRUE,1,1/0)", 1),
    ("IF(FALSE,1/0,2)", 2),
    ("IF(FALSE,1)", False),
    ("IF(1/0,1,2)", ExcelError.DIV0),
    ('IF("true",1,2)', 1),
    ('IF("x",1,2)', ExcelError.VALUE),
    ("IFERROR(1/0,5)", 5),
    ("IFERROR(4,1/0)", 4),
    ("IFERROR(1/0,文字*1)", ExcelError.VALUE),
    ("AND(1,三>2)", True),
    ("AND(TRUE,空)", True),
    ("AND(文字,TRUE)", True),
    ('AND("x",TRUE)', ExcelError.VALUE),
    ('AND("TRUE",TRUE)', True),
    ("AND(空)", ExcelError.VALUE),
    ("OR(FALSE,0,三)", True),
    ("OR(空,FALSE)", False),
    ("OR(TRUE,1/0)", ExcelError.DIV0),
    ("NOT(0)", True),
    ("NOT(文字)", ExcelError.VALUE),
]

#: Texts and blanks of cells are left out, those that are written are read.
AGGREGATES: list[tuple[str, object]] = [
    ("SUM(三,负二,半)", 1.5),
    ("SUM(三,数字样,文字,空,接入)", 3),
    ('SUM("3",TRUE,1)', 5),
    ('SUM("x",1)', ExcelError.VALUE),
    ("SUM(三,1/0)", ExcelError.DIV0),
    ("SUM(数字样+0)", 3),
    ("MAX(三,负二)", 3),
    ("MIN(三,负二,空)", -2),
    ("MAX(空,文字)", 0),
    ("AVERAGE(三,空,1)", 2),
    ("AVERAGE(空)", ExcelError.DIV0),
    ("COUNT(三,文字,数字样,空,建成日)", 2),
    ('COUNT("3","x",TRUE,1/0)', 2),
    ("COUNTA(三,文字,空,接入,1/0)", 4),
    ('COUNTA("")', 1),
    ("ABS(负二)", 2),
    ("LEN(文字)", 3),
    ("LEN(12.50)", 4),
    ("LEN(TRUE)", 4),
    ('VALUE("12")', 12),
    ("VALUE(TRUE)", ExcelError.VALUE),
    ('VALUE("")', ExcelError.VALUE),
]

#: Decimal digits are rounded, half away from zero; a remainder has the sign of its divisor.
ROUNDING: list[tuple[str, object]] = [
    ("ROUND(2.675,2)", 2.68),
    ("ROUND(1.005,2)", 1.01),
    ("ROUND(2.5,0)", 3),
    ("ROUND(-2.5,0)", -3),
    ("ROUND(-0.4,0)", 0),
    ("ROUND(1250,-2)", 1300),
    ("ROUND(5,-1)", 10),
    ("ROUND(4,-400)", 0),
    ("ROUND(1.23,1.9)", 1.2),
    ("ROUND(1.23,999999999)", 1.23),
    ("ROUND(1234567890123456,0)", 1234567890123456),
    ("ROUND(1.1e300,2)", 1.1e300),
    ("INT(1.9)", 1),
    ("INT(-1.1)", -2),
    ("MOD(7,3)", 1),
    ("MOD(-7,3)", 2),
    ("MOD(7,-3)", -2),
    ("MOD(5.5,2)", 1.5),
    ("MOD(7,0)", ExcelError.DIV0),
]

#: Numbers as they show up to fifteen digits.
SHOWN: list[tuple[str, str]] = [
    ('1.50&""', "1.5"),
    ('1/3&""', "0.333333333333333"),
    ('(0.1+0.2)&""', "0.3"),
    ('-0.0&""', "0"),
    ('100000&""', "100000"),
    ('10^20&""', "100000000000000000000"),
    ('10^21&""', "1E+21"),
    ('1.5*10^-30&""', "1.5E-30"),
    ('TRUE&""', "TRUE"),
]

#: A rule is kept, broken, or says nothing.
KEPT: list[tuple[str, bool | None]] = [
    ("三>2", True),
    ("三<2", False),
    ("三", True),
    ("0", False),
    ("空", False),
    ("文字", None),
    ('"TRUE"', None),
    ("文字>1", True),
    ("文字*1>1", None),
    ("1/0", None),
]

#: What says nothing without the last reported value of 三.
UNKNOWN = [
    "上期(三)=0",
    "IFERROR(上期(三),1)",
    "COUNTA(上期(三))",
    "ISBLANK(上期(三))",
    "OR(TRUE,上期(三)>1)",
    "-上期(三)",
]

#: Every table of values.
MEANINGS: list[tuple[str, object]] = [
    *PRECEDENCE, *BLANKS, *IN_CELLS, *COMPARISONS, *ARITHMETIC, *LOGIC, *AGGREGATES, *ROUNDING, *SHOWN,
]  # fmt: skip
