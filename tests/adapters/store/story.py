"""A small quarter as events: every kind at least once, so that every table has rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from workflow.adapters.store import Store, tables
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event, encode_findings, encode_value
from workflow.domain.form import Severity
from workflow.domain.submission import Finding

DAY = dt.datetime(2026, 12, 21, 9, 30, tzinfo=SHANGHAI)
CASE = "case:2026Q4/410102-001/school"
COUNTY = "package:2026Q4/410102"
CITY = "package:2026Q4/410100"
LATE = dt.datetime(2027, 1, 7, 8, tzinfo=SHANGHAI)
SHA = "a" * 64
COPY = "b" * 64
FINDING = Finding(
    "rule", Severity.QUERY, "学生数", "在校生数", "基本情况!E12", "在校生数=3", "与上期相差较大，请说明"
)


def event(stream: str, number: int, kind: str, data: dict[str, Any] | None = None, **rest: Any) -> Event:
    return Event(
        stream, number, kind, rest.pop("at", DAY), rest.pop("actor", "系统"), data=data or {}, **rest
    )


def roster(number: int = 1) -> Event:
    units = [
        {"code": "410000", "name": "河南省教育厅", "kind": "省级教育行政部门", "superior": ""},
        {"code": "410100", "name": "郑州市教育局", "kind": "地市级教育行政部门", "superior": "410000"},
        {"code": "410102", "name": "中原区教育局", "kind": "县级教育行政部门", "superior": "410100"},
        {
            "code": "410102-001",
            "name": "槐树街小学",
            "kind": "中小学",
            "superior": "410102",
            "suspended": True,
            "window": [2, 4],
            "note": "试点",
        },
    ]
    contacts = [
        {
            "unit": "410102",
            "role": "审核员",
            "name": "王试",
            "office": "信息中心",
            "phone": "0371-55550001",
            "mobile": "19900000001",
            "email": "wang@zhongyuan.test",
            "since": "2026-01-01",
            "until": None,
        },
        {"unit": "410102-001", "role": "管理员", "name": "李验", "until": "2027-06-30"},
    ]
    return event("roster", number, "roster.imported", {"units": units}, personal={"contacts": contacts})


def reshaping() -> list[Event]:
    """The next quarter's baseline has a school that was known under another code, of whose superior one side had asked."""
    asked = {"unit": "410102-001", "old": "410102", "new": "410100", "note": "划归市直属"}
    school = {"code": "410102-009", "name": "槐树街学校", "kind": "中小学", "superior": "410102"}
    links = [["410102-008", "410102-009", "换码"]]
    applied = {"from": "2027-04-01", "units": [school], "closed": ["410102-008"], "links": links}
    unit, form = CASE.split("/")[1:]
    old = {"submission": f"一期/{unit}/{form}/1", "form_version": 1, "file": "一期.xlsx", "sha": "d" * 64}
    told = {"answers": {"在校生数": 400}, "moved": {"在校生数": "学校!E3"}}
    return [
        event(f"legacy:{unit}/{form}", 1, "legacy.taken", old, personal=told),
        *accounts(unit),
        event("affiliation:1", 1, "affiliation.requested", asked, actor="赵县管"),
        event("affiliation:1", 2, "affiliation.agreed", {"from": "2027-01-01"}, actor="钱市管"),
        event("roster", 2, "roster.applied", applied),
    ]


def accounts(unit: str) -> list[Event]:
    """A unit's accounts are listed, sent, reminded of and signed for."""
    stream = f"account:{unit}"
    listed = {"list": "e" * 64, "count": 1, "shared": True, "names": "n" * 64, "former": ["zyyx01"]}
    return [
        event(stream, 1, "account.listed", listed),
        event(stream, 2, "account.sent", {"letter": "a1", "campaign": "2026Q4", "to_unit": unit}),
        event(stream, 3, "account.reminded", {"rung": "unit"}),
        event(stream, 4, "account.confirmed", {"message": "f" * 64, "by_unit": unit}),
    ]


def opening() -> list[Event]:
    windows = {"county": [1, 5], "city": [6, 10], "province": [11, 15]}
    opened = {"forms": {"school": "f" * 64}, "windows": windows, "receipt_due": "2026-12-25"}
    return [
        event("campaign:2026Q4", 1, "campaign.opened", opened),
        event(COUNTY, 1, "package.opened", {"level": "county"}),
        event(CITY, 1, "package.opened", {"level": "city"}),
        event(CASE, 1, "case.planned"),
        event(CASE, 2, "case.issued", {"copy": 1, "token": "HZ-AAAAAAAAAAAAAAAAA"}),
        letter("notice"),
    ]


def letter(name: str, priority: int = 5, at: dt.datetime = DAY) -> Event:
    data = {
        "kind": "notice",
        "campaign": "2026Q4",
        "unit": "410102-001",
        "form": "school",
        "priority": priority,
        "sha": "c" * 64,
        "message_id": f"<{name}@huizhi.test>",
    }
    personal = {"to": "li@school.test", "name": "李验", "subject": "关于报送数据的通知"}
    return event(f"letter:{name}", 1, "letter.queued", data, personal=personal, at=at)


def message(sha: str = SHA, number: int = 1, bucket: str = "submission", digest: str = "d1") -> Event:
    data = {
        "sha": sha,
        "digest": digest,
        "bucket": bucket,
        "received_at": DAY.isoformat(),
        "campaign": "2026Q4",
        "unit": "410102-001",
        "attachments": [
            {
                "index": 0,
                "sha": COPY,
                "outcome": "accepted",
                "unit": "410102-001",
                "form": "school",
                "campaign": "2026Q4",
                "findings": 1,
                "reason": "",
            },
            {"index": 1, "sha": "e" * 64, "outcome": "ignored"},
        ],
        "sighting": {"account": "shuju", "folder": "INBOX", "uidvalidity": 7, "uid": 12},
    }
    personal = {
        "sender": "li@school.test",
        "subject": "报送\x00数据",
        "message_id": "<1@school.test>",
        "names": ["槐树街小学.xlsx", "签名.png"],
    }
    return event(f"message:{sha}", number, "message.taken", data, personal=personal)


def broken() -> list[Event]:
    """A message on which the program broke, and broke again an hour later."""
    sha = "f" * 64
    data = {"sha": sha, "bucket": "failed", "received_at": DAY.isoformat()}
    again = {"tries": 2, "not_before": (DAY + dt.timedelta(minutes=65)).isoformat()}
    hour_later = DAY + dt.timedelta(hours=1)
    return [
        event(f"message:{sha}", 1, "message.taken", data, personal={"fault": "KeyError: '学生数'"}),
        event(
            f"message:{sha}",
            2,
            "message.failed",
            again,
            personal={"fault": "KeyError: '教师数'"},
            at=hour_later,
        ),
    ]


def submission(event_number: int, number: int) -> Event:
    findings, found = encode_findings([FINDING])
    answers = {"学生数": 3 + number, "有网": True, "建成": dt.date(2026, 12, 1), "比例": 0.1, "备注": "无"}
    data = {
        "submission": f"2026Q4/410102-001/school/{number}",
        "number": number,
        "form_version": 1,
        "received_at": DAY.isoformat(),
        "message": SHA,
        "attachment": COPY,
        "errors": 0,
        "queries": 1,
        "no_change": False,
        "findings": findings,
    }
    personal = {
        "answers": {name: encode_value(value) for name, value in answers.items()},
        "moved": {"学生数": "Sheet2!B3"},
        "notes": {"学生数": "新校区启用"},
        "found": found,
    }
    return event(CASE, event_number, "case.submitted", data, personal=personal, cause=SHA)


def reviewing() -> list[Event]:
    due = (DAY + dt.timedelta(days=3)).isoformat()
    return [
        message(),
        submission(3, 1),
        event(CASE, 4, "case.returned", {"due": due, "note": "请核实", "by": "王试", "returned_number": 1}),
        submission(5, 2),
        event(CASE, 6, "case.approved", {"number": 2, "by": "王试", "note": ""}),
        event(
            f"message:{SHA}", 2, "message.seen",
            {"account": "shuju", "folder": "INBOX", "uidvalidity": 8, "uid": 1},
        ),
    ]  # fmt: skip


def reporting() -> list[Event]:
    deadline = dt.datetime(2027, 1, 6, tzinfo=SHANGHAI)
    row = ["410102-001", "school", "approved", "2026Q4/410102-001/school/2", 2]
    second = ["410102", "department", "missing", "", 0]
    return [
        event(COUNTY, 2, "package.auto_reported", {"rows": [row, second], "by": "系统", "as_of": deadline.isoformat()}),
        event(COUNTY, 3, "package.withdrawal_requested", {"by": "王试", "note": "数据\x00有误"}),
        event(COUNTY, 4, "package.withdrawal_refused", {"by": "赵核", "note": "无须修改"}),
        event(COUNTY, 5, "package.returned", {"by": "赵核", "note": "已电话沟通", "due": deadline.isoformat()}),
        event(COUNTY, 6, "package.reported", {"rows": [row], "by": "王试", "as_of": deadline.isoformat()}),
        event("step:2026Q4/report/410102", 1, "step.done", {"detail": "自动上报"}, at=deadline),
        event("book:2026Q4/410102", 1, "book.made", book(1)),
        event("book:2026Q4/410102", 2, "book.made", book(2)),
        event("receipt:2026Q4/410102", 1, "receipt.arrived", {"part": "scan", "sha": "9" * 64, "message": SHA}),
        event("receipt:2026Q4/410102", 2, "receipt.accepted", {"by": "钱收", "note": "一致"}),
        event("receipt:2026Q4/410102", 3, "receipt.arrived", {"part": "electronic", "sha": "8" * 64}),
        event(
            "receipt:2026Q4/410102", 4, "receipt.compared",
            {"scan": 1, "electronic": 3, "verdict": "differs", "cells": [["管理员", "姓名", "differs"]], "missing": [], "changed": [], "same_form": True},
        ),
        late(1, registered=True),
        event("staff", 1, "staff.query", {"unit": "410100", "matter": "没有登记审核员"}),
        event("letter:notice", 2, "letter.attempted", at=deadline),
        event("letter:notice", 3, "letter.deferred", {"reply": "451 稍后再试", "until": deadline.isoformat()}),
        event("letter:notice", 4, "letter.attempted", at=deadline),
        event("letter:notice", 5, "letter.sent", {"reply": "250 ok"}, at=deadline),
        event("relay:office@relay.test", 1, "relay.paused", {"reply": "550 RP:TRC", "until": LATE.isoformat(), "times": 1}),
    ]  # fmt: skip


def late(value: int, *, registered: bool, part: int = 0, at: dt.datetime = LATE) -> Event:
    """A workbook that came after the county's report."""
    data = {
        "received_at": at.isoformat(), "message": SHA, "attachment": COPY, "form_version": 1, "errors": 0,
        "registered": registered,
    }  # fmt: skip
    personal = {"answers": {"学生数": encode_value(value), "建成": encode_value(dt.date(2026, 12, 1))}}
    return event(
        f"late:2026Q4/410102-001/school/{SHA}/{part}", 1, "late.kept", data, personal=personal, at=at
    )


def problems() -> list[Event]:
    """A school says that another is not on the roster; the county answers. A second report stays open."""
    due = dt.datetime(2027, 1, 14, tzinfo=SHANGHAI)
    said = {
        "kind": "不在名册", "unit": "", "reporter": "410102-001", "owner": "410102", "due": due.isoformat(),
        "name": "槐树街二小", "code": "4101020077", "superior": "", "was": ["", ""], "message": SHA,
    }  # fmt: skip
    own = {
        **said,
        "kind": "隶属关系有误",
        "unit": "410102-001",
        "was": ["槐树街小学", "410102"],
        "superior": "410100",
    }
    personal = {"sender": "li@school.test", "words": "槐树街二小不在名册"}
    return [
        event("problem:1", 1, "problem.reported", said, personal=personal, cause=SHA, at=LATE),
        event("problem:2", 1, "problem.reported", own, personal=personal, cause=SHA, at=LATE),
        event("problem:1", 2, "problem.closed", {"note": "下季度基准数据已补充"}, actor="赵县管", at=LATE),
    ]


def settled(act: str) -> Event:
    data = {"unit": "410102-001" if act == "released" else "", "note": "已电话核实"}
    return event(f"quarantine:{SHA}", 1, f"quarantine.{act}", data, actor="张验", cause=SHA)


def book(version: int) -> dict[str, Any]:
    path = f"consolidated/2026Q4/410102-{version}.xlsx"
    return {
        "version": version,
        "token": f"HZ-BOOK{version}",
        "sha": str(version) * 64,
        "cut_off": DAY.isoformat(),
        "path": path,
    }


def whole() -> list[list[Event]]:
    return [
        [roster()],
        opening(),
        [*reviewing(), *broken()],
        [*reporting(), settled("deleted"), *problems()],
        reshaping(),
    ]


def tell(store: Store) -> None:
    for batch in whole():
        store.append(batch)


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every table but the operational one, row by row in the order of the key."""
    with store.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables.metadata.sorted_tables
            if table is not tables.cursors
        }
