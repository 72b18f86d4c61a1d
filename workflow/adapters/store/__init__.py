"""The state: an append-only ledger of events and the tables projected from it, in SQLite or PostgreSQL.

`tables` says what is kept, `projections` how events become rows, `ledger` how they are written and proven, the query
modules what can be asked, `copy` what stands in the workspace's `ledger/` folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workflow.adapters.store.account_queries import AccountQueries
from workflow.adapters.store.erasure import Erasure
from workflow.adapters.store.late_queries import LateQueries
from workflow.adapters.store.legacy_queries import LegacyQueries
from workflow.adapters.store.mail_log_queries import MailLogQueries
from workflow.adapters.store.mail_queries import MailQueries
from workflow.adapters.store.problem_queries import ProblemQueries
from workflow.adapters.store.quarantine_queries import QuarantineQueries
from workflow.adapters.store.receipt_queries import ReceiptQueries
from workflow.adapters.store.records import (
    AttachmentRow,
    Cursor,
    Failure,
    LateReturn,
    LedgerCheck,
    LegacyTrace,
    LetterRow,
    LetterState,
    MadeBook,
    MailCounts,
    MessageRow,
    Pause,
    ReceiptRow,
    Seen,
    Settlement,
    StaffQuery,
    StoredAnswers,
    TraceRow,
)
from workflow.adapters.store.roster_queries import RosterQueries
from workflow.adapters.store.sending_queries import SendingQueries
from workflow.adapters.store.work_queries import WorkQueries


class Store(
    Erasure,
    RosterQueries,
    WorkQueries,
    MailQueries,
    MailLogQueries,
    SendingQueries,
    LateQueries,
    QuarantineQueries,
    ReceiptQueries,
    AccountQueries,
    LegacyQueries,
    ProblemQueries,
):
    """A workspace's state. `url` is SQLAlchemy's: `sqlite:////path/state.db` or `postgresql+psycopg://…`.

    Every method may raise OutsideFailed when the database does not answer. `reached` is called with `committed` when
    an append stands in the database and not yet in the copy.
    """

    def __init__(
        self, url: str, ledger_folder: Path, *, reached: Callable[[str], None] = lambda _point: None
    ) -> None:
        super().__init__(url, ledger_folder, reached)


__all__ = [
    "AttachmentRow",
    "Cursor",
    "Failure",
    "LateReturn",
    "LedgerCheck",
    "LegacyTrace",
    "LetterRow",
    "LetterState",
    "MadeBook",
    "MailCounts",
    "MessageRow",
    "Pause",
    "ReceiptRow",
    "Seen",
    "Settlement",
    "StaffQuery",
    "Store",
    "StoredAnswers",
    "TraceRow",
]
