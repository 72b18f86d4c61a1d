"""Work in a process beside the main one: its answers, what goes wrong in it, and that it never outlives who asked."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from workflow.adapters.beside import Beside
from workflow.domain.errors import OutsideFailed


def dividing(maker: str = "functools:partial") -> Beside:
    """Divides 7 by what it is given."""
    return Beside("计算进程", maker, divmod, 7)


def test_job_after_job_is_done_there() -> None:
    with dividing() as beside:
        for job, answer in ((2, (3, 1)), (7, (1, 0))):
            beside.give(job)
            assert beside.take() == answer
            assert not beside.done()


def test_what_a_job_raises_there_is_raised_here_with_the_place_where_it_happened() -> None:
    with dividing() as beside:
        beside.give(0)
        with pytest.raises(ZeroDivisionError) as raised:
            beside.take()
        assert "beside.py" in raised.value.__notes__[0]
        beside.give(2)
        assert beside.take() == (3, 1)


def test_a_function_that_cannot_be_made_there_is_told_when_its_work_is_asked_for() -> None:
    with dividing("functools:nothing") as beside:
        beside.give(2)
        with pytest.raises(AttributeError, match="nothing"):
            beside.take()


@pytest.mark.parametrize("at_work", [True, False])
def test_a_process_that_dies_is_a_failure_outside_that_can_be_tried_again(at_work: bool) -> None:
    with Beside("计算进程", "functools:partial", os._exit) as beside:
        if not at_work:
            beside.process.kill()
            beside.process.wait()
        beside.give(1)
        with pytest.raises(OutsideFailed, match="计算进程：中途退出") as failed:
            beside.take()
        assert failed.value.fault.remedy


def test_the_process_has_ended_when_the_work_is_over() -> None:
    with dividing() as beside:
        beside.give(2)
    assert beside.process.returncode == 0


def test_the_process_ends_when_the_main_process_is_killed() -> None:
    program = """
        import os, signal, sys
        from workflow.adapters.beside import Beside
        beside = Beside("计算进程", "functools:partial", divmod, 7)
        beside.give(2)
        beside.take()
        print(beside.process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    main = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert main.returncode == -signal.SIGKILL, main.stderr
    with suppress(ProcessLookupError):  # it is gone already
        ended = os.pidfd_open(int(main.stdout))
        assert select.select([ended], [], [], 30)[0]
        os.close(ended)
