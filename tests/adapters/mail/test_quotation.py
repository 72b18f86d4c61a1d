from __future__ import annotations

import pytest

from workflow.adapters.mail.mime import quoted_above

QUOTATIONS = {
    "QQ Mail": '------------------ 原始邮件 ------------------\n发件人: "回执" <huizhi@huizhi.test>;\n无变化',
    "QQ Mail with hard blanks": "------------------\u00a0原始邮件\u00a0------------------\n发件人: x\n",
    "163": '在 2026-10-08 09:00:00，"回执" <huizhi@huizhi.test> 写道：\n> 无变化',
    "163 of two lines": '在 2026-10-08 09:00:00，"回执"\n<huizhi@huizhi.test> 写道：\n无变化',
    "163 of today": "---- 回复的原邮件 ----\n| 发件人 | 回执<huizhi@huizhi.test> |\n| 发送日期 | 2026年10月8日 |",
    "163 in English": 'At 2026-10-08 09:00:00, "回执" <huizhi@huizhi.test> wrote:\n>无变化',
    "Outlook": "发件人: 回执 <huizhi@huizhi.test>\n发送时间: 2026年10月8日 9:00\n收件人: a\n主题: 无变化",
    "Outlook in English": "From: huizhi@huizhi.test\nSent: Thursday\nTo: a\nSubject: x",
    "Outlook with a rule": "________________________________\n发件人: 回执\n发送时间: 2026年10月8日\n",
    "old Outlook": "-----Original Message-----\nFrom: x",
    "Foxmail": "发件人： 回执\n发送时间： 2026-10-08 09:00\n收件人： a\n",
    "iPhone": "发自我的 iPhone\n\n> 在 2026年10月8日，09:00，回执 <huizhi@huizhi.test> 写道：\n> \n> 无变化",
    "Gmail": "回执 <huizhi@huizhi.test> 于2026年10月8日周四 09:00写道：\n\n> 无变化",
    "Gmail in English": "On Thu, Oct 8, 2026 at 9:00 AM 回执 <huizhi@huizhi.test>\nwrote:\n\n> x",
    "only angle brackets": "> 无变化",
}


@pytest.mark.parametrize("quotation", QUOTATIONS.values(), ids=QUOTATIONS.keys())
def test_only_the_words_above_the_quotation_are_the_person_s(quotation: str) -> None:
    assert quoted_above(f"确认。\r\n\r\n{quotation}") == "确认。"
    assert quoted_above(quotation) == ""


@pytest.mark.parametrize(
    "text", ["无变化", "发件人: 李某", "在 2026 年我校新建机房\n并写明情况", "第一行\n\n- 第二行\n2 > 1", ""]
)
def test_a_letter_without_a_quotation_is_kept_whole(text: str) -> None:
    assert quoted_above(text) == text
