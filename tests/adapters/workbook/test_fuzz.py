"""A bounded fuzz over the reader: whatever stands in a file, the worker answers, and our own code never breaks.

`FUZZ_SECONDS=600 FUZZ_SEED=7 pytest tests/adapters/workbook/test_fuzz.py` looks longer, or at one seed again.
"""

from __future__ import annotations

import io
import os
import random
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.adapters.workbook.damage import page, rarred, seven_zipped, tnef, zipped
from tests.adapters.workbook.locking import agile, locked_7z, locked_zip, standard
from tests.adapters.workbook.test_habits import TOKEN, changed, copy, forms, lose_marks, rename
from tests.adapters.workbook.test_several import beside
from tests.adapters.workbook.xlsb import as_xlsb
from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import Known
from workflow.domain.submission import ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = float(os.environ.get("FUZZ_SECONDS", "15"))
SEED = int(os.environ.get("FUZZ_SEED", "20261"))
CHUNK = 40
WORD = "暗号2026"

#: What is put into XML, where a reader may trust a number or a name.
SPICES = (
    b"1048576", b"-1", b"99999999999999999999", b"XFD1048576", b"", b"\x00", b"&#x110000;", b"&lt;", b'"', b"<c/>", b"</row>",
    b'<c r="A1" t="s"><v>9999999</v></c>', b'<c r="ZZZZZ0"><v>x</v></c>', b't="e"', b"1e400", b"NaN", "表".encode(), b"\xff\xfe",
    b'<mergeCell ref="A1:XFD1048576"/>', b"huizhi.token", b"HZ-2ABCDEFGHIJKLMNOP", b'date1904="1"', b"<f>", b"!#REF!",
)  # fmt: skip


def spoiled_bytes(dice: random.Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(dice.choice((1, 3, 20))):
        at = dice.randrange(len(spoiled))
        match dice.randrange(4):
            case 0:
                spoiled[at] = dice.randrange(256)
            case 1:
                del spoiled[at : at + dice.randrange(1, 200)]
            case 2:
                spoiled[at:at] = dice.choice(SPICES)
            case _:
                spoiled[at:at] = spoiled[at : at + dice.randrange(1, 400)]
        if not spoiled:
            return b""
    return bytes(spoiled)


def spoiled_parts(dice: random.Random, data: bytes) -> bytes:
    """A sound archive around spoiled XML: gets past the zip and into the parsers."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = set(dice.sample(names, dice.choice((1, 1, 2))))
        for name in names:
            content = old.read(name)
            new.writestr(name, spoiled_bytes(dice, content) if name in chosen and content else content)
    return target.getvalue()


def spoiled_inside(pack: Callable[[bytes], bytes]) -> Callable[[random.Random, bytes], bytes]:
    """A sound archive or a right password around a spoiled workbook."""
    return lambda dice, data: pack(dice.choice((spoiled_parts, spoiled_bytes))(dice, data))


@pytest.mark.timeout(SECONDS * 2 + 120)
def test_no_file_whatever_stops_the_reader_or_shows_a_fault_of_ours() -> None:
    dice = random.Random(SEED)
    whole, moved = copy(), changed(lambda book: (rename(book), lose_marks(book)))
    seeds: list[tuple[bytes, Callable[[random.Random, bytes], bytes]]] = [
        (whole, spoiled_parts), (moved, spoiled_parts), (whole, spoiled_bytes), (page(whole), spoiled_bytes),
        (zipped({"表.xlsx": whole, "乙.xlsx": moved}), spoiled_bytes), (seven_zipped({"表.xlsx": whole}), spoiled_bytes),
        (rarred({"表.xlsx": whole}), spoiled_bytes), (tnef({"a.xlsx": whole}), spoiled_bytes),
        (as_xlsb(whole), spoiled_parts), (beside(lambda name: f"{name} (2)"), spoiled_parts),
        (whole, spoiled_inside(lambda data: zipped({"甲.xlsx": data, "乙.xlsx": moved}))),
        (whole, spoiled_inside(lambda data: zipped({"内.zip": zipped({"甲.xlsx": data}), "扫描.pdf": b"%PDF"}))),
        (agile(whole, WORD), spoiled_bytes), (standard(whole, WORD), spoiled_bytes),
        (whole, spoiled_inside(lambda data: standard(data, WORD))),
        (locked_zip({"表.xlsx": whole}, WORD), spoiled_bytes), (locked_7z(), spoiled_bytes),
        (whole, spoiled_inside(lambda data: locked_zip({"甲.xlsx": data, "乙.xlsx": whole}, WORD))),
    ]  # fmt: skip
    told = Known(forms={TOKEN: ("school", 0)}, passwords=("别的", WORD))
    seen: set[ReadOutcome] = set()
    count, until = 0, time.monotonic() + SECONDS
    with ReaderPool(forms(), workers=2, seconds=20, memory_mb=1000) as readers:
        while time.monotonic() < until:
            files = []
            for _ in range(CHUNK):
                data, spoil = dice.choice(seeds)
                files.append((f"{count}.xlsx", spoil(dice, data)))
                count += 1
            for (name, data), reading in zip(
                files, readers.read_many(files, [told] * len(files)), strict=True
            ):
                for one in (reading, *(enclosed.reading for enclosed in reading.inside)):
                    seen.add(one.outcome)
                    assert one.outcome is ReadOutcome.ANSWERS or one.reason or one.review, name
                    assert "代号" not in one.reason, (SEED, name, one.reason, data[:60])
    assert count >= CHUNK
    assert {ReadOutcome.ANSWERS, ReadOutcome.UNREADABLE, ReadOutcome.ENCRYPTED} <= seen
