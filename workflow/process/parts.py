"""The parts of a message that may hold a workbook, opened in the reader's processes: files, archives, a pasted form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import FormKey
from workflow.domain.message import Attachment, Message
from workflow.domain.submission import Reading, ReadOutcome

#: A receipt's scan or document is not opened as a workbook, unless its bytes say that it is one under a wrong name.
_RECEIPT_PARTS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".bmp", ".doc", ".docx", ".wps")
_WORKBOOK_HEADS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_BODY = "邮件正文中的表格"
#: A form of ours has some hundreds of cells; the tables of our own quoted letters have fewer.
_LEAST_CELLS = 40

FormOfToken = Callable[[Collection[str]], Mapping[str, FormKey]]


@dataclass(frozen=True)
class Opened:
    """A message with the files of its archives and a form pasted into its text as further attachments, what was read in
    each by index, and the sha256 of each by index.
    """

    message: Message
    readings: Mapping[int, Reading] = field(default_factory=dict)
    shas: Mapping[int, str] = field(default_factory=dict)


def open_parts(
    messages: Mapping[str, Message], readers: ReaderPool, form_of_token: FormOfToken, unread: Collection[str]
) -> dict[str, Opened]:
    """Read the parts of all messages at once; those in `unread` are looked at and not opened."""
    files: list[tuple[str, Attachment]] = []
    for key, message in messages.items():
        if key not in unread:
            files += [(key, part) for part in _may_be_workbooks(message)]
    readings = read_all([(part.name, part.data) for _, part in files], readers, form_of_token)
    of_message: dict[str, list[tuple[Attachment, Reading]]] = {}
    for (key, part), reading in zip(files, readings, strict=True):
        of_message.setdefault(key, []).append((part, reading))
    return {key: _opened(message, of_message.get(key, [])) for key, message in messages.items()}


def read_all(
    named: Sequence[tuple[str, bytes]], readers: ReaderPool, form_of_token: FormOfToken
) -> list[Reading]:
    """Read files. A copy whose form only its token tells is read again with the form of the token's case."""
    readings = readers.read_many(named) if named else []
    again = {
        at: reading.identity.token
        for at, reading in enumerate(readings)
        if reading.outcome in {ReadOutcome.FOREIGN, ReadOutcome.UNSUPPORTED}
        and reading.identity is not None
        and reading.identity.token
        and not reading.identity.form
    }
    if again:
        forms = form_of_token(set(again.values()))
        wanted = {at: forms[token] for at, token in again.items() if token in forms}
        second = readers.read_many([named[at] for at in wanted], list(wanted.values()))
        for at, reading in zip(wanted, second, strict=True):
            readings[at] = reading
    return readings


def _may_be_workbooks(message: Message) -> list[Attachment]:
    parts = [
        part
        for part in message.attachments
        if not part.inline
        and (not part.name.lower().endswith(_RECEIPT_PARTS) or part.data.startswith(_WORKBOOK_HEADS))
    ]
    if not parts and message.html.lower().count("<td") >= _LEAST_CELLS:
        index = max((part.index for part in message.attachments), default=-1) + 1
        parts = [Attachment(index, _BODY, "text/html", message.html.encode("utf-8", "replace"))]
    return parts


def _opened(message: Message, read: list[tuple[Attachment, Reading]]) -> Opened:
    attachments = list(message.attachments)
    shas = {part.index: hashlib.sha256(part.data).hexdigest() for part in attachments}
    readings: dict[int, Reading] = {}
    for part, reading in read:
        if part.index not in shas:  # the message's own text: an attachment only where a form stands in it
            if reading.outcome is not ReadOutcome.ANSWERS:
                continue
            attachments.append(part)
            shas[part.index] = hashlib.sha256(part.data).hexdigest()
        readings[part.index] = reading
        for enclosed in reading.inside:
            index = max(shas) + 1
            name = f"{part.name or '压缩包'}/{enclosed.name}"
            attachments.append(Attachment(index, name, "", part.data))
            shas[index], readings[index] = enclosed.sha, enclosed.reading
    return Opened(replace(message, attachments=tuple(attachments)), readings, shas)
