"""Table files of every kind, told by what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import SheetError
from data.register.books import read_book
from data.register.entries import COLUMNS
from data.register.marks import _read_sheet
from data.register.sheets import Table, read_table

ROWS = [
    ["名称", "类别", "地址", "备注"],
    ["甲", "托管", "一路1号", "a,b；c"],
    ["乙", "自习室", "二路2号", ""],
]
REQUIRED = ("name", "kind", "address")
HTML = """<html><head><meta charset="gbk"></head><body><table>
<tr><th rowspan=2>名称</th><th colspan="2">情况</th></tr><tr><th>类别</th><th>地址</th></tr>
<tr><td>甲<td>托管</td><td>一路<b>1</b>号<br></td></tr><tr><td>乙</td><td>自习室</td><td>二路2号</td></tr></table></body>"""
XML = """<?xml version="1.0" encoding="gb2312"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="托管"><Table>
<Row ss:Index="2"><Cell><Data ss:Type="String">名称</Data></Cell>
<Cell ss:Index="3"><Data>地址</Data></Cell></Row>
<Row><Cell><Data>甲</Data></Cell><Cell ss:Index="3"><Data>一路1号</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


def read(path: Path, content: bytes) -> Table:
    """Read a register from a file of these bytes."""
    path.write_bytes(content)
    return read_table(path, COLUMNS, required=REQUIRED, from_name={"kind": lambda name: name or None})


def told(table: Table) -> list[tuple[str, ...]]:
    """Return what the records say."""
    return [tuple(row.get(name) for name in REQUIRED) for row in table.rows]


@pytest.mark.parametrize("suffix", ["csv", "txt", "xls", "xlsx"])
@pytest.mark.parametrize("sign", [",", "\t", ";", "，", "；", "|"])
def test_any_sign_parts_cells(tmp_path: Path, sign: str, suffix: str) -> None:
    """Whatever parts the cells and whatever the file is called."""
    text = "\n".join(sign.join(f'"{cell}"' for cell in row) for row in ROWS)
    table = read(tmp_path / f"a.{suffix}", text.encode())
    assert told(table) == [("甲", "托管", "一路1号"), ("乙", "自习室", "二路2号")]
    assert not any(row.ragged for row in table.rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [b"", b"\x84\x31\x95\x33"])
def test_any_encoding_of_an_office_is_read(tmp_path: Path, encoding: str, mark: bytes) -> None:
    """With and without marks; GB 18030 has one too."""
    if mark:
        encoding = "gb18030"
    text = "\r\n".join(",".join(row[:3]) for row in ROWS)
    assert told(read(tmp_path / "a.csv", mark + text.encode(encoding)))[0] == ("甲", "托管", "一路1号")


def test_a_web_page_named_xls_is_a_table(tmp_path: Path) -> None:
    """Spans are merged cells, so the heading has two rows."""
    table = read(tmp_path / "a.xls", HTML.encode("gbk"))
    assert told(table) == [("甲", "托管", "一路1号"), ("乙", "自习室", "二路2号")]
    assert dict(table.rows[0].header.titles) == {"name": "名称", "kind": "情况类别", "address": "情况地址"}


def test_an_xml_spreadsheet_named_xls_is_a_table(tmp_path: Path) -> None:
    """Places that are counted and places that are told; the sheet's name states the kind."""
    table = read(tmp_path / "a.xls", XML.encode("gb2312"))
    assert [(row.number, row.sheet) for row in table.rows] == [(3, "托管")]
    assert told(table) == [("甲", "托管", "一路1号")]


def test_a_quote_that_swallows_rows_is_named(tmp_path: Path) -> None:
    """One left open, and two that close each other many rows later; a cell of two lines is read."""
    lines = ["名称,类别,地址,备注", *[f"机构{n},托管,一路{n}号," for n in range(40)]]
    for broken in ({5}, {5, 30}):
        text = "\n".join(f'{line}"话' if n in broken else line for n, line in enumerate(lines))
        with pytest.raises(SheetError) as refusal:
            read(tmp_path / "a.csv", text.replace(',"话', ',"话').encode())
        assert (refusal.value.code, refusal.value.fields["row"]) == ("unclosed_quote", 6)
    fine = 'a,托管,一路1号,"话\n两行"\nb,托管,"二路\n2号",x\n'
    assert len(read(tmp_path / "a.csv", f"{lines[0]}\n{fine}".encode()).rows) == 2


def test_a_row_with_cells_too_many_or_few_is_told(tmp_path: Path) -> None:
    """A comma in an address moves what follows; rows cut where nothing follows are usual in some files."""
    body = [
        "甲,托管,一路1号,x",
        "乙,托管,二路2号,3楼,x",
        "丙,托管,三路",
        "丁,托管,四路4号,",
        "戊,托管,五路5号,,",
    ]
    table = read(tmp_path / "a.csv", "\n".join(["名称,类别,地址,备注", *body]).encode())
    assert [row.ragged for row in table.rows] == [None, "too_many_cells", "too_few_cells", None, None]
    short = read(tmp_path / "a.csv", "\n".join(["名称,类别,地址,备注", *["甲,托管,一路"] * 5]).encode())
    assert not any(row.ragged for row in short.rows)


def test_long_numbers_written_short_are_inexact(tmp_path: Path) -> None:
    """Text files hold what a spreadsheet showed."""
    text = "名称,类别,地址,信用代码\n甲,托管,一路1号,4.40103E+17\n乙,托管,1E2路,911"
    table = read(tmp_path / "a.csv", text.encode())
    assert [dict(row.odd) for row in table.rows] == [{"uscc": "inexact"}, {}]


def test_a_text_has_no_sheets_and_a_suffix_is_no_proof(tmp_path: Path) -> None:
    """What is asked for must be there; other files are told what is accepted."""
    (tmp_path / "a.csv").write_text("名称\n甲")
    with pytest.raises(SheetError, match="unknown_sheet"):
        read_book(tmp_path / "a.csv", sheet="甲")
    (tmp_path / "a.docx").write_bytes(b"PK")
    with pytest.raises(SheetError) as refusal:
        read_book(tmp_path / "a.docx")
    assert "xlsx" in str(refusal.value.fields["wanted"])


def test_marks_are_found_where_cells_do_not_say_where_they_are(tmp_path: Path) -> None:
    """Some systems leave out the references of rows and cells: each follows the one before it."""
    sheet = (
        "<row><c t='inlineStr'><is><t>名称</t></is></c><c t='inlineStr'><is><t>类别</t></is></c>"
        "<c t='inlineStr'><is><t>地址</t></is></c></row><row hidden='1'>"
        "<c t='inlineStr'><is><t>甲</t></is></c><c/><c t='e'><v>#N/A</v></c></row>"
        "<row><c t='inlineStr'><is><t>乙</t></is></c><c><f>A1</f></c></row>"
    )
    marks = _read_sheet(sheet.encode())
    assert marks.hidden == {1}
    assert marks.odd == {(1, 2): "error", (2, 1): "formula"}
    assert marks.shown == {(1, 2): "#N/A", (2, 1): "=A1"}


def test_a_cell_that_reaches_far_down_moves_nobody(tmp_path: Path) -> None:
    """A span of thousands of rows, as some reports write it."""
    rows = "".join(f"<tr><td>机构{n}</td><td>一路{n}号</td></tr>" for n in range(1, 1500))
    head = "<tr><td>类别</td><td>名称</td><td>地址</td></tr>"
    page = f"<table>{head}<tr><td rowspan=1500>托管</td>{rows[4:]}</table>"
    found = told(read(tmp_path / "a.xls", page.encode()))
    assert len(found) == 1499
    assert found[-1] == ("机构1499", "托管", "一路1499号")
