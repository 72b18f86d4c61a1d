"""A message read: any bytes whatever give a Message, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import lxml.etree
import lxml.html

from workflow.adapters.mail import automatic, headers, received, tree
from workflow.adapters.mail.flowed import rejoined
from workflow.adapters.mail.signed import SIGNATURE_TYPES
from workflow.adapters.mail.tree import Part
from workflow.domain.message import Attachment, Bounce, Message

_REPORT_PARTS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"}
)
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global"})
_OWN_LINE = frozenset(
    {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr", "pre"}
)
_UNSEEN = frozenset({"script", "style", "head", "title", "meta", "template"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def parse(raw: bytes) -> Message:
    """Read a message; what is missing or unreadable is empty in the record. Never raises."""
    header = list(headers.fields(headers.head(raw)))
    fields: dict[str, list[bytes]] = {}
    for name, value in header:
        fields.setdefault(name, []).append(value)
    root = tree.read(raw)

    plain, html = _texts(root)
    text = plain if plain.strip() else text_of_html(html)
    attachments = tuple(_attachments(root, html))
    sender, sender_name = headers.sender(fields.get("from", []))
    bounce = automatic.bounce(raw, root, fields, sender.lower(), text)
    return Message(
        message_id=next(iter(_ids(fields.get("message-id", ()))), ""),
        in_reply_to=tuple(
            dict.fromkeys(
                (*_ids(fields.get("in-reply-to", ())), *reversed(_ids(fields.get("references", ()))))
            )
        ),
        sender=sender,
        sender_name=sender_name,
        to=tuple(
            address
            for name in ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
            for value in fields.get(name, ())
            for _, address in headers.mailboxes(value)
            if address
        ),
        subject=_first(fields, "subject"),
        date=headers.moment(fields["date"][0]) if "date" in fields else None,
        auto=_auto(
            bounce, automatic.auto_reply(root, fields, text, has_files=any(not a.inline for a in attachments))
        ),
        bounce=bounce,
        letter=_first(fields, "x-huizhi-letter"),
        text=text,
        html=html,
        attachments=attachments,
        auth_results=received.verdicts(header),
    )


def _first(fields: dict[str, list[bytes]], name: str) -> str:
    return headers.text(fields[name][0]) if name in fields else ""


def _ids(values: Sequence[bytes]) -> list[str]:
    return [found for value in values for found in headers.ids(value)]


def _auto(bounce: Bounce | None, replied: str) -> str:
    return "bounce" if bounce else replied


def _is_body(part: Part) -> bool:
    if part.content_type.startswith("multipart/"):
        return not part.children  # a container whose parts can't be told: somebody's text after all
    return (
        part.content_type in {"text/plain", "text/html"}
        and not part.name
        and part.disposition != "attachment"
    )


def _texts(root: Part) -> tuple[str, str]:
    """The plain text and the HTML of the message itself, not of messages within it."""
    plain: list[str] = []
    html: list[str] = []
    pending = [root]
    while pending:
        part = pending.pop()
        if part.content_type in _MESSAGE_TYPES:
            continue
        if not part.children and _is_body(part):
            decoded = headers.decode_bytes(part.data, part.charset).replace("\r\n", "\n")
            if part.flowed:
                decoded = rejoined(decoded, delsp=part.delsp)
            (html if part.content_type == "text/html" else plain).append(decoded)
        pending.extend(reversed(part.children))
    return "\n".join(plain), "\n".join(html)


def _attachments(root: Part, html: str) -> Iterator[Attachment]:
    """The files of a message and of the messages within it, in their order."""
    for index, part in enumerate(_files(root, 0)):
        yield Attachment(index, part.name, part.content_type, part.data, _is_inline(part, html))


def _files(part: Part, depth: int) -> Iterator[Part]:
    if part.children:
        for child in part.children:
            yield from _files(child, depth + 1)
    elif part.content_type in _REPORT_PARTS | SIGNATURE_TYPES or part.content_type.startswith("multipart/"):
        return
    elif part.name.lower().endswith(".eml") and part.data and depth < tree.DEPTH:
        # A forwarded message that came as a file is opened like one that came as a message.
        yield from _files(tree.read(part.data), depth + 4)
    elif not _is_body(part):
        yield part


def _is_inline(part: Part, html: str) -> bool:
    """Whether a picture belongs to the text. A photograph sent as a file has neither mark, whatever its name."""
    if not part.content_type.startswith("image/") or part.disposition == "attachment":
        return False
    if part.content_id:
        return part.disposition == "inline" or f"cid:{part.content_id}" in html
    return part.disposition == "inline" and not part.name


def text_of_html(html: str) -> str:
    """The words of an HTML page, a line for each block; the first line of a quotation begins with `> `."""
    if not html.strip():
        return ""
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        page = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return ""
    words: list[str] = []
    skipped = None
    # Iterative: a hostile page is nested deeper than Python's stack.
    for event, element in lxml.etree.iterwalk(page, events=("start", "end")):
        if skipped is not None:
            if event == "end" and element is skipped:
                skipped = None
                words.append(_BLANKS.sub(" ", element.tail or ""))
            continue
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in _UNSEEN:
                skipped = element
                continue
            words.append("\n> " if tag == "blockquote" else "\n" if tag in _OWN_LINE else "")
            words.append(_BLANKS.sub(" ", element.text or ""))
        else:
            words.append("\n" if tag in _OWN_LINE - {"br"} else " " if tag in {"td", "th"} else "")
            words.append(_BLANKS.sub(" ", element.tail or ""))
    lines = [line.strip() for line in "".join(words).replace("\u00a0", " ").split("\n")]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
