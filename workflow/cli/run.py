"""`run`: the scheduled job. Polls, ticks, sends and consolidates at the intervals of config.toml until it is told to stop."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable
from types import FrameType

import schedule
from filelock import FileLock, Timeout

from workflow.app import App
from workflow.cli.outbox import say_pause
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import complain, say
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused


def run(app: App) -> int:
    """One instance per workspace; a clean stop on SIGTERM or SIGINT after the piece of work at hand."""
    lock = FileLock(app.workspace / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Refused(
            Fault(str(app.workspace), "已有一个 huizhi run 在运行", "同一工作目录只能运行一个")
        ) from error
    stop = threading.Event()

    def told(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {sign: signal.signal(sign, told) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        say("已启动")
        _work(app, stop)
        say("已停止")
        return 0
    finally:
        for sign, handler in previous.items():
            signal.signal(sign, handler)
        lock.release()


def _work(app: App, stop: threading.Event) -> None:
    every = app.config.run
    jobs = schedule.Scheduler()

    def at_once(minutes: float, name: str, work: Callable[[], object]) -> None:
        if minutes > 0:
            jobs.every(max(1, round(minutes * 60))).seconds.do(_tried, name, work, stop)

    at_once(every.poll_minutes, "收信", app.poll)
    at_once(every.tick_minutes, "日程", app.tick)
    at_once(every.send_minutes, "发信", lambda: say_pause(app.send()))
    at_once(every.consolidate_minutes, "汇总", lambda: app.consolidate() if app.store.campaigns() else None)
    jobs.run_all()
    while not stop.is_set():
        stop.wait(max(0.05, min(jobs.idle_seconds or 0, 60)))
        if not stop.is_set():
            jobs.run_pending()


def _tried(name: str, work: Callable[[], object], stop: threading.Event) -> None:
    """One piece of work. What fails outside is said and tried again at the next turn; it is never taken for success."""
    if stop.is_set():
        return
    try:
        work()
    except OutsideFailed as failure:
        complain(f"{name}失败，稍后再试：{failure.fault}")
    except Conflict:
        complain(f"{name}与另一进程同时写入，稍后再试")
    except Refused as refused:
        for fault in refused.faults:
            complain(f"{name}未进行：{fault}")
    except Exception:  # noqa: BLE001 - a fault of ours in one job must not end the others; it is seen and tried again
        complain(f"{name}因程序错误中断，稍后再试；请将以下内容交给管理员")
        traceback.print_exc()


def declare(commands: Commands) -> None:
    """The command of this module, with its words of help."""
    add(commands, "run", "按 config.toml 的间隔自动收信、办理日程、发信和汇总", lambda app, said: run(app))
