"""Messages as bytes: what others wrote is read, what we write is composed."""

from __future__ import annotations

from workflow.adapters.mail.compose import compose
from workflow.adapters.mail.digest import content_digest
from workflow.adapters.mail.parse import parse
from workflow.adapters.mail.quotation import quoted_above
from workflow.adapters.mail.received import received_at

__all__ = ["compose", "content_digest", "parse", "quoted_above", "received_at"]
