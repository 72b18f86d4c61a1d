"""Whose mail it is: the token in a workbook, the token in the subject, the thread and the sender, held against each other.

None of them proves anything alone. The token routes, because workbooks and mails are forwarded between people; the sender
tells whether the unit's registered people wrote it; where they disagree, a person is told.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflow.domain.authentication import Assurance
from workflow.domain.message import Message
from workflow.domain.roster import Contact, Roster, Unit
from workflow.domain.submission import Bucket
from workflow.domain.trust import Trust, level

TOKEN = re.compile(r"HZ-[A-Z2-7]{17}")

#: A reply that confirms 无变化 says this above the quotation, and not much else.
_UNCHANGED = r"(?:无|没有?|未发生)(?:任何|什么)?(?:变化|变动)"
#: One clause that says so of all the data: nothing stands in it but words that narrow nothing down.
_NO_CHANGE = re.compile(
    r"(?:您好|你好|经|已|核对|核实|核查|确认|兹|现|回复|答复|报告|汇报|我|本|贵|各|单位|学校|校|局|园|院|厅|中心|教学点|处"
    r"|季度?|第|[一二三四1-4]|20\d\d|年|上|前|期|次|数据|信息|情况|指标|内容|数字|表|项|所有|全部|全|填报|报送|上报|教育|化|工作"
    r"|的|与|和|同|较|跟|相?比|均|都|确实?|仍|依然|为|是|保持|截至|目前|[:])*"
    rf"{_UNCHANGED}(?:的|了|情况|特此|确认|回复|报告|谢谢|请|审核|查收|知悉|属实)*"
)
_CLAUSES = re.compile(r"[,，.。;；!！、\n()（）~…\-—]+")
#: What makes it a question, a guess, a condition, a denial, a part of the data only, or a quotation of our own letters.
_NOT_SO = re.compile(
    r"[?]|吗|怎么|怎样|如何|请问|是否|的话|有没有?变|有无变|可能|也许|大概|好像|待核|再核|误报|写明|(?:变化|变动)的,"
    rf"|(?:如果?|若|不|未|非)[^,。;]{{0,12}}{_UNCHANGED}"
    rf"|其[他它余][^,。;]{{0,12}}{_UNCHANGED}|除[^。;]{{0,20}}外|(?<!没)有[^,。;无没]{{0,4}}(?:变化|变动)"
    r"|增加|减少|改为|调整为|新增|新购|新建|多了|少了|但|不过|另外|基本|暂|大体|大致|不大|不确定|不清楚|不知"
)
_WITHDRAWAL = re.compile(r"撤(?:销上)?报申请|申请撤(?:销上)?报")
_NO_WITHDRAWAL = re.compile(
    r"[?]|吗|怎么|怎样|如何|请问|是否|如需|如要|若需|若要"
    r"|规定|在哪|申请表|先不|暂不|同意|不打算|不准备|要求撤"
    r"|(?:不[再想要用必需须予]?|无需|无须|未|没有?|取消|撤回)(?:提出|提交|申请|办理)?撤(?:销上)?报"
)
_LONGEST_CONFIRMATION = 120


def make_token(key: bytes, key_id: str, *parts: object) -> str:
    """A routing token: 80 bits of an HMAC over what it names, in base32, behind the key's one-letter id."""
    digest = hmac.new(key, "\n".join(map(str, parts)).encode(), hashlib.sha256).digest()[:10]
    return f"HZ-{key_id}{base64.b32encode(digest).decode()}"


def key_of(token: str) -> str:
    """The one-letter id of the key that made a token; '' for what is none."""
    return token[3] if TOKEN.fullmatch(token) else ""


def token_in(text: str) -> str:
    """The first token in a text such as a subject line, '' when there is none."""
    match = TOKEN.search(unicodedata.normalize("NFKC", text).upper())
    return match[0] if match else ""


def token_of(message: Message) -> str:
    """The token that a message bears outside its files: in the subject, else in the address that it was sent to."""
    return token_in(message.subject) or token_in(" ".join(message.to))


def confirms_no_change(words: str) -> bool:
    """Whether the words that a person wrote above the quotation confirm 无变化: short, plain and not a question."""
    lines = re.sub(
        r"[^\S\n]+", "", unicodedata.normalize("NFKC", words).replace("變", "变").replace("無", "无")
    )
    text = lines.replace("\n", "")
    if not text or len(text) > _LONGEST_CONFIRMATION or _NOT_SO.search(text):
        return False
    return any(_NO_CHANGE.fullmatch(clause) for clause in _CLAUSES.split(lines))


def asks_withdrawal(words: str) -> bool:
    """Whether the words above the quotation ask for a withdrawal (article 19), and not how to or that there be none."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", words))
    return bool(_WITHDRAWAL.search(text)) and not _NO_WITHDRAWAL.search(text)


def gives_reason(words: str) -> bool:
    """Whether a 撤报申请 says more than that it is one: what is left without its own words, greetings and names of the
    papers is a reason; that it stands in an attachment is none, since nobody passes that on.
    """
    text = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", words))
    rest = re.sub(
        r"您好|你好|谢谢|老师|领导|此致|敬礼|现|特此|我们|我局|我校|提出|提交|向|请|批准|同意|予以|数据|本级|上报的?"
        r"|具体|有关|相关|理由|原因|情况|内容|说明|详见|参见|请?见|随附?|附件|附后|扫描件|文件|如下",
        "",
        _WITHDRAWAL.sub("", text),
    )
    return len(rest) >= _SHORTEST_REASON


#: 有误 is a reason.
_SHORTEST_REASON = 2


def answers_query(words: str) -> Bucket | None:
    """An answer to our question whether a workbook from an unregistered address is the unit's own: `request` for a
    plain 确认, `problem` for a denial; None for anything else.
    """
    text = re.sub(r"[\s，。！!,.]", "", unicodedata.normalize("NFKC", words))
    if re.fullmatch(r"(?:确认|已确认|确认无误|是本单位报送|确认是本单位报送|确认为本单位报送)", text):
        return Bucket.REQUEST
    return Bucket.PROBLEM if "非本单位报送" in text or "不是本单位报送" in text else None


@dataclass(frozen=True, slots=True)
class FilesAnswered:
    """An answer to our question about several workbooks: which are confirmed and which denied, by their numbers from 1;
    `unnamed` where it does not say which.
    """

    confirmed: frozenset[int] = frozenset()
    denied: frozenset[int] = frozenset()
    unnamed: bool = False


def files_answered(words: str, names: Sequence[str]) -> FilesAnswered | None:
    """What the words above the quotation answer about workbooks in the names of these units, in the order of our letter: 确认
    of all, 确认1、3, 非本单位报送 of the only one, of those numbered or of the units named. None where the first line, a greeting
    aside, is no answer; what stands below the answers is a signature or a remark, and answers nothing.
    """
    every = frozenset(range(1, len(names) + 1))
    confirmed, denied, unnamed, answers = frozenset[int](), frozenset[int](), False, 0
    for line in filter(None, map(str.strip, re.split(r"[\n。;]", unicodedata.normalize("NFKC", words)))):
        text = re.sub(r"[\s，。！!,.:]", "", re.sub(r"[，,](?=\s*第?\d)", "、", line))
        if not text or (not answers and _GREETING.fullmatch(text)):
            continue
        if _DENIAL.search(text):
            found = _denied_files(text, names)
            unnamed |= not found
            denied |= found
        elif some := _SOME_PIECES.fullmatch(text) or _SOME_FILES.fullmatch(text):
            found = frozenset(int(number) for number in re.findall(r"\d+", some[1]))
            unnamed |= not found <= every
            confirmed |= found & every
        elif _ALL_PIECES.fullmatch(text) or _OWN_FILE.fullmatch(text):
            confirmed |= every
        elif not answers:
            return None
        else:
            break
        answers += 1
    if not answers:
        return None
    # What one line confirms and another denies is confirmed by neither.
    return FilesAnswered(confirmed - denied, denied, unnamed and not (confirmed | denied))


def _denied_files(text: str, names: Sequence[str]) -> frozenset[int]:
    """Which workbooks a denial is about: those of the units that it names or numbers, or the only one."""
    every = frozenset(range(1, len(names) + 1))
    plain = [re.sub(r"\s", "", unicodedata.normalize("NFKC", name)) for name in names]
    named: set[int] = set()
    rest = text
    for name in sorted(set(plain), key=len, reverse=True):  # 东区小学西校区 does not name 东区小学
        if name in rest:
            named.update(number for number, other in enumerate(plain, start=1) if other == name)
            rest = rest.replace(name, "")
    if len(every) == 1 or re.search(r"全部|都|均", rest):
        return every
    return every & (named | {int(number) for number in re.findall(r"(?<!\d)\d{1,2}(?!\d)", rest)})


_DENIAL = re.compile(r"(?:非|不是)(?:我|本)(?:单位|校|园|局|中心校?)(?:报送|发送|发出|所发|所报)")
_OWN_FILE = re.compile(
    r"(?:(?:已|均|都)?确认(?:无误)?|(?:(?:经)?(?:核实|核对))?(?:确认|确)?(?:是|为|系|均为|均系|都是)(?:我|本)(?:单位|校|园|局|中心校?)(?:报送|发送|发出|所发|所报)的?"
    r"|确认(?:是|为|系)?(?:我|本)(?:单位|校|园|局)(?:报送|发送)的?)"
)
_SOME_FILES = re.compile(r"((?:第?\d{1,3}(?!\d)件?[、和及;]?)+)(?:均|都)?(?:已)?确认(?:无误)?")
_GREETING = re.compile(r"(?:各位)?(?:老师|领导|同志)?(?:您好|你好|好)|尊敬的.{0,12}")


def confirms_decision(words: str) -> bool | None:
    """An answer to our question whether a review is the reviewer's own, by its first line: True for a plain 确认, also of
    all or of some pieces, False for a denial, None for anything else.
    """
    text = _first_line(words)
    if _PLAIN_CONFIRMATION.fullmatch(text) or _ALL_PIECES.fullmatch(text) or _SOME_PIECES.fullmatch(text):
        return True
    return False if re.search(r"[非不]是?本人", text) else None


def pieces_confirmed(words: str, count: int) -> frozenset[int]:
    """Which of the `count` pieces of a question the words confirm, from 1: a plain 确认 the only one, 全部确认 all, 确认1、3
    those; none where the words leave it open or name one that is not there.
    """
    text = _first_line(words)
    every = frozenset(range(1, count + 1))
    if some := _SOME_PIECES.fullmatch(text):
        named = frozenset(int(number) for number in re.findall(r"\d+", some[1]))
        return named if named <= every else frozenset()
    if _ALL_PIECES.fullmatch(text) or count == 1:
        return every
    return frozenset()


_PLAIN_CONFIRMATION = re.compile(r"(?:确认|已确认|确认无误|(?:确认)?(?:是|为)?本人(?:审核|发出|办理))")
_ALL_PIECES = re.compile(r"(?:全部|都|均)(?:已)?确认(?:无误)?|确认(?:全部|所有)(?:各?件)?")
_SOME_PIECES = re.compile(r"(?:只|仅)?确认((?:第?\d{1,3}(?!\d)件?[、和及;；]?)+)")


def _first_line(words: str) -> str:
    lines = unicodedata.normalize("NFKC", words).strip().splitlines()
    text = re.sub(r"[，,](?=\s*第?\d)", "、", lines[0]) if lines else ""
    return re.sub(r"[\s，。！!,.]", "", text)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message came from, as the roster sees it: `contacts` are empty for an address that is not registered. `said` is
    what the receiving server says for the address. `replaced`: the contacts are those that it was registered for until a
    short while ago.
    """

    address: str
    contacts: tuple[Contact, ...]
    said: Assurance = Assurance.SILENT
    replaced: bool = False

    @property
    def registered(self) -> bool:
        return bool(self.contacts)

    @property
    def units(self) -> tuple[str, ...]:
        """The codes of the units that the address serves, each once."""
        return tuple(dict.fromkeys(contact.unit for contact in self.contacts))


def sender(
    roster: Roster, address: str, day: dt.date, said: Assurance = Assurance.SILENT, grace: int = 0
) -> Sender:
    """Look an address up on the roster as of a day; one that another has taken the place of is still told for `grace` days.
    One with letters of other scripts is nobody's: they look like ours, and some become ours in lower case.
    """
    if not address or not address.isascii():
        return Sender(address, (), said)
    if contacts := roster.known_address(address, day):
        return Sender(address, contacts, said)
    # Where the server knows better, the address is nobody's any more.
    former = roster.replaced_address(address, day, grace) if said is not Assurance.FAILED else ()
    return Sender(address, former, said, replaced=bool(former))


def speaks_for(roster: Roster, who: Sender, unit: str) -> bool:
    """Whether a registered sender may bring a unit's workbook: the unit's own people or those of a unit above it
    (a 中心校 for its teaching points, a county that collects for its schools).
    """
    served = set(who.units)
    return unit in served or any(above.code in served for above in roster.above(unit))


def trust_in(roster: Roster, who: Sender, unit: str, *, tied: bool) -> Trust:
    """How far a sender is trusted to speak for a unit; `tied` where a token or one of our letters ties the message to it."""
    registered = speaks_for(roster, who, unit)
    return level(who.address, who.said, registered=registered, tied=tied, replaced=who.replaced)


def only_unit(roster: Roster, who: Sender, wanted: Iterable[str] = ()) -> Unit | None:
    """The one unit that a sender can mean when no token says: the only one it serves, or of several the only one
    that is `wanted`; None when it stays open.
    """
    units = [code for code in who.units if code in roster.units]
    if len(units) > 1:
        wishes = set(wanted)
        units = [code for code in units if code in wishes]
    return roster.units[units[0]] if len(units) == 1 else None
