"""What people ask for about the roster in words (article 11): another superior 隶属关系变更, 暂停招生 and 恢复招生; and how the
common superior answers. Plain statements count; questions, conditions and our own letters' sentences do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from workflow.domain.problems import codes_in, plain
from workflow.domain.roster import SUPERIORS, Roster, Unit

#: The field of a form in which a school says whether it suspends admissions 暂停招生 (article 11).
SUSPENDED_FIELD = "暂停招生"
#: An optional field of a form in which a unit says what is wrong with the roster.
PROBLEM_FIELD = "名册问题"

_QUESTION = re.compile(r"[?]|吗|怎么|怎样|如何|请问|是否|能否|可否|何时")
_CONDITION = re.compile(r"(?:如果?|如需|若|凡|需要?|拟|计划|准备|不|未|没有?|无需|取消|撤回)[^,。;]{0,8}$")
_MOVE = re.compile(
    r"申请(?:变更|调整|更改|更正)[^,。;]{0,8}(?:隶属|上级|主管)|隶属(?:关系)?(?:变更|调整|更改)(?:的)?申请"
    r"|(?:隶属(?:关系|单位)?|上级(?:单位|部门)?|主管(?:单位|部门))(?:[^,。;]{0,4})?(?:应该?|现)?(?:为|是|属|隶属于?|变更为|调整为|调整到|改为|划归)"
    r"|(?:申请|请求|请|拟)?将[^,。;]{2,30}(?:划归|划转到?|划到|改隶|隶属(?:关系)?(?:变更|调整))"
    r"|(?:应|现|申请|请求)(?:该)?(?:隶属于?|划归|划转到?|改隶|归属于?|属于?)(?=[一-鿿0-9])"
)
_OUR_WORDS = re.compile(r"^的(?:[,;]|请|应|可|单位|学校)")
_SUSPEND = re.compile(r"暂停招生")
_RESUME = re.compile(
    r"恢复招生|(?:取消|解除|撤销|不再)暂停招生|(?:已经?|现已)(?:重新|正常)招生|未暂停招生|没有暂停招生"
)
_FULL = r"(?:我局|我厅|我委|经研究|经核实|经核|现|已|,)*"
_AGREED = re.compile(
    rf"{_FULL}同意(?:变更|该申请|该校|办理|调整|划转|隶属|此申请|上述|申请|关系|学校|[,。])*(?:谢谢|特此(?:回复|函复))?"
)
_REFUSED = re.compile(rf"{_FULL}(?:不予?同意|不同意|未同意|不予变更|不予办理)")
#: What is cut from a department's name to find it where people leave it out.
_OFFICE = re.compile(
    r"(?:教育体育局|教育科技局|教育科技和体育局|文教体局|教育和体育局|教体局|教育局|教育厅)$"
)


def wishes_move(words: str) -> bool:
    """Whether words ask for another superior."""
    return _says(words, _MOVE)


def wishes_suspension(words: str) -> bool | None:
    """暂停招生 (True) or 恢复招生 (False) as a plain statement, None for anything else."""
    if _says(words, _RESUME):
        return False
    text = plain(words)
    return True if _SUSPEND.search(text) and len(text) <= 120 and _says(words, _SUSPEND) else None


def _says(words: str, pattern: re.Pattern[str]) -> bool:
    text = plain(words)
    if _QUESTION.search(text):
        return False
    for found in pattern.finditer(text):
        clause = re.split(r"[,。;]", text[: found.start()])[-1]
        if not _CONDITION.search(clause) and not _OUR_WORDS.match(text[found.end() :]):
            return True
    return False


def agrees(words: str) -> bool | None:
    """The common superior's answer by its first line: 同意, 不同意 (with what stands behind it as the reason), None else."""
    lines = [line for line in unicodedata.normalize("NFKC", words).splitlines() if line.strip()]
    first = re.sub(r"\s+", "", lines[0]) if lines else ""
    if _QUESTION.search(first):
        return None
    if _REFUSED.match(first):
        return False
    return True if _AGREED.fullmatch(first.rstrip("。!.")) else None


def reason_of(words: str) -> str:
    """What an answer says besides 同意 or 不同意."""
    text = unicodedata.normalize("NFKC", words).strip()
    rest = re.sub(
        rf"^{_FULL}(?:不予?同意|不同意|未同意|同意)(?:变更|该申请|办理|调整)?[\s,，。.:：;；]*", "", text
    )
    return " ".join(rest.split())[:500]


def moved_unit(words: str, roster: Roster, own: Iterable[str]) -> list[str]:
    """The schools whose superior words are about: by code, by name, else those of `own`, the sender's own."""
    schools = [
        code for code in codes_in(words) if code in roster.units and not roster.units[code].kind.reports
    ]
    if schools:
        # A teaching point may go to a central school: the first that is named is the one that moves.
        return schools[:1]
    text = plain(words)
    mine = [code for code in own if code in roster.units and not roster.units[code].kind.reports]
    if mine:
        return mine
    named = [unit for unit in roster.units.values() if not unit.kind.reports and unit.name in text]
    longest = [
        unit for unit in named if not any(unit.name in other.name and unit is not other for other in named)
    ]
    return [unit.code for unit in longest]


def new_superiors(words: str, roster: Roster, unit: Unit) -> list[str]:
    """The units that words name as a unit's superior to be, by code or by name, the present one left out."""
    allowed = SUPERIORS[unit.kind]
    coded = [
        code for code in codes_in(words) if code in roster.units and code not in {unit.code, unit.superior}
    ]
    if coded:
        return coded
    text = plain(words).replace(unit.name, "")
    found: dict[str, str] = {}
    for known in roster.units.values():
        if known.kind in allowed and known.code != unit.code:
            short = _OFFICE.sub("", known.name)
            words_found = (
                known.name if known.name in text else short if len(short) > 1 and short in text else ""
            )
            if words_found:
                found[known.code] = words_found
    longest = [
        code for code, name in found.items()
        if not any(name in other and name != other for other in found.values())
    ]  # fmt: skip
    return [code for code in longest if code != unit.superior]
