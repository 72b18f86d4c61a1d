"""Links to files that were left on a server 超大附件 instead of being attached."""

from __future__ import annotations

import re

_WORDS = re.compile(
    r"超大附件|大附件下载|云附件|文件中转站|网盘链接|云文档链接|提取码[:：]|访问密码[:：]|通过(?:百度网盘|WPS|飞书|钉钉|微云|QQ闪传)\S{0,4}分享"
)
#: Where the mail programs and drives that offices use leave files, by host and the beginning of the path where the host has other uses.
_PLACES = (
    # mailboxes: NetEase (also of enterprises), QQ (also of enterprises), Sina, 139, 189, Aliyun
    r"mail\.(?:163|126|yeah)\.(?:com|net)/large-attachment", r"(?:u|dashi|fs)\.(?:163|126)\.com",
    r"qiye\.163\.com/(?:large-attachment|bigfile|share)", r"(?:ex)?mail\.qq\.com/(?:cgi-bin/)?ftn", r"iwx\.mail\.qq\.com",
    r"mail\.sina\.(?:com\.)?cn/filecenter", r"mail\.(?:10086\.cn|139\.com)/(?:disk|largefile|drive)",
    r"mail\.189\.cn/\S{0,40}large", r"qiye\.aliyun\.com/\S{0,40}(?:bigattach|netdisk)",
    # drives and documents
    r"pan\.baidu\.com", r"cloud\.189\.cn", r"(?:caiyun|yun)\.139\.com", r"cowtransfer\.com", r"wenshushu\.cn",
    r"(?:kdocs|wps)\.cn/(?:[a-z]{1,2}/|office|view|download)", r"kdocs\.cn", r"docs\.qq\.com", r"weiyun\.com",
    r"drive\.weixin\.qq\.com", r"(?:feishu\.cn|larksuite\.com|larkoffice\.com)/(?:file|drive|sheets|docx|base|wiki|space)",
    r"alidocs\.dingtalk\.com", r"(?:alipan|aliyundrive)\.com/s/", r"pan\.quark\.cn", r"123(?:pan|\d{3})\.com/s/", r"lanzou\w\.com",
    r"1drv\.ms", r"dropbox\.com/s", r"drive\.google\.com",
)  # fmt: skip
_HOSTS = re.compile(rf"https?://(?:[\w-]+\.){{0,6}}(?:{'|'.join(_PLACES)})", re.IGNORECASE)


def links_to_a_file(words: str, html: str) -> bool:
    """Whether a message has, in the words above the quotation or in its links, a file that is not attached to it."""
    return bool(_WORDS.search(words) or _HOSTS.search(words) or _HOSTS.search(html))
