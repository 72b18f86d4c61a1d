"""`config.toml`: what staff may set, read and checked at once, every fault with its line."""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from workflow.adapters.workbook.account_table import AccountColumns
from workflow.adapters.workbook.baseline_table import BaselineTable
from workflow.campaign_settings import Campaigns
from workflow.domain.accounts import AccountLadder
from workflow.domain.campaign import DEFAULT_WINDOWS
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Level
from workflow.domain.setting_words import toml_fault, value_words
from workflow.mail_settings import Imap, Section, Server, Smtp

#: The longest interval of the scheduled job, in minutes.
MONTH = 31 * 24 * 60
#: The longest time for which data can be kept and then erased, in days: a hundred years.
MOST_KEPT = 36_525
_MOST_DAYS = 60
_ADDRESS = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
Count = Annotated[int, Field(ge=1, le=_MOST_DAYS)]
Days = tuple[Annotated[int, Field(ge=1, le=28)], Annotated[int, Field(ge=1, le=28)]]


class Letterhead(Section):
    """Who writes: the mailbox's name and address, 署名, and whom to ask."""

    name: str = Field(min_length=1)
    address: str = Field(pattern=f"^{_ADDRESS}$")
    issuer: str = Field(min_length=1)
    contact_line: str = ""


class Database(Section):
    """`sqlite:///state.db` (relative to the workspace) or `postgresql+psycopg://…`."""

    url: str = "sqlite:///state.db"

    @field_validator("url")
    @classmethod
    def known(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("应以 sqlite:/// 或 postgresql+psycopg:// 开头")
        return url


class Windows(Section):
    """Review windows: first and last day of the month after the period (article 18)."""

    county: Days = DEFAULT_WINDOWS[Level.COUNTY]
    direct_county: Days = DEFAULT_WINDOWS[Level.DIRECT_COUNTY]
    city: Days = DEFAULT_WINDOWS[Level.CITY]
    university: Days = DEFAULT_WINDOWS[Level.UNIVERSITY]
    province: Days = DEFAULT_WINDOWS[Level.PROVINCE]
    ministry_university: Days = DEFAULT_WINDOWS[Level.MINISTRY_UNIVERSITY]

    @field_validator("*")
    @classmethod
    def in_order(cls, days: Days) -> Days:
        if days[0] > days[1]:
            raise ValueError("起始日不能晚于截止日")
        return days

    @model_validator(mode="after")
    def from_below(self) -> Self:
        """A level may not close before the one that reports into it."""
        for below, above in (("county", "city"), ("city", "province"), ("direct_county", "province")):
            if getattr(self, below)[1] > getattr(self, above)[1]:
                raise ValueError(f"{above} 的截止日不能早于 {below} 的截止日")
        return self

    def by_level(self) -> Mapping[Level, tuple[int, int]]:
        return {Level(name): days for name, days in self.model_dump().items()}


class ScheduleSection(Section):
    """Reminders, in working days: before the date of reply, before a window closes, before (+) or after (-) the receipt's
    date; the hours that an automatic report waits for a successful poll; in how many working days a reported problem is answered.
    """

    reply_days: tuple[Count, ...] = (7, 2)
    review_days: tuple[Count, ...] = (2, 1)
    receipt_days: tuple[int, ...] = (3, -1)
    grace_hours: float = Field(default=12, ge=0, le=720)
    problem_days: Count = 5

    @field_validator("receipt_days")
    @classmethod
    def not_zero(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if 0 in days or any(abs(count) > _MOST_DAYS for count in days):
            raise ValueError("应为 1 至 60（期限前）或 -1 至 -60（期限后）的工作日数")
        return days


class LadderSection(Section):
    """Who above is told, and when, in working days: `list_days` before the date of reply, the others before a window
    closes. An empty list leaves a step out.
    """

    list_days: tuple[Count, ...] = (1,)
    administrator_days: tuple[Count, ...] = (2,)
    reviewer_days: tuple[Count, ...] = (1,)
    inspector_days: tuple[Count, ...] = (1,)

    @field_validator("reviewer_days", "inspector_days")
    @classmethod
    def in_order(cls, days: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        """A step may not be taken before the one below it."""
        name = info.field_name or ""
        below = {"reviewer_days": "administrator_days", "inspector_days": "reviewer_days"}[name]
        earlier = info.data.get(below) or ()
        if days and earlier and max(days) > max(earlier):
            raise ValueError(f"不能早于 {below} 的通知")
        return days


class Review(Section):
    """Days for a correction, the server whose Authentication-Results count, and whether a 回执表 beyond doubt needs no person."""

    return_days: int = Field(default=3, ge=0, le=60)
    trusted_authserv: str = ""
    accept_receipts: bool = False


class Accounts(Section):
    """Accounts on their way: after how many working days without a signature who is told, whether all levels go at once, and how
    the ministry heads its list.
    """

    reminder_days: Count = 3
    administrator_days: Count = 5
    staff_days: Count = 8
    at_once: bool = False
    columns: AccountColumns = AccountColumns()

    def ladder(self) -> AccountLadder:
        return AccountLadder(self.reminder_days, self.administrator_days, self.staff_days, self.at_once)


class Contacts(Section):
    """Days for which data still count from an address that another took the place of, and where changes are filed (article 14)."""

    grace_days: int = Field(default=60, ge=0, le=366, strict=True)
    filing_address: str = Field(default="", pattern=rf"^({_ADDRESS})?$")


class Retention(Section):
    """How many days each kind of personal data is kept before `huizhi purge` erases it; 0 for good."""

    mail: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    answers: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    contacts: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    matters: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    receipts: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    books: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)
    accounts: int = Field(default=0, ge=0, le=MOST_KEPT, strict=True)


class Mail(Section):
    """Whether answers go to an address with the token in it, and whether senders' own DKIM signatures are verified: by which
    name server (`address:port`, '' for the machine's own), and how many seconds one key and all of one poll may take.
    """

    plus_addressing: bool = False
    verify_dkim: bool = False
    dns_server: str = Field(default="", pattern=r"^(\[[0-9a-fA-F:]+\]:\d{1,5}|[0-9.]+:\d{1,5})?$")
    dns_seconds: float = Field(default=3, gt=0, le=30)
    dns_seconds_per_poll: float = Field(default=20, gt=0, le=600)


class Run(Section):
    """Intervals of `huizhi run`, in minutes; consolidation in minutes too (0: never by itself)."""

    poll_minutes: float = Field(default=5, gt=0, le=MONTH)
    tick_minutes: float = Field(default=5, gt=0, le=MONTH)
    send_minutes: float = Field(default=1, gt=0, le=MONTH)
    consolidate_minutes: float = Field(default=60, ge=0, le=MONTH)


class Reader(Section):
    """The worker processes that open attachments, and their limits for each file."""

    workers: int = Field(default=2, ge=1, le=64)
    seconds: float = Field(default=20, gt=0, le=3600)
    memory_mb: int = Field(default=1500, ge=256)


class ClockSection(Section):
    """`simulated` stops the workspace's clock at a moment: for demos and rehearsals only."""

    simulated: dt.datetime | None = None

    @field_validator("simulated")
    @classmethod
    def zoned(cls, moment: dt.datetime | None) -> dt.datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("应写明时区，例如 2027-01-16T08:00:00+08:00")
        if moment is not None and not 2000 <= moment.year <= 2200:
            raise ValueError("年份应在 2000 至 2200 之间")
        return moment


class Config(Section):
    """The whole of config.toml."""

    letterhead: Letterhead
    imap: Imap
    smtp: Smtp
    database: Database = Database()
    windows: Windows = Windows()
    schedule: ScheduleSection = ScheduleSection()
    ladder: LadderSection = LadderSection()
    review: Review = Review()
    accounts: Accounts = Accounts()
    contacts: Contacts = Contacts()
    retention: Retention = Retention()
    mail: Mail = Mail()
    run: Run = Run()
    reader: Reader = Reader()
    baseline: BaselineTable = BaselineTable()
    campaign: Campaigns = Campaigns({})
    clock: ClockSection = ClockSection()


def load(path: Path) -> Config:
    """Read `config.toml`; raises Refused with every fault and its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows programs put a byte order mark in front
    except FileNotFoundError as error:
        raise Refused(Fault(str(path), "没有这个文件", "请先运行 huizhi init 建立工作目录")) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            Fault(str(path), "不是可以读取的 UTF-8 文本文件", "请检查路径和权限，并以 UTF-8 编码保存")
        ) from error
    try:
        return Config.model_validate(tomllib.loads(text))
    except RecursionError as error:
        raise Refused(Fault(path.name, "括号嵌套过深", "请检查方括号")) from error
    except tomllib.TOMLDecodeError as error:
        raise Refused(toml_fault(path.name, text, error)) from error
    except ValidationError as error:
        raise Refused(_faults(path, text, error)) from error


def password(server: Server) -> str:
    """The server's password from the environment or the keyring; raises Refused when it is not where it is said to be."""
    if server.password_keyring:
        return _from_keyring(server.password_keyring, server.user)
    if not server.password_env:
        return ""
    value = os.environ.get(server.password_env)
    if value is None:
        raise Refused(Fault(f"环境变量 {server.password_env}", "没有设置", "请设置为邮箱密码或授权码"))
    return value


def _from_keyring(service: str, user: str) -> str:
    # Here and not above: looking for the system's keyring takes a while, and most workspaces use the environment.
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    where = f"系统密钥环 {service}"
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise Refused(Fault(where, "打不开", "请解锁密钥环，或改用 password_env")) from error
    if found is None:
        raise Refused(Fault(where, f"没有 {user} 的密码", f"请运行 keyring set {service} {user}"))
    return found


def _faults(path: Path, text: str, error: ValidationError) -> Iterator[Fault]:
    for problem in error.errors():
        place = [str(part) for part in problem["loc"]]
        line = _line(text, place)
        where = f"{path.name} [{place[0]}]" + (f" {'.'.join(place[1:])}" if place[1:] else "")
        yield Fault(
            where + (f" 第{line}行" if line else ""), value_words(problem), "请参照 docs/config.md 更正"
        )


def _line(text: str, place: list[str]) -> int:
    """The line of a setting, else of its section, counted from 1; 0 when neither is there."""
    section: list[str] = []
    found = deepest = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\]]+)\]", line):
            section = [part.strip('"') for part in re.findall(r'"[^"]*"|[^\s."]+', header[1])]
            named = section
        elif section and (key := re.match(r'\s*(?:"([^"]+)"|([\w-]+))\s*=', line)):
            named = [*section, key[1] or key[2]]
        else:
            continue
        if len(named) > deepest and named == place[: len(named)]:
            found, deepest = number, len(named)
    return found
