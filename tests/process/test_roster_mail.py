"""What mail says about the roster: another superior, 暂停招生, and problems that are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    COUNTY,
    DIRECT,
    POINT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    WEST,
    at,
)
from tests.process.calendar_office import TEMPLATES
from tests.process.situations import (
    DUE,
    FORMS,
    STRANGER,
    answered,
    decide,
    fold,
    key,
    kinds,
    letters,
    mail,
    opened,
    token,
    with_earlier,
    with_letter,
    workbook,
)
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.affiliation import AffiliationRequest, RequestState
from workflow.domain.form import Field, FieldType
from workflow.domain.problems import ProblemKind
from workflow.domain.registry import Registry
from workflow.domain.roster import Role, Roster
from workflow.domain.submission import Bucket
from workflow.domain.wishes import PROBLEM_FIELD, SUSPENDED_FIELD

if TYPE_CHECKING:
    from workflow.domain.events import Event
    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome, Situation

OUR_LETTER = ("<letter@office.test>",)
SUBJECT = f"答复：【{token(SCHOOL)}】关于报送数据的通知"
REQUEST = AffiliationRequest(1, SCHOOL, COUNTY, WEST, RequestState.REQUESTED, "校管", at(12, 28), "学校迁址")


def office(*requests: AffiliationRequest, roster: Roster = ROSTER) -> Situation:
    registry = Registry(roster, 1, None, at(12, 31).date(), requests)
    return replace(with_letter(opened()), registry=registry)


def asked(*requests: AffiliationRequest) -> Situation:
    """The common superior has our letter about a request."""
    row = LetterRow(
        "letter-1", "affiliation_request", "2026Q4", SCHOOL, "", 3, "d" * 64, OUR_LETTER[0], "admin@city.test", "", "",
        LetterState.SENT, 1, at(12, 28), None, "", 3,
    )  # fmt: skip
    return replace(office(*requests), letters={row.message_id: row})


def said(words: str, sender: str = "school@county.test", **more: object) -> Arrival:
    return mail(sender, words=words, **{"in_reply_to": OUR_LETTER, **more})  # type: ignore[arg-type]


def of(outcome: Outcome, kind: str) -> Event:
    (event,) = [event for event in outcome.events if event.kind == kind]
    return event


def written(outcome: Outcome) -> list[str]:
    """The letters in their own words: each is given all that its template asks for."""
    blank = dict.fromkeys(
        (
            "unit_name",
            "salutation",
            "issuer",
            "contact_line",
            "period_name",
            "token",
            "relay_for",
            "replaced",
        ),
        "",
    )
    return [
        TEMPLATES.render(
            order.kind,
            {**blank, "date": DUE.date(), "campaign": "2026Q4", "attachments": [], **order.context},
        ).text
        for order in outcome.letters
    ]


def reasons(outcome: Outcome, kind: str = "affiliation_result") -> str:
    assert written(outcome)
    return "；".join(str(reason) for reason in answered(outcome, kind)["reasons"])  # type: ignore[union-attr]


class TestAnotherSuperior:
    @pytest.mark.parametrize(
        ("sender", "words"),
        [
            ("school@county.test", "我校已迁址，申请变更隶属关系，应隶属西区教育局。"),
            ("school@county.test", "隶属关系应为西区"),
            ("admin@county.test", "申请将东区第一小学的隶属关系变更为西区教育局"),
            ("admin@west.test", "东区第一小学（4101020001）申请划归410103"),
        ],
    )
    def test_either_side_asks_in_words(self, sender: str, words: str) -> None:
        outcome = decide(said(words, sender), office())
        event = of(outcome, "affiliation.requested")
        assert outcome.bucket is Bucket.REQUEST
        assert (event.data["unit"], event.data["old"], event.data["new"]) == (SCHOOL, COUNTY, WEST)
        assert outcome.letters == ()  # the calendar tells the sides and who decides

    @pytest.mark.parametrize(
        "words",
        [
            "怎样申请变更隶属关系？",
            "如需变更隶属关系申请的，请回复",
            "我校不申请变更隶属关系",
        ],
    )
    def test_a_question_a_condition_or_a_denial_asks_for_nothing(self, words: str) -> None:
        assert kinds(decide(said(words), office())) == ["message.taken"]

    @pytest.mark.parametrize(
        ("sender", "words", "why"),
        [
            ("school@county.test", "申请变更隶属关系", "没有写明应隶属的上级单位"),
            ("school@county.test", "申请变更隶属关系，应隶属西区教育局或者乙县教育局", "不止一个上级单位"),
            (
                "school@county.test",
                "申请变更隶属关系，应隶属东区教育局（410102）",
                "没有写明应隶属的上级单位",
            ),
            ("admin@direct.test", "申请将东区第一小学划归西区教育局", "不是变更前后任何一方登记的人员"),
        ],
    )
    def test_what_cannot_be_asked_is_answered_with_the_reason(
        self, sender: str, words: str, why: str
    ) -> None:
        outcome = decide(said(words, sender), office())
        assert kinds(outcome) == ["message.taken"]
        assert letters(outcome) == [("affiliation_result", sender)]
        assert why in reasons(outcome)

    def test_a_department_that_names_no_school_is_asked_which(self) -> None:
        outcome = decide(mail("admin@county.test", words="申请变更隶属关系，应隶属西区教育局"), office())
        assert "没有写明是哪所学校" in reasons(outcome)

    def test_a_second_request_waits_for_the_first(self) -> None:
        outcome = decide(said("申请变更隶属关系，应隶属乙县教育局"), office(REQUEST))
        assert "还没有决定" in reasons(outcome)

    def test_an_address_that_is_not_registered_asks_for_nothing(self) -> None:
        outcome = decide(said("申请变更隶属关系，应隶属西区教育局", STRANGER), office())
        assert (outcome.bucket, outcome.letters) == (Bucket.UNMATCHED, ())

    def test_the_common_superior_agrees_and_the_school_moves_from_the_day_on(self) -> None:
        outcome = decide(said("同意变更。", "admin@city.test"), asked(REQUEST))
        assert kinds(outcome) == ["message.taken", "affiliation.agreed", "roster.applied"]
        moved = of(outcome, "roster.applied")
        assert moved.data["from"] == DUE.date().isoformat()
        assert [(unit["code"], unit["superior"]) for unit in moved.data["units"]] == [(SCHOOL, WEST)]

    def test_its_reviewer_may_too_and_a_refusal_needs_a_reason(self) -> None:
        assert "请写明理由" in reasons(decide(said("不同意", "review@city.test"), asked(REQUEST)))
        outcome = decide(said("不同意，仍由东区管理", "review@city.test"), asked(REQUEST))
        assert kinds(outcome) == ["message.taken", "affiliation.refused"]
        assert of(outcome, "affiliation.refused").data["note"] == "仍由东区管理"

    @pytest.mark.parametrize("sender", ["admin@county.test", "admin@west.test", "school@county.test"])
    def test_nobody_else_decides(self, sender: str) -> None:
        outcome = decide(said("同意", sender), asked(REQUEST))
        assert kinds(outcome) == ["message.taken"]
        assert "只能由变更前后的共同上级甲市教育局的管理员或审核员决定" in reasons(outcome)

    def test_what_the_server_does_not_vouch_for_decides_nothing(self) -> None:
        situation = asked(REQUEST)
        strict = replace(situation, policy=replace(situation.policy, trusted_authserv="mx.office.test"))
        forged = said("同意", "admin@city.test", auth_results=("mx.office.test; dkim=fail; spf=fail",))
        outcome = decide(forged, strict)
        assert kinds(outcome) == ["message.taken"]
        assert "发件人验证" in reasons(outcome)

    def test_an_unclear_answer_and_one_that_comes_twice_are_told_so(self) -> None:
        assert "首行没有写明" in reasons(decide(said("收到，谢谢", "admin@city.test"), asked(REQUEST)))
        once, again = said("同意", "admin@city.test"), said("同意", "review@city.test")
        _, outcomes = fold(asked(REQUEST), once, again)
        assert kinds(outcomes[1]) == ["message.taken"]
        assert "已经办结" in reasons(outcomes[1])

    def test_a_move_settles_what_was_reported_about_the_superior(self) -> None:
        _, outcomes = fold(
            replace(asked(REQUEST), letters={}),
            mail(words="我校隶属关系有误", subject=SUBJECT),
        )
        situation = asked(REQUEST)
        assert situation.registry is not None
        known = situation.registry.after(outcomes[0].events)
        outcome = decide(said("同意", "admin@city.test"), replace(situation, registry=known))
        assert of(outcome, "problem.closed").data == {"note": "名册中该单位现隶属西区教育局", "how": "roster"}


class TestFormerAddress:
    """Who was registered until a short while ago brings nothing about any more, and is told so."""

    def former(self) -> Situation:
        gone = replace(ROSTER.people(SCHOOL, Role.ADMINISTRATOR, DUE.date())[0], until=at(12, 20).date())
        now = replace(gone, name="新管", email="new@county.test", since=at(12, 20).date(), until=None)
        situation = office()
        roster = situation.roster.with_people(SCHOOL, (gone, now))
        assert situation.registry is not None
        return replace(situation, roster=roster, registry=replace(situation.registry, roster=roster))

    @pytest.mark.parametrize(
        ("words", "kind"),
        [("申请变更隶属关系，应隶属西区教育局", "affiliation_result"), ("暂停招生", "suspension")],
    )
    def test_of_a_school(self, words: str, kind: str) -> None:
        outcome = decide(said(words), self.former())
        assert kinds(outcome) == ["message.taken"]
        assert "不再是登记的地址" in reasons(outcome, kind)

    def test_what_is_wrong_may_still_be_reported(self) -> None:
        assert "problem.reported" in kinds(decide(said("我校没有账号"), self.former()))


class TestSuspension:
    def test_a_school_marks_itself_in_words_and_is_told_what_follows(self) -> None:
        outcome = decide(said("我校本学年暂停招生。"), office())
        event = of(outcome, "roster.applied")
        assert (event.data["from"], event.data["units"][0]["suspended"]) == (DUE.date().isoformat(), True)
        assert letters(outcome) == [("suspension", "school@county.test")]
        assert answered(outcome, "suspension")["counted"] is False
        assert "此后不再要求填报" in "".join(written(outcome))

    def test_and_lifts_the_mark_in_the_same_batch(self) -> None:
        _, outcomes = fold(office(), said("暂停招生"), said("我校已恢复招生"), said("恢复招生"))
        marks = [
            e.data["units"][0]["suspended"] for o in outcomes for e in o.events if e.kind == "roster.applied"
        ]
        assert marks == [True, False]
        assert "没有标记暂停招生" in reasons(outcomes[2], "suspension")

    @pytest.mark.parametrize("words", ["是否暂停招生？", "如暂停招生的，请写明", "我校不暂停招生"])
    def test_a_question_a_condition_or_a_denial_marks_nothing(self, words: str) -> None:
        assert "roster.applied" not in kinds(decide(said(words), office()))

    def test_a_department_cannot_mark_a_school(self) -> None:
        outcome = decide(said("东区第一小学暂停招生", "admin@county.test"), office())
        assert "由学校管理员维护" in reasons(outcome, "suspension")

    def test_an_address_of_two_schools_says_which(self) -> None:
        plain = office()
        unclear = decide(mail("central@county.test", words="暂停招生"), plain)
        assert "请写明是哪所学校" in reasons(unclear, "suspension")
        tied = decide(mail("central@county.test", words="暂停招生", subject=f"【{token(POINT)}】"), plain)
        assert of(tied, "roster.applied").data["units"][0]["code"] == POINT

    def test_words_from_an_address_alone_are_asked_for_in_the_thread(self) -> None:
        outcome = decide(mail(words="暂停招生"), replace(office(), letters={}))
        assert "请直接回复我方信件" in reasons(outcome, "suspension")

    @pytest.mark.parametrize(("cell", "marked"), [("是", [True]), ("否", []), (None, [])])
    def test_the_cell_of_an_accepted_workbook_marks_the_school(
        self, cell: str | None, marked: list[bool]
    ) -> None:
        outcome = decide(filled({SUSPENDED_FIELD: cell}), with_cells())
        assert outcome.bucket is Bucket.SUBMISSION
        assert [
            e.data["units"][0]["suspended"] for e in outcome.events if e.kind == "roster.applied"
        ] == marked

    def test_what_the_copy_was_filled_in_with_marks_nothing(self) -> None:
        before = with_earlier(with_cells())
        known = before.earlier[SCHOOL, "school"]
        said_before = replace(known, answers={**known.answers, SUSPENDED_FIELD: True})
        situation = replace(before, earlier={(SCHOOL, "school"): said_before})
        assert "roster.applied" not in kinds(decide(filled({SUSPENDED_FIELD: "是"}), situation))

    def test_the_cell_lifts_the_mark_and_whoever_collects_for_the_school_changes_nothing(self) -> None:
        units = {**ROSTER.units, SCHOOL: replace(ROSTER.units[SCHOOL], suspended=True)}
        marked = with_cells(Roster(units, ROSTER.contacts))
        assert "roster.applied" in kinds(decide(filled({SUSPENDED_FIELD: "否"}), marked))
        county = filled({SUSPENDED_FIELD: "否"}, "admin@county.test")
        assert "roster.applied" not in kinds(decide(county, marked))


def with_cells(roster: Roster = ROSTER) -> Situation:
    """A form that asks for 暂停招生 and for what is wrong with the roster."""
    more = (
        Field(SUSPENDED_FIELD, SUSPENDED_FIELD, FieldType.YES_NO),
        Field(PROBLEM_FIELD, PROBLEM_FIELD, FieldType.TEXT),
    )
    form = FORMS["school"]
    wider = replace(form, fields=(*form.fields, *more))
    return replace(office(roster=roster), forms={**FORMS, "school": wider})


def filled(cells: dict[str, str | None], sender: str = "school@county.test") -> Arrival:
    return mail(sender, workbook(answers={"学生": 480, "教师": 30, **cells}))


class TestProblems:
    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("我校不在名册中，请核实", ProblemKind.NOT_LISTED),
            ("系统中查不到东区实验小学", ProblemKind.NOT_LISTED),
            ("我校隶属关系有误", ProblemKind.WRONG_SUPERIOR),
            ("我们学校没有账号，怎么办？", ProblemKind.NO_ACCOUNT),
            ("学校名称有误，应为东区第一实验小学", ProblemKind.WRONG_NAME),
            ("学校标识码错误", ProblemKind.WRONG_CODE),
            ("我校已经撤并到中心校", ProblemKind.ENDED),
        ],
    )
    def test_a_report_becomes_an_item_of_the_level_above_and_is_acknowledged(
        self, words: str, kind: ProblemKind
    ) -> None:
        outcome = decide(said(words), office())
        event = of(outcome, "problem.reported")
        assert outcome.bucket is Bucket.PROBLEM
        assert (event.data["kind"], event.data["owner"], event.data["reporter"]) == (
            kind.value,
            COUNTY,
            SCHOOL,
        )
        assert event.personal == {"sender": "school@county.test", "words": words}
        assert letters(outcome) == [("problem_result", "school@county.test")]
        assert "已受理，编为第1号，由东区教育局于" in "".join(written(outcome))

    @pytest.mark.parametrize(
        "words", ["如有隶属关系有误的，请反映", "不存在隶属关系有误的情况", "单位名称无误"]
    )
    def test_a_condition_a_denial_and_our_own_words_report_nothing(self, words: str) -> None:
        assert "problem.reported" not in kinds(decide(said(words), office()))

    def test_it_is_due_after_so_many_working_days(self) -> None:
        event = of(decide(said("我校没有账号"), office()), "problem.reported")
        assert event.data["due"] == "2027-01-06T00:00:00+08:00"  # five days from Tuesday, Monday to Friday

    def test_what_is_reported_again_while_it_is_open_is_one_item(self) -> None:
        _, outcomes = fold(office(), said("我校没有账号"), said("至今没有收到账号"), said("学校名称有误"))
        reports = [e.stream for o in outcomes for e in o.events if e.kind == "problem.reported"]
        assert reports == ["problem:1", "problem:2"]
        assert [o.bucket for o in outcomes] == [Bucket.PROBLEM] * 3
        assert answered(outcomes[1], "problem_result")["number"] == 1

    def test_a_level_reports_another_unit_to_the_level_above_itself(self) -> None:
        outcome = decide(said("新建的东区第九小学（4101020009）未列入名册", "admin@county.test"), office())
        data = of(outcome, "problem.reported").data
        assert (data["unit"], data["code"], data["name"]) == ("", "4101020009", "东区第九小学")
        assert (data["owner"], data["reporter"]) == (CITY, COUNTY)

    def test_what_is_on_the_roster_already_is_told_so(self) -> None:
        outcome = decide(said("东区山村小学（4101020004）不在名册", "admin@county.test"), office())
        assert kinds(outcome) == ["message.taken"]
        context = answered(outcome, "problem_result")
        assert "不另行受理" in "".join(written(outcome))
        assert (context["stage"], context["note"]) == ("there", f"名册已有该单位：{REMOTE} 东区山村小学")

    def test_a_stranger_is_heard_and_not_written_to(self) -> None:
        outcome = decide(mail(STRANGER, words="我校不在名册中"), replace(office(), letters={}))
        data = of(outcome, "problem.reported").data
        assert (outcome.bucket, data["owner"], data["reporter"]) == (Bucket.PROBLEM, PROVINCE, "")
        assert outcome.letters == ()

    def test_a_report_beside_a_workbook_is_one_too_and_the_workbook_counts(self) -> None:
        outcome = decide(mail("school@county.test", workbook(), words="学校名称有误，请更正"), office())
        assert outcome.bucket is Bucket.SUBMISSION
        assert {"case.submitted", "problem.reported"} <= set(kinds(outcome))

    def test_a_cell_of_the_form_is_a_report_too(self) -> None:
        outcome = decide(filled({PROBLEM_FIELD: "校名应加“实验”二字"}), with_cells())
        assert of(outcome, "problem.reported").data["kind"] == ProblemKind.OTHER.value

    def test_a_superior_that_is_named_makes_it_a_request(self) -> None:
        outcome = decide(said("隶属关系有误，应隶属西区教育局"), office())
        assert kinds(outcome) == ["message.taken", "affiliation.requested"]


def test_the_case_of_nobody_else_is_touched() -> None:
    before = office()
    situation, _ = fold(before, said("暂停招生"), said("我校没有账号"))
    assert situation.cases == before.cases
    assert {CENTRAL, DIRECT} <= {unit for _, unit, _ in situation.cases}
    assert key(SCHOOL) in situation.cases
