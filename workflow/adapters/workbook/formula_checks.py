"""What is wrong, or doubtful, with a formula of a form, in words that say how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.adapters.workbook.definition import Definition
from workflow.adapters.workbook.selfcheck import LONGEST, Reckoning
from workflow.domain import rules
from workflow.domain.columns import misplaced
from workflow.domain.form import FieldType, Form
from workflow.domain.formulas import Binary, Boolean, Call, Expr, Name, Previous, Text, children

#: Excel's own limit of a text inside a formula.
_LONGEST_TEXT = 255
_CONDITIONS: Mapping[str, slice] = {"IF": slice(1), "AND": slice(None), "OR": slice(None), "NOT": slice(1)}


def check_formula(found: Definition, place: str, formula: str, table: str = "") -> None:
    """Note the faults of the formula at a place; one that can be read is kept for the checks that need the whole form.
    `table` is the repeating table whose column it belongs to.
    """
    try:
        expr = rules.parse(formula)
    except rules.FormulaError as error:
        found.fault(place, f"公式有误：{error}", "请改正公式")
        return
    for name in sorted(rules.names(expr) - found.rows.keys()):
        found.fault(place, f"公式中的“{name}”不是本表的字段", "请改正公式")
    for name in dict.fromkeys(misplaced(expr, table)):
        if name in found.rows:
            what = f"公式把表格的一列“{name}”当作一个数；一列有许多格"
            found.fault(place, what, f"请先汇总，例如 SUM({name})、COUNTA({name})")
    for name in sorted(rules.previous_names(expr)):
        if table and name.startswith(f"{table}."):
            what = f"公式拿本行与上期({name})比较；表格各行的次序每期可能不同，没有对应的一行"
            found.fault(place, what, f"请在“规则”表中比较合计，例如 SUM({name})>=SUM(上期({name}))")
    if any(len(text) > _LONGEST_TEXT for text in _texts(expr)):
        found.fault(place, f"公式中的一段文字超过 {_LONGEST_TEXT} 个字，Excel 不允许", "请缩短")
    found.formulas.append((place, formula))


def _texts(expr: Expr) -> Iterator[str]:
    if isinstance(expr, Text):
        yield expr.value
    for child in children(expr):
        yield from _texts(child)


def question_conditions(found: Definition) -> None:
    """Ask about every 是否 field that stands as a condition: its cell holds the text 是 or 否, which is neither TRUE nor FALSE.
    Likewise about a formula that comes out as a text, so that no answer would ever be asked about.
    """
    yes_no = {item.name for item in found.fields if item.type is FieldType.YES_NO}
    for place, formula in found.formulas:
        for name in dict.fromkeys(bare_names(rules.parse(formula))):
            if name in yes_no:
                found.query(
                    place,
                    f"“{name}”是“是否”字段，单元格里是“是”或“否”，直接用作条件不会成立",
                    f'请写成 {name}="是"',
                )
        if _gives_text(rules.parse(formula)):
            what = "公式的结果是文字，不是 TRUE 或 FALSE，这条校验不起作用"
            found.query(place, what, "请写成条件本身，例如 =教师数<=在校生数")


def _gives_text(expr: Expr) -> bool:
    """Whether a formula's result may be a text of its own."""
    match expr:
        case Text() | Binary("&"):
            return True
        case Call("IF" | "IFERROR" as function, arguments):
            return any(_gives_text(one) for one in arguments[function == "IF" :])
        case _:
            return False


def bare_names(expr: Expr) -> Iterator[str]:
    """The fields that a formula takes for TRUE or FALSE: as a whole, as a condition, or compared with TRUE or FALSE."""
    if isinstance(expr, Name | Previous):
        yield expr.name
    yield from _bare_inside(expr)


def _bare_inside(expr: Expr) -> Iterator[str]:
    bare: tuple[Expr, ...] = ()
    match expr:
        case Call(function, arguments) if function in _CONDITIONS:
            bare = arguments[_CONDITIONS[function]]
        case Binary("=" | "<>", left, right) if isinstance(left, Boolean) or isinstance(right, Boolean):
            bare = left, right
    yield from (one.name for one in bare if isinstance(one, Name | Previous))
    for child in children(expr):
        yield from _bare_inside(child)


def check_lengths(found: Definition, form: Form) -> None:
    """Refuse the formulas that Excel could not hold once the fields' cells stand in them."""
    reckoning = Reckoning(form)
    for place, formula in found.formulas:
        # The hidden sheet puts a condition around it, some ten characters for each field.
        around = 100 + 15 * len(rules.names(rules.parse(formula)))
        if len(reckoning.excel(formula)) + around > LONGEST:
            found.fault(place, f"公式换成单元格地址后太长（Excel 最多 {LONGEST} 个字符）", "请拆成几条规则")
