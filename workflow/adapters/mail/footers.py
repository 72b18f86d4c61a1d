"""What programs and mailing lists write below a person's words: marks of telephones and mailboxes, notices of confidentiality and of
forwarding, footers of lists. None of it is the person's, and its words must not be read as an answer, or as a doubt about one.
"""

from __future__ import annotations

import re

#: Of a line so much is looked at.
_LOOKED_AT = 200
_BLANKS = r"[ \t\u00a0\u3000*>|｜\[【（(—_~-]*"
_DEVICES = (
    r"iPhone|iPad|Mac|手机|平板|电脑|客户端|邮箱|Mail|Outlook|Foxmail|WPS|企业微信|微信|钉钉|飞书|Android|安卓|Windows"
    r"|HUAWEI|华为|荣耀|HONOR|Xiaomi|小米|Redmi|红米|vivo|OPPO|三星|Galaxy|魅族|一加"
)
#: A line of its own: 发自我的iPhone · 发自网易邮箱大师 · 来自QQ邮箱手机版 · 签名由网易邮箱大师定制 · 获取 Outlook for iOS
_LINES = re.compile(
    _BLANKS
    + r"(?:"
    + rf"(?:发自|发送自|來自|来自|来源于|用)[ \t]*(?:我的|于)?[^\n，。；,;]{{0,20}}?(?:{_DEVICES})[^\n，。；,;]{{0,24}}"
    + r"|[发發]自我的[^\n，。；,;]{0,30}"
    + rf"|(?:从|由|通过|使用)[ \t]*(?:我的)?[ \t]*[^\n，。；,;]{{0,12}}?(?:{_DEVICES})[^\n，。；,;]{{0,20}}(?:发送|发出|寄出|定制)"
    + r"|签名由[^\n，。；,;]{0,20}定制"
    + r"|(?:QQ|网易|163|126|139|189|沃|新浪|搜狐|阿里|Tom|21CN)[ \t]*邮箱(?:大师|手机版|App)?(?:[ \t]*[-|｜—–:：][^\n]*)?"
    + r"|(?:获取|下载|Get)[ \t][^\n]{0,30}(?:Outlook|网易邮箱大师|Foxmail|QQ邮箱)[^\n]{0,40}"
    + r"|(?:Sent|Enviado|Gesendet) (?:from|via|with|using|by) [^\n]{0,60}"
    + r"|[^\n，。]{0,20}(?:网易自营|网易严选|邮箱会员|有道云笔记)[^\n]*"
    + r"|(?:广告|推广)[ \t]*[:：][^\n]*"
    + r"|(?:此|本|该)(?:电子)?邮件(?:由|系由|是由|经|已经?过?)[^\n，。]{0,40}(?:转发|代发|自动(?:转发|发送)|扫描|检测|查杀|过滤)[^\n]{0,60}"
    + r"|(?:This (?:e-?mail|message) (?:was|has been) (?:automatically )?(?:forwarded|scanned|checked)|Virus-free)[^\n]*"
    + r")[ \t\u00a0\u3000*>|｜\]】）)。.!！—_~-]*",
    re.IGNORECASE,
)
#: The beginning of a paragraph that is a notice to its end.
_NOTICE = re.compile(
    _BLANKS
    + r"(?:"
    + r"(?:邮件)?(?:保密|机密|免责|法律)(?:性)?(?:声明|申明|提示|提醒|须知|条款|通知|说明|警告|告知)"
    + r"|(?:此|本|该)(?:电子)?(?:邮件|信件|电邮)(?:及其?|和|与)?(?:任何|所有|全部)?(?:附件|附带文件)?(?:内容)?[^\n。]{0,30}"
    r"(?:保密|机密|专有|仅供|仅限|只供|专供|特定收件人|指定(?:的)?收件人)"
    + r"|(?:如果?|若)[您你](?:错误地?|误|不是)[^\n。]{0,12}(?:收到|收件人)"
    + r"|This (?:e-?mail|message|communication)[^\n]{0,80}(?:confidential|intended|privileged|proprietary)"
    + r"|The information (?:contained )?in this (?:e-?mail|message)|If you (?:are not|have received) "
    + r"|(?:Confidentiality|Legal|Privacy) (?:Notice|Disclaimer|Statement)|Disclaimer[ \t]*[:：]|IMPORTANT NOTICE"
    + r")",
    re.IGNORECASE,
)
#: A list's footer, from its rule or first line to the end.
_FOOTER = re.compile(
    r"^[ \t\u00a0]*(?:"
    r"_{10,}[ \t]*\n[^\n]{0,120}(?:mailing list|邮件列表|邮件组|讨论组|list info)"
    r"|-{2,}~-{2,}~"
    r"|--[ \t]*\n(?:[^\n]{0,120}\n)?[^\n]{0,80}(?:mailing list|邮件列表|邮件组|unsubscribe|退订|订阅)"
    r"|[-—_=]*[ \t]*(?:You (?:received|are receiving) this (?:message|e-?mail) because|To (?:unsubscribe|post to this)|Unsubscribe)"
    r"|[-—_=]*[ \t]*(?:[您你](?:之所以)?收到(?:此|本|这封)?邮件,?，?是因为|如[需要]{1,2}退订|退订(?:本|此)?邮件|取消订阅|退订请)"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_PARAGRAPHS = re.compile(r"(\n[ \t\u00a0\u3000]*\n)")
_BARS = re.compile(r"[ \t\u00a0]*[|｜][ \t\u00a0|｜]*")  # of a table whose cells hold nothing
_RULE = re.compile(r"[ \t\u00a0]*[-_—=*]{3,}[ \t\u00a0]*")


def without_footers(words: str) -> str:
    """The words without what programs wrote below or between them. Of a notice its paragraph goes, so that a word of the
    person's further down stays; a list's footer goes to the end.
    """
    footer = _FOOTER.search(words)
    words = words[: footer.start()] if footer else words
    kept = []
    for piece in _PARAGRAPHS.split(words):
        lines = []
        for line in piece.split("\n"):
            seen = line[:_LOOKED_AT]
            if _NOTICE.match(seen):
                break
            if not _LINES.fullmatch(seen) and not _BARS.fullmatch(line):
                lines.append(line)
        kept.append("\n".join(lines))
    found = "".join(kept).rstrip().split("\n")
    while found and (not found[-1].strip() or _RULE.fullmatch(found[-1])):
        found.pop()
    return "\n".join(found).strip()
