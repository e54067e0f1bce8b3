"""Text tables: which sign parts the cells, and a quotation mark that swallows rows is found."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

from data.errors import SheetError
from data.register.workbooks import MAX_CELLS, MAX_COLUMNS

SIGNS = (",", "\t", ";", "，", "；", "|")
_LOOKED_AT_LINES = 60


def split_text(text: str) -> list[list[str]]:
    """Return the cells of a text table as they are written.

    Raises
    ------
    SheetError
        `unclosed_quote` with the line where a quoted cell begins that holds whole rows or never ends,
        `sheet_too_large`, `unreadable`.
    """
    sign = _find_sign(text)
    rows: list[list[str]] = []
    spent = width = 0
    lines = io.StringIO(text, newline="")
    taken: list[str] = []
    reader = csv.reader(_kept(lines, taken), delimiter=sign)
    try:
        for row in reader:
            spent, width = spent + len(row), max(width, len(row))
            if spent > MAX_CELLS or width > MAX_COLUMNS:
                raise SheetError("sheet_too_large", rows=len(rows) + 1, columns=width, limit=MAX_CELLS)
            if len(taken) > 1 or taken[0].count('"') % 2:
                _check_quotes(taken, sign, width, first=reader.line_num - len(taken) + 1)
            rows.append(row)
            taken.clear()
    except csv.Error as error:
        raise SheetError("unreadable") from error
    return rows


def _kept(lines: io.StringIO, taken: list[str]) -> Iterator[str]:
    """Yield lines and keep those that the record under way has taken."""
    for line in lines:
        taken.append(line)
        yield line


def _check_quotes(taken: list[str], sign: str, width: int, *, first: int) -> None:
    """Refuse a record of several lines that holds whole rows, or whose last quote is not closed."""
    whole = any(line.count(sign) >= max(width - 1, 1) and '"' not in line for line in taken[1:])
    if whole or sum(line.count('"') for line in taken) % 2:
        raise SheetError("unclosed_quote", row=first, lines=len(taken))


def _find_sign(text: str) -> str:
    """Return the sign that parts the most lines into the same number of cells."""
    lines = [line for line in text.splitlines()[:_LOOKED_AT_LINES] if line.strip()]
    scores = []
    for sign in SIGNS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign))
        except csv.Error:
            continue
        alike, width = max(((count, width) for width, count in widths.items() if width > 1), default=(0, 1))
        scores.append((alike, width, -SIGNS.index(sign), sign))
    return max(scores, default=(0, 0, 0, ","))[3]
