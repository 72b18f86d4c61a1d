"""How alike the names of two units are, as a suggestion to the clerk: 示例县第一小学 and 示例县第一实验小学 are, 第二小学 is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from workflow.domain.roster import Unit

#: From here on two names are worth a suggestion.
ENOUGH = 0.5
#: Numbers by which schools of one place are told apart: two names that differ in them are two schools.
_NUMERALS = frozenset("0123456789一二三四五六七八九十百零〇")


class Likeness:
    """Names of one place to be compared with many others. What all of them begin with (the county) is left aside."""

    def __init__(self, names: Sequence[str]) -> None:
        self._common = _common(names)
        self._names = names
        own = [name[len(self._common) :] for name in names]
        self._sizes = [len(_pairs(name)) for name in own]
        self._numbers = [_numbers(name) for name in own]
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(own):
            for pair in _pairs(name):
                self._places.setdefault(pair, []).append(place)
        self._same: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            self._same.setdefault(name, []).append(place)

    def like(self, name: str) -> Iterator[tuple[int, float]]:
        """The places of the names that are like this one, with how much; only those of the same name where there are any."""
        if name in self._same:
            yield from ((place, 1.0) for place in self._same[name])
            return
        own = name.removeprefix(self._common)
        pairs, numbers = _pairs(own), _numbers(own)
        shared: Counter[int] = Counter()
        for pair in pairs:
            shared.update(self._places.get(pair, ()))
        for place, count in shared.items():
            together = len(pairs) + self._sizes[place]
            if 2 * count >= ENOUGH * together and numbers == self._numbers[place]:
                yield place, round(2 * count / together, 2)

    @staticmethod
    def of(one: str, other: str) -> float:
        """Twice what two names share over what they have together, by pairs of characters (Dice); 0 where their numbers
        differ, 1 for equal ones.
        """
        if one == other:
            return 1.0
        if _numbers(one) != _numbers(other):
            return 0.0
        mine, theirs = _pairs(one), _pairs(other)
        if not mine or not theirs:
            return 0.0
        return round(2 * len(mine & theirs) / (len(mine) + len(theirs)), 2)


def essence(units: Mapping[str, Unit], code: str) -> str:
    """What names a department beside its rank and the city above it: 偃师 of 洛阳市偃师区教育局."""
    unit = units[code]
    above = units.get(unit.superior)
    name = unit.name.removesuffix("教育局").removesuffix("教育体育局")
    if above is not None:
        name = name.removeprefix(above.name.removesuffix("教育局").removesuffix("教育体育局"))
    return name[:-1] if len(name) > 2 and name[-1] in "区县市" else name


def _pairs(name: str) -> frozenset[str]:
    return frozenset(name[at : at + 2] for at in range(len(name) - 1))


def _numbers(name: str) -> str:
    return "".join(letter for letter in name if letter in _NUMERALS)


def _common(names: Sequence[str]) -> str:
    """What all the names begin with, where there are several."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]
