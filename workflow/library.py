"""The workspace's forms: the definitions that lie there, and those that campaigns were opened with, each compiled once."""

from __future__ import annotations

from pathlib import Path

from workflow.adapters.files import Files
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.master import CompiledForm
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import Form


class Library:
    """Forms by the folder of their templates and by the sha of definitions once used, which are kept for good."""

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._files = files
        self._compiled: dict[str, CompiledForm] = {}

    def templates(self, below: str = "") -> dict[str, tuple[Form, str]]:
        """The forms of the folder, or of one below it, by id with the sha of each definition, kept; raises Refused with all their
        faults.
        """
        folder = self._folder / below
        forms: dict[str, tuple[Form, str]] = {}
        faults: list[Fault] = []
        for path in sorted(folder.glob("[!~.]*.xlsx")):
            data = path.read_bytes()
            try:
                compiled = compile_form(data, path.name)
            except Refused as refused:
                faults.extend(refused.faults)
                continue
            if compiled.form.id in forms:
                faults.append(
                    Fault(path.name, f"表单标识 {compiled.form.id} 与另一个表单重复", "请改用不同的标识")
                )
            sha = self._files.keep_form(data)
            self._compiled[sha] = compiled
            forms[compiled.form.id] = (compiled.form, sha)
        if not forms and not faults:
            faults.append(Fault(str(folder), "没有表单", "请放入 .xlsx 表单"))
        if faults:
            raise Refused(faults)
        return forms

    def compiled(self, form: str, sha: str) -> CompiledForm:
        """A kept definition of a form; it is compiled under the name that its file had, which is the form's id."""
        if sha not in self._compiled:
            self._compiled[sha] = compile_form(self._files.form(sha), f"{form}.xlsx")
        return self._compiled[sha]
