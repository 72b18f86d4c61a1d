"""Forms compiled: what is read of them, what is refused, and what of the workbook survives."""

from __future__ import annotations

import datetime as dt
import pickle
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from tests.adapters.workbook.forms import (
    CHOICES,
    ENGLISH,
    FIELDS,
    IDENTITY,
    PAGE,
    PRINTED,
    RULES,
    SETTINGS,
    by_openpyxl,
    by_xlsxwriter,
    field,
    load,
    parts,
    tables,
    with_parts,
)
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.stamp import stamp
from workflow.domain.errors import Refused
from workflow.domain.form import Aggregate, FieldType, Prefill, Severity, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    import openpyxl

    from tests.servers.office import Office

SHIPPED = sorted((Path(__file__).parents[3] / "templates" / "forms").glob("*.xlsx"))
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
    "0000000049454e44ae426082"
)


def faults_of(data: bytes, name: str = "school.xlsx") -> dict[str, str]:
    """Where each fault is, and what is said of it with its remedy."""
    with pytest.raises(Refused) as refused:
        compile_form(data, name)
    assert all(fault.remedy for fault in refused.value.faults)
    found: dict[str, str] = {}
    for fault in refused.value.faults:
        found[fault.where] = found.get(fault.where, "") + f"{fault.what}；{fault.remedy}"
    return found


def copy_of(data: bytes) -> bytes:
    return stamp(compile_form(data, "school.xlsx"), IDENTITY, PRINTED, {})


def test_the_definition_sheets_become_a_form() -> None:
    form = compile_form(by_openpyxl(), "school.xlsx").form
    assert (form.id, form.title, form.version, form.kinds) == (
        "school",
        "示例季报表",
        2,
        ("中小学", "教学点"),
    )
    assert (form.number, form.issuer) == ("豫教信例1表", "示例省教育厅")
    assert [one.name for one in form.fields] == [one["字段"] for one in FIELDS]
    pupils = form.by_name["在校生数"]
    assert (pupils.type, pupils.required, pupils.minimum, pupils.maximum) == (
        FieldType.INTEGER,
        True,
        0,
        20000,
    )
    assert (pupils.unit, pupils.aggregate, pupils.prefill) == ("人", Aggregate.SUM, Prefill.LAST_PERIOD)
    assert form.by_name["接入方式"].choices == ("光纤", "无线", "其他")
    assert form.by_name["建网日期"].minimum == dt.date(2000, 1, 1)
    assert form.by_name["教师数"].constraint == "=教师数<=在校生数"
    assert [(rule.id, rule.severity) for rule in form.rules] == [
        ("L1", Severity.ERROR),
        ("J1", Severity.QUERY),
    ]
    assert form.slots[1] == Slot("在校生数", "基本情况", 6, 2)


def test_headings_and_words_may_be_english() -> None:
    definitions = tables(headings=ENGLISH)
    definitions["字段"][2][2:4] = ["integer", "yes"]
    definitions["字段"][2][12] = "sum"
    form = compile_form(by_openpyxl(definitions=definitions), "school").form
    assert form.by_name["在校生数"].type is FieldType.INTEGER
    assert form.by_name["在校生数"].aggregate is Aggregate.SUM


def test_texts_in_cells_and_shared_texts_give_the_same_form() -> None:
    assert compile_form(by_openpyxl(), "school").form == compile_form(by_xlsxwriter(), "school").form


@pytest.mark.parametrize("author", [by_openpyxl, by_xlsxwriter])
def test_a_copy_shows_neither_definitions_nor_tags(author: Callable[[], bytes]) -> None:
    copy = copy_of(author())
    assert load(copy).sheetnames == ["基本情况", "自查", "_自查", "_huizhi"]
    for name, content in parts(copy).items():
        assert b"{{" not in content, name
        assert b"<?huizhi" not in content, name
        assert "约束提示".encode() not in content, name


def test_names_of_sheets_that_go_are_taken_out_and_the_others_count_anew() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.move_sheet("基本情况", offset=4)
        page = book["基本情况"]
        page.print_title_rows = "1:3"
        page.print_area = "A1:B20"
        book["字段"].print_title_rows = "1:1"
        book["选项"].auto_filter.ref = "A1:B4"
        book.defined_names["清单"] = DefinedName("清单", attr_text="选项!$A$2:$A$4")
        book.defined_names["表头"] = DefinedName("表头", attr_text="基本情况!$A$1")
        book.active = 1

    book = load(copy_of(by_openpyxl(change=change)))
    assert book.active.title == "基本情况"
    assert set(book.defined_names) == {"表头", *(str(one["字段"]) for one in FIELDS)}
    assert book["基本情况"].print_title_rows == "$1:$3"
    assert book["基本情况"].print_area == "'基本情况'!$A$1:$B$20"


def test_excel_checks_each_answer_while_the_unit_types() -> None:
    long = tuple(("接入方式", f"第{number}种接入方式，名称比较长") for number in range(40))
    copy = copy_of(by_openpyxl(definitions=tables(choices=long)))
    book = load(copy)
    found = {str(one.sqref): one for one in book["基本情况"].data_validations.dataValidation}
    assert len(found) == len(FIELDS)
    pupils = found["B6"]
    assert (pupils.type, pupils.formula1, pupils.formula2) == ("whole", "0", "20000")
    assert pupils.error == "“在校生数”：请填整数，范围 0 至 20000。"
    assert (pupils.promptTitle, pupils.prompt) == (
        "在校生数",
        "填整数，范围 0 至 20000；计量单位：人；必填。",
    )
    assert pupils.showErrorMessage
    assert pupils.allow_blank
    assert (found["B8"].type, found["B9"].type, found["B9"].formula2) == ("decimal", "decimal", "1")
    assert (found["B11"].type, found["B11"].formula1) == ("date", "36526")
    assert (found["B13"].type, found["B13"].formula1) == ("list", '"是,否"')
    assert (found["B14"].type, found["B14"].operator) == ("textLength", "lessThanOrEqual")
    assert found["B10"].formula1 == "_huizhi!$D$1:$D$40"
    assert book["_huizhi"]["D40"].value == "第39种接入方式，名称比较长"
    assert book["_huizhi"].sheet_state == "veryHidden"


def test_a_short_list_stands_in_the_validation_itself() -> None:
    found = load(copy_of(by_openpyxl()))["基本情况"].data_validations.dataValidation
    assert next(one for one in found if str(one.sqref) == "B10").formula1 == '"光纤,无线,其他"'


def test_a_validation_that_staff_made_stays_alone_on_its_cell() -> None:
    def change(book: openpyxl.Workbook) -> None:
        own = DataValidation("whole", operator="between", formula1="1", formula2="9")
        own.add("B6:B7")
        book["基本情况"].add_data_validation(own)

    found = load(copy_of(by_openpyxl(change=change)))["基本情况"].data_validations.dataValidation
    assert [one.formula2 for one in found if "B6" in str(one.sqref) or "B7" in str(one.sqref)] == ["9"]
    assert len(found) == len(FIELDS) - 2 + 1


def test_only_answers_are_unlocked() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"].merge_cells("B5:D5")
        book["基本情况"]["C5"].number_format = "0.0"

    book = load(copy_of(by_openpyxl(change=change)))
    page = book["基本情况"]
    assert page.protection.sheet
    assert not page.protection.password
    unlocked = {cell.coordinate for row in page for cell in row if not cell.protection.locked}
    assert {f"B{row}" for row in range(5, 18)} <= unlocked
    assert unlocked <= {f"B{row}" for row in range(5, 18)} | {"C5", "D5"}
    assert book.security.lockStructure


def test_formats_suit_the_types_where_staff_chose_none() -> None:
    page = load(copy_of(by_openpyxl()))["基本情况"]
    formats = {page[f"B{row}"].value or row: page[f"B{row}"].number_format for row in (5, 6, 9, 11, 16)}
    assert list(formats.values()) == ["@", "General", "0.00%", "yyyy-mm-dd", "@"]


def test_formulas_are_worked_out_anew_on_opening() -> None:
    def change(book: Any, page: Any) -> None:
        page.write_formula("C6", "=B6+B7", None, 41)

    data = by_xlsxwriter(change)
    source = parts(data)
    workbook = source["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rId99" Target="calcChain.xml" Type="http://schemas.openxmlformats.org/officeDocument/'
        b'2006/relationships/calcChain"/></Relationships>',
    )
    types = source["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        b'spreadsheetml.calcChain+xml"/></Types>',
    )
    chain = b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="C6" i="1"/></calcChain>'
    data = with_parts(
        data,
        {"xl/_rels/workbook.xml.rels": workbook, "[Content_Types].xml": types, "xl/calcChain.xml": chain},
    )
    copy = parts(copy_of(data))
    assert "xl/calcChain.xml" not in copy
    assert b"calcChain" not in copy["[Content_Types].xml"] + copy["xl/_rels/workbook.xml.rels"]
    assert b'fullCalcOnLoad="1"' in copy["xl/workbook.xml"]
    assert re.search(rb'<c r="C6"[^>]*><f>B6\+B7</f></c>', copy["xl/worksheets/sheet1.xml"])


def test_pictures_shapes_and_extensions_survive_byte_for_byte(tmp_path: Path) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(PIXEL)

    def change(book: Any, page: Any) -> None:
        page.insert_textbox("D5", "填表前请阅读说明", {"width": 160, "height": 60})
        page.insert_image("D10", str(picture))
        page.conditional_format("B5:B9", {"type": "data_bar", "data_bar_2010": True})
        book.get_worksheet_by_name("设置").insert_textbox("D5", "只给制表人看的图形")

    source = by_xlsxwriter(change)
    sheet = parts(source)["xl/worksheets/sheet1.xml"].decode()
    extension = (
        '<ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
        'uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"><x14:dataValidations '
        'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" count="1"><x14:dataValidation type="list" '
        'allowBlank="1"><x14:formula1><xm:f>$A$1:$A$3</xm:f></x14:formula1><xm:sqref>B5</xm:sqref>'
        "</x14:dataValidation></x14:dataValidations></ext></extLst>"
    )
    source = with_parts(source, {"xl/worksheets/sheet1.xml": sheet.replace("</extLst>", extension).encode()})
    before, after = parts(source), parts(copy_of(source))
    kept = [name for name in before if "drawing1" in name or "media" in name]
    assert len(kept) >= 3
    for name in kept:
        assert after[name] == before[name], name
    assert "xl/drawings/drawing2.xml" in before
    assert "xl/drawings/drawing2.xml" not in after
    page = after["xl/worksheets/sheet1.xml"].decode()
    assert "<x14:dataValidation " in page
    assert "x14:conditionalFormattings" in page
    assert "<drawing " in page
    assert 'sqref="B5"' not in page
    assert 'sqref="B6"' in page


def test_document_properties_that_staff_set_stay_and_ours_are_not_doubled() -> None:
    def change(book: Any, _page: Any) -> None:
        book.set_custom_property("归口处室", "信息化处")
        book.set_custom_property("huizhi.unit", "旧")

    found = {one.name: one.value for one in load(copy_of(by_xlsxwriter(change))).custom_doc_props.props}
    assert (found["归口处室"], found["huizhi.unit"], len(found)) == ("信息化处", IDENTITY.unit, 7)


def test_a_hidden_sheet_of_the_form_stays_hidden_and_may_hold_no_tags() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["参考"].sheet_state = "hidden"

    pages = {"参考": {"A1": "代码表"}, "基本情况": PAGE}
    book = load(copy_of(by_openpyxl(pages, change=change)))
    assert (book["参考"].sheet_state, book.active.title) == ("hidden", "基本情况")
    faults = faults_of(by_openpyxl({**pages, "参考": {"A1": "{{@任务}}"}}, change=change))
    assert "隐藏的工作表" in faults["school.xlsx 参考!A1"]


@pytest.mark.parametrize(
    ("definitions", "where", "words"),
    [
        (tables([*FIELDS, field("多余", "文本")]), "字段!A15", "没有填写位置"),
        (tables(FIELDS[1:]), "基本情况!B5", "没有字段“学校名称”"),
        (tables([*FIELDS, FIELDS[1]]), "字段!A15", "重复"),
        (tables([field("学校名称", "文字"), *FIELDS[1:]]), "字段!C2", "不认识的类型“文字”"),
        (tables([field("学校名称", "文本", 汇总="总计"), *FIELDS[1:]]), "字段!M2", "不认识的汇总方式"),
        (tables([field("学校名称", "文本", 汇总="合计"), *FIELDS[1:]]), "字段!M2", "不能用“合计”汇总"),
        (tables([field("学校名称", "文本", 预填="去年"), *FIELDS[1:]]), "字段!N2", "不认识的预填方式"),
        (tables([field("学校名称", "单选"), *FIELDS[1:]]), "字段!K2", "没有选项组"),
        (tables([field("学校名称", "单选", 选项="学段"), *FIELDS[1:]]), "字段!K2", "没有选项组“学段”"),
        (tables([field("学校名称", "文本", 选项="接入方式"), *FIELDS[1:]]), "字段!K2", "不用选项组"),
        (
            tables([field("学校名称", "整数", 最小值=9, 最大值=1), *FIELDS[1:]]),
            "字段!E2",
            "最小值 9 大于最大值 1",
        ),
        (tables([field("学校名称", "日期", 最小值="元旦"), *FIELDS[1:]]), "字段!E2", "不是日期"),
        (tables([field("学校名称", "文本", 格式="[0-9"), *FIELDS[1:]]), "字段!G2", "正则表达式"),
        (tables([field("学校名称", "文本", 必填="也许"), *FIELDS[1:]]), "字段!D2", "看不懂"),
        (
            tables([field("学校名称", "文本", 约束="=学校名称<>简称"), *FIELDS[1:]]),
            "字段!H2",
            "“简称”不是本表的字段",
        ),
        (tables([field("学校名称", "文本", 相关条件="=IF("), *FIELDS[1:]]), "字段!J2", "公式有误"),
        (tables([field("A1", "文本"), *FIELDS]), "字段!A2", "单元格地址"),
        (tables([field("1年级", "文本"), *FIELDS]), "字段!A2", "不合要求"),
        (tables([*FIELDS[:9], *FIELDS[10:]]), "字段", "缺少必备字段“单位负责人”"),
        (tables([*FIELDS[:9], field("单位负责人", "整数"), *FIELDS[10:]]), "字段!A11", "类型应为“文本”"),
        (tables(rules=[("L1", "错误", "=TRUE", "提示")]), "规则!B2", "不认识的类别"),
        (tables(rules=[("L1", "逻辑校验", "=班级数>0", "提示")]), "规则!C2", "“班级数”不是本表的字段"),
        (tables(rules=[("L1", "逻辑校验", "=上期(班级数)>0", "提示")]), "规则!C2", "“班级数”不是本表的字段"),
        (tables(rules=[RULES[0], RULES[0]]), "规则!A3", "重复"),
        (tables(choices=[*CHOICES, CHOICES[0]]), "选项!B5", "重复"),
        (tables(settings={**SETTINGS, "版本": "一"}), "设置!B4", "不是正整数"),
        (tables(settings={**SETTINGS, "表单标识": "xuexiao"}), "设置!B2", "与文件名“school”不一致"),
        (tables(settings={**SETTINGS, "适用单位类型": "幼儿园"}), "设置!B5", "没有“幼儿园”这种单位类型"),
        (tables(settings={"表单标识": "school"}), "设置", "没有填写"),
        ({**tables(), "设置": []}, "设置", "没有填写“表单标识”"),
        ({**tables(), "字段": []}, "字段!A1", "缺少列标题"),
        (tables(headings=["字段", "标签", "类别", "必填"]), "字段!A1", "缺少列标题“类型”"),
        ({name: rows for name, rows in tables().items() if name != "字段"}, "字段", "缺少这张定义表"),
        (
            {name: rows for name, rows in tables().items() if name != "选项"},
            "字段!K7",
            "没有选项组“接入方式”",
        ),
    ],
)
def test_a_faulty_definition_is_refused_with_its_cell_and_remedy(
    definitions: dict[str, list[list[Any]]], where: str, words: str
) -> None:
    faults = faults_of(by_openpyxl(definitions=definitions))
    assert words in faults[f"school.xlsx {where}"]


@pytest.mark.parametrize(
    ("cells", "where", "words"),
    [
        ({"B5": "名称：{{学校名称}}"}, "基本情况!B5", "没有独占一个单元格"),
        ({"C5": "{{学校名称}}"}, "基本情况!C5", "标记重复，基本情况!B5 已有"),
        ({"B5": "{{学校名称"}, "基本情况!B5", "写得不完整"),
        ({"B5": "｛｛学校名称｝｝"}, "基本情况!B5", "用英文的花括号"),
        ({"B5": "{学校名称}"}, "基本情况!B5", "两边各两个"),
        ({"C5": "{{教师.姓名}}"}, "基本情况!C5", "“字段”表中没有字段“教师.姓名”"),
        ({"A3": "{{@校长}}"}, "基本情况!A3", "没有“{{@校长}}”这个系统标记"),
        ({"A20": "副本 {{@副本}}"}, "可见工作表", "没有 {{@令牌}}"),
        ({"C5": "=选项!B2"}, "基本情况!C5", "引用了定义表"),
    ],
)
def test_a_faulty_tag_is_refused_with_its_cell_and_remedy(
    cells: dict[str, str], where: str, words: str
) -> None:
    faults = faults_of(by_openpyxl({"基本情况": {**PAGE, **cells}}))
    assert words in faults[f"school.xlsx {where}"]


def test_choices_and_rules_are_only_asked_of_a_form_that_has_some() -> None:
    plain = [one for one in FIELDS if one["类型"] != "单选"]
    page = {ref: text for ref, text in PAGE.items() if text != "{{接入方式}}"}
    definitions = {name: rows for name, rows in tables(plain).items() if name in {"设置", "字段"}}
    compiled = compile_form(by_openpyxl({"基本情况": page}, definitions), "school.xlsx")
    assert (len(compiled.form.fields), compiled.form.rules) == (len(FIELDS) - 1, ())
    assert load(stamp(compiled, IDENTITY, PRINTED, {})).sheetnames == ["基本情况", "自查", "_自查", "_huizhi"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<fill><patternFill patternType="none"/></fill>', b"<fill/>"),
        (b'<family val="2"/>', b'<family val="134"/>'),
        (
            b'<dxfs count="0"/>',
            b'<dxfs count="1"><dxf><border><left style="none2"/></border></dxf></dxfs>',
        ),
    ],
)
def test_styles_of_another_office_program_that_openpyxl_refuses_are_no_fault_of_a_form(
    old: bytes, new: bytes
) -> None:
    source = by_xlsxwriter()
    styles = parts(source)["xl/styles.xml"]
    assert old in styles
    odd = with_parts(source, {"xl/styles.xml": styles.replace(old, new)})
    assert compile_form(odd, "school").form == compile_form(source, "school").form


def test_definitions_may_be_real_formulas_and_real_days() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["字段"]["H4"].data_type = "f"
        book["规则"]["C2"].data_type = "f"
        book["字段"]["E8"] = dt.date(1949, 10, 1)

    form = compile_form(by_openpyxl(change=change), "school").form
    assert form.by_name["教师数"].constraint == "=教师数<=在校生数"
    assert form.rules[0].formula == "=在校生数>=教师数"
    assert form.by_name["建网日期"].minimum == dt.date(1949, 10, 1)


@pytest.mark.parametrize("hide", ["row", "column"])
def test_an_answer_that_no_unit_sees_is_asked_about(hide: str) -> None:
    def change(book: openpyxl.Workbook) -> None:
        page = book["基本情况"]
        (page.row_dimensions[6] if hide == "row" else page.column_dimensions["B"]).hidden = True

    queries = compile_form(by_openpyxl(change=change), "school").queries
    assert "school.xlsx 基本情况!B6" in {query.where for query in queries}
    assert all("隐藏" in query.what for query in queries)


def test_a_dropdown_that_leans_on_a_definition_sheet_is_refused() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.defined_names["清单"] = DefinedName("清单", attr_text="选项!$B$2:$B$4")
        for formula, ref in (("=清单", "C5"), ("=选项!$B$2:$B$4", "C6"), ("=清单乙", "C7")):
            own = DataValidation("list", formula1=formula)
            own.add(ref)
            book["基本情况"].add_data_validation(own)

    assert set(faults_of(by_openpyxl(change=change))) == {
        "school.xlsx 基本情况!C5",
        "school.xlsx 基本情况!C6",
    }


def test_tags_that_nobody_would_replace_are_refused() -> None:
    def change(_book: Any, page: Any) -> None:
        page.set_footer("&C{{@填报期}}")
        page.insert_textbox("D5", "单位：{{@单位名称}}")

    faults = faults_of(by_xlsxwriter(change))
    assert set(faults) == {"school.xlsx 基本情况 页眉页脚", "school.xlsx 基本情况 图形"}


@pytest.mark.parametrize("path", SHIPPED[:1], ids=lambda path: path.stem)
def test_a_form_that_another_program_saved_is_the_same_form(
    path: Path, soffice: Office, tmp_path: Path
) -> None:
    saved = soffice(path, "xlsx", tmp_path)
    ours, theirs = compile_form(path.read_bytes(), path.name), compile_form(saved.read_bytes(), path.name)
    assert ours.form == theirs.form
    assert load(stamp(theirs, IDENTITY, PRINTED, {})).sheetnames[-1] == "_huizhi"


def test_all_faults_are_told_at_once() -> None:
    definitions = tables(
        [field("学校名称", "文字", 必填="也许", 格式="(", 选项="学段", 约束="=简称"), *FIELDS[1:]],
        rules=[("L1", "错误", "=(", "")],
    )
    faults = faults_of(by_openpyxl({"基本情况": {**PAGE, "C5": "{{教师.姓名}}"}}, definitions), "other.xlsx")
    places = {where.removeprefix("other.xlsx ") for where in faults}
    assert {"字段!D2", "字段!G2", "字段!K2", "字段!H2"} <= places  # of a type that is unknown, too
    assert {"设置!B2", "字段!C2", "规则!B2", "规则!C2", "规则!D2", "基本情况!C5"} <= places


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"hello"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    assert faults_of(data) == {
        "school.xlsx": "不是 xlsx 格式的工作簿；请用 Excel 或 WPS 打开，另存为 xlsx 后再试"
    }


def test_a_file_of_another_kind_is_named_as_it_is() -> None:
    assert set(faults_of(b"hello", "季报.xls")) == {"季报.xls"}


def test_broken_parts_and_macros_are_refused() -> None:
    broken = with_parts(by_openpyxl(), {"xl/worksheets/sheet1.xml": b"<worksheet"})
    assert "损坏" in faults_of(broken)["school.xlsx"]
    macro = with_parts(by_openpyxl(), {"xl/vbaProject.bin": b"1"})
    assert "含有宏" in faults_of(macro)["school.xlsx"]


@pytest.mark.parametrize("seed", range(8))
def test_a_form_damaged_anywhere_is_refused_or_compiled_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    source = by_xlsxwriter() if seed % 2 else by_openpyxl()
    for _ in range(20):
        name, content = chance.choice(list(parts(source).items()))
        spoilt = bytearray(content)
        values = list(re.finditer(rb'="([^"]*)"', content))
        if values and chance.random() < 0.6:
            value = chance.choice(values)
            spoilt[value.start(1) : value.end(1)] = chance.choice((b"", b"x", b"-1", b"99999", b"A1"))
        else:
            del spoilt[chance.randrange(len(spoilt)) :]
        try:
            said = [compile_form(with_parts(source, {name: bytes(spoilt)}), "school.xlsx").form.id]
        except Refused as refused:
            said = [fault.what for fault in refused.faults]
        assert said
        assert all(said)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_form_compiles_and_can_be_handed_to_another_process(path: Path) -> None:
    compiled = compile_form(path.read_bytes(), path.name)
    assert len(compiled.form.indicators) >= 60
    assert set(compiled.form.slot_of) == set(compiled.form.by_name)
    assert pickle.loads(pickle.dumps(compiled)) == compiled


def test_the_sheet_of_old_fields_is_read_and_a_row_that_leads_nowhere_is_a_fault() -> None:
    headings = ["原字段", "新字段", "系数", "选项对应"]
    rows = [
        ["学生人数", "在校生数", "", ""],
        ["带宽Kbps", "带宽", "1/1000", ""],
        ["接入", "接入方式", "", "光缆=光纤；电话线=其他"],
    ]
    form = compile_form(by_openpyxl(definitions={**tables(), "映射": [headings, *rows]}), "school.xlsx").form
    assert [(row.old, row.new, row.factor, dict(row.choices)) for row in form.mapping] == [
        ("学生人数", "在校生数", None, {}),
        ("带宽Kbps", "带宽", 0.001, {}),
        ("接入", "接入方式", None, {"光缆": "光纤", "电话线": "其他"}),
    ]
    with pytest.raises(Refused) as refused:
        compile_form(
            by_openpyxl(definitions={**tables(), "映射": [headings, ["甲", "没有的", "-1", ""]]}),
            "school.xlsx",
        )
    assert len(refused.value.faults) == 2
