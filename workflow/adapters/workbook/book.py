"""The workbook part: which sheets there are, without the definition sheets, and how Excel opens the copies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from workflow.adapters.workbook.package import (
    OFFICE_RELS,
    STRICT_MAIN,
    NotAWorkbook,
    Package,
    insert_in_order,
    parse,
    tag,
)

WORKSHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
WORKSHEET_KIND = f"{OFFICE_RELS}/worksheet"
HIDDEN_PART = "xl/worksheets/huizhi.xml"

_ORDER = (
    *(
        "fileVersion",
        "fileSharing",
        "workbookPr",
        "workbookProtection",
        "bookViews",
        "sheets",
        "functionGroups",
    ),
    *("externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches"),
    *("smartTagPr", "smartTagTypes", "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)
_REL_ID = f"{{{OFFICE_RELS}}}id"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet of the workbook: `kind` is worksheet or chartsheet; `state` is visible, hidden or veryHidden."""

    name: str
    part: str
    kind: str
    state: str
    relation: str


class Book:
    """The workbook part of a package under change."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.part = package.workbook_part()
        self.root = package.tree(self.part)
        if self.root.tag == f"{{{STRICT_MAIN}}}workbook":
            raise NotAWorkbook("是“严格 Open XML”格式，请另存为普通的 Excel 工作簿（*.xlsx）")
        if self.root.tag != tag("workbook") or self.root.find(tag("sheets")) is None:
            raise NotAWorkbook("不是 xlsx 格式的工作簿")

    def sheets(self) -> list[SheetEntry]:
        """The sheets in the order of their tabs."""
        relations = self.package.relations(self.part)
        found = []
        for sheet in self._sheets():
            relation = sheet.get(_REL_ID, "")
            kind, part = relations.get(relation, ("", ""))
            if part not in self.package.parts:
                raise NotAWorkbook(f"缺少工作表“{sheet.get('name', '')}”的内容")
            found.append(
                SheetEntry(sheet.get("name", ""), part, kind, sheet.get("state", "visible"), relation)
            )
        return found

    def _sheets(self) -> etree._Element:
        sheets = self.root.find(tag("sheets"))
        assert sheets is not None
        return sheets

    def related(self, kind: str) -> str:
        """The part of a kind that the workbook is related to, such as `styles`; empty where there is none."""
        return next((part for word, part in self.package.relations(self.part).values() if word == kind), "")

    def remove_sheets(self, names: frozenset[str]) -> None:
        """Remove sheets with everything that only they used, and put right what counts sheets by their place."""
        before = self.package.reachable()
        sheets = self._sheets()
        new_place: dict[int, int | None] = {}
        kept = 0
        for place, (element, entry) in enumerate(zip(list(sheets), self.sheets(), strict=True)):
            if entry.name in names:
                new_place[place] = None
                sheets.remove(element)
                self.package.unrelate(self.part, entry.relation)
            else:
                new_place[place] = kept
                kept += 1
        for part in before - self.package.reachable():
            self.package.drop(part)
        self._renumber_names(new_place, names)

    def _renumber_names(self, new_place: dict[int, int | None], removed: frozenset[str]) -> None:
        defined = self.root.find(tag("definedNames"))
        if defined is None:
            return
        for name in list(defined):
            place = name.get("localSheetId")
            if place is not None:
                new = new_place.get(int(place))
                if new is None:
                    defined.remove(name)
                    continue
                name.set("localSheetId", str(new))
            if refers_to(name.text or "", removed):
                defined.remove(name)
        if len(defined) == 0:
            self.root.remove(defined)

    def names_into(self, sheets: frozenset[str]) -> frozenset[str]:
        """The names of the whole workbook that stand for cells of some sheets."""
        defined = self.root.iterfind(f"{tag('definedNames')}/{tag('definedName')}")
        return frozenset(name.get("name", "") for name in defined if refers_to(name.text or "", sheets))

    def add_sheet(
        self, name: str, part: str, content: bytes, *, first: bool = False, hidden: bool = False
    ) -> None:
        """Add a worksheet part and its tab, at the end or in front of all."""
        relation = self.package.relate(self.part, WORKSHEET_KIND, part)
        self.package.add(part, content, WORKSHEET_TYPE)
        sheets = self._sheets()
        number = max((int(sheet.get("sheetId", "0")) for sheet in sheets), default=0) + 1
        element = etree.Element(tag("sheet"), name=name, sheetId=str(number))
        if hidden:
            element.set("state", "veryHidden")
        element.set(_REL_ID, relation)
        if not first:
            sheets.append(element)
            return
        sheets.insert(0, element)
        for defined in self.root.iterfind(f"{tag('definedNames')}/{tag('definedName')}"):
            if defined.get("localSheetId") is not None:
                defined.set("localSheetId", str(int(defined.get("localSheetId", "0")) + 1))

    def activate(self, place: int) -> None:
        """Open the workbook at a tab."""
        views = self.root.find(tag("bookViews"))
        if views is None:
            views = etree.Element(tag("bookViews"))
            insert_in_order(self.root, views, _ORDER)
        view = views.find(tag("workbookView"))
        if view is None:
            view = etree.SubElement(views, tag("workbookView"))
        view.set("activeTab", str(place))
        view.attrib.pop("firstSheet", "")

    def names(self) -> set[str]:
        """The names of the whole workbook, tables' among them."""
        defined = self.root.iterfind(f"{tag('definedNames')}/{tag('definedName')}")
        taken = {name.get("name", "") for name in defined if name.get("localSheetId") is None}
        for part in self.package.parts:
            if part.startswith("xl/tables/") and part.endswith(".xml"):
                taken.add(parse(self.package.parts[part]).get("displayName", ""))
        return taken

    def define(self, names: Mapping[str, str]) -> None:
        """Define names of the whole workbook, each with the cell that it stands for."""
        defined = self.root.find(tag("definedNames"))
        if defined is None:
            defined = etree.Element(tag("definedNames"))
            insert_in_order(self.root, defined, _ORDER)
        for name, ref in names.items():
            etree.SubElement(defined, tag("definedName"), name=name).text = ref

    def name_range(self, name: str, place: int, ref: str) -> None:
        """Define a built-in name such as `_xlnm.Print_Titles` for the sheet at a place."""
        defined = self.root.find(tag("definedNames"))
        if defined is None:
            defined = etree.Element(tag("definedNames"))
            insert_in_order(self.root, defined, _ORDER)
        element = etree.Element(tag("definedName"), name=name, localSheetId=str(place))
        element.text = ref
        defined.insert(0, element)

    def guard(self) -> None:
        """Keep the tabs as they are, and have everything worked out anew on opening."""
        protection = self.root.find(tag("workbookProtection"))
        if protection is None:
            protection = etree.Element(tag("workbookProtection"))
            insert_in_order(self.root, protection, _ORDER)
        protection.set("lockStructure", "1")
        calculation = self.root.find(tag("calcPr"))
        if calculation is None:
            calculation = etree.Element(tag("calcPr"))
            insert_in_order(self.root, calculation, _ORDER)
        calculation.set("fullCalcOnLoad", "1")
        for relation, (kind, part) in self.package.relations(self.part).items():
            if kind == "calcChain":
                self.package.unrelate(self.part, relation)
                self.package.drop(part)

    def counts_days_from_1904(self) -> bool:
        """Whether the workbook has the old Macintosh calendar."""
        properties = self.root.find(tag("workbookPr"))
        return properties is not None and properties.get("date1904") in {"1", "true"}


def refers_to(formula: str, sheets: frozenset[str], names: frozenset[str] = frozenset()) -> bool:
    """Whether a formula names one of the sheets, or uses one of the names."""
    words = "|".join(map(re.escape, sheets))
    if re.search(rf"(?<![\w'])(?:'(?:{words})'|(?:{words}))!", formula):
        return True
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.(])", formula) for name in names)


def forget_titles(package: Package) -> None:
    """Drop the list of sheet names that the extended properties repeat: it would name sheets that are gone."""
    for kind, part in package.relations("").values():
        if kind == "extended-properties" and part in package.parts:
            root = package.tree(part)
            for child in list(root.iterchildren("*")):
                if str(child.tag).endswith(("}TitlesOfParts", "}HeadingPairs")):
                    root.remove(child)
