"""Files with a password: the registered one is tried, then the unit is asked; a row in docs/returned-workbooks.md for each."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import olefile
import pytest
from msoffcrypto.method.container.ecma376_encrypted import ECMA376Encrypted

from tests.adapters.workbook.damage import zipped
from tests.adapters.workbook.forms import with_parts
from tests.adapters.workbook.locking import agile, locked_7z, locked_zip, rc4, rc4_crypto_api, standard
from tests.adapters.workbook.test_habits import UNTOUCHED, changed, copy, forms, lose_marks, rename
from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import Known, read_file
from workflow.adapters.workbook.unlock import EXCELS_OWN
from workflow.domain.submission import Reading, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.office import Office

WORD = "暗号2026 x"


def read(data: bytes, *passwords: str, name: str = "表.xlsx") -> Reading:
    return read_file(data, name, forms(), Known(passwords=passwords))


def assert_opened(reading: Reading) -> None:
    assert reading.outcome is ReadOutcome.ANSWERS, reading.reason
    assert (dict(reading.answers), reading.unlocked) == (UNTOUCHED, True)


@pytest.mark.parametrize("lock", [agile, standard])
def test_a_registered_password_opens_a_workbook_as_any_other(lock: Callable[[bytes, str], bytes]) -> None:
    data = lock(copy(), WORD)
    assert_opened(read(data, "别的", WORD))
    assert not read(copy(), WORD).unlocked


@pytest.mark.parametrize("lock", [rc4, rc4_crypto_api])
def test_a_registered_password_opens_an_xls(
    lock: Callable[[bytes, str], bytes], soffice: Office, tmp_path: Path
) -> None:
    source = tmp_path / "copy.xlsx"
    source.write_bytes(copy())
    data = lock(soffice(source, "xls", tmp_path / "saved").read_bytes(), WORD)
    assert read(data).outcome is ReadOutcome.ENCRYPTED
    assert_opened(read(data, WORD))
    assert read(data, "别的").outcome is ReadOutcome.ENCRYPTED


def test_without_a_password_or_with_the_wrong_one_the_reason_says_what_to_do() -> None:
    data = agile(copy(), WORD)
    asked, wrong = read(data), read(data, "别的")
    assert (asked.outcome, wrong.outcome) == (ReadOutcome.ENCRYPTED, ReadOutcome.ENCRYPTED)
    assert "请取消密码" in asked.reason
    assert "登记的密码打不开" in wrong.reason
    assert WORD not in repr(Known(passwords=(WORD,)))


def test_a_workbook_that_excel_locks_by_itself_needs_no_password() -> None:
    """Protecting a workbook's structure does that; Excel opens it without asking, and so do we."""
    reading = read(agile(copy(), EXCELS_OWN))
    assert (reading.outcome, reading.unlocked) == (ReadOutcome.ANSWERS, False)


def test_what_is_inside_a_locked_file_is_looked_at_like_any_file() -> None:
    pasted = changed(lambda book: (rename(book), lose_marks(book)))
    assert read(agile(pasted, WORD), WORD).by_labels
    with_macro = with_parts(copy(), {"xl/vbaProject.bin": b"x"})
    assert read(agile(with_macro, WORD), WORD).outcome is ReadOutcome.MACRO
    assert read(standard(agile(copy(), "里"), "外"), "外", "里").outcome is ReadOutcome.ENCRYPTED
    assert_opened(read(standard(zipped({"表.xlsx": copy()}), WORD), WORD))


def test_a_file_that_asks_for_hours_of_reckoning_is_not_tried() -> None:
    data = agile(copy(), WORD)
    with olefile.OleFileIO(io.BytesIO(data)) as compound:
        info = compound.openstream("EncryptionInfo").read()
        heavy = info.replace(b'spinCount="100000"', b'spinCount="999999999"')
        assert heavy != info
        target = io.BytesIO()
        ECMA376Encrypted(compound.openstream("EncryptedPackage").read(), heavy).write_to(target)
    assert read(target.getvalue(), WORD).outcome is ReadOutcome.ENCRYPTED


@pytest.mark.parametrize("method", ["aes256", "zipcrypt"])
def test_a_registered_password_opens_a_zip(method: str) -> None:
    data = locked_zip({"表.xlsx": copy()}, WORD, method)
    asked = read(data, name="x.zip")
    assert (asked.outcome, "压缩包设有密码" in asked.reason) == (ReadOutcome.ENCRYPTED, True)
    assert_opened(read(data, WORD, name="x.zip"))
    wrong = read(data, "别的", name="x.zip")
    assert (wrong.outcome, "登记的密码打不开" in wrong.reason) == (ReadOutcome.ENCRYPTED, True)


def test_a_locked_workbook_inside_an_archive_is_opened_beside_an_open_one() -> None:
    data = zipped({"甲.xlsx": agile(copy(), WORD), "乙.xlsx": copy()})
    reading = read(data, WORD)
    assert [(one.name, one.reading.outcome, one.reading.unlocked) for one in reading.inside] == [
        ("甲.xlsx", ReadOutcome.ANSWERS, True),
        ("乙.xlsx", ReadOutcome.ANSWERS, False),
    ]


def test_a_locked_7z_is_told_from_a_broken_one() -> None:
    reading = read(locked_7z(), WORD, name="x.7z")
    assert (reading.outcome, "取消密码" in reading.reason) == (ReadOutcome.ENCRYPTED, True)


def test_an_office_archive_whose_flags_say_locked_is_asked_about() -> None:
    data = bytearray(copy())
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", data, data.index(magic) + offset, 1)
    assert read(bytes(data), WORD).outcome is ReadOutcome.ENCRYPTED


def test_the_workers_take_passwords_file_by_file() -> None:
    files = [("甲", agile(copy(), WORD)), ("乙", agile(copy(), "别的")), ("丙", copy())]
    with ReaderPool(forms(), workers=1, seconds=20, memory_mb=1000) as readers:
        known = [Known(passwords=(WORD,)), Known(passwords=(WORD,)), Known()]
        assert [one.outcome for one in readers.read_many(files, known)] == [
            ReadOutcome.ANSWERS, ReadOutcome.ENCRYPTED, ReadOutcome.ANSWERS,
        ]  # fmt: skip
