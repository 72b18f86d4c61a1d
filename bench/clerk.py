"""The honest clerk's script: what a colleague who knows Python writes in an afternoon, nothing slowed down.

Default loop of imap-tools, openpyxl for reading, pandas for putting together, pandas and openpyxl for the workbooks of
each county, city and the province. No ledger, no acknowledgements, no returned workbooks: it does less than ours.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import openpyxl
import pandas as pd
from imap_tools import MailBoxUnencrypted

from bench.task import Task, faults


def run(task: Task) -> int:
    """Take all replies in and write every level's workbook; how many replies counted."""
    frames, problems = [], []
    with MailBoxUnencrypted(task.host, task.port).login(task.user, task.password) as mailbox:
        for msg in mailbox.fetch():
            for att in msg.attachments:
                if not att.filename.endswith(".xlsx"):
                    continue
                book = openpyxl.load_workbook(BytesIO(att.payload), data_only=True)
                marks = {row[0].value: row[1].value for row in book["_huizhi"].iter_rows(max_col=2)}
                answers = {q.name: book[q.sheet].cell(q.row, q.column).value for q in task.questions}
                found = faults(task.questions, answers)
                unit = str(marks["unit"])
                problems += [{"单位代码": unit, "发件人": msg.from_, "问题": fault} for fault in found]
                row = {
                    "单位代码": unit,
                    "单位名称": task.names[unit],
                    "报送时间": msg.date_str,
                    "问题数": len(found),
                }
                row |= {q.label: answers[q.name] for q in task.questions}
                frames.append(pd.DataFrame([row]))
    everything = pd.concat(frames, ignore_index=True).drop_duplicates("单位代码", keep="last")
    for office, name in task.offices.items():
        write(task, office, name, everything, pd.DataFrame(problems))
    return len(everything)


def write(task: Task, office: str, name: str, everything: pd.DataFrame, problems: pd.DataFrame) -> None:
    """One level's workbook: its units' rows, the totals, what is wrong, who is missing."""
    below = [code for code, above in task.above.items() if office in above]
    rows = everything[everything["单位代码"].isin(below)]
    summed = [q.label for q in task.questions if q.summed]
    totals = rows[summed].apply(pd.to_numeric, errors="coerce").sum().rename("合计").to_frame()
    missing = [
        {"单位代码": code, "单位名称": task.names[code]}
        for code in below
        if code not in set(rows["单位代码"])
    ]
    with pd.ExcelWriter(Path(task.out) / f"{office}_{name}.xlsx", engine="openpyxl") as book:
        rows.to_excel(book, sheet_name="明细", index=False)
        totals.to_excel(book, sheet_name="汇总")
        problems[problems["单位代码"].isin(below)].to_excel(book, sheet_name="问题", index=False)
        pd.DataFrame(missing, columns=["单位代码", "单位名称"]).to_excel(book, sheet_name="缺报", index=False)
        sheet = book.sheets["明细"]
        sheet.freeze_panes = "C2"
        sheet.auto_filter.ref = sheet.dimensions


if __name__ == "__main__":
    print(run(Task.read(Path(sys.argv[1]))))
