"""The 负责人回执表 (附件2): what it asks, what its code says, and whether the sealed paper and the electronic copy agree.

Reading a scan is never certain, so a cell is called consistent only where every sign was read surely and no digit had to be
guessed; all else goes to a person, with the picture of the cell. A scan is `consistent`, `differs` or `unreadable`, never rejected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.domain.roster import Role, UnitKind

NOT_ASKED = "--"


class Column(StrEnum):
    """What the form asks of each person, by the headings of 附件2."""

    NAME = "姓名"
    CHANGED = "原负责人是否变动"
    UNIT = "单位"
    OFFICE = "处室"
    PHONE = "办公电话"
    MOBILE = "手机号码"
    EMAIL = "电子邮箱"


Cell = tuple[Role, Column]

#: Cells that 附件2 itself marks `--`.
CLOSED: frozenset[Cell] = frozenset({(Role.INSPECTOR, Column.OFFICE), (Role.INSPECTOR, Column.EMAIL)})
CELLS: tuple[Cell, ...] = tuple((role, column) for role in Role for column in Column)


def asked_roles(kind: UnitKind) -> frozenset[Role]:
    """The roles that a unit names: all three at an office or university, else the 管理员 alone (article 7)."""
    return frozenset(Role) if kind.reports else frozenset({Role.ADMINISTRATOR})


def asked_cells(kind: UnitKind) -> tuple[Cell, ...]:
    """The cells that a unit of this kind fills in, in reading order."""
    roles = asked_roles(kind)
    return tuple(cell for cell in CELLS if cell[0] in roles and cell not in CLOSED)


# ── the code ──────────────────────────────────────────────────────────────────────────────────────────────────────

_PART = re.compile(r"[0-9A-Z .:-]+")


@dataclass(frozen=True, slots=True)
class ReceiptMark:
    """What the QR code of a form says, in capitals. It routes and proves nothing: the token is the caller's to verify."""

    campaign: str
    unit: str
    token: str


def receipt_code(campaign: str, unit: str, token: str) -> str:
    """What the QR code says: `HZ/<campaign>/<unit code>/<token>` in upper case.

    ValueError for a part that is empty or has other signs than the code's alphanumeric mode (0-9 A-Z space - . :),
    the slash left out.
    """
    parts = [part.upper() for part in (campaign, unit, token)]
    for part in parts:
        if not _PART.fullmatch(part):
            raise ValueError(f"“{part}”不能写入回执表的二维码：只能含数字、英文字母和 - . : 等符号")
    return "/".join(("HZ", *parts))


def read_code(text: str) -> ReceiptMark | None:
    """The mark in the text of a QR code; None for a code of something else."""
    head, *parts = text.split("/")
    if head != "HZ" or len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        return None
    return ReceiptMark(*parts)


# ── what a scan shows ─────────────────────────────────────────────────────────────────────────────────────────────


class Seal(StrEnum):
    """Whether the 公章 is on the page: told to staff, never a reason to reject. `UNCHECKED`: no reader for it here."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    DOUBTFUL = "doubtful"
    UNCHECKED = "unchecked"


class FoundBy(StrEnum):
    """What told whose page it is; an unknown one is the sender's if anybody's, which the caller knows."""

    CODE = "code"
    NAME = "name"
    UNKNOWN = "unknown"


class PageKind(StrEnum):
    """What a page turned out to be. `FORM`: the table of 附件2 or its code is on it; `OTHER`: something else."""

    FORM = "form"
    BLANK = "blank"
    OTHER = "other"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a cell, lines parted by a line feed. `confidence` (0–1) is that of the least sure sign, `digits` that of
    the least sure digit.
    """

    text: str
    confidence: float = 1.0
    digits: float = 1.0


@dataclass(frozen=True, slots=True)
class ReceiptAnswers:
    """The cells of a form, as typed or as seen; a cell that is missing here was not found."""

    cells: Mapping[Cell, Entry] = field(default_factory=dict)

    def text(self, cell: Cell) -> str:
        entry = self.cells.get(cell)
        return entry.text if entry is not None else ""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """One form in a scan: a page, or a part of a page that shows several. `number` counts pages from 1, `part` the forms on it.

    `unit` is a code of the roster, '' where neither code nor name told it. `answers` is None where the table could not be
    found or nothing here reads it; `pictures` are the cells as PNG. `trouble` says in an office's words what went wrong;
    `whole` is the page as JPEG, so that each unit's can be kept by itself.
    """

    number: int
    part: int
    kind: PageKind
    mark: ReceiptMark | None = None
    unit: str = ""
    found_by: FoundBy = FoundBy.UNKNOWN
    answers: ReceiptAnswers | None = None
    pictures: Mapping[Cell, bytes] = field(default_factory=dict)
    seal: Seal = Seal.UNCHECKED
    trouble: str = ""
    whole: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ScanReading:
    """A file of scans: its pages in order, and in `trouble` why it, or the rest of it, could not be read ('' if all was).
    `cells` is false where nothing here reads more than codes.
    """

    pages: tuple[ScannedPage, ...] = ()
    trouble: str = ""
    cells: bool = True

    @property
    def shows_form(self) -> bool:
        """Whether any page has a form on it, or names a unit that owes one."""
        return any(page.kind is PageKind.FORM or page.found_by is not FoundBy.UNKNOWN for page in self.pages)


#: Shorter names than this are in too many other words to route a page by.
_SHORTEST_NAME = 4


def unit_named(text: str, names: Mapping[str, str]) -> str:
    """The code of the one unit whose name stands in a text read from a page, '' where none or several could be meant.

    `names` gives each code's name. The longest name that stands there counts, as 示例市教育局 also stands in
    示例市教育局示例分局; two units of one name can't be told apart.
    """
    read = _plain(text)
    found: dict[str, list[str]] = {}
    for code, name in names.items():
        plain = _plain(name)
        if len(plain) >= _SHORTEST_NAME and plain in read:
            found.setdefault(plain, []).append(code)
    outer = [name for name in found if not any(name != other and name in other for other in found)]
    return found[outer[0]][0] if len(outer) == 1 and len(found[outer[0]]) == 1 else ""


# ── holding the two against each other ────────────────────────────────────────────────────────────────────────────


class Verdict(StrEnum):
    """What holding a cell or a receipt against the other part gave."""

    CONSISTENT = "consistent"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"

    @property
    def word(self) -> str:
        """The verdict as an office writes it."""
        return {"consistent": "一致", "differs": "不一致", "unreadable": "无法识读"}[self.value]


#: Below these a sign, a digit counts as not read: a letter that is read wrong differs from what was typed, a digit may be
#: the very one that was altered.
SURE, SURE_DIGIT = 0.60, 0.90


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One cell of both parts. `confidence` is that of the scan's reading."""

    cell: Cell
    typed: str
    seen: str
    verdict: Verdict
    confidence: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The cells that the unit fills in, in reading order."""

    fields: tuple[FieldComparison, ...]

    @property
    def verdict(self) -> Verdict:
        """`differs` where any cell does, else `unreadable` where any cell could not be read."""
        found = {one.verdict for one in self.fields}
        if Verdict.DIFFERS in found:
            return Verdict.DIFFERS
        return Verdict.CONSISTENT if found == {Verdict.CONSISTENT} else Verdict.UNREADABLE

    @property
    def to_look_at(self) -> tuple[FieldComparison, ...]:
        """The cells that a person decides."""
        return tuple(one for one in self.fields if one.verdict is not Verdict.CONSISTENT)


def compare(typed: ReceiptAnswers, seen: ReceiptAnswers, kind: UnitKind) -> Comparison:
    """Hold the electronic copy against the scan, cell by cell, over the cells that a unit of this kind fills in."""
    return Comparison(tuple(_compare_cell(cell, typed, seen) for cell in asked_cells(kind)))


def missing_cells(answers: ReceiptAnswers, kind: UnitKind) -> tuple[Cell, ...]:
    """The cells that a unit of this kind has to fill in and left blank."""
    return tuple(cell for cell in asked_cells(kind) if not _plain(answers.text(cell)))


def _compare_cell(cell: Cell, typed: ReceiptAnswers, seen: ReceiptAnswers) -> FieldComparison:
    ours, entry = typed.text(cell), seen.cells.get(cell)
    if entry is None:
        return FieldComparison(cell, ours, "", Verdict.UNREADABLE, 0.0)
    verdict = _HOLD.get(cell[1], _same_words)(ours, entry.text)
    if entry.confidence < SURE or entry.digits < SURE_DIGIT:
        verdict = Verdict.UNREADABLE
    return FieldComparison(cell, ours, entry.text, verdict, entry.confidence)


_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－─一ー"), "-")
_DOTS = dict.fromkeys(map(ord, "•・‧∙●"), "·")


def _plain(text: str) -> str:
    """A text without blanks, in half width, its dots between names alike."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_DOTS))


def _same_words(typed: str, seen: str) -> Verdict:
    return Verdict.CONSISTENT if _plain(typed) == _plain(seen) else Verdict.DIFFERS


_PHONE_SIGNS = re.compile(r"[-+()\[\]、,;/.:·转分机]")


def _digits(text: str) -> str:
    """A telephone number without what only parts it: blanks, dashes, brackets, the country's +86, the word for an extension."""
    plain = _plain(text.translate(_DASHES))
    return _PHONE_SIGNS.sub("", re.sub(r"^(?:\+|00)86", "", plain))


def _same_phone(typed: str, seen: str) -> Verdict:
    ours, theirs = _digits(typed), _digits(seen)
    if ours == theirs:
        return Verdict.CONSISTENT
    # A letter among digits is a digit that was not read.
    return Verdict.DIFFERS if theirs.isdecimal() or not theirs else Verdict.UNREADABLE


_ADDRESS_SIGNS = str.maketrans(
    {",": ".", "。": ".", "·": ".", "、": ".", "﹒": ".", "—": "-", "–": "-", "―": "-", "−": "-"}
)
#: The capital I, the small l and the bar are one stroke; none is a digit.
_STROKES = str.maketrans({"I": "l", "|": "l"})
#: Letters and digits that look alike: equal but for these is neither the same nor surely different.
_ALIKE = str.maketrans("oislzbgqu|", "01512899v1")


def _same_address(typed: str, seen: str) -> Verdict:
    ours = re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed.translate(_INVISIBLE)))
    read = unicodedata.normalize("NFKC", seen).translate(_ADDRESS_SIGNS).rstrip(".")
    # An address has no accents: one that was read is dust over a letter.
    read = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", read))
    lines = [line.strip() for line in read.splitlines()]
    closed, ruled = ("".join(re.sub(r"\s+", with_, line) for line in lines) for with_ in ("", "_"))
    # A blank within a line may be an underscore whose stroke was lost.
    for theirs in (closed, ruled):
        if (
            theirs.lower() == ours.lower()
            or theirs.translate(_STROKES).lower() == ours.translate(_STROKES).lower()
        ):
            return Verdict.CONSISTENT
    skeleton = [re.sub(r"[_\-.]", "", one.lower()).translate(_ALIKE) for one in (ours, closed)]
    return Verdict.UNREADABLE if skeleton[0] == skeleton[1] else Verdict.DIFFERS


_HOLD = {Column.PHONE: _same_phone, Column.MOBILE: _same_phone, Column.EMAIL: _same_address}
