from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from workflow.adapters.files import Files
from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from pathlib import Path

RAW = "Subject: 报送\r\n\r\n见附件".encode()
SHA = hashlib.sha256(RAW).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def leftovers(root: Path) -> list[Path]:
    return list(root.rglob("*.new"))


def test_mail_is_kept_under_its_hash_and_read_again(files: Files, tmp_path: Path) -> None:
    assert not files.has_mail(SHA)
    assert files.keep_mail([RAW, b"other", RAW]) == [SHA, hashlib.sha256(b"other").hexdigest(), SHA]
    assert files.mail(SHA) == RAW
    assert files.has_mail(SHA)
    assert (tmp_path / "mailbox" / SHA[:2] / f"{SHA[2:]}.eml").read_bytes() == RAW
    assert files.mail_path(SHA).is_file()


def test_an_empty_mailbox_counts_nothing(files: Files) -> None:
    assert files.mail_count() == 0
    assert files.keep_mail([]) == []


def test_the_same_message_again_is_one_file(files: Files) -> None:
    files.keep_mail([RAW])
    before = files.mail_path(SHA).stat().st_mtime_ns
    files.keep_mail([RAW])
    assert (files.mail_count(), list(files.mails())) == (1, [SHA])
    assert files.mail_path(SHA).stat().st_mtime_ns == before


def test_a_batch_is_kept_whole_and_leaves_nothing_else(files: Files, tmp_path: Path) -> None:
    raws = [f"message {number}".encode() * 100 for number in range(300)]
    shas = files.keep_mail(raws)
    assert [files.mail(sha) for sha in shas] == raws
    assert set(files.mails()) == set(shas)
    assert leftovers(tmp_path) == []


def test_a_file_that_a_broken_disk_cut_short_is_written_again(files: Files) -> None:
    files.keep_mail([RAW])
    files.mail_path(SHA).write_bytes(RAW[:5])
    files.keep_mail([RAW])
    assert files.mail(SHA) == RAW


def test_what_a_crash_left_half_written_is_no_message(files: Files) -> None:
    files.keep_mail([RAW])
    (files.mail_path(SHA).parent / ".0123456789abcdef.1.0.new").write_bytes(b"half")
    assert list(files.mails()) == [SHA]


def test_several_writers_of_the_same_mail_do_not_disturb_each_other(files: Files, tmp_path: Path) -> None:
    raws = [f"message {number}".encode() for number in range(40)]
    threads = [threading.Thread(target=files.keep_mail, args=(raws,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.mail_count() == 40
    assert leftovers(tmp_path) == []


def test_a_message_that_is_missing_says_which(files: Files) -> None:
    with pytest.raises(OutsideFailed, match=f"{SHA[2:]}.*不在了"):
        files.mail(SHA)


def test_a_message_that_was_changed_is_not_given_out(files: Files) -> None:
    files.keep_mail([RAW])
    files.mail_path(SHA).write_bytes(RAW.replace(b"S", b"s"))
    with pytest.raises(OutsideFailed, match="已损坏"):
        files.mail(SHA)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, SHA[:-1]])
def test_only_a_hash_names_a_message(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        files.mail(name)


def test_letters_and_forms_are_kept_as_they_are(files: Files, tmp_path: Path) -> None:
    assert files.keep_letter(RAW) == SHA
    assert files.keep_letters([RAW, b"x"])[0] == SHA
    assert files.letter(SHA) == RAW
    form = files.keep_form(b"workbook")
    assert files.form(form) == b"workbook"
    assert (tmp_path / "outbox" / "forms" / form[:2] / f"{form[2:]}.xlsx").is_file()


def test_a_consolidated_workbook_takes_the_place_of_the_older_one(files: Files, tmp_path: Path) -> None:
    assert files.write_book("2026Q4/410102.xlsx", b"first") == "consolidated/2026Q4/410102.xlsx"
    where = files.write_book("2026Q4/410102.xlsx", b"second")
    assert files.outbox(where) == b"second"
    assert (tmp_path / "outbox" / where).read_bytes() == b"second"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("path", ["../outside.xlsx", "/etc/outside.xlsx", "2026Q4/../../outside.xlsx", "."])
def test_nothing_is_written_outside_its_folder(files: Files, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        files.write_book(path, b"x")


def test_the_parts_of_a_receipt_lie_side_by_side(files: Files) -> None:
    scan = files.keep_receipt("2026Q4", "410102", "scan", ".PDF", b"scan")
    paper = files.keep_receipt("2026Q4", "410102", "electronic", "./../x", b"paper")
    files.keep_receipt("2026Q4", "410102", "scan", ".PDF", b"scan")
    names = [path.name for path in files.receipt_files("2026Q4", "410102")]
    assert names == [f"electronic-{paper}", f"scan-{scan}.pdf"]
    assert files.receipt_files("2026Q4", "410103") == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "mailbox").write_text("a file stands here")
    with pytest.raises(OutsideFailed, match="磁盘读写出错"):
        Files(tmp_path).keep_mail([RAW])


def test_a_write_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk; it needs a process of its own."""
    program = """
        import resource, sys
        from pathlib import Path
        from workflow.adapters.files import Files
        from workflow.domain.errors import OutsideFailed

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            Files(Path(sys.argv[1])).keep_mail([b"small", b"large" * 4096])
        except OutsideFailed as failed:
            sys.exit(3)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=False, timeout=60
    )
    assert done.returncode == 3
    assert leftovers(tmp_path) == []
    assert b"large" * 4096 not in [path.read_bytes() for path in tmp_path.rglob("*.eml")]
