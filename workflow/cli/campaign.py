"""`open`, `tick`, `consolidate` and `status`: the campaign and its calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.app import App
from workflow.cli.outbox import usage_json, usage_lines
from workflow.cli.parsing import Commands, add, level_named
from workflow.cli.printing import complain, progress, say, say_json
from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.deadlines import Due
from workflow.domain.errors import Fault, Refused
from workflow.domain.lifecycle import CaseState, PackageState
from workflow.domain.merge import Origin
from workflow.domain.roster import Level
from workflow.domain.submission import Bucket
from workflow.process.gather import require_campaign, require_roster, running
from workflow.process.launch import UNREVIEWED
from workflow.process.overview import Overview, overview


def open_campaign(app: App, name: str, receipt_due: str) -> int:
    """Open a campaign; 1 when some unit cannot be reached by any letter."""
    due = _day(receipt_due) if receipt_due else None
    with progress("开启") as move:
        launched = app.open(name, due, move)
    say(f"填报任务 {name} 已开启：新建 {launched.units} 个填报件，待发通知 {launched.letters} 封")
    roster = require_roster(app.store)
    for code in launched.vacant:
        say(f"{roster.units[code].name}（{code}）：{UNREVIEWED}；请在名册中登记")
    for code in launched.unreachable:
        complain(
            f"{roster.units[code].name}（{code}）：本单位及各上级均无电子邮箱，通知无法发出；请在名册中补充"
        )
    return 1 if launched.unreachable else 0


def tick(app: App, now: str) -> int:
    """Do what the calendar owes; 3 when a report waits for a poll that has not succeeded."""
    moment = _moment(now) if now else None
    with progress("日程") as move:
        done = app.tick(moment, move)
    for due in done.done:
        say(f"已办 {_words(app, due)}" + ("（已由后一次代替）" if due.skipped else ""))
    if not done.done and not done.waiting:
        say("目前没有到期事项")
    for due in done.waiting:
        complain(f"待收信后办理 {_words(app, due)}：截止后还没有成功收取邮件，请先运行 huizhi poll")
    return 3 if done.waiting else 0


_OWED = {
    "auto_report": "自动上报", "review_request": "发出审核通知", "review_reminder": "提醒审核",
    "reminder": "催报", "receipt_reminder": "催报回执表", "phone_list": "未报单位电话名单",
    "escalation": "逐级督促", "problem": "督促办结名册问题",
}  # fmt: skip


def _words(app: App, due: Due) -> str:
    roster = require_roster(app.store)
    name = roster.units[due.package].name if due.package else "各单位"
    return f"{due.at:%Y-%m-%d %H:%M} {_OWED[due.owed.value]} {name}"


def consolidate(app: App, campaign: str, level: str, unit: str) -> int:
    """Write the consolidated workbooks of a campaign or of all that are running, of one level or one unit when named."""
    known = [require_campaign(app.store, campaign)] if campaign else running(app.store)
    if not known:
        require_campaign(app.store)  # says that none is open
    for one in known:
        _consolidate(app, one, level, unit)
    return 0


def _consolidate(app: App, campaign: Campaign, level: str, unit: str) -> None:
    roster = require_roster(app.store, campaign)
    wanted = [u.code for u in roster.units.values() if u.kind.reports]
    if level:
        wanted = [code for code in wanted if roster.units[code].kind.level is level_named(level)]
    if unit:
        if unit not in wanted:
            raise Refused(Fault(f"单位代码 {unit}", "不是上报层级", "请填写县、市、高校或省级单位的代码"))
        wanted = [unit]
    with progress("汇总") as move:
        made = app.consolidate(campaign.id, wanted, move)
    for book in made:
        say(f"第{book.version}版 outbox/{book.path}")


def status(app: App, campaign: str, level: str, *, as_json: bool, whole: bool) -> int:
    """The state of a campaign in figures; telephone numbers and addresses masked unless asked for `whole`."""
    known = require_campaign(app.store, campaign)
    roster = require_roster(app.store, known)
    seen = overview(app.store, roster, known, app.now(), level_named(level) if level else None)
    seen = seen if whole else seen.masked()
    if as_json:
        say_json({**seen.as_json(), "sending": usage_json(app)})
    else:
        print_overview(seen)
        if others := [one.id for one in running(app.store) if one.id != known.id]:
            say(f"另有任务正在进行：{'、'.join(others)}（用 --campaign 查看）")
        for line in usage_lines(app):
            say(line)
    return 0


def print_overview(seen: Overview) -> None:
    """The overview as a person reads it."""
    say(f"填报任务 {seen.campaign}（{seen.now:%Y-%m-%d %H:%M}）")
    say("填报件：" + _counted({CaseState(state).word: n for state, n in seen.cases.items()}))
    for level, states in seen.packages.items():
        say(f"{Level(level).word}：" + _counted({PackageState(state).word: n for state, n in states.items()}))
    say("数据来源：" + _counted({Origin(origin).word: n for origin, n in seen.origins.items()}))
    buckets = {BUCKET_WORDS[Bucket(bucket)]: n for bucket, n in seen.mail["buckets"].items()}
    say(f"收到邮件 {seen.mail['received']} 封：" + _counted(buckets))
    say(f"发出 {seen.mail['sent']} 封，待发 {seen.mail['queued']} 封，失败 {seen.mail['failed']} 封")
    say(f"逾期未报 {len(seen.late)} 个")
    if reports := seen.problems["reported"]:
        left, late = seen.problems["open"], seen.problems["overdue"]
        say(f"名册问题 {reports} 项：未办结 {left} 项（逾期 {late} 项），已办结 {reports - left} 项")
    for one in seen.returned[:10]:
        say(f"{one['name']}尚未重新上报：{one['words']}")
    for due in seen.next[:3]:
        say(f"下一截止 {due['at']} {due['name']}")
    for book in seen.stale[:10]:
        if book["changed_after_report"]:
            say(f"{book['name']}上报后，下级数据又有变化（{len(book['changed_after_report'])}个单位）")
        else:
            say(f"{book['name']}的汇总表（第{book['book']}版）之后数据有变化")
    for matter in seen.staff[:10]:
        say(f"待工作人员办理：{matter}")


BUCKET_WORDS: Mapping[Bucket, str] = {
    Bucket.OWN: "本系统信件", Bucket.BOUNCE: "退信", Bucket.AUTO_REPLY: "自动回复", Bucket.DUPLICATE: "重复",
    Bucket.QUARANTINED: "隔离", Bucket.REVIEW: "审核意见", Bucket.WITHDRAWAL: "撤报申请",
    Bucket.SUBMISSION: "填报件", Bucket.RECEIPT: "回执表", Bucket.CONFIRMATION: "无变化确认",
    Bucket.REQUEST: "请求", Bucket.PROBLEM: "问题反映", Bucket.UNMATCHED: "未能对应",
    Bucket.EMPTY: "没有内容", Bucket.FAILED: "处理失败",
}  # fmt: skip


def _counted(counts: Mapping[str, int]) -> str:
    return "、".join(f"{word} {n}" for word, n in counts.items()) or "无"


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(text, "不是日期", "请写成 2026-11-08 的样子")) from error


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(text, "不是时间", "请写成 2027-01-06T00:05:00+08:00 的样子")) from error
    if not 2000 <= moment.year <= 2200:
        raise Refused(Fault(text, "年份不对", "应在 2000 至 2200 之间"))
    return moment.astimezone(SHANGHAI) if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    command = add(
        commands,
        "open",
        "开启填报任务并生成通知",
        lambda app, said: open_campaign(app, said.campaign, said.receipt_due),
    )
    command.add_argument("campaign", metavar="CAMPAIGN", help="如 2026Q4")
    command.add_argument("--receipt-due", default="", metavar="DATE", help="要求报送负责人回执表的日期")
    command = add(commands, "tick", "办理到期事项", lambda app, said: tick(app, said.now))
    command.add_argument("--now", default="", metavar="ISO", help="按此时刻办理")
    command = add(
        commands,
        "consolidate",
        "写出汇总表",
        lambda app, said: consolidate(app, said.campaign, said.level, said.unit),
    )
    command.add_argument("--campaign", default="", metavar="C")
    command.add_argument("--level", default="", metavar="L", help="层级，如 county")
    command.add_argument("--unit", default="", metavar="CODE", help="单位代码")
    command = add(
        commands,
        "status",
        "查看进展",
        lambda app, said: status(app, said.campaign, said.level, as_json=said.json, whole=said.whole),
    )
    command.add_argument("--campaign", default="", metavar="C")
    command.add_argument("--level", default="", metavar="L", help="层级，如 county")
    command.add_argument("--json", action="store_true")
    command.add_argument("--whole", action="store_true", help="电话、邮箱不隐去（限须电话联系的工作人员）")
