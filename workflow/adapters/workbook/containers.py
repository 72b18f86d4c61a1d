"""Files inside files: zip, rar, 7z and tar archives, winmail.dat, messages saved as .eml. Bounded, and never recursive here.

Zip names without the UTF-8 flag are GBK, as Windows in Chinese writes them. rar, 7z and tar need libarchive (Debian:
libarchive13); without it they are told apart and the sender is asked for a zip or the workbook itself.
"""

from __future__ import annotations

import email
import importlib
import io
import logging
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from tnefparse import TNEF  # type: ignore[import-untyped]

from workflow.domain.submission import ReadOutcome

File = tuple[str, bytes]

#: A county that sends for all its schools has some hundreds of workbooks of 60 kB.
MOST_FILES = 500
MOST_FILE_BYTES = 60_000_000
MOST_BYTES = 200_000_000
#: Chinese, its punctuation and what stands beside it in names are three bytes each in UTF-8.
_FIRST_OF_OURS = 0x800
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "~$", "._")

logging.getLogger("tnefparse").setLevel(logging.CRITICAL)  # damage is told by our outcome, not on stderr


class Unopened(Exception):
    """A container that gives no files: the outcome of the attachment and the reason, in Chinese, with a remedy."""

    def __init__(self, outcome: ReadOutcome, reason: str) -> None:
        self.outcome, self.reason = outcome, reason
        super().__init__(reason)


_SEND_ZIP = "请改为zip格式，或者直接把工作簿作为附件发送"
_TOO_MUCH = "压缩包展开后过大或文件过多，为安全起见系统不予打开；请分成几封邮件，直接把工作簿作为附件发送"
_LOCKED = "压缩包设有密码，系统无法读取；请取消密码，或者直接把工作簿作为附件发送"
ZIP_STILL_LOCKED = (
    "压缩包设有密码，登记的密码打不开；请取消密码后重新发送，或者先电话告知密码，登记后再发送一次"
)
_BROKEN = f"压缩包已损坏，系统无法打开；{_SEND_ZIP}"


def unpack(kind: str, data: bytes) -> list[File]:
    """The files of a container of this kind (`zip`, `archive`, `tnef` or `eml`); raises Unopened."""
    return _gathered(_OPENERS[kind](data))


def unpack_locked(data: bytes, passwords: Iterable[str]) -> list[File]:
    """The files of a zip with a password, ZipCrypto or AES; raises Unopened, as `encrypted` where none of these opens it."""
    library = _libarchive()
    if library is not None:
        for password in passwords:
            try:
                return _gathered(_archive(data, password))
            except Unopened as unopened:
                if unopened.outcome is ReadOutcome.HOSTILE:
                    raise
            except ValueError:  # a password that the library cannot take
                continue
    raise Unopened(ReadOutcome.ENCRYPTED, ZIP_STILL_LOCKED if passwords else _LOCKED)


def _gathered(opened: Iterator[File]) -> list[File]:
    """The files that count, within the bounds."""
    files: list[File] = []
    size = 0
    for name, content in opened:
        bare = PurePosixPath(name.replace("\\", "/")).name
        if (
            not content
            or not bare
            or any(part.startswith(_LITTER) for part in name.replace("\\", "/").split("/"))
        ):
            continue
        size += len(content)
        if len(files) == MOST_FILES or size > MOST_BYTES:
            raise Unopened(ReadOutcome.HOSTILE, _TOO_MUCH)
        files.append((bare, content))
    return files


def _zip(data: bytes) -> Iterator[File]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                if member.flag_bits & 0x1:
                    raise Unopened(ReadOutcome.ENCRYPTED, _LOCKED)
                if member.file_size > MOST_FILE_BYTES:
                    raise Unopened(ReadOutcome.HOSTILE, _TOO_MUCH)
                with archive.open(member) as file:
                    yield zip_name(member), _bounded(iter(lambda: file.read(1 << 20), b""))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise Unopened(ReadOutcome.UNREADABLE, _BROKEN) from error


def zip_name(member: zipfile.ZipInfo) -> str:
    """A member's name; zipfile takes names without the UTF-8 flag for cp437."""
    if member.flag_bits & 0x800:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = ""
    # Two bytes of GBK may be one Cyrillic or Arabic letter in UTF-8: 一 is D2 BB. Nobody here means that letter.
    if name and all(ord(char) < 0x80 or ord(char) >= _FIRST_OF_OURS for char in name):
        return name
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return name or member.filename


def _bounded(blocks: Iterator[bytes]) -> bytes:
    """A file's content; a header may lie about its size."""
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > MOST_FILE_BYTES:
            raise Unopened(ReadOutcome.HOSTILE, _TOO_MUCH)
    return bytes(content)


def libarchive_works() -> bool:
    """Whether rar, 7z and tar can be opened here."""
    return _libarchive() is not None


def _libarchive() -> Any:
    try:
        return importlib.import_module(
            "libarchive"
        )  # looks for the library when it is imported: only when needed
    except (ImportError, OSError, AttributeError, TypeError):
        return None


def _archive(data: bytes, password: str = "") -> Iterator[File]:
    library = _libarchive()
    if library is None:
        reason = f"附件是rar、7z等格式的压缩包，本系统未安装打开它的程序；{_SEND_ZIP}"
        raise Unopened(ReadOutcome.UNSUPPORTED, reason)
    try:
        with library.memory_reader(
            data, format_name=_format(data), passphrase=password or None, header_codec="utf-8"
        ) as entries:
            for entry in entries:
                if entry.isfile:
                    yield _decoded(entry.pathname), _bounded(entry.get_blocks())
    except library.exception.ArchiveError as error:
        words = str(error).lower()
        if "encrypt" in words or "passphrase" in words:
            raise Unopened(ReadOutcome.ENCRYPTED, _LOCKED) from error
        raise Unopened(ReadOutcome.UNREADABLE, _BROKEN) from error


def _decoded(name: str | bytes | None) -> str:
    """A name in an archive; bytes are GBK, as programs in Chinese write it."""
    return name.decode("gb18030", "replace") if isinstance(name, bytes) else name or "文件"


def _format(data: bytes) -> str:
    """The name that libarchive has for the one format that it may look for: left free, it finds the zips that workbooks are."""
    if data.startswith(b"Rar!"):
        return "rar5" if data[6:8] == b"\x01\x00" else "rar"
    if data.startswith(b"PK"):
        return "zip"
    return "7zip" if data.startswith(b"7z") else "tar"


def _tnef(data: bytes) -> Iterator[File]:
    try:
        for attachment in TNEF(data).attachments:
            yield str(attachment.long_filename() or attachment.name or ""), bytes(attachment.data or b"")
    except Unopened:
        raise
    except Exception as error:  # the parser trusts the lengths in the file and fails in many ways
        reason = "winmail.dat已损坏，无法取出其中的附件；请把邮件格式改为“HTML”或“纯文本”后重新发送"
        raise Unopened(ReadOutcome.UNREADABLE, reason) from error


def _eml(data: bytes) -> Iterator[File]:
    """The files of a message; of one without any, a workbook saved as a web page in one file (.mht) too, the page itself."""
    pages: list[bytes] = []
    files = False
    for part in email.message_from_bytes(data).walk():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or part.is_multipart():
            continue
        if part.get_content_type() == "text/html":
            pages.append(content)
        elif part.get_content_maintype() not in {"text", "image"}:
            files = True
            yield "附件", content
    if not files and pages:
        yield "网页", b"<html>" + b"".join(pages)


_OPENERS = {"zip": _zip, "archive": _archive, "tnef": _tnef, "eml": _eml}
