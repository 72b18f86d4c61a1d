"""The demo's roster: real divisions of Henan on three levels, made-up schools and people, addresses only under .test.

Small enough for a minute and still with everything that makes rosters difficult: an address that serves several units, a
unit without one, a level without a 审核员, a 视察员 without e-mail, addresses that no longer work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from workflow.demo.addresses import MOVED, NOBODY
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

PROVINCE = "410000"
#: How each level's 审核员 works; the rest of the play follows from it.
FASTEST_COUNTY, CAREFUL_COUNTY, SILENT_COUNTY = "410105", "410102", "410305"
STRANGER_COUNTY, VACANT_COUNTY, DIRECT_COUNTY = "410307", "410324", "410181"
FAST_CITY, SLOW_CITY, SMALL_CITY = "410100", "410300", "419001"
FAST_UNIVERSITY, SILENT_UNIVERSITY = "4141010459", "4141010078"

_OFFICES = (
    (PROVINCE, "河南省教育厅", UnitKind.PROVINCE, ""),
    (FAST_CITY, "郑州市教育局", UnitKind.CITY, PROVINCE),
    (SLOW_CITY, "洛阳市教育局", UnitKind.CITY, PROVINCE),
    (SMALL_CITY, "济源市教育体育局", UnitKind.CITY, PROVINCE),
    (DIRECT_COUNTY, "巩义市教育局", UnitKind.DIRECT_COUNTY, PROVINCE),
    (FAST_UNIVERSITY, "郑州大学", UnitKind.UNIVERSITY, PROVINCE),
    (SILENT_UNIVERSITY, "华北水利水电大学", UnitKind.UNIVERSITY, PROVINCE),
    ("4141019901", "河南省豫泽中等专业学校", UnitKind.PROVINCIAL_VOCATIONAL, PROVINCE),
    (CAREFUL_COUNTY, "中原区教育局", UnitKind.COUNTY, FAST_CITY),
    (FASTEST_COUNTY, "金水区教育局", UnitKind.COUNTY, FAST_CITY),
    (SILENT_COUNTY, "涧西区教育体育局", UnitKind.COUNTY, SLOW_CITY),
    (STRANGER_COUNTY, "偃师区教育体育局", UnitKind.COUNTY, SLOW_CITY),
    (VACANT_COUNTY, "栾川县教育体育局", UnitKind.COUNTY, SLOW_CITY),
)
#: Where schools stand, most of them in the counties.
_HOMES = (
    CAREFUL_COUNTY, FASTEST_COUNTY, SILENT_COUNTY, STRANGER_COUNTY, VACANT_COUNTY, DIRECT_COUNTY, SMALL_CITY,
    CAREFUL_COUNTY, FASTEST_COUNTY, SILENT_COUNTY, FAST_CITY, STRANGER_COUNTY, SLOW_CITY,
)  # fmt: skip
_PLACES = "明德 崇文 启航 向阳 育才 博雅 清河 东风 春晖 文峰 望岳 致远 光华 新蕾 和平 长虹 翠湖 锦绣 南苑 北辰".split()
_KINDS = (
    "小学", "中学", "实验小学", "初级中学", "第二小学", "高级中学", "九年一贯制学校",
)  # fmt: skip
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN = "建国 丽华 志强 秀英 海涛 晓燕 永刚 慧敏 文博 春梅 明远 雪琴 立新 凤霞 国栋 玉洁".split()
_SINCE = dt.date(2026, 1, 1)


@dataclass
class _Draft:
    """The roster while it is being made; `number` counts the people, for their made-up names and phones."""

    units: dict[str, Unit] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    number: int = 0

    def unit(self, code: str, name: str, kind: UnitKind, superior: str, note: str = "") -> None:
        self.units[code] = Unit(code, name, kind, superior, note=note)

    def person(self, unit: str, role: Role, email: str) -> None:
        n = self.number = self.number + 1
        name = _SURNAMES[n % len(_SURNAMES)] + _GIVEN[n // 3 % len(_GIVEN)]
        phone, mobile = f"0371-5555{n:04d}", f"1990000{n:04d}"
        self.contacts.append(Contact(unit, role, name, "信息化工作办公室", phone, mobile, email, _SINCE))


def make_roster(size: int) -> Roster:
    """A roster of `size` units, at least 40, the same each time."""
    draft = _Draft()
    for code, name, kind, superior in _OFFICES:
        draft.unit(code, name, kind, superior)
        host = f"u{code}.test"
        draft.person(code, Role.ADMINISTRATOR, f"xxh@{host}")
        if kind is UnitKind.PROVINCIAL_VOCATIONAL:
            continue
        draft.person(code, Role.INSPECTOR, "")
        if code != VACANT_COUNTY:
            draft.person(code, Role.REVIEWER, f"shenhe@{host}")
    schools = _schools(draft, max(size, 40) - len(_OFFICES))
    for code in schools:
        draft.person(code, Role.ADMINISTRATOR, f"school@s{code}.test")
    return Roster(draft.units, tuple(draft.contacts))


def _schools(draft: _Draft, count: int) -> list[str]:
    """Schools, vocational schools, a 中心校 with its teaching points, and the difficult ones; gives the codes of those
    that still need an ordinary contact.
    """
    ordinary: list[str] = []
    places = _places()
    centre = f"{CAREFUL_COUNTY}9001"
    draft.unit(centre, "中原区石佛镇中心学校", UnitKind.SCHOOL, CAREFUL_COUNTY)
    draft.person(centre, Role.ADMINISTRATOR, f"zhongxin@s{centre}.test")
    for n, village in enumerate(("柳沟", "东岗", "坡刘"), start=1):
        point = f"{CAREFUL_COUNTY}900{n + 1}"
        draft.unit(point, f"石佛镇{village}教学点", UnitKind.TEACHING_POINT, centre, "由中心学校代收")
        draft.person(point, Role.ADMINISTRATOR, f"zhongxin@s{centre}.test")
    draft.unit(
        f"{VACANT_COUNTY}9001", "栾川县冷水镇教学点", UnitKind.TEACHING_POINT, VACANT_COUNTY, "尚无邮箱"
    )
    for code, name, host in (("9002", "栾川县旧县镇小学", NOBODY), ("9003", "栾川县潭头镇小学", MOVED)):
        draft.unit(VACANT_COUNTY + code, name, UnitKind.SCHOOL, VACANT_COUNTY)
        draft.person(VACANT_COUNTY + code, Role.ADMINISTRATOR, f"school@{host}")
    for n in range(count - len(draft.units) + len(_OFFICES)):
        home = _HOMES[n % len(_HOMES)]
        code = f"{home}{n + 1:04d}"
        area = draft.units[home].name.removesuffix("教育体育局").removesuffix("教育局")
        kind = UnitKind.VOCATIONAL if n % 9 == 8 else UnitKind.SCHOOL
        place = next(places)
        name = (
            f"{area}{place[0]}职业中等专业学校"
            if kind is UnitKind.VOCATIONAL
            else f"{area}{place[0]}{place[1]}"
        )
        draft.unit(code, name, kind, home)
        ordinary.append(code)
    return ordinary


def _places() -> Iterator[tuple[str, str]]:
    """Made-up names of schools, each once."""
    for kind in _KINDS * 20:
        for place in _PLACES:
            yield place, kind
