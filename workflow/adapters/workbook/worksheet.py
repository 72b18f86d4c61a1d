"""A worksheet of a form under change: tags become holes, cells lose what was worked out, Excel's own checks come in."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from workflow.adapters.workbook.book import SheetEntry, refers_to
from workflow.adapters.workbook.master import AnswerCell, Mark, Shape
from workflow.adapters.workbook.package import Package, insert_in_order, measure, tag, whole
from workflow.adapters.workbook.shared_strings import Strings, text_of
from workflow.adapters.workbook.styles import Styles
from workflow.adapters.workbook.validations import validation
from workflow.domain.form import Field, column_letters, split_cell

#: A tag of a visible sheet: whether it is printed by the system (`@`), and its name.
TAG = re.compile(r"\{\{\s*(@?)\s*([^{}]*?)\s*\}\}")

ORDER = (
    *(
        "sheetPr",
        "dimension",
        "sheetViews",
        "sheetFormatPr",
        "cols",
        "sheetData",
        "sheetCalcPr",
        "sheetProtection",
    ),
    *("protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews"),
    *("mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions"),
    *(
        "pageMargins",
        "pageSetup",
        "headerFooter",
        "rowBreaks",
        "colBreaks",
        "customProperties",
        "cellWatches",
    ),
    *("ignoredErrors", "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture"),
    *("oleObjects", "controls", "webPublishItems", "tableParts", "extLst"),
)
#: Marks where comments would be tied to a sheet until the sheet is cut.
LEGACY = "<?huizhi legacy?>"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_REF = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]+)(?::\$?([A-Z]{1,3})\$?([0-9]+))?")
_C, _ROW, _V, _F, _IS, _T, _R = (tag(name) for name in ("c", "row", "v", "f", "is", "t", "r"))


def column_number(letters: str) -> int:
    """The number of a column, counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def place_of(ref: str) -> tuple[int, int] | None:
    """Row and column of a cell's address; None for what is none."""
    match = _REF.match(ref)
    return (int(match[2]), column_number(match[1])) if match else None


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, bounds included, counted from 1."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def all_of(cls, refs: str) -> list[Area]:
        """The areas of a `sqref`."""
        areas = []
        for left, top, right, bottom in _REF.findall(refs):
            first = column_number(left)
            areas.append(cls(int(top), first, int(bottom or top), column_number(right) if right else first))
        return areas

    def holds(self, row: int, column: int) -> bool:
        return self.top <= row <= self.bottom and self.left <= column <= self.right


@dataclass
class Holes:
    """The holes of one sheet in the order of their numbers: an answer cell, or the key of a printed text."""

    found: list[AnswerCell | str] = field(default_factory=list)

    def add(self, hole: AnswerCell | str) -> etree._Element:
        """The mark that stands for the hole until the sheet is cut at it."""
        self.found.append(hole)
        return etree.ProcessingInstruction("huizhi", str(len(self.found) - 1))


class Worksheet:
    """One worksheet part and its cells by place."""

    def __init__(self, package: Package, entry: SheetEntry, strings: Strings) -> None:
        self.entry = entry
        self.package = package
        self.root = package.tree(entry.part)
        self.holes = Holes()
        self._strings = strings
        self._cells = dict(self._places())
        merged = self.root.iterfind(f"{tag('mergeCells')}/{tag('mergeCell')}")
        self._merged = {
            (area.top, area.left): area for cell in merged for area in Area.all_of(cell.get("ref", ""))
        }

    def _places(self) -> Iterator[tuple[tuple[int, int], etree._Element]]:
        """Every cell by row and column; a cell without an address follows the one before it."""
        number = 0
        for row in self.root.iterfind(f"{tag('sheetData')}/{_ROW}"):
            number = whole(row.get("r"), number + 1)
            column = 0
            for cell in row.iterfind(_C):
                place = place_of(cell.get("r", ""))
                column = place[1] if place else column + 1
                cell.set("r", f"{column_letters(column)}{number}")
                yield (number, column), cell

    def texts(self) -> Iterator[tuple[int, int, str]]:
        """Row, column and text of each cell that holds a text of its own."""
        for (row, column), cell in self._cells.items():
            text = self._text(cell)
            if text:
                yield row, column, text

    def formulas(self) -> Iterator[tuple[int, int]]:
        """Row and column of each cell with a formula."""
        return (place for place, cell in self._cells.items() if cell.find(_F) is not None)

    def blank_style(self, place: tuple[int, int]) -> int | None:
        """The format of a cell that is there and holds nothing; None for any other."""
        cell = self._cells.get(place)
        return None if cell is None or len(cell) else whole(cell.get("s"))

    def style(self, place: tuple[int, int]) -> int:
        """The format of a cell."""
        cell = self._cells.get(place)
        return 0 if cell is None else whole(cell.get("s"))

    def area(self, place: tuple[int, int]) -> Area:
        """The cells that a cell is merged over; itself alone where it is not."""
        return self._merged.get(place, Area(*place, *place))

    def is_hidden(self, place: tuple[int, int]) -> bool:
        """Whether a cell stands in a row or a column that is not shown."""
        cell, hidden = self._cells.get(place), {"1", "true"}
        row = cell.getparent() if cell is not None else None
        columns = self.root.iterfind(f"{tag('cols')}/{tag('col')}")
        return (row is not None and row.get("hidden") in hidden) or any(
            one.get("hidden") in hidden and whole(one.get("min")) <= place[1] <= whole(one.get("max"))
            for one in columns
        )

    def spread_texts(self) -> dict[tuple[int, int], str]:
        """The texts by row and column, each in all the cells that it is merged over."""
        spread: dict[tuple[int, int], str] = {}
        for row, column, text in self.texts():
            area = self.area((row, column))
            for below in range(area.top, min(area.bottom, area.top + 500) + 1):
                for beside in range(area.left, min(area.right, area.left + 100) + 1):
                    spread[below, beside] = text
        return spread

    def lists(self) -> Iterator[tuple[list[Area], str]]:
        """The cells and the source of each dropdown that stands in a data validation itself."""
        for element in self.root.iterfind(f"{tag('dataValidations')}/{tag('dataValidation')}"):
            source = (element.findtext(tag("formula1")) or "").strip()
            if element.get("type") == "list" and source.startswith('"'):
                yield Area.all_of(element.get("sqref", "")), source.strip('"').replace('""', '"')

    def _text(self, cell: etree._Element) -> str:
        if cell.find(_F) is not None:
            return ""
        kind, value = cell.get("t"), cell.findtext(_V) or ""
        if kind == "s" and value.strip().isdigit():
            return self._strings.text(int(value))
        if kind == "inlineStr":
            inline = cell.find(_IS)
            return text_of(inline) if inline is not None else ""
        return value if kind == "str" else ""

    def shared_texts(self) -> set[int]:
        """The indexes of the shared strings that the cells use."""
        return {whole(cell.findtext(_V)) for cell in self._cells.values() if cell.get("t") == "s"}

    def leaning_formulas(self, sheets: frozenset[str], names: frozenset[str]) -> list[str]:
        """Places of formulas that need sheets which are to go, or names for their cells: `D5`, or the element that holds the formula."""
        found = []
        for element in self.root.iter("*"):
            word = etree.QName(element).localname
            if word not in {"f", "formula", "formula1", "formula2"}:
                continue
            if refers_to(element.text or "", sheets, names):
                parent = element.getparent()
                refs = (parent.get("r") or parent.get("sqref") or "") if parent is not None else ""
                found.append(refs.split(" ")[0].split(":")[0] or "A1")
        return found

    def stray_tags(self) -> list[str]:
        """Where tags stand that nobody would replace: in the header or footer, or in a shape or comment."""
        found = []
        header = self.root.find(tag("headerFooter"))
        if header is not None and any("{{" in (child.text or "") for child in header):
            found.append("页眉页脚")
        for kind, part in self.package.relations(self.entry.part).values():
            words = {"drawing": "图形", "vmlDrawing": "图形", "comments": "批注"}.get(kind)
            if words and b"{{" in self.package.parts.get(part, b""):
                found.append(words)
        return found

    def lighten(self) -> None:
        """Forget worked-out values, and share the texts that stand in cells: both are dead weight in each copy."""
        for cell in self._cells.values():
            value, inline = cell.find(_V), cell.find(_IS)
            if cell.find(_F) is not None:
                if value is not None:
                    cell.remove(value)
                cell.attrib.pop("t", "")
            elif cell.get("t") == "inlineStr" and inline is not None and not TAG.search(text_of(inline)):
                index = self._strings.add(inline)
                for child in list(cell):
                    cell.remove(child)
                cell.set("t", "s")
                etree.SubElement(cell, _V).text = str(index)
            elif len(cell) == 0:
                cell.attrib.pop("t", "")

    def open_answer(self, place: tuple[int, int], item: Field, styles: Styles) -> None:
        """Make a tag's cell the hole of a field's answer, unlocked with the whole area that it is merged over."""
        row, column = place
        area = self.area(place)
        for (other_row, other_column), cell in self._cells.items():
            if area.holds(other_row, other_column) and (other_row, other_column) != place:
                cell.set("s", str(styles.unlocked(whole(cell.get("s")))))
        cell = self._cells.pop(place)
        variants = styles.answer(whole(cell.get("s")), item.type)
        style, ref = variants[Mark.PLAIN][Shape.OWN], cell.get("r", "")
        opening = f'<c r="{ref}" s="{style}"'
        hole = AnswerCell(
            field=item.name,
            type=item.type,
            part=0,
            ref=ref,
            row=row,
            column=column,
            columns=area.right - area.left + 1,
            styles=variants,
            blank=f"{opening}/>",
            text=f'{opening} t="inlineStr"><is><t xml:space="preserve">',
            number=f"{opening}><v>",
        )
        self._replace(cell, self.holes.add(hole))

    @staticmethod
    def _replace(cell: etree._Element, mark: etree._Element) -> None:
        parent = cell.getparent()
        assert parent is not None
        parent.replace(cell, mark)

    def open_text(self, place: tuple[int, int]) -> None:
        """Make the @ tags of a cell holes inside its text; the rest of the text, and its runs, stay."""
        cell = self._cells[place]
        inline = cell.find(_IS)
        source = inline if inline is not None else self._source(cell)
        fresh = etree.Element(_IS)
        runs = [copy.deepcopy(child) for child in source if child.tag in {_T, _R}]
        texts = [t for run in runs for t in ([run] if run.tag == _T else run.iterfind(_T))]
        whole = "".join(t.text or "" for t in texts)
        if sum(len(TAG.findall(t.text or "")) for t in texts) != len(TAG.findall(whole)):
            # A tag that is split over runs of different looks: the looks go, the tag counts.
            runs = [etree.Element(_T)]
            runs[0].text = whole
            texts = runs
        for text in texts:
            self._cut(text)
        fresh.extend(runs)
        for child in list(cell):
            cell.remove(child)
        cell.set("t", "inlineStr")
        cell.append(fresh)

    def _source(self, cell: etree._Element) -> etree._Element:
        if cell.get("t") == "s":
            return self._strings.item(whole(cell.findtext(_V)))
        plain = etree.Element(_IS)
        etree.SubElement(plain, _T).text = cell.findtext(_V)
        return plain

    def _cut(self, element: etree._Element) -> None:
        """Cut a text element at its tags."""
        text = element.text or ""
        element.set(_SPACE, "preserve")
        end, last = 0, None
        for match in TAG.finditer(text):
            between = text[end : match.start()]
            if last is None:
                element.text = between
            else:
                last.tail = between
            last = self.holes.add(match[2])
            element.append(last)
            end = match.end()
        if last is not None:
            last.tail = text[end:]

    def validate(self, items: Mapping[str, Field], ranges: Mapping[tuple[str, ...], str]) -> None:
        """Add a data validation for each answer cell that staff did not give one themselves."""
        taken = [
            area
            for element in self.root.iter("{*}dataValidation")
            for area in Area.all_of(element.get("sqref") or element.findtext("{*}sqref") or "")
        ]
        answers = [hole for hole in self.holes.found if isinstance(hole, AnswerCell)]
        free: dict[str, list[AnswerCell]] = {}
        for one in answers:
            if not any(area.holds(one.row, one.column) for area in taken):
                column = split_cell(one.field)
                free.setdefault(column[0] if column else one.field, []).append(one)
        if not free:
            return
        section = self.root.find(tag("dataValidations"))
        if section is None:
            section = etree.Element(tag("dataValidations"))
            insert_in_order(self.root, section, ORDER)
        for alike in free.values():
            element = validation(items[alike[0].field], alike[0].ref, ranges)
            if len(alike) > 1:
                whole_column = alike[-1].row - alike[0].row == len(alike) - 1
                refs = [alike[0].ref, alike[-1].ref] if whole_column else [one.ref for one in alike]
                element.set("sqref", (":" if whole_column else " ").join(refs))
            section.append(element)
        section.set("count", str(len(section)))

    def protect(self) -> None:
        """Lock what is not an answer, without a password, unless staff protected the sheet themselves."""
        protection = self.root.find(tag("sheetProtection"))
        if protection is None:
            words = {"objects": "1", "scenarios": "1", "formatColumns": "0", "formatRows": "0"}
            protection = etree.Element(tag("sheetProtection"), words)
            insert_in_order(self.root, protection, ORDER)
        protection.set("sheet", "1")

    def select(self, *, chosen: bool) -> None:
        """Show the sheet as chosen or not; two chosen sheets would be typed into together."""
        for view in self.root.iterfind(f"{tag('sheetViews')}/{tag('sheetView')}"):
            view.attrib.pop("tabSelected", "")
            if chosen:
                view.set("tabSelected", "1")

    def mark_legacy(self) -> bool:
        """Mark where comments would be tied to the sheet; false where it has some already."""
        if self.root.find(tag("legacyDrawing")) is not None:
            return False
        legacy = etree.Element(tag("legacyDrawing"))
        insert_in_order(self.root, legacy, ORDER)
        self._replace(legacy, etree.ProcessingInstruction("huizhi", "legacy"))
        return True

    def column_pixels(self) -> tuple[int, ...]:
        """The widths of the first columns, as far as the sheet sets them or has cells."""
        last = max((column for _, column in self._cells), default=1) + 8
        standard = self.root.find(tag("sheetFormatPr"))
        width = measure(standard.get("defaultColWidth"), 8.43) if standard is not None else 8.43
        pixels = [round(width * 7 + 5)] * last
        for col in self.root.iterfind(f"{tag('cols')}/{tag('col')}"):
            size = (
                0 if col.get("hidden") in {"1", "true"} else round(measure(col.get("width"), width) * 7 + 5)
            )
            for number in range(whole(col.get("min"), 1), min(whole(col.get("max"), 1), last) + 1):
                pixels[number - 1] = size
        return tuple(pixels)

    def row_pixels(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """The heights of the rows that have their own, and the height of the others."""
        standard = self.root.find(tag("sheetFormatPr"))
        height = measure(standard.get("defaultRowHeight"), 15) if standard is not None else 15.0
        rows = tuple(
            (whole(row.get("r")), round(measure(row.get("ht"), 15) * 96 / 72))
            for row in self.root.iterfind(f"{tag('sheetData')}/{_ROW}")
            if row.get("ht")
        )
        return rows, round(height * 96 / 72)
