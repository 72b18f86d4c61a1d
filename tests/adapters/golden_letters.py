"""A full context for every kind of letter, and the writer of the golden files.

`python -m tests.adapters.golden_letters`, run from the root of the project, writes `golden/letters/` anew;
read the difference before committing it, as the units will read the letters.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from workflow.adapters.letters import LetterTemplates, Rendered

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "letters"
GOLDEN = Path(__file__).resolve().parent / "golden" / "letters"

Context = dict[str, object]


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=timezone(timedelta(hours=8)))


COMMON: Context = {
    "unit_name": "金水区第一小学",
    "salutation": "金水区第一小学",
    "issuer": "河南省教育厅（省电化教育馆）",
    "date": date(2026, 12, 15),
    "period_name": "2026年第四季度",
    "campaign": "2026Q4",
    "token": "HZ-KABCDEFGHJKMNPQRS",
    "contact_line": "省电教馆 王老师 0371-55550001",
    "attachments": [],
    "relay_for": "",
    "replaced": "",
    "auto_report": True,
}
COUNTY: Context = {"unit_name": "金水区教育局", "salutation": "金水区教育局审核员", "date": date(2027, 1, 1)}
AFTER: Context = {"date": date(2027, 1, 6)}
ORIGINS = [("审核通过", 96), ("未审核", 12), ("退回未改", 3), ("沿用上季度", 5), ("缺报", 4)]
MISSING = ["金水区第七小学", "金水区柳林镇中心小学", "金水区明德实验学校", "金水区西史赵教学点"]
FINDINGS = [
    {
        "cell": "基本情况!E12",
        "label": "在校学生数",
        "found": "12000",
        "message": "在校学生数与各年级学生数之和（1200）不相等，请核对后填写一致的数。",
        "severity": "逻辑校验",
    },
    {
        "cell": "三通情况!E7",
        "label": "互联网出口带宽（Mbps）",
        "found": "",
        "message": "必填项，请填写整数，没有接入的填0。",
        "severity": "逻辑校验",
    },
    {
        "cell": "信息化工作保障!E9",
        "label": "本年信息化经费支出（万元）",
        "found": "860",
        "message": "比上季度增加10倍以上，请核对单位是否为万元；确实无误的，说明原因。",
        "severity": "经验校验",
    },
]
QUERY = {
    **FINDINGS[2],
    "message": "比上季度增加10倍以上，请核对单位是否为万元。核实无误的，请在“经验校验说明!E7”填写说明。",
}

PHONE_LIST: Context = {
    "role": "管理员",
    "level_name": "金水区教育局",
    "relayed": False,
    "person_name": "钱某某",
    "person_phone": "0371-55550021",
    "rows": [
        {
            "unit_name": name,
            "unit_code": f"214100000{number}",
            "matter": "尚未报送",
            "due": at(2027, 1, 1),
            "contact": contact,
            "phone": phone,
        }
        for number, (name, contact, phone) in enumerate(
            (("金水区第二小学", "孙某某", "0371-55550031、19900000031"), ("金水区西史赵教学点", "", "")),
            start=2,
        )
    ],
}
FOR_INSPECTOR: Context = {
    "role": "视察员",
    "level_name": "金水区教育局",
    "relayed": True,
    "person_name": "赵某某",
    "person_phone": "0371-55550020",
    "rows": [
        {
            "unit_name": "金水区教育局",
            "unit_code": "410105",
            "matter": "尚未上报，9个单位尚未审核",
            "due": at(2027, 1, 6),
            "contact": "李某某",
            "phone": "0371-55550022",
        }
    ],
}
OWED_BY_COUNTY = [
    {
        "unit_name": "金水区教育局",
        "unit_code": "410105",
        "matter": "尚未报送",
        "due": at(2027, 1, 1),
        "contact": "",
        "phone": "",
    }
]

MOVE: Context = {
    "school_name": "金水区第一小学",
    "school_code": "2141000001",
    "old_name": "金水区教育局",
    "new_name": "中原区教育局",
    "decider_name": "郑州市教育局",
    "asked_by": "孙某某",
    "asked_at": at(2026, 12, 14, 9, 30),
    "reason": "校区迁至中原区，申请变更隶属关系，应隶属中原区教育局。",
}
DECIDED: Context = {"reasons": [], "since": date(2026, 12, 15), "note": "同意，随学校迁址办理"}
ITEM: Context = {
    "number": 3,
    "kind": "不在名册",
    "owner_name": "金水区教育局",
    "due": at(2026, 12, 23),
    "note": "",
    "by_roster": False,
}

PROBLEMS_ROW: Context = {
    "number": 3,
    "kind": "没有账号",
    "about": "金水区第一小学",
    "due": at(2026, 12, 23),
    "overdue": False,
}
PROBLEMS: Context = {
    "role": "管理员",
    "level_name": "金水区教育局",
    "relayed": False,
    "person_name": "钱某某",
    "person_phone": "0371-55550021",
    "rows": [PROBLEMS_ROW, {**PROBLEMS_ROW, "number": 5, "kind": "不在名册", "about": "金水区第九小学"}],
}

OWN: dict[str, Context] = {
    "notice": {
        "form_title": "中小学教育信息化基本情况表",
        "due": at(2027, 1, 1),
        "review_start": date(2027, 1, 1),
        "review_end": date(2027, 1, 5),
        "prefilled": True,
        "superior_name": "金水区教育局",
        "receipt_wanted": True,
        "remarks": [],
        "before": "上季度",
        "receipt_due": date(2026, 12, 25),
        "no_change_hint": True,
        "attachments": [
            "2026年第四季度中小学教育信息化基本情况表（金水区第一小学）.xlsx",
            "负责人回执表.xlsx",
        ],
    },
    "acknowledgement": {
        "received_at": at(2026, 12, 20, 9, 30),
        "form_title": "中小学教育信息化基本情况表",
        "version_no": 2,
        "queries": [FINDINGS[2]],
        "file_name": "金水一小2026Q4.xlsx",
        "kind_word": "填报工作簿",
        "also": ["本次附件中另有一份文件（照片.heic）未能识别，已留存。"],
        "date": date(2026, 12, 20),
    },
    "returned": {
        "findings": FINDINGS,
        "due": at(2027, 1, 4),
        "file_name": "金水一小2026Q4.xlsx",
        "by": "系统校验",
        "note": "",
        "times": 2,
        "date": date(2026, 12, 21),
        "attachments": ["退回修改：中小学教育信息化基本情况表（金水区第一小学）.xlsx"],
    },
    "package_returned": COUNTY
    | {
        "level_name": "金水区教育局",
        "by": "郑州市教育局审核员",
        "note": "多媒体教室数较上季度减少一半，与资产台账不符。",
        "talked": "2027年1月8日10:30与赵某（电话）沟通确认",
        "due": at(2027, 1, 10),
        "times": 2,
        "date": date(2027, 1, 8),
    },
    "reminder": {
        "rows": [
            {
                "unit_name": "金水区第一小学",
                "unit_code": "2141000001",
                "matter": "尚未报送",
                "due": at(2027, 1, 1),
            }
        ],
        "form_title": "中小学教育信息化基本情况表",
        "lists": [],
        "roster_problems": [],
        "date": date(2026, 12, 28),
    },
    "review_request": COUNTY
    | {
        "level_name": "金水区教育局",
        "window_start": date(2027, 1, 1),
        "window_end": date(2027, 1, 5),
        "counts": {"total": 120, "submitted": 112, "approved": 90, "returned": 6, "missing": 8},
        "workbook_name": "2026年第四季度汇总表（金水区教育局）.xlsx",
        "attachments": ["2026年第四季度汇总表（金水区教育局）.xlsx"],
    },
    "review_result": COUNTY
    | {
        "applied": [
            {"unit_name": "金水区第一小学", "decision": "通过", "note": ""},
            {"unit_name": "金水区第二小学", "decision": "退回", "note": "多媒体教室数与资产台账不符，请核实"},
        ],
        "refused": [
            {"unit_name": "金水区第三小学", "row": 14, "reason": "选“退回”的未写审核意见"},
        ],
        "reported": False,
        "remaining": 9,
        "date": date(2027, 1, 3),
    },
    "report_confirmation": COUNTY
    | {
        "level_name": "金水区教育局",
        "reported_at": at(2027, 1, 4, 16, 5),
        "by": "审核员",
        "counts": ORIGINS,
        "superior_name": "郑州市教育局",
        "date": date(2027, 1, 4),
    },
    "report_received": AFTER
    | {
        "unit_name": "郑州市教育局",
        "salutation": "郑州市教育局审核员",
        "from_name": "金水区教育局",
        "auto": False,
        "counts": ORIGINS,
        "accept_hint": "请于2027年1月6日至10日在市级汇总表中填写审核结论，回复系统发送的审核通知。",
    },
    "auto_report": AFTER
    | {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局",
        "level_name": "金水区教育局",
        "deadline": at(2027, 1, 6),
        "counts": ORIGINS,
        "missing": MISSING,
    },
    "escalation": AFTER
    | {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局 管理员",
        "inspector_name": "赵某某",
        "inspector_phone": "0371-55550020",
        "via_admin": True,
        "level_name": "金水区教育局",
        "deadline": at(2027, 1, 6),
        "counts": ORIGINS,
        "missing": MISSING,
        "unreviewed": 12,
    },
    "withdrawal_request": AFTER
    | {
        "unit_name": "郑州市教育局",
        "salutation": "郑州市教育局审核员",
        "from_name": "金水区教育局",
        "reason": "金水区第一小学多媒体教室数误填为学生数，须更正。",
        "superior_locked": False,
        "attachments": ["410100_郑州市教育局_第3版.xlsx"],
    },
    "withdrawal_result": AFTER
    | {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局审核员",
        "level_name": "金水区教育局",
        "superior_name": "郑州市教育局",
        "granted": True,
        "note": "",
        "due": at(2027, 1, 10),
        "by": "郑州市教育局审核员",
    },
    "late": AFTER | {"reported_at": at(2027, 1, 6), "superior_name": "金水区教育局"},
    "late_offer": AFTER
    | {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局审核员",
        "level_name": "金水区教育局",
        "superior_name": "郑州市教育局",
        "reported_at": at(2027, 1, 6),
        "rows": [
            {
                "unit_name": "金水区第七小学",
                "unit_code": "2141000007",
                "received_at": at(2027, 1, 6, 9, 12),
                "errors": 0,
                "registered": True,
            },
            {
                "unit_name": "金水区明德实验学校",
                "unit_code": "2141000008",
                "received_at": at(2027, 1, 6, 10, 5),
                "errors": 2,
                "registered": False,
            },
        ],
    },
    "stale": {
        "copy": 1,
        "current_copy": 2,
        "carried": 61,
        "not_carried": ["班级数", "校园网主干带宽"],
        "changes": ["在校生数：来件为812，已报数据为820"],
        "attachments": ["2026年第四季度中小学教育信息化基本情况表（金水区第一小学，第2号）.xlsx"],
    },
    "problem_file": {
        "items": [
            {
                "name": "数据.xlsx",
                "reason": "文件设有打开密码",
                "remedy": "取消打开密码，另存后重新发送",
            },
            {
                "name": "报表.xlsm",
                "reason": "文件含有宏",
                "remedy": "在系统发送的工作簿中填写，保存为xlsx格式",
            },
            {
                "name": "课程表.xlsx",
                "reason": "不是系统发送的工作簿",
                "remedy": "在系统发送的工作簿中填写后发送",
            },
        ],
    },
    "empty_reply": {"doubt": "", "asked_back": "", "reported": False},
    "unknown_sender_confirm": {
        "from_address": "z***@school.test",
        "held": False,
        "forged": False,
        "items": [],
    },
    "sender_answered": {
        "unnamed": "",
        "items": [
            {
                "unit_name": "金水区第一小学",
                "received_at": at(2026, 12, 14, 9, 12),
                "own": True,
                "words": "第1次报送已确认为本单位报送，由审核员按正常报送审核",
            },
            {
                "unit_name": "金水区西史赵教学点",
                "received_at": at(2026, 12, 14, 10),
                "own": False,
                "words": "该数据不再计入，该单位作为未报送处理，请用登记的邮箱报送；已转工作人员核查",
            },
        ],
    },
    "decision_confirm": COUNTY
    | {
        "level_name": "金水区教育局",
        "items": [
            {"from_address": "z***@geren.test", "registered": False, "received_at": at(2027, 1, 3, 9, 12)}
        ],
        "token": "",
        "date": date(2027, 1, 3),
    },
    "no_change_refused": {},
    "receipt_reminder": {"missing_parts": ["扫描件"], "doubts": [], "receipt_due": date(2026, 12, 25)},
    "affiliation_request": COUNTY
    | {
        "unit_name": "金水区第一小学",
        "salutation": "郑州市教育局",
        "token": "",
        **MOVE,
    },
    "affiliation_result": {"token": "", **MOVE, **DECIDED, "stage": "agreed"},
    "suspension": {
        "token": "",
        "lifted": False,
        "since": date(2026, 12, 15),
        "counted": False,
        "asked": True,
        "reasons": [],
    },
    "problem_report": {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局",
        "token": "",
        "number": 3,
        "kind": "不在名册",
        "owner_name": "金水区教育局",
        "due": at(2026, 12, 23),
        "school_name": "金水区第九小学",
        "school_code": "2141000009",
        "reporter_name": "金水区第一小学",
        "from_address": "s***@jsq.test",
        "words": "我校新校区金水区第九小学（2141000009）不在名册中，请核实。",
    },
    "problem_result": {"token": "", **ITEM, "stage": "noted"},
    "accounts": {
        "count": 1,
        "shared": True,
        "former": True,
        "below": 0,
        "at_once": False,
        "sign_by": date(2026, 12, 18),
        "asks": "金水区教育局管理员钱某某",
        "asks_phone": "0371-55550021",
        "token": "",
        "attachments": ["账号表_金水区第一小学.xlsx"],
    },
    "account_reminder": {
        "count": 1,
        "shared": True,
        "sent_on": date(2026, 12, 10),
        "asks": "金水区教育局管理员钱某某",
        "asks_phone": "0371-55550021",
        "doubt": "",
        "token": "",
    },
    "account_escalation": {
        **COUNTY,
        "salutation": "金水区教育局",
        "token": "",
        "rows": [
            {
                "unit_name": "金水区第二小学",
                "unit_code": "2141000002",
                "matter": "逾期未签收",
                "sent_on": date(2026, 12, 10),
                "contact": "孙某某",
                "phone": "0371-55550031",
            },
            {
                "unit_name": "金水区西史赵教学点",
                "unit_code": "2141000003",
                "matter": "信件退回",
                "sent_on": date(2026, 12, 10),
                "contact": "",
                "phone": "",
            },
        ],
    },
    "filing": {
        "unit_name": "河南省教育厅",
        "salutation": "中央电化教育馆",
        "since": date(2027, 1, 4),
        "date": date(2027, 1, 5),
        "token": "",
        "changes": [
            {
                "role": "审核员",
                "before": "李四",
                "name": "孙七",
                "office": "科学技术与信息化处",
                "phone": "0371-55550001",
                "mobile": "13900000001",
                "email": "sunqi@example.org",
            },
            {
                "role": "视察员",
                "before": "",
                "name": "周八",
                "office": "",
                "phone": "0371-55550002",
                "mobile": "",
                "email": "",
            },
        ],
    },
    "contacts": {
        "unit_name": "金水区教育局",
        "salutation": "金水区教育局",
        "date": date(2027, 1, 5),
        "token": "",
        "units": 86,
        "people": 97,
        "vacant": 2,
        "attachments": ["联络人员名录_金水区教育局.xlsx"],
    },
    "digest": {
        "unit_name": "河南省教育厅",
        "salutation": "各位工作人员",
        "day": date(2027, 1, 5),
        "date": date(2027, 1, 6),
        "counts": [("填报件", 412), ("无变化确认", 35), ("回执表", 18), ("退信", 3), ("无法归属", 2)],
        "queue": {"queued": 14, "sent": 521, "failed": 1},
        "ledger_head": "9f2c41d07be8a6530c1d",
        "ledger_count": 20418,
        "problems": [
            "中牟县教育局没有登记审核员",
            "退信3件，涉及3个单位的邮箱",
            "请电话告知视察员李四（0371-55550123、13812345678）",
        ],
        "token": "",
        "attachments": [],
    },
}

# The other roads through a template that a reader should see as well.
VARIANTS: dict[str, tuple[str, Context]] = {
    "empty_reply-doubt": (
        "empty_reply",
        {
            "doubt": "来信没有编号，也不是对我方信件的回复，请直接回复我方信件",
            "asked_back": "",
            "reported": False,
        },
    ),
    "empty_reply-withdrawal": (
        "empty_reply",
        {"doubt": "", "asked_back": "金水区教育局", "reported": False},
    ),
    "empty_reply-withdrawal-reported": (
        "empty_reply",
        AFTER | {"doubt": "", "asked_back": "金水区教育局", "reported": True},
    ),
    "unknown_sender_confirm-held": (
        "unknown_sender_confirm",
        {"from_address": "z***@school.test", "held": True, "forged": False, "items": []},
    ),
    "unknown_sender_confirm-forged": (
        "unknown_sender_confirm",
        {"from_address": "x***@school.test", "held": True, "forged": True, "items": []},
    ),
    "sender_answered-unnamed": (
        "sender_answered",
        {
            "items": [],
            "unnamed": "来函列有多件，请写明是哪几件，如“确认1”“非本单位报送2”，或者写“全部确认”",
        },
    ),
    "unknown_sender_confirm-several": (
        "unknown_sender_confirm",
        {
            "from_address": "z***@school.test",
            "held": False,
            "forged": False,
            "items": [
                {
                    "unit_name": "金水区第一小学",
                    "from_address": "z***@geren.test",
                    "held": False,
                    "forged": False,
                    "received_at": at(2026, 12, 14, 9, 12),
                },
                {
                    "unit_name": "金水区西史赵教学点",
                    "from_address": "l***@geren.test",
                    "held": True,
                    "forged": True,
                    "received_at": at(2026, 12, 14, 10),
                },
            ],
        },
    ),
    "notice-relay": (
        "notice",
        {
            "unit_name": "金水区西史赵教学点",
            "salutation": "金水区教育局 管理员",
            "relay_for": "金水区西史赵教学点",
            "prefilled": False,
            "no_change_hint": False,
            "receipt_wanted": False,
            "receipt_due": "",
            "attachments": ["2026年第四季度教学点教育信息化基本情况表（金水区西史赵教学点）.xlsx"],
        },
    ),
    "acknowledgement-no-change": (
        "acknowledgement",
        {"kind_word": "无变化确认", "file_name": "", "queries": [], "also": [], "version_no": 1},
    ),
    "acknowledgement-replaced": (
        "acknowledgement",
        {
            "queries": [],
            "also": [],
            "version_no": 1,
            "replaced": "来信地址自2026年12月10日起不再是登记的地址（现登记的管理员邮箱为z***@example.org），请以后由登记的邮箱报送。",
        },
    ),
    "acknowledgement-clean": ("acknowledgement", {"queries": [], "also": [], "version_no": 1}),
    "acknowledgement-receipt": (
        "acknowledgement",
        {
            "kind_word": "回执表扫描件",
            "file_name": "回执表.pdf",
            "queries": [],
            "also": ["尚缺回执表电子版，请于2026年12月25日前补报。"],
            "version_no": 1,
        },
    ),
    "returned-reviewer": (
        "returned",
        {
            "findings": [],
            "by": "金水区教育局",
            "note": "多媒体教室数与资产台账不符，请核实后重新报送。",
            "times": 1,
        },
    ),
    "returned-queries": ("returned", {"findings": [QUERY], "times": 1}),
    "reminder-many": (
        "reminder",
        {
            "unit_name": "金水区教育局",
            "salutation": "金水区教育局 管理员",
            "rows": [
                {
                    "unit_name": name,
                    "unit_code": f"214100000{number}",
                    "matter": matter,
                    "due": at(2027, 1, day),
                }
                for number, (name, matter, day) in enumerate(
                    zip(
                        MISSING,
                        ["尚未报送", "尚未报送", "退回后尚未重新报送", "回执表缺扫描件"],
                        [1, 1, 4, 1],
                        strict=True,
                    ),
                    start=1,
                )
            ],
        },
    ),
    "reminder-review": (
        "reminder",
        COUNTY
        | {
            "rows": [
                {
                    **OWED_BY_COUNTY[0],
                    "unit_name": "金水区第一小学",
                    "matter": "尚未审核",
                    "due": at(2027, 1, 6),
                },
                {**OWED_BY_COUNTY[0], "matter": "尚未上报", "due": at(2027, 1, 6)},
            ],
            "attachments": ["2026年第四季度汇总表（金水区教育局）.xlsx"],
            "date": date(2027, 1, 4),
        },
    ),
    "reminder-list": ("reminder", COUNTY | {"rows": [], "lists": [PHONE_LIST], "date": date(2026, 12, 31)}),
    "reminder-gathered": (
        "reminder",
        COUNTY | {"rows": OWED_BY_COUNTY, "lists": [PHONE_LIST, FOR_INSPECTOR], "date": date(2027, 1, 5)},
    ),
    "reminder-reviewer": (
        "reminder",
        AFTER
        | {
            "unit_name": "郑州市教育局",
            "salutation": "郑州市教育局",
            "rows": [],
            "lists": [{**FOR_INSPECTOR, "role": "审核员", "level_name": "郑州市教育局", "relayed": False}],
            "date": date(2027, 1, 5),
        },
    ),
    "reminder-problems": (
        "reminder",
        COUNTY | {"rows": [], "roster_problems": [PROBLEMS], "date": date(2026, 12, 22)},
    ),
    "reminder-problems-inspector": (
        "reminder",
        COUNTY
        | {
            "rows": [],
            "roster_problems": [
                {**PROBLEMS, "role": "视察员", "relayed": True, "rows": [{**PROBLEMS_ROW, "overdue": True}]}
            ],
            "date": date(2026, 12, 25),
        },
    ),
    "reminder-gathered-problems": (
        "reminder",
        COUNTY | {"rows": OWED_BY_COUNTY, "roster_problems": [PROBLEMS], "date": date(2026, 12, 22)},
    ),
    "reminder-inspector": (
        "reminder",
        COUNTY | {"rows": [], "lists": [FOR_INSPECTOR], "date": date(2027, 1, 5)},
    ),
    "decision_confirm-several": (
        "decision_confirm",
        {
            "items": [
                {
                    "from_address": "z***@geren.test",
                    "registered": False,
                    "received_at": at(2027, 1, 3, 9, 40),
                },
                {"from_address": "s***@jsq.test", "registered": True, "received_at": at(2027, 1, 3, 16, 5)},
            ],
        },
    ),
    "decision_confirm-unvouched": (
        "decision_confirm",
        {
            "items": [
                {"from_address": "s***@jsq.test", "registered": True, "received_at": at(2027, 1, 3, 9, 12)}
            ],
        },
    ),
    "review_result-reported": ("review_result", {"refused": [], "reported": True, "remaining": 0}),
    "withdrawal_request-superior-reported": (
        "withdrawal_request",
        {"superior_locked": True, "attachments": []},
    ),
    "withdrawal_result-refused": (
        "withdrawal_result",
        {"granted": False, "note": "差错不影响汇总数据，下季度更正。"},
    ),
    "report_received-auto": ("report_received", {"auto": True, "accept_hint": ""}),
    "escalation-inspector": (
        "escalation",
        {"salutation": "金水区教育局视察员赵某某", "via_admin": False, "missing": []},
    ),
    "receipt_reminder-doubts": (
        "receipt_reminder",
        {
            "missing_parts": [],
            "doubts": ["扫描件上未见公章", "扫描件与电子版不一致：审核员手机号码、管理员电子邮箱"],
        },
    ),
    "receipt_reminder-both": ("receipt_reminder", {"missing_parts": ["扫描件", "电子版"]}),
    "affiliation_result-asked": ("affiliation_result", {"stage": "asked", "since": None, "note": ""}),
    "affiliation_result-refused": (
        "affiliation_result",
        {"stage": "refused", "since": None, "note": "该校仍由金水区管理"},
    ),
    "affiliation_result-rejected": (
        "affiliation_result",
        {"stage": "rejected", "reasons": ["没有写明应隶属的上级单位，请写明其名称或单位代码"]},
    ),
    "suspension-counted": ("suspension", {"counted": True}),
    "suspension-lifted": ("suspension", {"lifted": True}),
    "suspension-lifted-not-asked": ("suspension", {"lifted": True, "asked": False}),
    "suspension-refused": (
        "suspension",
        {"since": None, "reasons": ["已经标记暂停招生，不必再办"]},
    ),
    "problem_result-superior": ("problem_result", {"kind": "隶属关系有误"}),
    "problem_result-closed": ("problem_result", {"stage": "closed", "note": "账号已于12月20日发放"}),
    "problem_result-roster": (
        "problem_result",
        {"stage": "closed", "note": "名册已有该单位：2141000009 金水区第九小学", "by_roster": True},
    ),
    "problem_result-there": (
        "problem_result",
        {"stage": "there", "note": "名册已有该单位：2141000009 金水区第九小学"},
    ),
    "accounts-county": (
        "accounts",
        {
            **COUNTY,
            "salutation": "金水区教育局",
            "count": 3,
            "shared": False,
            "former": False,
            "below": 212,
            "asks": "郑州市教育局管理员周某某",
            "asks_phone": "0371-55550011",
            "attachments": ["账号表_金水区教育局.xlsx"],
        },
    ),
    "accounts-relayed": (
        "accounts",
        {
            "salutation": "金水区柳林镇中心小学",
            "unit_name": "金水区西史赵教学点",
            "relay_for": "金水区西史赵教学点",
            "shared": False,
            "former": False,
        },
    ),
    "account_reminder-doubted": (
        "account_reminder",
        {"doubt": "来信未通过邮件服务器的发件人验证，请由登记的邮箱重新回复"},
    ),
    "digest-quiet": ("digest", {"problems": []}),
}

CONTEXTS: dict[str, tuple[str, Context]] = {kind: (kind, COMMON | own) for kind, own in OWN.items()} | {
    name: (kind, COMMON | OWN[kind] | changed) for name, (kind, changed) in VARIANTS.items()
}


def golden_text(letter: Rendered) -> str:
    return f"{letter.subject}\n\n{letter.text}"


def write_golden_files() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    templates = LetterTemplates(TEMPLATES)
    for name, (kind, context) in CONTEXTS.items():
        text = golden_text(templates.render(kind, context))
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_golden_files()
