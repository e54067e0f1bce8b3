"""Table files as people hand them over."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from data.errors import SheetError
from data.register import delimited
from data.register.books import read_book
from data.register.entries import COLUMNS, REQUIRED
from data.register.sheets import cell_value, read_table


def write_book(path: Path, rows: list[list[object]]) -> Path:
    """Write rows to the first sheet of a workbook."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_header_is_found_under_title_rows(tmp_path: Path) -> None:
    """Title rows, a blank row and a total line are normal."""
    rows: list[list[object]] = [
        ["某区台账"],
        [],
        ["序号", "机构名称", "机构类别", "详细地址"],
        [1, "甲", "托管", "一路1号"],
        [None, None],
        ["合计", "1家"],
    ]
    table = read_table(write_book(tmp_path / "a.xlsx", rows), COLUMNS, required=REQUIRED)
    assert [(r.number, r.header.row, r.get("name"), r.get("address")) for r in table.rows] == [
        (4, 3, "甲", "一路1号")
    ]
    assert [(note.code, note.fields["rows"]) for note in table.notes] == [("rows_no_record", [1, 6])]


def test_full_width_digits_are_folded(tmp_path: Path) -> None:
    """９３９ and 939 are the same number."""
    (sheet,) = read_book(write_book(tmp_path / "a.xlsx", [["淮海路９３９号", 12.0]]))
    assert [cell_value(cell) for cell in sheet.cells[0]] == ["淮海路939号", "12"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_csv_of_both_usual_encodings(tmp_path: Path, encoding: str) -> None:
    """Spreadsheets in a Chinese office save CSV as GBK."""
    path = tmp_path / "a.csv"
    path.write_bytes("名称,地址\n甲,一路1号\n".encode(encoding))
    assert read_book(path)[0].cells == [["名称", "地址"], ["甲", "一路1号"]]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"%PDF-1.4", "wrong_type"),
        ("a.xlsx", b"PK\x03\x04 no archive", "unreadable"),
        ("a.xls", b"{\\rtf1 text}", "wrong_type"),
        ("a.csv", b"%PDF-1.4", "wrong_type"),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "encrypted_sheet",
        ),
        ("a.csv", b"", "empty_sheet"),
        ("a.csv", b"\x00\x01\x02", "unreadable"),
    ],
)
def test_unusable_files_are_named(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    """Each way a file can be unusable has its own code."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SheetError) as refusal:
        read_book(path)
    assert refusal.value.code == code


def test_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A file of 200 MB costs no memory."""
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(SheetError) as refusal:
        read_book(path)
    assert refusal.value.code == "file_too_large"
    assert refusal.value.fields["size_mb"] == 200


def test_empty_workbook_and_unknown_sheet(tmp_path: Path) -> None:
    """A workbook without cells and a sheet that is not there are two refusals."""
    path = write_book(tmp_path / "a.xlsx", [])
    with pytest.raises(SheetError) as refusal:
        read_book(path)
    assert refusal.value.code == "empty_sheet"
    with pytest.raises(SheetError) as refusal:
        read_book(path, sheet="没有")
    assert refusal.value.code == "unknown_sheet"


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    """The refusal names every column that is missing."""
    path = write_book(tmp_path / "a.xlsx", [["序号", "机构名称"], [1, "甲"]])
    with pytest.raises(SheetError) as refusal:
        read_table(path, COLUMNS, required=REQUIRED)
    assert refusal.value.code == "missing_columns"
    assert refusal.value.fields["columns"] == ["机构类别", "办学地址"]


def test_missing_file(tmp_path: Path) -> None:
    """A wrong path is a refusal, not a traceback."""
    with pytest.raises(SheetError) as refusal:
        read_book(tmp_path / "none.xlsx")
    assert refusal.value.code == "not_found"


def test_a_cell_far_out_leaves_the_rest_readable(tmp_path: Path) -> None:
    """One stray cell at XFD60000 would make a thousand million cells; the rows keep their numbers."""
    book = Workbook()
    for row in (["机构名称", "机构类别", "地址"], ["甲", "托管", "一路1号"]):
        book.active.append(row)
    book.active["XFD60000"] = "x"
    path = tmp_path / "a.xlsx"
    book.save(path)
    rows = read_book(path)[0].cells
    assert rows[:2] == [["机构名称", "机构类别", "地址"], ["甲", "托管", "一路1号"]]
    assert len(rows) == 60_000
    assert rows[-1][-1] == "x"
    table = read_table(path, COLUMNS, required=REQUIRED)
    assert [row.number for row in table.rows] == [2, 60_000]
    assert [note.fields["columns"] for note in table.notes] == [["XFD列"]]


@pytest.mark.parametrize(("rows", "columns"), [(1, 16_385), (101, 10)])
def test_a_table_without_end_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, columns: int
) -> None:
    """A line of 16,385 columns and too many cells say how large they are."""
    monkeypatch.setattr(delimited, "MAX_CELLS", 1_000 if rows > 1 else delimited.MAX_CELLS)
    path = tmp_path / "a.csv"
    path.write_text(f"{',' * (columns - 1)}\n" * rows)
    with pytest.raises(SheetError) as refusal:
        read_book(path)
    assert refusal.value.code == "sheet_too_large"
    assert (refusal.value.fields["rows"], refusal.value.fields["columns"]) == (rows, columns)


def test_a_folder_or_an_endless_cell_is_no_table(tmp_path: Path) -> None:
    """A folder named like a workbook, and a CSV of one cell of megabytes."""
    (tmp_path / "a.xlsx").mkdir()
    with pytest.raises(SheetError) as refusal:
        read_book(tmp_path / "a.xlsx")
    assert refusal.value.code == "not_found"
    (tmp_path / "a.csv").write_text("x" * 2_000_000)
    with pytest.raises(SheetError) as refusal:
        read_book(tmp_path / "a.csv")
    assert refusal.value.code == "unreadable"


def test_a_text_shared_by_a_million_cells_is_refused(tmp_path: Path) -> None:
    """Small in the file, thirty thousand million characters in memory."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells = "".join(["<row>" + "<c t='s'><v>0</v></c>" * 10 + "</row>"] * 700)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels",
            f"<Relationships xmlns='{package}'><Relationship Id='r1' Type='{office}/officeDocument' "
            "Target='xl/workbook.xml'/></Relationships>",
        )
        archive.writestr(
            "xl/workbook.xml",
            f"<workbook xmlns='{main}' xmlns:r='{office}'>"
            "<sheets><sheet name='a' sheetId='1' r:id='r1'/></sheets></workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f"<Relationships xmlns='{package}'><Relationship Id='r1' Type='{office}/worksheet' "
            "Target='worksheets/sheet1.xml'/></Relationships>",
        )
        archive.writestr("xl/sharedStrings.xml", f"<sst xmlns='{main}'><si><t>{'长' * 30_000}</t></si></sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet xmlns='{main}'><sheetData>{cells}</sheetData></worksheet>",
        )
    with pytest.raises(SheetError) as refusal:
        read_book(path)
    assert refusal.value.code == "sheet_too_large"
