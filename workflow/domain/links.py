"""Links to files that were left on a server 超大附件 instead of being attached."""

from __future__ import annotations

import re

_WORDS = re.compile(r"超大附件|云附件|文件中转站|网盘链接|提取码[:：]")
_HOSTS = re.compile(
    r"https?://(?:[\w-]+\.)*(?:mail\.qq\.com/(?:cgi-bin/)?ftn|wx\.mail\.qq\.com/ftn|u\.163\.com|dashi\.163\.com|fs\.163\.com|"
    r"mail\.163\.com/large-attachment|pan\.baidu\.com|cloud\.189\.cn|caiyun\.139\.com|cowtransfer\.com|wenshushu\.cn|"
    r"kdocs\.cn|docs\.qq\.com)",
    re.IGNORECASE,
)


def links_to_a_file(words: str, html: str) -> bool:
    """Whether a message has, in the words above the quotation or in its links, a file that is not attached to it."""
    return bool(_WORDS.search(words) or _HOSTS.search(words) or _HOSTS.search(html))
