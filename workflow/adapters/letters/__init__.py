"""Letters in words: Jinja2 templates of a folder, rendered, or filled in where only names and numbers differ."""

from __future__ import annotations

from workflow.adapters.letters.templates import LetterTemplates
from workflow.adapters.letters.wording import Rendered

__all__ = ["LetterTemplates", "Rendered"]
