"""The law of every table that comes in: each cell that is not blank is read, or the answer names it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from data.errors import SheetError
from data.register.institutions import COLUMNS
from data.register.sheets import Table, read_table

TITLES = ["名称", "类别", "地址", "住所", "联系方式", "手机", "信用代码（18位）", "备注", "", "甲", "状态"]
CELL = st.one_of(
    st.sampled_from(["", "", "甲", "托管", "一路1号", "合计", "一、学科类", "注：", "无", "名称"]),
    st.integers(0, 10**18),
    st.text(alphabet="一二①=' \u200b路号", max_size=4),
)
ROWS = st.lists(st.lists(CELL, max_size=6), max_size=5)
SHEET = st.tuples(
    st.lists(st.sampled_from(TITLES), max_size=6),
    st.one_of(st.none(), st.lists(st.sampled_from(TITLES), max_size=6)),
    ROWS,
    st.booleans(),
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(1, 6), st.integers(0, 2), st.integers(0, 2)), max_size=2
    ),
)


def write(path: Path, sheets: list[tuple[object, ...]]) -> None:
    """Write sheets of a heading of one row or two, rows, and merged cells."""
    book = Workbook()
    del book[book.sheetnames[0]]
    for number, (head, below, rows, hidden, merges) in enumerate(sheets):
        sheet = book.create_sheet(f"表{number}")
        for row in [head, *([below] if below is not None else []), *rows]:  # type: ignore[misc]
            sheet.append(["".join(c for c in x if c.isprintable()) if isinstance(x, str) else x for x in row])
        for row, column, down, across in merges:  # type: ignore[attr-defined]
            sheet.merge_cells(
                start_row=row, end_row=row + down, start_column=column, end_column=column + across
            )
        sheet.sheet_state = "hidden" if hidden and number else "visible"
    book.save(path)


def unaccounted(path: Path, table: Table) -> list[tuple[str, int, int]]:
    """Return the cells that are neither in a record's used column nor named, by sheet, row and column."""
    from data.register.books import read_book

    named = {(note.code, note.fields["sheet"]): note.fields for note in table.notes}
    records = {(row.sheet, row.number): row for row in table.rows}
    lost = []
    for sheet in read_book(path):
        if any(
            (code, sheet.name) in named for code in ("sheet_hidden", "sheet_without_heading", "sheet_blank")
        ):
            continue
        heading = len(table.headings[sheet.name])
        skipped = named.get(("rows_no_record", sheet.name), {}).get("rows", [])
        header = next((row.header for row in table.rows if row.sheet == sheet.name), None)
        unused = named.get(("columns_unused", sheet.name), {}).get("columns", [])
        for at, cells in enumerate(sheet.cells, start=1):
            record = records.get((sheet.name, at))
            filled = [column for column, cell in enumerate(cells) if cell.strip()]
            if record is None:
                is_heading = header is not None and header.row - heading < at <= header.row
                blank = not any(map(str.strip, cells)) or not _meant(cells)
                if not (is_heading or at in skipped or blank or header is None):
                    lost += [(sheet.name, at, column) for column in filled]
                continue
            others = [column for column in filled if column not in record.header.columns.values()]
            if others and not unused:
                lost += [(sheet.name, at, column) for column in others]
    return lost


def _meant(cells: list[str]) -> bool:
    from data.register.sheets import cell_value

    return any(map(cell_value, cells))


@settings(max_examples=60, deadline=None)
@given(sheets=st.lists(SHEET, min_size=1, max_size=3))
def test_every_cell_is_read_or_named(sheets: list[tuple[object, ...]]) -> None:
    """Whatever the headings, sheets and merged cells, or the file is refused before anything is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        write(path, sheets)
        try:
            table = read_table(path, COLUMNS, required=("name",))
        except SheetError as refusal:
            assert refusal.code in ("empty_sheet", "missing_columns")
            return
        assert unaccounted(path, table) == []
        assert len({(row.sheet, row.number) for row in table.rows}) == len(table.rows)
