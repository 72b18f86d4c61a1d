"""A workbook as an OPC package: parts by name, their relationships and content types, changed as XML."""

from __future__ import annotations

import io
import posixpath
import zipfile
from dataclasses import dataclass, field

from lxml import etree

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"

TYPES_PART = "[Content_Types].xml"
ROOT_RELS = "_rels/.rels"

#: What a form's package may unpack to; a picture-laden form stays far below.
LARGEST = 64 * 1024 * 1024


class NotAWorkbook(Exception):
    """The bytes are not an xlsx package. The message says why, in Chinese."""


def tag(name: str) -> str:
    """The qualified name of a SpreadsheetML element."""
    return f"{{{MAIN}}}{name}"


def rels_name(part: str) -> str:
    """The name of the part that holds a part's relationships."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def parse(data: bytes) -> etree._Element:
    """Parse a part; entities and the network are left alone. Raises NotAWorkbook."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotAWorkbook(f"内部部件损坏（{error.msg}）") from error


def whole(text: str | None, default: int = 0) -> int:
    """A whole number written in a part; raises NotAWorkbook where something else stands."""
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise NotAWorkbook(f"内部部件损坏（“{text}”不是数字）") from error


def measure(text: str | None, default: float) -> float:
    """A width or height written in a part; raises NotAWorkbook where something else stands."""
    try:
        return float(text) if text else default
    except ValueError as error:
        raise NotAWorkbook(f"内部部件损坏（“{text}”不是数字）") from error


def serialise(root: etree._Element) -> bytes:
    """A part's bytes, UTF-8, as Excel writes them."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def insert_in_order(parent: etree._Element, child: etree._Element, order: tuple[str, ...]) -> None:
    """Put a child of a sequence where the schema wants it; `order` names the sequence's elements."""
    rank = {tag(name): place for place, name in enumerate(order)}
    own = rank[str(child.tag)]
    for sibling in parent.iterchildren("*"):
        if rank.get(str(sibling.tag), -1) > own:
            sibling.addprevious(child)
            return
    parent.append(child)


@dataclass
class Package:
    """The parts of a workbook under change. Not a record: compiling and annotating edit it, then let it go."""

    parts: dict[str, bytes]
    _trees: dict[str, etree._Element] = field(default_factory=dict)

    @classmethod
    def open(cls, data: bytes) -> Package:
        """Unpack a workbook; raises NotAWorkbook."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(info.file_size for info in archive.infolist()) > LARGEST:
                    raise NotAWorkbook("文件过大")
                parts = {
                    info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()
                }
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise NotAWorkbook("不是 xlsx 格式的工作簿") from error
        if TYPES_PART not in parts or ROOT_RELS not in parts:
            raise NotAWorkbook("不是 xlsx 格式的工作簿")
        return cls(parts)

    def tree(self, part: str) -> etree._Element:
        """The part as a tree whose changes count; raises NotAWorkbook where it is missing or broken."""
        if part not in self._trees:
            if part not in self.parts:
                raise NotAWorkbook(f"缺少内部部件 {part}")
            self._trees[part] = parse(self.parts[part])
        return self._trees[part]

    def add(self, part: str, content: bytes, content_type: str) -> None:
        """Add or replace a part and declare its type."""
        self._trees.pop(part, None)
        self.parts[part] = content
        types = self.tree(TYPES_PART)
        for known in types.iterfind(f"{{{CONTENT_TYPES}}}Override"):
            if known.get("PartName", "").lower() == f"/{part}".lower():
                known.set("ContentType", content_type)
                return
        etree.SubElement(types, f"{{{CONTENT_TYPES}}}Override", PartName=f"/{part}", ContentType=content_type)

    def declare_extension(self, extension: str, content_type: str) -> None:
        """Declare the type of every part with an extension, unless it is declared."""
        types = self.tree(TYPES_PART)
        for known in types.iterfind(f"{{{CONTENT_TYPES}}}Default"):
            if known.get("Extension", "").lower() == extension:
                return
        types.insert(
            0, etree.Element(f"{{{CONTENT_TYPES}}}Default", Extension=extension, ContentType=content_type)
        )

    def drop(self, part: str) -> None:
        """Remove a part, its relationships and its declaration."""
        for name in (part, rels_name(part)):
            self.parts.pop(name, None)
            self._trees.pop(name, None)
        types = self.tree(TYPES_PART)
        for known in types.findall(f"{{{CONTENT_TYPES}}}Override"):
            if known.get("PartName", "").lower() == f"/{part}".lower():
                types.remove(known)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """A part's internal relationships: id -> (kind, target part); the kind is the last word of its type."""
        name = rels_name(part) if part else ROOT_RELS
        if name not in self.parts and name not in self._trees:
            return {}
        found = {}
        # A part that is only looked at keeps its bytes.
        root = self._trees[name] if name in self._trees else parse(self.parts[name])
        for relation in root.iterchildren("*"):
            if relation.get("TargetMode") == "External":
                continue
            target = relation.get("Target", "")
            base = posixpath.dirname(part)
            path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(base, target))
            found[relation.get("Id", "")] = (relation.get("Type", "").rsplit("/", 1)[-1], path)
        return found

    def relate(self, part: str, kind: str, target: str) -> str:
        """Relate a part to another (absolute target); the new relationship's id. An empty part is the package."""
        name = rels_name(part) if part else ROOT_RELS
        if name not in self.parts:
            self.parts[name] = f'<Relationships xmlns="{PACKAGE_RELS}"/>'.encode()
        relations = self.tree(name)
        taken = {relation.get("Id") for relation in relations}
        new = next(f"rIdH{number}" for number in range(1, len(taken) + 2) if f"rIdH{number}" not in taken)
        etree.SubElement(relations, f"{{{PACKAGE_RELS}}}Relationship", Id=new, Type=kind, Target=f"/{target}")
        return new

    def unrelate(self, part: str, relation_id: str) -> None:
        """Remove one relationship of a part."""
        relations = self.tree(rels_name(part) if part else ROOT_RELS)
        for relation in relations.findall(f"{{{PACKAGE_RELS}}}Relationship"):
            if relation.get("Id") == relation_id:
                relations.remove(relation)

    def reachable(self) -> set[str]:
        """The parts that the package's relationships lead to."""
        seen: set[str] = set()
        waiting = [""]
        while waiting:
            for _, target in self.relations(waiting.pop()).values():
                if target in self.parts and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def workbook_part(self) -> str:
        """The workbook's own part; raises NotAWorkbook."""
        for kind, target in self.relations("").values():
            if kind == "officeDocument":
                return target
        raise NotAWorkbook("不是 xlsx 格式的工作簿")

    def finish(self) -> dict[str, bytes]:
        """All parts as bytes, the content types first as readers expect."""
        for part, root in self._trees.items():
            self.parts[part] = serialise(root)
        first = [name for name in (TYPES_PART, ROOT_RELS) if name in self.parts]
        return {name: self.parts[name] for name in (*first, *(n for n in self.parts if n not in first))}
