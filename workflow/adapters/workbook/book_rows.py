"""The rows of a form and its totals down the tree: the large sheets of a consolidated workbook."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from workflow.adapters.workbook.book_cover import VERDICTS, area, book_title
from workflow.adapters.workbook.book_line import Line, LineSheet
from workflow.adapters.workbook.book_style import (
    ASK_FILL,
    CHANGED_FILL,
    GREY,
    GROUP_FILL,
    LOCKED_FILL,
    NUMBER_FORMATS,
    ROW_HEIGHT,
    TITLE_FACE,
    Styles,
    colour_origins,
    figure_format,
    moment,
    offer_choices,
    put_span,
    put_text,
    row_height,
    set_page,
    short_moment,
)
from workflow.adapters.workbook.review import (
    FIELD_MARK,
    FORM_ID,
    LOCKED_MARK,
    NOTE,
    NUMBER,
    UNIT_CODE,
    VERDICT,
)
from workflow.domain.form import NO_CHANGE, RESERVED, Field, FieldType, Form, cell_name
from workflow.domain.merge import BookSheet, Cover, TotalSheet, totalled_fields
from workflow.domain.tables import column_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from workflow.domain.merge import BookRow, TotalRow

_NAME_WIDTH, _REMARK_WIDTH = 25, 22
_LEAD = (
    ("序号", 6),
    (UNIT_CODE, 13),
    ("单位名称", _NAME_WIDTH),
    ("单位类型", 20),
    ("所属", 16),
    ("填报状态", 12),
    ("数据来源", 12),
    ("报送时间", 15),
    (NUMBER, 8.5),
    (VERDICT, 9),
    (NOTE, 22),
    ("备注", _REMARK_WIDTH),
    (FORM_ID, 9),
)
_ORIGIN, _VERDICT, _FORM_ID = 6, 9, 12
#: The columns that stand on every printed page: 序号, 单位代码, 单位名称.
_REPEATED = 3
_GROUP_ROW, _HEAD_ROW = 2, 3
#: So that rows with and without a remark stand evenly.
_LEAST_HEIGHT = 27
_FILLED_IN = "填表信息"
_MOST_OUTLINE = 7
#: How many characters of columns a page holds beside the repeated ones, at the scale of the print set-up.
_FORM_PAGE, _TOTAL_PAGE = 136.0, 112.0


def write_form(
    book: xlsxwriter.Workbook, sheet: LineSheet, styles: Styles, cover: Cover, content: BookSheet
) -> None:
    """One form: a row a unit, the decisions beside it, its indicators to the right."""
    form = content.form
    fields = _shown_fields(form)
    last_column = len(_LEAD) + len(fields) - 1
    sheet.hide_gridlines(2)
    for column, (_, width) in enumerate(_LEAD):
        sheet.set_column(column, column, width, None, {"hidden": True} if column == _FORM_ID else {})
    for column, field in enumerate(fields, start=len(_LEAD)):
        sheet.set_column(column, column, field_width(field))
    breaks = _page_breaks(fields, len(_LEAD), _FORM_PAGE)
    _form_head(sheet, styles, cover, form, fields, breaks)
    first = _HEAD_ROW + 1
    lines = {shaded: _line(styles, fields, shaded=shaded) for shaded in (False, True)}
    for at, row in enumerate(content.rows):
        line = lines[not row.decidable]
        if row.changed:
            line = _line(styles, fields, shaded=not row.decidable, changed=row.changed)
        _form_row(sheet, first + at, at + 1, form, fields, row, line)
    last = first + len(content.rows) - 1
    decidable = [first + at for at, row in enumerate(content.rows) if row.decidable]
    hint = "通过：审核通过；退回：退回修改（请在右侧写明意见）"
    offer_choices(sheet, decidable, _VERDICT, VERDICTS, title=VERDICT, hint=hint)
    colour_origins(book, sheet, first, last, _ORIGIN)
    if content.rows:
        sheet.autofilter(_HEAD_ROW, 0, last, last_column)
    sheet.freeze_panes(first, _REPEATED)
    sheet.repeat_rows(_GROUP_ROW, _HEAD_ROW)
    sheet.repeat_columns(0, _REPEATED - 1)
    sheet.set_v_pagebreaks(breaks)
    sheet.set_print_scale(57)
    sheet.print_across()
    set_page(sheet, f"{book_title(cover)}　{form.title}", f"第{cover.version}版　{moment(cover.cut_off)}")


def _line(
    styles: Styles, fields: Sequence[Field], *, shaded: bool, changed: frozenset[str] = frozenset()
) -> Line:
    """The formats of a unit's row; shaded for one that this reviewer does not decide on, but for what has changed."""
    shade = {"bg_color": LOCKED_FILL, "font_color": GREY} if shaded else {}
    ask = shade or {"bg_color": ASK_FILL}
    left = styles.cell(text_wrap=True, **shade)
    packed = styles.cell(align="center", text_wrap=True, **shade)
    middle = styles.cell(align="center", **shade)
    number = styles.cell(align="center", num_format='"第"0"次"', **shade)
    verdict, note = styles.cell(align="center", **ask), styles.cell(text_wrap=True, **ask)
    lead = (middle, middle, left, packed, packed, middle, middle, middle, number, verdict, note, left, middle)
    news = {**shade, "bg_color": CHANGED_FILL}
    figures = (field_look(styles, field, news if field.name in changed else shade) for field in fields)
    return Line([*lead, *figures])


def field_look(styles: Styles, field: Field, shade: Mapping[str, str]) -> Format:
    """The format of a field's answers."""
    number_format = NUMBER_FORMATS.get(field.type)
    if number_format is None:
        return styles.cell(align="left" if field.type is FieldType.TEXT else "center", **shade)
    align = "center" if field.type is FieldType.DATE else "right"
    return styles.cell(align=align, num_format=number_format, **shade)


def _shown_fields(form: Form) -> tuple[Field, ...]:
    """The indicators, then who filled them in."""
    return (
        *form.indicators,
        *(field for field in form.fields if field.name in RESERVED and field.name != NO_CHANGE),
    )


def field_width(field: Field) -> float:
    """The width of a field's column, in characters."""
    base = {FieldType.TEXT: 18, FieldType.EMAIL: 22, FieldType.PHONE: 15}.get(field.type, 12)
    return max(base, min(18.0, len(field.label) * 0.9))


def _form_head(
    sheet: Worksheet, styles: Styles, cover: Cover, form: Form, fields: Sequence[Field], breaks: Sequence[int]
) -> None:
    sheet.set_row(0, 34)
    # Beside the repeated columns, or every page across would begin with a piece of the title.
    title = styles.get(font_name=TITLE_FACE, font_size=16, align="center")
    put_span(
        sheet, 0, _REPEATED, _VERDICT + 2, f"{cover.period_name}{form.title}（{area(cover.unit)}）", title
    )
    facts = f"表号：{form.number}　　制定机关：{form.issuer}　　截止时点：{moment(cover.cut_off)}　　第{cover.version}版"
    sheet.set_row(1, 18)
    put_span(
        sheet,
        1,
        _REPEATED,
        _VERDICT + 2,
        facts,
        styles.line(align="center", font_color=GREY, text_wrap=False),
    )
    unseen = styles.get(num_format=";;;", font_size=8)
    for column, field in enumerate(fields, start=len(_LEAD)):
        put_text(sheet, 1, column, FIELD_MARK + field.name, unseen)
    group = styles.head(bg_color=GROUP_FILL)
    sheet.set_row(_GROUP_ROW, 22)
    put_span(sheet, _GROUP_ROW, 0, _ORIGIN + 2, "填报单位与数据来源", group)
    put_span(sheet, _GROUP_ROW, _VERDICT, _VERDICT + 1, "审核", group)
    put_span(sheet, _GROUP_ROW, _VERDICT + 2, _FORM_ID, "说明", group)
    for words, first, last in _groups(form, fields, len(_LEAD), breaks):
        put_span(sheet, _GROUP_ROW, first, last, words, group)
    sheet.set_row(_HEAD_ROW, 58)
    head = styles.head()
    for column, (words, _) in enumerate(_LEAD):
        put_text(sheet, _HEAD_ROW, column, words, head)
    for column, field in enumerate(fields, start=len(_LEAD)):
        put_text(sheet, _HEAD_ROW, column, heading(field), head)


def heading(field: Field) -> str:
    """A field's label with its unit below."""
    return f"{field.label}\n（{field.unit}）" if field.unit else field.label


def _page_breaks(fields: Sequence[Field], first: int, room: float) -> list[int]:
    """The columns before which a printed page ends: before the first field, then where the next has no room."""
    breaks, used = [first], 0.0
    for column, field in enumerate(fields, start=first):
        width = field_width(field)
        if used + width > room:
            breaks.append(column)
            used = 0.0
        used += width
    return breaks


def _groups(
    form: Form, fields: Sequence[Field], first: int, breaks: Sequence[int]
) -> Iterator[tuple[str, int, int]]:
    """The module above each run of fields, that is the sheet of the form where they stand; anew on each page."""

    def module(at: int) -> tuple[str, int]:
        page = sum(column <= first + at for column in breaks)
        if fields[at].name in RESERVED:
            return _FILLED_IN, page
        name = fields[at].name
        slot = form.slot_of.get(cell_name(name, 1) if "." in name else name)
        return (slot.sheet if slot else ""), page

    for (words, _), run in groupby(range(len(fields)), key=module):
        places = list(run)
        yield words, first + places[0], first + places[-1]


def _form_row(
    sheet: LineSheet, at: int, number: int, form: Form, fields: Sequence[Field], row: BookRow, line: Line
) -> None:
    unit = row.unit
    remarks = [] if row.decidable or not row.locked_because else [f"不审核：{row.locked_because}"]
    remark = "\n".join([*remarks, row.notes] if row.notes else remarks)
    sheet.set_row(
        at,
        max(_LEAST_HEIGHT, row_height((unit.name, _NAME_WIDTH), (row.package, 16), (remark, _REMARK_WIDTH))),
    )
    lead = (
        *(number, unit.code, unit.name, unit.kind.value, row.package, row.state, row.origin.word),
        *(short_moment(row.received_at), row.number or None, "" if row.decidable else LOCKED_MARK, ""),
        *(remark, form.id),
    )
    answers = row.answers
    sheet.write_line(at, line, [*lead, *(answers.get(field.name) for field in fields)])


_TOTAL_LEAD = (("单位名称", 40), (UNIT_CODE, 13), ("层级", 14), ("应报", 9), ("已报", 9), ("报送率", 9))


def write_totals(sheet: LineSheet, styles: Styles, cover: Cover, content: TotalSheet) -> None:
    """A form's totals: the workbook's own level in bold, then every unit of the tree below it, indented."""
    form = content.form
    fields = totalled_fields(form)
    sheet.hide_gridlines(2)
    for column, (_, width) in enumerate(_TOTAL_LEAD):
        sheet.set_column(column, column, width)
    for column, field in enumerate(fields, start=len(_TOTAL_LEAD)):
        sheet.set_column(column, column, field_width(field))
    # The first page holds the unit, its counts and the first figures; each later one the unit's name again.
    lead = sum(width for _, width in _TOTAL_LEAD[1:])
    breaks = _page_breaks(fields, len(_TOTAL_LEAD), _TOTAL_PAGE - lead)[1:2]
    if breaks:
        breaks += _page_breaks(fields[breaks[0] - len(_TOTAL_LEAD) :], breaks[0], _TOTAL_PAGE)[1:]
    _total_head(sheet, styles, cover, form, fields, breaks)
    first = 5
    lines = {depth: _total_line(styles, depth, fields) for depth in {row.depth for row in content.rows}}
    for at, row in enumerate(content.rows, start=first):
        _total_row(sheet, at, row, fields, lines[row.depth])
    sheet.outline_settings(visible=True, symbols_below=False)
    sheet.freeze_panes(first, 1)
    sheet.repeat_rows(2, first - 1)
    sheet.repeat_columns(0, 0)
    if breaks:
        sheet.set_v_pagebreaks(breaks)
    sheet.set_print_scale(66)
    sheet.print_across()
    set_page(sheet, f"{book_title(cover)}　{form.title}汇总", f"截止时点：{moment(cover.cut_off)}")


def _total_head(
    sheet: Worksheet, styles: Styles, cover: Cover, form: Form, fields: Sequence[Field], breaks: Sequence[int]
) -> None:
    last_lead = len(_TOTAL_LEAD) - 1
    sheet.set_row(0, 34)
    title = f"{cover.period_name}{form.title}汇总（{area(cover.unit)}）"
    put_text(sheet, 0, 0, title, styles.get(font_name=TITLE_FACE, font_size=16, indent=1))
    put_text(
        sheet,
        1,
        0,
        f"截止时点：{moment(cover.cut_off)}　　各级数据逐级汇总，不含缺报单位",
        styles.line(indent=1, font_color=GREY, text_wrap=False),
    )
    group = styles.head(bg_color=GROUP_FILL)
    sheet.set_row(2, 22)
    put_span(sheet, 2, 0, last_lead, "单位", group)
    for words, begin, end in _groups(form, fields, last_lead + 1, breaks):
        put_span(sheet, 2, begin, end, words, group)
    sheet.set_row(3, 58)
    head, rule = styles.head(), styles.head(font_size=9, font_color=GREY, bold=False)
    for column, (words, _) in enumerate(_TOTAL_LEAD):
        put_text(sheet, 3, column, words, head)
    for column, field in enumerate(fields, start=last_lead + 1):
        put_text(sheet, 3, column, heading(replace(field, label=column_label(field))), head)
    for column in range(last_lead + 1):
        put_text(sheet, 4, column, "汇总方式" if column == 0 else "", rule)
    for column, field in enumerate(fields, start=last_lead + 1):
        every_row = "各行" if "." in field.name else ""
        put_text(sheet, 4, column, every_row + field.aggregate.value, rule)


def _total_line(styles: Styles, depth: int, fields: Sequence[Field]) -> Line:
    own = {"bold": True, "bg_color": ASK_FILL} if depth == 0 else {}
    middle = styles.cell(align="center", **own)
    count = styles.cell(align="right", num_format="#,##0", **own)
    share = styles.cell(align="right", num_format="0.0%", **own)
    formats = (figure_format(field.type, field.aggregate) for field in fields)
    figures = (styles.cell(align="right", num_format=number, **own) for number in formats)
    return Line([styles.cell(indent=min(depth, 15), **own), middle, middle, count, count, share, *figures])


def _total_row(sheet: LineSheet, at: int, row: TotalRow, fields: Sequence[Field], line: Line) -> None:
    level = min(row.depth, _MOST_OUTLINE)
    sheet.set_row(at, ROW_HEIGHT, None, {"level": level} if level else None)
    share = row.reported / row.asked if row.asked else None
    lead = (row.unit.name, row.unit.code, row.unit.kind.level.word, row.asked, row.reported, share)
    totals = ((field.aggregate, row.totals.get(field.name)) for field in fields)
    figures = (total.figure(aggregate) if total else None for aggregate, total in totals)
    sheet.write_line(at, line, [*lead, *figures])
