"""Printing letters 印制: drafts put into words, made into mail and kept on disk; many of them in a process beside this one."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.adapters.beside import Beside
from workflow.adapters.files import Files
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.mail.compose import compose
from workflow.domain.letters import KeptFile


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter of which everything is known but its words: `context` is what its templates say. `to` is (name, address)."""

    kind: str
    context: Mapping[str, Any]
    to: tuple[str, str]
    at: dt.datetime
    message_id: str
    headers: Mapping[str, str]
    attachments: Sequence[tuple[str, bytes] | KeptFile] = ()


@dataclass(frozen=True, slots=True)
class Printed:
    """A letter that is safe on disk: its subject and the sha256 of its bytes."""

    subject: str
    sha: str


@dataclass(frozen=True)
class Press:
    """What it takes to print letters. `sender` is (name, address); many pieces are printed in `beside` further processes,
    or here where that is 0.
    """

    templates: LetterTemplates
    files: Files
    sender: tuple[str, str]
    beside: int = 2

    def printed(self, drafts: Sequence[Draft]) -> list[Printed]:
        """Print the letters; in their order, safe on disk when this returns."""
        letters = [self._letter(draft) for draft in drafts]
        shas = self.files.keep_letters([raw for _, raw in letters])
        return [Printed(subject, sha) for (subject, _), sha in zip(letters, shas, strict=True)]

    def printed_ahead(self, pieces: Iterable[Sequence[Draft]]) -> Generator[list[Printed], None, None]:
        """Print piece after piece. More than one are printed beside this process, in turns, while the caller has the
        pieces before and drafts those after.
        """
        drafted = iter(pieces)
        first = list(itertools.islice(drafted, 2))
        drafted = itertools.chain(first, drafted)
        if len(first) < 2 or not self.beside:
            yield from map(self.printed, drafted)
            return
        with ExitStack() as stack:
            others = [stack.enter_context(self._other()) for _ in range(self.beside)]
            printing: deque[Beside] = deque()
            for other, drafts in zip(itertools.cycle(others), drafted, strict=False):
                letters = [printing.popleft().take()] if len(printing) == self.beside else []
                other.give(drafts)
                printing.append(other)
                yield from letters
            for other in printing:
                yield other.take()

    def _other(self) -> Beside:
        """The same press in another process."""
        maker = f"{__name__}:printer"
        return Beside("印制信件的进程", maker, self.templates.folder, self.files.root, self.sender)

    def _letter(self, draft: Draft) -> tuple[str, bytes]:
        attachments = [
            (one.name, self.files.outbox(one.path)) if isinstance(one, KeptFile) else one
            for one in draft.attachments
        ]
        rendered = self.templates.render(draft.kind, draft.context)
        raw = compose(
            sender=self.sender,
            to=draft.to,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            attachments=attachments,
            message_id=draft.message_id,
            date=draft.at,
            headers=draft.headers,
        )
        return rendered.subject, raw


def printer(
    templates: Path, root: Path, sender: tuple[str, str]
) -> Callable[[Sequence[Draft]], list[Printed]]:
    """The same press in another process."""
    return Press(LetterTemplates(templates), Files(root), sender).printed
