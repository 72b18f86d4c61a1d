"""How sending stands, in words: what is used of the limits, and why the relay rests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflow.adapters.store import Pause
from workflow.app import App
from workflow.cli.printing import log
from workflow.domain.sending import Limits
from workflow.process.dispatch import Sent, use


def pause_words(pause: Pause) -> str:
    """Why nothing is sent for now, and until when."""
    return (
        f"发信服务器要求暂停（{pause.reply}），{pause.until:%m月%d日 %H:%M} 后自动继续，信件均保留；"
        "请核对发信账号、授权码和每日限额，处理后可运行 huizhi send --now"
    )


def usage_lines(app: App) -> Iterator[str]:
    """A line for the account and one for each limited domain, and one for a pause."""
    terms = app.terms()
    seen = use(app.store, terms, app.now())
    yield "近期发信：" + _used(seen.account, terms.allowance.account)
    for name, used in seen.domains.items():
        yield f"近期发往 {name}：" + _used(used, terms.allowance.domains[name])
    if seen.pause is not None:
        yield pause_words(seen.pause)


def _used(used: tuple[int, int, int], limits: Limits) -> str:
    spans = zip(("1分钟", "1小时", "24小时"), used, (limits.minute, limits.hour, limits.day), strict=True)
    return "、".join(f"{span} {n}{f'/{most}' if most else ''} 封" for span, n, most in spans)


def usage_json(app: App) -> dict[str, Any]:
    """The same for `status --json`."""
    terms = app.terms()
    seen = use(app.store, terms, app.now())
    allowed = terms.allowance
    return {
        "due": seen.due,
        "used": _spans(seen.account),
        "limits": _spans((allowed.account.minute, allowed.account.hour, allowed.account.day)),
        "domains": {
            name: {
                "used": _spans(used),
                "limits": _spans((limits.minute, limits.hour, limits.day)),
            }
            for name, used in seen.domains.items()
            for limits in (allowed.domains[name],)
        },
        "paused_until": seen.pause.until.isoformat() if seen.pause else None,
    }


def _spans(numbers: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("minute", "hour", "day"), numbers, strict=True))


def say_pause(sent: Sent) -> None:
    """What a scheduled pass tells: a pause that has just begun, and what could not be looked at."""
    if sent.pause is not None and sent.fresh:
        log(pause_words(sent.pause))
    if sent.fault is not None:
        log(str(sent.fault))
