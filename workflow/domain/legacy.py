"""Phase-one data 一期数据: whose each row is, with how much confidence, and what it says of the unit.

Nobody's word is taken for a match that may be wrong: what is not certain is for a person to decide, and nothing is applied
before all of it is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from workflow.domain.answers import Unclear
from workflow.domain.checks import unclear_words
from workflow.domain.form import NO_CHANGE, Value
from workflow.domain.mapping import Mapper, plain
from workflow.domain.name_likeness import ENOUGH, Likeness
from workflow.domain.roster import Roster
from workflow.domain.submission import RawValue

#: Stands for a campaign in the names of what was taken over, and is what people read.
LEGACY = "一期"
#: From here on a match needs no person.
CERTAIN = 0.95
_MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class LegacyCell:
    """One value and its address in the file such as `学校!E12`."""

    address: str
    raw: RawValue


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """One row of the old system's export: what names the unit ('' where the file does not say), and its values by heading."""

    sheet: str
    number: int
    account: str = ""
    code: str = ""
    name: str = ""
    superior: str = ""
    cells: Mapping[str, LegacyCell] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.sheet}!第{self.number}行" if self.sheet else f"第{self.number}行"


@dataclass(frozen=True, slots=True)
class Match:
    """Whose a row seems to be ('' nobody's), how sure that is from 0 to 1, why, and who else it may be."""

    row: LegacyRow
    unit: str
    confidence: float
    why: str
    others: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        return self.confidence >= CERTAIN


@dataclass(frozen=True)
class Index:
    """The roster as rows are looked up in it. `aliases` gives the unit of an account of the old system or of a code that it
    had before, `names` the names that units had before.
    """

    roster: Roster
    aliases: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Collection[str]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for unit in self.roster.units.values():
            found.setdefault(plain(unit.name), []).append(unit.code)
        return {name: tuple(codes) for name, codes in found.items()}

    @cached_property
    def by_former_name(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for code, names in self.names.items():
            for name in names:
                if code in self.roster.units and plain(name) != plain(self.roster.units[code].name):
                    found.setdefault(plain(name), []).append(code)
        return {name: tuple(codes) for name, codes in found.items()}

    @cached_property
    def _alike(self) -> tuple[Likeness, tuple[str, ...]]:
        units = list(self.roster.units.values())
        return Likeness([plain(unit.name) for unit in units]), tuple(unit.code for unit in units)

    def like(self, name: str) -> list[tuple[float, str]]:
        """The units whose names are like this one, the likest first."""
        likeness, codes = self._alike
        found = [(how, codes[place]) for place, how in likeness.like(plain(name))]
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    def beneath(self, code: str, superior: str) -> bool:
        """Whether a unit stands below the superior whose name, code or part of a name the row gives."""
        words = plain(superior)
        return any(words in plain(above.name) or words == above.code for above in self.roster.above(code))


def match_rows(rows: Sequence[LegacyRow], index: Index) -> tuple[Match, ...]:
    """Whose each row is: by alias, then by code, then by name. Two rows of one unit are nobody's for certain."""
    found = [match(row, index) for row in rows]
    seen: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        if one.unit:
            seen.setdefault(one.unit, []).append(place)
    for places in seen.values():
        if len(places) > 1:
            numbers = "、".join(found[place].row.place for place in places)
            for place in places:
                one = found[place]
                found[place] = Match(
                    one.row,
                    one.unit,
                    min(one.confidence, 0.5),
                    f"{one.why}；与{numbers}为同一单位",
                    one.others,
                )
    return tuple(found)


def match(row: LegacyRow, index: Index) -> Match:
    """Whose one row is."""
    units = index.roster.units
    for alias in (row.account, row.code):
        if alias and (code := index.aliases.get(alias)) in units:
            return _told(row, index, str(code), "原账号或原代码已登记", 0.97)
    if row.code in units:
        return _told(row, index, row.code, "代码相同", 0.96)
    # A school administrator's account is the school's code and A1.
    if (code := row.account.removesuffix("A1")) in units and code != row.account:
        return _told(row, index, code, "账号由单位代码组成", 0.96)
    return _by_name(row, index)


def _told(row: LegacyRow, index: Index, code: str, why: str, confidence: float) -> Match:
    """A match by what was given out, held against the name."""
    unit = index.roster.units[code]
    known = {plain(unit.name), *(plain(name) for name in index.names.get(code, ()))}
    if not row.name:
        return Match(row, code, confidence, f"{why}，没有名称可以核对")
    if plain(row.name) in known:
        return Match(row, code, 1.0, f"{why}，名称相同")
    if Likeness.of(plain(row.name), plain(unit.name)) >= ENOUGH:
        return Match(row, code, confidence, f"{why}，名称相近")
    others = tuple(other for _, other in index.like(row.name)[:_MOST_CANDIDATES] if other != code)
    return Match(row, code, 0.6, f"{why}，但名称不同", others)


def _by_name(row: LegacyRow, index: Index) -> Match:
    if not row.name:
        return Match(row, "", 0.0, "没有登记的代码，也没有名称")
    unknown = "，但名册中没有原代码" if row.code else ""
    for names, word, confidence in (
        (index.by_name, "名称相同", 0.95),
        (index.by_former_name, "与原名称相同", 0.9),
    ):
        codes = names.get(plain(row.name), ())
        here = tuple(code for code in codes if index.beneath(code, row.superior)) if row.superior else ()
        if len(here) == 1:
            return Match(row, here[0], confidence - (0.1 if unknown else 0), f"{word}，上级相符{unknown}")
        if len(codes) == 1:
            elsewhere = bool(row.superior)
            why = f"{word}{'，但上级不同' if elsewhere else ''}{unknown}"
            return Match(row, codes[0], confidence - (0.25 if elsewhere else 0.1 if unknown else 0), why)
        if codes:
            return Match(row, "", 0.3, f"{word}的有{len(codes)}个单位", codes[:_MOST_CANDIDATES])
    alike = index.like(row.name)
    alike = [one for one in alike if index.beneath(one[1], row.superior)] or alike if row.superior else alike
    if not alike:
        return Match(row, "", 0.0, f"名册中没有名称相近的单位{unknown}")
    others = tuple(code for _, code in alike[1 : 1 + _MOST_CANDIDATES])
    return Match(row, alike[0][1], round(0.85 * alike[0][0], 2), f"名称相近（{alike[0][0]:.0%}）", others)


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that is none of its field's type: it is left out."""

    address: str
    label: str
    typed: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a row says of its unit: answers and the address of each, by field; what could not be read; and the headings that
    go nowhere.
    """

    answers: Mapping[str, Value]
    addresses: Mapping[str, str]
    unread: tuple[Unread, ...]


def take(row: LegacyRow, mapper: Mapper) -> Taken:
    """A row's values under the names of the unit's form. Of two old fields that go into one, the first filled one counts."""
    answers: dict[str, Value] = {}
    addresses: dict[str, str] = {}
    unread: list[Unread] = []
    for heading, cell in row.cells.items():
        target = mapper.target(heading)
        if target is None or target.field.name in addresses or target.field.name == NO_CHANGE:
            continue
        seen = target.read(cell.raw)
        if isinstance(seen, Unclear):
            unread.append(
                Unread(
                    cell.address, target.field.label, str(cell.raw), unclear_words(target.field, seen.code)
                )
            )
        elif seen.value is not None:
            answers[target.field.name] = seen.value
            addresses[target.field.name] = cell.address
    return Taken(answers, addresses, tuple(unread))


def unmapped(rows: Sequence[LegacyRow], mappers: Collection[Mapper]) -> Iterator[tuple[str, int]]:
    """The old fields that go into no form, and how many rows have a value there; those left out on purpose are not told."""
    counts: dict[str, int] = {}
    for row in rows:
        for heading, cell in row.cells.items():
            counts[heading] = counts.get(heading, 0) + (cell.raw not in {None, ""})
    for heading, count in counts.items():
        if not any(mapper.target(heading) or mapper.left_out(heading) for mapper in mappers):
            yield heading, count
