"""`huizhi rehearse`: play, tell what came of it, write the workbook."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from workflow.app import App
from workflow.cli.printing import progress, say, say_json
from workflow.cli.workspace import shipped
from workflow.demo.rehearsal import rates as rating
from workflow.demo.rehearsal.forecast import Forecast
from workflow.demo.rehearsal.paper import write_paper
from workflow.demo.rehearsal.season import basis, rehearse
from workflow.demo.rehearsal.words import busiest, kind_word, limit_words, warnings
from workflow.domain.merge import Origin
from workflow.domain.roster import Level


def main(
    app: App, campaign: str, rates: Path | None, units: int, out: Path | None, *, imap: bool, as_json: bool
) -> int:
    """Rehearse a campaign; the exit code."""
    own = app.workspace / "rehearsal.toml"
    said = rating.load(rates or (own if own.is_file() else shipped("rehearsal.toml")))
    base = basis(app, campaign, said, units)
    with progress("演练") as move:
        seen = rehearse(app, base, said, imap=imap, progress=move)
    path = out or app.workspace / f"rehearsal-{base.period.id}.xlsx"
    path.write_bytes(write_paper(seen))
    if as_json:
        say_json({**seen.as_json(), "workbook": str(path)})
    else:
        tell(seen)
        say(f"演练报告：{path}")
    return 0


def tell(seen: Forecast) -> None:
    """The report in words."""
    peak = seen.peak
    past = "采用实际数据" if seen.real_past else "按比例模拟"
    say(f"演练 {seen.campaign.id}：{seen.units} 个单位，{len(seen.loads)} 个上报层级，上期数据{past}")
    say(f"发出信件 {seen.letters} 封：" + _counted({kind_word(kind): n for kind, n in seen.kinds.items()}))
    say(f"收到邮件 {sum(seen.buckets.values())} 封")
    say(f"发信高峰 {peak.date} {peak.sent} 封；限额：{limit_words(seen)}")
    busy = sorted(seen.days, key=lambda day: -day.sent)[:5]
    say("信件最多的几天：" + "、".join(f"{day.date:%m-%d} {day.sent} 封" for day in busy))
    say("数据来源：" + _counted({origin.word: seen.origins.get(origin, 0) for origin in Origin}))
    say(f"退回修改 {seen.returned} 个单位，其中更正 {seen.corrected} 个")
    for level in Level:
        loads = seen.of_level(level)
        if not loads:
            continue
        auto = [load for load in loads if load.auto]
        counted = sum((Counter(load.origins) for load in auto), Counter[Origin]())
        rows = sum(load.rows for load in loads)
        most = max(load.per_day or 0 for load in loads)
        say(
            f"{level.word}：{len(loads)} 个层级，待审 {rows} 行，每人每日最多 {most:.1f} 行；自动上报 {len(auto)} 个"
            + (f"（{_counted({o.word: counted[o] for o in Origin})}）" if auto else "")
        )
    for load in busiest(seen, 3):
        say(f"审核最忙：{load.name}，{load.reviewers} 名审核员每人每日 {load.per_day:.1f} 行")
    say(
        f"通知无法送达 {len(seen.unreachable)} 个单位，地址无效 {len(seen.failed)} 个单位，待办 {seen.staff} 项"
    )
    for words in warnings(seen):
        say(f"请注意：{words}")
    say(f"用时 {seen.seconds:.0f} 秒，每秒 {seen.units / seen.seconds:.1f} 个单位")


def _counted(counts: dict[str, int]) -> str:
    return "、".join(f"{word} {n}" for word, n in counts.items() if n) or "无"
