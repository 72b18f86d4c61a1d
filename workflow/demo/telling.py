"""What the demo says while it plays and when it has ended."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from workflow.cli.campaign import print_overview
from workflow.cli.printing import say
from workflow.demo.play import Summary
from workflow.domain.lifecycle import CaseState
from workflow.domain.roster import Level


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal; elsewhere one plain line for each moment of the play."""
    if not sys.stderr.isatty():

        def tell(title: str, done: int, total: int) -> None:
            print(f"[{done}/{total}] {title}", file=sys.stderr, flush=True)

        yield tell
        return
    with tqdm(unit="步", leave=False, bar_format="{percentage:3.0f}%|{bar:24}| {desc}") as bar:

        def move(title: str, done: int, total: int) -> None:
            bar.total = total
            bar.set_description_str(title, refresh=False)
            bar.update(done - bar.n)

        yield move


def tell(summary: Summary) -> None:
    """The counts by level and state, what the people did, the conservation totals and where the workbooks lie."""
    seen = summary.overview
    mail = seen.mail
    say()
    print_overview(seen.masked())
    say()
    say("各级填报件（含所属学校）：")
    for level, states in summary.levels.items():
        counted = "、".join(f"{state.word} {states[state]}" for state in CaseState if states.get(state))
        say(f"  {Level(level).word}：{counted}")
    done = Counter(behaviour.value for behaviour in summary.behaviours.values())
    say("各单位的表现：" + "、".join(f"{word} {n}" for word, n in done.most_common()))
    say(
        f"守恒核对：单位寄出 {summary.posted} 封 + 退信 {summary.bounced} 封 = 收到 {mail['received']} 封"
        f" = 各类之和 {sum(mail['buckets'].values())} 封 = 存档原件 {summary.kept} 件"
    )
    cases, origins = sum(seen.cases.values()), sum(seen.origins.values())
    say(f"　　　　　应报 {len(summary.behaviours)} 份 = 各状态之和 {cases} 份 = 各来源之和 {origins} 份")
    say()
    say("汇总表：")
    for path in summary.books:
        say(f"  {path}")
    say(f"继续查看：huizhi --workspace {summary.workspace} status --json")
