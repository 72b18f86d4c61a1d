"""What goes wrong, said so that a person can mend it.

Two kinds only. `Refused`: what was given is bad, nothing was done (exit code 2). `OutsideFailed`: a mail server,
a database or a disk failed, what was begun is kept and tried again (exit code 3).
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
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

    def __reduce__(self) -> tuple[type[Refused], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)  # from one process to another


class OutsideFailed(Exception):
    """Something outside the program failed; the work is kept and the next try goes on with it."""

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.fault = Fault(where, what, remedy)
        super().__init__(str(self.fault))

    def __reduce__(self) -> tuple[type[OutsideFailed], tuple[str, str, str]]:
        return type(self), (self.fault.where, self.fault.what, self.fault.remedy)


class Conflict(Exception):
    """Somebody else wrote first: a unique key of the ledger refused the batch. Gather again and decide anew."""


#: What the operating system says, in the office's words.
_SYSTEM: Mapping[int, str] = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有读写权限",
    errno.EPERM: "系统不允许这样做",
    errno.EROFS: "磁盘是只读的",
    errno.EEXIST: "已经有同名的文件",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENOTDIR: "上级不是文件夹",
    errno.ENOTEMPTY: "文件夹不是空的",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EFBIG: "文件过大",
    errno.EIO: "磁盘读写出错",
    errno.EMFILE: "打开的文件过多",
    errno.ENFILE: "系统打开的文件过多",
    errno.ENAMETOOLONG: "文件名过长",
    errno.ELOOP: "链接循环",
    errno.EBUSY: "正被占用",
    errno.ETXTBSY: "正被占用",
    errno.EXDEV: "不在同一个磁盘上",
    errno.ENOMEM: "内存不足",
    errno.ECONNREFUSED: "对方没有接受连接",
    errno.ECONNRESET: "连接被对方断开",
    errno.EPIPE: "连接已断开",
    errno.ETIMEDOUT: "连接超时",
    errno.ENETUNREACH: "网络不通",
    errno.EHOSTUNREACH: "找不到通往该主机的网络",
    errno.EADDRINUSE: "端口已被占用",
}


def system_words(error: OSError) -> str:
    """What an error of the operating system means, in Chinese; one that is not known by its number."""
    number = error.errno or 0
    return _SYSTEM.get(number, f"系统错误 {number}" if number else "系统错误")
