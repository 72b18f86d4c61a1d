"""A level's report upward in its reviewer's name: by the cover of the workbook or from the command line.

What the reviewer chose on the cover was chosen for the workbook as it stood. Where one of its rows was not adopted the level
would go up otherwise than its reviewer wanted: the report is held and the reviewer told why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workflow.domain.lifecycle import NotAllowed
from workflow.process.packages import Review
from workflow.process.report import report
from workflow.process.situation import Outcome, Situation

REPORT, HOLD = "同意上报", "暂不上报"


def report_as_said(
    review: Review, said: str, situation: Situation, rows: Sequence[dict[str, Any]] = ()
) -> tuple[Outcome, bool, list[dict[str, Any]]]:
    """What the cover's 上报意见 cell asks for: the outcome, whether the level was reported, and why not. `rows` are the
    refused rows of the same workbook.
    """
    if said in {"", HOLD}:
        return Outcome(), False, []
    outcome, reason = Outcome(), f"上报意见为“{said}”，应选“{REPORT}”或“{HOLD}”"
    if said == REPORT:
        outcome, reason = report_level(review, situation)
        open_rows = sum(not row.get("settled") for row in rows)
        if open_rows and not reason:
            outcome, reason = Outcome(), _held(open_rows)
    refused = [{"unit_name": review.level.name, "row": 0, "reason": reason}] if reason else []
    return outcome, not reason, refused


def _held(rows: int) -> str:
    return (
        f"有{rows}行的审核结论未予采用，“{REPORT}”暂不执行，本级尚未上报；"
        f"请更正这些行，或者删去其审核结论和审核意见，再选“{REPORT}”回复"
    )


def report_level(review: Review, situation: Situation, note: str = "") -> tuple[Outcome, str]:
    """Report the reviewer's level upward; nothing and the one reason when it may not."""
    campaign = situation.campaign
    assert campaign is not None
    package = situation.packages[campaign.id, review.level.code]
    window = campaign.window(review.level)
    early = review.at < window.opens
    if (early or (campaign.auto_report and not window.holds(review.at))) and package.due is None:
        first, last = window.first_day, window.last_day
        return Outcome(), f"上报时间为{first.year}年{first.month}月{first.day}日至{last.month}月{last.day}日"
    if package.due is not None and not package.locked and review.at >= situation.closes(review.level.code):
        return Outcome(), "已过重新上报的限期，由系统按限期时的数据自动上报"
    try:
        return report(situation, package, review.at, review.by, auto=False, cause=review.cause, note=note), ""
    except NotAllowed as reason:
        return Outcome(), str(reason)
