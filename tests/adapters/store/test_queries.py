from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.adapters.store import story
from workflow.adapters.store import Cursor, LetterState, Store
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.lifecycle import CaseState, PackageState
from workflow.domain.merge import Origin, Standing
from workflow.domain.receipt import Verdict
from workflow.domain.roster import Level, Role
from workflow.domain.submission import AttachmentOutcome, Bucket

UNIT = "410102-001"
FIRST, SECOND = "2026Q4/410102-001/school/1", "2026Q4/410102-001/school/2"


@pytest.fixture
def told(store: Store) -> Store:
    story.tell(store)
    return store


def test_before_anything_happened_there_is_nothing(store: Store) -> None:
    assert store.roster() is None
    assert store.campaign("2026Q4") is None
    assert store.campaigns() == []
    assert store.last_poll() is None
    assert store.mail_counts().received == 0
    assert store.cases_by_token([]) == {}


def test_the_roster_comes_back_as_it_was_imported(told: Store) -> None:
    roster = told.roster(story.DAY.date())
    assert roster is not None
    assert list(roster.units) == ["410000", "410100", "410102", UNIT]
    school = roster.units[UNIT]
    assert (school.suspended, school.window, school.note, school.superior) == (True, (2, 4), "试点", "410102")
    [reviewer] = roster.people("410102", Role.REVIEWER, story.DAY.date())
    assert (reviewer.name, reviewer.email, reviewer.since) == (
        "王试",
        "wang@zhongyuan.test",
        dt.date(2026, 1, 1),
    )
    [keeper] = roster.people(UNIT, Role.ADMINISTRATOR, story.DAY.date())
    assert (keeper.email, keeper.since, keeper.until) == ("", dt.date.min, dt.date(2027, 6, 30))


def test_a_new_baseline_replaces_the_roster(told: Store) -> None:
    before = told.roster()
    assert told.roster() is before  # built once
    baseline = story.roster(3)
    told.append(
        [story.event("roster", 3, "roster.imported", {"units": baseline.data["units"][:1]}, personal={})]
    )
    after = told.roster()
    assert after is not None
    assert (list(after.units), after.contacts) == (["410000"], ())


def test_a_campaign_comes_back_with_its_calendar(told: Store) -> None:
    told.append([story.event("campaign:2026Q3", 1, "campaign.opened", {"forms": {}, "windows": {}})])
    campaign = told.campaign("2026Q4")
    assert campaign is not None
    assert campaign.opened_at == story.DAY
    assert campaign.windows[Level.CITY] == (6, 10)
    assert campaign.forms == {"school": "f" * 64}
    assert campaign.receipt_due == dt.date(2026, 12, 25)
    assert [known.id for known in told.campaigns()] == ["2026Q4", "2026Q3"]  # as they were opened


def test_a_case_is_found_by_unit_and_by_token(told: Store) -> None:
    [case] = told.cases("2026Q4")
    assert (case.state, case.copy, case.number, case.returns) == (CaseState.APPROVED, 1, 2, 1)
    assert told.cases("2026Q4", [UNIT]) == [case]
    assert told.cases("2026Q4", []) == []
    assert told.cases("2026Q3") == []
    assert told.cases_by_token([case.token, "HZ-UNKNOWN"]) == {case.token: (case, 1)}


def test_a_return_keeps_its_due_date_until_the_next_version(store: Store) -> None:
    batches = story.whole()
    store.append([*batches[0], *batches[1], *batches[2][:3]])
    [case] = store.cases("2026Q4")
    assert (case.state, case.note, case.due) == (
        CaseState.RETURNED,
        "请核实",
        story.DAY + dt.timedelta(days=3),
    )
    assert case.due is not None
    assert case.due.tzinfo is SHANGHAI
    store.append(batches[2][3:])
    assert store.cases("2026Q4")[0].due is None


def test_packages_come_back_as_they_stand(told: Store) -> None:
    city, county = told.packages("2026Q4")
    assert (city.unit, city.state, city.level) == ("410100", PackageState.OPEN, Level.CITY)
    assert (county.state, county.version, county.auto, county.by) == (PackageState.REPORTED, 2, False, "王试")
    assert county.reported_at == dt.datetime(2027, 1, 6, tzinfo=SHANGHAI)
    assert told.packages("2026Q4", ["410102"]) == [county]


def test_a_refused_withdrawal_goes_back_to_where_it_was(store: Store) -> None:
    batches = story.whole()
    store.append([*batches[0], *batches[1], *batches[2], *batches[3][:2]])
    [county] = store.packages("2026Q4", ["410102"])
    assert (county.state, county.before) == (PackageState.WITHDRAWAL_REQUESTED, PackageState.REPORTED)
    assert county.note == "数据�有误"
    store.append(batches[3][2:3])
    [county] = store.packages("2026Q4", ["410102"])
    assert (county.state, county.before, county.auto) == (PackageState.REPORTED, None, True)


def test_each_report_keeps_its_own_rows_and_the_last_one_stands(told: Store) -> None:
    school = Standing(UNIT, "school", Origin.APPROVED, SECOND, 2)
    department = Standing("410102", "department", Origin.MISSING)
    assert told.package_rows("2026Q4", "410102", 1) == [department, school]
    assert told.package_rows("2026Q4", "410102") == [school]
    assert told.standings("2026Q4") == {(UNIT, "school"): school}
    assert told.package_rows("2026Q4", "410100") == []


def test_versions_are_in_order_and_marked(told: Store) -> None:
    first, second = told.submissions("2026Q4", [UNIT])
    assert (first.id, first.number, first.returned, first.approved) == (FIRST, 1, True, False)
    assert (second.id, second.number, second.returned, second.approved) == (SECOND, 2, False, True)
    assert (first.queries, first.errors, first.message, first.attachment) == (1, 0, story.SHA, story.COPY)
    assert told.submissions("2026Q4") == [first, second]


def test_answers_keep_their_types(told: Store) -> None:
    found = told.answers([FIRST, SECOND, "unknown"])
    assert set(found) == {FIRST, SECOND}
    assert found[SECOND].answers == {
        "学生数": 5, "有网": True, "建成": dt.date(2026, 12, 1), "比例": 0.1, "备注": "无",
    }  # fmt: skip
    assert isinstance(found[SECOND].answers["学生数"], int)
    assert found[SECOND].notes == {"学生数": "新校区启用"}
    assert found[SECOND].moved == {"学生数": "Sheet2!B3"}


def test_findings_come_back_whole(told: Store) -> None:
    assert told.findings([FIRST]) == {FIRST: [story.FINDING]}


def test_a_figure_is_traced_to_message_attachment_and_cell(told: Store) -> None:
    first, second = told.trace_rows("2026Q4", UNIT, "学生数")
    assert (first.value, second.value) == (4, 5)
    assert (second.cell, second.note, second.attachment_name) == (
        "Sheet2!B3",
        "新校区启用",
        "槐树街小学.xlsx",
    )
    assert (second.message, second.sender) == (story.SHA, "li@school.test")
    assert (first.returned, second.approved) == (True, True)
    assert told.trace_rows("2026Q4", UNIT, "没有这个指标") == []


def test_a_tables_column_is_traced_to_its_cells_row_by_row(told: Store) -> None:
    third = story.submission(7, 3)
    cells = {f"设备.{row}.数量": 10 * row for row in (10, 2, 1)} | {"设备.1.名称": "笔记本", "设备数量": 5}
    personal = {**(third.personal or {}), "answers": cells, "moved": {"设备.10.数量": "续表!C12"}}
    told.append([replace(third, personal=personal)])
    assert [(row.field, row.value, row.cell, row.number) for row in told.trace_rows("2026Q4", UNIT, "设备.数量")] == [
        ("设备.1.数量", 10, "", 3), ("设备.2.数量", 20, "", 3), ("设备.10.数量", 100, "续表!C12", 3),
    ]  # fmt: skip
    [one] = told.trace_rows("2026Q4", UNIT, "设备.2.数量")
    assert (one.field, one.value, one.attachment_name) == ("设备.2.数量", 20, "槐树街小学.xlsx")


def test_a_message_is_known_by_hash_content_and_place(told: Store) -> None:
    assert told.taken([story.SHA, "0" * 64]) == {story.SHA}
    assert told.digests(["d1", "d2"]) == {"d1": story.SHA}
    assert told.seen("shuju", "INBOX", 7, [11, 12]) == {12: story.SHA}
    assert told.seen("shuju", "INBOX", 8, [1]) == {1: story.SHA}
    message = told.message(story.SHA)
    assert message is not None
    assert (message.bucket, message.sender, message.subject) == (
        Bucket.SUBMISSION,
        "li@school.test",
        "报送�数据",
    )
    assert told.message("0" * 64) is None


def test_a_sighting_again_is_no_news(told: Store) -> None:
    data = {"account": "shuju", "folder": "INBOX", "uidvalidity": 7, "uid": 12}
    told.append([story.event(f"message:{story.SHA}", 3, "message.seen", data)])
    assert told.seen("shuju", "INBOX", 7, [12]) == {12: story.SHA}


def test_second_copies_stand_beside_the_first_in_their_own_bucket(told: Store) -> None:
    told.append([story.message("d" * 64, bucket="duplicate"), story.message("e" * 64, bucket="duplicate")])
    assert told.digests(["d1"]) == {"d1": story.SHA}
    assert [message.sha[0] for message in told.messages()] == ["e", "d", "f", "a"]
    assert [message.sha[0] for message in told.messages(Bucket.DUPLICATE, limit=1)] == ["e"]


def test_a_failed_message_waits_with_what_the_program_said_last(told: Store) -> None:
    [failure] = told.failures().values()
    assert (failure.message, failure.tries, failure.fault) == ("f" * 64, 2, "KeyError: '教师数'")
    assert failure.not_before == story.DAY + dt.timedelta(minutes=65)
    assert told.failures([story.SHA]) == {}
    assert told.taken(["f" * 64]) == set()
    told.append([story.message("f" * 64, 3, "problem", digest="d9")])
    assert told.failures() == {}
    assert told.taken(["f" * 64]) == {"f" * 64}


def test_the_log_finds_messages_by_campaign_bucket_day_and_the_beginning_of_their_hash(told: Store) -> None:
    assert [row.sha[0] for row in told.mail_log()] == ["f", "a"]
    assert [row.sha[0] for row in told.mail_log("2026Q4")] == ["a"]
    assert told.mail_log_count(buckets=[Bucket.FAILED]) == 1
    assert told.mail_log(since=story.DAY + dt.timedelta(seconds=1)) == []
    assert [row.sha for row in told.messages_named("ffffff")] == ["f" * 64]
    assert told.messages_named("%") == []
    [first, second] = told.sightings_of([story.SHA])[story.SHA]
    assert ((first.uidvalidity, first.uid), (second.uidvalidity, second.uid)) == ((7, 12), (8, 1))


def test_the_log_names_the_letters_that_a_message_brought_about(told: Store) -> None:
    answer = replace(story.letter("answer"), cause=story.SHA)
    told.append([answer])
    assert [row.id for row in told.answers_to([story.SHA])[story.SHA]] == ["answer"]
    assert told.answers_to(["f" * 64]) == {"f" * 64: []}


def test_a_folder_that_is_polled_from_now_on_has_not_been_polled_and_one_that_is_no_more_keeps_nothing_waiting(
    store: Store,
) -> None:
    store.watch([("office", "INBOX")])
    store.save_cursor("office", "INBOX", Cursor(7, 3, story.DAY))
    store.watch([("office", "INBOX"), ("office", "垃圾邮件")])
    assert store.last_poll() is None
    assert store.cursor("office", "INBOX") == Cursor(7, 3, story.DAY)
    store.watch([("office", "INBOX")])
    assert store.last_poll() == story.DAY


def test_attachments_come_in_their_order(told: Store) -> None:
    first, second = told.attachments_of([story.SHA, "0" * 64])[story.SHA]
    assert (first.name, first.outcome, first.findings, first.unit) == (
        "槐树街小学.xlsx",
        AttachmentOutcome.ACCEPTED,
        1,
        UNIT,
    )
    assert (second.name, second.outcome) == ("签名.png", AttachmentOutcome.IGNORED)
    assert told.attachments_of(["0" * 64]) == {"0" * 64: []}


def test_the_mail_adds_up(told: Store) -> None:
    told.append([story.message("d" * 64, bucket="duplicate"), story.letter("waiting")])
    counts = told.mail_counts()
    assert counts.received == 3
    assert counts.buckets == {"duplicate": 1, "failed": 1, "submission": 1}
    assert counts.attachments == {"accepted": 2, "ignored": 2}
    assert (counts.queued, counts.sent, counts.failed) == (1, 1, 0)


def test_letters_go_by_priority_then_age(store: Store) -> None:
    hour = dt.timedelta(hours=1)
    store.append(
        [
            story.letter("young", 5, story.DAY + hour),
            story.letter("old", 5),
            story.letter("urgent", 1, story.DAY + 2 * hour),
            story.letter("in doubt", 9),
            story.letter("later", 5),
            story.letter("gone", 1),
            story.event("letter:in doubt", 2, "letter.attempted"),
            story.event(
                "letter:later",
                2,
                "letter.deferred",
                {"reply": "451", "until": (story.DAY + hour).isoformat()},
            ),
            story.event("letter:gone", 2, "letter.failed", {"reply": "550"}),
        ]
    )
    assert [letter.id for letter in store.letters_to_send(story.DAY, 10)] == [
        "urgent",
        "old",
        "young",
        "in doubt",
    ]
    later = store.letters_to_send(story.DAY + hour, 10)
    assert [letter.id for letter in later] == ["urgent", "old", "later", "young", "in doubt"]
    assert [letter.id for letter in store.letters_to_send(story.DAY, 1)] == ["urgent"]
    assert (later[-1].state, later[-1].attempts, later[-1].events) == (LetterState.ATTEMPTED, 1, 2)


def test_a_letter_is_found_by_the_message_id_that_a_reply_names(told: Store) -> None:
    found = told.letters_by_message_id(["<notice@huizhi.test>", "<other@huizhi.test>"])
    letter = found["<notice@huizhi.test>"]
    assert len(found) == 1
    assert (letter.id, letter.unit, letter.to, letter.state) == (
        "notice",
        UNIT,
        "li@school.test",
        LetterState.SENT,
    )
    assert (letter.attempts, letter.reply, letter.events, letter.queued_at) == (2, "250 ok", 5, story.DAY)
    assert told.letter_exists(["notice", "other"]) == {"notice"}
    assert [found.id for found in told.letters("2026Q4", UNIT)] == ["notice"]


def test_steps_receipts_workbooks_and_staffs_list_are_told(told: Store) -> None:
    assert told.steps("2026Q4") == {"report/410102"}
    scan, electronic = told.receipts("2026Q4")
    assert (scan.part, scan.accepted_by, scan.note) == ("scan", "钱收", "一致")
    assert (electronic.part, electronic.accepted_by, electronic.accepted_at) == ("electronic", "", None)
    standing = told.receipt_standings("2026Q4")["410102"]
    assert (standing.number, len(standing.parts), standing.accepted) == (4, 2, 0)
    assert standing.check is not None
    assert standing.check.verdict is Verdict.DIFFERS
    book = told.book("2026Q4", "410102")
    assert book is not None
    assert (book.version, book.cut_off, book.path) == (2, story.DAY, "consolidated/2026Q4/410102-2.xlsx")
    assert told.book_by_token("HZ-BOOK1") is not None
    assert told.book_by_token("HZ-BOOK9") is None
    assert [query.data["matter"] for query in told.staff_queries()] == ["没有登记审核员"]


def test_the_oldest_of_the_last_polls_counts(store: Store) -> None:
    store.save_cursor("shuju", "INBOX", Cursor(7, 12, story.DAY))
    store.save_cursor("shuju", "INBOX", Cursor(7, 20, story.DAY + dt.timedelta(hours=2)))
    assert store.cursor("shuju", "INBOX") == Cursor(7, 20, story.DAY + dt.timedelta(hours=2))
    store.save_cursor("shuju", "Junk", Cursor(3, 1, story.DAY))
    assert store.last_poll() == story.DAY
    store.save_cursor("other", "INBOX", Cursor(1, 0))
    assert store.last_poll() is None
    assert store.cursor("shuju", "Sent") is None


def test_more_keys_than_one_statement_can_ask_for_are_asked_in_pieces(store: Store) -> None:
    names = [f"L{number}" for number in range(2500)]
    store.append([story.letter(name) for name in names])
    assert len(store.letter_exists(names)) == 2500
    assert store.next_numbers([f"letter:{name}" for name in names])["letter:L2499"] == 1


def test_an_address_is_bad_until_a_later_letter_arrives_there(store: Store) -> None:
    def queued(name: str, to: str) -> Event:
        made = story.letter(name)
        return replace(made, personal={**made.personal, "to": to})

    def ended(name: str, kind: str) -> list[Event]:
        stream = f"letter:{name}"
        return [story.event(stream, 2, "letter.attempted"), story.event(stream, 3, kind, {"reply": "550 no"})]

    store.append([*story.opening(), queued("first", "A@school.test"), queued("other", "b@school.test")])
    store.append([*ended("first", "letter.failed"), *ended("other", "letter.sent")])
    assert [letter.id for letter in store.failed_letters("2026Q4")] == ["first"]
    assert store.failed_letters("2026Q3") == []
    store.append([queued("second", "a@School.test"), *ended("second", "letter.sent")])
    assert store.failed_letters("2026Q4") == []
