"""`form new`: a first definition for a workbook with tags, guessed from the words beside them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter

from tests.adapters.workbook.forms import FIELDS, PAGE, by_openpyxl, parts, tables
from tests.adapters.workbook.test_compile import PIXEL
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.draft import draft_form
from workflow.cli import main
from workflow.domain.errors import Refused
from workflow.domain.form import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.servers.office import Office

SHEET = {
    "A1": "学校信息化情况表",
    "A2": "表号：示例1表",
    "A3": "制表机关：示例省教育厅",
    "A4": "1. 在校生数（人）：",
    "B4": "{{在校生数}}",
    "C4": "人",
    "A5": "是否接入互联网",
    "B5": "{{接入}}",
    "A6": "联系电话",
    "B6": "{{联系电话}}",
    "C6": "电子邮箱",
    "D6": "{{邮箱}}",
    "A7": "建网日期",
    "B7": "{{建网日期}}",
    "A8": "多媒体教室比例",
    "B8": "{{比例}}",
    "A9": "信息化经费",
    "B9": "{{经费}}",
    "C9": "万元",
    "A10": "接入方式",
    "B10": "{{方式}}",
    "B12": "是否使用",
    "C12": "用户数",
    "A13": "学籍系统",
    "B13": "{{学籍使用}}",
    "C13": "{{学籍用户}}",
    "D14": "校长签字",
    "D15": "{{签字}}",
    "A16": "序号",
    "B16": "设备名称",
    "C16": "数量（台）",
    "A17": "1",
    "B17": "{{设备.名称}}",
    "C17": "{{设备.数量}}",
    "A20": "{{@令牌}}",
}
GUESSED = {
    "在校生数": ("在校生数（人）", "整数", "人"),
    "接入": ("是否接入互联网", "是否", None),
    "联系电话": ("联系电话", "电话", None),
    "邮箱": ("电子邮箱", "邮箱", None),
    "建网日期": ("建网日期", "日期", None),
    "比例": ("多媒体教室比例", "百分比", None),
    "经费": ("信息化经费", "小数", "万元"),
    "方式": ("接入方式", "单选", None),
    "学籍使用": ("学籍系统：是否使用", "是否", None),
    "学籍用户": ("学籍系统：用户数", "整数", None),
    "签字": ("校长签字", "文本", None),
    "设备.名称": ("设备名称", "文本", None),
    "设备.数量": ("数量（台）", "整数", "台"),
}


def by_hand(sheet: Mapping[str, str]) -> bytes:
    """A workbook with shared strings, a dropdown, a picture and a shape, as Excel and WPS write it."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    page = book.add_worksheet("基本情况")
    for ref, text in sheet.items():
        page.write_string(ref, text)
    page.data_validation("B10", {"validate": "list", "source": ["光纤", "无线"]})
    page.insert_image("F1", "dot.png", {"image_data": io.BytesIO(PIXEL)})
    page.insert_textbox("F5", "填表说明")
    book.close()
    return target.getvalue()


def definition(data: bytes, sheet: str = "字段") -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(data))[sheet].iter_rows(values_only=True))


def test_labels_types_and_units_are_guessed_from_the_words_beside_the_tags() -> None:
    head, *rows = definition(draft_form(by_hand(SHEET), "a.xlsx", "a"))
    found = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    for name, (label, kind, unit) in GUESSED.items():
        assert (found[name]["标签"], found[name]["类型"], found[name]["计量单位"]) == (label, kind, unit), (
            name
        )
    assert definition(draft_form(by_hand(SHEET), "a.xlsx", "a"), "选项")[1:] == [
        ("方式", "光纤"),
        ("方式", "无线"),
    ]


def test_the_settings_take_what_the_head_of_the_form_says() -> None:
    settings = dict(definition(draft_form(by_hand(SHEET), "a.xlsx", "a"), "设置"))
    assert settings == {
        "项目": "值",
        "表单标识": "a",
        "表单名称": "学校信息化情况表",
        "版本": "1",
        "适用单位类型": None,
        "表号": "示例1表",
        "制表机关": "示例省教育厅",
    }


def test_pictures_shapes_and_sheets_stay_byte_for_byte() -> None:
    before = by_hand(SHEET)
    after = parts(draft_form(before, "a.xlsx", "a"))
    changed = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
    for name, content in parts(before).items():
        assert name in changed or after[name] == content, name


def test_what_openpyxl_and_libreoffice_saved_is_read_alike(soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "a.xlsx"
    source.write_bytes(by_openpyxl({"基本情况": PAGE}, {}))
    again = soffice(source, "xlsx", tmp_path / "saved").read_bytes()
    first = definition(draft_form(source.read_bytes(), "a.xlsx", "a"))
    assert first == definition(draft_form(again, "a.xlsx", "a"))
    assert [row[0] for row in first[1:]] == [one["字段"] for one in FIELDS]


def test_a_draft_with_everything_in_it_compiles_once_the_units_are_named() -> None:
    data = draft_form(by_openpyxl({"基本情况": PAGE}, {}), "a.xlsx", "a")
    with pytest.raises(Refused) as refused:
        compile_form(data, "a.xlsx")
    assert {fault.where for fault in refused.value.faults} <= {f"a.xlsx 设置!B{row}" for row in (5, 6, 7)}
    book = openpyxl.load_workbook(io.BytesIO(data))
    for ref, text in (("B5", "中小学"), ("B6", "示例1表"), ("B7", "示例省教育厅")):
        book["设置"][ref] = text
    target = io.BytesIO()
    book.save(target)
    form = compile_form(target.getvalue(), "a.xlsx").form
    assert form.by_name["在校生数"].type is FieldType.INTEGER


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (by_openpyxl(), "已有定义表"),
        (by_openpyxl({"表": {"A1": "没有标记"}}, {}), "没有 {{字段名}} 标记"),
        (b"PK nothing", "不是 xlsx 格式的工作簿"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_a_remedy(data: bytes, words: str) -> None:
    with pytest.raises(Refused) as refused:
        draft_form(data, "a.xlsx", "a")
    assert words in refused.value.faults[0].what
    assert refused.value.faults[0].remedy


def test_the_command_tells_what_is_left_and_never_writes_over_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "学校表.xlsx"
    source.write_bytes(by_hand(SHEET))
    assert main(["form", "new", str(source)]) == 1
    said = capsys.readouterr().out
    assert "设置!B5：没有填写“适用单位类型”" in said
    assert "字段“无变化”没有填写位置" in said
    assert definition((tmp_path / "form-draft.xlsx").read_bytes(), "设置")[1] == ("表单标识", "form-draft")
    assert main(["form", "new", str(source)]) == 2
    assert "文件已存在" in capsys.readouterr().err


def test_a_doubtful_form_is_checked_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "school.xlsx"
    path.write_bytes(by_openpyxl(definitions=tables(rules=[("L1", "逻辑校验", "=NOT(无变化)", "请核对。")])))
    assert main(["form", "check", str(path)]) == 1
    assert "存疑 school.xlsx 规则!C2：“无变化”是“是否”字段" in capsys.readouterr().out
    path.write_bytes(by_openpyxl())
    assert main(["form", "check", str(path)]) == 0
