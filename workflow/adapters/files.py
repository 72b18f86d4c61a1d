"""The workspace's folders: mail, letters, workbooks and receipts, each kept under the sha256 of its bytes.

A file is either whole or not there: it is written beside its place, forced to disk, renamed, and its folder forced to
disk, before a call returns. Keeping the same bytes twice is one file. Many files at once are forced to disk together
(syncfs), which takes a tenth of the time that forcing each takes.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import itertools
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from workflow.domain.errors import OutsideFailed, system_words

#: A journalling file system commits what waits at one time together, so that many fsyncs cost few commits.
_THREADS = 16
#: From how many files on the whole file system is forced to disk instead.
_MANY = 8
_SHA = re.compile(r"[0-9a-f]{64}")


class Files:
    """The folders `mailbox/`, `outbox/` and `receipts/` under a workspace's root. Several processes may use them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mail = root / "mailbox"
        self._outbox = root / "outbox"
        self._letters = self._outbox / "letters"
        self._forms = self._outbox / "forms"
        self._books = self._outbox / "consolidated"
        self._receipts = root / "receipts"
        self._numbers = itertools.count()

    def keep_mail(self, raws: Sequence[bytes]) -> list[str]:
        """Keep raw messages, all of them safe on disk when this returns; their sha256, in order."""
        return self._keep_all(self._mail, ".eml", raws)

    def mail(self, sha: str) -> bytes:
        """A raw message. Raises OutsideFailed when it is missing or not what it was."""
        return self._read(self._mail, sha, ".eml", "来信原件")

    def has_mail(self, sha: str) -> bool:
        return _place(self._mail, sha, ".eml").is_file()

    def mails(self) -> Iterator[str]:
        """The sha256 of every message that is kept, in no order that means anything."""
        return _shas(self._mail, ".eml")

    def mail_count(self) -> int:
        return sum(1 for _ in self.mails())

    def mail_path(self, sha: str) -> Path:
        """Where a message lies, for people who want to open it."""
        return _place(self._mail, sha, ".eml")

    def remove_mail(self, sha: str) -> None:
        """Remove a message's bytes for good; one that is not there is gone already."""
        path = self.mail_path(sha)
        with _disk(path):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folders([path.parent], self.root)

    def drop_mail(self, sha: str) -> bool:
        """Remove a message's bytes; whether they were there."""
        there = self.has_mail(sha)
        if there:
            self.remove_mail(sha)
        return there

    def drop_letter(self, sha: str) -> bool:
        """Remove a letter's bytes for good; whether they were there."""
        path = _place(self._letters, sha, ".eml")
        with _disk(path):
            if not path.is_file():
                return False
            path.unlink()
            _sync_folders([path.parent], self.root)
        return True

    def receipt_count(self, campaign: str) -> int:
        return _count(_inside(self._receipts, campaign))

    def drop_receipts(self, campaign: str) -> None:
        """Remove every part of a 回执表 of a campaign for good."""
        self._drop(_inside(self._receipts, campaign))

    def book_count(self, campaign: str) -> int:
        return _count(_inside(self._books, campaign))

    def drop_books(self, campaign: str) -> None:
        """Remove a campaign's consolidated workbooks for good."""
        self._drop(_inside(self._books, campaign))

    def _drop(self, folder: Path) -> None:
        with _disk(folder):
            if folder.is_dir():
                shutil.rmtree(folder)
                _sync_folders([folder.parent], self.root)

    def keep_letters(self, letters: Sequence[bytes]) -> list[str]:
        """Keep letters exactly as they will be sent; their sha256, in order."""
        return self._keep_all(self._letters, ".eml", letters)

    def keep_letter(self, letter: bytes) -> str:
        return self.keep_letters([letter])[0]

    def letter(self, sha: str) -> bytes:
        """A letter. Raises OutsideFailed when it is missing or not what it was."""
        return self._read(self._letters, sha, ".eml", "待发信件")

    def keep_form(self, form: bytes) -> str:
        """Keep the form workbook that a campaign was opened with; its sha256."""
        return self._keep_all(self._forms, ".xlsx", [form])[0]

    def form(self, sha: str) -> bytes:
        """A form workbook. Raises OutsideFailed when it is missing or not what it was."""
        return self._read(self._forms, sha, ".xlsx", "表单原件")

    def write_book(self, relative: str, book: bytes) -> str:
        """Write a consolidated workbook such as `2026Q4/410102-3.xlsx` in one step, in place of an older one.

        Its path below `outbox/`, as `outbox` reads it.
        """
        target = _inside(self._books, relative)
        with _disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._replace(str(target), book)
            _sync_folders([target.parent], self.root)
        return target.relative_to(self._outbox).as_posix()

    def has_outbox(self, relative: str) -> bool:
        """Whether the file that `outbox` would read is there."""
        return _inside(self._outbox, relative).is_file()

    def outbox(self, relative: str) -> bytes:
        """A file below `outbox/`. Raises OutsideFailed when it is missing."""
        target = _inside(self._outbox, relative)
        with _disk(target), _required(target, "待发文件"):
            return target.read_bytes()

    def keep_receipt(self, campaign: str, unit: str, part: str, suffix: str, content: bytes) -> str:
        """Keep a part of a 回执表 beside the unit's other parts, where staff look at them; its sha256.

        `part` is `scan` or `electronic`, `suffix` the file's own such as `.pdf`.
        """
        sha = hashlib.sha256(content).hexdigest()
        ending = suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""
        target = _inside(self._receipts, f"{campaign}/{unit}/{part}-{sha}{ending}")
        with _disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _is_there(str(target), content):
                self._replace(str(target), content)
            _sync_folders([target.parent, target.parent.parent], self.root)
        return sha

    def keep_cells(self, campaign: str, unit: str, number: int, pictures: Mapping[str, bytes]) -> None:
        """Keep the cells of a scanned 回执表 as PNG by their names, under the number of the scan's event."""
        folder = _inside(self._receipts, f"{campaign}/{unit}/cells/{number}")
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in pictures.items():
                target = _inside(folder, f"{name}.png")
                if not _is_there(str(target), content):
                    self._replace(str(target), content)
            _sync_folders([folder, folder.parent, folder.parent.parent], self.root)

    def receipt_cell(self, campaign: str, unit: str, number: int, name: str) -> Path | None:
        """The picture of a cell of a scanned 回执表, None where there is none."""
        target = _inside(self._receipts, f"{campaign}/{unit}/cells/{number}/{name}.png")
        return target if target.is_file() else None

    def keep_check(self, campaign: str, content: bytes) -> str:
        """Write the list by which staff decide on a campaign's receipts; its place in the workspace."""
        target = _inside(self._receipts, f"核对-{campaign}.xlsx")
        with _disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._replace(str(target), content)
        return target.relative_to(self.root).as_posix()

    def receipt_files(self, campaign: str, unit: str) -> list[Path]:
        """The parts of a unit's 回执表 that are kept, by name."""
        folder = _inside(self._receipts, f"{campaign}/{unit}")
        return sorted(path for path in folder.glob("*-*") if not path.name.startswith("."))

    def _keep_all(self, folder: Path, suffix: str, contents: Sequence[bytes]) -> list[str]:
        if not contents:
            return []
        shas = [hashlib.sha256(content).hexdigest() for content in contents]
        parents = {sha[:2]: folder / sha[:2] for sha in shas}
        # Names as text: a Path for each of many letters takes longer than writing them.
        targets = {f"{folder}/{_below(sha, suffix)}": raw for sha, raw in zip(shas, contents, strict=True)}
        with _disk(folder):
            for parent in parents.values():
                parent.mkdir(parents=True, exist_ok=True)
            missing = [item for item in targets.items() if not _is_there(*item)]
            if len(missing) >= _MANY and _syncfs is not None:
                self._replace_together(folder, missing)
            else:
                # The pool ends before an error leaves: nothing is still being written behind the caller's back.
                with ThreadPoolExecutor(_THREADS) as pool:
                    list(pool.map(lambda item: self._replace(*item), missing))
                # Also when all are there: a program that broke off may not have come to this.
                _sync_folders(parents.values(), self.root)
            _sync_folders([folder], self.root)
        return shas

    def _replace_together(self, folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
        """Put files below a folder in their places whole and forced to disk, their folders' entries included."""
        fresh = [(self._fresh(target), target, content) for target, content in files]
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for path, _, content in fresh:
                _write(path, content)
            _sync_file_system(handle)
            for path, target, _ in fresh:
                os.replace(path, target)
            _sync_file_system(handle)
        except OSError:
            for path, _, _ in fresh:
                with suppress(OSError):
                    os.unlink(path)
            raise
        finally:
            os.close(handle)

    def _fresh(self, target: str) -> str:
        """A name beside a file's place that nobody else uses."""
        parent, _, name = target.rpartition("/")
        return f"{parent}/.{name[:16]}.{os.getpid()}.{next(self._numbers)}.new"

    def _replace(self, target: str, content: bytes) -> None:
        """Put a file in its place whole, without forcing the folder to disk."""
        fresh = self._fresh(target)
        try:
            _write(fresh, content, force=True)
            os.replace(fresh, target)
        except OSError:
            with suppress(OSError):
                os.unlink(fresh)
            raise

    def _read(self, folder: Path, sha: str, suffix: str, what: str) -> bytes:
        path = _place(folder, sha, suffix)
        with _disk(path), _required(path, what):
            content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha:
            raise OutsideFailed(str(path), f"{what}已损坏，内容与编号不符", "请从备份取回该文件")
        return content


def _place(folder: Path, sha: str, suffix: str) -> Path:
    if not _SHA.fullmatch(sha):
        raise ValueError(f"not a sha256: {sha!r}")
    return folder / _below(sha, suffix)


def _below(sha: str, suffix: str) -> str:
    """Where a file lies below its folder, by its hash."""
    return f"{sha[:2]}/{sha[2:]}{suffix}"


def _write(path: str, content: bytes, *, force: bool = False) -> None:
    """Write a new file, forced to disk where that is asked for."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        if force:
            os.fsync(handle)
    finally:
        os.close(handle)


def _inside(folder: Path, relative: str) -> Path:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"not a path inside {folder.name}: {relative!r}")
    return folder / path


def _count(folder: Path) -> int:
    """The files below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _shas(folder: Path, suffix: str) -> Iterator[str]:
    for start in folder.glob("[0-9a-f][0-9a-f]"):
        with os.scandir(start) as entries:
            for entry in entries:
                if entry.name.endswith(suffix) and _SHA.fullmatch(
                    sha := start.name + entry.name[: -len(suffix)]
                ):
                    yield sha


def _is_there(target: str, content: bytes) -> bool:
    try:
        return os.stat(target).st_size == len(content)
    except FileNotFoundError:
        return False


def _find_syncfs() -> Callable[[int], int] | None:
    """Linux's syncfs, which Python does not have; before 5.8 it kept a failed write to itself."""
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if sys.platform != "linux" or version is None or (int(version[1]), int(version[2])) < (5, 8):
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return found


_syncfs = _find_syncfs()


def _sync_file_system(handle: int) -> None:
    """Force everything that was written to a file system to disk."""
    assert _syncfs is not None
    if _syncfs(handle) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _sync_folders(folders: Iterable[Path], root: Path) -> None:
    """Force the folders' entries to disk, and those of the folders above them up to the root."""
    todo = {above for folder in folders for above in (folder, *folder.parents) if above.is_relative_to(root)}
    for folder in sorted(todo, key=lambda path: -len(path.parts)):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Say in Chinese what a disk's error means."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutsideFailed(str(path), "磁盘已满，没有写入", "请清理磁盘后重试") from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise OutsideFailed(str(path), "没有读写权限", "请检查文件夹的权限") from error
        raise OutsideFailed(
            str(path), f"磁盘读写出错（{system_words(error)}）", "请检查磁盘后重试"
        ) from error


@contextmanager
def _required(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise OutsideFailed(str(path), f"{what}不在了", "请从备份取回该文件") from error
