"""The words of a rehearsal's report, for the command line and the workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.demo.rehearsal.forecast import Forecast, Load
from workflow.domain.letters import LetterKind

#: From here on a person can hardly look at each row in a day.
HEAVY = 100

KIND_WORDS: Mapping[str, str] = {
    LetterKind.NOTICE: "填报通知",
    LetterKind.ACKNOWLEDGEMENT: "收件确认",
    LetterKind.RETURNED: "退回修改",
    LetterKind.PACKAGE_RETURNED: "退回上报数据",
    LetterKind.REMINDER: "催报",
    LetterKind.REVIEW_REQUEST: "审核通知",
    LetterKind.REVIEW_RESULT: "审核结果",
    LetterKind.REPORT_CONFIRMATION: "上报确认",
    LetterKind.REPORT_RECEIVED: "下级上报告知",
    LetterKind.AUTO_REPORT: "自动上报告知",
    LetterKind.ESCALATION: "提请视察员",
    LetterKind.LATE: "逾期告知",
    LetterKind.STALE: "旧版告知",
    LetterKind.PROBLEM_FILE: "文件问题告知",
    LetterKind.EMPTY_REPLY: "未见附件告知",
    LetterKind.UNKNOWN_SENDER: "来件邮箱核实",
    LetterKind.SENDER_ANSWERED: "核实答复办理结果",
    LetterKind.DECISION_CONFIRM: "审核意见核实",
    LetterKind.NO_CHANGE_REFUSED: "无变化不予确认",
    LetterKind.RECEIPT_REMINDER: "催报回执表",
    LetterKind.AFFILIATION_REQUEST: "隶属变更申请告知",
    LetterKind.AFFILIATION_RESULT: "隶属变更结果",
    LetterKind.SUSPENSION: "暂停招生告知",
    LetterKind.PROBLEM_REPORT: "名册问题交办",
    LetterKind.PROBLEM_RESULT: "名册问题结果",
    LetterKind.ACCOUNTS: "分发账号",
    LetterKind.ACCOUNT_REMINDER: "催促签收账号",
    LetterKind.ACCOUNT_ESCALATION: "督促签收账号",
    LetterKind.FILING: "人员变更备案",
    LetterKind.CONTACTS: "联络人员名录",
    LetterKind.DIGEST: "每日简报",
    LetterKind.WITHDRAWAL_REQUEST: "撤报申请送审",
    LetterKind.WITHDRAWAL_RESULT: "撤报申请结果",
    LetterKind.LATE_OFFER: "逾期报送提请处理",
}


def kind_word(kind: str) -> str:
    """A kind of letter in Chinese; a kind that has no words yet by its own name."""
    return KIND_WORDS.get(kind, kind)


def limit_words(seen: Forecast) -> str:
    """What the relay takes in a day."""
    limits = seen.limits
    words = f"每次至多 {limits.per_pass} 封、每 {limits.send_minutes:g} 分钟一次"
    if limits.per_day:
        words += f"，每日至多 {limits.per_day} 封"
    return f"{words}，折合每日 {limits.possible:,} 封"


def busiest(seen: Forecast, count: int) -> list[Load]:
    """The reviewers with the most rows a day, the vacant left out."""
    manned = [load for load in seen.loads if load.per_day]
    return sorted(manned, key=lambda load: -(load.per_day or 0))[:count]


def warnings(seen: Forecast) -> Iterator[str]:
    """What staff should see to before the campaign starts."""
    peak, limit = seen.peak, seen.limits.possible
    if seen.days_waiting:
        most = max(seen.days, key=lambda day: day.waiting)
        yield (
            f"发信限额不足：有 {seen.days_waiting} 天当日信件未能发完，{most.date.month}月{most.date.day}日积压最多，"
            f"为 {most.waiting} 封；请提早开启任务，或者与邮件服务商商定更高的限额"
        )
    elif peak.sent * 2 > limit:
        yield f"发信高峰日 {peak.sent} 封，已超过每日限额 {limit} 封的一半，请留有余量"
    vacant = [load for load in seen.loads if not load.reviewers]
    if vacant:
        names = "、".join(load.name for load in vacant[:5]) + ("等" if len(vacant) > 5 else "")
        yield f"{len(vacant)} 个层级没有登记审核员（{names}），数据将不经审核自动上报，请补充登记"
    heavy = [load for load in seen.loads if (load.per_day or 0) > HEAVY]
    if heavy:
        first = busiest(seen, 1)[0]
        yield (
            f"{len(heavy)} 个层级的审核员平均每日要审核 {HEAVY} 行以上，最多的{first.name}为 {first.per_day:.0f} 行，"
            "请增加审核员或者提前审核"
        )
    if seen.unreachable:
        names = "、".join(name for _, name in seen.unreachable[:5]) + (
            "等" if len(seen.unreachable) > 5 else ""
        )
        yield f"{len(seen.unreachable)} 个单位及其各级上级均无电子邮箱（{names}），通知无法送达，请补充登记"
    auto = [load for load in seen.loads if load.auto]
    if auto:
        yield f"按所设比例，{len(auto)} 个层级将在到期时自动上报，详见“自动上报”表"
