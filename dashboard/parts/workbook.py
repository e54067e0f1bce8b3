"""Sheets of a workbook that leaves: titles, rows, and cells that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from data.register.celltext import guard, printable


def first_sheet(book: Workbook, title: str) -> Any:
    """Return the one sheet of a new workbook, under a title."""
    del book[book.sheetnames[0]]
    return book.create_sheet(title)


def safe(value: object) -> object:
    """Return a cell's value; text that begins like a formula stays text, control characters are left out."""
    return guard(printable(value)) if isinstance(value, str) else value


def add_heading(sheet: Any, titles: Sequence[str]) -> None:
    """Add a row of titles."""
    sheet.append([safe(title) for title in titles])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)


def fill(sheet: Any, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write titles and rows, the titles fixed and as wide as they are."""
    add_heading(sheet, titles)
    for row in rows:
        sheet.append([safe(value) for value in row])
    sheet.freeze_panes = "A2"
    for index, title in enumerate(titles, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = max(10, 2.4 * len(title), 14)
