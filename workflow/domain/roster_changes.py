"""What a new baseline 基准数据 changes in the tree of units (articles 9–12 of the 管理办法), and the tree once it is agreed to.

A baseline says only what units there are. That one was re-coded, went into another or was divided is told from where the
units below it went and from how alike the names are; it is a suggestion, which the clerk decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from workflow.domain.errors import Fault
from workflow.domain.name_likeness import Likeness, essence
from workflow.domain.roster import SUPERIORS, Unit

Units = Mapping[str, Unit]


class ChangeKind(StrEnum):
    """What happens to a unit."""

    NEW = "新增"
    CLOSED = "撤销"
    RECODED = "换码"
    MERGED = "合并"
    SPLIT = "拆分"
    RENAMED = "更名"
    MOVED = "隶属变更"
    RETYPED = "类型变更"


#: The kinds that tie one unit to another: never taken for granted, each is decided by itself.
LINKS = frozenset({ChangeKind.RECODED, ChangeKind.MERGED, ChangeKind.SPLIT})


#: The kinds in which a unit that ends goes on in another.
_HEIRS = frozenset({ChangeKind.RECODED, ChangeKind.MERGED})


class Decision(StrEnum):
    """What the clerk says of a change. APART: both units change as the baseline says, but they are not the same one."""

    AGREED = "同意"
    APART = "不关联"
    HELD = "暂缓"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `before` is the unit as it is, `after` as it will be; of a link they are the two units tied together.
    `likeness` is how alike their names are (0 to 1), `followers` how many units below move along with it.
    """

    kind: ChangeKind
    before: Unit | None
    after: Unit | None
    likeness: float = 0.0
    followers: int = 0

    @property
    def unit(self) -> Unit:
        """The unit that the change is told under: the known one where there is one."""
        unit = self.before or self.after
        assert unit is not None
        return unit


@dataclass(frozen=True, slots=True)
class Link:
    """The unit `new` goes on with what was reported under `old`."""

    old: str
    new: str
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Applied:
    """What the agreed changes come to: units as they will be (only those that differ), codes that end, and links."""

    units: tuple[Unit, ...] = ()
    closed: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def changes(old: Units, new: Units) -> tuple[Change, ...]:
    """Every change from one tree to the other, those that close or tie units first, in the order of the trees."""
    gone = {code: unit for code, unit in old.items() if code not in new}
    come = {code: unit for code, unit in new.items() if code not in old}
    went = _went(old, new)
    split = _splits(gone, come, old, went)
    heirs = {code: heir for code, heir in _heirs(gone, new, went).items() if heir not in split}
    likeness = {(code, heir): _alike(old, new, code, heir) for code, heir in heirs.items()}
    alike = _alike_pairs(gone, come, heirs, split)
    heirs |= {code: heir for code, (heir, _) in alike.items()}
    likeness |= {(code, heir): value for code, (heir, value) in alike.items()}
    heard = Counter(heirs.values())
    tied = {(code, heir) for code, heir in heirs.items()} | {(code, heir) for heir, code in split.items()}
    followers = Counter(
        (unit.superior, new[code].superior)
        for code, unit in old.items()
        if code in new and (unit.superior, new[code].superior) in tied
    )
    found: list[Change] = []
    recoded: set[str] = set()
    for code, unit in gone.items():
        heir = heirs.get(code)
        if heir is None:
            found.append(Change(ChangeKind.CLOSED, unit, None))
            continue
        again = heir in come and heard[heir] == 1
        if again:
            recoded.add(heir)
        kind = ChangeKind.RECODED if again else ChangeKind.MERGED
        found.append(Change(kind, unit, new[heir], likeness[code, heir], followers[code, heir]))
    for code, unit in come.items():
        if code in split:
            was = split[code]
            found.append(
                Change(ChangeKind.SPLIT, old[was], unit, _alike(old, new, was, code), followers[was, code])
            )
        elif code not in recoded:
            found.append(Change(ChangeKind.NEW, None, unit))
    for code, unit in old.items():
        if code in new:
            found.extend(_differences(unit, new[code], tied))
    return tuple(found)


def _went(old: Units, new: Units) -> dict[str, Counter[str]]:
    """Where the units below each unit stand now, by their former superior; those that stayed are not counted."""
    went: dict[str, Counter[str]] = {}
    for code, unit in old.items():
        after = new.get(code)
        if after is not None and after.superior != unit.superior and after.superior:
            went.setdefault(unit.superior, Counter())[after.superior] += 1
    return went


def _splits(gone: Units, come: Units, old: Units, went: Mapping[str, Counter[str]]) -> dict[str, str]:
    """By each new unit the one that it was divided from: of one that ends, two new ones or more; of one that goes on, any."""
    split: dict[str, str] = {}
    for code, places in went.items():
        new = [place for place in places if place in come and come[place].kind.reports]
        if code in old and (code not in gone or len(new) > 1):
            split.update({place: code for place in new if come[place].kind is old[code].kind})
    return split


def _heirs(gone: Units, new: Units, went: Mapping[str, Counter[str]]) -> dict[str, str]:
    """By each unit that ends the one that most of the units below it went to, where it is of the same rank."""
    heirs: dict[str, str] = {}
    for code, unit in gone.items():
        for place, _ in went.get(code, Counter()).most_common():
            if new[place].kind is unit.kind:
                heirs[code] = place
                break
    return heirs


def _alike(old: Units, new: Units, code: str, heir: str) -> float:
    return Likeness.of(essence(old, code), essence(new, heir))


def _alike_pairs(
    gone: Units, come: Units, heirs: Mapping[str, str], split: Mapping[str, str]
) -> dict[str, tuple[str, float]]:
    """Units that end and new ones that are probably the same one: under the same superior with a name much alike, or
    anywhere in the province with the very same name. Each stands in one pair at most, the likest first.
    """
    taken = {*heirs.values(), *split}
    groups: dict[tuple[str, str], tuple[list[Unit], list[Unit]]] = {}
    for unit in gone.values():
        if unit.code not in heirs:
            superior = heirs.get(unit.superior, unit.superior)
            groups.setdefault((superior, _rank(unit)), ([], []))[0].append(unit)
    for unit in come.values():
        if unit.code not in taken:
            groups.setdefault((unit.superior, _rank(unit)), ([], []))[1].append(unit)
    pairs = [pair for ended, begun in groups.values() if ended and begun for pair in _likest(ended, begun)]
    named: dict[tuple[str, str], list[Unit]] = {}
    for unit in come.values():
        if unit.code not in taken:
            named.setdefault((unit.name, _rank(unit)), []).append(unit)
    for unit in gone.values():
        same = named.get((unit.name, _rank(unit)), [])
        if unit.code not in heirs and len(same) == 1:
            pairs.append((1.0, unit.code, same[0].code))
    found: dict[str, tuple[str, float]] = {}
    used: set[str] = set()
    for value, code, heir in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if code not in found and heir not in used:
            found[code] = (heir, value)
            used.add(heir)
    return found


def _rank(unit: Unit) -> str:
    """Departments are compared with those of their kind, schools with schools whatever they teach."""
    return unit.kind.value if unit.kind.reports else ""


def _likest(ended: Sequence[Unit], begun: Sequence[Unit]) -> list[tuple[float, str, str]]:
    names = Likeness([unit.name for unit in begun])
    return [(value, unit.code, begun[place].code) for unit in ended for place, value in names.like(unit.name)]


def _differences(unit: Unit, after: Unit, tied: set[tuple[str, str]]) -> Iterable[Change]:
    if unit.name != after.name:
        alike = Likeness.of(unit.name, after.name)
        yield Change(ChangeKind.RENAMED, unit, replace(unit, name=after.name), alike)
    if unit.superior != after.superior and (unit.superior, after.superior) not in tied:
        yield Change(ChangeKind.MOVED, unit, replace(unit, superior=after.superior))
    if unit.kind is not after.kind:
        yield Change(ChangeKind.RETYPED, unit, replace(unit, kind=after.kind))


@dataclass(frozen=True, slots=True)
class Tie:
    """A code that the clerk typed beside a unit that ends: it goes on in that one. `where` is the row, for a refusal."""

    code: str
    where: str


def tied_by_hand(
    found: Sequence[Change], decided: Sequence[Decision], ties: Mapping[int, Tie], old: Units, new: Units
) -> tuple[list[tuple[Change, Decision]], list[Fault]]:
    """The decided changes with the clerk's own ties in place of what the baseline suggested, and what is wrong with them.
    `ties` are by the place of the change.
    """
    faults = [fault for at, tie in ties.items() for fault in _tie_faults(found[at], decided[at], tie, new)]
    if faults or not ties:
        return list(zip(found, decided, strict=True)), faults
    agreed = {
        at: ties[at].code if at in ties else change.after.code if change.after else ""
        for at, change in enumerate(found)
        if decided[at] is Decision.AGREED and (at in ties or change.kind in _HEIRS)
    }
    heard = Counter(agreed.values())
    result: list[tuple[Change, Decision]] = []
    for at, (change, decision) in enumerate(zip(found, decided, strict=True)):
        if at in agreed and change.before is not None:
            after = new[agreed[at]]
            again = after.code not in old and heard[after.code] == 1
            kind = ChangeKind.RECODED if again else ChangeKind.MERGED
            alike = Likeness.of(change.before.name, after.name)
            change = replace(change, kind=kind, after=after, likeness=alike)
        result.append((change, decision))
    recoded = {one.after.code for one, _ in result if one.kind is ChangeKind.RECODED and one.after}
    told = {one.unit.code for one in found if one.kind is ChangeKind.NEW}
    # Whoever is one's new code is no new unit; who was suggested as one's new code, and is not, is one.
    result = [one for one in result if one[0].kind is not ChangeKind.NEW or one[0].unit.code not in recoded]
    freed = {one.after.code for one in found if one.kind is ChangeKind.RECODED and one.after} - recoded - told
    result += [(Change(ChangeKind.NEW, None, new[code]), Decision.AGREED) for code in sorted(freed)]
    faults += [
        Fault(
            f"单位 {change.unit.code} {change.unit.name}",
            "填作关联单位，而它的“新增”填了“暂缓”",
            "请改为“同意”",
        )
        for change, decision in zip(found, decided, strict=True)
        if change.kind is ChangeKind.NEW and decision is Decision.HELD and change.unit.code in heard
    ]
    return result, faults


def _tie_faults(change: Change, decision: Decision, tie: Tie, new: Units) -> Iterable[Fault]:
    before, after = change.before, new.get(tie.code)
    if before is None or change.kind not in {ChangeKind.CLOSED, ChangeKind.RECODED, ChangeKind.MERGED}:
        yield Fault(
            tie.where, f"{change.kind}不能填写关联单位", "请清除“关联单位”栏；只有撤销、换码、合并可以填写"
        )
    elif after is None:
        yield Fault(tie.where, f"关联单位代码 {tie.code} 在这份基准数据中没有", "请填写基准数据中的单位代码")
    elif _rank(before) != _rank(after):
        what = f"{before.name}（{before.kind}）不能与{after.name}（{after.kind}）关联"
        yield Fault(tie.where, what, "请填写同类单位的代码")
    elif decision is not Decision.AGREED:
        remedy = f"关联的填“{Decision.AGREED}”；不关联的，请恢复“关联单位”栏原来的内容"
        yield Fault(tie.where, f"填写了关联单位，决定却是“{decision}”", remedy)


def apply(old: Units, new: Units, decided: Iterable[tuple[Change, Decision]]) -> Applied:
    """What decided changes come to. What is held stays as it was, with all that would have moved along with it."""
    tree = dict(old)
    closed: list[str] = []
    links: list[Link] = []
    follow: set[tuple[str, str]] = set()
    for change, decision in decided:
        if decision is Decision.HELD:
            continue
        before, after = change.before, change.after
        if change.kind in {ChangeKind.CLOSED, ChangeKind.RECODED, ChangeKind.MERGED}:
            assert before is not None
            tree.pop(before.code, None)
            closed.append(before.code)
        if change.kind in {ChangeKind.NEW, ChangeKind.RECODED, ChangeKind.SPLIT}:
            assert after is not None
            tree[after.code] = after
        if change.kind in LINKS:
            assert before is not None
            assert after is not None
            follow.add((before.code, after.code))
            if decision is Decision.AGREED:
                links.append(Link(before.code, after.code, change.kind))
        if change.kind is ChangeKind.RENAMED and after is not None:
            tree[after.code] = replace(tree[after.code], name=after.name)
        elif change.kind is ChangeKind.MOVED and after is not None:
            tree[after.code] = replace(tree[after.code], superior=after.superior)
        elif change.kind is ChangeKind.RETYPED and after is not None:
            tree[after.code] = replace(tree[after.code], kind=after.kind)
    for code, unit in old.items():
        if code in tree and code in new and (unit.superior, new[code].superior) in follow:
            tree[code] = replace(tree[code], superior=new[code].superior)
    differing = tuple(unit for code, unit in tree.items() if old.get(code) != unit)
    return Applied(differing, tuple(closed), tuple(links))


def tree_after(old: Units, applied: Applied) -> dict[str, Unit]:
    """The tree once the changes are applied: known units keep their place, new ones come after them."""
    ended = set(applied.closed)
    return {code: unit for code, unit in old.items() if code not in ended} | {
        unit.code: unit for unit in applied.units
    }


def tree_faults(units: Units) -> Iterable[Fault]:
    """What is wrong with a tree in which some changes were agreed to and others not."""
    for unit in units.values():
        where = f"单位 {unit.code} {unit.name}"
        above = units.get(unit.superior)
        if unit.superior and above is None:
            what = f"它的上级单位 {unit.superior} 将不在名册中"
            yield Fault(where, what, "请对这两个单位的变更一并填写“同意”或“暂缓”")
        elif above is not None and above.kind not in SUPERIORS[unit.kind]:
            what = f"{above.kind}（{above.name}）不能是{unit.kind}的上级"
            yield Fault(where, what, "请对这两个单位的变更一并填写“同意”或“暂缓”")
    yield from _circles(units)


def _circles(units: Units) -> Iterable[Fault]:
    done: set[str] = set()
    for start in units:
        path: dict[str, None] = {}
        code = start
        while code in units and code not in done and code not in path:
            path[code] = None
            code = units[code].superior
        if code in path:
            names = " → ".join(units[one].name for one in (*list(path)[list(path).index(code) :], code))
            yield Fault(f"单位 {code}", f"隶属关系将成一个圈：{names}", "请暂缓其中一项隶属变更")
        done.update(path)
