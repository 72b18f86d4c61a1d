"""Read a returned file: what kind it is, whose copy, and what stands in the answer cells.

A pure function of bytes and forms that never raises for what a file holds; it runs in the processes of
`pool`. A copy whose labels stand where they stood is read by its addresses; only another takes the slow way by its labels.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from python_calamine import CalamineWorkbook, SheetTypeEnum, load_workbook

from workflow.adapters.workbook.by_labels import grid_of, read_located, read_page
from workflow.adapters.workbook.containers import Unopened, unpack, unpack_locked
from workflow.adapters.workbook.identity import Marks, printed_token, read_marks
from workflow.adapters.workbook.pick import (
    days_since_1904,
    error_texts,
    hidden_errors,
    moved_cells,
    pick,
    without_gaps,
)
from workflow.adapters.workbook.receipt_copy import copy_of_book, copy_of_document
from workflow.adapters.workbook.remarks import remarks_of
from workflow.adapters.workbook.review import looks_like_review, read_review
from workflow.adapters.workbook.several import Share, shares
from workflow.adapters.workbook.sniff import (
    BROKEN_REASON,
    MACRO_REASON,
    STILL_LOCKED,
    ZIP,
    Sniffed,
    sniff,
    web_page,
)
from workflow.adapters.workbook.unlock import EXCELS_OWN, unlock
from workflow.domain.form import CONTINUED, Form
from workflow.domain.labels import stands
from workflow.domain.recognition import best_form
from workflow.domain.sheet_match import Rows
from workflow.domain.submission import RECEIPT_PARTS, CopyIdentity, Enclosed, Reading, ReadOutcome
from workflow.domain.table_places import overflows

Forms = Mapping[tuple[str, int], Form]
#: A form's id and version; version 0 is any.
FormKey = tuple[str, int]

_FOREIGN = "附件不是系统下发的工作簿（找不到识别标记）；请在系统下发的工作簿中填报，填好后作为附件回复"
_RECEIPT_SHEET = "回执表"
_HEAD_ROWS = 12
_DEEPEST = 2
_TOO_DEEP = "压缩包里套了多层压缩包，系统不予打开；请直接把工作簿作为附件发送"
_CALLED = {"tnef": "附件", "eml": "转发的邮件"}
_OURS = (TypeError, AttributeError, NameError, LookupError, AssertionError)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file before it is opened: the form that each token of a case stands for, the passwords that are
    registered for whoever sent it, and whether a person has seen to it that its macros do not matter (none is ever run).
    """

    forms: Mapping[str, FormKey] = field(default_factory=dict)
    passwords: tuple[str, ...] = field(default=(), repr=False)
    macros: bool = False


NOTHING_KNOWN = Known()


def read_file(data: bytes, name: str, forms: Forms, known: Known = NOTHING_KNOWN) -> Reading:
    """What a file is and what its answers are. `forms` maps (form id, version) to the forms that are out; the name never
    decides and only stands in reasons.

    A copy known by its printed token alone comes back with an identity of token and form only (campaign and
    unit ''), one known by its labels alone without a token too: the caller looks for whose it is. Where a token's form can't
    be told, the file `wants_form`: called again with what that token stands for, it gives the answers. An archive with one
    usable file reads as that file; with several it has them `inside`.
    """
    return _read(data, name, forms, known, 0)


def wants_form(reading: Reading) -> bool:
    """Whether it was only the form that could not be told: the token can."""
    identity = reading.identity
    return (
        reading.outcome in {ReadOutcome.FOREIGN, ReadOutcome.UNSUPPORTED}
        and identity is not None
        and bool(identity.token)
        and not identity.form
    )


def _read(data: bytes, name: str, forms: Forms, known: Known, depth: int) -> Reading:
    reading = _read_once(data, name, forms, known, depth)
    if wants_form(reading) and reading.identity and (told := known.forms.get(reading.identity.token)):
        form, version = told
        only = {key: one for key, one in forms.items() if key[0] == form and version in (0, key[1])}
        return _read_once(data, name, only, known, depth)
    return reading


def _read_once(data: bytes, name: str, forms: Forms, known: Known, depth: int) -> Reading:
    try:
        sniffed = sniff(data, macros=known.macros)
        if sniffed.refused is ReadOutcome.ENCRYPTED and sniffed.data:
            return _read_locked(sniffed, name, forms, known, depth)
        if sniffed.refused is not None:
            return _read_document(data, sniffed) or Reading(sniffed.refused, reason=sniffed.reason)
        if sniffed.container == "html":
            page = web_page()
            assert page.refused is not None
            return read_page(data, forms) or Reading(page.refused, reason=page.reason)
        if sniffed.container:
            files = unpack(sniffed.container, sniffed.data)
            return _read_container(files, sniffed.container, name, forms, known, depth)
        with load_workbook(io.BytesIO(data)) as book:
            macro = (SheetTypeEnum.MacroSheet, SheetTypeEnum.Vba)
            if not known.macros and any(sheet.typ in macro for sheet in book.sheets_metadata):
                return Reading(ReadOutcome.MACRO, reason=MACRO_REASON)
            return _read_book(book, sniffed, forms, known)
    except Unopened as unopened:
        return Reading(unopened.outcome, reason=unopened.reason)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 — calamine's PanicException is no Exception
        # Damage shows in the libraries' own errors; one of these may be a fault of ours and is named for staff.
        named = f"（代号：{type(error).__name__}）" if isinstance(error, _OURS) else ""
        return Reading(ReadOutcome.UNREADABLE, reason=BROKEN_REASON + named)


def _read_document(data: bytes, sniffed: Sniffed) -> Reading | None:
    """A Word document (.docx) with the table of 附件2 in it."""
    if sniffed.refused is not ReadOutcome.UNSUPPORTED or not data.startswith(ZIP):
        return None
    copy = copy_of_document(data)
    return Reading(ReadOutcome.RECEIPT, copy=copy) if copy is not None else None


def _read_locked(sniffed: Sniffed, name: str, forms: Forms, known: Known, depth: int) -> Reading:
    """A file with a password, with the registered ones tried on it."""
    if sniffed.container:
        if not known.passwords:
            return Reading(ReadOutcome.ENCRYPTED, reason=sniffed.reason)
        files = unpack_locked(sniffed.data, known.passwords)
        return replace(_read_container(files, "zip", name, forms, known, depth), unlocked=True)
    opened = unlock(sniffed.data, known.passwords)
    if opened is None:
        reason = STILL_LOCKED if known.passwords else sniffed.reason
        return Reading(ReadOutcome.ENCRYPTED, reason=reason)
    if depth >= _DEEPEST:
        return Reading(ReadOutcome.HOSTILE, reason=_TOO_DEEP)
    plain, password = opened
    reading = _read_once(plain, name, forms, known, depth + 1)
    return replace(reading, unlocked=password != EXCELS_OWN)


def _read_container(
    files: Sequence[tuple[str, bytes]], kind: str, name: str, forms: Forms, known: Known, depth: int
) -> Reading:
    """The files inside, one by one. What can be no workbook and no part of a 回执表 (a text, a program) counts only where
    nothing else is in.
    """
    if depth >= _DEEPEST:
        return Reading(ReadOutcome.HOSTILE, reason=_TOO_DEEP)
    found: list[Enclosed] = []
    for inner, content in files:
        reading = _read(content, inner, forms, known, depth + 1)
        sha = hashlib.sha256(content).hexdigest()
        kept = content if _may_be_a_receipts(inner, reading) else b""
        found += reading.inside or [Enclosed(inner, sha, len(content), reading, kept)]
    useful = [one for one in found if one.reading.outcome is not ReadOutcome.UNSUPPORTED or one.data] or found
    if not useful:
        where = _CALLED.get(kind, "压缩包")
        return Reading(ReadOutcome.UNSUPPORTED, reason=f"{where}里没有文件；请放入填好的工作簿后重新发送")
    if len(useful) > 1:
        reason = f"内有{len(useful)}个文件，已逐一处理"
        return Reading(ReadOutcome.UNSUPPORTED, reason=reason, inside=tuple(useful))
    [only] = useful
    if only.data:  # a scan or a receipt is kept by itself, and not the archive around it
        return Reading(ReadOutcome.UNSUPPORTED, reason="内有1个文件，已处理", inside=(only,))
    where = f"{_CALLED.get(kind, '压缩包')}{name}内的“{only.name}”："
    return replace(only.reading, reason=where + only.reading.reason if only.reading.reason else "")


def _may_be_a_receipts(name: str, reading: Reading) -> bool:
    return reading.outcome is ReadOutcome.RECEIPT or (
        reading.outcome is ReadOutcome.UNSUPPORTED and name.lower().endswith(RECEIPT_PARTS)
    )


def _read_several(
    book: CalamineWorkbook, sniffed: Sniffed, token: str, forms: Forms, known: Known
) -> Reading | None:
    """A workbook with the sheets of several units: each is read by itself; None for one unit's."""
    usual = {slot.sheet for form in forms.values() for slot in form.slots}
    found = shares(book, usual, token)
    if found is None:
        return None
    sha, size = hashlib.sha256(sniffed.data).hexdigest(), len(sniffed.data)
    grid = grid_of(book)
    inside = []
    for share in found.of_units:
        name = next(iter(share.sheets.values()))
        inside.append(Enclosed(name, sha, size, _read_share(share, grid, sniffed, forms, known)))
    if found.unclear:
        names = "、".join(f"“{name}”" for name in found.unclear)
        reason = f"工作表{names}是另一个单位的，无法分清各单位的表；请每个单位单独用一个工作簿报送"
        inside.append(Enclosed(found.unclear[0], sha, size, Reading(ReadOutcome.FOREIGN, reason=reason)))
    return Reading(
        ReadOutcome.UNSUPPORTED, reason=f"内有{len(inside)}个单位的表，已逐一处理", inside=tuple(inside)
    )


def _read_share(
    share: Share, grid: Mapping[str, Rows], sniffed: Sniffed, forms: Forms, known: Known
) -> Reading:
    """One unit's sheets, read by their labels: the workbook's own marks say nothing of whose they are."""
    own = {name: grid[name] for name in share.sheets.values() if name in grid}
    form, version = known.forms.get(share.token, ("", 0))
    fitting = [one for key, one in forms.items() if not form or (key[0] == form and version in (0, key[1]))]
    told = _only_form(fitting) or best_form(fitting, own)
    identity = CopyIdentity("", "", told.id if told else "", told.version if told else 0, 0, share.token)
    located = read_located(own, sniffed, identity, told) if told else None
    reason = "工作簿中该单位的表不全，无法判断是哪一种表；请每个单位单独用一个工作簿报送"
    return located or Reading(ReadOutcome.FOREIGN, identity, reason=reason)


def _read_book(book: CalamineWorkbook, sniffed: Sniffed, forms: Forms, known: Known) -> Reading:
    marks = read_marks(book, sniffed.archive)
    if marks is None:
        return _read_unmarked(book, sniffed, forms)
    if marks.kind in {"", "answers"}:
        several = _read_several(book, sniffed, marks.identity.token, forms, known)
        if several is not None:
            return several
    match marks.kind:
        case "review":
            return Reading(
                ReadOutcome.REVIEW,
                marks.identity,
                review=read_review(book, marks, remarks_of(sniffed.data, sniffed.archive)),
            )
        case "receipt":
            return Reading(ReadOutcome.RECEIPT, marks.identity, copy=copy_of_book(book))
        case "":
            return _read_by_token(book, sniffed, marks, forms)
        case _:
            return _read_answers(book, sniffed, marks.identity, forms)


def _read_unmarked(book: CalamineWorkbook, sniffed: Sniffed, forms: Forms) -> Reading:
    """A workbook without any mark: ours if a form's title and labels stand in it; whose, the caller may find out."""
    foreign = Reading(ReadOutcome.FOREIGN, reason=_FOREIGN)
    if (copy := copy_of_book(book)) is not None:
        return Reading(ReadOutcome.RECEIPT, copy=copy)
    if not any(form.anchors for form in forms.values()):
        return foreign
    grid = grid_of(book)
    form = best_form(list(forms.values()), grid)
    if form is None:
        return foreign
    identity = CopyIdentity("", "", form.id, form.version, 0, "")
    return read_located(grid, sniffed, identity, form) or foreign


def _read_by_token(book: CalamineWorkbook, sniffed: Sniffed, marks: Marks, forms: Forms) -> Reading:
    sheets = set(book.sheet_names)
    fitting = [form for form in forms.values() if form.slots and _slot_sheets(form) <= sheets]
    token = marks.identity.token
    form = _only_form(fitting) or _only_form(_printed_forms(book, fitting))
    if form is not None:
        return _read_answers(book, sniffed, CopyIdentity("", "", form.id, form.version, 0, token), forms)
    if any(_RECEIPT_SHEET in sheet for sheet in sheets):
        return Reading(ReadOutcome.RECEIPT, marks.identity, copy=copy_of_book(book))
    if not fitting and looks_like_review(book):
        return Reading(
            ReadOutcome.REVIEW,
            marks.identity,
            review=read_review(book, marks, remarks_of(sniffed.data, sniffed.archive)),
        )
    if not fitting:
        grid = grid_of(book)
        told = _only_form(list(forms.values())) or best_form(list(forms.values()), grid)
        identity = CopyIdentity("", "", told.id, told.version, 0, token) if told else None
        if told and identity and (located := read_located(grid, sniffed, identity, told)):
            return located
    reason = "工作簿的识别标记不全，无法判断是哪一种表；请使用系统下发的工作簿重新填报"
    return Reading(ReadOutcome.FOREIGN, marks.identity, reason=reason)


def _only_form(fitting: Sequence[Form]) -> Form | None:
    """The one form, or the newest of its versions where all have their answers in the same cells."""
    if len({(form.id, form.slots) for form in fitting}) != 1:
        return None
    return max(fitting, key=lambda form: form.version)


def _printed_forms(book: CalamineWorkbook, fitting: Sequence[Form]) -> list[Form]:
    """Those whose 表号 or title stands in the head of a sheet: forms of one family share their sheets' names."""
    words: list[str] = []
    for sheet in sorted(set().union(*map(_slot_sheets, fitting))):
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=_HEAD_ROWS)
        words += [value for row in rows for value in row if isinstance(value, str)]
    numbered = [form for form in fitting if form.number and any(form.number in word for word in words)]
    return numbered or [form for form in fitting if any(form.title in word for word in words)]


def _read_answers(book: CalamineWorkbook, sniffed: Sniffed, identity: CopyIdentity, forms: Forms) -> Reading:
    form = forms.get((identity.form, identity.version))
    if form is None:
        reason = (
            f"旧版表单：这份工作簿（{identity.form}第{identity.version}版）不是本次下发的表单；"
            "请使用最近一次下发的工作簿填报"
        )
        return Reading(ReadOutcome.FOREIGN, identity, reason=reason)
    sheets, there = {slot.sheet for slot in form.slots}, set(book.sheet_names)
    missing = sorted(_slot_sheets(form) - there)
    if sheets <= there:
        rows_of: dict[str, Rows] = {
            sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in sheets
        }
        if stands(form, rows_of) and not overflows(form, rows_of):
            return _by_address(rows_of, sniffed, identity, form)
    located = read_located(grid_of(book), sniffed, identity, form)
    if located is not None:
        if not identity.token and (token := printed_token(book)):
            located = replace(located, identity=replace(identity, token=token))
        return located
    if missing:
        names = "、".join(f"“{sheet}”" for sheet in missing)
        reason = f"工作簿缺少工作表{names}（被删除或改名）；请使用系统下发的工作簿重新填报，不要删改工作表"
    else:
        reason = "工作簿中原有的标签大多被改动或删除，无法找到各项填报内容；请使用系统下发的工作簿重新填报，不要改动版式"
    return Reading(ReadOutcome.UNREADABLE, identity, reason=reason)


def _by_address(rows_of: Mapping[str, Rows], sniffed: Sniffed, identity: CopyIdentity, form: Form) -> Reading:
    answers, blank = pick(rows_of, ((slot.field, (slot.sheet, slot.row, slot.column)) for slot in form.slots))
    answers.update(hidden_errors(blank, sniffed))
    error_texts(answers)
    moved: Mapping[str, str] = {}
    notes: dict[str, str] = {}
    if form.tables:
        places = {slot.field: (slot.sheet, slot.row, slot.column) for slot in form.slots}
        answers, found, notes = without_gaps(form, answers, places)
        moved = moved_cells(form, found)
    notes |= days_since_1904(form, answers, sniffed)
    return Reading(ReadOutcome.ANSWERS, identity, answers, moved, notes=notes)


def _slot_sheets(form: Form) -> set[str]:
    """The sheets that a copy can't do without: a unit that needs no 续表 may have left it out."""
    return {slot.sheet for slot in form.slots} - {CONTINUED}
