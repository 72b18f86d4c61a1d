"""What a file is, told from its first bytes and its directory, before any reader parses it.

A workbook passes; everything else gets the outcome of its attachment and a reason with a remedy, in Chinese,
for the letter to whoever sent it.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

from workflow.adapters.workbook.biff import has_macro_sheet
from workflow.domain.submission import ReadOutcome

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"

#: A stamped copy has about twenty members and a consolidated workbook of a province some dozens.
MOST_MEMBERS = 2_000
MOST_BYTES = 600_000_000
#: Sheet XML deflates 10 to 30 times; wide empty formatted areas reach 150. Small files may do as they like.
MOST_RATIO = 200
RATIO_MATTERS_FROM = 50_000_000
#: A member's own header has as many bytes and its name.
_LOCAL_HEADER = 30

_RESEND = "请用Excel或WPS打开原工作簿，另存为“Excel 工作簿（*.xlsx）”后重新报送"
_FILL_OURS = "请在系统下发的Excel工作簿中填报，填好后作为附件回复"
_MACRO = "工作簿含有宏，为安全起见系统不予打开；请另存为不含宏的“Excel 工作簿（*.xlsx）”后重新报送"
_LOCKED = (
    "文件设有打开密码，系统无法读取；请取消密码（文件—信息—保护工作簿—用密码进行加密，清空密码）后重新报送"
)
_LOCKED_ZIP = "压缩包设有密码，系统无法读取；请取消密码，或者直接把工作簿作为附件发送"
_SEALED = "邮件经过加密（S/MIME），系统无法读取；请不加密重新发送（只签名的可以读取）"
#: The name of CMS EnvelopedData, by which an encrypted message begins.
_ENVELOPED = bytes.fromhex("2a864886f70d010703")
STILL_LOCKED = (
    "文件设有打开密码，登记的密码打不开；请取消密码（文件—信息—保护工作簿—用密码进行加密，清空密码）后重新报送，"
    "或者先电话告知密码，登记后再发送一次"
)

_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF文件"),
    (b"\xff\xd8\xff", "图片"),
    (b"\x89PNG", "图片"),
    (b"GIF8", "图片"),
    (b"BM", "图片"),
    (b"II*\x00", "图片"),
    (b"MM\x00*", "图片"),
    (b"{\\rtf", "文字文档"),
)


_CONTAINERS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x05\x06", "zip"),  # one with nothing in it
    (b"Rar!\x1a\x07", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"\x78\x9f\x3e\x22", "tnef"),
)
_MAIL_HEADER = re.compile(
    rb"(?i)^(?:received|return-path|from|to|subject|date|message-id|mime-version|x-[\w-]+):"
)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A workbook that may be parsed (`refused` is None), or why not. `container` names what has the workbook inside:
    `zip`, `archive`, `tnef`, `eml` (see `containers`), or `html` for tables of a web page. What is refused as encrypted
    keeps its `data` where a password may open it.

    `archive` is the open zip of an .xlsx, .xlsb or .ods, None for a binary .xls; `names` are its members.
    """

    refused: ReadOutcome | None = None
    reason: str = ""
    archive: zipfile.ZipFile | None = None
    names: frozenset[str] = frozenset()
    data: bytes = b""
    container: str = ""


def sniff(data: bytes, *, macros: bool = False) -> Sniffed:
    """Tell a workbook from everything else; one with macros passes where that is said. Raises zipfile.BadZipFile for a broken
    archive.
    """
    if not data:
        return Sniffed(ReadOutcome.UNREADABLE, f"附件是空文件（0字节）；{_RESEND}")
    if data.startswith(ZIP):
        return _sniff_zip(data, macros)
    if data.startswith(OLE):
        return _sniff_ole(data, macros)
    for magic, container in _CONTAINERS:
        if data.startswith(magic):
            return Sniffed(data=data, container=container)
    if data[257:262] == b"ustar":
        return Sniffed(data=data, container="archive")
    if data.startswith(b"0") and _ENVELOPED in data[:64]:
        return Sniffed(ReadOutcome.ENCRYPTED, _SEALED)
    for magic, kind in _OTHER_KINDS:
        if data.startswith(magic):
            return _unsupported(kind)
    return _sniff_text(data)


def _unsupported(kind: str) -> Sniffed:
    return Sniffed(ReadOutcome.UNSUPPORTED, f"附件是{kind}，不是Excel工作簿，系统无法从中取数；{_FILL_OURS}")


def _sniff_text(data: bytes) -> Sniffed:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<div", b"<style")):
        return Sniffed(data=data, container="html")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        reason = f"附件是XML电子表格，系统不支持这种格式；{_RESEND}"
        return Sniffed(ReadOutcome.UNSUPPORTED, reason)
    if _MAIL_HEADER.match(head) and b"\nmime-version:" in b"\n" + head:
        return Sniffed(data=data, container="eml")
    if b"\x00" not in head:
        return _unsupported("文本文件")
    return Sniffed(ReadOutcome.UNREADABLE, f"无法识别文件格式，文件可能已损坏；{_RESEND}")


def _sniff_zip(data: bytes, macros: bool) -> Sniffed:
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    names = frozenset(member.filename for member in members)
    total = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or len(names) < len(members) or total > MOST_BYTES:
        return _hostile()
    if _overlap(members):
        return _hostile()
    if total > RATIO_MATTERS_FROM and total > MOST_RATIO * len(data):
        return _hostile()
    if any(member.flag_bits & 0x1 for member in members):
        if _is_office(names):
            return Sniffed(ReadOutcome.ENCRYPTED, _LOCKED)
        return Sniffed(ReadOutcome.ENCRYPTED, _LOCKED_ZIP, data=data, container="zip")
    if not macros and any(_is_macro(name.lower()) for name in names):
        return Sniffed(ReadOutcome.MACRO, _MACRO)
    if "content.xml" in names and "mimetype" in names:
        return _sniff_ods(archive, names, data)
    if any(name.lower().startswith("xl/workbook.") for name in names):
        return Sniffed(archive=archive, names=names, data=data)
    if any(name.startswith("word/") for name in names):
        return _unsupported("Word文档")
    if any(name.startswith("ppt/") for name in names):
        return _unsupported("演示文稿")
    return Sniffed(data=data, container="zip")


def web_page() -> Sniffed:
    """The refusal of a web page in which no form was found."""
    return _unsupported("网页")


def _hostile() -> Sniffed:
    reason = f"附件的压缩结构异常（展开后过大或成员重复），为安全起见系统不予打开；{_RESEND}"
    return Sniffed(ReadOutcome.HOSTILE, reason)


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    """Whether two members lie over each other, which is how a small file unpacks to terabytes (Fifield 2019)."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            return True
        end = member.header_offset + _LOCAL_HEADER + member.compress_size
    return False


def _is_office(names: frozenset[str]) -> bool:
    return (
        "[Content_Types].xml" in names or "mimetype" in names or any(name.startswith("xl/") for name in names)
    )


def _is_macro(name: str) -> bool:
    return name.endswith("vbaproject.bin") or name.startswith(("xl/macrosheets/", "basic/", "scripts/"))


def _sniff_ods(archive: zipfile.ZipFile, names: frozenset[str], data: bytes) -> Sniffed:
    if not archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return _unsupported("文字文档")
    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        return Sniffed(ReadOutcome.ENCRYPTED, _LOCKED)
    return Sniffed(archive=archive, names=names, data=data)


def _sniff_ole(data: bytes, macros: bool) -> Sniffed:
    if _has_entry(data, "EncryptedPackage"):
        return Sniffed(ReadOutcome.ENCRYPTED, _LOCKED, data=data)
    if _has_entry(data, "WordDocument"):
        return _unsupported("Word文档")
    if _has_entry(data, "PowerPoint Document"):
        return _unsupported("演示文稿")
    if not (_has_entry(data, "Workbook") or _has_entry(data, "Book")):
        return _unsupported("其他类型的文件")
    has_vba = _has_entry(data, "_VBA_PROJECT_CUR") or _has_entry(data, "_VBA_PROJECT")
    if not macros and (has_vba or has_macro_sheet(data)):
        return Sniffed(ReadOutcome.MACRO, _MACRO)
    if _has_password(data):
        return Sniffed(ReadOutcome.ENCRYPTED, _LOCKED, data=data)
    return Sniffed(data=data)


def _has_entry(data: bytes, name: str) -> bool:
    """Whether the compound file's directory names this entry: 128-byte records begin with the UTF-16 name."""
    wanted = name.encode("utf-16-le") + b"\x00\x00"
    at = data.find(wanted)
    while at >= 0:
        if at % 128 == 0:
            return True
        at = data.find(wanted, at + 2)
    return False


_BOF_BIFF8 = b"\x09\x08\x10\x00\x00\x06\x05\x00"
_FILEPASS = 0x2F


def _has_password(data: bytes) -> bool:
    """Whether an .xls begins with a FILEPASS record; calamine does not tell from bytes."""
    at = data.find(_BOF_BIFF8)
    if at < 0:
        return False
    for _ in range(12):
        if at + 4 > len(data):
            return False
        kind, length = (
            int.from_bytes(data[at : at + 2], "little"),
            int.from_bytes(data[at + 2 : at + 4], "little"),
        )
        if kind == _FILEPASS:
            return True
        at += 4 + length
    return False


MACRO_REASON = _MACRO
BROKEN_REASON = f"文件已损坏或不是完整的工作簿，系统无法打开；{_RESEND}"
