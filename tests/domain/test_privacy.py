"""Who sees which telephone number and address, and how the others are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import (
    CITY,
    CITY_SCHOOL,
    COUNTY,
    DIRECT,
    MINISTRY,
    POINT,
    PROVINCE,
    ROSTER,
    SCHOOL,
    UNIVERSITY,
    WEST,
    form_of,
)
from workflow.domain.form import Field, FieldType, Table
from workflow.domain.privacy import (
    Sight,
    answers_for,
    mask_address,
    mask_phone,
    mask_words,
    number_for,
    sight,
)
from workflow.domain.roster import Role


@pytest.mark.parametrize(
    ("level", "unit", "seen"),
    [
        (COUNTY, SCHOOL, Sight.WHOLE),
        (COUNTY, POINT, Sight.WHOLE),
        (COUNTY, COUNTY, Sight.WHOLE),
        (CITY, COUNTY, Sight.WHOLE),
        (CITY, CITY_SCHOOL, Sight.WHOLE),
        (CITY, SCHOOL, Sight.MASKED),
        (PROVINCE, CITY, Sight.WHOLE),
        (PROVINCE, DIRECT, Sight.WHOLE),
        (PROVINCE, UNIVERSITY, Sight.WHOLE),
        (PROVINCE, COUNTY, Sight.MASKED),
        (PROVINCE, CITY_SCHOOL, Sight.MASKED),
        (PROVINCE, SCHOOL, Sight.WITHHELD),
        (PROVINCE, POINT, Sight.WITHHELD),
        (PROVINCE, MINISTRY, Sight.WITHHELD),
        (WEST, SCHOOL, Sight.WITHHELD),
        (COUNTY, CITY, Sight.WITHHELD),
    ],
)
def test_a_level_sees_whole_whom_it_urges_masked_the_next_below_and_nobody_further(
    level: str, unit: str, seen: Sight
) -> None:
    assert sight(ROSTER, level, unit) is seen


def test_an_inspector_urges_nobody_and_sees_no_number_whole() -> None:
    assert sight(ROSTER, COUNTY, SCHOOL, Role.INSPECTOR) is Sight.MASKED
    assert sight(ROSTER, CITY, SCHOOL, Role.INSPECTOR) is Sight.WITHHELD
    assert sight(ROSTER, COUNTY, SCHOOL, Role.ADMINISTRATOR) is Sight.WHOLE


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13812345678", "138****5678"),
        ("138 1234 5678", "138****5678"),
        ("+86 138-1234-5678", "138****5678"),
        ("0371-55550123", "0371-****0123"),
        ("（010）62345678", "010-****5678"),
        ("03715555012", "0371-****5012"),
        ("0371-55550123-806", "0371-****3806"),
        ("55550123", "****0123"),
        ("110", "****"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_area_and_its_last_digits(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("zhangsan@example.org", "z***@example.org"),
        ("123456789@qq.test", "1***@qq.test"),
        ("某某@school.test", "某***@school.test"),
        ("", "（发件地址不明）"),
        ("no domain", "（发件地址不明）"),
        ("a@请打开 http://evil.test", "（发件地址不明）"),
        ("<b>@school.test", "（发件地址不明）"),
    ],
)
def test_an_address_keeps_its_first_letter_and_its_domain(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("请电话告知县视（0371-55550001）：未办结", "请电话告知县视（0371-****0001）：未办结"),
        ("张三13812345678报送", "张三138****5678报送"),
        ("电话0371-55550031、19900000031。", "电话0371-****0031、199****0031。"),
        ("收件邮箱 huizhi@office.test（127.0.0.1:993）", "收件邮箱 h***@office.test（127.0.0.1:993）"),
        ("未登记的地址 s***@home.test 发来", "未登记的地址 s***@home.test 发来"),
        ("东区第一小学（4101020001）第3次", "东区第一小学（4101020001）第3次"),
        ("邮件 13812345678a 处理失败", "邮件 13812345678a 处理失败"),
        ("高校代码4141010078，2027-01-05 09:30:00", "高校代码4141010078，2027-01-05 09:30:00"),
        ("HZ-AB13812345678", "HZ-AB13812345678"),
        ("20270105093000123", "20270105093000123"),
    ],
)
def test_in_words_numbers_and_addresses_are_masked_and_codes_are_not(words: str, masked: str) -> None:
    assert mask_words(words) == masked


@given(st.text(alphabet="0123456789+-() @.a张z<>", max_size=60))
def test_words_that_were_masked_say_the_same_when_masked_again(words: str) -> None:
    assert mask_words(mask_words(words)) == mask_words(words)


def test_several_numbers_are_masked_one_by_one_and_none_stays_none() -> None:
    numbers = "0371-55550031、19900000031"
    assert number_for(Sight.WHOLE, numbers) == numbers
    assert number_for(Sight.MASKED, numbers) == "0371-****0031、199****0031"
    assert number_for(Sight.WITHHELD, numbers) == "不列示"
    assert number_for(Sight.WITHHELD, "") == ""


def test_of_answers_only_contacts_are_hidden_in_tables_too() -> None:
    columns = (
        Field("值班.姓名", "姓名", FieldType.TEXT),
        Field("值班.手机", "手机", FieldType.PHONE),
    )
    form = form_of(
        Field("邮箱", "邮箱", FieldType.EMAIL), Field("学生", "学生", FieldType.INTEGER),
        tables=(Table("值班", columns, 2),),
    )  # fmt: skip
    answers = {
        "填表人": "王芳 13812345678", "联系电话": "0371-55550110", "邮箱": "wang@school.test", "学生": 480,
        "值班.1.姓名": "李强", "值班.1.手机": "13912345678", "值班.3.手机": "13712345678",
    }  # fmt: skip
    assert answers_for(Sight.WHOLE, form, answers) == answers
    assert answers_for(Sight.MASKED, form, answers) == {
        "填表人": "王芳 138****5678", "联系电话": "0371-****0110", "邮箱": "w***@school.test", "学生": 480,
        "值班.1.姓名": "李强", "值班.1.手机": "139****5678", "值班.3.手机": "137****5678",
    }  # fmt: skip
    assert answers_for(Sight.WITHHELD, form, answers) == {
        "填表人": "王芳 138****5678", "联系电话": "不列示", "邮箱": "不列示", "学生": 480,
        "值班.1.姓名": "李强", "值班.1.手机": "不列示", "值班.3.手机": "不列示",
    }  # fmt: skip
    assert answers_for(Sight.WITHHELD, form, {"学生": 480}) == {"学生": 480}
