"""`rehearsal.toml`: how often simulated people answer late, wrongly, twice or never."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workflow import config, mail_settings
from workflow.domain.errors import Fault, Refused, system_words
from workflow.domain.setting_words import toml_fault, value_words

Rate = Annotated[float, Field(ge=0, le=1)]
Days = tuple[Annotated[int, Field(ge=0, le=60)], Annotated[int, Field(ge=0, le=60)]]
_KINDS = ("silent", "late", "wrong", "no_change", "twice", "unknown_sender", "empty")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CampaignRates(_Section):
    """When the campaign opens, in days before the period's last; whether receipts are asked for."""

    opens_days_before: int = Field(default=21, ge=1, le=80)
    receipts: bool = False


class UnitRates(_Section):
    """How units answer. The first seven exclude each other; the rest of the units answer rightly at once."""

    silent: Rate = 0.08
    late: Rate = 0.03
    wrong: Rate = 0.14
    no_change: Rate = 0.10
    twice: Rate = 0.05
    unknown_sender: Rate = 0.02
    empty: Rate = 0.02
    corrected: Rate = 0.80
    reminded: Rate = 0.25
    had_data: Rate = 0.85
    auto_reply: Rate = 0.03
    dead_address: Rate = 0.01
    answer_days: Days = (2, 20)
    correct_days: Days = (1, 3)

    @model_validator(mode="after")
    def at_most_all(self) -> Self:
        if sum(self.kinds().values()) > 1 + 1e-9:
            raise ValueError(f"{'、'.join(_KINDS)} 之和不能超过 1")
        if self.answer_days[0] > self.answer_days[1] or self.correct_days[0] > self.correct_days[1]:
            raise ValueError("起始天数不能大于截止天数")
        return self

    def kinds(self) -> dict[str, float]:
        """The rates that exclude each other."""
        return {name: getattr(self, name) for name in _KINDS}


class ReviewerRates(_Section):
    """How each level's 审核员 answers; `sends_back` is the share of the rows that wait for a decision."""

    silent: Rate = 0.15
    no_report: Rate = 0.05
    sends_back: Rate = 0.02
    answer_days: Days = (1, 2)

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.answer_days[0] > self.answer_days[1]:
            raise ValueError("起始天数不能大于截止天数")
        return self


class Limits(_Section):
    """What the relay takes in a day; 0 for no limit of its own."""

    per_day: int = Field(default=0, ge=0)


class Rates(_Section):
    """The whole of rehearsal.toml."""

    seed: int = 1
    campaign: CampaignRates = CampaignRates()
    units: UnitRates = UnitRates()
    reviewers: ReviewerRates = ReviewerRates()
    limits: Limits = Limits()

    def within(self, relay: mail_settings.Rates) -> Self:
        """These rates with what the account's own limits allow in a day, where that is less."""
        allowed = (self.limits.per_day, relay.per_day, relay.per_hour * 24, relay.per_minute * 24 * 60)
        per_day = min((most for most in allowed if most), default=0)
        return self.model_copy(update={"limits": Limits(per_day=per_day)})


def load(path: Path) -> Rates:
    """Read a file of rates; raises Refused with every fault."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Rates.model_validate(tomllib.loads(text))
    except OSError as error:
        raise Refused(Fault(str(path), f"无法读取：{system_words(error)}", "请检查文件是否存在")) from error
    except UnicodeDecodeError as error:
        raise Refused(Fault(str(path), "不是 UTF-8 编码的文本", "请以 UTF-8 编码保存")) from error
    except RecursionError as error:
        raise Refused(Fault(path.name, "括号嵌套过深", "请检查方括号")) from error
    except tomllib.TOMLDecodeError as error:
        raise Refused(toml_fault(path.name, text, error)) from error
    except ValidationError as error:
        faults = [(".".join(map(str, problem["loc"])), value_words(problem)) for problem in error.errors()]
        raise Refused(
            [Fault(f"{path.name} {place}", words, "请参照程序自带的 rehearsal.toml 更正") for place, words in faults]
        ) from error
