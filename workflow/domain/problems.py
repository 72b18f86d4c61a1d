"""Problems with the roster that units report 名册问题 (section 四 of the notice): a unit that is not on it, a wrong superior, no account.

What a report asks for can only come with the next baseline (articles 9, 10, 12) or with a decision; until then it has an
owner, the level above, and a day by which that level is to have answered.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.domain.campaign import midnight
from workflow.domain.events import Event
from workflow.domain.roster import Roster, Unit
from workflow.domain.workdays import Workdays


class ProblemKind(StrEnum):
    """What is said to be wrong."""

    NOT_LISTED = "不在名册"
    WRONG_SUPERIOR = "隶属关系有误"
    NO_ACCOUNT = "没有账号"
    WRONG_NAME = "单位名称有误"
    WRONG_CODE = "单位代码有误"
    ENDED = "已经撤并"
    OTHER = "其他名册问题"


@dataclass(frozen=True, slots=True)
class Problem:
    """One report. `unit` is whom it is about ('' while not on the roster), `reporter` the unit whose people wrote ('' for an
    address that is not registered), `owner` the level that is to answer before `due`; `name`, `code` and `superior` are what
    the words name, `was` how the unit stood (name and superior) when it was reported. `answer` and the rest
    say how it ended: by a decision, or `by_roster`, since the roster has what was asked for.
    """

    number: int
    kind: ProblemKind
    unit: str
    reporter: str
    owner: str
    reported_at: dt.datetime
    due: dt.datetime
    name: str = ""
    code: str = ""
    superior: str = ""
    was: tuple[str, str] = ("", "")
    message: str = ""
    sender: str = ""
    words: str = ""
    closed_at: dt.datetime | None = None
    closed_by: str = ""
    answer: str = ""
    by_roster: bool = False

    @property
    def stream(self) -> str:
        return f"problem:{self.number}"

    @property
    def open(self) -> bool:
        return self.closed_at is None

    def overdue(self, now: dt.datetime) -> bool:
        return self.open and now >= self.due


def problem_of(event: Event) -> Problem:
    """A report from its first event, `problem.reported`; who wrote and what are empty once they have been erased."""
    data, personal = event.data, event.personal or {}
    return Problem(
        int(event.stream.partition(":")[2]), ProblemKind(data["kind"]), data["unit"], data["reporter"], data["owner"],
        event.at, dt.datetime.fromisoformat(data["due"]), data.get("name", ""), data.get("code", ""),
        data.get("superior", ""), tuple(data.get("was", ("", ""))), data.get("message", ""), personal.get("sender", ""),
        personal.get("words", ""),
    )  # fmt: skip


def owner_of(roster: Roster, unit: str) -> str:
    """The level that answers: that above the unit, the highest one for what stands under no level and for nobody known."""
    if unit in roster.units:
        known = roster.units[unit]
        if not known.kind.reports:
            return roster.package_of(unit).code
        if known.superior in roster.units:
            return roster.package_of(known.superior).code
    return top_of(roster)


def top_of(roster: Roster) -> str:
    """The highest level: the department at the top with the most units directly below it."""
    tops = [code for code, unit in roster.units.items() if not unit.superior and unit.kind.reports]
    return max(tops, key=lambda code: len(roster.children(code)), default="")


def due_after(at: dt.datetime, days: int, workdays: Workdays) -> dt.datetime:
    """The end of the last of so many working days after the day of a report."""
    last = workdays.moment(midnight(at.date() + dt.timedelta(days=1)), -days).date()
    return midnight(last + dt.timedelta(days=1))


# --- what people write ------------------------------------------------------------------------------------------------

#: How people spell an account.
ACCOUNT_WORDS = ("账号", "帐号", "账户", "帐户")

_WRONG = r"(?:填写|登记|显示|存在)?(?:有误|错误|不对|不正确|不准确|不准|错了|不一致|有问题)"
_SELF = r"(?:我们?|本|该|此|这所|我县|我区|我市)?(?:单位|学校|校|园|局|教学点|[一-鿿]{2,20}(?:小学|中学|学校|学院|大学|幼儿园|教学点))"
_LIST = r"(?:名册|名单|名录|基准数据库?|机构代码库|系统)"
#: The first that is found decides; what is not there at all comes before what is wrong with it.
_SAID: tuple[tuple[re.Pattern[str], ProblemKind], ...] = (
    (re.compile(
        rf"(?:不在|未在|没有?在|未列入|没有?列入|未纳入|没有?纳入|没有?进入?)[^,。;]{{0,10}}{_LIST}"
        rf"|{_LIST}(?:中|里|内|上)*(?:没有|查不到|找不到|查无|漏了|遗漏了?|漏报了?|未列入|缺少?)(?:列入|登记)?{_SELF}"),
     ProblemKind.NOT_LISTED),
    (re.compile(
        r"(?:没有|没|无|缺少?|未)(?:给|为|向)?(?:我们?|本|该|学)?校?(?:收到|分配|发放|分到|下发|领到|拿到|开通)?"
        r"(?:到|过)?(?:系统|填报|登录|新的?)*的?(?:账号|帐号|账户|帐户)"
        r"|(?:账号|帐号|账户|帐户)[^,。;]{0,6}(?:没有|未|没)(?:收到|分配|发放|下发|领到|开通)"),
     ProblemKind.NO_ACCOUNT),
    (re.compile(rf"隶属(?:关系|单位)?{_WRONG}|(?:上级|主管)(?:单位|部门|教育局)?{_WRONG}"), ProblemKind.WRONG_SUPERIOR),
    (re.compile(rf"(?:标识码|机构代码|单位代码|学校代码){_WRONG}"), ProblemKind.WRONG_CODE),
    (re.compile(
        rf"(?:学校|单位|机构|我校|本校|我单位|本单位)的?(?:全称|名称|名字){_WRONG}|校名{_WRONG}"
        r"|(?:我们?|本|该|学)校?[^,。;]{0,8}(?:已|已经)更名为?"),
     ProblemKind.WRONG_NAME),
    (re.compile(
        r"(?:学校|我校|本校|该校|我单位|教学点|本园)[^,。;]{0,8}(?:已经?|现已)(?:经)?(?:被)?"
        r"(?:撤并|撤销|停办|撤点|合并到|合并至|并入)"),
     ProblemKind.ENDED),
)  # fmt: skip
#: What makes it a condition, a denial or a sentence of our own letters.
_NOT_SO = re.compile(r"(?:如果?|若|凡|是否|有无|不存在|未发现|没有发现|没发现|不是)[^,。;]{0,12}$")
_OUR_WORDS = re.compile(r"^的(?:[,;]|请|应|可|单位|学校)")
_CODE = re.compile(r"(?<![0-9])(?:[0-9]{10}|[0-9]{6})(?![0-9])")
_NAMED = re.compile(
    r"(?<![一-鿿])(?:[一-鿿（）()0-9]{2,30}?)(?:小学|中学|学校|中心校|学院|大学|幼儿园|教学点|初中|高中)(?:[（(][一-鿿]{2,12}[）)])?"
)
#: What stands before a name in the same clause.
_BEFORE_NAME = re.compile(
    r"^.*(?:我县|我区|我市|我局|辖区内?|现有|新建的?|全称|名称|更名为|改名为|应为|应是|是|叫|还有|有|查不到|找不到|漏了|遗漏了?)"
    r"(?=[一-鿿]{3})"
)
#: The longest report that is read as one.
_LONGEST = 2000


def plain(words: str) -> str:
    """What somebody wrote with the signs of one width and without blanks, a line's end as a stop."""
    lines = unicodedata.normalize("NFKC", words[:_LONGEST]).splitlines()
    return ";".join(kept for line in lines if (kept := re.sub(r"\s+", "", line)))


def reported(words: str) -> ProblemKind | None:
    """What the words above the quotation say is wrong; None where they say nothing of the kind, only ask whether, or deny it."""
    text = plain(words)
    for pattern, kind in _SAID:
        for found in pattern.finditer(text):
            clause = re.split(r"[,。;]", text[: found.start()])[-1]
            behind = text[found.end() : found.end() + 12]
            if not _NOT_SO.search(clause) and not _OUR_WORDS.match(behind):
                return kind
    return None


def codes_in(words: str) -> list[str]:
    """The unit codes that words name, ten digits or six, each once."""
    return list(dict.fromkeys(_CODE.findall(unicodedata.normalize("NFKC", words))))


def name_in(words: str) -> str:
    """The name of the first school that words name, without 我校 and the like in front; '' where they name none."""
    for clause in re.split(r"[,。;:、“”\"]", plain(words)):
        if found := _NAMED.search(_BEFORE_NAME.sub("", clause)):
            name = found[0]
            if not re.match(r"(?:我们?|本|该|此|贵|各|部分|有的|一些|所有)(?:学校|校|教学点)?", name):
                return name
    return ""


# --- what settles a report --------------------------------------------------------------------------------------------


def settled(problem: Problem, after: Mapping[str, Unit], by_name: Mapping[str, str]) -> str:
    """How a tree of units answers a report: one sentence, '' while it does not. `by_name` has the codes by the units' names."""
    unit = after.get(problem.unit) if problem.unit else None
    match problem.kind:
        case ProblemKind.NOT_LISTED:
            code = problem.code if problem.code in after else by_name.get(problem.name, "")
            return f"名册已有该单位：{code} {after[code].name}" if code else ""
        case ProblemKind.WRONG_SUPERIOR:
            wanted = unit is not None and (
                unit.superior == problem.superior if problem.superior else unit.superior != problem.was[1]
            )
            above = after.get(unit.superior) if unit else None
            return f"名册中该单位现隶属{above.name}" if wanted and above else ""
        case ProblemKind.WRONG_NAME:
            wanted = unit is not None and (
                unit.name == problem.name if problem.name else unit.name != problem.was[0]
            )
            return f"名册中该单位现名{unit.name}" if wanted and unit else ""
        case ProblemKind.WRONG_CODE:
            code = problem.code if problem.code in after and problem.code != problem.unit else ""
            return f"名册中该单位的代码现为{code}" if code else ""
        case ProblemKind.ENDED:
            return "名册中已经没有该单位" if problem.unit and unit is None else ""
        case ProblemKind.NO_ACCOUNT | ProblemKind.OTHER:
            return ""  # accounts are made by the ministry (article 13); somebody has to say that it was handed on


def all_settled(problems: Iterable[Problem], after: Mapping[str, Unit]) -> Iterator[tuple[Problem, str]]:
    """The open reports that a tree answers, each with how."""
    waiting = [problem for problem in problems if problem.open]
    if not waiting:
        return
    by_name = {unit.name: code for code, unit in after.items()}
    for problem in waiting:
        if words := settled(problem, after, by_name):
            yield problem, words
