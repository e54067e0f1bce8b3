"""The law of every table that comes in: each cell that is not blank is read, or the answer names it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from data.errors import SheetError
from data.register.books import read_book
from data.register.characters import normalise
from data.register.entries import COLUMNS
from data.register.sheets import Table, cell_value, read_table

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


def titles_of(table: Table, sheet: str, column: int) -> set[str]:
    """Return what a column may be called in an answer: by its title in either heading row, or its letter."""
    rows = table.headings[sheet]
    above = [cells[column] if column < len(cells) else "" for cells in rows]
    # Under a common title a column is named by both.
    common = [cell for cell in rows[0][: column + 1] if cell.strip()][-1:]
    joined = {a + b for a in common for b in above[1:]} | {a + b[1:] for a in common for b in above[1:] if b}
    return {normalise(title) for title in (*above, *common, *joined) if title.strip()} | {
        f"{'ABCDEF'[column]}列"
    }


def unaccounted(path: Path, table: Table) -> list[tuple[str, int, int]]:
    """Return the cells that are neither in a record's used column nor named, by sheet, row and column."""
    named = {(note.code, note.fields["sheet"]): note.fields for note in table.notes}
    records = {(row.sheet, row.number): row for row in table.rows}
    lost = []
    for sheet in read_book(path):
        if any(
            (code, sheet.name) in named for code in ("sheet_hidden", "sheet_without_heading", "sheet_blank")
        ):
            continue
        skipped = named.get(("rows_no_record", sheet.name), {}).get("rows", [])
        unused = named.get(("columns_unused", sheet.name), {}).get("columns", [])
        last = table.ends[sheet.name]
        for at, cells in enumerate(sheet.cells, start=1):
            record = records.get((sheet.name, at))
            is_heading = last - len(table.headings[sheet.name]) < at <= last
            for column, cell in enumerate(cells):
                if not cell_value(cell) or is_heading or at in skipped:
                    continue
                used = record is not None and column in record.header.columns.values()
                if not used and not (record and titles_of(table, sheet.name, column) & set(unused)):
                    lost.append((sheet.name, at, column))
    return lost


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
