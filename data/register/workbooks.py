"""A workbook read in a process of its own, `python -m data.register.workbooks`: bytes in, sheets out.

A hostile or damaged workbook can make its reader ask for half a terabyte, panic or run for ever; here it
takes only this process with it. `data.register.books` starts it and speaks to it.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from data.register.marks import Marks, read_marks
from data.register.webtables import read_markup

MAX_CELLS = 20_000_000
MAX_COLUMNS = 16_384  # as wide as spreadsheets go
MAX_CHARACTERS = 200_000_000
EXACT = 10**15  # spreadsheets keep fifteen digits of a number
INEXACT = "inexact"
_MEMORY_BYTES = 3 * 1024**3
_CPU_S = 300


class _Refusal(Exception):
    """The workbook cannot be read: code and fields of the `SheetError` to raise."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code, self.fields = code, fields


def cell_text(cell: object) -> str:
    """Return a cell as text: whole numbers without a point, days as YYYY-MM-DD, else as it was written."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (dt.datetime, dt.date)):
        return cell.isoformat()[:10]
    return str(cell)


def read_dense(content: bytes, sheet: str | None) -> list[dict[str, Any]]:
    """Return the sheets of an xlsx, xlsm, xlsb, xls, ods or et file; every row has the full width.

    Of hidden sheets only the names are told, unless one is asked for by name.

    Parameters
    ----------
    sheet
        Name of the one to read; all when None.
    """
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError as error:
        raise _Refusal("encrypted_sheet") from error
    marks = read_marks(content)
    spent = _Spent()
    told = []
    for about in book.sheets_metadata:
        if sheet not in (None, about.name):
            continue
        visible = about.visible == SheetVisibleEnum.Visible
        is_table = about.typ == SheetTypeEnum.WorkSheet
        if not is_table or not (visible or sheet):
            told.append(_told(about.name, [], visible=visible, marks=Marks(), is_table=is_table))
            continue
        found = book.get_sheet_by_name(about.name)
        spent.check_size(found.total_height, found.total_width)
        # skip_empty_area=False keeps the row numbers that people see in the file.
        cells = found.to_python(skip_empty_area=False)
        mine = marks.get(about.name, Marks())
        if not mine.merged:
            mine.merged = [(r0, c0, r1, c1) for (r0, c0), (r1, c1) in found.merged_cell_ranges or ()]
        told.append(_told(about.name, list(spent.texts(cells, mine)), visible=visible, marks=mine))
    return told


def read_sparse(content: bytes, sheet: str | None) -> list[dict[str, Any]]:
    """Return the sheets of an xlsx file, each row only as wide as it is filled.

    One cell far out, which nobody sees, would else make a table of 17 thousand million cells.

    Parameters
    ----------
    sheet
        As `read_dense`.
    """
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    marks = read_marks(content)
    spent = _Spent()
    told = []
    for found in book.worksheets:
        if sheet not in (None, found.title):
            continue
        visible = found.sheet_state == "visible"
        mine = marks.get(found.title, Marks())
        cells: list[list[str]] = []
        if visible or sheet:
            found.reset_dimensions()
            cells = list(spent.texts(spent.filled(found.iter_rows(values_only=True)), mine))
        told.append(_told(found.title, cells, visible=visible, marks=mine))
    return told


def _told(
    name: str, cells: list[list[str]], *, visible: bool, marks: Marks, is_table: bool = True
) -> dict[str, Any]:
    return {
        "name": name,
        "cells": cells,
        "visible": visible,
        "is_table": is_table,
        "merged": marks.merged,
        "hidden": sorted(marks.hidden),
        "odd": [[row, column, kind] for (row, column), kind in marks.odd.items()],
    }


class _Spent:
    """How many cells and characters were read so far."""

    def __init__(self) -> None:
        self.cells = self.characters = 0

    def check_size(self, height: int, width: int) -> None:
        """Refuse a sheet that is too large with those before it."""
        self.cells += height * width
        if self.cells > MAX_CELLS or width > MAX_COLUMNS:
            raise _Refusal("sheet_too_large", rows=height, columns=width, limit=MAX_CELLS)

    def filled(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Yield rows without the blanks at their ends."""
        height = width = 0
        for row in rows:
            last = next((at for at in range(len(row), 0, -1) if row[at - 1] is not None), 0)
            height, width, self.cells = height + 1, max(width, last), self.cells + last
            if self.cells > MAX_CELLS:
                raise _Refusal("sheet_too_large", rows=height, columns=width, limit=MAX_CELLS)
            yield row[:last]

    def texts(self, rows: Iterable[Sequence[Any]], marks: Marks) -> Iterator[list[str]]:
        """Yield rows as texts, and mark the numbers that lost digits; odd cells show what they hold."""
        for number, row in enumerate(rows):
            texts = [cell_text(cell) for cell in row]
            for at, cell in enumerate(row):
                if isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= EXACT:
                    marks.odd[number, at] = INEXACT
                    # As a spreadsheet shows it: written out, its last digits would be ones nobody wrote.
                    texts[at] = f"{cell:.14E}"
                elif (number, at) in marks.shown and not texts[at]:
                    texts[at] = marks.shown[number, at]
            # One long text that a million cells share is small in the file only.
            self.characters += sum(map(len, texts))
            if self.characters > MAX_CHARACTERS:
                raise _Refusal("sheet_too_large", rows=number + 1, columns=len(texts), limit=MAX_CELLS)
            yield texts


def _limit() -> None:
    """Let this process grow and run only so far."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(how: str, content: bytes, sheet: str | None) -> list[dict[str, Any]]:
    if how == "markup":
        told = [
            _told(name, list(_Spent().texts(rows, marks)), visible=True, marks=marks)
            for name, rows, marks in read_markup(content)
        ]
        return [one for one in told if sheet in (None, one["name"])]
    return (read_sparse if how == "sparse" else read_dense)(content, sheet)


def main() -> None:
    """Read the workbook on standard input; arguments: dense, sparse or markup, and the sheet's name."""
    _limit()
    sheet = sys.argv[2] if len(sys.argv) > 2 else None
    answer: Mapping[str, object]
    try:
        found = _read(sys.argv[1], sys.stdin.buffer.read(), sheet)
        if sheet is not None and not found:
            raise _Refusal("unknown_sheet", sheet=sheet)
        answer = {"sheets": found}
    except _Refusal as refusal:
        answer = {"code": refusal.code, "fields": refusal.fields}
    except zipfile.BadZipFile:
        answer = {"code": "unreadable", "fields": {}}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
