"""Files that were left on a server instead of being attached, told by words and by places."""

from __future__ import annotations

import pytest

from workflow.domain.links import links_to_a_file


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("季报见超大附件", ""),
        ("提取码：ab12", ""),
        ("通过百度网盘分享的文件：季报.xlsx", ""),
        ("https://pan.baidu.com/s/1example", ""),
        ("", '<a href="https://mail.163.com/large-attachment-download/?p=1">季报.xlsx</a>'),
        ("", '<a href="HTTPS://WX.mail.qq.com/ftn/download?func=3">季报.xlsx</a>'),
    ],
)
def test_a_file_behind_a_link_is_seen(words: str, html: str) -> None:
    assert links_to_a_file(words, html)


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("附件为季报，请查收", ""),
        ("官网 https://www.example.org/pan", '<a href="https://mail.163.com/">网易邮箱</a>'),
        ("pan.baidu.com", ""),
    ],
)
def test_an_ordinary_link_is_none(words: str, html: str) -> None:
    assert not links_to_a_file(words, html)
