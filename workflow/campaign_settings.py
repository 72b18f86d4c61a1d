"""The sections `[campaign.ID]` of `config.toml`: a one-off collection's own days, and what one quarter has otherwise than the others."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, RootModel, field_validator, model_validator

from workflow.domain.campaign import Calendar, OwnDays, Period, is_period
from workflow.domain.errors import Fault, Refused
from workflow.domain.legacy import LEGACY
from workflow.domain.roster import Level
from workflow.mail_settings import Section
from workflow.process.launch import Terms

#: A campaign's id stands in tokens, file names and the ledger.
_ID = re.compile(r"[0-9A-Za-z一-鿿][0-9A-Za-z一-鿿_-]{0,19}")
_LEVELS = frozenset(level.value for level in Level if level is not Level.SCHOOL)
Span = tuple[dt.date, dt.date]
UnitCode = Annotated[str, Field(min_length=1)]


class CampaignSection(Section):
    """One campaign. A one-off has `opens` and `due`, and `windows` by level; a quarter only what is not as in other quarters:
    `forms`, `receipt_due`, `remarks` (sentences for the notice) and the windows of single `units`.
    """

    name: str = ""
    opens: dt.date | None = None
    due: dt.date | None = None
    receipt_due: dt.date | None = None
    forms: str = ""
    windows: dict[str, Span] = Field(default_factory=dict)
    auto_report: bool = False
    remarks: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    units: dict[UnitCode, Span] = Field(default_factory=dict)

    @field_validator("forms")
    @classmethod
    def one_folder(cls, name: str) -> str:
        if name.startswith(".") or "/" in name or "\\" in name:
            raise ValueError("应为 templates/forms 下一个子目录的名称")
        return name

    @field_validator("windows", "units")
    @classmethod
    def in_order(cls, spans: dict[str, Span]) -> dict[str, Span]:
        for name, (first, last) in spans.items():
            if first > last:
                raise ValueError(f"{name} 的起始日不能晚于截止日")
        return spans

    @field_validator("windows")
    @classmethod
    def of_levels(cls, spans: dict[str, Span]) -> dict[str, Span]:
        """Every level's window or none, and none that closes before one that reports into it."""
        if spans and spans.keys() != _LEVELS:
            missing, unknown = sorted(_LEVELS - spans.keys()), sorted(spans.keys() - _LEVELS)
            words = [f"缺少 {'、'.join(missing)}"] if missing else []
            words += [f"没有 {'、'.join(unknown)} 这样的层级"] if unknown else []
            raise ValueError("；".join(words))
        for below, above in (("county", "city"), ("city", "province"), ("direct_county", "province")):
            if spans and spans[below][1] > spans[above][1]:
                raise ValueError(f"{above} 的截止日不能早于 {below} 的截止日")
        return spans

    @model_validator(mode="after")
    def dated(self) -> Self:
        if self.opens and self.due and self.opens > self.due:
            raise ValueError("opens 不能晚于 due")
        if self.auto_report and not self.windows:
            raise ValueError("没有 windows 的任务没有自动上报，auto_report 应为 false")
        return self


class Campaigns(RootModel[dict[str, CampaignSection]]):
    """All of them by their ids."""

    @model_validator(mode="after")
    def named(self) -> Self:
        for name, said in self.root.items():
            if not _ID.fullmatch(name) or name == LEGACY:
                raise ValueError(
                    f"任务代号“{name}”不合要求：20个以内的汉字、字母、数字、-、_，不能是{LEGACY}"
                )
            if is_period(name):
                if said.opens or said.due or said.windows or said.auto_report or said.name:
                    raise ValueError(
                        f"{name} 是季度，日期由季度确定，只能设 forms、receipt_due、remarks 和 units"
                    )
            elif not (said.opens and said.due):
                raise ValueError(f"任务 {name} 没有写明 opens 和 due")
        return self

    def get(self, name: str) -> CampaignSection:
        return self.root.get(name, CampaignSection())


def calendar_of(name: str, campaigns: Campaigns) -> Calendar:
    """The days of a campaign; raises Refused for one that is neither a quarter nor in config.toml."""
    said = campaigns.root.get(name)
    if said is None or said.opens is None or said.due is None:
        if is_period(name):
            return Period.parse(name)
        known = f"，或者是 {'、'.join(campaigns.root)} 之一" if campaigns.root else ""
        remedy = f"请写成 2026Q4 的样子{known}；专项任务须先在 config.toml 中写明 [campaign.{name}]"
        raise Refused(Fault(f"填报任务 {name}", "不是季度代号，也没有在 config.toml 中设置", remedy))
    first = min((span[0] for span in said.windows.values()), default=said.due)
    return OwnDays(name, said.name or name, said.opens, said.due, first.replace(day=1))


def terms_of(
    calendar: Calendar, said: CampaignSection, quarterly: Mapping[Level, tuple[int, int]],
    receipt_due: dt.date | None,
) -> Terms:  # fmt: skip
    """What a campaign is opened with: a quarter's windows as in every quarter; a one-off's own, or else all the days on which it
    is open. A date for the receipts that is named at opening goes before the settings'.
    """
    auto, windows = said.auto_report, quarterly
    if isinstance(calendar, Period):
        auto = True
    else:
        spans = {Level(name): span for name, span in said.windows.items()}
        open_days = (calendar.earliest, calendar.last_day)
        windows = {level: _numbers(calendar, spans.get(level, open_days)) for level in quarterly}
    own = {code: _numbers(calendar, span) for code, span in said.units.items()}
    return Terms(windows, receipt_due or said.receipt_due, auto, own, said.remarks)


def _numbers(calendar: Calendar, span: Span) -> tuple[int, int]:
    first = calendar.review_day(1)
    return (span[0] - first).days + 1, (span[1] - first).days + 1
