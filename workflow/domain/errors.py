"""What goes wrong, said so that a person can mend it.

Two kinds only. `Refused`: what was given is bad, nothing was done (exit code 2). `OutsideFailed`: a mail server,
a database or a disk failed, what was begun is kept and tried again (exit code 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (file, sheet!cell, line), what, and what to do about it. Chinese words."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}：{self.what}" + (f"；{self.remedy}" if self.remedy else "")


class Refused(Exception):
    """The input is refused and nothing was changed. Carries every fault that was found, not the first one."""

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class OutsideFailed(Exception):
    """Something outside the program failed; the work is kept and the next try goes on with it."""

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.fault = Fault(where, what, remedy)
        super().__init__(str(self.fault))


class Conflict(Exception):
    """Somebody else wrote first: a unique key of the ledger refused the batch. Gather again and decide anew."""
