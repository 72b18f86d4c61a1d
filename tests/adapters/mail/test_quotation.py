from __future__ import annotations

import time

import pytest

from workflow.adapters.mail.mime import quoted_above
from workflow.domain.matching import answers_query, confirms_decision, confirms_no_change
from workflow.domain.submission import Bucket

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


#: What programs and lists write below a person's words; much of it would be read as a doubt, a question or an answer.
FOOTERS = {
    "iPhone": "发自我的iPhone",
    "iPhone with blanks": "发自我的 iPhone ",
    "163": "发自网易邮箱大师",
    "163 with a blank": "| |\n发自 网易邮箱大师",
    "163's card": "签名由 网易邮箱大师 定制",
    "QQ": "发自QQ邮箱",
    "QQ on a telephone": "来自QQ邮箱手机版",
    "QQ's name": "QQ邮箱 - 常联系，是否试试新版？",
    "Huawei": "发自我的华为手机",
    "Xiaomi": "———\n发自 小米邮箱",
    "Foxmail": "来自 Foxmail for Mac",
    "Windows": "从 Windows 版邮件发送",
    "Outlook": "获取 Outlook for iOS<https://aka.ms/o0ukef>",
    "in English": "Sent from my iPad",
    "企业微信": "发自我的企业微信",
    "an advert": "【网易自营|30天无忧退货】日本匠心，要不要看看？",
    "forwarded by a rule": "此邮件由示例县教育局邮件系统自动转发，如有疑问请联系管理员",
    "forwarded for somebody": "本邮件由办公室代收转发。",
    "scanned": "本邮件已经过网关安全扫描，未发现病毒",
    "a notice": "保密声明：本邮件含有保密信息，仅限收件人使用。如果您不是收件人，请立即删除并告知是否误收？",
    "a notice in two tongues": "【免责声明】\n本邮件不构成确认，如有变化以书面为准。\n\nThis e-mail and any attachments are confidential.",
    "a notice in words": "本邮件及其附件内容仅供指定收件人使用，若您误收本邮件，请问是否可以通知我们？",
    "in English to the end": "CONFIDENTIALITY NOTICE: not what was intended?\nIf you have received this in error",
    "Mailman": "_______________________________________________\n校办 mailing list\nxb@list.test\n如有变化，是否退订？",
    "Google Groups": "-- \nYou received this message because you are subscribed to the Google Groups",
    "a list in Chinese": "--\n示例县学校邮件列表\n退订请回复“退订”，是否退订？",
    "why one gets it": "您收到此邮件是因为您订阅了校园邮件组。如需退订请点此，是否确认？",
    "a signature without its blank": "--\n李老师 如有变化请与我联系？",
    "several": "发自我的iPhone\n\n本邮件仅供收件人使用，是否误收？\n\n此邮件由教育云自动转发",
}


@pytest.mark.parametrize("footer", FOOTERS.values(), ids=FOOTERS.keys())
def test_what_programs_and_lists_add_is_nobody_s_word(footer: str) -> None:
    for above in ("无变化", "确认", "非本单位报送"):
        assert quoted_above(f"{above}\r\n\r\n{footer}") == above
        assert quoted_above(f"{above}\n{footer}\n\n> 引用") == above
    assert quoted_above(footer) == ""
    assert confirms_no_change(quoted_above(f"本季度无变化。\n{footer}"))
    assert answers_query(quoted_above(f"确认\n{footer}")) is Bucket.REQUEST
    assert confirms_decision(quoted_above(f"非本人审核\n{footer}")) is False


@pytest.mark.parametrize(
    "words",
    [
        "发自内心地说，本季度有变化",
        "来自上级的通知已收到，数据有变化",
        "请问此邮件由谁转发给我们？",
        "本邮件所附工作簿为我校第二次报送",
        "我校使用企业微信报送，数据有变化，见附件",
        "从今年起本校使用新的手机号码13800000000",
        "保密工作按要求办理，设备数有变化",
        "无变化\n发自我的iPhone\n\n另：教师数请按30人改",
        "无变化\n\n保密声明：仅供收件人使用\n\n更正：教师数有变化",
    ],
)
def test_a_persons_own_words_stay_also_below_such_a_line(words: str) -> None:
    own = [
        line
        for line in words.splitlines()
        if line and not line.startswith("发自我的iPhone") and not line.startswith("保密声明")
    ]
    assert [line for line in quoted_above(words).splitlines() if line] == own


def test_a_long_line_costs_a_moment() -> None:
    before = time.process_time()
    for sign in (" ", "*", "发自我的", "本邮件", "从", "-", "_", "由手机", "> ", "退订", "[【"):
        quoted_above(sign * 100_000)
        quoted_above(f"{sign}\n" * 30_000)
        quoted_above(("x" * 150 + sign + "\n") * 500)
    assert time.process_time() - before < 10
