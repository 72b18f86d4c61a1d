"""The whole way, from the mailbox to every level's workbook: ours, the clerk's script, the competent script."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.task import Task, task_of
from bench.timing import Measured, side_by_side
from bench.world import ARRIVED, Postbox, World
from tests.servers.dovecot import Dovecot
from workflow.app import App
from workflow.process.intake import Raw

ROOT = Path(__file__).parents[1]
_RUN = "import sys, time; from pathlib import Path; from bench.task import Task; from bench import {script}; "
_RUN += "task = Task.read(Path(sys.argv[1])); began = time.perf_counter(); n = {script}.run(task); "
_RUN += "print(n, time.perf_counter() - began)"
_COUNT = itertools.count()


class Race:
    """All competitors at one mailbox."""

    def __init__(self, world: World, server: Dovecot, account: str) -> None:
        self.world, self.server = world, server
        self.box = Postbox(server, account)
        self.box.deliver([reply.raw for reply in world.replies])
        self.stages: dict[str, list[float]] = {"poll": [], "consolidate": []}
        self.whole: dict[str, list[float]] = {}

    @property
    def size(self) -> int:
        return len(self.world.replies)

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        self.box.unread()
        with self.world.workspace(f"run{next(_COUNT)}", self.box.settings, self.box.password) as folder:
            yield folder

    def ours_warm(self) -> float:
        """In a process that has taken in mail before, as `huizhi run` is: poll, then all levels' workbooks."""
        with self._workspace() as folder:
            app = App(folder)
            try:
                app.intake().take([Raw(reply.raw, ARRIVED) for reply in self.world.warm_up])
                gc.collect()
                began = time.perf_counter()
                outcomes = app.poll()
                polled = time.perf_counter()
                made = app.consolidate()
                ended = time.perf_counter()
                assert len(outcomes) == self.size, f"ours took {len(outcomes)} of {self.size}"
                assert len(made) > 1
            finally:
                app.close()
        self.stages["poll"].append(polled - began)
        self.stages["consolidate"].append(ended - polled)
        return ended - began

    def ours_cold(self) -> float:
        """`huizhi poll`, then `huizhi consolidate`: two processes with everything that starting them costs."""
        with self._workspace() as folder:
            began = time.perf_counter()
            for command in ("poll", "consolidate"):
                program = [sys.executable, "-m", "workflow", "--workspace", str(folder), command]
                ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
                assert ended.returncode in {0, 1}, ended.stderr
            return time.perf_counter() - began

    def script(self, name: str) -> float:
        """A script's seconds in its own process after the imports; the whole process's go to `whole`."""
        self.box.unread()
        out = self.world.place / f"out{next(_COUNT)}"
        out.mkdir()
        task = out / "task.json"
        self._task(out).write(task)
        began = time.perf_counter()
        program = [sys.executable, "-c", _RUN.format(script=name), str(task)]
        ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
        self.whole.setdefault(name, []).append(time.perf_counter() - began)
        assert ended.returncode == 0, ended.stderr
        count, seconds = ended.stdout.split()
        assert int(count) == self.size, f"{name} took {count} of {self.size}"
        shutil.rmtree(out)
        return float(seconds)

    def _task(self, out: Path) -> Task:
        box = self.box
        task = task_of(
            self.world.school_form, self.world.roster, self.server.imap_port, box.user, box.password, out
        )
        warm = {reply.unit for reply in self.world.warm_up}
        # The units that only warm ours up are none of the scripts' business.
        names = {code: name for code, name in task.names.items() if code not in warm}
        return dataclasses.replace(task, names=names, above={code: task.above[code] for code in names})

    def run(self, rounds: int) -> Measured:
        """Median seconds: ours warm and cold, the clerk's, the competent engineer's."""
        competitors = {
            "ours": self.ours_warm,
            "competent": lambda: self.script("competent"),
            "ours_cold": self.ours_cold,
            "clerk": lambda: self.script("clerk"),
        }
        return side_by_side(competitors, rounds)
