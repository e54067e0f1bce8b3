"""A workbook read in a process of its own (`python -m data.register.workbooks`): bytes in, cells out as JSON.

A hostile or damaged workbook can make its reader ask for half a terabyte, panic or run for ever; here it
takes only this process with it. `data.register.sheets` starts it and speaks to it.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from data.register.sheets import MAX_CELLS, MAX_CHARACTERS, MAX_COLUMNS, cell_text

_MEMORY_BYTES = 3 * 1024**3
_CPU_S = 300


class _Refusal(Exception):
    """The workbook cannot be read: code and fields of the `SheetError` to raise."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code, self.fields = code, fields


def read_dense(content: bytes, sheet: str | None) -> list[list[str]]:
    """Return the cells of a sheet, or of the first that has any, as text; every row has the full width.

    Parameters
    ----------
    content
        Bytes of an xlsx, xlsm, xls, ods or et file.
    sheet
        Name of the sheet.
    """
    from python_calamine import CalamineWorkbook, PasswordError, WorksheetNotFound

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in [sheet] if sheet else book.sheet_names:
            found = book.get_sheet_by_name(name)
            _check_size(found.total_height, found.total_width)
            # skip_empty_area=False keeps the row numbers that people see in the file.
            cells = found.to_python(skip_empty_area=False)
            if cells or sheet:
                return list(_texts(cells))
    except WorksheetNotFound as error:
        raise _Refusal("unknown_sheet", sheet=sheet) from error
    except PasswordError as error:
        raise _Refusal("encrypted_sheet") from error
    return []


def read_sparse(content: bytes, sheet: str | None) -> list[list[str]]:
    """Return the cells of an xlsx sheet as text, each row only as wide as it is filled.

    One cell far out, which nobody sees, would else make a table of 17 thousand million cells.

    Parameters
    ----------
    content, sheet
        As `read_dense`.
    """
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    for name in [sheet] if sheet else book.sheetnames:
        found = book[name]
        found.reset_dimensions()
        rows = list(_texts(_filled(found.iter_rows(values_only=True))))
        if rows or sheet:
            return rows
    return []


def _filled(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    spent = height = width = 0
    for row in rows:
        last = next((at for at in range(len(row), 0, -1) if row[at - 1] is not None), 0)
        height, width, spent = height + 1, max(width, last), spent + last
        if spent > MAX_CELLS:
            raise _Refusal("sheet_too_large", rows=height, columns=width, limit=MAX_CELLS)
        yield row[:last]


def _texts(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    spent = 0
    for number, row in enumerate(rows, start=1):
        texts = [cell_text(cell) for cell in row]
        # One long text that a million cells share is small in the file only.
        spent += sum(map(len, texts))
        if spent > MAX_CHARACTERS:
            raise _Refusal("sheet_too_large", rows=number, columns=len(texts), limit=MAX_CELLS)
        yield texts


def _check_size(height: int, width: int) -> None:
    if height * width > MAX_CELLS or width > MAX_COLUMNS:
        raise _Refusal("sheet_too_large", rows=height, columns=width, limit=MAX_CELLS)


def _limit() -> None:
    """Let this process grow and run only so far."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read the workbook on standard input; arguments: dense or sparse, and the sheet's name."""
    _limit()
    read = read_sparse if sys.argv[1] == "sparse" else read_dense
    sheet = sys.argv[2] if len(sys.argv) > 2 else None
    answer: dict[str, object]
    try:
        answer = {"rows": read(sys.stdin.buffer.read(), sheet)}
    except _Refusal as refusal:
        answer = {"code": refusal.code, "fields": refusal.fields}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
