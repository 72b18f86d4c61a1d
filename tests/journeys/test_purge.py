"""Two quarters later: what is past its time is erased everywhere, the ledger holds, and a rebuild gives the same rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.journeys.test_command_line import Office
from tests.journeys.world import CAMPAIGN, FIRST, SECOND, THIRD, Mail, small_roster
from workflow.adapters.store import tables
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.submission import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = "王小明说数据已核对"
NAME = "王小明的季报.xlsx"
STRANGER = "nobody@example.org"


class Archive(Office):
    """A workspace whose outbox is read over all quarters."""

    def inbox(self, to: str = "") -> list[Mail]:
        kept = [row.sha for known in self.app.store.campaigns() for row in self.app.store.letters(known.id)]
        found = [Mail(self.app.files.letter(sha)) for sha in kept]
        return [mail for mail in found if not to or mail.to == to]


def archive(folder: Path) -> Archive:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    return Archive(folder, nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Archive]:
    office = archive(tmp_path / "workspace")
    office.import_roster()
    office.open()
    yield office
    office.close()


def rows(office: Office) -> dict[str, list[Any]]:
    with office.app.store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in (*tables.PROJECTIONS, tables.events, tables.payloads)
        }


def everything(office: Office) -> str:
    """All that can be read in the workspace, in the database's free pages and in its log too."""
    files = [path for path in office.folder.rglob("*") if path.is_file()]
    words = [path.read_bytes().decode("utf-8", "replace") for path in files]
    return "\n".join(words)


def sent(office: Office) -> None:
    """Every letter that waits is taken by a relay, as the ledger tells it."""
    now = office.app.now()
    office.app.store.append(
        [
            Event(f"letter:{row.id}", row.events + step, kind, now, "系统", "", {})
            for row in office.app.store.letters_to_send(now, 1000)
            for step, kind in enumerate(("letter.attempted", "letter.sent"), 1)
        ]
    )


def report(office: Archive, day: dt.datetime) -> None:
    """The windows are over: what was not reported is reported by itself."""
    office.at(day)
    office.app.tick()
    sent(office)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """2026Q4 with two answers, 2027Q1 with one of them anew, then 2027Q2 is opened."""
    office = archive(tmp_path_factory.mktemp("told") / "workspace")
    office.import_roster()
    office.open()
    first = office.reply(FIRST, (NAME, office.filled(FIRST)), text=WORDS)
    second = office.reply(SECOND, office.filled(SECOND))
    assert office.ingest(first, second).code == 0
    assert office.ingest(office.reply(THIRD, text="请问怎么填？", sender=STRANGER, answering="")).code in {
        0,
        1,
    }
    office.huizhi("consolidate")
    sent(office)
    report(office, dt.datetime(2027, 1, 17, 12, tzinfo=SHANGHAI))
    assert office.huizhi("open", "2027Q1").code == 0
    sent(office)
    anew = office.reply(FIRST, office.filled(FIRST, campaign="2027Q1"), campaign="2027Q1")
    assert office.ingest(anew, received="2027-03-20T10:00:00+08:00").code == 0
    report(office, dt.datetime(2027, 4, 17, 12, tzinfo=SHANGHAI))
    roster = small_roster()
    *others, last = roster.contacts
    moved = replace(roster, contacts=(*others, replace(last, office="总务处")))
    assert office.import_roster(moved).code in {0, 1}
    assert office.huizhi("open", "2027Q2").code == 0
    office.at(dt.datetime(2027, 6, 1, 12, tzinfo=SHANGHAI))
    office.close()
    return office


@pytest.fixture
def later(told: Archive, tmp_path: Path) -> Iterator[Archive]:
    """A copy of that workspace."""
    later = archive(tmp_path / "workspace")
    shutil.rmtree(later.folder)
    shutil.copytree(told.folder, later.folder)
    later.at(told.now)
    yield later
    later.close()


def test_nothing_is_erased_until_the_office_says_how_long_things_are_kept(later: Archive) -> None:
    before = rows(later)
    ran = later.huizhi("purge")
    assert (ran.code, ran.out) == (0, "config.toml 的 [retention] 没有规定保存期限，未清除任何内容\n")
    assert rows(later) == before


def test_what_the_quarters_at_work_need_stays_whatever_the_date(office: Archive) -> None:
    office.ingest(office.reply(FIRST, office.filled(FIRST)))
    sent(office)
    office.at("12-31 10:00")
    before = rows(office)
    ran = office.huizhi("purge", "--before", "2026-12-31")
    assert (ran.code, ran.lines[-1]) == (0, "没有应当清除的内容")
    assert rows(office) == before
    assert office.huizhi("purge", "--before", "2027-01-01").code == 2
    assert office.huizhi("purge", "--before", "昨天").code == 2


def test_what_is_past_its_time_is_erased_everywhere_and_the_ledger_holds(later: Archive) -> None:
    store = later.app.store
    [old] = store.submissions(CAMPAIGN, [FIRST])
    [carried] = store.submissions(CAMPAIGN, [SECOND])
    held = store.answers([carried.id])
    count, mails = store.verify_ledger().count, store.mail_counts()
    assert NAME in everything(later)

    dry = later.huizhi("purge", "--before", "2027-06-01", "--dry-run")
    assert (dry.code, dry.lines[-1]) == (0, "以上为应当清除的内容，尚未清除")
    assert store.verify_ledger().count == count

    ran = later.huizhi("purge", "--before", "2027-06-01")
    assert ran.code == 0, ran.err
    assert [line.split("\t")[0] for line in ran.lines[:-1]] == [
        "来信和发信（原件、地址、主题、附件名）", "报送数据", "已被替换的名册人员", "待办和沟通记录中的人员", "回执表扫描件和电子表", "汇总表",
        "未签收的账号和初始密码",
    ]  # fmt: skip
    assert "2027-01-17 12:00 以前" in ran.lines[0]
    assert re.search(r"报送数据\t.*\t台账 1 条$", ran.lines[1])
    assert ran.lines[2].endswith("台账 1 条")

    assert not store.answers([old.id])
    assert store.answers([carried.id]) == held  # 2027Q1 stands on it
    message = store.message(old.message)
    assert message is not None
    assert (message.sender, message.subject, message.bucket.value) == ("", "", "submission")
    assert not later.app.files.has_mail(old.message)
    assert not (later.folder / "outbox" / "consolidated" / CAMPAIGN).exists()
    assert store.mail_counts() == mails
    left = everything(later)
    for words in (NAME, WORDS):
        assert words not in left

    check = store.verify_ledger()
    assert (check.count, check.fault, check.lost) == (count + 1, None, 0)
    assert check.erased > 15
    verified = later.huizhi("ledger", "verify")
    assert (verified.code, f"个人信息已清除 {check.erased} 条" in verified.out) == (0, True), verified.err
    assert "封已按保存期限清除" in verified.out

    traced = later.huizhi("trace", FIRST, "学校名称", "--campaign", CAMPAIGN)
    assert traced.lines[1:2] == ["另有 1 次报送的内容已按保存期限清除"]
    assert later.huizhi("consolidate", "--campaign", CAMPAIGN).code == 2
    assert later.huizhi("consolidate").code == 0
    assert later.huizhi("status").code in {0, 1}


def test_what_waits_for_a_person_and_what_is_in_force_stays(later: Archive) -> None:
    store = later.app.store
    waiting = [row.sha for row in store.messages() if row.sender == STRANGER]
    people = store.all_contacts()
    later.huizhi("purge", "--before", "2027-06-01")
    assert [row.sha for row in store.messages() if row.sender == STRANGER] == waiting
    assert all(later.app.files.has_mail(sha) for sha in waiting)
    assert store.all_contacts() == people
    assert len(waiting) == 1


def test_a_rebuild_after_a_purge_gives_the_same_rows_also_from_an_older_copy(later: Archive) -> None:
    store, older = later.app.store, later.folder.parent / "older"
    later.huizhi("purge", "--before", "2027-06-01")
    before = rows(later)
    assert later.huizhi("rebuild").code == 0
    assert rows(later) == before

    # A copy whose lines of personal payload were never scrubbed, as a crash or an older backup leaves them.
    shutil.copytree(later.folder / "ledger", older)
    name = next(iter(sorted(older.glob("personal-*.jsonl"))))
    with store.reading() as connection:
        erased = connection.execute(
            select(tables.events.c.seq, tables.events.c.payload)
            .join(tables.payloads, tables.payloads.c.digest == tables.events.c.payload)
            .where(tables.payloads.c.body.is_(None))
        ).first()
    assert erased is not None
    line = {"digest": erased.payload, "salt": "s", "seq": erased.seq, "personal": {"sender": "x"}}
    with name.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    assert later.huizhi("rebuild", older).code == 0
    assert rows(later) == before


def test_a_purge_that_was_broken_off_is_ended_by_the_next(later: Archive) -> None:
    store, files = later.app.store, later.app.files
    [old] = store.submissions(CAMPAIGN, [FIRST])
    raw = files.mail(old.message)
    copies = {path: path.read_bytes() for path in (later.folder / "ledger").glob("personal-*.jsonl")}
    later.huizhi("purge", "--before", "2027-06-01")
    count = store.verify_ledger().count
    files.keep_mail([raw])
    for path, content in copies.items():
        path.write_bytes(content)
    said = later.huizhi("ledger", "verify")
    assert (said.code, "再运行 huizhi purge" in said.err) == (1, True)
    later.huizhi("purge", "--before", "2027-06-01")
    assert later.huizhi("ledger", "verify").code == 0
    assert not files.has_mail(old.message)
    assert NAME not in everything(later)
    assert store.verify_ledger().count == count


def test_each_kind_is_kept_as_long_as_the_settings_say(later: Archive) -> None:
    path = later.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^answers = 0 ", "answers = 100 ", text), encoding="utf-8")
    ran = later.huizhi("purge")
    assert [line.split("\t")[0] for line in ran.lines[:-1]] == ["报送数据"]
    assert later.app.store.messages()[-1].sender


def test_a_payload_that_is_gone_without_a_purge_is_found(later: Archive) -> None:
    with later.app.store.writing() as connection:
        connection.execute(tables.payloads.update().values(body=None, salt=""))
    said = later.huizhi("ledger", "verify")
    assert (said.code, "而没有清除记录" in said.err) == (1, True)


def test_mail_that_the_server_shows_again_does_not_come_back(later: Archive) -> None:
    [old] = later.app.store.submissions(CAMPAIGN, [FIRST])
    raw = later.app.files.mail(old.message)
    later.huizhi("purge", "--before", "2027-06-01")
    later.ingest(raw)
    assert not later.app.files.has_mail(old.message)
    assert later.app.store.mail_counts().received == 4


def test_nor_does_a_copy_of_it_that_took_another_way(later: Archive) -> None:
    [old] = later.app.store.submissions(CAMPAIGN, [FIRST])
    copy = b"Received: by backup.example.org; Tue, 01 Jun 2027 09:00:00 +0800\r\n" + later.app.files.mail(
        old.message
    )
    sha = hashlib.sha256(copy).hexdigest()
    later.huizhi("purge", "--before", "2027-06-01")
    later.ingest(copy, received="2027-06-02T09:00:00+08:00")
    [row] = [row for row in later.app.store.messages() if row.sha == sha]
    assert row.bucket is Bucket.DUPLICATE
    assert not later.app.files.has_mail(sha)
    assert later.huizhi("ledger", "verify").code == 0
    # whose it was goes at the next purge, although it came after the day
    assert later.huizhi("purge", "--before", "2027-06-01").code == 0
    assert not next(row for row in later.app.store.messages() if row.sha == sha).sender
    before = rows(later)
    assert later.huizhi("rebuild").code == 0
    assert rows(later) == before


def test_a_copy_that_is_there_goes_with_the_message_that_it_repeats(later: Archive) -> None:
    [old] = later.app.store.submissions(CAMPAIGN, [FIRST])
    copy = b"Received: by backup.example.org; Tue, 01 Jun 2027 09:00:00 +0800\r\n" + later.app.files.mail(
        old.message
    )
    later.ingest(copy, received="2027-06-02T09:00:00+08:00")
    sha = hashlib.sha256(copy).hexdigest()
    assert later.app.files.has_mail(sha)
    later.huizhi("purge", "--before", "2027-06-01")
    assert not later.app.files.has_mail(sha)
    assert WORDS not in everything(later)
