"""The shared strings of a workbook: read by index, added to, and emptied of what only tags and definition sheets used."""

from __future__ import annotations

import copy

from lxml import etree

from workflow.adapters.workbook.package import NotAWorkbook, tag

_T, _R = tag("t"), tag("r")


class Strings:
    """The shared strings: read by index, added to by cells that held their text themselves."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._items = list(root.iterfind(tag("si")))
        self._texts = [text_of(item) for item in self._items]
        self._added: dict[bytes, int] = {}

    def text(self, index: int) -> str:
        if index >= len(self._texts):
            raise NotAWorkbook("共享字符串表不完整")
        return self._texts[index]

    def item(self, index: int) -> etree._Element:
        return self._items[index]

    def add(self, inline: etree._Element) -> int:
        """The index of an inline string's content as a shared one."""
        item = etree.Element(tag("si"))
        item.extend(copy.deepcopy(child) for child in inline)
        key = etree.tostring(item, method="c14n")
        if key not in self._added:
            self._added[key] = len(self._items)
            self._items.append(item)
            self._texts.append(text_of(item))
            self._root.append(item)
        return self._added[key]

    def blank_unused(self, used: set[int]) -> None:
        """Empty the entries that only tags and definition sheets used, so that no search of a copy finds them."""
        for index, item in enumerate(self._items):
            if index not in used:
                for child in list(item):
                    item.remove(child)
                etree.SubElement(item, _T)
        for name in ("count", "uniqueCount"):
            self._root.attrib.pop(name, "")


def text_of(item: etree._Element) -> str:
    """The text of a string item: its plain text or its runs, without phonetic hints."""
    return "".join(t.text or "" for t in (*item.iterfind(_T), *item.iterfind(f"{_R}/{_T}")))
