"""People change by an accepted 回执表: who is written to and decides from that day, and what becomes of the address before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.domain.offices import CITY, CITY_SCHOOL, ROSTER, SCHOOL, UNITS, at, form_of, number
from tests.process.situations import (
    FORMS,
    GOOD,
    LAST,
    decide,
    decision,
    ends,
    fold,
    mail,
    opened,
    review,
    token,
    with_earlier,
    workbook,
)
from tests.process.test_receipts import MAIL, asking, both, page, people, standing, typed
from workflow.domain.answers import Understood, understand
from workflow.domain.contacts import decode_contact
from workflow.domain.form import (
    PERSON,
    PERSON_CHANGED,
    PERSON_EMAIL,
    PERSON_NAME,
    Field,
    Form,
    Prefill,
    Value,
)
from workflow.domain.receipt import Cell, Column, Entry, ReceiptAnswers
from workflow.domain.receipt_standing import doubts
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentOutcome
from workflow.process.carry import carry
from workflow.process.launch import prefilled
from workflow.process.reviews import APPROVE
from workflow.process.situation import Policy

if TYPE_CHECKING:
    import datetime as dt

    from workflow.domain.submission import RawValue
    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome, Situation

Ends = AttachmentOutcome
BEFORE, CHANGED, SOON = at(12, 27), at(12, 28), at(12, 30)
#: 附件2 of the city as it is registered, but for a new 审核员.
_SAID: dict[Cell, str] = {
    (Role.INSPECTOR, Column.NAME): "市视",
    (Role.INSPECTOR, Column.PHONE): "0371 55550002",
    (Role.REVIEWER, Column.NAME): "新审",
    (Role.REVIEWER, Column.EMAIL): "new@city.test",
    (Role.ADMINISTRATOR, Column.NAME): "市管",
    (Role.ADMINISTRATOR, Column.EMAIL): "admin@city.test",
    (Role.INSPECTOR, Column.CHANGED): "否",
    (Role.REVIEWER, Column.CHANGED): "是",
    (Role.ADMINISTRATOR, Column.CHANGED): "否",
}


def said(**changed: str) -> ReceiptAnswers:
    """What the city's 回执表 says; `reviewer` and `by_reviewer` for another name and 是 or 否 of the 审核员."""
    cells = dict(people(CITY).cells) | {cell: Entry(text) for cell, text in _SAID.items()}
    for key, column in (("reviewer", Column.NAME), ("by_reviewer", Column.CHANGED)):
        if key in changed:
            cells[Role.REVIEWER, column] = Entry(changed[key])
    return ReceiptAnswers(cells)


def receipt(answers: ReceiptAnswers, moment: dt.datetime = CHANGED) -> Arrival:
    return replace(both(MAIL[CITY], typed(CITY, answers), page(CITY, answers=answers)), received_at=moment)


def accepting() -> Situation:
    situation = asking()
    return replace(situation, policy=replace(situation.policy, accept_receipts=True))


def new_reviewer() -> tuple[Situation, Outcome]:
    situation, (outcome,) = fold(accepting(), receipt(said()))
    return situation, outcome


def approving(sender: str, moment: dt.datetime) -> Arrival:
    return mail(sender, review(decision(CITY_SCHOOL, APPROVE), level=CITY), moment=moment)


def kinds(outcome: Outcome) -> list[str]:
    return [event.kind for event in outcome.events]


def test_a_receipt_that_the_rule_accepts_registers_whom_it_names_and_keeps_who_was_before() -> None:
    situation, outcome = new_reviewer()
    assert kinds(outcome)[-2:] == ["receipt.accepted", "contacts.set"]
    event = outcome.events[-1]
    assert (event.stream, event.number, event.data) == (
        "contacts", 1, {"unit": CITY, "from": "2026-12-28", "source": "回执表"},
    )  # fmt: skip
    assert "新审" not in str(event.data)
    people = [decode_contact(one) for one in (event.personal or {})["contacts"]]
    assert [one.name for one in people if one.role is Role.REVIEWER] == ["市审", "新审"]
    roster = situation.roster
    named = {
        day: [one.name for one in roster.people(CITY, Role.REVIEWER, day.date())] for day in (BEFORE, SOON)
    }
    assert named == {BEFORE: ["市审"], SOON: ["新审"]}


def test_the_next_message_of_the_batch_is_decided_by_the_new_people() -> None:
    submitted = mail("vocational@city.test", workbook(CITY_SCHOOL), moment=BEFORE)
    later, earlier = approving("new@city.test", SOON), approving("review@city.test", SOON)
    _, (_, _, refused, done) = fold(accepting(), submitted, receipt(said()), earlier, later)
    assert "case.approved" not in kinds(refused)
    assert "case.approved" in kinds(done)


def test_the_former_reviewer_s_decision_is_refused_with_its_reason_to_both() -> None:
    situation, _ = new_reviewer()
    outcome = decide(approving("review@city.test", SOON), situation)
    (fate,) = outcome.fates
    assert "自2026年12月28日起不再是甲市教育局登记的地址（现登记的审核员邮箱为n***@city.test）" in fate.reason
    assert {letter.to.email for letter in outcome.letters} == {"new@city.test", "review@city.test"}
    assert {letter.context["refused"][0]["reason"] for letter in outcome.letters} == {fate.reason}
    withdrawal = decide(
        mail("review@city.test", words="申请撤报：数据有误，需要修改", moment=SOON), situation
    )
    assert "package.withdrawal_requested" not in kinds(withdrawal)
    assert {letter.to.email for letter in withdrawal.letters} == {"new@city.test", "review@city.test"}


def test_data_from_the_former_address_count_for_the_grace_period_and_are_told() -> None:
    situation, _ = new_reviewer()
    outcome = decide(mail("review@city.test", workbook(CITY), moment=SOON), situation)
    assert ends(outcome) == [Ends.ACCEPTED]
    assert outcome.submissions[0].unregistered is False
    (letter,) = outcome.letters
    assert letter.to.email == "review@city.test"
    assert letter.context["replaced"] == (
        "来信地址自2026年12月28日起不再是登记的地址（现登记的审核员邮箱为n***@city.test），请以后由登记的邮箱报送。"
    )
    short = replace(situation, policy=replace(situation.policy, grace_days=1))
    late = decide(mail("review@city.test", workbook(CITY), moment=SOON), short)
    assert late.submissions[0].unregistered is True
    assert "review@city.test" not in {letter.to.email for letter in late.letters}


def test_a_receipt_from_the_former_address_waits_for_a_person() -> None:
    situation, _ = new_reviewer()
    again = replace(receipt(said(reviewer="市审")), received_at=SOON)
    again = replace(again, sha="e" * 64, message=replace(again.message, sender="review@city.test"))
    after, (outcome,) = fold(situation, again)
    assert ends(outcome) == [Ends.MATCHED, Ends.MATCHED]
    assert not standing(after).accepted
    assert "contacts.set" not in kinds(outcome)


def test_a_receipt_that_contradicts_the_roster_is_told_and_waits_for_a_person() -> None:
    situation, (outcome,) = fold(accepting(), receipt(said(by_reviewer="否")))
    assert not standing(situation).accepted
    against = "审核员“原负责人是否变动”填“否”，姓名却与名册登记的（市审）不同，请核对"
    assert against in doubts(standing(situation))
    assert f"{against}。" in outcome.letters[-1].context["also"]
    situation, _ = fold(accepting(), receipt(said(reviewer="市审")))
    assert any("填“是”" in one for one in doubts(standing(situation)))


def test_the_answer_says_what_is_missing_and_when_all_is_well() -> None:
    _, outcome = new_reviewer()
    assert {letter.id for letter in outcome.letters} == {outcome.letters[-1].id}
    context = outcome.letters[-1].context
    assert context["kind_word"] == "回执表扫描件和电子版"
    assert context["also"] == [
        "扫描件与电子版核对一致，自2026年12月28日起，信函和审核权限以表上所列人员为准。"
    ]
    half = decide(mail(MAIL[CITY], typed(CITY, said()), moment=CHANGED), asking())
    assert half.letters[0].context["also"][0].startswith("尚缺回执表扫描件")


# --- 人员信息 in a school's workbook ----------------------------------------------------------------------------------

PERSON_FIELDS = tuple(Field(name, name, kind) for name, kind in PERSON.items())
WITH_PEOPLE = form_of(number("学生", required=True), number("教师"), *PERSON_FIELDS)


def asking_schools() -> Situation:
    return replace(opened(), forms={**FORMS, "school": WITH_PEOPLE})


def sheet(name: str, email: str, changed: str = "") -> dict[str, RawValue]:
    """A school's answers with its 人员信息."""
    person = {PERSON_NAME: name, PERSON_EMAIL: email, PERSON_CHANGED: changed}
    return {**GOOD, **{key: text for key, text in person.items() if text}}


def understood(form: Form, answers: dict[str, RawValue]) -> dict[str, Value]:
    read = {name: understand(form.by_name[name], typed) for name, typed in answers.items()}
    return {name: seen.value for name, seen in read.items() if isinstance(seen, Understood)}


def approved(
    answers: dict[str, RawValue], sender: str = "school@county.test", said: str = ""
) -> tuple[Situation, Outcome, Outcome]:
    """The school's data and their approval by the county; `said` is the receiving server's word for the school's mail."""
    vouched = said and Policy("own@office.test", trusted_authserv="mx.office.test")
    results = (f"mx.office.test; {said}",) if said else ()
    sent = mail(sender, workbook(SCHOOL, answers), moment=BEFORE, auth_results=results)
    office = asking_schools()
    situation, (came,) = fold(replace(office, policy=vouched) if vouched else office, sent)
    situation = replace(situation, policy=office.policy)
    situation = replace(
        situation,
        answers={
            one.id: understood(
                WITH_PEOPLE, {name: answers[name] for name in kept_answers(came) & answers.keys()}
            )
            for one in came.submissions
        },
    )
    situation, (done,) = fold(
        situation, mail("review@county.test", review(decision(SCHOOL, APPROVE)), moment=CHANGED)
    )
    assert "case.approved" in kinds(done)
    return situation, came, done


def kept_answers(came: Outcome) -> frozenset[str]:
    (event,) = [event for event in came.events if event.kind == "case.submitted"]
    return frozenset((event.personal or {})["answers"])


def administrators(situation: Situation) -> list[tuple[str, str]]:
    day = SOON.date()
    return [(one.name, one.email) for one in situation.roster.people(SCHOOL, Role.ADMINISTRATOR, day)]


def test_a_school_s_new_administrator_is_registered_once_its_data_are_approved() -> None:
    situation, came, done = approved(sheet("新管", "new@county.test", "是"))
    assert "contacts.set" not in kinds(came)
    assert came.letters[0].context["also"] == ["管理员信息与名册登记的（校管）不同，审核通过后按新管登记"]
    (event,) = [event for event in done.events if event.kind == "contacts.set"]
    assert event.data == {"unit": SCHOOL, "from": "2026-12-28", "source": "人员信息"}
    assert administrators(situation) == [("新管", "new@county.test")]


def test_another_address_of_the_same_administrator_needs_no_word_and_the_same_one_changes_nothing() -> None:
    situation, _, _ = approved(sheet("校管", "other@county.test"))
    assert administrators(situation) == [("校管", "other@county.test")]
    _, came, done = approved(sheet("校管", "school@county.test", "否"))
    assert "contacts.set" not in kinds(done)
    assert came.letters[0].context["also"] == []


def test_another_name_without_the_word_is_an_older_copy_s_and_changes_nothing() -> None:
    situation, came, _ = approved(sheet("前管", "former@county.test"))
    assert administrators(situation) == [("校管", "school@county.test")]
    assert "名册不作变更" in came.letters[0].context["also"][0]


def test_a_stranger_s_workbook_names_nobody() -> None:
    situation, came, done = approved(sheet("生人", "stranger@home.test", "是"), "stranger@home.test")
    assert came.submissions[0].unregistered
    assert "contacts.set" not in kinds(done)
    assert administrators(situation) == [("校管", "school@county.test")]


def test_mail_that_the_server_does_not_vouch_for_brings_data_and_names_nobody() -> None:
    for answers in (sheet("新管", "new@county.test", "是"), sheet("校管", "other@county.test")):
        situation, came, done = approved(answers, said="dmarc=none; spf=softfail smtp.mailfrom=county.test")
        assert (came.submissions[0].unregistered, "case.approved" in kinds(done)) == (False, True)
        assert came.letters[0].context["also"][0].startswith("管理员信息未予采用，名册不作变更：来信未通过")
        assert administrators(situation) == [("校管", "school@county.test")]
    situation, _, _ = approved(
        sheet("新管", "new@county.test", "是"), said="dmarc=pass header.from=county.test"
    )
    assert administrators(situation) == [("新管", "new@county.test")]


def test_the_collecting_mailbox_itself_is_nobody_s_address() -> None:
    own = asking_schools().policy.own_address
    situation, came, done = approved(sheet("校管", own))
    assert "contacts.set" not in kinds(done)
    assert came.letters[0].context["also"] == ["管理员电子邮箱是本系统自己的收件邮箱，名册不作变更"]
    assert administrators(situation) == [("校管", "school@county.test")]


def test_last_quarter_s_administrator_does_not_come_back_with_a_confirmation_in_words() -> None:
    situation = with_earlier(asking_schools())
    earlier = situation.earlier[SCHOOL, "school"]
    known = {**earlier.answers, PERSON_NAME: "前管", PERSON_CHANGED: True}
    situation = replace(situation, earlier={(SCHOOL, "school"): replace(earlier, answers=known)})
    outcome = decide(mail(words="无变化", subject=token(SCHOOL), moment=CHANGED), situation)
    (event,) = [event for event in outcome.events if event.kind == "case.submitted"]
    assert (event.personal or {})["answers"] == {**LAST, "无变化": True}


def test_a_copy_is_prefilled_from_the_roster_and_its_person_is_no_figure() -> None:
    fields = [
        replace(field, prefill=Prefill.PERSON_NAME) if field.name == PERSON_NAME else field
        for field in PERSON_FIELDS
    ]
    form = form_of(number("学生"), *fields)
    people = ROSTER.people(SCHOOL, Role.ADMINISTRATOR, BEFORE.date())
    assert prefilled(form, UNITS[SCHOOL], {PERSON_EMAIL: "old@county.test"}, people) == {PERSON_NAME: "校管"}
    assert [field.name for field in form.indicators] == ["学生"]
    old = {"学生": 480, PERSON_NAME: "前管", PERSON_CHANGED: "是"}
    assert carry(form, UNITS[SCHOOL], old, people=people).answers == {"学生": 480, PERSON_NAME: "校管"}
