"""What the providers and programs of offices make of a message on its way; docs/faults.md names the tests."""

from __future__ import annotations

import base64
import datetime as dt
from email.message import EmailMessage
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from tests.adapters.workbook.damage import tnef
from workflow.adapters.mail.mime import parse, quoted_above
from workflow.adapters.mail.signed import signed_content
from workflow.adapters.workbook.sniff import sniff
from workflow.domain.links import links_to_a_file
from workflow.domain.matching import confirms_no_change
from workflow.domain.submission import ReadOutcome

LINKS = {
    "163": "https://mail.163.com/large-attachment-download/index.html?p=X-NETEASE-HUGE-ATTACHMENT&file=a",
    "163, older": "http://u.163.com/t0/abc",
    "163, 网易邮箱大师": "https://dashi.163.com/html/cloud-attachment-download/?key=x",
    "126": "https://mail.126.com/large-attachment-download/x",
    "网易企业邮箱": "https://mailh.qiye.163.com/large-attachment-download/x",
    "QQ": "https://wx.mail.qq.com/ftn/download?func=3&k=abc",
    "QQ, older": "http://mail.qq.com/cgi-bin/ftnExs_download?k=1",
    "腾讯企业邮": "https://exmail.qq.com/cgi-bin/ftnExs_download?t=exs_ftn_download&k=1",
    "新浪": "https://mail.sina.com.cn/filecenter/download.php?id=1",
    "139": "https://mail.10086.cn/disk/x",
    "WPS": "https://www.kdocs.cn/l/cabc",
    "WPS 365": "https://365.kdocs.cn/l/ckabc",
    "WPS 表单": "https://f.wps.cn/g/abc",
    "飞书": "https://example.feishu.cn/file/boxcn123",
    "飞书表格": "https://example.feishu.cn/sheets/shtcn",
    "腾讯文档": "https://docs.qq.com/sheet/D",
    "微信微盘": "https://drive.weixin.qq.com/s?k=x",
    "钉钉": "https://alidocs.dingtalk.com/i/nodes/x",
    "百度网盘": "https://pan.baidu.com/s/1",
    "阿里云盘": "https://www.alipan.com/s/x",
    "天翼云盘": "https://cloud.189.cn/t/x",
    "微云": "https://share.weiyun.com/abc",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
def test_a_link_to_a_file_left_on_a_server_is_known(link: str) -> None:
    assert links_to_a_file("", f'<a href="{link}">季报.xlsx</a>')
    assert links_to_a_file(f"请下载：{link}", "")


@pytest.mark.parametrize(
    "words",
    [
        "本单位网址 https://www.163.com/ 和 https://mail.qq.com/",
        "https://www.feishu.cn/ 会议",
        "https://example.cn/wps.cn/",
        "附件已填好。",
        "https://www.wps.cn/",
    ],
)
def test_any_other_link_is_none(words: str) -> None:
    assert not links_to_a_file(words, words)


def inner(kind: str = "mixed") -> bytes:
    made = EmailMessage()
    made.set_content("已填好，请查收。")
    if kind == "mixed":
        made.add_attachment(
            b"PK\x03\x04", maintype="application", subtype="octet-stream", filename="季报.xlsx"
        )
    return made.as_bytes()


@cache
def person() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "school.test")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(day).not_valid_after(day + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made


def sign(content: bytes, encoding: serialization.Encoding, *options: pkcs7.PKCS7Options) -> bytes:
    key, certificate = person()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(encoding, [pkcs7.PKCS7Options.Binary, *options])


def with_body(content_type: str, data: bytes) -> bytes:
    head = (
        f"From: li@school.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(data)


def in_pieces(data: bytes) -> bytes:
    """A DER SignedData with the length of every outer element left open and the content in pieces, as Outlook writes it."""
    content = signed_content(data)
    assert content is not None
    halves = [content[:10], content[10:]]
    octets = b"\x24\x80" + b"".join(b"\x04" + size(len(half)) + half for half in halves) + b"\0\0"
    encap = b"\x30\x80" + bytes.fromhex("06092a864886f70d010701") + b"\xa0\x80" + octets + b"\0\0" + b"\0\0"
    signed = b"\x30\x80" + b"\x02\x01\x01" + b"\x31\x00" + encap + b"\x31\x00" + b"\0\0"
    return b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + signed + b"\0\0" + b"\0\0"


def size(length: int) -> bytes:
    return bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2, "big")


@pytest.mark.parametrize("name", ["application/pkcs7-mime", "application/x-pkcs7-mime"])
@pytest.mark.parametrize("open_ended", [False, True])
def test_what_is_signed_as_a_whole_is_read(name: str, *, open_ended: bool) -> None:
    data = sign(inner(), serialization.Encoding.DER)
    data = in_pieces(data) if open_ended else data
    raw = with_body(f'{name}; smime-type=signed-data; name="smime.p7m"', data)
    message = parse(raw)
    assert message.text.strip() == "已填好，请查收。"
    assert [(one.name, one.data) for one in message.attachments] == [("季报.xlsx", b"PK\x03\x04")]


def test_what_is_signed_beside_its_signature_is_read_and_the_signature_is_no_file() -> None:
    signed = sign(inner(), serialization.Encoding.SMIME, pkcs7.PKCS7Options.DetachedSignature)
    message = parse(b"From: li@school.test\r\n" + signed)
    assert message.text.strip() == "已填好，请查收。"
    assert [one.name for one in message.attachments] == ["季报.xlsx"]


def test_what_is_signed_twice_is_read_and_without_end_it_is_read_so_far() -> None:
    data = inner()
    for _ in range(2):
        data = with_body(
            "application/pkcs7-mime; smime-type=signed-data", sign(data, serialization.Encoding.DER)
        )
    assert [one.name for one in parse(data).attachments] == ["季报.xlsx"]
    for _ in range(15):
        data = with_body(
            "application/pkcs7-mime; smime-type=signed-data", sign(data, serialization.Encoding.DER)
        )
    assert [one.content_type for one in parse(data).attachments] == ["application/pkcs7-mime"]


def test_an_encrypted_message_is_told_so() -> None:
    enveloped = bytes.fromhex("308006092a864886f70d010703a080") + b"\x30\x80\x02\x01\x00" + b"\0" * 40
    [file] = parse(with_body("application/pkcs7-mime; smime-type=enveloped-data", enveloped)).attachments
    sniffed = sniff(file.data)
    assert sniffed.refused is ReadOutcome.ENCRYPTED
    assert "S/MIME" in sniffed.reason


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 20, 60, 200])
def test_damaged_signed_data_is_a_file_like_any_other(cut: int) -> None:
    data = sign(inner(), serialization.Encoding.DER)
    for broken in (data[:cut], data[cut:], b"\x30\x80" * 5000, data[:cut] + b"\xff" * 50 + data[cut:]):
        assert len(parse(with_body("application/pkcs7-mime", broken)).attachments) <= 1
        signed_content(broken)


@pytest.mark.parametrize("content_type", ["application/ms-tnef", "application/octet-stream"])
def test_a_winmail_dat_is_a_file_whatever_its_type(content_type: str) -> None:
    data = tnef({"jibao.xlsx": b"PK\x03\x04"})
    [file] = parse(with_body(f'{content_type}; name="winmail.dat"', data)).attachments
    assert (file.name, sniff(file.data).container) == ("winmail.dat", "tnef")


HEADERS = {
    "gb18030 raw": "主题：镕基小学".encode("gb18030"),
    "utf-8 raw": "主题：镕基小学".encode(),
    "gb2312 word with gbk signs": b"=?gb2312?B?" + base64.b64encode("主题：镕基小学".encode("gbk")) + b"?=",
    "gb18030 word": b"=?GB18030?B?" + base64.b64encode("主题：镕基小学".encode("gb18030")) + b"?=",
    "two words that part a sign": b"=?utf-8?B?"
    + base64.b64encode("主题：镕基小学".encode()[:7])
    + b"?= =?utf-8?B?"
    + base64.b64encode("主题：镕基小学".encode()[7:])
    + b"?=",
    "word with no end of padding": b"=?utf-8?B?"
    + base64.b64encode("主题：镕基小学".encode()).rstrip(b"=")
    + b"?=",
    "quoted printable": b"=?utf-8?Q?"
    + "".join(f"={byte:02X}" for byte in "主题：镕基小学".encode()).encode()
    + b"?=",
}


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS.keys())
def test_a_subject_is_read_in_every_dialect(value: bytes) -> None:
    raw = b"From: li@school.test\r\nSubject: " + value + b"\r\n\r\nx"
    assert parse(raw).subject == "主题：镕基小学"


def test_big5_words_and_text_are_read() -> None:
    subject = b"=?big5?B?" + base64.b64encode("第一小學".encode("big5")) + b"?="
    body = "無變化".encode("big5")
    raw = b"Subject: " + subject + b"\r\nContent-Type: text/plain; charset=big5\r\n\r\n" + body
    message = parse(raw)
    assert (message.subject, message.text) == ("第一小學", "無變化")
    assert confirms_no_change(message.text)


FLOWED = {
    "above": "无变化\r\n\r\n> 引用 \r\n> 原文",
    "soft breaks": "本季度数据 \r\n无变化。 \r\n\r\n于 2026/12/10 9:00, 教育厅 写道：\r\n> 引用",
    "stuffed": " 无变化\r\n\r\nOn Thu, Dec 10, 2026 at 9:00 AM 教育厅 <a@b.test> wrote:\r\n>x",
    "with a signature": "无变化\r\n-- \r\n示例县第一小学信息中心 李老师 办公电话 0371-55550000，如有问题请与我联系？\r\n> 引用",
}


@pytest.mark.parametrize("body", FLOWED.values(), ids=FLOWED.keys())
def test_no_change_is_read_above_a_flowed_quotation(body: str) -> None:
    raw = f"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n{body}".encode()
    assert confirms_no_change(quoted_above(parse(raw).text))


def test_words_in_html_alone_are_read_above_its_quotation() -> None:
    raw = (
        "Content-Type: text/html; charset=gb18030\r\n\r\n<div>无变化</div><blockquote>请填报</blockquote>"
    ).encode("gb18030")
    assert confirms_no_change(quoted_above(parse(raw).text))
