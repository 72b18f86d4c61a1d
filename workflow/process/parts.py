"""The parts of a message that may hold a workbook, opened in the reader's processes: files, archives, a pasted form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import NOTHING_KNOWN, FormKey, Known, wants_form
from workflow.domain.message import Attachment, Message
from workflow.domain.receipt import ScanReading
from workflow.domain.submission import RECEIPT_PARTS, Reading, ReadOutcome

#: A receipt's scan or document is not opened as a workbook, unless its bytes say that it is one under a wrong name.
_WORKBOOK_HEADS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_BODY = "邮件正文中的表格"
#: A form of ours has some hundreds of cells; the tables of our own quoted letters have fewer.
_LEAST_CELLS = 40

FormOfToken = Callable[[Collection[str]], Mapping[str, FormKey]]
#: The passwords that may open a message's files, by the message's key.
PasswordsOf = Callable[[str], Sequence[str]]


def no_passwords(_: str) -> Sequence[str]:
    """Where none is registered."""
    return ()


@dataclass(frozen=True)
class Opened:
    """A message with the files of its archives and a form pasted into its text as further attachments, what was read in
    each by index, the sha256 of each by index, and the
    scans of a 回执表 by index.
    """

    message: Message
    readings: Mapping[int, Reading] = field(default_factory=dict)
    shas: Mapping[int, str] = field(default_factory=dict)
    scans: Mapping[int, ScanReading] = field(default_factory=dict)


def open_parts(
    messages: Mapping[str, Message],
    readers: ReaderPool,
    form_of_token: FormOfToken,
    unread: Collection[str],
    passwords_of: PasswordsOf = no_passwords,
    *,
    macros: bool = False,
) -> dict[str, Opened]:
    """Read the parts of all messages at once; those in `unread` are looked at and not opened, those with macros where that is
    said.
    """
    files: list[tuple[str, Attachment]] = []
    for key, message in messages.items():
        if key not in unread:
            files += [(key, part) for part in _may_be_workbooks(message)]
    named = [(part.name, part.data) for _, part in files]
    readings = read_all(
        named, readers, form_of_token, lambda at: passwords_of(files[at][0]), Known(macros=macros)
    )
    of_message: dict[str, list[tuple[Attachment, Reading]]] = {}
    for (key, part), reading in zip(files, readings, strict=True):
        of_message.setdefault(key, []).append((part, reading))
    return {key: _opened(message, of_message.get(key, [])) for key, message in messages.items()}


def read_all(
    named: Sequence[tuple[str, bytes]],
    readers: ReaderPool,
    form_of_token: FormOfToken,
    passwords_of: Callable[[int], Sequence[str]],
    first: Known = NOTHING_KNOWN,
) -> list[Reading]:
    """Read files. One with a password is read again with those that `passwords_of` has for its place in the list; a copy
    whose form only its token tells, by itself or inside an archive, with the form of the token's case.
    """
    readings = readers.read_many(named, [first] * len(named)) if named else []
    known: dict[int, Known] = {}
    for at, reading in enumerate(readings):
        if any(one.outcome is ReadOutcome.ENCRYPTED for one in _within(reading)):
            known[at] = replace(first, passwords=tuple(passwords_of(at)))
    known = {at: one for at, one in known.items() if one.passwords}
    _again(named, readers, readings, known)
    wanting = {
        at: {one.identity.token for one in _within(reading) if wants_form(one) and one.identity}
        for at, reading in enumerate(readings)
    }
    tokens = set().union(*wanting.values())
    forms = form_of_token(tokens) if tokens else {}
    told = {
        at: replace(known.get(at, first), forms={hz: forms[hz] for hz in of_file & forms.keys()})
        for at, of_file in wanting.items()
        if of_file & forms.keys()
    }
    _again(named, readers, readings, told)
    return readings


def _within(reading: Reading) -> list[Reading]:
    """A file's reading, or those of the files that it has inside."""
    return [enclosed.reading for enclosed in reading.inside] or [reading]


def _again(
    named: Sequence[tuple[str, bytes]],
    readers: ReaderPool,
    readings: list[Reading],
    known: Mapping[int, Known],
) -> None:
    """Read some of the files once more, with what is known of them now."""
    if known:
        second = readers.read_many([named[at] for at in known], list(known.values()))
        for at, reading in zip(known, second, strict=True):
            readings[at] = reading


def _may_be_workbooks(message: Message) -> list[Attachment]:
    parts = [
        part
        for part in message.attachments
        if not part.inline
        and (not part.name.lower().endswith(RECEIPT_PARTS) or part.data.startswith(_WORKBOOK_HEADS))
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
            attachments.append(Attachment(index, name, "", enclosed.data or part.data))
            shas[index], readings[index] = enclosed.sha, enclosed.reading
    return Opened(replace(message, attachments=tuple(attachments)), readings, shas)
