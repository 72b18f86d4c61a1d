"""Draws the two state diagrams of docs/state-machines.md from the tables of workflow/domain/lifecycle.py.

python tools/draw_states.py            writes them between their markers
python tools/draw_states.py --check    1 when the page says something else than the tables
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from workflow.domain.lifecycle import (
    CASE_TRANSITIONS,
    LOCKED,
    PACKAGE_TRANSITIONS,
    CaseAct,
    CaseState,
    PackageAct,
    PackageState,
)

PAGE = Path(__file__).parents[1] / "docs" / "state-machines.md"
_CASE_WORDS = {
    CaseAct.ISSUE: "发出工作簿",
    CaseAct.SUBMIT: "报送",
    CaseAct.APPROVE: "审核通过",
    CaseAct.RETURN: "退回",
    CaseAct.CONFIRM: "登记地址确认",
    CaseAct.DISOWN: "非本单位报送",
}
_PACKAGE_WORDS = {
    PackageAct.REPORT: "审核员上报",
    PackageAct.AUTO_REPORT: "到期自动上报",
    PackageAct.ACCEPT: "上级接收",
    PackageAct.REQUEST_WITHDRAWAL: "申请撤报",
    PackageAct.GRANT_WITHDRAWAL: "同意撤报",
    PackageAct.REFUSE_WITHDRAWAL: "不同意撤报",
    PackageAct.RETURN: "上级退回",
}


def case_diagram() -> str:
    """The life of a case."""
    arrows = ((a.value, b.value, _CASE_WORDS[act]) for (a, act), b in CASE_TRANSITIONS.items())
    return _diagram([(state.value, state.word) for state in CaseState], arrows, CaseState.PLANNED.value)


def package_diagram() -> str:
    """The life of a package; a refused 撤报申请 goes back to each state from which it may have been made."""
    states = [(state.value, state.word + ("（锁定）" if state in LOCKED else "")) for state in PackageState]
    return _diagram(states, _package_arrows(), PackageState.OPEN.value)


def _package_arrows() -> Iterator[tuple[str, str, str]]:
    asked = [a for a, act in PACKAGE_TRANSITIONS if act is PackageAct.REQUEST_WITHDRAWAL]
    for (state, act), target in PACKAGE_TRANSITIONS.items():
        for end in asked if act is PackageAct.REFUSE_WITHDRAWAL else [target]:
            yield state.value, end.value, _PACKAGE_WORDS[act]


def _diagram(states: list[tuple[str, str]], arrows: Iterator[tuple[str, str, str]], first: str) -> str:
    lines = ["stateDiagram-v2", *(f'    state "{words}" as {name}' for name, words in states)]
    lines.append(f"    [*] --> {first}")
    lines += [f"    {start} --> {end}: {words}" for start, end, words in arrows]
    return "\n".join(lines)


def drawn(page: str) -> str:
    """The page with both diagrams as the tables have them."""
    for name, diagram in (("case", case_diagram()), ("package", package_diagram())):
        marked = rf"(<!-- {name}: drawn by tools/draw_states.py -->\n).*?(<!-- end of {name} -->)"
        page, found = re.subn(
            marked, lambda match, d=diagram: f"{match[1]}```mermaid\n{d}\n```\n{match[2]}", page, flags=re.DOTALL
        )  # fmt: skip
        if found != 1:
            raise SystemExit(f"{PAGE.name}: no place marked for the diagram {name}")
    return page


def main() -> int:
    """Draw, or check."""
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        return int(drawn(page) != page)
    PAGE.write_text(drawn(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
