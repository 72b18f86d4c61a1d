"""Files with a password as office programs and archivers write them; the formats by hand where no library at hand writes them."""

from __future__ import annotations

import hashlib
import importlib
import io
import struct
import zlib
from typing import TYPE_CHECKING

import msoffcrypto.format.ooxml
import olefile
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msoffcrypto.method.container.ecma376_encrypted import ECMA376Encrypted

from tests.servers import running
from workflow.adapters.workbook.containers import libarchive_works

if TYPE_CHECKING:
    from collections.abc import Callable

SALT, VERIFIER = bytes(range(16)), bytes(range(100, 116))


def agile(data: bytes, password: str) -> bytes:
    """As Excel 2010 and later, WPS and LibreOffice lock an .xlsx."""
    target = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(data)).encrypt(password, target)
    return target.getvalue()


def standard(data: bytes, password: str) -> bytes:
    """As Excel 2007 locks an .xlsx: AES-128, [MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9."""
    hashed = hashlib.sha1(SALT + password.encode("utf-16-le")).digest()
    for turn in range(50_000):
        hashed = hashlib.sha1(struct.pack("<I", turn) + hashed).digest()
    hashed = hashlib.sha1(hashed + bytes(4)).digest()
    padded = bytes(a ^ b for a, b in zip(hashed.ljust(64, b"\0"), b"\x36" * 64, strict=True))
    aes = Cipher(algorithms.AES(hashlib.sha1(padded).digest()[:16]), modes.ECB())

    def shut(content: bytes) -> bytes:
        return aes.encryptor().update(content + bytes(-len(content) % 16))

    info = struct.pack("<HHI", 4, 2, 0x24) + crypto_api(
        0x660E, shut(VERIFIER), shut(_sha(VERIFIER)), flags=0x24
    )
    package = struct.pack("<Q", len(data)) + shut(data)
    target = io.BytesIO()
    ECMA376Encrypted(package, info).write_to(target)
    return target.getvalue()


def _sha(content: bytes) -> bytes:
    return hashlib.sha1(content).digest()


def crypto_api(algorithm: int, verifier: bytes, hashed: bytes, *, flags: int) -> bytes:
    """EncryptionHeader with its size, and EncryptionVerifier, [MS-OFFCRYPTO] 2.3.2 and 2.3.3; 128 bits and SHA-1."""
    provider = 0x18 if algorithm == 0x660E else 1
    header = struct.pack("<8I", flags, 0, algorithm, 0x8004, 128, provider, 0, 0) + b"\0\0"
    return (
        struct.pack("<I", len(header))
        + header
        + struct.pack("<I", 16)
        + SALT
        + verifier
        + struct.pack("<I", 20)
        + hashed
    )


# -- .xls


def rc4(data: bytes, password: str) -> bytes:
    """As Excel 97 locks an .xls: 40 bits, [MS-OFFCRYPTO] 2.3.6."""
    once = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    root = hashlib.md5((once + SALT) * 16).digest()[:5]

    def key(block: int) -> bytes:
        return hashlib.md5(root + struct.pack("<I", block)).digest()

    seen = stirred(key(0), VERIFIER + hashlib.md5(VERIFIER).digest())
    return locked_xls(data, struct.pack("<HHH", 1, 1, 1) + SALT + seen, key)


def rc4_crypto_api(data: bytes, password: str) -> bytes:
    """As Excel 2002 and later lock an .xls: 128 bits, [MS-OFFCRYPTO] 2.3.5."""
    root = hashlib.sha1(SALT + password.encode("utf-16-le")).digest()

    def key(block: int) -> bytes:
        return hashlib.sha1(root + struct.pack("<I", block)).digest()[:16]

    seen = stirred(key(0), VERIFIER + _sha(VERIFIER))
    body = struct.pack("<HHHI", 1, 2, 2, 4) + crypto_api(0x6801, seen[:16], seen[16:], flags=4)
    return locked_xls(data, body, key)


def stirred(key: bytes, content: bytes) -> bytes:
    """RC4."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in content:
        i = (i + 1) & 255
        j = (j + box[i]) & 255
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 255])
    return bytes(out)


#: BOF, FilePass and InterfaceHdr stay as they are; [MS-XLS] 2.2.10.
_PLAIN = {0x809, 0x2F, 0xE1}
_WRITE_ACCESS, _BOUND_SHEET = 0x5C, 0x85


def locked_xls(data: bytes, file_pass: bytes, key: Callable[[int], bytes]) -> bytes:
    """An .xls with the FilePass record after the first BOF, in the room of the name of who wrote it; all else stirred."""
    with olefile.OleFileIO(io.BytesIO(data)) as compound:
        stream = compound.openstream("Workbook").read()
    at = 0
    while (kind := struct.unpack_from("<HH", stream, at))[0] != _WRITE_ACCESS:
        at += 4 + kind[1]
    begin, end = 4 + struct.unpack_from("<H", stream, 2)[0], at + 4 + kind[1]
    record = struct.pack("<HH", 0x2F, len(file_pass)) + file_pass
    rest = end - at - len(record) - 4
    stream = (
        stream[:begin]
        + record
        + stream[begin:at]
        + struct.pack("<HH", 0x1AE0, rest)
        + bytes(rest)
        + stream[end:]
    )
    # The blocks' streams run on under what stays plain.
    covered = b"".join(
        stirred(key(block), stream[block * 1024 : block * 1024 + 1024])
        for block in range(-(-len(stream) // 1024))
    )
    out, at = bytearray(stream), 0
    while at + 4 <= len(stream):
        number, length = struct.unpack_from("<HH", stream, at)
        if number not in _PLAIN:
            first = at + 4 + (4 if number == _BOUND_SHEET else 0)
            out[first : at + 4 + length] = covered[first : at + 4 + length]
        at += 4 + length
    target = io.BytesIO(data)
    with olefile.OleFileIO(target, write_mode=True) as compound:
        compound.write_stream("Workbook", bytes(out))
    return target.getvalue()


# -- archives


def locked_zip(files: dict[str, bytes], password: str, method: str = "aes256") -> bytes:
    """A zip with a password: `aes256` as WinRAR and 7-Zip write it, `zipcrypt` as Windows and older programs."""
    if not libarchive_works():
        running.unavailable("libarchive is not installed (libarchive13)")
    libarchive = importlib.import_module("libarchive")
    blocks: list[bytes] = []
    with libarchive.custom_writer(
        lambda block: blocks.append(bytes(block)) or len(block), "zip", options=f"zip:encryption={method}",
        passphrase=password,
    ) as archive:  # fmt: skip
        for name, content in files.items():
            archive.add_file_from_memory(name, len(content), content)
    return b"".join(blocks)


def locked_7z() -> bytes:
    """A 7z whose directory is locked too, which is as much as can be told of it: no free library writes one."""
    coder = (
        b"\x24\x06\xf1\x07\x01" + b"\x12" + b"\x53\x0f" + bytes(16)
    )  # AES-256, 2^19 turns, an initial vector
    folder = b"\x0b\x01\x00\x01" + coder
    header = b"\x17\x06\x00\x01\x09\x20\x00\x07" + folder + b"\x0c\x20\x00\x00"
    content = bytes(range(32))
    start = struct.pack("<QQI", len(content), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + content + header
