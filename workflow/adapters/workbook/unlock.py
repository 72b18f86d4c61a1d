"""Open a workbook that has a password 打开密码: Agile and Standard encryption of .xlsx, RC4 and XOR of .xls ([MS-OFFCRYPTO]).

Runs in the reader's processes, whose limits of time and memory hold here too.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import msoffcrypto

#: What Excel itself locks a workbook with whose structure is protected, and opens it again without asking ([MS-OFFCRYPTO] 2.4.2.3).
EXCELS_OWN = "VelvetSweatshop"
#: Excel turns a password over 100,000 times and LibreOffice as often; a file may ask for what would take hours.
_MOST_TURNS = 1_000_000
#: An .xls knows no longer one, and Excel lets nobody type one.
MOST_CHARACTERS = 255


def unlock(data: bytes, passwords: Iterable[str]) -> tuple[bytes, str] | None:
    """The workbook inside and the password that opened it; None where none fits or the encryption is of another kind."""
    for password in dict.fromkeys((EXCELS_OWN, *passwords)):
        try:
            if (plain := _open(data, password)) is not None:
                return plain, password
        except Exception:  # noqa: BLE001, S112 — a wrong password shows in whatever the parser stumbles over
            continue
    return None


def _open(data: bytes, password: str) -> bytes | None:
    if len(password) > MOST_CHARACTERS:
        return None
    file: Any = msoffcrypto.OfficeFile(io.BytesIO(data))
    if file.format == "ooxml":
        if file.type == "agile" and file.info["spinValue"] > _MOST_TURNS:
            return None
        file.load_key(password=password, verify_password=True)
    else:
        file.load_key(password=password)
    target = io.BytesIO()
    file.decrypt(target)
    return target.getvalue()
