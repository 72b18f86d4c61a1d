"""`run`: the scheduled job. Polls, ticks, sends and consolidates at the intervals of config.toml, and polls when a server tells
of new mail, until it is told to stop.
"""

from __future__ import annotations

import queue
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from types import FrameType

import schedule
from filelock import FileLock, Timeout

from workflow.app import App
from workflow.cli.outbox import say_pause
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import log, say
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused
from workflow.process.gather import running
from workflow.process.listen import Listener


def run(app: App) -> int:
    """One instance per workspace; a clean stop on SIGTERM or SIGINT after the piece of work at hand."""
    lock = FileLock(app.workspace / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Refused(
            Fault(str(app.workspace), "已有一个 huizhi run 在运行", "同一工作目录只能运行一个")
        ) from error
    turns = _Turns()
    previous = {sign: signal.signal(sign, turns.told) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        say("已启动")
        _work(app, turns)
        say("已停止")
        return 0
    finally:
        for sign, handler in previous.items():
            signal.signal(sign, handler)
        lock.release()


class _Turns:
    """What wakes the job: new mail and the order to stop. A queue, since a signal may come while the job holds a lock."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def told(self, _signal: int, _frame: FrameType | None) -> None:
        self.stop.set()
        self._rings.put(None)

    def ring(self) -> None:
        self._rings.put(None)

    def rung(self, seconds: float) -> bool:
        """Whether it was rung, waited for at most so many seconds; several times at once are once."""
        heard = False
        with suppress(queue.Empty):
            self._rings.get(timeout=seconds)
            heard = True
            while True:
                self._rings.get_nowait()
        return heard


def _work(app: App, turns: _Turns) -> None:
    every, stop = app.config.run, turns.stop
    jobs = schedule.Scheduler()

    def at_once(minutes: float, name: str, work: Callable[[], object]) -> None:
        if minutes > 0:
            jobs.every(max(1, round(minutes * 60))).seconds.do(_tried, name, work, stop)

    def send() -> None:
        say_pause(app.send())

    at_once(every.poll_minutes, "收信", app.poll)
    at_once(every.tick_minutes, "日程", app.tick)
    at_once(every.send_minutes, "发信", send)
    at_once(
        every.consolidate_minutes, "汇总", lambda: [app.consolidate(one.id) for one in running(app.store)]
    )
    jobs.run_all()
    with ExitStack() as listeners:
        for said in app.config.imap.boxes:
            if said.idle:
                listener = Listener(partial(app.mailbox, said), turns.ring, every.poll_minutes * 60)
                listener.start()
                listeners.callback(listener.close)
        while not stop.is_set():
            if turns.rung(max(0.05, min(jobs.idle_seconds or 0, 60))):
                _tried("收信", app.poll, stop)
                _tried("发信", send, stop)
            if not stop.is_set():
                jobs.run_pending()


def _tried(name: str, work: Callable[[], object], stop: threading.Event) -> None:
    """One piece of work. What fails outside is said and tried again at the next turn; it is never taken for success."""
    if stop.is_set():
        return
    try:
        work()
    except OutsideFailed as failure:
        log(f"{name}失败，稍后再试：{failure.fault}")
    except Conflict:
        log(f"{name}与另一进程同时写入，稍后再试")
    except Refused as refused:
        for fault in refused.faults:
            log(f"{name}未进行：{fault}")
    except Exception:  # noqa: BLE001 - a fault of ours in one job must not end the others; it is seen and tried again
        log(f"{name}因程序错误中断，稍后再试；请将以下内容交给管理员")
        for line in traceback.format_exc().splitlines():
            log(line)


def declare(commands: Commands) -> None:
    """The command of this module, with its words of help."""
    add(commands, "run", "按 config.toml 的间隔自动收信、办理日程、发信和汇总", lambda app, said: run(app))
